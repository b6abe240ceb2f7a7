//! The stage that asks the script what to read.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::cpu::Cpu;
use super::pipeline::Stage;
use super::task::{Planned, Received};
use super::triage::{Failed, TaskError};
use crate::lua::{Answer, Host, ScriptError, Scripts};
use crate::source::Sources;
use crate::volume::Index;

/// Runs scripts, each state on one thread at a time; as many states as are needed at once.
pub struct PlanStage {
    hosts: Arc<Hosts>,
    cpu: Cpu,
}

/// Script states that nobody uses just now, and what new ones are made of.
struct Hosts {
    scripts: Arc<Scripts>,
    sources: Arc<Sources>,
    idle: Mutex<Vec<Host>>,
}

impl PlanStage {
    pub fn new(scripts: Arc<Scripts>, sources: Arc<Sources>, cpu: Cpu) -> Self {
        PlanStage { hosts: Arc::new(Hosts { scripts, sources, idle: Mutex::default() }), cpu }
    }
}

impl Stage for PlanStage {
    type In = Received;
    type Out = Planned;

    /// Asks for the task's plan. A task whose lease is nearly over is not started.
    async fn process(&self, task: Received) -> Result<Planned, Failed> {
        let Received { ticket } = task;
        if ticket.is_late(Instant::now()) {
            return Err(Failed { ticket, error: TaskError::Late });
        }
        let (hosts, index) = (self.hosts.clone(), ticket.index);
        match self.cpu.run(move || hosts.plan(index)).await {
            Ok(Answer::Plan(plan)) => Ok(Planned { ticket, plan }),
            Ok(Answer::Missing { reason }) => Err(Failed { ticket, error: TaskError::Missing { reason } }),
            Err(error) => Err(Failed { ticket, error: TaskError::Script(error) }),
        }
    }
}

impl Hosts {
    fn plan(&self, index: Index) -> Result<Answer, ScriptError> {
        let idle = self.idle().pop();
        let mut host = match idle {
            Some(host) => host,
            None => self.scripts.host(self.sources.clone())?,
        };
        let answer = host.plan(index);
        self.idle().push(host);
        answer
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Host>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
