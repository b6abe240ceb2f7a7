//! The wiring: which stage hands on to which, how many tasks each works on, and how it all ends.
//!
//! ```text
//! receive ─► plan ─► read ─► pack ─► compress ─► upload ─► index ─► record ─► acknowledge
//!        ╰──────────────────── already in the ledger ─────────────────────╯
//! ```
//! Channels are bounded, so a slow stage holds up those before it. When the receiver ends, its channel closes, and one
//! stage after the other runs dry.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::clock::{Clock, Clocks};
use super::triage::{Failed, Triage};

/// One step of a task's way.
pub trait Stage: Send + Sync + 'static {
    type In: Send + 'static;
    type Out: Send + 'static;

    /// What it is called in reports and metrics.
    const NAME: &'static str;

    /// Takes a task one step on, or gives it back with the reason.
    fn process(&self, task: Self::In) -> impl Future<Output = Result<Self::Out, Failed>> + Send;
}

/// Stages that are joined one behind the other.
pub struct Pipeline {
    triage: Arc<Triage>,
    clocks: Arc<Clocks>,
    stages: JoinSet<()>,
}

impl Pipeline {
    pub fn new(triage: Arc<Triage>, clocks: Arc<Clocks>) -> Self {
        Pipeline { triage, clocks, stages: JoinSet::new() }
    }

    /// Puts `stage` behind `from`; it works on at most `width` tasks at once.
    pub fn then<S: Stage>(&mut self, from: mpsc::Receiver<S::In>, width: usize, stage: S) -> mpsc::Receiver<S::Out> {
        let (to, out) = mpsc::channel(width);
        self.then_to(from, width, stage, to);
        out
    }

    /// As [`Pipeline::then`], into a channel that others send to as well.
    pub fn then_to<S: Stage>(&mut self, from: mpsc::Receiver<S::In>, width: usize, stage: S, to: mpsc::Sender<S::Out>) {
        let clock = self.clocks.of(S::NAME);
        self.stages.spawn(run((Arc::new(stage), clock), width, from, to, self.triage.clone()));
    }

    /// Waits until every stage has run dry. Dropping the future drops all tasks where they are.
    pub async fn finish(mut self, mut last: mpsc::Receiver<()>) {
        while last.recv().await.is_some() {}
        while let Some(stage) = self.stages.join_next().await {
            stage.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        }
    }
}

async fn run<S: Stage>(
    (stage, clock): (Arc<S>, Arc<Clock>),
    width: usize,
    mut from: mpsc::Receiver<S::In>,
    to: mpsc::Sender<S::Out>,
    triage: Arc<Triage>,
) {
    let places = Arc::new(Semaphore::new(width));
    let mut tasks = JoinSet::new();
    loop {
        let place = places.clone().acquire_owned().await.expect("places are never closed");
        let Some(task) = from.recv().await else { break };
        while let Some(ended) = tasks.try_join_next() {
            raise_panic(ended);
        }
        let (stage, to, triage) = (stage.clone(), to.clone(), triage.clone());
        let mut stay = clock.work();
        tasks.spawn(async move {
            match stage.process(task).await {
                Ok(task) => {
                    stay.wait();
                    // The next stage is gone only when all is being dropped.
                    let _ = to.send(task).await;
                    stay.done();
                }
                Err(failed) => {
                    drop(stay);
                    triage.judge(failed).await;
                }
            }
            drop(place);
        });
    }
    while let Some(ended) = tasks.join_next().await {
        raise_panic(ended);
    }
}

/// A bug in one task is a bug of the program; it must not pass for a task that is merely late.
fn raise_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        std::panic::resume_unwind(error.into_panic());
    }
}
