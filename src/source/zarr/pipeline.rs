//! From the bytes of one chunk to its values.
//!
//! `zarrs` undoes the codecs, save those that unpack: its own unpack as much as the data holds, ours no more than a chunk has.

use std::borrow::Cow;
use std::num::NonZeroU64;
use std::sync::Arc;

use zarrs::array::codec::{BloscCodec, CodecChain};
use zarrs::array::codec::{Bz2Codec, GzipCodec, ZlibCodec, ZstdCodec};
use zarrs::array::{
    ArrayToBytesCodecTraits, BytesRepresentation, BytesToBytesCodecTraits, CodecError, CodecOptions, DataType,
    FillValue,
};

use super::Flaw;
use crate::source::unpack;

/// What a chunk's bytes go through.
pub(super) struct Pipeline {
    shape: Vec<NonZeroU64>,
    dtype: DataType,
    fill: FillValue,
    /// In the order in which they are undone.
    bytes: Vec<Step>,
    /// What comes behind them: byte order, transposition, filters of values.
    values: CodecChain,
    /// The most bytes that a chunk reasonably has before any step.
    pub most_encoded: u64,
}

/// A codec from bytes to bytes.
struct Step {
    codec: Kind,
    /// What comes out of it.
    out: BytesRepresentation,
    most_bytes: u64,
}

enum Kind {
    Unpack(fn(&[u8], u64) -> Result<Vec<u8>, Flaw>),
    /// Checksums and shuffles, which make nothing longer.
    Other(Arc<dyn BytesToBytesCodecTraits>),
}

impl Pipeline {
    /// Of chunks of this shape, of which the caller knows that they are no larger than they may.
    ///
    /// # Errors
    /// Codecs that do not go with the shape or the data type.
    pub fn new(
        chain: &CodecChain,
        shape: &[NonZeroU64],
        dtype: &DataType,
        fill: &FillValue,
    ) -> Result<Self, CodecError> {
        let values = CodecChain::new(
            chain.array_to_array_codecs().to_vec(),
            Arc::clone(chain.array_to_bytes_codec()),
            Vec::new(),
        );
        let mut out = values.encoded_representation(shape, dtype, fill)?;
        let mut most_bytes = out.size().unwrap_or(0);
        let mut bytes = Vec::new();
        for codec in chain.bytes_to_bytes_codecs() {
            bytes.push(Step { codec: Kind::of(codec), out, most_bytes });
            out = codec.encoded_representation(&out);
            // What a packer adds at worst is not the same for all writers.
            most_bytes = out.size().unwrap_or(most_bytes).saturating_add(most_bytes / 4).saturating_add(1 << 16);
        }
        bytes.reverse();
        let (shape, dtype, fill) = (shape.to_vec(), dtype.clone(), fill.clone());
        Ok(Pipeline { shape, dtype, fill, bytes, values, most_encoded: most_bytes })
    }

    /// The values of a chunk, little-endian and in C order.
    ///
    /// # Errors
    /// Damaged data, and data that holds more or fewer values.
    pub fn decode(&self, bytes: Vec<u8>) -> Result<Vec<u8>, Flaw> {
        let options = CodecOptions::default();
        let mut bytes = bytes;
        for step in &self.bytes {
            bytes = match &step.codec {
                Kind::Unpack(unpack) => unpack(&bytes, step.most_bytes)?,
                Kind::Other(codec) => codec.decode(Cow::Owned(bytes), &step.out, &options)?.into_owned(),
            };
        }
        let values = self.values.decode(Cow::Owned(bytes), &self.shape, &self.dtype, &self.fill, &options)?;
        Ok(values.into_fixed()?.into_owned())
    }
}

impl Kind {
    fn of(codec: &Arc<dyn BytesToBytesCodecTraits>) -> Self {
        let any = codec.as_any();
        if any.is::<GzipCodec>() {
            Kind::Unpack(unpack::gzip)
        } else if any.is::<ZlibCodec>() {
            Kind::Unpack(unpack::zlib)
        } else if any.is::<Bz2Codec>() {
            Kind::Unpack(unpack::bzip2)
        } else if any.is::<ZstdCodec>() {
            Kind::Unpack(unpack::zstd)
        } else if any.is::<BloscCodec>() {
            Kind::Unpack(unpack::blosc)
        } else {
            Kind::Other(Arc::clone(codec))
        }
    }
}
