//! What bounds a run now: which of all the things that it uses would have to be faster for it to be faster.

use std::fmt;
use std::time::Duration;

use super::{Places, StageNow};

/// What bounds a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bound {
    /// There are no tasks to be had.
    Queue,
    /// Files or volumes are read no faster.
    Source,
    /// All threads compute.
    Cpu,
    /// More requests at once would send no more.
    Network,
    /// The Boss, S3 or SQS throttles, is late, or is away.
    Server,
    /// The disk with the ledger.
    Ledger,
}

/// All of them, in the order of a task's way.
pub const BOUNDS: [Bound; 6] = [Bound::Queue, Bound::Source, Bound::Cpu, Bound::Network, Bound::Server, Bound::Ledger];

impl Bound {
    /// One word, as programs read it.
    pub fn name(self) -> &'static str {
        match self {
            Bound::Queue => "queue",
            Bound::Source => "source",
            Bound::Cpu => "cpu",
            Bound::Network => "network",
            Bound::Server => "server",
            Bound::Ledger => "ledger",
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Bound::Cpu => "CPU",
            other => other.name(),
        })
    }
}

/// What is seen of a run over some seconds. Numbers of tasks and places are means.
#[derive(Clone, Debug, Default)]
pub struct Signs {
    /// Tasks that each stage worked on, and that waited behind it.
    pub stages: Vec<(&'static str, f64, f64)>,
    /// The share of the threads that were in use.
    pub cpu_places: f64,
    /// The share of the threads' time that the process got from the machine.
    pub cpu_time: f64,
    /// The share of the machine's time that anybody used.
    pub machine: f64,
    /// Requests had to wait for a place.
    pub uploads_full: bool,
    pub is_congested: bool,
    pub is_away: bool,
}

/// Threads in use to so large a share are all in use.
const ALL_THREADS: f64 = 0.85;
/// Threads that get less of the machine's time than this mostly wait for a disk.
const COMPUTING: f64 = 0.5;
/// A machine that is so busy gives each less than it could use.
const BUSY: f64 = 0.85;
/// Fewer tasks than this under way are none.
const ANY_TASK: f64 = 0.5;

impl Signs {
    /// What happened in the stages between two looks.
    pub fn of_stages(before: &[StageNow], after: &[StageNow], elapsed: Duration) -> Vec<(&'static str, f64, f64)> {
        let seconds = elapsed.as_secs_f64().max(1e-3);
        let mean = |from: Duration, to: Duration| to.saturating_sub(from).as_secs_f64() / seconds;
        let stage = |(before, after): (&StageNow, &StageNow)| {
            (after.name, mean(before.work_time, after.work_time), mean(before.wait_time, after.wait_time))
        };
        before.iter().zip(after).map(stage).collect()
    }

    /// What bounds the run. A service in trouble comes first, then whatever has no place left, then the stage with most
    /// tasks in it.
    pub fn bound(&self) -> Bound {
        let working = |name: &str| self.stages.iter().find(|stage| stage.0 == name).map_or(0.0, |stage| stage.1);
        let held: f64 = self.stages.iter().map(|stage| stage.1 + stage.2).sum();
        if self.is_away || self.is_congested {
            return Bound::Server;
        }
        if held < ANY_TASK {
            return Bound::Queue;
        }
        if self.cpu_places >= ALL_THREADS {
            let is_reading = working("read") > working("compress") + working("plan");
            let waits = self.cpu_time < COMPUTING && self.machine < BUSY;
            return if is_reading && waits { Bound::Source } else { Bound::Cpu };
        }
        if self.uploads_full {
            return Bound::Network;
        }
        let busiest = self.stages.iter().max_by(|a, b| a.1.total_cmp(&b.1));
        match busiest.map_or("", |stage| stage.0) {
            "read" => Bound::Source,
            "upload" => Bound::Network,
            "index" | "acknowledge" => Bound::Server,
            "record" => Bound::Ledger,
            _ => Bound::Cpu,
        }
    }
}

impl Places {
    /// The share that is in use, given their mean.
    pub fn share(self, mean: f64) -> f64 {
        mean / (self.of.max(1) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signs(stages: &[(&'static str, f64)]) -> Signs {
        Signs { stages: stages.iter().map(|(name, working)| (*name, *working, 0.0)).collect(), ..Signs::default() }
    }

    #[test]
    fn the_bound_is_what_has_no_place_left() {
        let idle = || signs(&[("read", 0.1), ("upload", 0.1)]);
        let reading = || signs(&[("read", 4.0), ("compress", 1.0), ("upload", 3.0)]);
        let packing = || signs(&[("read", 1.0), ("compress", 4.0), ("upload", 3.0)]);
        let sending = || signs(&[("read", 2.0), ("compress", 1.0), ("upload", 40.0)]);
        let telling = || signs(&[("read", 0.2), ("upload", 3.0), ("index", 20.0), ("acknowledge", 9.0)]);
        let table = [
            ("nothing to do", idle(), Bound::Queue),
            ("S3 is away", Signs { is_away: true, ..idle() }, Bound::Server),
            ("throttled", Signs { is_congested: true, cpu_places: 1.0, ..packing() }, Bound::Server),
            ("compressing", Signs { cpu_places: 0.95, cpu_time: 0.9, ..packing() }, Bound::Cpu),
            ("compressing beside others", Signs { cpu_places: 0.95, cpu_time: 0.3, ..packing() }, Bound::Cpu),
            ("decoding", Signs { cpu_places: 0.95, cpu_time: 0.9, ..reading() }, Bound::Cpu),
            (
                "decoding beside others",
                Signs { cpu_places: 1.0, cpu_time: 0.2, machine: 0.97, ..reading() },
                Bound::Cpu,
            ),
            ("a slow disk", Signs { cpu_places: 1.0, cpu_time: 0.1, ..reading() }, Bound::Source),
            ("a far source", Signs { cpu_places: 0.1, cpu_time: 0.1, ..reading() }, Bound::Source),
            ("a full line", Signs { cpu_places: 0.3, uploads_full: true, ..reading() }, Bound::Network),
            ("a long line", Signs { cpu_places: 0.3, ..sending() }, Bound::Network),
            ("slow queues", Signs { cpu_places: 0.3, ..telling() }, Bound::Server),
            ("a slow state directory", signs(&[("upload", 1.0), ("record", 30.0)]), Bound::Ledger),
        ];
        for (case, signs, bound) in table {
            assert_eq!(signs.bound(), bound, "{case}");
        }
    }

    #[test]
    fn means_follow_from_two_looks() {
        let stage = |work: u64, wait: u64| StageNow {
            name: "read",
            work_time: Duration::from_secs(work),
            wait_time: Duration::from_secs(wait),
            ..StageNow::default()
        };
        let means = Signs::of_stages(&[stage(10, 0)], &[stage(20, 5)], Duration::from_secs(5));
        assert_eq!(means, [("read", 2.0, 1.0)]);
    }
}
