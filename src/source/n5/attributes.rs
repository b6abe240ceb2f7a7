//! What a group's or dataset's `attributes.json` says.

use serde_json::{Map, Value};

use super::{Flaw, Refusal};
use crate::source::array::Array;
use crate::source::unpack;

/// A dataset.
pub(super) struct Dataset {
    pub array: Array,
    pub packing: Packing,
}

/// What blocks are packed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Raw,
    Gzip,
    Zlib,
    Bzip2,
    Blosc,
    Zstd,
}

/// Whether the attributes are those of a dataset.
pub(super) fn is_dataset(attributes: &Map<String, Value>) -> bool {
    ["dimensions", "blockSize", "dataType"].iter().all(|key| attributes.contains_key(*key))
}

impl Dataset {
    /// The dataset at `path`, which has these attributes.
    pub fn new(path: &str, attributes: &Map<String, Value>) -> Result<Self, Refusal> {
        if attributes.get("isLabelMultiset") == Some(&Value::Bool(true)) {
            return Err(Refusal::Unsupported("label multisets".to_owned()));
        }
        let (shape, chunk) = (lengths(attributes, "dimensions")?, lengths(attributes, "blockSize")?);
        if chunk.len() != shape.len() || chunk.contains(&0) {
            return Err(format!("its blocks are {chunk:?} of {shape:?}").into());
        }
        let name = attributes.get("dataType").and_then(Value::as_str).unwrap_or_default();
        let dtype = name.parse().map_err(|_| Refusal::Unsupported(format!("values of type `{name}`")))?;
        let (name, axes) = (path.to_owned(), None);
        Ok(Dataset { array: Array { name, dtype, shape, chunk, axes }, packing: Packing::of(attributes)? })
    }
}

/// The lengths of the axes, slowest first, which N5 writes last.
fn lengths(attributes: &Map<String, Value>, key: &str) -> Result<Vec<u64>, Flaw> {
    let length = |value: &Value| value.as_u64().filter(|length| *length <= i64::MAX as u64);
    let lengths = attributes.get(key).and_then(Value::as_array).into_iter().flatten();
    let lengths: Option<Vec<u64>> = lengths.rev().map(length).collect();
    let lengths = lengths.filter(|lengths| !lengths.is_empty());
    lengths.ok_or_else(|| format!("its `{key}` are no lengths").into())
}

impl Packing {
    pub fn name(self) -> &'static str {
        match self {
            Packing::Raw => "raw",
            Packing::Gzip => "gzip",
            Packing::Zlib => "zlib",
            Packing::Bzip2 => "bzip2",
            Packing::Blosc => "blosc",
            Packing::Zstd => "zstd",
        }
    }

    fn of(attributes: &Map<String, Value>) -> Result<Self, Refusal> {
        let compression = attributes.get("compression");
        // Before version 2 it was a word.
        let name = compression.and_then(|compression| compression.get("type")).or(attributes.get("compressionType"));
        let name = name.and_then(Value::as_str).ok_or("it does not tell how blocks are packed")?;
        let is_zlib = compression.and_then(|compression| compression.get("useZlib")) == Some(&Value::Bool(true));
        Ok(match name {
            "raw" => Packing::Raw,
            "gzip" if is_zlib => Packing::Zlib,
            "gzip" => Packing::Gzip,
            "bzip2" => Packing::Bzip2,
            "blosc" => Packing::Blosc,
            "zstd" => Packing::Zstd,
            other => return Err(Refusal::Unsupported(format!("blocks packed with `{other}`"))),
        })
    }

    /// At most `most_bytes` of what the data unpacks to.
    pub fn unpack(self, bytes: &[u8], most_bytes: u64) -> Result<Vec<u8>, Flaw> {
        match self {
            Packing::Raw => Ok(bytes.to_vec()),
            Packing::Gzip => unpack::gzip(bytes, most_bytes),
            Packing::Zlib => unpack::zlib(bytes, most_bytes),
            Packing::Bzip2 => unpack::bzip2(bytes, most_bytes),
            Packing::Blosc => unpack::blosc(bytes, most_bytes),
            Packing::Zstd => unpack::zstd(bytes, most_bytes),
        }
    }
}

/// The voxel type, for the tests of blocks.
#[cfg(test)]
pub(super) fn dataset(dtype: crate::volume::Dtype, chunk: &[u64], packing: Packing) -> Dataset {
    let array = Array { name: "a".to_owned(), dtype, shape: vec![100; chunk.len()], chunk: chunk.to_vec(), axes: None };
    Dataset { array, packing }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::volume::Dtype;

    #[test]
    fn attributes_are_read_with_the_slowest_axis_first() {
        let attributes = json!({"dimensions": [23, 19, 11], "blockSize": [16, 8, 4], "dataType": "uint16",
            "compression": {"type": "gzip", "useZlib": true}});
        let Ok(dataset) = Dataset::new("a", attributes.as_object().unwrap()) else { panic!("it is sound") };
        assert_eq!((dataset.array.shape, dataset.array.chunk), (vec![11, 19, 23], vec![4, 8, 16]));
        assert_eq!((dataset.array.dtype, dataset.packing), (Dtype::Uint16, Packing::Zlib));
    }

    #[test]
    fn wrong_attributes_are_refused() {
        let sound =
            json!({"dimensions": [23, 19], "blockSize": [16, 8], "dataType": "uint8", "compressionType": "raw"});
        assert!(Dataset::new("a", sound.as_object().unwrap()).is_ok());
        for (key, value) in [
            ("dimensions", json!([23, -19])),
            ("dimensions", json!([23, u64::MAX])),
            ("dimensions", json!(["23", 19])),
            ("dimensions", json!([])),
            ("blockSize", json!([16, 0])),
            ("blockSize", json!([16, 8, 4])),
            ("dataType", json!("string")),
            ("isLabelMultiset", json!(true)),
            ("compressionType", json!("xz")),
            ("compressionType", json!(null)),
        ] {
            let mut wrong = sound.clone();
            wrong[key] = value;
            assert!(Dataset::new("a", wrong.as_object().unwrap()).is_err(), "{wrong}");
        }
    }
}
