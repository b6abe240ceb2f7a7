//! A Lua state that cannot reach the machine, and that stops.
//!
//! There is no `io`, no `debug`, no coroutines, of `os` only `date` and `time`, and no bytecode. Memory is bounded, and so
//! is the time of each call: a hook looks at the clock every 10 000 instructions, and once time is up it fires at every
//! instruction, so that no `pcall` outlives it. Finalizers and closers (`__gc`, `__close`) are refused, and
//! `xpcall` calls its handler only after the failed function was left, as each of them could run without that hook.
//!
//! What cannot be bounded is time inside one call of Lua's own C functions: a `string.find` whose pattern has many `.-` on
//! a long text, or a `table.move` over billions of positions. Scripts are the user's own; this keeps out slips, not
//! attackers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mlua::chunk::ChunkMode;
use mlua::{HookTriggers, Lua, LuaOptions, StdLib, Table, Value, VmState};

/// How often the clock is looked at, in instructions of Lua's machine: some 0.2 ms.
const LOOK_EVERY: u32 = 10_000;

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
        Limits { memory_bytes: 64 << 20, per_call: Duration::from_secs(1), setup: Duration::from_secs(10) }
    }
}

/// A call took longer than it may.
#[derive(Debug, thiserror::Error)]
#[error("the time is up")]
pub(super) struct TimedOut;

/// The time that a state has left.
pub(super) struct Watch {
    began: Instant,
    /// Nanoseconds after `began`.
    deadline: AtomicU64,
    is_over: AtomicBool,
}

impl Watch {
    fn new() -> Arc<Watch> {
        Arc::new(Watch { began: Instant::now(), deadline: AtomicU64::new(u64::MAX), is_over: AtomicBool::new(false) })
    }

    /// Gives the state so much time from now on.
    pub fn start(&self, limit: Duration) {
        self.deadline.store(self.now().saturating_add(nanoseconds(limit)), Ordering::Relaxed);
    }

    /// Does something that does not count.
    pub fn pause<T>(&self, wait: impl FnOnce() -> T) -> T {
        let before = self.now();
        let result = wait();
        self.deadline.fetch_add(self.now() - before, Ordering::Relaxed);
        result
    }

    /// Puts the state in order after a call; whether the call ran out of time.
    pub fn settle(self: &Arc<Watch>, lua: &Lua) -> mlua::Result<bool> {
        let was_over = self.is_over.swap(false, Ordering::Relaxed);
        if was_over {
            watch_every(LOOK_EVERY, lua, self.clone())?;
        }
        Ok(was_over)
    }

    fn now(&self) -> u64 {
        nanoseconds(self.began.elapsed())
    }

    fn look(self: &Arc<Watch>, lua: &Lua) -> mlua::Result<VmState> {
        if self.is_over.load(Ordering::Relaxed) {
            return Err(mlua::Error::external(TimedOut));
        }
        if self.now() < self.deadline.load(Ordering::Relaxed) {
            return Ok(VmState::Continue);
        }
        self.is_over.store(true, Ordering::Relaxed);
        watch_every(1, lua, self.clone())?;
        Err(mlua::Error::external(TimedOut))
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn watch_every(instructions: u32, lua: &Lua, watch: Arc<Watch>) -> mlua::Result<()> {
    let triggers = HookTriggers::new().every_nth_instruction(instructions);
    lua.set_global_hook(triggers, move |lua, _| watch.look(lua))
}

/// A new state with its limits. Scripts can run in it once [`lock_globals`] was called.
pub(super) fn new_state(limits: &Limits) -> mlua::Result<(Lua, Arc<Watch>)> {
    let libraries = StdLib::STRING | StdLib::TABLE | StdLib::MATH | StdLib::UTF8 | StdLib::OS;
    let lua = Lua::new_with(libraries, LuaOptions::default())?;
    lua.set_memory_limit(limits.memory_bytes)?;
    remove_what_reaches_out(&lua)?;
    let watch = Watch::new();
    watch_every(LOOK_EVERY, &lua, watch.clone())?;
    Ok((lua, watch))
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
    globals.raw_set("os", kept)?;
    globals.raw_set("load", lua.create_function(load_text)?)
}

/// Lua's `load` for text in a string: a function, or `nil` and why not.
fn load_text(
    lua: &Lua,
    (text, name, _mode, env): (mlua::LuaString, Option<String>, Value, Option<Table>),
) -> mlua::Result<(Option<mlua::Function>, Option<String>)> {
    let text = text.as_bytes();
    let chunk = lua.load(&*text).set_name(name.unwrap_or_else(|| "=load".to_owned())).set_mode(ChunkMode::Text);
    let chunk = if let Some(env) = env { chunk.set_environment(env) } else { chunk };
    match chunk.into_function() {
        Ok(function) => Ok((Some(function), None)),
        Err(mlua::Error::SyntaxError { message, .. }) => Ok((None, Some(message))),
        Err(other) => Err(other),
    }
}

/// From here on, a new global is an error that names it: nearly always it is a `local` that was forgotten.
pub(super) fn lock_globals(lua: &Lua) -> mlua::Result<()> {
    let refuse = lua.create_function(|_, (_, name, _): (Value, Value, Value)| -> mlua::Result<()> {
        let name = name.to_string()?;
        Err(mlua::Error::runtime(format!("`{name}` would be a new global; write `local {name}`")))
    })?;
    let metatable = lua.create_table_from([("__newindex", Value::Function(refuse))])?;
    metatable.raw_set("__metatable", false)?;
    lua.globals().set_metatable(Some(metatable))
}
