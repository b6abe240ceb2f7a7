//! Counts the news on their way to another listener.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::{News, Progress, Report, Snapshot};

/// Hands all news on, and knows the counts at any time.
pub struct Counting {
    start: Instant,
    progress: Mutex<Progress>,
    listener: Box<dyn Report>,
}

impl Counting {
    pub fn new(listener: Box<dyn Report>) -> Self {
        Counting { start: Instant::now(), progress: Mutex::default(), listener }
    }

    pub fn progress(&self) -> Snapshot {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).snapshot()
    }
}

impl Report for Counting {
    fn tell(&self, news: News) {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).take(&news, self.start.elapsed());
        self.listener.tell(news);
    }

    fn finish(&self) {
        self.listener.finish();
    }
}
