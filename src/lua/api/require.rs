//! `require`: modules beside the job file.

use std::sync::Arc;

use mlua::chunk::ChunkMode;
use mlua::{Lua, Table, Value};

use super::super::library::Library;
use super::super::sandbox::Watch;

/// The function `require`. A module runs once per state; what it returns is kept.
pub(super) fn register(lua: &Lua, library: Arc<Library>, watch: Arc<Watch>) -> mlua::Result<mlua::Function> {
    let loaded = lua.create_table()?;
    lua.create_function(move |lua, name: String| watch.nested(|| require(lua, &library, &loaded, &name)))
}

fn require(lua: &Lua, library: &Library, loaded: &Table, name: &str) -> mlua::Result<Value> {
    match loaded.raw_get::<Value>(name)? {
        Value::Nil => {}
        Value::Boolean(false) => {
            return Err(mlua::Error::runtime(format!("the module `{name}` needs itself, through `require`")));
        }
        value => return Ok(value),
    }
    let (chunk, text) = library.module(name).map_err(mlua::Error::runtime)?;
    loaded.raw_set(name, false)?;
    let result = lua.load(&*text).set_name(format!("={chunk}")).set_mode(ChunkMode::Text).eval::<Value>();
    let value = match &result {
        Ok(Value::Nil | Value::Boolean(false)) => Value::Boolean(true),
        Ok(value) => value.clone(),
        Err(_) => Value::Nil,
    };
    loaded.raw_set(name, &value)?;
    result.map(|_| value)
}
