//! What the engine tells while it works, and who listens: a terminal, plain lines, nobody, or a test.
//!
//! The engine knows only [`Report`]. How news look is decided here and nowhere else.

mod bad_task;
mod counting;
mod lines;
mod progress;
mod terminal;
mod units;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

pub use bad_task::{BadTask, write_bad_tasks};
pub use counting::Counting;
pub use lines::Lines;
pub use progress::{Progress, Snapshot};
pub use terminal::Terminal;
pub use units::{count, grouped, human_bytes, human_duration};

use crate::volume::Index;

/// One piece of news from a running job.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// The job has so many tasks in all, called tiles or chunks.
    Started { tasks: u64, noun: &'static str },
    /// The server's own count of tasks that nobody holds.
    Remaining { tasks: u64 },
    /// A task was taken from the queue.
    Taken { index: Index },
    /// A task went back to the queue untouched.
    Returned { index: Index },
    /// A task was stored and its message deleted. Bytes of its voxels, and bytes sent for them.
    Stored { index: Index, voxel_bytes: u64, sent_bytes: u64 },
    /// A request is tried again.
    Retried,
    /// A task cannot be done until its user mends something.
    Quarantined(BadTask),
    /// What the job as a whole is doing now, in one line.
    Phase(String),
    /// The server asks for patience; said again as the time runs down.
    Waiting { left: Duration },
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
