//! Counts of a running job, and what follows from them: rates and the time that is left.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::{News, Pulse};

/// The counts of a job, fed with news. Clocks are handed in.
///
/// A job may have several hosts. What is done in all follows from the server's count of free tasks; how fast it goes is
/// measured on that, so that the time left is the whole job's.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    job: u64,
    noun: &'static str,
    tasks: u64,
    /// Tasks that the server has and nobody holds, as last told.
    free: Option<u64>,
    /// Tasks that this process holds.
    held: u64,
    stored: u64,
    voxel_bytes: u64,
    sent_bytes: u64,
    retries: u64,
    quarantined: u64,
    pulse: Option<Arc<Pulse>>,
    rate: Rate,
}

/// The state of a job at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// The job's id.
    pub job: u64,
    pub noun: &'static str,
    pub tasks: u64,
    /// Tasks that are done, by any host.
    pub done: u64,
    /// Tasks that this process stored.
    pub stored: u64,
    /// Tasks that this process holds.
    pub held: u64,
    /// Tasks that nobody holds, as the server last told.
    pub free: Option<u64>,
    pub voxel_bytes: u64,
    pub sent_bytes: u64,
    pub retries: u64,
    pub quarantined: u64,
    /// Tasks of the whole job done each second, lately.
    pub tasks_per_second: f64,
    /// Voxel bytes that this process stores each second, lately.
    pub bytes_per_second: f64,
    pub left: Option<Duration>,
    pub pulse: Option<Arc<Pulse>>,
}

impl Progress {
    /// Takes in one piece of news, `elapsed` after the start.
    pub fn take(&mut self, news: &News, elapsed: Duration) {
        match news {
            News::Started { job, tasks, noun } => (self.job, self.tasks, self.noun) = (*job, *tasks, noun),
            News::Remaining { tasks } => self.free = Some(*tasks),
            News::Taken { .. } => self.held += 1,
            News::Returned { .. } => self.held = self.held.saturating_sub(1),
            News::Stored { voxel_bytes, sent_bytes, .. } => {
                self.held = self.held.saturating_sub(1);
                self.stored += 1;
                self.voxel_bytes += voxel_bytes;
                self.sent_bytes += sent_bytes;
            }
            News::Retried => self.retries += 1,
            News::Quarantined(_) => {
                self.held = self.held.saturating_sub(1);
                self.quarantined += 1;
            }
            News::Pulse(pulse) => self.pulse = Some(pulse.clone()),
            News::Phase(_) | News::Waiting { .. } | News::Watched(_) | News::Ended { .. } => {}
        }
        self.rate.take(elapsed, self.done(), self.voxel_bytes);
    }

    /// `tile` or `chunk`; `task` while nothing is known of the job.
    pub fn noun(&self) -> &'static str {
        if self.noun.is_empty() { "task" } else { self.noun }
    }

    pub fn snapshot(&self) -> Snapshot {
        let done = self.done();
        let left = self.tasks.saturating_sub(done + self.quarantined);
        let speed = self.rate.tasks_per_second;
        Snapshot {
            job: self.job,
            noun: self.noun(),
            tasks: self.tasks,
            done,
            stored: self.stored,
            held: self.held,
            free: self.free,
            voxel_bytes: self.voxel_bytes,
            sent_bytes: self.sent_bytes,
            retries: self.retries + self.pulse.as_ref().map_or(0, |pulse| pulse.retries),
            quarantined: self.quarantined,
            tasks_per_second: speed,
            bytes_per_second: self.rate.bytes_per_second,
            left: (speed > 0.0).then(|| Duration::try_from_secs_f64(left as f64 / speed).unwrap_or(Duration::MAX)),
            pulse: self.pulse.clone(),
        }
    }

    /// Tasks done by all hosts: at least those stored here, and those that the server no longer has free.
    fn done(&self) -> u64 {
        let gone = self.free.map_or(0, |free| self.tasks.saturating_sub(free + self.held + self.quarantined));
        gone.max(self.stored).min(self.tasks)
    }
}

/// Speeds over the last half minute.
#[derive(Clone, Debug, Default)]
struct Rate {
    /// Elapsed time, tasks and bytes, at most each [`SAMPLE`], oldest first.
    samples: VecDeque<(Duration, u64, u64)>,
    tasks_per_second: f64,
    bytes_per_second: f64,
}

const SAMPLE: Duration = Duration::from_millis(500);
const WINDOW: Duration = Duration::from_secs(30);

impl Rate {
    fn take(&mut self, elapsed: Duration, tasks: u64, bytes: u64) {
        let Some(&(last, ..)) = self.samples.back() else { return self.samples.push_back((elapsed, tasks, bytes)) };
        if elapsed < last + SAMPLE {
            return;
        }
        self.samples.push_back((elapsed, tasks, bytes));
        while self.samples.len() > 2 && self.samples[1].0 + WINDOW < elapsed {
            self.samples.pop_front();
        }
        let (since, old_tasks, old_bytes) = self.samples[0];
        let seconds = (elapsed - since).as_secs_f64();
        self.tasks_per_second = tasks.saturating_sub(old_tasks) as f64 / seconds;
        self.bytes_per_second = bytes.saturating_sub(old_bytes) as f64 / seconds;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::volume::Index;

    fn stored(z: i64) -> News {
        News::Stored { index: Index::new(0, 0, z, 0), voxel_bytes: 1000, sent_bytes: 400 }
    }

    /// 36 tiles a minute with 70 left are done in 1.94 minutes.
    #[test]
    fn the_time_left_is_what_is_left_divided_by_the_speed() {
        let mut progress = Progress::default();
        progress.take(&News::Started { job: 7, tasks: 130, noun: "tile" }, Duration::ZERO);
        for z in 0..60 {
            progress.take(&News::Taken { index: Index::new(0, 0, z, 0) }, Duration::ZERO);
            progress.take(&stored(z), Duration::from_secs_f64((z + 1) as f64 / 0.6));
        }
        let snapshot = progress.snapshot();
        assert_eq!((snapshot.done, snapshot.stored), (60, 60));
        let minutes = snapshot.left.unwrap().as_secs_f64() / 60.0;
        assert!((minutes - 70.0 / 36.0).abs() < 0.01, "{minutes}");
        assert!((snapshot.bytes_per_second - 600.0).abs() < 1.0);
    }

    #[test]
    fn a_slow_start_is_forgotten() {
        let mut progress = Progress::default();
        progress.take(&News::Started { job: 7, tasks: 10_000, noun: "tile" }, Duration::ZERO);
        let mut at = Duration::from_secs(100);
        for z in 0..400 {
            progress.take(&News::Taken { index: Index::new(0, 0, z, 0) }, at);
            progress.take(&stored(z), at);
            at += Duration::from_millis(100);
        }
        let speed = progress.snapshot().tasks_per_second;
        assert!((speed - 10.0).abs() < 0.1, "{speed}");
    }

    #[test]
    fn what_other_hosts_did_counts_as_done() {
        let mut progress = Progress::default();
        progress.take(&News::Started { job: 7, tasks: 100, noun: "tile" }, Duration::ZERO);
        progress.take(&News::Taken { index: Index::new(0, 0, 0, 0) }, Duration::ZERO);
        progress.take(&News::Remaining { tasks: 40 }, Duration::from_secs(1));
        assert_eq!(progress.snapshot().done, 59);
    }

    #[test]
    fn nothing_is_foretold_before_anything_was_done() {
        let mut progress = Progress::default();
        progress.take(&News::Started { job: 7, tasks: 100, noun: "tile" }, Duration::ZERO);
        progress.take(&News::Retried, Duration::from_secs(9));
        assert_eq!(progress.snapshot().left, None);
    }
}
