//! A Lua state that cannot reach the machine, and that stops.
//!
//! **What is absent**: `io`, `debug`, `package`, coroutines, bytecode, finalizers (`__gc`), and of `os` all but `date` and
//! `time`. Reading one of these names is an error that says so; any other name that is not there is a slip, and is
//! told with the nearest that is. `rawget(_G, name)` asks without an error.
//!
//! **What is shared is read-only**: both slots' scripts, and the modules that they `require`, run in one state. Globals,
//! the libraries, `boss` and the others, the methods of texts and of plans cannot be changed, so that no script breaks
//! another. A module is one table for both slots, and may hold what it likes.
//!
//! **Memory** is bounded by [`Limits::memory_bytes`], for all that Lua holds. Functions written in Rust hold at most one
//! text of that size besides.
//!
//! **Time** is bounded for each call. A hook looks at the clock every 200 instructions, and once time is up it fires at
//! every instruction, so that no `pcall` outlives it; `xpcall` calls its handler only after the failed function was
//! left, as it could run without that hook. For the same reason closers (`__close`) are refused; those that were added
//! behind the back of `setmetatable` are taken away when time is up. Lua's own C functions cannot be stopped. So `pattern` is a matcher of our
//! own, and `guards.lua` refuses, before it begins, what would run long: `table.move` and its like over more than 4 million
//! positions, `os.date` with a format of more than 1000 bytes, `load` of more than 4 MiB. The others take time in
//! proportion to their texts, at most some 50 ms each: a call can outlast its limit by as much as 50 of them take.
//!
//! **What is not bounded**: the number of lines in the log; the time that look-ups in the data take, which is not
//! counted. And a hook can still give another answer when it is asked again: by `os.time`, by the order of `pairs`, by
//! what it keeps between calls. `math.random` gives the same numbers in each state, in the order of its calls.

mod pattern;
mod strings;
mod watch;

#[cfg(test)]
mod pattern_tests;

use std::sync::Arc;
use std::time::Duration;

use mlua::chunk::ChunkMode;
use mlua::{Function, Lua, LuaOptions, StdLib, Table, Value};

use super::fault;
pub(super) use watch::{TimedOut, Watch};

const GUARDS: &str = include_str!("guards.lua");

/// The registry's key of the function that locks the globals.
const LOCK: &str = "boss.lock";

/// The registry's key of the function that takes away the scripts' closers.
const DISARM: &str = "boss.disarm";

/// The largest text that `load` takes, as for files of scripts.
const LARGEST_CHUNK_BYTES: usize = 4 << 20;

/// What a script may use up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For all that one state holds.
    pub memory_bytes: usize,
    /// For one call of a hook. Look-ups in the data do not count.
    pub per_call: Duration,
    /// For loading both scripts, and for each `setup`.
    pub setup: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { memory_bytes: 64 << 20, per_call: Duration::from_millis(750), setup: Duration::from_secs(10) }
    }
}

/// A new state with its limits. Scripts can run in it once [`lock_globals`] was called.
pub(super) fn new_state(limits: &Limits) -> mlua::Result<(Lua, Arc<Watch>)> {
    let libraries = StdLib::STRING | StdLib::TABLE | StdLib::MATH | StdLib::UTF8 | StdLib::OS;
    let lua = Lua::new_with(libraries, LuaOptions::default())?;
    lua.set_memory_limit(limits.memory_bytes)?;
    remove_what_reaches_out(&lua)?;
    let watch = Watch::new(&lua)?;
    let clock = watch.clone();
    let load = move |lua: &Lua, chunk: Chunk| clock.look(lua).and_then(|()| load_text(lua, chunk));
    lua.globals().raw_set("load", lua.create_function(load)?)?;
    let raw = helpers(&lua, &watch)?;
    strings::register(&lua, &raw, &watch, limits.memory_bytes)?;
    // Its messages are the program's own, as those of the prelude.
    let (lock, disarm): (Function, Function) =
        lua.load(GUARDS).set_name("=prelude").set_mode(ChunkMode::Text).call(raw)?;
    lua.set_named_registry_value(LOCK, lock)?;
    lua.set_named_registry_value(DISARM, disarm)?;
    Ok((lua, watch))
}

/// From here on, globals and libraries can only be read, and reading one that is not there is an error.
pub(super) fn lock_globals(lua: &Lua) -> mlua::Result<()> {
    lua.named_registry_value::<Function>(LOCK)?.call(())
}

/// What is in a table that was locked.
#[cfg(test)]
pub(super) fn behind(front: &Table) -> Table {
    front.metatable().and_then(|metatable| metatable.raw_get("__index").ok()).expect("it was locked")
}

fn remove_what_reaches_out(lua: &Lua) -> mlua::Result<()> {
    let globals = lua.globals();
    for name in ["dofile", "loadfile", "collectgarbage", "warn"] {
        globals.raw_set(name, Value::Nil)?;
    }
    globals.get::<Table>("string")?.raw_set("dump", Value::Nil)?;
    let os: Table = globals.get("os")?;
    let kept = lua.create_table()?;
    for name in ["date", "time"] {
        kept.raw_set(name, os.get::<Value>(name)?)?;
    }
    globals.raw_set("os", kept)
}

/// What `guards.lua` needs of Rust.
fn helpers(lua: &Lua, watch: &Arc<Watch>) -> mlua::Result<Table> {
    let raw = lua.create_table()?;
    let watch = watch.clone();
    raw.raw_set("look", lua.create_function(move |lua, ()| watch.look(lua))?)?;
    raw.raw_set("message_of", lua.create_function(|_, error: mlua::Error| Ok(fault::message_of(&error)))?)?;
    let nearest = |_: &Lua, (name, known): (String, Table)| {
        let known: Vec<String> = known.pairs::<String, Value>().filter_map(|pair| Some(pair.ok()?.0)).collect();
        Ok(crate::config::nearest(&name, known.iter().map(String::as_str)).map(str::to_owned))
    };
    raw.raw_set("nearest", lua.create_function(nearest)?)?;
    Ok(raw)
}

/// Text, name, mode and environment.
type Chunk = (mlua::LuaString, Option<String>, Option<String>, Option<Value>);

/// Lua's `load` for text in a string: a function, or `nil` and why not.
fn load_text(lua: &Lua, (text, name, mode, env): Chunk) -> mlua::Result<(Option<Function>, Option<String>)> {
    let text = text.as_bytes();
    if mode.is_some_and(|mode| !mode.contains('t')) {
        return Ok((None, Some("bytecode is not available to scripts; `load` takes text".to_owned())));
    } else if text.len() > LARGEST_CHUNK_BYTES {
        return Ok((None, Some("the text is larger than 4 MiB, which no script is".to_owned())));
    }
    let chunk = lua.load(&*text).set_name(name.unwrap_or_else(|| "=load".to_owned())).set_mode(ChunkMode::Text);
    let chunk = if let Some(Value::Table(env)) = env { chunk.set_environment(env) } else { chunk };
    match chunk.into_function() {
        Ok(function) => Ok((Some(function), None)),
        Err(mlua::Error::SyntaxError { message, .. }) => Ok((None, Some(message))),
        Err(other) => Err(other),
    }
}
