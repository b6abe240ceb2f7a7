//! What the axes of an array are called, and which arrays are the levels of one image.
//!
//! OME-Zarr: <https://ngff.openmicroscopy.org/0.5/>, and 0.4 and earlier, which differ in where `multiscales` stands and whether
//! axes have names.

use serde_json::{Map, Value};

use super::Flaw;

/// An image in several levels of detail.
#[derive(Debug, PartialEq)]
pub(super) struct Multiscale {
    /// Paths of the arrays, seen from the group; the finest first.
    pub levels: Vec<String>,
    /// Letters `t c z y x`, slowest axis first; `None` where an axis is called otherwise.
    pub axes: Option<String>,
}

/// Whether a group is an image in several levels of detail.
pub(super) fn is_multiscale(attributes: &Map<String, Value>) -> bool {
    first_multiscale(attributes).is_some()
}

/// The image that a group's attributes describe, the first of several.
///
/// # Errors
/// One without levels.
pub(super) fn multiscale(attributes: &Map<String, Value>) -> Result<Option<Multiscale>, Flaw> {
    let Some(multiscale) = first_multiscale(attributes) else { return Ok(None) };
    let levels = multiscale.get("datasets").and_then(Value::as_array).into_iter().flatten();
    let levels: Option<Vec<String>> =
        levels.map(|level| level.get("path").and_then(Value::as_str).map(str::to_owned)).collect();
    match levels {
        Some(levels) if !levels.is_empty() => {
            let axes = multiscale.get("axes").and_then(Value::as_array);
            Ok(Some(Multiscale { levels, axes: axes.and_then(|axes| letters(axes)) }))
        }
        _ => Err("its `multiscales` name no arrays".into()),
    }
}

fn first_multiscale(attributes: &Map<String, Value>) -> Option<&Value> {
    let in_ome = || attributes.get("ome").and_then(|ome| ome.get("multiscales"));
    attributes.get("multiscales").or_else(in_ome)?.get(0)
}

/// The letters of axes that are called t, c, z, y and x, each at most once; of OME-Zarr they are objects with a `name`.
pub(super) fn letters(axes: &[Value]) -> Option<String> {
    let letter = |axis: &Value| {
        let name = axis.get("name").unwrap_or(axis).as_str()?.to_ascii_lowercase();
        ["t", "c", "z", "y", "x"].contains(&name.as_str()).then_some(name)
    };
    let letters: String = axes.iter().map(letter).collect::<Option<_>>()?;
    let is_once = |letter: char| letters.matches(letter).count() == 1;
    (!letters.is_empty() && letters.chars().all(is_once)).then_some(letters)
}

/// What an array's chunks are packed with, such as `blosc`, or the codecs of Zarr 3, those inside of shards behind them.
pub(super) fn codecs(metadata: &Value) -> Option<String> {
    let name = |codec: &Value| codec.get("name").or(codec.get("id")).unwrap_or(codec).as_str().map(str::to_owned);
    let Some(codecs) = metadata.get("codecs").and_then(Value::as_array) else {
        return metadata.get("compressor").and_then(name);
    };
    let inner = codecs.iter().find_map(|codec| codec.get("configuration")?.get("codecs")?.as_array());
    let names = codecs.iter().chain(inner.into_iter().flatten()).filter_map(name);
    let names: Vec<String> = names.filter(|name| name != "bytes").collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// The letters of an array's axes by its own metadata: `dimension_names` of version 3, xarray's `_ARRAY_DIMENSIONS` of 2.
pub(super) fn of_array(metadata: &Value, attributes: &Map<String, Value>) -> Option<String> {
    let names = metadata.get("dimension_names").or_else(|| attributes.get("_ARRAY_DIMENSIONS"));
    letters(names?.as_array()?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_of_one_letter_are_axes() {
        for (names, expected) in [
            (json!(["z", "y", "x"]), Some("zyx")),
            (json!(["X", "Y"]), Some("xy")),
            (json!([{"name": "c", "type": "channel"}, {"name": "y"}, {"name": "x"}]), Some("cyx")),
            (json!(["time", "y", "x"]), None),
            (json!(["y", "y", "x"]), None),
            (json!([null, "x"]), None),
            (json!([]), None),
        ] {
            assert_eq!(letters(names.as_array().unwrap()).as_deref(), expected, "{names}");
        }
    }

    #[test]
    fn every_version_of_multiscales_is_understood() {
        let datasets = json!([{"path": "0"}, {"path": "1"}]);
        let axes = json!([{"name": "z"}, {"name": "y"}, {"name": "x"}]);
        for (attributes, expected) in [
            (json!({"multiscales": [{"datasets": datasets}]}), None),
            (json!({"multiscales": [{"datasets": datasets, "axes": ["z", "y", "x"]}]}), Some("zyx")),
            (json!({"multiscales": [{"datasets": datasets, "axes": axes}]}), Some("zyx")),
            (json!({"ome": {"multiscales": [{"datasets": datasets, "axes": axes}]}}), Some("zyx")),
        ] {
            let found = multiscale(attributes.as_object().unwrap()).unwrap().unwrap();
            assert_eq!(found, Multiscale { levels: vec!["0".into(), "1".into()], axes: expected.map(str::to_owned) });
        }
        for attributes in [json!({}), json!({"multiscales": []}), json!({"multiscales": 5}), json!({"ome": []})] {
            assert_eq!(multiscale(attributes.as_object().unwrap()).unwrap(), None);
        }
        for attributes in [json!({"multiscales": [{}]}), json!({"multiscales": [{"datasets": [{"path": 1}]}]})] {
            assert!(multiscale(attributes.as_object().unwrap()).is_err());
        }
    }
}
