//! PNG files as 2D sources.
//!
//! **Reads** what [`crate::codec::png`] decodes: grey of 1 to 16 bits. **Regions**: the image is decoded whole and kept, since
//! PNG has no smaller part that stands alone.

use std::io::BufReader;

use super::decoded::{DecodedImage, flat_info};
use super::location::Located;
use super::{SourceError, SourceInfo};
use crate::codec::{ImageFormat, png};

/// What the header says.
pub(super) fn info(located: &Located) -> Result<SourceInfo, SourceError> {
    let header = png::header(BufReader::new(located.open()?));
    let header = header.map_err(|error| SourceError::codec(&located.path, error))?;
    Ok(flat_info(located, ImageFormat::Png, &header))
}

/// Decodes the image.
pub(super) fn open(located: &Located, limit_bytes: u64) -> Result<DecodedImage, SourceError> {
    DecodedImage::new(located, ImageFormat::Png, png::decode(BufReader::new(located.open()?), limit_bytes))
}

#[cfg(test)]
mod tests {
    use super::super::conformance::{damage_is_survived, foreign, foreign_voxel, open_file, voxels_are_right};
    use crate::source::Selection;

    #[test]
    fn foreign_images_have_the_right_voxels() {
        let scaled = |bits: i64| {
            move |x, y, z| {
                let largest = (1 << bits) - 1;
                ((foreign_voxel(x, y, z) & 255) >> (8 - bits)) * (255 / largest)
            }
        };
        for name in ["grey8", "grey16", "interlaced8", "interlaced16"] {
            let reader = open_file(&foreign(&format!("{name}.png"))).unwrap();
            voxels_are_right(&*reader, &Selection::default(), foreign_voxel);
        }
        for bits in [1, 2, 4] {
            let reader = open_file(&foreign(&format!("grey{bits}.png"))).unwrap();
            voxels_are_right(&*reader, &Selection::default(), scaled(bits));
        }
    }

    #[test]
    fn images_that_are_not_grey_are_refused_by_name() {
        let cases = [("palette", "a palette"), ("rgb", "3 channels"), ("rgba", "4 channels"), ("la", "2 channels")];
        for (name, what) in cases {
            let file = foreign(&format!("{name}.png"));
            let error = open_file(&file).err().unwrap();
            assert_eq!(error.to_string(), format!("`{}` is a png image with {what}", file.display()));
            assert!(error.hint().unwrap().starts_with("convert the image to grey"));
        }
    }

    #[test]
    fn damaged_files_never_panic() {
        damage_is_survived(&foreign("grey16.png"));
        damage_is_survived(&foreign("interlaced8.png"));
    }
}
