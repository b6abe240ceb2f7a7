//! Shards: objects that hold many chunks, each packed for itself, and an index of their places.
//!
//! <https://zarr-specs.readthedocs.io/en/latest/v3/codecs/sharding-indexed/index.html>

use std::borrow::Cow;
use std::num::NonZeroU64;
use std::ops::Range;

use zarrs::array::codec::{CodecChain, ShardingCodec};
use zarrs::array::codec::{ShardingCodecConfiguration, ShardingIndexLocation};
use zarrs::array::{ArrayToBytesCodecTraits, CodecOptions, DataType, FillValue, data_type};
use zarrs::metadata::ConfigurationSerialize;

use super::pipeline::Pipeline;
use super::{Flaw, Refusal};

/// The place of a chunk that the shard does not have.
const ABSENT: [u64; 2] = [u64::MAX; 2];

/// How an array's shards are made.
pub(super) struct Shards {
    /// What the inner chunks go through.
    pub chunks: Pipeline,
    /// Inner chunks on each axis of a shard.
    per_shard: Vec<u64>,
    index: CodecChain,
    index_shape: Vec<NonZeroU64>,
    index_bytes: u64,
    is_index_first: bool,
}

/// Where a shard's chunks lie in its object: the first byte and the number of bytes of each.
pub(super) type Index = Vec<[u64; 2]>;

/// What the codec of shards says, when the chain makes some.
///
/// # Errors
/// Shards that are packed or transposed as a whole, which cannot be read in parts.
pub(super) fn configuration(chain: &CodecChain) -> Result<Option<ShardingCodecConfiguration>, Refusal> {
    let codec = chain.array_to_bytes_codec();
    if !codec.as_any().is::<ShardingCodec>() {
        return Ok(None);
    }
    if !chain.array_to_array_codecs().is_empty() || !chain.bytes_to_bytes_codecs().is_empty() {
        return Err(Refusal::Unsupported("shards that are packed or transposed as a whole".to_owned()));
    }
    let configuration =
        codec.configuration_v3(&Default::default()).ok_or_else(|| Flaw::from("its shards are not told"))?;
    let configuration = ShardingCodecConfiguration::try_from_configuration(configuration);
    Ok(Some(configuration.map_err(|error| Refusal::Damaged(error.into()))?))
}

/// The shape of the chunks in the shards.
pub(super) fn chunk_shape(configuration: &ShardingCodecConfiguration) -> Vec<u64> {
    match configuration {
        ShardingCodecConfiguration::V1(configuration) => {
            configuration.chunk_shape.iter().map(|length| length.get()).collect()
        }
        _ => Vec::new(),
    }
}

impl Shards {
    /// # Errors
    /// Shapes that do not go together, codecs that are not read.
    pub fn new(
        configuration: &ShardingCodecConfiguration,
        shard: &[u64],
        dtype: &DataType,
        fill: &FillValue,
    ) -> Result<Self, Refusal> {
        let ShardingCodecConfiguration::V1(configuration) = configuration else {
            return Err(Refusal::Unsupported("shards of a later version".to_owned()));
        };
        let chunk = &configuration.chunk_shape;
        if chunk.len() != shard.len() || chunk.iter().zip(shard).any(|(chunk, shard)| *shard % *chunk != 0) {
            return Err(Flaw::from("its shards are no multiple of their chunks").into());
        }
        let per_shard: Vec<u64> = shard.iter().zip(chunk).map(|(shard, chunk)| *shard / *chunk).collect();
        let chain = |metadata| CodecChain::from_metadata(metadata).map_err(super::opened::refused);
        let (chunks, index) = (chain(&configuration.codecs)?, chain(&configuration.index_codecs)?);
        if chunks.array_to_bytes_codec().as_any().is::<ShardingCodec>() {
            return Err(Refusal::Unsupported("shards in shards".to_owned()));
        }
        let flaw = |error: zarrs::array::CodecError| Flaw::from(error);
        let chunks = Pipeline::new(&chunks, chunk, dtype, fill).map_err(flaw)?;
        let pair = NonZeroU64::new(2).expect("2 is not 0");
        let index_shape: Vec<NonZeroU64> =
            per_shard.iter().filter_map(|count| NonZeroU64::new(*count)).chain([pair]).collect();
        let index_bytes = index
            .encoded_representation(&index_shape, &data_type::uint64(), &FillValue::from(u64::MAX))
            .map_err(flaw)?
            .size()
            .ok_or_else(|| Flaw::from("the index of its shards is of any length"))?;
        let is_index_first = configuration.index_location == ShardingIndexLocation::Start;
        Ok(Shards { chunks, per_shard, index, index_shape, index_bytes, is_index_first })
    }

    /// The shard that holds a chunk, and the chunk's number in its index.
    pub fn place(&self, cell: &[u64]) -> (Vec<u64>, usize) {
        let shard = cell.iter().zip(&self.per_shard).map(|(at, count)| at / count).collect();
        let number = cell.iter().zip(&self.per_shard).fold(0, |number, (at, count)| number * count + at % count);
        (shard, number as usize)
    }

    /// Bytes of the index, packed.
    pub fn index_bytes(&self) -> u64 {
        self.index_bytes
    }

    /// Where the index lies in an object of this length.
    ///
    /// # Errors
    /// An object that is too short.
    pub fn index_range(&self, object_bytes: u64) -> Result<Range<u64>, Flaw> {
        let start = object_bytes.checked_sub(self.index_bytes).ok_or("it is too short for the index of a shard")?;
        Ok(if self.is_index_first { 0..self.index_bytes } else { start..object_bytes })
    }

    /// The index, from its bytes.
    pub fn index(&self, bytes: Vec<u8>) -> Result<Index, Flaw> {
        let (dtype, fill) = (data_type::uint64(), FillValue::from(u64::MAX));
        let options = CodecOptions::default();
        let index = self.index.decode(Cow::Owned(bytes), &self.index_shape, &dtype, &fill, &options)?.into_fixed()?;
        let number = |bytes: &[u8; 8]| u64::from_ne_bytes(*bytes);
        let numbers = index.as_chunks::<8>().0.as_chunks::<2>().0;
        Ok(numbers.iter().map(|place| place.each_ref().map(number)).collect())
    }

    /// Where a chunk lies in its shard; `None` for one that the shard does not have.
    ///
    /// # Errors
    /// A place past all places.
    pub fn range(index: &Index, number: usize) -> Result<Option<Range<u64>>, Flaw> {
        match index.get(number) {
            // The index of a shard that is not there is empty.
            None | Some(&ABSENT) => Ok(None),
            Some(&[start, length]) => {
                let end = start.checked_add(length).ok_or("a chunk of the shard lies past all places")?;
                Ok(Some(start..end))
            }
        }
    }
}
