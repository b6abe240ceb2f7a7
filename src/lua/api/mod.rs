//! What scripts may call, besides Lua's own libraries: the tables `boss`, `path`, `template` and `log`, and `require`.
//!
//! The functions of `boss` that only rearrange tables are in `prelude.lua`. `scripts/types/boss.lua` describes them all
//! for editors; a test holds it to what is registered here.

mod glob;
mod lookups;
mod paths;
mod require;
mod template;

use std::sync::Arc;

use mlua::{Lua, Table, Value, Variadic};

use super::library::Library;
use super::lookup::Lookup;
use super::sandbox::Watch;

/// The tables that scripts find as globals; `boss` still lacks what `prelude.lua` adds.
pub(super) fn register(
    lua: &Lua,
    library: Arc<Library>,
    lookup: Arc<dyn Lookup>,
    watch: Arc<Watch>,
) -> mlua::Result<Table> {
    let boss = lookups::register(lua, lookup, watch)?;
    let globals = lua.globals();
    globals.raw_set("boss", &boss)?;
    globals.raw_set("path", paths::register(lua)?)?;
    globals.raw_set("template", template::register(lua)?)?;
    globals.raw_set("log", log(lua)?)?;
    globals.raw_set("print", lua.create_function(info)?)?;
    globals.raw_set("require", require::register(lua, library)?)?;
    Ok(boss)
}

fn log(lua: &Lua) -> mlua::Result<Table> {
    let log = lua.create_table()?;
    log.raw_set("info", lua.create_function(info)?)?;
    log.raw_set(
        "warn",
        lua.create_function(|_, values: Variadic<Value>| {
            tracing::warn!(target: "script", "{}", line(&values)?);
            Ok(())
        })?,
    )?;
    Ok(log)
}

fn info(_: &Lua, values: Variadic<Value>) -> mlua::Result<()> {
    tracing::info!(target: "script", "{}", line(&values)?);
    Ok(())
}

/// The values as Lua's `print` shows them.
fn line(values: &[Value]) -> mlua::Result<String> {
    let texts: mlua::Result<Vec<String>> = values.iter().map(Value::to_string).collect();
    Ok(texts?.join("\t"))
}
