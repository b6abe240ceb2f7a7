//! Test cases that a script brings along: what it must answer for some tiles.
//!
//! They are a list in the script's table `tests`, or the list that a file beside it returns: `paths_test.lua` for
//! `paths.lua`. A case names a place and what is expected there; see `docs/lua.md`.

use std::path::Path;

use mlua::{LuaSerdeExt, Value as LuaValue};
use serde_json::{Map, Value};

use super::ScriptError;
use super::convert::PLAN_KEYS;
use super::host::Host;
use super::library::read_script;
use super::scripts::Scripts;
use crate::config::nearest;
use crate::volume::Index;

/// One case, or why it is none.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// The file that holds it.
    pub script: String,
    /// Counted from 1 in that file.
    pub number: usize,
    pub name: Option<String>,
    /// What is expected where. An error is a sentence for the case's author.
    pub expected: Result<Expected, String>,
}

/// What a script must answer for one tile or chunk.
#[derive(Clone, Debug, PartialEq)]
pub struct Expected {
    pub at: Index,
    pub answer: Wanted,
}

/// What is wanted of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Wanted {
    /// A plan. Only what is given is compared.
    Plan {
        /// The file that it reads.
        path: Option<String>,
        /// Fields of the plan, by their names in Lua, or the whole plan as text.
        plan: Option<Value>,
        /// MD5 of the task's voxels, little-endian, `[z, y, x]`, in hex.
        checksum: Option<String>,
    },
    /// `nil` and a reason.
    Missing,
    /// An error with this text in it.
    Error(String),
}

pub(super) const KEYS: [&str; 7] = ["name", "at", "path", "plan", "checksum", "missing", "error"];
const AXES: [&str; 4] = ["x", "y", "z", "t"];

impl Scripts {
    /// The cases of both slots' scripts, in the order path slot, other slot; for a script beside the job file its own
    /// `tests` and then those of the file beside it. A script that serves both slots is looked at once.
    ///
    /// # Errors
    /// When a file with cases cannot be read or run, or what holds them is no list. Faults in a case are in the case.
    pub fn cases(&self, host: &Host) -> Result<Vec<Case>, ScriptError> {
        let mut cases = Vec::new();
        let mut seen = Vec::new();
        for (script, class, tests) in host.tests(self.classes())? {
            if seen.contains(&script) {
                continue;
            }
            cases.extend(read_list(host, &script, &tests)?);
            if let Some((name, path)) = beside(class, self.dir()) {
                let text = read_script(&path).map_err(|source| ScriptError::Unreadable { path, source })?;
                let (name, tests) = host.run_beside(&name, text)?;
                cases.extend(read_list(host, &name, &tests)?);
            }
            seen.push(script);
        }
        Ok(cases)
    }
}

/// The file with cases that belongs to the script `class`, if there is one.
fn beside(class: &str, dir: &Path) -> Option<(String, std::path::PathBuf)> {
    let name = format!("{}_test.lua", class.strip_suffix(".lua")?);
    let path = dir.join(&name);
    path.is_file().then_some((name, path))
}

fn read_list(host: &Host, script: &str, tests: &LuaValue) -> Result<Vec<Case>, ScriptError> {
    let list = match tests {
        LuaValue::Nil => return Ok(Vec::new()),
        LuaValue::Table(list) => list,
        other => return Err(host.no_list(script, other.type_name())),
    };
    let read = |(number, case): (usize, LuaValue)| {
        let value = host.lua().from_value::<Value>(case).map_err(|error| format!("it holds what no case can: {error}"));
        let fields = value.and_then(|value| match value {
            Value::Object(fields) => Ok(fields),
            Value::Array(list) if list.is_empty() => Ok(Map::new()),
            other => Err(format!("a case is a table such as `{{ at = {{ z = 0 }}, path = … }}`, not {other}")),
        });
        let name = fields.as_ref().ok().and_then(|fields| Some(fields.get("name")?.as_str()?.to_owned()));
        Case { script: script.to_owned(), number, name, expected: fields.and_then(|fields| expected(&fields)) }
    };
    let values = (1..=list.raw_len()).map(|number| (number, list.raw_get(number).unwrap_or(LuaValue::Nil)));
    Ok(values.map(read).collect())
}

fn expected(fields: &Map<String, Value>) -> Result<Expected, String> {
    known_keys("a case", fields, &KEYS)?;
    if let Some(name) = fields.get("name") {
        string("name", name)?;
    }
    let at = index(fields.get("at").ok_or("a case says where, such as `at = { x = 0, y = 0, z = 7 }`")?)?;
    let text = |key: &str| fields.get(key).map(|value| string(key, value)).transpose();
    let plan = fields.get("plan").map(plan).transpose()?;
    let (path, checksum, error) = (text("path")?, text("checksum")?, text("error")?);
    let wants_plan = path.is_some() || plan.is_some() || checksum.is_some();
    let is_missing = match fields.get("missing") {
        None => false,
        Some(Value::Bool(true)) => true,
        Some(other) => return Err(format!("`missing` is {other}; it must be true, or left out")),
    };
    let answer = match (error, is_missing, wants_plan) {
        (Some(text), false, false) => Wanted::Error(text),
        (None, true, false) => Wanted::Missing,
        (None, false, true) => Wanted::Plan { path, plan, checksum },
        (None, false, false) => {
            return Err("it expects nothing; give `path`, `plan`, `checksum`, `missing` or `error`".to_owned());
        }
        _ => return Err("`missing` and `error` each stand alone: there is no plan then".to_owned()),
    };
    Ok(Expected { at, answer })
}

fn index(value: &Value) -> Result<Index, String> {
    let wrong = || format!("`at` is {value}; it must be a table such as `{{ x = 0, y = 0, z = 7 }}`");
    let fields = value.as_object().ok_or_else(wrong)?;
    known_keys("`at`", fields, &AXES)?;
    let axis = |name: &str| match fields.get(name) {
        None => Ok(0),
        Some(value) => value.as_i64().ok_or_else(|| format!("`at.{name}` is {value}; it must be an integer")),
    };
    Ok(Index::new(axis("x")?, axis("y")?, axis("z")?, axis("t")?))
}

/// The fields of a plan as somebody expects them: of a read, or `z` and `sections` of a stack. A text is the whole plan.
fn plan(value: &Value) -> Result<Value, String> {
    if value.is_string() {
        return Ok(value.clone());
    }
    let fields =
        value.as_object().ok_or_else(|| format!("`plan` is {value}; it must be a table of a plan's fields"))?;
    if fields.contains_key("fields") {
        return Err(
            "`plan` is a plan object; write its fields as a table, or the text that `tostring` makes of it".into()
        );
    }
    let keys = [&PLAN_KEYS[..], &["steps", "z", "sections"]].concat();
    known_keys("a plan", fields, &keys)?;
    for section in fields.get("sections").and_then(Value::as_array).into_iter().flatten() {
        let section = section.as_object().ok_or("each of `sections` is a table of a plan's fields")?;
        known_keys("a plan", section, &[&PLAN_KEYS[..], &["steps"]].concat())?;
    }
    Ok(value.clone())
}

fn known_keys(what: &str, fields: &Map<String, Value>, known: &[&str]) -> Result<(), String> {
    let Some(stranger) = fields.keys().find(|key| !known.contains(&key.as_str())) else { return Ok(()) };
    let advice = match nearest(stranger, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are {}", known.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")),
    };
    Err(format!("{what} has no key `{stranger}`; {advice}"))
}

fn string(key: &str, value: &Value) -> Result<String, String> {
    value.as_str().map(str::to_owned).ok_or_else(|| format!("`{key}` is {value}; it must be a string"))
}
