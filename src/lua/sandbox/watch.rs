//! The clock of a Lua state.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mlua::{Function, HookTriggers, Lua, VmState};

use super::DISARM;

/// How often the clock is looked at, in instructions of Lua's machine. A single one of them, such as joining two texts of
/// 30 MB, can take 10 ms.
const LOOK_EVERY: u32 = 200;

/// How deep Rust functions that call back into Lua nest. Each takes some 10 kB of a thread's stack without optimisation,
/// and Lua itself would allow 200 of them.
const DEEPEST: u32 = 40;

/// A call took longer than it may.
#[derive(Debug, thiserror::Error)]
#[error("the time is up")]
pub(in crate::lua) struct TimedOut;

/// The time that a state has left.
pub(in crate::lua) struct Watch {
    began: Instant,
    /// Nanoseconds after `began`.
    deadline: AtomicU64,
    is_over: AtomicBool,
    /// How many calls from Rust back into Lua are on the stack.
    depth: AtomicU32,
}

impl Watch {
    /// Begins to look at the clock, with no deadline yet.
    pub(super) fn new(lua: &Lua) -> mlua::Result<Arc<Watch>> {
        let (deadline, is_over, depth) = (AtomicU64::new(u64::MAX), AtomicBool::new(false), AtomicU32::new(0));
        let watch = Arc::new(Watch { began: Instant::now(), deadline, is_over, depth });
        watch_every(LOOK_EVERY, lua, watch.clone())?;
        Ok(watch)
    }

    /// Gives the state so much time from now on.
    pub fn start(&self, limit: Duration) {
        self.deadline.store(self.now().saturating_add(nanoseconds(limit)), Ordering::Relaxed);
    }

    /// Does something that does not count.
    pub fn pause<T>(&self, wait: impl FnOnce() -> T) -> T {
        let before = self.now();
        let result = wait();
        let spent = self.now() - before;
        self.deadline.store(self.deadline.load(Ordering::Relaxed).saturating_add(spent), Ordering::Relaxed);
        result
    }

    /// Calls from a Rust function back into Lua; an error when it goes too deep.
    pub fn nested<T>(&self, call: impl FnOnce() -> mlua::Result<T>) -> mlua::Result<T> {
        if self.depth.fetch_add(1, Ordering::Relaxed) >= DEEPEST {
            self.depth.fetch_sub(1, Ordering::Relaxed);
            return Err(mlua::Error::runtime(format!("stack overflow: it calls itself more than {DEEPEST} times")));
        }
        let result = call();
        self.depth.fetch_sub(1, Ordering::Relaxed);
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

    /// An error once time is up. From then on Lua looks at the clock with every instruction, so that no `pcall` outlives
    /// it, until [`Watch::settle`].
    pub fn look(self: &Arc<Watch>, lua: &Lua) -> mlua::Result<()> {
        if self.is_over.load(Ordering::Relaxed) {
            return Err(mlua::Error::external(TimedOut));
        }
        if self.now() < self.deadline.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.is_over.store(true, Ordering::Relaxed);
        // When it fails, for want of memory or stack, there is nothing better to say than that time is up.
        let _ = lua.named_registry_value::<Function>(DISARM).and_then(|disarm| disarm.call::<()>(()));
        watch_every(1, lua, self.clone())?;
        Err(mlua::Error::external(TimedOut))
    }

    fn now(&self) -> u64 {
        nanoseconds(self.began.elapsed())
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn watch_every(instructions: u32, lua: &Lua, watch: Arc<Watch>) -> mlua::Result<()> {
    let triggers = HookTriggers::new().every_nth_instruction(instructions);
    lua.set_global_hook(triggers, move |lua, _| watch.look(lua).map(|()| VmState::Continue))
}
