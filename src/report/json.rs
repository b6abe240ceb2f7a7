//! Progress as JSON, one object a line, for programs. `docs/progress.md` describes each field.

use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{News, Progress, Pulse, Report, Snapshot, StageNow, Watched};

/// Writes an object for each event: `started`, `progress` each second, `quarantined`, `waiting`, `phase`, `stuck`, `moving`,
/// and `ended`.
pub struct JsonLines<W> {
    start: Instant,
    state: Mutex<(W, Progress)>,
}

impl<W: Write + Send> JsonLines<W> {
    pub fn new(out: W) -> Self {
        JsonLines { start: Instant::now(), state: Mutex::new((out, Progress::default())) }
    }
}

impl<W: Write + Send> Report for JsonLines<W> {
    fn tell(&self, news: News) {
        let elapsed = self.start.elapsed();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (out, progress) = &mut *state;
        progress.take(&news, elapsed);
        if let Some(event) = event(&news, &progress.snapshot(), elapsed) {
            // A closed pipe must not stop an upload.
            let _ = writeln!(out, "{event}").and_then(|()| out.flush());
        }
    }
}

/// The object of a piece of news, if it has one.
fn event(news: &News, snapshot: &Snapshot, elapsed: Duration) -> Option<Value> {
    let (name, mut fields) = match news {
        News::Started { job, tasks, noun } => ("started", json!({"job": job, "tasks": tasks, "noun": noun})),
        News::Pulse(_) => ("progress", counts(snapshot)),
        News::Quarantined(bad) => ("quarantined", serde_json::to_value(bad).ok()?),
        News::Waiting { left, wait } => ("waiting", json!({"for": wait.name(), "left_s": seconds(*left)})),
        News::Phase(text) => ("phase", json!({"text": text})),
        News::Watched(Watched::Stuck(stuck)) => (
            "stuck",
            json!({
                "stage": stuck.stage, "tasks": stuck.tasks, "since_s": seconds(stuck.since), "meaning": stuck.meaning,
            }),
        ),
        News::Watched(Watched::Moves { after }) => ("moving", json!({"after_s": seconds(*after)})),
        News::Ended { exit_code, error } => {
            let mut fields = json!({"exit_code": exit_code, "error": error});
            merge(&mut fields, counts(snapshot));
            ("ended", fields)
        }
        News::Remaining { .. } | News::Taken { .. } | News::Returned { .. } | News::Stored { .. } | News::Retried => {
            return None;
        }
    };
    let mut event = json!({"event": name, "elapsed_s": seconds(elapsed)});
    merge(&mut event, fields.take());
    Some(event)
}

fn merge(object: &mut Value, fields: Value) {
    if let (Value::Object(object), Value::Object(fields)) = (object, fields) {
        object.extend(fields);
    }
}

/// The counts of a run, as `progress` events and the ledger have them.
pub fn counts(snapshot: &Snapshot) -> Value {
    let mut counts = json!({
        "job": snapshot.job,
        "noun": snapshot.noun,
        "tasks": snapshot.tasks,
        "done": snapshot.done,
        "free": snapshot.free,
        "stored": snapshot.stored,
        "held": snapshot.held,
        "bad": snapshot.quarantined,
        "retries": snapshot.retries,
        "voxel_bytes": snapshot.voxel_bytes,
        "sent_bytes": snapshot.sent_bytes,
        "tasks_per_s": round(snapshot.tasks_per_second),
        "voxel_bytes_per_s": round(snapshot.bytes_per_second),
        "left_s": snapshot.left.map(seconds),
    });
    if let Some(now) = &snapshot.pulse {
        merge(&mut counts, pulse(now));
    }
    counts
}

fn pulse(pulse: &Pulse) -> Value {
    let stages: Vec<Value> = pulse.stages.iter().map(stage).collect();
    json!({
        "bound": pulse.bound.map(super::Bound::name),
        "cpu": {"used": pulse.cpu.used, "threads": pulse.cpu.of},
        "uploads": {"in_flight": pulse.uploads.used, "limit": pulse.uploads.of, "is_congested": pulse.is_congested},
        "away": pulse.away,
        "stages": stages,
    })
}

fn stage(stage: &StageNow) -> Value {
    json!({
        "name": stage.name,
        "working": stage.working,
        "waiting": stage.waiting,
        "done": stage.done,
        "failed": stage.failed,
        "work_s": seconds(stage.work_time),
        "wait_s": seconds(stage.wait_time),
    })
}

/// Milliseconds are exact enough for reading.
fn seconds(duration: Duration) -> f64 {
    round(duration.as_secs_f64())
}

fn round(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::report::{Bound, Places, Stuck, Wait};
    use crate::volume::Index;

    fn lines(news: Vec<News>) -> Vec<Value> {
        let report = JsonLines::new(Vec::new());
        news.into_iter().for_each(|news| report.tell(news));
        let text = String::from_utf8(report.state.into_inner().unwrap().0).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn pulse() -> Pulse {
        let read =
            StageNow { name: "read", working: 2, done: 5, work_time: Duration::from_secs(3), ..Default::default() };
        let (cpu, uploads) = (Places { used: 1, of: 2 }, Places { used: 3, of: 16 });
        Pulse { stages: vec![read], cpu, uploads, bound: Some(Bound::Cpu), ..Pulse::default() }
    }

    #[test]
    fn each_event_has_its_fields() {
        let stuck = Stuck { stage: "upload", tasks: 3, since: Duration::from_secs(60), meaning: "why".to_owned() };
        let events = lines(vec![
            News::Started { job: 7, tasks: 10, noun: "tile" },
            News::Taken { index: Index::new(0, 0, 0, 0) },
            News::Stored { index: Index::new(0, 0, 0, 0), voxel_bytes: 4000, sent_bytes: 1000 },
            News::Pulse(Arc::new(pulse())),
            News::Waiting { left: Duration::from_millis(1500), wait: Wait::Settle },
            News::Phase("text".to_owned()),
            News::Watched(Watched::Stuck(stuck)),
            News::Watched(Watched::Moves { after: Duration::from_secs(70) }),
            News::Ended { exit_code: 3, error: None },
        ]);
        let names: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
        assert_eq!(names, ["started", "progress", "waiting", "phase", "stuck", "moving", "ended"]);
        assert_eq!((&events[0]["job"], &events[0]["tasks"]), (&json!(7), &json!(10)));
        let progress = &events[1];
        assert_eq!(
            (&progress["stored"], &progress["sent_bytes"], &progress["held"]),
            (&json!(1), &json!(1000), &json!(0))
        );
        assert_eq!((&progress["bound"], &progress["uploads"]["limit"]), (&json!("cpu"), &json!(16)));
        assert_eq!((&progress["stages"][0]["name"], &progress["stages"][0]["work_s"]), (&json!("read"), &json!(3.0)));
        assert_eq!((&events[2]["for"], &events[2]["left_s"]), (&json!("settle"), &json!(1.5)));
        assert_eq!((&events[4]["stage"], &events[4]["since_s"]), (&json!("upload"), &json!(60.0)));
        assert_eq!((&events[6]["exit_code"], &events[6]["stored"]), (&json!(3), &json!(1)));
        assert!(events[6]["error"].is_null());
    }
}
