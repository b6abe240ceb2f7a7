//! JPEG files as 2D sources.
//!
//! **Reads** what [`crate::codec::jpeg`] decodes: grey of 8 bits, and one channel or the grey of colours. **Regions**: the image
//! is decoded whole and kept, of colours the selected plane, since the parts of a JPEG cannot be found without decoding what
//! lies before them.

use std::io::Read;
use std::sync::Arc;

use super::decoded::{DecodedImage, check_header, selected_info};
use super::location::Located;
use super::{RegionReader, Selection, Shared, SourceError, SourceInfo};
use crate::codec::{Header, ImageFormat, Pick, jpeg};

/// Where the header mostly ends; what stands before it are a camera's notes.
const HEADER_BYTES: u64 = 64 << 10;

/// What the header says of the selected part.
pub(super) fn info(located: &Located, selection: &Selection, limit_bytes: u64) -> Result<SourceInfo, SourceError> {
    selected_info(located, ImageFormat::Jpeg, &header(located, limit_bytes)?, selection)
}

/// Reads the header.
pub(super) fn open(located: &Located, shared: &Arc<Shared>) -> Result<Arc<dyn RegionReader>, SourceError> {
    let header = header(located, shared.limit_bytes)?;
    // The values of all channels are decoded before one is chosen.
    let buffer = (header, header.stored_bytes());
    Ok(Arc::new(DecodedImage::new(located, ImageFormat::Jpeg, buffer, decode, shared)))
}

fn header(located: &Located, limit_bytes: u64) -> Result<Header, SourceError> {
    let mut first = Vec::new();
    let read = located.open()?.take(HEADER_BYTES).read_to_end(&mut first);
    read.map_err(|error| SourceError::io(&located.path, error))?;
    if let Ok(header) = jpeg::header(&first) {
        return Ok(header);
    }
    jpeg::header(&located.bytes(limit_bytes)?).map_err(|error| SourceError::codec(&located.path, error))
}

fn decode(
    located: &Located,
    header: &Header,
    pick: Option<Pick>,
    buffer: &mut [u8],
    limit_bytes: u64,
) -> Result<(), SourceError> {
    let error = |error| SourceError::codec(&located.path, error);
    let bytes = located.bytes(limit_bytes)?;
    let image = jpeg::Image::open(&bytes, pick).map_err(error)?;
    check_header(located, &image.header, header)?;
    image.decode_into(buffer, limit_bytes).map(drop).map_err(error)
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
