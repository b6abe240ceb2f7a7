//! JPEG files as 2D sources.
//!
//! **Reads** what [`crate::codec::jpeg`] decodes: grey of 8 bits, and one channel or the grey of colours. **Regions**: the image
//! is decoded whole and kept, of colours the selected plane, since the parts of a JPEG cannot be found without decoding what
//! lies before them.

use std::sync::Arc;

use super::colour::{ColourImage, needs_choice};
use super::decoded::{DecodedImage, selected_info};
use super::location::Located;
use super::{RegionReader, Selection, SourceError, SourceInfo};
use crate::codec::{Header, ImageFormat, Pick, jpeg};
use crate::volume::Block;

/// What the header says of the selected part.
pub(super) fn info(located: &Located, selection: &Selection, limit_bytes: u64) -> Result<SourceInfo, SourceError> {
    selected_info(located, ImageFormat::Jpeg, &header(located, &located.bytes(limit_bytes)?)?, selection)
}

/// Decodes a grey image; of others reads the header.
pub(super) fn open(located: &Located, limit_bytes: u64) -> Result<Arc<dyn RegionReader>, SourceError> {
    let bytes = located.bytes(limit_bytes)?;
    let decoded = jpeg::decode(&bytes, None, limit_bytes);
    if needs_choice(&decoded) {
        let header = header(located, &bytes)?;
        return Ok(Arc::new(ColourImage::new(located, ImageFormat::Jpeg, limit_bytes, header, decode)));
    }
    Ok(Arc::new(DecodedImage::new(located, ImageFormat::Jpeg, decoded)?))
}

fn header(located: &Located, bytes: &[u8]) -> Result<Header, SourceError> {
    jpeg::header(bytes).map_err(|error| SourceError::codec(&located.path, error))
}

fn decode(located: &Located, pick: Option<Pick>, limit_bytes: u64) -> Result<(Header, Block), SourceError> {
    let decoded = jpeg::decode(&located.bytes(limit_bytes)?, pick, limit_bytes);
    decoded.map_err(|error| SourceError::codec(&located.path, error))
}

#[cfg(test)]
mod tests {
    use super::super::conformance::{damage_is_survived, foreign, open_file, voxels_are_right};
    use crate::source::Selection;
    use crate::volume::{Region, Size};

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
    fn colours_are_refused_by_name_when_read() {
        let one = Region::of_size(Size::new(1, 1, 1));
        let error = open_file(&foreign("rgb.jpg")).unwrap().read(&Selection::default(), &one).unwrap_err();
        assert!(error.to_string().ends_with("is a jpeg image with 3 channels"), "{error}");
    }

    #[test]
    fn damaged_files_never_panic() {
        damage_is_survived(&foreign("smooth.jpg"));
        damage_is_survived(&foreign("smooth_progressive.jpg"));
    }
}
