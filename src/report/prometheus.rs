//! The counts of a run as Prometheus reads them, text format 0.0.4
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).

use super::{BOUNDS, Pulse, Snapshot, StageNow};

/// What the text is, as HTTP says it.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The text of one metric after the other. Empty until the job is known.
pub fn metrics(snapshot: &Snapshot) -> String {
    let mut page = Page { text: String::new(), job: snapshot.job };
    if snapshot.tasks == 0 {
        return page.text;
    }
    page.job(snapshot);
    page.host(snapshot);
    if let Some(pulse) = &snapshot.pulse {
        page.pulse(pulse);
        page.stages(&pulse.stages);
    }
    page.text
}

/// A page under construction; every sample has the job's id as its label.
struct Page {
    text: String,
    job: u64,
}

#[derive(Clone, Copy)]
enum Kind {
    Counter,
    Gauge,
}

impl Page {
    /// One metric with its samples: further labels, written out, and values.
    fn metric(&mut self, kind: Kind, name: &str, help: &str, samples: &[(String, f64)]) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        self.text += &format!("# HELP boss_ingest_{name} {help}\n# TYPE boss_ingest_{name} {kind}\n");
        for (labels, value) in samples {
            self.text += &format!("boss_ingest_{name}{{job=\"{}\"{labels}}} {value}\n", self.job);
        }
    }

    fn one(&mut self, kind: Kind, name: &str, help: &str, value: f64) {
        self.metric(kind, name, help, &[(String::new(), value)]);
    }

    fn job(&mut self, snapshot: &Snapshot) {
        let gauges = [
            ("job_tasks", "Tasks of the whole job.", Some(snapshot.tasks as f64)),
            ("job_tasks_done", "Tasks that any host has done, as far as this one knows.", Some(snapshot.done as f64)),
            ("job_tasks_free", "Tasks that nobody holds, as the server told.", snapshot.free.map(|free| free as f64)),
            ("job_left_seconds", "Time until the whole job is uploaded.", snapshot.left.map(|left| left.as_secs_f64())),
        ];
        for (name, help, value) in gauges {
            if let Some(value) = value {
                self.one(Kind::Gauge, name, help, value);
            }
        }
    }

    fn host(&mut self, snapshot: &Snapshot) {
        self.one(Kind::Gauge, "tasks_held", "Tasks that this process holds.", snapshot.held as f64);
        let counters = [
            ("tasks_stored_total", "Tasks that this process stored.", snapshot.stored),
            ("tasks_bad_total", "Tasks that this process put in quarantine.", snapshot.quarantined),
            ("retries_total", "Requests and tasks that were tried again.", snapshot.retries),
            ("voxel_bytes_total", "Bytes of the voxels that this process stored.", snapshot.voxel_bytes),
            ("sent_bytes_total", "Bytes of the objects that were sent for them.", snapshot.sent_bytes),
        ];
        for (name, help, value) in counters {
            self.one(Kind::Counter, name, help, value as f64);
        }
    }

    fn pulse(&mut self, pulse: &Pulse) {
        let gauges = [
            ("uploads_in_flight", "Uploads in flight.", pulse.uploads.used),
            ("uploads_limit", "Uploads that may be in flight at once.", pulse.uploads.of),
            ("cpu_threads_used", "Threads that decode, compress or run scripts.", pulse.cpu.used),
            ("cpu_threads", "Threads for decoding, compressing and scripts.", pulse.cpu.of),
            ("congested", "1 when S3 throttled within ten seconds, else 0.", u64::from(pulse.is_congested)),
        ];
        for (name, help, value) in gauges {
            self.one(Kind::Gauge, name, help, value as f64);
        }
        let bounds = BOUNDS.map(|bound| {
            let is_bound = pulse.bound == Some(bound);
            (format!(",bound=\"{}\"", bound.name()), f64::from(u8::from(is_bound)))
        });
        self.metric(Kind::Gauge, "bound", "1 for what bounds the run now, else 0.", &bounds);
    }

    fn stages(&mut self, stages: &[StageNow]) {
        let each = |value: &dyn Fn(&StageNow) -> f64| -> Vec<(String, f64)> {
            stages.iter().map(|stage| (format!(",stage=\"{}\"", stage.name), value(stage))).collect()
        };
        let (working, waiting) = (each(&|stage| stage.working as f64), each(&|stage| stage.waiting as f64));
        self.metric(Kind::Gauge, "stage_working", "Tasks that a stage works on.", &working);
        self.metric(Kind::Gauge, "stage_waiting", "Tasks that wait for a place in the next stage.", &waiting);
        let (done, failed) = (each(&|stage| stage.done as f64), each(&|stage| stage.failed as f64));
        self.metric(Kind::Counter, "stage_done_total", "Tasks that a stage handed on.", &done);
        self.metric(Kind::Counter, "stage_failed_total", "Tasks that failed in a stage.", &failed);
        let work = each(&|stage| stage.work_time.as_secs_f64());
        self.metric(Kind::Counter, "stage_work_seconds_total", "Time of work, summed over tasks.", &work);
        let wait = each(&|stage| stage.wait_time.as_secs_f64());
        let help = "Time of waiting for the next stage, summed over tasks.";
        self.metric(Kind::Counter, "stage_wait_seconds_total", help, &wait);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::report::{Bound, News, Progress};

    #[test]
    fn every_sample_stands_below_its_help_and_type() {
        let mut progress = Progress::default();
        assert_eq!(metrics(&progress.snapshot()), "");
        progress.take(&News::Started { job: 7, tasks: 10, noun: "tile" }, Duration::ZERO);
        let read = StageNow { name: "read", done: 3, work_time: Duration::from_millis(1500), ..StageNow::default() };
        let pulse = Pulse { stages: vec![read], bound: Some(Bound::Cpu), ..Pulse::default() };
        progress.take(&News::Pulse(Arc::new(pulse)), Duration::from_secs(1));
        let text = metrics(&progress.snapshot());
        let wanted = [
            "# HELP boss_ingest_job_tasks Tasks of the whole job.\n# TYPE boss_ingest_job_tasks gauge\n\
             boss_ingest_job_tasks{job=\"7\"} 10\n",
            "# TYPE boss_ingest_stage_work_seconds_total counter\n\
             boss_ingest_stage_work_seconds_total{job=\"7\",stage=\"read\"} 1.5\n",
            "boss_ingest_bound{job=\"7\",bound=\"cpu\"} 1\n",
            "boss_ingest_bound{job=\"7\",bound=\"source\"} 0\n",
        ];
        for wanted in wanted {
            assert!(text.contains(wanted), "{wanted}\nis not in\n{text}");
        }
        assert!(!text.contains("job_left_seconds"), "nothing is known of the time left");
    }
}
