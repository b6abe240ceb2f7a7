//! How the work goes at one moment: what each stage holds and has done, and what bounds it all.

use std::time::Duration;

use super::Bound;

/// The state of a run, told each second.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pulse {
    /// The stages, in the order in which a task goes through them.
    pub stages: Vec<StageNow>,
    /// Threads that decode, compress and run scripts.
    pub cpu: Places,
    /// PUT requests in flight, of those that may be.
    pub uploads: Places,
    /// Whether a service throttled, or answered too late, in the last ten seconds.
    pub is_congested: bool,
    /// The service that does not answer at all, such as `S3`.
    pub away: Option<&'static str>,
    /// Requests that were repeated.
    pub retries: u64,
    /// What makes it no faster; `None` while nothing is known.
    pub bound: Option<Bound>,
}

/// A stage at one moment. Counts and times are since the start of the run; times are summed over tasks, so that two
/// tasks of a second each are two seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StageNow {
    pub name: &'static str,
    /// Tasks that it works on.
    pub working: u64,
    /// Tasks that are done here and wait for a place in the next stage.
    pub waiting: u64,
    /// Tasks that were handed on.
    pub done: u64,
    /// Objects of tasks that it works on which are done, where a task has several.
    pub parts: u64,
    /// Tasks that failed here.
    pub failed: u64,
    pub work_time: Duration,
    pub wait_time: Duration,
}

/// Places in use, of those that there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Places {
    pub used: u64,
    pub of: u64,
}

impl Pulse {
    /// Tasks that the stages hold, received ones not counted.
    pub fn held(&self) -> u64 {
        self.stages.iter().map(|stage| stage.working + stage.waiting).sum()
    }

    /// Grows whenever a task, or an object of one, gets anywhere.
    pub fn steps(&self) -> u64 {
        self.stages.iter().map(|stage| stage.done + stage.failed + stage.parts).sum()
    }
}
