//! Progress as plain lines, for logs and pipes.

use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::line::line;
use super::{News, Progress, Report, human_duration};

/// Writes a line when something happens, and a line of progress from time to time.
pub struct Lines<W> {
    start: Instant,
    every: Duration,
    state: Mutex<State<W>>,
}

struct State<W> {
    out: W,
    progress: Progress,
    last: Duration,
    /// What was left of the server's wait when it was last told.
    wait: Option<Duration>,
}

impl<W: Write + Send> Lines<W> {
    /// Writes to `out`, a line of progress at most each `every`.
    pub fn new(out: W, every: Duration) -> Self {
        let state = State { out, progress: Progress::default(), last: Duration::ZERO, wait: None };
        Lines { start: Instant::now(), every, state: Mutex::new(state) }
    }
}

impl<W: Write + Send> Report for Lines<W> {
    fn tell(&self, news: News) {
        let elapsed = self.start.elapsed();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.progress.take(&news, elapsed);
        let text = match news {
            News::Phase(text) => text,
            // It is told again as it runs down; a new wait is longer than what was left of the last.
            News::Waiting { left, wait } => match state.wait.replace(left) {
                Some(before) if left <= before => return,
                _ => format!("{wait}: {}", human_duration(left)),
            },
            News::Quarantined(bad) => bad.in_one_line(),
            News::Watched(watched) => watched.sentence(state.progress.noun()),
            News::Stored { .. } if elapsed >= state.last + self.every => {
                state.last = elapsed;
                line(&state.progress.snapshot(), usize::MAX)
            }
            _ => return,
        };
        // A closed pipe must not stop an upload.
        let _ = writeln!(state.out, "{text}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Wait;
    use crate::volume::Index;

    #[test]
    fn each_wait_is_said_once() {
        let lines = Lines::new(Vec::new(), Duration::ZERO);
        lines.tell(News::Started { job: 7, tasks: 2, noun: "tile" });
        lines.tell(News::Stored { index: Index::new(0, 0, 0, 0), voxel_bytes: 4000, sent_bytes: 1000 });
        for left in [180, 179, 178, 180, 179] {
            lines.tell(News::Waiting { left: Duration::from_secs(left), wait: Wait::Settle });
        }
        lines.tell(News::Phase("job 7 is complete".to_owned()));
        let out = lines.state.into_inner().unwrap().out;
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "1 of 2 tiles, 4.0 kB sent as 1.0 kB\nthe server lets its queues settle: 3 min 0 s\n\
             the server lets its queues settle: 3 min 0 s\njob 7 is complete\n"
        );
    }
}
