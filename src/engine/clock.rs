//! What each stage does with its time: tasks in work, tasks that wait for the next stage, and how long both took.
//!
//! A stage is told to its clock twice for each task, so a short lock costs nothing that could be measured.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::report::StageNow;

/// The clock of one stage, or of anything else that has places.
#[derive(Debug)]
pub struct Clock {
    name: &'static str,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    now: StageNow,
    /// Until when the times in `now` are summed up.
    until: Instant,
}

/// A task's stay in a stage; it ends when it is dropped.
#[derive(Debug)]
pub struct Stay {
    clock: Arc<Clock>,
    is_waiting: bool,
    is_done: bool,
}

/// The clocks of all stages of a run, in the order of a task's way.
#[derive(Debug, Default)]
pub struct Clocks(Mutex<Vec<Arc<Clock>>>);

impl Clock {
    pub fn new(name: &'static str) -> Arc<Self> {
        let state = State { now: StageNow { name, ..StageNow::default() }, until: Instant::now() };
        Arc::new(Clock { name, state: Mutex::new(state) })
    }

    /// A task begins to be worked on.
    pub fn work(self: &Arc<Self>) -> Stay {
        self.state().sum_up(Instant::now()).working += 1;
        Stay { clock: self.clone(), is_waiting: false, is_done: false }
    }

    /// An object of a task is done, which may have many: the stage is not stuck.
    pub fn part(&self) {
        self.state().now.parts += 1;
    }

    /// The stage as it is now.
    pub fn look(&self) -> StageNow {
        *self.state().sum_up(Instant::now())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Adds the time since the last change to what is under way.
    fn sum_up(&mut self, now: Instant) -> &mut StageNow {
        let elapsed = now.saturating_duration_since(self.until);
        let times = |tasks: u64| Duration::from_secs_f64(elapsed.as_secs_f64() * tasks as f64);
        self.now.work_time += times(self.now.working);
        self.now.wait_time += times(self.now.waiting);
        self.until = now.max(self.until);
        &mut self.now
    }
}

impl Stay {
    /// The work is done; what follows is waiting for a place in the next stage.
    pub fn wait(&mut self) {
        let mut state = self.clock.state();
        let now = state.sum_up(Instant::now());
        now.working -= 1;
        now.waiting += 1;
        self.is_waiting = true;
    }

    /// The task was handed on. A stay that just ends is that of a task which failed.
    pub fn done(mut self) {
        self.is_done = true;
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        let mut state = self.clock.state();
        let now = state.sum_up(Instant::now());
        match self.is_waiting {
            true => now.waiting -= 1,
            false => now.working -= 1,
        }
        match self.is_done {
            true => now.done += 1,
            false => now.failed += 1,
        }
    }
}

impl Clocks {
    /// The clock of the stage with this name; the same one in every round of a run.
    pub fn of(&self, name: &'static str) -> Arc<Clock> {
        let mut clocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(clock) = clocks.iter().find(|clock| clock.name == name) {
            return clock.clone();
        }
        let clock = Clock::new(name);
        clocks.push(clock.clone());
        clock
    }

    /// All stages as they are now.
    pub fn look(&self) -> Vec<StageNow> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|clock| clock.look()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_are_counted_by_how_they_end() {
        let clocks = Clocks::default();
        let clock = clocks.of("read");
        let (mut first, second, third) = (clock.work(), clock.work(), clock.work());
        first.wait();
        let now = clocks.look()[0];
        assert_eq!((now.working, now.waiting, now.done, now.failed), (2, 1, 0, 0));
        first.done();
        drop(second);
        let now = clocks.of("read").look();
        assert_eq!((now.working, now.waiting, now.done, now.failed), (1, 0, 1, 1));
        third.done();
        assert_eq!(clocks.look().len(), 1, "a stage has one clock");
    }

    #[test]
    fn times_are_summed_over_tasks() {
        let start = Instant::now();
        let now = StageNow { working: 3, waiting: 1, ..StageNow::default() };
        let mut state = State { now, until: start };
        state.sum_up(start + Duration::from_secs(2));
        let now = state.sum_up(start + Duration::from_secs(4));
        assert_eq!((now.work_time, now.wait_time), (Duration::from_secs(12), Duration::from_secs(4)));
    }
}
