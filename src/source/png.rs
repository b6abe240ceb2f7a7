//! PNG files as 2D sources.
//!
//! **Reads** what [`crate::codec::png`] decodes: grey of 1 to 16 bits, and one channel or the grey of colours. **Regions**: the
//! image is decoded whole, row by row, and kept, of colours the selected plane, since PNG has no smaller part that stands alone.

use std::io::BufReader;
use std::sync::Arc;

use super::decoded::{DecodedImage, check_header, selected_info};
use super::location::Located;
use super::{RegionReader, Selection, Shared, SourceError, SourceInfo};
use crate::codec::{Header, ImageFormat, Pick, png};

/// What the header says of the selected part.
pub(super) fn info(located: &Located, selection: &Selection) -> Result<SourceInfo, SourceError> {
    selected_info(located, ImageFormat::Png, &header(located)?, selection)
}

/// Reads the header.
pub(super) fn open(located: &Located, shared: &Arc<Shared>) -> Result<Arc<dyn RegionReader>, SourceError> {
    let header = header(located)?;
    let buffer = (header, header.decoded_bytes());
    Ok(Arc::new(DecodedImage::new(located, ImageFormat::Png, buffer, decode, shared)))
}

fn header(located: &Located) -> Result<Header, SourceError> {
    png::header(BufReader::new(located.open()?)).map_err(|error| SourceError::codec(&located.path, error))
}

fn decode(
    located: &Located,
    header: &Header,
    pick: Option<Pick>,
    voxels: &mut [u8],
    limit_bytes: u64,
) -> Result<(), SourceError> {
    let error = |error| SourceError::codec(&located.path, error);
    let image = png::Image::open(BufReader::new(located.open_whole(limit_bytes)?), pick).map_err(error)?;
    check_header(located, &image.header, header)?;
    image.decode_into(voxels).map_err(error)
}

#[cfg(test)]
mod tests {
    use super::super::conformance::{damage_is_survived, foreign, foreign_voxel, open_file, voxels_are_right};
    use crate::source::Selection;
    use crate::volume::{Region, Size};

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
        let cases = [
            ("palette", "a palette", "convert the image to grey"),
            ("rgb", "3 channels", "set `channel = 0` or `gray = true` in the plan"),
            ("rgba", "4 channels", "set `channel = 0` or `gray = true` in the plan"),
            ("la", "2 channels", "set `channel = 0` or `gray = true` in the plan"),
        ];
        for (name, what, hint) in cases {
            let file = foreign(&format!("{name}.png"));
            let one = Region::of_size(Size::new(1, 1, 1));
            let read = open_file(&file).and_then(|reader| reader.read(&Selection::default(), &one));
            let error = read.err().unwrap();
            assert_eq!(error.to_string(), format!("`{}` is a png image with {what}", file.display()));
            assert!(error.hint().unwrap().starts_with(hint));
        }
    }

    #[test]
    fn damaged_files_never_panic() {
        damage_is_survived(&foreign("grey16.png"));
        damage_is_survived(&foreign("interlaced8.png"));
    }
}
