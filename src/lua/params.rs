//! Parameters that a script declares, so that slips in the job file are found before the first tile.
//!
//! A script may declare them as a table `params`, where each value is a type, with `?` when it may be absent, or a table
//! with a default: `{ root_dir = "string", page = "integer?", extension = { type = "string", default = "tif" } }`. The
//! values then take the place of the declaration. A script that declares none takes any.

use mlua::{Lua, LuaSerdeExt, Table, Value as LuaValue};
use serde_json::{Map, Value};

use crate::config::nearest;

const TYPES: [&str; 6] = ["any", "boolean", "integer", "number", "string", "table"];

/// What a script says of one parameter.
#[derive(Debug)]
struct Declared {
    name: String,
    kind: String,
    is_optional: bool,
    default: Option<Value>,
    /// The strings that it may be; any when empty.
    one_of: Vec<String>,
}

/// What [`check`] finds.
pub(super) struct Checked {
    /// With defaults filled in.
    pub params: Map<String, Value>,
    /// Why they cannot be used.
    pub faults: Vec<String>,
    /// Parameters that the script does not know.
    pub unknown: Vec<String>,
}

/// Holds the parameters of a slot against the script's declaration.
pub(super) fn check(lua: &Lua, declaration: &Table, mut params: Map<String, Value>) -> mlua::Result<Checked> {
    let declared = read_declaration(lua, declaration)?;
    let mut faults = Vec::new();
    for one in &declared {
        match (params.get(&one.name), &one.default) {
            (Some(value), _) => faults.extend(one.fault_of(value)),
            (None, Some(default)) => _ = params.insert(one.name.clone(), default.clone()),
            (None, None) if one.is_optional => {}
            (None, None) => faults.push(format!("`{}` is missing; it is a {}", one.name, one.kind)),
        }
    }
    let names = || declared.iter().map(|one| one.name.as_str());
    let strangers = params.keys().filter(|key| !names().any(|name| name == *key));
    let unknown = strangers.map(|key| match nearest(key, names()) {
        Some(near) => format!("`{key}` is not known; did you mean `{near}`?"),
        None => format!("`{key}` is not known; there are {}", list(names())),
    });
    let unknown = unknown.collect();
    Ok(Checked { params, faults, unknown })
}

impl Declared {
    fn fault_of(&self, value: &Value) -> Option<String> {
        let name = &self.name;
        if !is_of(value, &self.kind) {
            return Some(format!("`{name}` is {value}; it must be a {}", self.kind));
        }
        let is_listed = |text: &str| self.one_of.is_empty() || self.one_of.iter().any(|one| one == text);
        value.as_str().filter(|text| !is_listed(text)).map(|text| {
            format!("`{name}` is `{text}`; it must be one of {}", list(self.one_of.iter().map(String::as_str)))
        })
    }
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "table" => value.is_object() || value.is_array(),
        _ => true,
    }
}

fn read_declaration(lua: &Lua, declaration: &Table) -> mlua::Result<Vec<Declared>> {
    let mut declared = Vec::new();
    for pair in declaration.pairs::<String, LuaValue>() {
        let (name, value) = pair?;
        declared.push(declare(lua, name, value)?);
    }
    declared.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(declared)
}

fn declare(lua: &Lua, name: String, value: LuaValue) -> mlua::Result<Declared> {
    let mut one = Declared { name, kind: String::new(), is_optional: false, default: None, one_of: Vec::new() };
    let kind = match value {
        LuaValue::String(text) => text.to_string_lossy(),
        LuaValue::Table(table) => {
            one.default = table.get::<Option<LuaValue>>("default")?.map(|value| lua.from_value(value)).transpose()?;
            one.one_of = table.get::<Option<_>>("one_of")?.unwrap_or_default();
            table.get("type")?
        }
        _ => String::new(),
    };
    one.is_optional = kind.ends_with('?');
    one.kind = kind.trim_end_matches('?').to_owned();
    if !TYPES.contains(&one.kind.as_str()) {
        let message = format!("`params.{}` declares the type `{kind}`; there are {}", one.name, list(TYPES));
        return Err(mlua::Error::runtime(message));
    }
    Ok(one)
}

fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn checked(declaration: &str, params: Value) -> Checked {
        let lua = Lua::new();
        let declaration = lua.load(format!("return {declaration}")).eval().unwrap();
        let Value::Object(params) = params else { panic!("params are an object") };
        check(&lua, &declaration, params).unwrap()
    }

    #[test]
    fn defaults_are_filled_in() {
        let found = checked(
            "{ root = 'string', page = 'integer?', ext = { type = 'string', default = 'tif' } }",
            json!({"root": "d"}),
        );
        assert_eq!(Value::from(found.params), json!({"root": "d", "ext": "tif"}));
        assert!(found.faults.is_empty() && found.unknown.is_empty());
    }

    #[test]
    fn every_fault_is_told() {
        let declaration =
            "{ root_dir = 'string', page = 'integer?', out = { type = 'string?', one_of = { 'png', 'tiff' } } }";
        let found = checked(declaration, json!({"rootdir": "d", "page": 1.5, "out": "bmp"}));
        assert_eq!(
            found.faults,
            [
                "`out` is `bmp`; it must be one of `png`, `tiff`",
                "`page` is 1.5; it must be a integer",
                "`root_dir` is missing; it is a string"
            ]
        );
        assert_eq!(found.unknown, ["`rootdir` is not known; did you mean `root_dir`?"]);
    }
}
