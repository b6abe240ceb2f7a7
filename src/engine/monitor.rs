//! Tells how a run goes while it does: each second the stages and what bounds them, from time to time the server's count
//! of tasks, and once, loudly, when nothing moves.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::clock::Clocks;
use super::cpu::Cpu;
use crate::boss::Session;
use crate::report::{Bound, News, Places, Pulse, Report, Signs, StageNow, Watchdog};

/// Time between two pulses.
const PULSE: Duration = Duration::from_secs(1);
/// Time between two questions to the server.
const ASK: Duration = Duration::from_secs(5);
/// Pulses that the bound is judged by.
const JUDGED: usize = 5;

/// Watches one run.
pub struct Monitor {
    pub session: Arc<Session>,
    pub report: Arc<dyn Report>,
    pub clocks: Arc<Clocks>,
    pub cpu: Cpu,
    /// Nothing may move for so long before that is told.
    pub stall_after: Duration,
}

/// A look at everything that the bound is judged by.
struct Look {
    at: Instant,
    stages: Vec<StageNow>,
    cpu: StageNow,
    cpu_time: Duration,
    machine: f64,
}

impl Monitor {
    /// Watches for ever; ends by being dropped.
    pub async fn watch(self) {
        tokio::join!(self.beat(), self.ask());
    }

    /// Tells the counts as they are at the end, when nothing bounds the run any more.
    pub fn tell_last(&self) {
        let looks = VecDeque::from([self.look(Duration::ZERO, 0.0)]);
        self.report.tell(News::Pulse(Arc::new(self.pulse(&looks))));
    }

    /// A question that fails is asked again later: nothing depends on it.
    async fn ask(&self) {
        loop {
            match self.session.rest().status(self.session.job().id).await {
                Ok(status) => self.report.tell(News::Remaining { tasks: status.current_message_count }),
                Err(error) => tracing::debug!(%error, "the server did not tell the job's status"),
            }
            sleep(ASK).await;
        }
    }

    async fn beat(&self) {
        let mut ticks = interval(PULSE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut looks, mut process) = (VecDeque::new(), OwnProcess::new());
        let (mut dog, mut away) = (Watchdog::new(self.stall_after), None);
        loop {
            ticks.tick().await;
            let cpu_time = process.cpu_time();
            looks.push_back(self.look(cpu_time, process.machine()));
            if looks.len() > JUDGED {
                looks.pop_front();
            }
            let pulse = self.pulse(&looks);
            self.tell_away(&mut away, pulse.away);
            let watched = dog.look(&pulse, Instant::now());
            self.report.tell(News::Pulse(Arc::new(pulse)));
            if let Some(watched) = watched {
                tracing::warn!("{}", watched.sentence("task"));
                self.report.tell(News::Watched(watched));
            }
        }
    }

    fn look(&self, cpu_time: Duration, machine: f64) -> Look {
        Look { at: Instant::now(), stages: self.clocks.look(), cpu: self.cpu.look(), cpu_time, machine }
    }

    fn pulse(&self, looks: &VecDeque<Look>) -> Pulse {
        let load = self.session.load();
        let cpu = Places { used: looks.back().map_or(0, |look| look.cpu.working), of: self.cpu.threads() as u64 };
        Pulse {
            stages: looks.back().map(|look| look.stages.clone()).unwrap_or_default(),
            cpu,
            uploads: Places { used: load.uploads.in_flight as u64, of: load.uploads.limit as u64 },
            is_congested: load.uploads.is_congested,
            away: load.away.map(|(service, _)| service.name()),
            retries: self.session.counts().retries(),
            bound: self.bound(looks, cpu),
        }
    }

    fn bound(&self, looks: &VecDeque<Look>, cpu: Places) -> Option<Bound> {
        let (first, last) = (looks.front()?, looks.back()?);
        let elapsed = last.at.duration_since(first.at);
        if elapsed.is_zero() {
            return None;
        }
        let mean = |from: Duration, to: Duration| to.saturating_sub(from).as_secs_f64() / elapsed.as_secs_f64();
        let load = self.session.load();
        let signs = Signs {
            stages: Signs::of_stages(&first.stages, &last.stages, elapsed),
            cpu_places: cpu.share(mean(first.cpu.work_time, last.cpu.work_time)),
            cpu_time: cpu.share(mean(first.cpu_time, last.cpu_time)),
            machine: looks.iter().map(|look| look.machine).sum::<f64>() / looks.len() as f64,
            uploads_full: load.uploads.is_full,
            is_congested: load.uploads.is_congested,
            is_away: load.away.is_some(),
        };
        Some(signs.bound())
    }

    /// Says once that a service does not answer, and once that it does again.
    fn tell_away(&self, before: &mut Option<&'static str>, now: Option<&'static str>) {
        let text = match (std::mem::replace(before, now), now) {
            (None, Some(service)) => format!("{service} does not answer; it is asked again until it does"),
            (Some(service), None) => format!("{service} answers again"),
            _ => return,
        };
        self.report.tell(News::Phase(text));
    }
}

/// This process, as the system counts its time.
struct OwnProcess {
    system: System,
    pid: Option<Pid>,
}

impl OwnProcess {
    fn new() -> Self {
        OwnProcess { system: System::new(), pid: sysinfo::get_current_pid().ok() }
    }

    /// The time that its threads have computed.
    fn cpu_time(&mut self) -> Duration {
        let Some(pid) = self.pid else { return Duration::ZERO };
        let kind = ProcessRefreshKind::nothing().with_cpu().without_tasks();
        self.system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, kind);
        self.system.process(pid).map_or(Duration::ZERO, |process| Duration::from_millis(process.accumulated_cpu_time()))
    }

    /// The share of the machine's time that anybody used since the last look.
    fn machine(&mut self) -> f64 {
        self.system.refresh_cpu_usage();
        f64::from(self.system.global_cpu_usage()) / 100.0
    }
}
