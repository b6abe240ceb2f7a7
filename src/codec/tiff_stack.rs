//! Writes TIFF files for people: one uncompressed page per section, every voxel type as it is.
//!
//! What the Boss is sent is another matter: it reads no 64 bits (`tiff_encode`).

use std::io::{Seek, Write};

use ::tiff::TiffError;
use ::tiff::encoder::colortype::{
    ColorType, Gray8, Gray16, Gray32, Gray32Float, Gray64, Gray64Float, GrayI8, GrayI16, GrayI32, GrayI64,
};
use ::tiff::encoder::{TiffEncoder, TiffKind, TiffValue};

use super::image::dimensions;
use super::{CodecError, Feature};
use crate::volume::{Block, Dtype};

const FORMAT: &str = "tiff";

/// Voxels above which positions in the file need 64 bits. Leaves room for the pages' own entries.
const LARGEST_PLAIN_BYTES: usize = 4_000_000_000;

/// Writes all sections of a block as the pages of one file; a BigTIFF where 4 GB are not enough.
///
/// # Errors
/// [`CodecError::NotSupported`] for dimensions that TIFF does not have, [`CodecError::Unreadable`] when `out` cannot be
/// written.
pub fn write_stack(block: &Block, out: impl Write + Seek) -> Result<(), CodecError> {
    if block.as_bytes().len() > LARGEST_PLAIN_BYTES {
        pages_of(block, TiffEncoder::new_big(out).map_err(failed)?)
    } else {
        pages_of(block, TiffEncoder::new(out).map_err(failed)?)
    }
}

fn pages_of<W: Write + Seek, K: TiffKind>(block: &Block, encoder: TiffEncoder<W, K>) -> Result<(), CodecError> {
    match block.dtype() {
        Dtype::Uint8 => pages::<Gray8, W, K, 1>(block, encoder, u8::from_le_bytes),
        Dtype::Int8 => pages::<GrayI8, W, K, 1>(block, encoder, i8::from_le_bytes),
        Dtype::Uint16 => pages::<Gray16, W, K, 2>(block, encoder, u16::from_le_bytes),
        Dtype::Int16 => pages::<GrayI16, W, K, 2>(block, encoder, i16::from_le_bytes),
        Dtype::Uint32 => pages::<Gray32, W, K, 4>(block, encoder, u32::from_le_bytes),
        Dtype::Int32 => pages::<GrayI32, W, K, 4>(block, encoder, i32::from_le_bytes),
        Dtype::Float32 => pages::<Gray32Float, W, K, 4>(block, encoder, f32::from_le_bytes),
        Dtype::Uint64 => pages::<Gray64, W, K, 8>(block, encoder, u64::from_le_bytes),
        Dtype::Int64 => pages::<GrayI64, W, K, 8>(block, encoder, i64::from_le_bytes),
        Dtype::Float64 => pages::<Gray64Float, W, K, 8>(block, encoder, f64::from_le_bytes),
    }
}

fn pages<C: ColorType, W: Write + Seek, K: TiffKind, const BYTES: usize>(
    block: &Block,
    mut encoder: TiffEncoder<W, K>,
    sample: impl Fn([u8; BYTES]) -> C::Inner,
) -> Result<(), CodecError>
where
    [C::Inner]: TiffValue,
{
    let size = block.size();
    let (width, height) = dimensions(FORMAT, size)?;
    let page_bytes = block.as_bytes().len() / (size.z as usize).max(1);
    for page in block.as_bytes().chunks_exact(page_bytes) {
        let samples: Vec<C::Inner> = page.as_chunks::<BYTES>().0.iter().map(|bytes| sample(*bytes)).collect();
        encoder.write_image::<C>(width, height, &samples).map_err(failed)?;
    }
    Ok(())
}

fn failed(error: TiffError) -> CodecError {
    match error {
        TiffError::IoError(source) => CodecError::Unreadable { source },
        _ => CodecError::unsupported(FORMAT, Feature::Dimensions),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::codec::decode;
    use crate::volume::{Region, Size, Span};

    #[test]
    fn every_section_is_a_page_of_the_same_voxels() {
        for dtype in Dtype::ALL {
            let size = Size::new(7, 5, 3);
            let bytes = (0..size.voxels() * dtype.size_bytes() as u64).map(|n| (n * 37 % 127) as u8).collect();
            let block = Block::from_bytes(dtype, size, bytes).unwrap();
            let mut file = Cursor::new(Vec::new());
            write_stack(&block, &mut file).unwrap();
            let first = block.cut(&Region { z: Span::one(0), ..Region::of_size(size) });
            assert!(decode(file.get_ref(), 1 << 20).unwrap() == first, "{dtype}");
            let pages = ::tiff::decoder::Decoder::new(Cursor::new(file.into_inner())).unwrap();
            assert_eq!(count(pages), 3, "{dtype}");
        }
    }

    fn count(mut pages: ::tiff::decoder::Decoder<Cursor<Vec<u8>>>) -> usize {
        let mut count = 1;
        while pages.more_images() {
            pages.next_image().unwrap();
            count += 1;
        }
        count
    }
}
