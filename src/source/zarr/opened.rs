//! One array: what its metadata says, and how its chunks are read.

use std::num::NonZeroU64;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use serde_json::Value;
use zarrs::array::codec::CodecChain;
use zarrs::array::{Array as ZarrsArray, ArrayCreateError, ArrayMetadata, DataType};
use zarrs::metadata::v2::{ArrayMetadataV2, ArrayMetadataV2Order};
use zarrs::metadata::v3::ArrayMetadataV3;

use super::pipeline::Pipeline;
use super::shards::{self, Shards};
use super::store::{Metadata, Node};
use super::{Flaw, Refusal, names};
use crate::source::array::Array;
use crate::volume::Dtype;

/// No chunk or shard has more bytes, whatever the memory.
const MOST_BYTES: u64 = 1 << 44;

/// An array that is open.
pub(super) struct Opened {
    pub array: Arc<Array>,
    /// The bytes of one value that was never written.
    pub fill: Vec<u8>,
    pub chunks: Chunks,
    /// The codecs of its chunks, by name.
    pub compression: Option<String>,
    zarrs: ZarrsArray<()>,
}

/// How the chunks of an array lie in objects.
pub(super) enum Chunks {
    /// Each in its own.
    Single(Pipeline),
    Sharded(Shards),
}

impl Opened {
    /// Reads what the array at `path` says of itself; `axes` are the letters of its axes where its group knows them.
    pub fn new(path: &str, node: &Node, metadata: &Metadata, axes: Option<String>) -> Result<Self, Refusal> {
        // Metadata may be anything, and the library is large: should it panic, the array is damaged.
        guarded(|| {
            let zarrs = zarrs_array(path, metadata)?;
            let dtype = dtype_of(zarrs.data_type())?;
            let shape = zarrs.shape().to_vec();
            if shape.iter().any(|length| *length > i64::MAX as u64) {
                return Err(Flaw::from(format!("its shape is {shape:?}")).into());
            }
            let origin = vec![0; shape.len()];
            let flaw = |error: zarrs::array::ArrayError| Flaw::from(error);
            let outer = zarrs.chunk_shape(&origin).map_err(flaw)?;
            let outer: Vec<u64> = outer.iter().map(|length| length.get()).collect();
            let codecs = zarrs.codecs();
            let sharding = shards::configuration(&codecs)?;
            let inner = match &sharding {
                Some(sharding) => shards::chunk_shape(sharding),
                None => outer.clone(),
            };
            let axes = axes.or_else(|| names::of_array(&metadata.value, &node.attributes));
            let axes = axes.filter(|axes| axes.len() == shape.len());
            let array = Array { name: path.to_owned(), dtype, shape, chunk: inner, axes };
            let outer_bytes = outer.iter().fold(1u64, |bytes, length| bytes.saturating_mul(*length));
            if array.chunk_bytes().max(outer_bytes) > MOST_BYTES {
                return Err(Flaw::from(format!("its chunks are {outer:?}")).into());
            }
            let (data_type, fill_value) = (zarrs.data_type(), zarrs.fill_value());
            let chunks = match sharding {
                Some(sharding) => Chunks::Sharded(Shards::new(&sharding, &outer, data_type, fill_value)?),
                None => Chunks::Single(single(&codecs, &outer, data_type, fill_value)?),
            };
            let fill = fill_value.as_ne_bytes().to_vec();
            if fill.len() != dtype.size_bytes() {
                return Err(Flaw::from("its fill value is of another type").into());
            }
            let compression = names::codecs(&metadata.value);
            Ok(Opened { array: Arc::new(array), fill, chunks, compression, zarrs })
        })
    }

    /// The object that holds a chunk or a shard, by its place in the grid.
    pub fn object(&self, cell: &[u64]) -> String {
        self.zarrs.chunk_key(cell).as_str().to_owned()
    }
}

/// Runs what works on bytes from outside.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, Refusal>) -> Result<T, Refusal> {
    let panicked = |_| Err(Refusal::Damaged("it cannot be understood".into()));
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(panicked)
}

fn single(
    codecs: &CodecChain,
    chunk: &[u64],
    dtype: &DataType,
    fill: &zarrs::array::FillValue,
) -> Result<Pipeline, Refusal> {
    let chunk: Vec<NonZeroU64> = chunk.iter().filter_map(|length| NonZeroU64::new(*length)).collect();
    Pipeline::new(codecs, &chunk, dtype, fill).map_err(|error| Refusal::Damaged(error.into()))
}

fn zarrs_array(path: &str, metadata: &Metadata) -> Result<ZarrsArray<()>, Refusal> {
    let flaw = |error: serde_json::Error| Refusal::Damaged(error.into());
    check_levels(&metadata.value)?;
    let value = metadata.value.clone();
    let metadata = if metadata.version == 2 {
        let mut metadata: ArrayMetadataV2 = serde_json::from_value(value).map_err(flaw)?;
        if metadata.shape.len() != metadata.chunks.len() {
            return Err(Flaw::from("its chunks have not as many axes as its shape").into());
        }
        if metadata.shape.len() < 2 {
            // The library has no transposition of no axes.
            metadata.order = ArrayMetadataV2Order::C;
        }
        ArrayMetadata::V2(metadata)
    } else {
        let metadata: ArrayMetadataV3 = serde_json::from_value(value).map_err(flaw)?;
        let unsupported = |what: String| Err(Refusal::Unsupported(what));
        if metadata.chunk_grid.name() != "regular" {
            return unsupported(format!("chunks in a `{}` grid", metadata.chunk_grid.name()));
        }
        if let Some(transformer) = metadata.storage_transformers.first() {
            return unsupported(format!("chunks behind the storage transformer `{}`", transformer.name()));
        }
        let mut fields = metadata.additional_fields.iter();
        if let Some((name, _)) = fields.find(|(_, field)| field.must_understand()) {
            return unsupported(format!("an extension `{name}` that must be understood"));
        }
        ArrayMetadata::V3(metadata)
    };
    let path = format!("/{path}");
    ZarrsArray::new_with_metadata(Arc::new(()), &path, metadata).map_err(|error| match error {
        ArrayCreateError::UnsupportedZarrV2Array(reason) => refused(reason),
        error => refused(error),
    })
}

/// The library panics where bzip2 is to have a level that there is not, in whatever chain of codecs.
fn check_levels(metadata: &Value) -> Result<(), Flaw> {
    match metadata {
        Value::Array(parts) => parts.iter().try_for_each(check_levels),
        Value::Object(fields) => {
            let name = fields.get("id").or(fields.get("name")).and_then(Value::as_str).unwrap_or_default();
            let level = fields.get("configuration").unwrap_or(metadata).get("level");
            if name.ends_with("bz2") && level.is_some_and(|level| !matches!(level.as_u64(), Some(1..=9))) {
                return Err("its bzip2 has a level that is none of 1 to 9".into());
            }
            fields.values().try_for_each(check_levels)
        }
        _ => Ok(()),
    }
}

/// What the library does not build: codecs and types that it does not know are not supported, all else is a flaw.
pub(super) fn refused(error: impl Into<Flaw>) -> Refusal {
    let error = error.into();
    let reason = error.to_string();
    if reason.contains("not supported") {
        Refusal::Unsupported(format!("what is not read here ({reason})"))
    } else {
        Refusal::Damaged(error)
    }
}

/// The voxel type of an array's values; booleans are 0 and 1.
fn dtype_of(data_type: &DataType) -> Result<Dtype, Refusal> {
    use zarrs::plugin::ExtensionName;
    let name = data_type.name_v3().unwrap_or_default();
    Ok(match &*name {
        "bool" | "uint8" => Dtype::Uint8,
        "int8" => Dtype::Int8,
        "uint16" => Dtype::Uint16,
        "int16" => Dtype::Int16,
        "uint32" => Dtype::Uint32,
        "int32" => Dtype::Int32,
        "uint64" => Dtype::Uint64,
        "int64" => Dtype::Int64,
        "float32" => Dtype::Float32,
        "float64" => Dtype::Float64,
        "float16" => return Err(Refusal::Unsupported("16-bit floats".to_owned())),
        other => return Err(Refusal::Unsupported(format!("values of type `{other}`"))),
    })
}
