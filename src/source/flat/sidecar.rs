//! Raw voxels, `.raw` or of any other name, which a JSON file beside them describes.
//!
//! `em.raw` is described by `em.raw.json`, or `em.json`: `{"dtype": "uint8", "shape": [z, y, x]}`, and where it is so,
//! `"axes"`, `"byte_order"` and `"offset"`. The shape's axes are stored slowest first. A file that is longer than its sidecar
//! says is refused as well: one of the two is wrong.

use serde_json::{Map, Value};

use super::super::error::Unsupported;
use super::super::location::Located;
use super::samples::Samples;
use super::{Array, FlatArray, FlatFormat, Offset, SourceError, misread};
use crate::config::nearest;
use crate::volume::Dtype;

const LARGEST_SIDECAR: u64 = 64 << 10;

const KEYS: [&str; 5] = ["dtype", "shape", "axes", "byte_order", "offset"];

/// Whether a file of no known format is one of raw voxels: it has a sidecar of its full name, or is called `.raw`.
pub(super) fn is_there(located: &Located) -> Result<bool, SourceError> {
    Ok(located.file_name().ends_with(".raw") || beside(located, &names(located)[0])?.is_some())
}

/// Reads the sidecar.
pub(super) fn describe(located: &Located) -> Result<FlatArray, SourceError> {
    let names = names(located);
    for name in &names {
        if let Some(sidecar) = beside(located, name)? {
            return Sidecar::read(&sidecar)?.describe(located);
        }
    }
    let [name, _] = names;
    Err(SourceError::NotSupported { path: located.path.clone(), what: Unsupported::NoSidecar { name } })
}

/// What a sidecar may be called.
fn names(located: &Located) -> [String; 2] {
    let name = located.file_name();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    [format!("{name}.json"), format!("{stem}.json")]
}

fn beside(located: &Located, name: &str) -> Result<Option<Located>, SourceError> {
    match located.beside(name) {
        Ok(found) => Ok(Some(found)),
        Err(SourceError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

struct Sidecar {
    path: String,
    fields: Map<String, Value>,
}

impl Sidecar {
    fn read(located: &Located) -> Result<Self, SourceError> {
        let path = located.path.clone();
        let bytes = located.bytes(LARGEST_SIDECAR)?;
        let fields = serde_json::from_slice::<Map<String, Value>>(&bytes)
            .map_err(|error| misread(&path, format!("is no JSON object ({error})"), None))?;
        if let Some(key) = fields.keys().find(|key| !KEYS.contains(&key.as_str())) {
            let hint = nearest(key, KEYS).map(|name| format!("did you mean `{name}`?"));
            return Err(misread(&path, format!("has the key `{key}`, which means nothing here"), hint));
        }
        Ok(Sidecar { path, fields })
    }

    fn describe(&self, file: &Located) -> Result<FlatArray, SourceError> {
        let dtype = self.dtype()?;
        let shape = self.shape()?;
        let axes = self.axes(shape.len())?;
        let offset = self.offset()?;
        let item = dtype.size_bytes() as u64;
        let bytes = shape.iter().fold(item, |bytes, length| bytes.saturating_mul(*length)).saturating_add(offset);
        if bytes < file.stamp.bytes {
            let what = format!("describes {bytes} of the {} bytes of `{}`", file.stamp.bytes, file.path);
            let hint = "compare `dtype` and `shape` with the program that wrote the file; `offset` leaves out a header";
            return Err(misread(&self.path, what, Some(hint.to_owned())));
        }
        let array = Array { name: String::new(), dtype, shape, chunk: Vec::new(), axes };
        let samples = Samples::new(dtype, self.is_big_endian()?);
        Ok(FlatArray::new(file, FlatFormat::Raw, array, samples, Offset::Bytes(offset)))
    }

    fn dtype(&self) -> Result<Dtype, SourceError> {
        let name = self.fields.get("dtype").and_then(Value::as_str);
        name.and_then(|name| name.parse().ok()).ok_or_else(|| {
            let names = Dtype::ALL.map(Dtype::name);
            let meant = name.and_then(|name| nearest(name, names)).map(|name| format!("did you mean `{name}`?"));
            self.wrong("dtype", "a voxel type such as `uint8`", meant)
        })
    }

    fn shape(&self) -> Result<Vec<u64>, SourceError> {
        let lengths = self.fields.get("shape").and_then(Value::as_array);
        let lengths: Option<Vec<u64>> = lengths.and_then(|lengths| lengths.iter().map(Value::as_u64).collect());
        lengths
            .filter(|lengths| !lengths.is_empty())
            .ok_or_else(|| self.wrong("shape", "a list of lengths, the axis that is stored slowest first", None))
    }

    fn axes(&self, count: usize) -> Result<Option<String>, SourceError> {
        let Some(axes) = self.fields.get("axes") else { return Ok(None) };
        let is_right = |axes: &str| {
            let is_once = |letter: char| "xyztc".contains(letter) && axes.matches(letter).count() == 1;
            axes.len() == count && axes.chars().all(is_once) && axes.contains('x')
        };
        match axes.as_str() {
            Some(axes) if is_right(axes) => Ok(Some(axes.to_owned())),
            _ => Err(self.wrong("axes", "as many of the letters `t c z y x` as `shape` has lengths", None)),
        }
    }

    fn is_big_endian(&self) -> Result<bool, SourceError> {
        match self.fields.get("byte_order").map(Value::as_str) {
            None | Some(Some("little")) => Ok(false),
            Some(Some("big")) => Ok(true),
            _ => Err(self.wrong("byte_order", "`little` or `big`", None)),
        }
    }

    fn offset(&self) -> Result<u64, SourceError> {
        match self.fields.get("offset").map(Value::as_u64) {
            None => Ok(0),
            Some(Some(offset)) => Ok(offset),
            Some(None) => Err(self.wrong("offset", "a number of bytes", None)),
        }
    }

    /// A value is missing, or not what it must be.
    fn wrong(&self, key: &str, must_be: &str, hint: Option<String>) -> SourceError {
        let what = match self.fields.get(key) {
            None => format!("has no `{key}`, {must_be}"),
            Some(value) => format!("has the {key} {value}, which must be {must_be}"),
        };
        misread(&self.path, what, hint)
    }
}
