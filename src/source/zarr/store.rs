//! The metadata of a hierarchy: what its groups and arrays say of themselves.

use serde_json::{Map, Value};

use super::{FORMAT, Flaw, damaged, names};
use crate::source::SourceError;
use crate::source::fetch::{Fetch, Object};
use crate::source::hierarchy::{self, Folder, join};
use crate::source::location::Located;

/// The most that a document of metadata may be long; consolidated ones hold those of all arrays.
const MOST_BYTES: u64 = 64 << 20;

/// Groups and arrays of one volume, by their path from the group that the plan's path names, which is the empty path.
pub(super) struct Store {
    path: String,
    pub fetch: Box<dyn Fetch>,
}

/// A group or an array.
pub(super) struct Node {
    pub attributes: Map<String, Value>,
    /// `None` for a group.
    pub array: Option<Metadata>,
}

/// What an array says of itself.
pub(super) struct Metadata {
    /// The file that says it.
    pub file: String,
    pub value: Value,
    /// 2 or 3.
    pub version: u8,
}

impl Store {
    pub fn new(located: &Located) -> Self {
        Store { path: located.path.clone(), fetch: located.folder() }
    }

    /// The group or array at `path`; `None` where there is none.
    pub fn node(&self, path: &str) -> Result<Option<Node>, SourceError> {
        let file = join(path, "zarr.json");
        if let Some(value) = self.document(&file)? {
            let attributes = object(value.get("attributes"));
            let is_array = match value.get("node_type").and_then(Value::as_str) {
                Some("array") => true,
                Some("group") => false,
                _ => return Err(damaged(&self.path, &file, "it is neither that of an array nor of a group".into())),
            };
            let array = is_array.then_some(Metadata { file, value, version: 3 });
            return Ok(Some(Node { attributes, array }));
        }
        let file = join(path, ".zarray");
        let array = self.document(&file)?.map(|value| Metadata { file, value, version: 2 });
        let is_node = array.is_some() || self.document(&join(path, ".zgroup"))?.is_some();
        // Attributes with a bare `NaN`, as xarray writes, are no JSON, and cannot name axes.
        let attributes = self.bytes(&join(path, ".zattrs"))?;
        let is_node = is_node || attributes.is_some();
        let attributes = attributes.and_then(|text| serde_json::from_slice::<Value>(&text).ok());
        Ok(is_node.then(|| Node { attributes: object(attributes.as_ref()), array }))
    }

    /// The images inside the group `under`: arrays, and groups that are one image in several levels of detail. Where the store
    /// lists no folders, those that consolidated metadata names; `None` where there is none either.
    pub fn images(&self, under: &str) -> Result<Option<Vec<String>>, SourceError> {
        let listed = hierarchy::images((&self.path, &*self.fetch), under, |path| {
            let node = self.node(path)?;
            let is_image = node.is_some_and(|node| node.array.is_some() || names::is_multiscale(&node.attributes));
            Ok(if is_image { Folder::Image } else { Folder::Other })
        })?;
        match listed {
            Some(images) => Ok(Some(images)),
            None => self.consolidated(under),
        }
    }

    /// The arrays that consolidated metadata names.
    fn consolidated(&self, under: &str) -> Result<Option<Vec<String>>, SourceError> {
        let of_version_3 = self.document(&join(under, "zarr.json"))?;
        let mut arrays: Vec<String> = if let Some(root) = of_version_3 {
            let Some(nodes) = root.pointer("/consolidated_metadata/metadata").and_then(Value::as_object) else {
                return Ok(None);
            };
            let is_array = |node: &Value| node.get("node_type").and_then(Value::as_str) == Some("array");
            nodes.iter().filter(|(_, node)| is_array(node)).map(|(path, _)| join(under, path)).collect()
        } else {
            let Some(text) = self.bytes(&join(under, ".zmetadata"))? else { return Ok(None) };
            let Ok(root) = serde_json::from_slice::<Value>(&text) else { return Ok(None) };
            let Some(files) = root.get("metadata").and_then(Value::as_object) else { return Ok(None) };
            files.keys().filter_map(|file| file.strip_suffix("/.zarray")).map(|path| join(under, path)).collect()
        };
        arrays.sort();
        Ok(Some(arrays))
    }

    fn document(&self, file: &str) -> Result<Option<Value>, SourceError> {
        let Some(text) = self.bytes(file)? else { return Ok(None) };
        serde_json::from_slice(&text).map(Some).map_err(|error| damaged(&self.path, file, error.into()))
    }

    fn bytes(&self, file: &str) -> Result<Option<Vec<u8>>, SourceError> {
        match self.object(file, None, MOST_BYTES)? {
            Some(object) => unpacked(object, MOST_BYTES).map(Some).map_err(|flaw| damaged(&self.path, file, flaw)),
            None => Ok(None),
        }
    }

    /// The bytes of an object, or of a range of them.
    pub fn object(
        &self,
        file: &str,
        range: Option<std::ops::Range<u64>>,
        most_bytes: u64,
    ) -> Result<Option<Object>, SourceError> {
        self.fetch.get(file, range, most_bytes).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => damaged(&self.path, file, error.into()),
            std::io::ErrorKind::FileTooLarge => {
                let flaw = format!("it has more than {most_bytes} bytes, which no {FORMAT} object of this kind has");
                damaged(&self.path, file, flaw.into())
            }
            std::io::ErrorKind::IsADirectory => damaged(&self.path, file, "it is a folder".into()),
            _ => SourceError::io(&self.path, error),
        })
    }
}

/// An object's bytes, without what its store packed it with.
pub(super) fn unpacked(object: Object, most_bytes: u64) -> Result<Vec<u8>, Flaw> {
    match object.packing {
        Some(packing) => Ok(packing.unpack(&object.bytes, most_bytes)?),
        None => Ok(object.bytes),
    }
}

fn object(value: Option<&Value>) -> Map<String, Value> {
    value.and_then(Value::as_object).cloned().unwrap_or_default()
}
