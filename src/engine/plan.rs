//! The stage that asks the script what to read.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::cpu::Cpu;
use super::fill;
use super::lookahead::Lookahead;
use super::pipeline::Stage;
use super::task::{Planned, Received};
use super::triage::{Failed, TaskError};
use crate::lua::{Answer, Host, ScriptError, Scripts};
use crate::source::{SourceFile, Sources};
use crate::volume::{Dtype, Index, Size};

/// Runs scripts, each state on one thread at a time; as many states as are needed at once.
pub struct PlanStage {
    hosts: Arc<Hosts>,
    cpu: Cpu,
    task: (Size, Dtype),
    lookahead: Arc<Lookahead>,
}

/// Script states that nobody uses just now, and what new ones are made of.
struct Hosts {
    scripts: Arc<Scripts>,
    sources: Arc<Sources>,
    idle: Mutex<Vec<Host>>,
}

impl PlanStage {
    /// `task` is the size and voxel type of each task; `lookahead` knows which are too late to be begun.
    pub fn new(
        (scripts, sources): (Arc<Scripts>, Arc<Sources>),
        cpu: Cpu,
        task: (Size, Dtype),
        lookahead: Arc<Lookahead>,
    ) -> Self {
        PlanStage { hosts: Arc::new(Hosts { scripts, sources, idle: Mutex::default() }), cpu, task, lookahead }
    }
}

impl Stage for PlanStage {
    type In = Received;
    type Out = Planned;
    const NAME: &str = "plan";

    /// Asks for the task's plan, and notes the files that it reads. A task that would not end within its lease is not started; one that
    /// is to be filled needs no script.
    async fn process(&self, task: Received) -> Result<Planned, Failed> {
        let Received { mut ticket } = task;
        let now = Instant::now();
        if self.lookahead.is_late(ticket.lease.deadline(), now) {
            return Err(Failed { ticket, error: TaskError::Late });
        }
        ticket.begun = Some(now);
        if let Some(fill) = ticket.filled.as_ref().and_then(|filled| filled.fill) {
            let plan = fill::plan(self.task.0, self.task.1, fill);
            return Ok(Planned { ticket, plan });
        }
        let (hosts, index) = (self.hosts.clone(), ticket.index);
        match self.cpu.run(move || hosts.plan(index)).await {
            Ok((Answer::Plan(plan), files)) => {
                ticket.sources = files;
                Ok(Planned { ticket, plan })
            }
            Ok((Answer::Missing { reason }, _)) => Err(Failed { ticket, error: TaskError::Missing { reason } }),
            Err(error) => Err(Failed { ticket, error: TaskError::Script(error) }),
        }
    }
}

impl Hosts {
    fn plan(&self, index: Index) -> Result<(Answer, Vec<SourceFile>), ScriptError> {
        let idle = self.idle().pop();
        let mut host = match idle {
            Some(host) => host,
            None => self.scripts.host(self.sources.clone())?,
        };
        let answer = host.plan(index);
        self.idle().push(host);
        let answer = answer?;
        let files = match &answer {
            Answer::Plan(plan) => self.sources.files(plan),
            Answer::Missing { .. } => Vec::new(),
        };
        Ok((answer, files))
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Host>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
