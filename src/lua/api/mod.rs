//! What scripts may call, besides Lua's own libraries: the tables `boss`, `path`, `template` and `log`, and `require`.
//!
//! The functions of `boss` that only rearrange tables are in `prelude.lua`. `scripts/types/boss.lua` describes them all
//! for editors; a test holds it to what is registered here.

mod glob;
mod lookups;
mod paths;
pub(super) mod plans;
mod require;
mod template;

use std::sync::Arc;

use mlua::serde::SerializeOptions;
use mlua::{Lua, Table, Value, Variadic};

use super::library::Library;
use super::lookup::Lookup;
use super::sandbox::Watch;

/// How JSON becomes Lua: plain tables, and `nil` for null.
pub(super) fn lua_options() -> SerializeOptions {
    SerializeOptions::new().set_array_metatable(false).serialize_none_to_null(false).serialize_unit_to_null(false)
}

/// What [`register`] made, for the prelude.
pub(super) struct Registered {
    /// The table `boss`, which still lacks what `prelude.lua` adds.
    pub boss: Table,
    /// Functions for the prelude alone.
    pub rust: Table,
}

/// The tables that scripts find as globals; `boss` still lacks what `prelude.lua` adds.
pub(super) fn register(
    lua: &Lua,
    library: Arc<Library>,
    lookup: Arc<dyn Lookup>,
    watch: Arc<Watch>,
) -> mlua::Result<Registered> {
    let boss = lookups::register(lua, lookup, watch.clone())?;
    let globals = lua.globals();
    globals.raw_set("boss", &boss)?;
    globals.raw_set("path", paths::register(lua)?)?;
    globals.raw_set("template", template::register(lua)?)?;
    let log = log(lua, &watch)?;
    globals.raw_set("print", log.raw_get::<Value>("info")?)?;
    globals.raw_set("log", log)?;
    globals.raw_set("require", require::register(lua, library, watch)?)?;
    Ok(Registered { boss, rust: plans::register(lua)? })
}

fn log(lua: &Lua, watch: &Arc<Watch>) -> mlua::Result<Table> {
    let log = lua.create_table()?;
    let clock = watch.clone();
    let info = move |_: &Lua, values: Variadic<Value>| {
        tracing::info!(target: "script", "{}", clock.nested(|| line(&values))?);
        Ok(())
    };
    log.raw_set("info", lua.create_function(info)?)?;
    let clock = watch.clone();
    let warn = move |_: &Lua, values: Variadic<Value>| {
        tracing::warn!(target: "script", "{}", clock.nested(|| line(&values))?);
        Ok(())
    };
    log.raw_set("warn", lua.create_function(warn)?)?;
    Ok(log)
}

/// The longest line in the log, in bytes.
const LONGEST_LINE: usize = 1 << 13;

/// The values as Lua's `print` shows them. What is too long for a line is left out.
fn line(values: &[Value]) -> mlua::Result<String> {
    let mut line = String::new();
    for value in values {
        if !line.is_empty() {
            line.push('\t');
        }
        line.push_str(&value.to_string()?);
        if line.len() > LONGEST_LINE {
            let end = (0..=LONGEST_LINE).rev().find(|end| line.is_char_boundary(*end)).unwrap_or(0);
            line.truncate(end);
            line.push('…');
            break;
        }
    }
    Ok(line)
}
