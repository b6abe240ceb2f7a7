//! What becomes of a task that failed: tried again, put in quarantine, given back to the queue, or the end of the run.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;

use super::error::EngineError;
use super::fill::{OnBadTile, may_fill};
use super::ledger::{Entry, Ledger, LedgerError};
use super::shutdown::Shutdown;
use super::task::{Received, Ticket};
use crate::boss::BossError;
use crate::codec::CodecError;
use crate::lua::{Fault, ScriptError};
use crate::report::{BadTask, News, Report};
use crate::source::SourceError;
use crate::volume::{Index, Size};

/// A task that did not get through a stage.
#[derive(Debug)]
pub struct Failed {
    pub ticket: Ticket,
    pub error: TaskError,
}

/// Why a task did not get through a stage.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    #[error(transparent)]
    Script(ScriptError),
    /// The script says that there is no such tile.
    #[error("the script says: {reason}")]
    Missing { reason: String },
    #[error(transparent)]
    Source(SourceError),
    #[error("the voxels could not be encoded")]
    Codec(#[source] CodecError),
    #[error("the message is for the other kind of job")]
    WrongKind,
    #[error("the message names a cuboid at x {x}, y {y}, z {z}, which is none of the cuboids of a chunk of {chunk}")]
    CuboidOutside { x: u64, y: u64, z: u64, chunk: Size },
    #[error(transparent)]
    Boss(Arc<BossError>),
    #[error(transparent)]
    Ledger(LedgerError),
    /// Its lease was nearly over before anything was begun.
    #[error("there was no time left to do it")]
    Late,
    /// The run is being dropped.
    #[error("the run was stopped")]
    Stopped,
}

/// Tries before a task is put in quarantine, and the pause before each but the first.
const TRIES: u32 = 3;
const PAUSES: [Duration; TRIES as usize - 1] = [Duration::from_millis(250), Duration::from_millis(1500)];

/// Judges failed tasks, and remembers the bad ones.
pub struct Triage {
    kind: &'static str,
    on_bad: OnBadTile,
    ledger: Arc<Ledger>,
    report: Arc<dyn Report>,
    shutdown: Shutdown,
    /// To the first stage; weak, so that it does not keep the pipeline from running dry.
    again: mpsc::WeakSender<Received>,
    bad: Mutex<BTreeMap<Index, BadTask>>,
    fatal: Mutex<Option<EngineError>>,
}

impl Triage {
    pub fn new(
        kind: &'static str,
        on_bad: OnBadTile,
        ledger: Arc<Ledger>,
        report: Arc<dyn Report>,
        shutdown: Shutdown,
        again: mpsc::WeakSender<Received>,
    ) -> Self {
        Triage { kind, on_bad, ledger, report, shutdown, again, bad: Mutex::default(), fatal: Mutex::default() }
    }

    /// Decides what becomes of a failed task.
    pub async fn judge(&self, failed: Failed) {
        let Failed { ticket, error } = failed;
        tracing::info!(task = %ticket.index, tries = ticket.tries, %error, "task failed");
        match error {
            TaskError::Boss(error) if error.stops_the_job() => {
                self.give_back(ticket);
                self.end(EngineError::Boss(error));
            }
            TaskError::Boss(error) if error.is_temporary() => self.give_back(ticket),
            TaskError::Ledger(error) => {
                self.give_back(ticket);
                self.end(error.into());
            }
            TaskError::Late | TaskError::Stopped => self.give_back(ticket),
            error if ticket.tries < TRIES => self.try_again(ticket, error),
            error => self.bad(ticket, error).await,
        }
    }

    /// Whether a task is in quarantine, so that it need not be tried when it comes again.
    pub fn is_bad(&self, index: Index) -> bool {
        self.bad.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&index)
    }

    /// The tasks in quarantine, in the order of their indices.
    pub fn bad_tasks(&self) -> Vec<BadTask> {
        self.bad.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Ends the run: no more tasks are taken. The first reason is kept.
    pub fn end(&self, error: EngineError) {
        self.fatal.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        self.shutdown.drain();
    }

    /// Why the run had to end, if it had to.
    pub fn take_fatal(&self) -> Option<EngineError> {
        self.fatal.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Drops the ticket; the queue hands the task out again when its lease ends.
    fn give_back(&self, ticket: Ticket) {
        self.report.tell(News::Returned { index: ticket.index });
    }

    fn try_again(&self, mut ticket: Ticket, error: TaskError) {
        // When the first stage is gone, the run ends, and the task comes back from the queue.
        let Some(again) = self.again.upgrade() else { return self.give_back(ticket) };
        tracing::debug!(task = %ticket.index, %error, "tried again");
        let pause = PAUSES[ticket.tries.saturating_sub(1) as usize % PAUSES.len()];
        ticket.tries += 1;
        self.report.tell(News::Retried);
        tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            // As above.
            let _ = again.send(Received { ticket }).await;
        });
    }

    /// A task that is bad after all its tries is filled, or put in quarantine; the latter may end the run.
    async fn bad(&self, ticket: Ticket, error: TaskError) {
        match self.on_bad {
            OnBadTile::Fill(value) if may_fill(&error) && ticket.filled.is_none() => {
                self.fill(ticket, &error, value).await
            }
            OnBadTile::Stop => {
                self.quarantine(ticket, &error).await;
                self.shutdown.drain();
            }
            _ => self.quarantine(ticket, &error).await,
        }
    }

    /// Sends the task round once more, to be filled.
    async fn fill(&self, mut ticket: Ticket, error: &TaskError, value: f64) {
        let Some(again) = self.again.upgrade() else { return self.give_back(ticket) };
        let bad = self.bad_task(&ticket, error);
        tracing::warn!(task = %ticket.index, reason = %bad.reason, value, "task is filled");
        self.report.tell(News::Phase(format!("{}; it is filled with {value}", bad.in_one_line())));
        ticket.filled = Some(Box::new(entry(bad, Some(value))));
        ticket.tries = 1;
        tokio::spawn(async move {
            let _ = again.send(Received { ticket }).await;
        });
    }

    async fn quarantine(&self, ticket: Ticket, error: &TaskError) {
        let bad = self.bad_task(&ticket, error);
        tracing::warn!(task = %ticket.index, reason = %bad.reason, "task is bad");
        if let Err(error) = self.ledger.quarantine(entry(bad.clone(), None)).await {
            self.end(error.into());
        }
        self.bad.lock().unwrap_or_else(PoisonError::into_inner).insert(ticket.index, bad.clone());
        self.report.tell(News::Quarantined(bad));
    }

    fn bad_task(&self, ticket: &Ticket, error: &TaskError) -> BadTask {
        BadTask {
            kind: self.kind,
            index: ticket.index,
            file: error.file(),
            reason: error.reason(),
            hint: error.hint(),
            tries: ticket.tries,
        }
    }
}

/// What the ledger keeps of a bad task.
fn entry(bad: BadTask, fill: Option<f64>) -> Entry {
    let BadTask { kind, index, file, reason, hint, tries } = bad;
    Entry { kind: kind.to_owned(), index, file, reason, hint, tries, fill }
}

impl TaskError {
    /// The source that is at fault, if one is.
    fn file(&self) -> Option<String> {
        match self {
            TaskError::Source(error) => error.path().map(str::to_owned),
            _ => None,
        }
    }

    /// What went wrong, with the causes; for a script with the lines around the fault.
    fn reason(&self) -> String {
        let mut reason = chain(self);
        if let TaskError::Script(error) = self
            && let Some(excerpt) = error.fault().map(Fault::excerpt)
        {
            reason += &format!("\n{excerpt}");
        }
        reason.trim_end().to_owned()
    }

    fn hint(&self) -> Option<String> {
        match self {
            TaskError::Script(error) => error.hint(),
            TaskError::Source(error) => error.hint(),
            TaskError::Boss(error) => error.hint().map(str::to_owned),
            TaskError::Ledger(error) => error.hint(),
            TaskError::Missing { .. } => Some("give the file, or let the plan say `missing = \"fill\"`".to_owned()),
            TaskError::WrongKind | TaskError::CuboidOutside { .. } => {
                Some("compare the job file with the one that created the job".to_owned())
            }
            TaskError::Codec(_) | TaskError::Late | TaskError::Stopped => None,
        }
    }
}

/// An error with its causes on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text += &format!(": {cause_text}");
        }
        next = cause.source();
    }
    text
}
