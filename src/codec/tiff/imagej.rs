//! What ImageJ writes into the description of a file's first page.
//!
//! Source: `ij/io/FileInfo.java` and `ij/io/FileSaver.java` (`getDescriptionString`) of ImageJ, <https://github.com/imagej/ImageJ>.

/// The sections of an ImageJ file, and how they are counted: channels fastest, then slices, then frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageJ {
    pub images: u64,
    pub channels: u64,
    pub slices: u64,
    pub frames: u64,
}

impl ImageJ {
    /// `None` for a text that is not ImageJ's. What it does not name is 1.
    pub fn parse(description: &str) -> Option<Self> {
        let lines = description.strip_prefix("ImageJ=")?.lines();
        let mut found = ImageJ { images: 1, channels: 1, slices: 1, frames: 1 };
        for (name, value) in lines.filter_map(|line| line.split_once('=')) {
            let Some(value) = value.trim().parse().ok().filter(|value| *value > 0) else { continue };
            match name.trim() {
                "images" => found.images = value,
                "channels" => found.channels = value,
                "slices" => found.slices = value,
                "frames" => found.frames = value,
                _ => {}
            }
        }
        Some(found)
    }

    /// The axes of the sections, slowest first, without those of length 1.
    pub fn axes(&self) -> Vec<(char, u64)> {
        let all = [('t', self.frames), ('z', self.slices), ('c', self.channels)];
        all.into_iter().filter(|(_, length)| *length > 1).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_description_does_not_name_is_1() {
        let text =
            "ImageJ=1.54f\nimages=24\nchannels=2\nslices=3\nframes=4\nhyperstack=true\nmode=composite\nmin=0.0\n";
        let found = ImageJ::parse(text).unwrap();
        assert_eq!(found, ImageJ { images: 24, channels: 2, slices: 3, frames: 4 });
        assert_eq!(found.axes(), [('t', 4), ('z', 3), ('c', 2)]);
        let stack = ImageJ::parse("ImageJ=1.54f\r\nimages=5\r\nslices=5\r\nspacing=-1\r\nframes=0\r\n").unwrap();
        assert_eq!((stack.images, stack.axes()), (5, vec![('z', 5)]));
        assert_eq!(ImageJ::parse("{\"shape\": [3, 4]}"), None);
    }
}
