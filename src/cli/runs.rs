//! What this machine does for a job: its runs, as they left their counts in the ledger.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::engine::ledger::{JobOf, Reader, Run};
use crate::report::{count, human_bytes, human_duration};

/// A run of this machine on a job.
pub struct HostRun {
    run: Run,
    /// Its counts when it last told them: the fields of a `progress` line.
    counts: Value,
    now_s: i64,
}

/// A run that has not told anything for so long does not run any more, or its machine slept.
const SILENT_S: i64 = 15;

/// The runs that go on, or else the last one. Empty when this machine did not work on the job, or its ledger cannot be read.
pub fn of(folder: &Path, job: &JobOf) -> Vec<HostRun> {
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
    let runs = Reader::open(folder, job).and_then(|reader| reader.runs()).unwrap_or_else(|error| {
        tracing::debug!(%error, "the ledger tells no runs");
        Vec::new()
    });
    let mut runs: Vec<HostRun> = runs.into_iter().map(|run| HostRun::new(run, now_s)).collect();
    let last = runs.pop();
    runs.retain(|run| run.is_going());
    runs.extend(last);
    runs
}

/// Whether the last of them saw the job complete.
pub fn is_complete(runs: &[HostRun]) -> bool {
    runs.last().is_some_and(|run| run.run.ending.as_deref() == Some("complete"))
}

impl HostRun {
    fn new(run: Run, now_s: i64) -> Self {
        let counts = run.snapshot.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        HostRun { run, counts, now_s }
    }

    fn is_going(&self) -> bool {
        self.run.ended_s.is_none() && self.silent_s() <= SILENT_S
    }

    fn silent_s(&self) -> i64 {
        self.now_s - self.run.told_s.unwrap_or(self.run.started_s)
    }

    fn number(&self, field: &str) -> u64 {
        self.counts[field].as_u64().unwrap_or_default()
    }

    /// `process 4711 on this host: 300 tiles stored, 12 held, 7.9 MB/s, bound by cpu`.
    pub fn line(&self) -> String {
        let noun = self.counts["noun"].as_str().unwrap_or("task");
        let stored = count(self.number("stored"), noun);
        let front = format!("process {} on this host: {stored} stored", self.run.pid);
        match (&self.run.ending, self.run.ended_s) {
            (Some(ending), Some(ended)) => format!("{front}, ended {}: {ending}", ago(self.now_s - ended)),
            _ if !self.is_going() => format!("{front}, silent since {}; was it killed?", time(self.silent_s())),
            _ => front + &self.going(),
        }
    }

    fn going(&self) -> String {
        let mut text = String::new();
        if self.number("held") > 0 {
            text += &format!(", {} held", self.number("held"));
        }
        let bytes = self.counts["voxel_bytes_per_s"].as_f64().unwrap_or_default();
        if bytes > 0.0 {
            text += &format!(", {}/s", human_bytes(bytes as u64));
        }
        if self.number("bad") > 0 {
            text += &format!(", {} bad", self.number("bad"));
        }
        if let Some(bound) = self.counts["bound"].as_str() {
            text += &format!(", bound by {bound}");
        }
        text
    }

    pub fn json(&self) -> Value {
        json!({
            "pid": self.run.pid,
            "started_s": self.run.started_s,
            "ended_s": self.run.ended_s,
            "ending": self.run.ending,
            "told_s": self.run.told_s,
            "is_running": self.is_going(),
            "counts": self.counts,
        })
    }
}

fn ago(seconds: i64) -> String {
    if seconds < 5 { "just now".to_owned() } else { format!("{} ago", time(seconds)) }
}

fn time(seconds: i64) -> String {
    human_duration(Duration::from_secs(seconds.max(0).unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(told_s: i64, ended: Option<(i64, &str)>) -> HostRun {
        let counts =
            json!({"noun": "tile", "stored": 300, "held": 12, "bad": 0, "voxel_bytes_per_s": 7.9e6, "bound": "cpu"});
        let run = Run {
            pid: 4711,
            started_s: 1000,
            ended_s: ended.map(|(at, _)| at),
            ending: ended.map(|(_, ending)| ending.to_owned()),
            told_s: Some(told_s),
            snapshot: Some(counts.to_string()),
            version: "0.1.0".to_owned(),
        };
        HostRun::new(run, 2000)
    }

    #[test]
    fn a_run_goes_on_has_ended_or_fell_silent() {
        let table = [
            (run(1999, None), "process 4711 on this host: 300 tiles stored, 12 held, 7.9 MB/s, bound by cpu"),
            (run(1940, None), "process 4711 on this host: 300 tiles stored, silent since 1 min 0 s; was it killed?"),
            (
                run(1990, Some((1990, "stopped"))),
                "process 4711 on this host: 300 tiles stored, ended 10 s ago: stopped",
            ),
        ];
        for (run, line) in table {
            assert_eq!(run.line(), line);
        }
        assert!(is_complete(&[run(1, None), run(2, Some((3, "complete")))]));
    }
}
