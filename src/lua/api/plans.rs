//! What `prelude.lua` asks of Rust for plans as objects: checks at the line that makes a plan, and plans as text.

use mlua::{Lua, Table, Value};

use super::super::convert;
use super::super::fault::Mistake;
use crate::config::nearest;
use crate::volume::Span;

/// The functions for the prelude alone.
pub(super) fn register(lua: &Lua) -> mlua::Result<Table> {
    let rust = lua.create_table()?;
    rust.raw_set("check_field", lua.create_function(check_field)?)?;
    rust.raw_set("show_plan", lua.create_function(show_plan)?)?;
    rust.raw_set("no_method", lua.create_function(no_method)?)?;
    Ok(rust)
}

fn check_field(_: &Lua, (key, value): (String, Value)) -> mlua::Result<()> {
    match convert::check_field(&key, &value) {
        None => Ok(()),
        Some(mistake) => {
            // Methods with another name than their field.
            let method =
                [("path", "open"), ("region", "crop"), ("fill", "pad")].into_iter().find(|(field, _)| *field == key);
            Err(mistake.in_call(Some(method.map_or(key, |(_, method)| method.to_owned()))))
        }
    }
}

fn show_plan(_: &Lua, plan: Table) -> mlua::Result<String> {
    let mut draft = convert::draft(&plan, Span::one(0)).map_err(|mistake| mistake.in_call(None))?;
    let path = draft.path.take().unwrap_or_default();
    Ok(draft.with_path(path).to_string())
}

fn no_method(_: &Lua, key: Value) -> mlua::Result<()> {
    let key = key.to_string()?;
    let near = nearest(&key, METHODS).map(|near| format!("did you mean `{near}`?"));
    let hint = near.unwrap_or_else(|| format!("it has {}", METHODS.join(", ")));
    Err(Mistake::with_hint(format!("a plan has no method `{key}`"), hint).in_call(Some(key)))
}

/// The methods of plans, as the prelude defines them; a test compares.
pub(in crate::lua) const METHODS: [&str; 19] = [
    "axes", "cast", "channel", "crop", "dataset", "encode", "flip", "format", "gray", "level", "lut", "missing", "pad",
    "page", "paste", "range", "rotate", "scale", "select",
];
