//! Progress on a terminal: one bar with rate, time left, bytes, retries and bad tiles, and lines above it for news.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{News, Progress, Report, Snapshot, human_bytes, human_duration};

/// Draws to standard error.
pub struct Terminal {
    start: Instant,
    bar: ProgressBar,
    progress: Mutex<Progress>,
}

impl Terminal {
    pub fn new() -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(5));
        let style =
            ProgressStyle::with_template("{bar:30} {percent:>3} %  {msg}").expect("the template is well-formed");
        bar.set_style(style);
        bar.enable_steady_tick(Duration::from_millis(250));
        Terminal { start: Instant::now(), bar, progress: Mutex::new(Progress::default()) }
    }
}

impl Default for Terminal {
    fn default() -> Self {
        Terminal::new()
    }
}

impl Report for Terminal {
    fn tell(&self, news: News) {
        let snapshot = {
            let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
            progress.take(&news, self.start.elapsed());
            progress.snapshot()
        };
        self.bar.set_length(snapshot.tasks);
        self.bar.set_position(snapshot.done);
        self.bar.set_message(line(&snapshot));
        match news {
            News::Phase(text) => self.bar.println(text),
            News::Waiting { left } => {
                self.bar.set_message(format!("the server lets its queues settle: {}", human_duration(left)));
            }
            News::Quarantined(bad) => self.bar.println(bad.in_one_line()),
            _ => {}
        }
    }

    fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// `1 200 of 4 800 tiles, 41.5 tiles/s, 10.9 MB/s, 1 min 27 s left, 2 retries, 1 bad`.
pub(super) fn line(snapshot: &Snapshot) -> String {
    let Snapshot { noun, tasks, done, .. } = snapshot;
    let mut text = format!("{} of {}", super::units::grouped(*done), super::count(*tasks, noun));
    if snapshot.tasks_per_second > 0.0 {
        text += &format!(", {:.1} {noun}s/s", snapshot.tasks_per_second);
        text += &format!(", {}/s", human_bytes(snapshot.bytes_per_second as u64));
    }
    if snapshot.voxel_bytes > 0 {
        text += &format!(", {} sent as {}", human_bytes(snapshot.voxel_bytes), human_bytes(snapshot.sent_bytes));
    }
    if let Some(left) = snapshot.left.filter(|_| done < tasks) {
        text += &format!(", {} left", human_duration(left));
    }
    if snapshot.retries > 0 {
        text += &format!(", {}", super::units::count_irregular(snapshot.retries, "retry", "retries"));
    }
    if snapshot.quarantined > 0 {
        text += &format!(", {} bad", snapshot.quarantined);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_tells_rate_time_left_bytes_retries_and_bad_tiles() {
        let snapshot = Snapshot {
            noun: "tile",
            tasks: 4800,
            done: 1200,
            stored: 1200,
            voxel_bytes: 314_572_800,
            sent_bytes: 250_000_000,
            retries: 1,
            quarantined: 2,
            tasks_per_second: 41.46,
            bytes_per_second: 10_868_490.0,
            left: Some(Duration::from_secs(87)),
        };
        assert_eq!(
            line(&snapshot),
            "1 200 of 4 800 tiles, 41.5 tiles/s, 10.9 MB/s, 314.6 MB sent as 250.0 MB, 1 min 27 s left, 1 retry, 2 bad"
        );
    }
}
