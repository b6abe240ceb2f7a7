//! Writes TIFF tiles: one uncompressed page of the voxels as they are, for voxel types that PNG does not have.

use std::io::Cursor;

use ::tiff::encoder::colortype::{ColorType, Gray8, Gray16, Gray32, Gray32Float, GrayI8, GrayI16, GrayI32};
use ::tiff::encoder::{TiffEncoder, TiffValue};

use super::image::dimensions;
use super::{CodecError, Feature};
use crate::volume::{Block, Dtype};

const FORMAT: &str = "tiff";

/// Encodes a section of voxels of up to 32 bits. `uint64` voxels are written with 32 bits.
///
/// The Boss decodes tiles with Pillow, which reads no 64-bit TIFF and takes 32 bits as signed. So an id from 2³¹ on would
/// come out as another one in a `uint64` channel, and is refused with [`CodecError::ValueTooLarge`].
pub(super) fn encode(block: &Block) -> Result<Vec<u8>, CodecError> {
    match block.dtype() {
        Dtype::Uint8 => write::<Gray8, 1>(block, u8::from_le_bytes),
        Dtype::Int8 => write::<GrayI8, 1>(block, i8::from_le_bytes),
        Dtype::Uint16 => write::<Gray16, 2>(block, u16::from_le_bytes),
        Dtype::Int16 => write::<GrayI16, 2>(block, i16::from_le_bytes),
        Dtype::Uint32 => write::<Gray32, 4>(block, u32::from_le_bytes),
        Dtype::Int32 => write::<GrayI32, 4>(block, i32::from_le_bytes),
        Dtype::Float32 => write::<Gray32Float, 4>(block, f32::from_le_bytes),
        Dtype::Uint64 => {
            check_ids(block)?;
            write::<Gray32, 8>(block, |bytes| u64::from_le_bytes(bytes) as u32)
        }
        other => Err(CodecError::unsupported(FORMAT, Feature::Dtype(other))),
    }
}

fn check_ids(block: &Block) -> Result<(), CodecError> {
    let ids = block.as_bytes().as_chunks::<8>().0.iter().map(|bytes| u64::from_le_bytes(*bytes));
    match ids.max() {
        Some(value) if value > i32::MAX as u64 => Err(CodecError::ValueTooLarge { format: FORMAT, value }),
        _ => Ok(()),
    }
}

fn write<C: ColorType, const BYTES: usize>(
    block: &Block,
    sample: impl Fn([u8; BYTES]) -> C::Inner,
) -> Result<Vec<u8>, CodecError>
where
    [C::Inner]: TiffValue,
{
    let (width, height) = dimensions(FORMAT, block.size())?;
    let samples: Vec<C::Inner> = block.as_bytes().as_chunks::<BYTES>().0.iter().map(|bytes| sample(*bytes)).collect();
    let mut image = Cursor::new(Vec::with_capacity(block.as_bytes().len() + 1024));
    let mut encoder = TiffEncoder::new(&mut image).map_err(refused)?;
    encoder.write_image::<C>(width, height, &samples).map_err(refused)?;
    Ok(image.into_inner())
}

/// What can go wrong when writing to memory is a size that TIFF cannot hold.
fn refused(_: ::tiff::TiffError) -> CodecError {
    CodecError::unsupported(FORMAT, Feature::Dimensions)
}
