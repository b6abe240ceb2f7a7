//! From a slot's `class` to the text of a script.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::ScriptError;
use super::builtin;
use super::library::read_script;
use crate::config::{self, Slot};

/// The script of one slot, read.
pub(super) struct Resolved {
    /// As messages call it.
    pub name: String,
    pub text: Arc<str>,
    pub params: Map<String, Value>,
    /// Whether the job file names a class of the Python client, which ignored parameters that it did not know.
    pub is_old_class: bool,
}

/// Finds the script that `slot` names: a `.lua` file, relative to the job's folder `dir`; a built-in; or the built-in
/// that stands for a class of the Python client.
pub(super) fn resolve(slot: &Slot, dir: &Path) -> Result<Resolved, ScriptError> {
    let mut params = slot.params.clone();
    // The Python client wrote the whole job into the parameters of the files that it posted.
    params.remove("ingest_job");
    if slot.class.ends_with(".lua") {
        return from_file(slot, dir, params);
    }
    if let Some(builtin) = builtin::by_name(&slot.class) {
        return Ok(from_builtin(builtin, params, false));
    }
    let old = builtin::old_class(slot.name, &slot.class).ok_or_else(|| unknown(slot, dir))?;
    for (name, value) in old.presets() {
        params.entry(name).or_insert(value);
    }
    let builtin = builtin::by_name(old.builtin).expect("each old class leads to a built-in");
    Ok(from_builtin(builtin, params, true))
}

fn from_file(slot: &Slot, dir: &Path, params: Map<String, Value>) -> Result<Resolved, ScriptError> {
    let path = dir.join(&slot.class);
    if !path.exists() {
        return Err(unknown(slot, dir));
    }
    let text = read_script(&path).map_err(|source| ScriptError::Unreadable { path, source })?;
    Ok(Resolved { name: slot.class.clone(), text, params, is_old_class: false })
}

fn from_builtin(builtin: &builtin::Builtin, params: Map<String, Value>, is_old_class: bool) -> Resolved {
    Resolved { name: format!("built-in {}", builtin.name), text: builtin.text.into(), params, is_old_class }
}

fn unknown(slot: &Slot, dir: &Path) -> ScriptError {
    let mut names: Vec<String> = builtin::names_for(slot.name).map(str::to_owned).collect();
    let files = fs::read_dir(dir).into_iter().flatten().flatten();
    names.extend(files.filter_map(|file| file.file_name().into_string().ok()).filter(|name| name.ends_with(".lua")));
    let word = slot.class.rsplit(['.', '/']).next().unwrap_or(&slot.class);
    let nearest = config::nearest(&slot.class, names.iter().map(String::as_str))
        .or_else(|| config::nearest(word, names.iter().map(String::as_str)))
        .map(str::to_owned);
    ScriptError::UnknownClass { slot: slot.name, class: slot.class.clone(), nearest }
}
