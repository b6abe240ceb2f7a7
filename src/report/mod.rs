//! What the engine tells while it works, and who listens: a terminal, plain lines, nobody, or a test.
//!
//! The engine knows only [`Report`]. How news look is decided here and nowhere else.

mod bad_task;
mod bound;
mod counting;
mod json;
mod line;
mod lines;
mod progress;
pub mod prometheus;
mod pulse;
mod terminal;
mod units;
mod watchdog;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub use bad_task::{BadTask, write_bad_tasks};
pub use bound::{BOUNDS, Bound, Signs};
pub use counting::Counting;
pub use json::{JsonLines, counts as counts_json};
pub use line::cut;
pub use lines::Lines;
pub use progress::{Progress, Snapshot};
pub use pulse::{Places, Pulse, StageNow};
pub use terminal::Terminal;
pub use units::{count, grouped, human_bytes, human_duration};
pub use watchdog::{Stuck, Watchdog, Watched};

use serde_json::{Map, Value};

use crate::volume::Index;

/// One piece of news from a running job.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// The job with this id has so many tasks in all, called tiles or chunks.
    Started { job: u64, tasks: u64, noun: &'static str },
    /// The server's own count of tasks that nobody holds.
    Remaining { tasks: u64 },
    /// A task was taken from the queue.
    Taken { index: Index },
    /// A task went back to the queue untouched.
    Returned { index: Index },
    /// A task was stored and its message deleted. Bytes of its voxels, and bytes sent for them.
    Stored { index: Index, voxel_bytes: u64, sent_bytes: u64 },
    /// A task is tried again.
    Retried,
    /// How the run goes, each second.
    Pulse(Arc<Pulse>),
    /// Nothing moves although tasks are held, or it moves again.
    Watched(Watched),
    /// A task cannot be done until its user mends something.
    Quarantined(BadTask),
    /// What the job as a whole is doing now, in one line.
    Phase(String),
    /// The server asks for patience; said again as the time runs down.
    Waiting { left: Duration, wait: Wait },
    /// The command ends with this exit code; with an error as it is told to programs, if it failed.
    Ended { exit_code: u8, error: Option<Map<String, Value>> },
}

/// What the server wants time for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// All queues are empty; messages that somebody holds may come back.
    Settle,
    /// Uploaded tiles are still made into cuboids.
    Assemble,
}

impl Wait {
    /// One word, as programs read it.
    pub fn name(self) -> &'static str {
        match self {
            Wait::Settle => "settle",
            Wait::Assemble => "assemble",
        }
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Wait::Settle => "the server lets its queues settle",
            Wait::Assemble => "the server still makes cuboids of tiles",
        })
    }
}

/// Somebody who is told the news. Called from many threads, and must be quick.
pub trait Report: Send + Sync {
    fn tell(&self, news: News);

    /// Stops drawing; whatever was shown last stays.
    fn finish(&self) {}
}

/// Tells nobody.
#[derive(Debug, Default)]
pub struct Silent;

impl Report for Silent {
    fn tell(&self, _news: News) {}
}

/// Keeps all news, for tests.
#[derive(Debug, Default)]
pub struct Recording(Mutex<Vec<News>>);

impl Recording {
    /// Everything told so far, in order.
    pub fn news(&self) -> Vec<News> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Report for Recording {
    fn tell(&self, news: News) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(news);
    }
}
