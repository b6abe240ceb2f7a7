//! From the bytes of one chunk to its voxels.
//!
//! Voxels are little-endian and lie x fastest, then y, z and channel: a block whose channels stand behind one another on z.

use std::borrow::Cow;
use std::io::Cursor;

use super::info::{Encoding, Info};
use super::{FORMAT, Flaw, segmentation};
use crate::codec::{self, CodecError, Pick};
use crate::source::packing::Packing;
use crate::volume::{Block, Dtype, Size};

/// What a chunk must be.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    pub dtype: Dtype,
    /// Without the channels.
    pub size: Size,
    pub channels: u64,
}

impl Shape {
    pub fn new(info: &Info, size: Size) -> Self {
        Shape { dtype: info.dtype, size, channels: info.channels }
    }

    /// Bytes of all voxels; saturates.
    pub fn bytes(&self) -> u64 {
        self.size.voxels().saturating_mul(self.channels).saturating_mul(self.dtype.size_bytes() as u64)
    }

    /// The most bytes that an encoded chunk can have, packed or not: packing adds five for each block of at most 64 KiB (RFC
    /// 1951, 3.2.4), and a header.
    pub fn most_object_bytes(&self, encoding: Encoding) -> u64 {
        let bytes = self.most_encoded_bytes(encoding);
        bytes.saturating_add(bytes / 1000).saturating_add(1 << 16)
    }

    /// The most bytes that an encoded chunk can reasonably have, unpacked.
    pub fn most_encoded_bytes(&self, encoding: Encoding) -> u64 {
        match encoding {
            Encoding::Raw => self.bytes(),
            // Noise makes them a little larger than the voxels.
            Encoding::Jpeg | Encoding::Png => self.bytes().saturating_mul(2).saturating_add(1 << 20),
            Encoding::Segmentation(block) => {
                segmentation::most_bytes(self.size, block, self.channels, self.dtype.size_bytes())
            }
        }
    }
}

/// Decodes a chunk, which may be packed though nobody says so.
///
/// # Errors
/// [`CodecError::Damaged`], naming the chunk's `encoding`, and what image decoders give.
pub(super) fn decode(
    bytes: Cow<[u8]>,
    packing: Option<Packing>,
    encoding: Encoding,
    shape: Shape,
) -> Result<Block, CodecError> {
    // Plain voxels may begin as packed data does.
    let is_plain = encoding == Encoding::Raw && bytes.len() as u64 == shape.bytes();
    let packing = packing.or_else(|| if is_plain { None } else { Packing::sniff(&bytes) });
    let bytes = match packing {
        None => bytes,
        Some(packing) => {
            let unpacked = packing.unpack(&bytes, shape.most_encoded_bytes(encoding));
            Cow::Owned(unpacked.map_err(|error| damaged(error.into()))?)
        }
    };
    let voxels = match encoding {
        Encoding::Raw => bytes.into_owned(),
        Encoding::Segmentation(block) => labels(&bytes, block, shape)?,
        Encoding::Jpeg => image(shape, |pick, limit| codec::jpeg::decode(&bytes, pick, limit))?,
        Encoding::Png => image(shape, |pick, limit| codec::png::decode(Cursor::new(&*bytes), pick, limit))?,
    };
    let deep = Size { z: shape.size.z * shape.channels, ..shape.size };
    Block::from_bytes(shape.dtype, deep, voxels).map_err(|wrong| damaged(wrong.into()))
}

fn damaged(flaw: Flaw) -> CodecError {
    CodecError::Damaged { format: FORMAT, source: flaw }
}

fn labels(bytes: &[u8], block: Size, shape: Shape) -> Result<Vec<u8>, CodecError> {
    let Shape { dtype, size, channels } = shape;
    let mut voxels = vec![0; shape.bytes() as usize];
    segmentation::decode(bytes, (size, block), channels, dtype.size_bytes(), &mut voxels).map_err(damaged)?;
    Ok(voxels)
}

/// The pixels of an image, whose rows make up the chunk however wide it is; one plane for each channel.
fn image(
    shape: Shape,
    decode: impl Fn(Option<Pick>, u64) -> Result<(codec::Header, Block), CodecError>,
) -> Result<Vec<u8>, CodecError> {
    if shape.channels == 1 {
        return plane(shape, None, decode);
    }
    let planes = (0..shape.channels).map(|channel| plane(shape, Some(Pick::Channel(channel)), &decode));
    let planes: Vec<Vec<u8>> = planes.collect::<Result<_, _>>()?;
    Ok(planes.concat())
}

fn plane(
    shape: Shape,
    pick: Option<Pick>,
    decode: impl Fn(Option<Pick>, u64) -> Result<(codec::Header, Block), CodecError>,
) -> Result<Vec<u8>, CodecError> {
    // An image that needs more memory than the chunk cannot be the chunk.
    let (header, plane) = decode(pick, shape.bytes())?;
    let found = (plane.dtype(), plane.size().voxels(), u64::from(header.channels.count()));
    if found != (shape.dtype, shape.size.voxels(), shape.channels) {
        let (dtype, count, channels) = found;
        return Err(damaged(format!("it holds {count} voxels of {dtype} in {channels} channels").into()));
    }
    Ok(plane.into_bytes())
}
