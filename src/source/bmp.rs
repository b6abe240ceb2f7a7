//! BMP files as 2D sources.
//!
//! **Reads** what [`crate::codec::bmp`] decodes: palettes of greys, and one channel or the grey of colours. **Regions**: the
//! image is decoded whole and kept, of colours the selected plane.

use std::sync::Arc;

use super::decoded::{DecodedImage, check_header, check_length, selected_info};
use super::location::Located;
use super::{RegionReader, Selection, Shared, SourceError, SourceInfo};
use crate::codec::{Header, ImageFormat, Pick, bmp};

/// What the header says of the selected part.
pub(super) fn info(located: &Located, selection: &Selection, limit_bytes: u64) -> Result<SourceInfo, SourceError> {
    selected_info(located, ImageFormat::Bmp, &header(located, limit_bytes)?.0, selection)
}

/// Reads the header.
pub(super) fn open(located: &Located, shared: &Arc<Shared>) -> Result<Arc<dyn RegionReader>, SourceError> {
    let header = header(located, shared.limit_bytes)?;
    Ok(Arc::new(DecodedImage::new(located, ImageFormat::Bmp, header, decode, shared)))
}

/// The header, and what decoding needs for the voxels.
fn header(located: &Located, limit_bytes: u64) -> Result<(Header, u64), SourceError> {
    let bytes = located.bytes(limit_bytes)?;
    let header = bmp::header(&bytes).and_then(|header| Ok((header, bmp::buffer_bytes(&bytes)?)));
    header.map_err(|error| SourceError::codec(&located.path, error))
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
    let image = bmp::Image::open(&bytes, pick).map_err(error)?;
    check_header(located, &image.header, header)?;
    check_length(located, image.buffer_bytes(), buffer)?;
    image.decode_into(buffer).map(drop).map_err(error)
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::super::conformance::{
        colour_voxel, coloured, damage_is_survived, damage_is_survived_with, foreign_voxel, open_file, voxels_are_right,
    };
    use super::super::{Colour, Sources};
    use crate::source::{Selection, SourceRef};
    use crate::volume::{Region, Size};

    fn file(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/flat").join(format!("{name}.bmp"))
    }

    #[test]
    fn palettes_of_greys_are_greys() {
        for name in ["grey8", "grey8_top_down", "grey8_os2"] {
            voxels_are_right(&*open_file(&file(name)).unwrap(), &Selection::default(), foreign_voxel);
        }
        let bit = |x, y, z| if foreign_voxel(x, y, z) & 255 > 127 { 255 } else { 0 };
        voxels_are_right(&*open_file(&file("one_bit")).unwrap(), &Selection::default(), bit);
    }

    #[test]
    fn channels_of_colours_are_read() {
        for name in ["rgb", "rgba"] {
            let reader = open_file(&file(name)).unwrap();
            for c in 0..3 {
                voxels_are_right(&*reader, &coloured(Colour::Channel(c)), |x, y, z| colour_voxel(x, y, z, c as i64));
            }
        }
    }

    #[test]
    fn what_is_not_read_is_refused_by_name() {
        let one = Region::of_size(Size::new(1, 1, 1));
        for (name, expected) in
            [("palette", "is a bmp image with a palette"), ("rgb", "is a bmp image with 3 channels")]
        {
            let read = open_file(&file(name)).and_then(|reader| reader.read(&Selection::default(), &one));
            let error = read.unwrap_err();
            assert!(error.to_string().ends_with(expected), "{error}");
        }
    }

    #[test]
    fn damaged_files_never_panic() {
        for name in ["grey8", "grey8_top_down", "grey8_os2", "one_bit", "palette"] {
            damage_is_survived(&file(name));
        }
        damage_is_survived_with(&file("rgb"), &coloured(Colour::Channel(0)));
    }

    #[test]
    fn a_cut_file_is_found_without_decoding() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["grey8", "grey8_os2", "rgb"] {
            let bytes = std::fs::read(file(name)).unwrap();
            for (cut, is_whole) in [(0, true), (1, false), (100, false)] {
                std::fs::write(folder.path().join("s.bmp"), &bytes[..bytes.len() - cut]).unwrap();
                let sources = Sources::new(folder.path().to_owned(), 0);
                assert_eq!(sources.sound(&SourceRef::new("s.bmp")).is_ok(), is_whole, "{name} without {cut} bytes");
            }
        }
    }
}
