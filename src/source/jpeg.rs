//! JPEG files as 2D sources.
//!
//! **Reads** what [`crate::codec::jpeg`] decodes: grey of 8 bits. **Regions**: the image is decoded whole and kept, since the
//! parts of a JPEG cannot be found without decoding what lies before them.

use super::decoded::{DecodedImage, flat_info};
use super::location::Located;
use super::{SourceError, SourceInfo};
use crate::codec::{ImageFormat, jpeg};

/// What the header says.
pub(super) fn info(located: &Located, limit_bytes: u64) -> Result<SourceInfo, SourceError> {
    let header = jpeg::header(&located.bytes(limit_bytes)?);
    let header = header.map_err(|error| SourceError::codec(&located.path, error))?;
    Ok(flat_info(located, ImageFormat::Jpeg, &header))
}

/// Decodes the image.
pub(super) fn open(located: &Located, limit_bytes: u64) -> Result<DecodedImage, SourceError> {
    DecodedImage::new(located, ImageFormat::Jpeg, jpeg::decode(&located.bytes(limit_bytes)?, limit_bytes))
}

#[cfg(test)]
mod tests {
    use super::super::conformance::{damage_is_survived, foreign, open_file, voxels_are_right};
    use crate::source::Selection;
    use crate::volume::Size;

    #[test]
    fn foreign_images_are_close_to_what_libjpeg_decodes() {
        let cases =
            [("smooth", "jpg"), ("smooth_progressive", "jpg"), ("smooth_restarts", "jpg"), ("jpeg_tiles", "tif")];
        for (name, ending) in cases {
            let reader = open_file(&foreign(&format!("{name}.{ending}"))).unwrap();
            let info = reader.info(&Selection::default()).unwrap();
            assert_eq!(info.size, Size::new(97, 61, 1));
            let block = reader.read(&Selection::default(), &info.region()).unwrap();
            let libjpeg = std::fs::read(foreign(&format!("{name}.raw"))).unwrap();
            assert_eq!(block.as_bytes().len(), libjpeg.len());
            let differ = |(ours, theirs): (&u8, &u8)| ours.abs_diff(*theirs);
            assert!(block.as_bytes().iter().zip(&libjpeg).map(differ).max() <= Some(2), "{name}");
            let voxels = block.as_bytes();
            voxels_are_right(&*reader, &Selection::default(), |x, y, _| i64::from(voxels[(x + 97 * y) as usize]));
        }
    }

    #[test]
    fn colours_are_refused_by_name() {
        let error = open_file(&foreign("rgb.jpg")).err().unwrap();
        assert!(error.to_string().ends_with("is a jpeg image with 3 channels"), "{error}");
    }

    #[test]
    fn damaged_files_never_panic() {
        damage_is_survived(&foreign("smooth.jpg"));
        damage_is_survived(&foreign("smooth_progressive.jpg"));
    }
}
