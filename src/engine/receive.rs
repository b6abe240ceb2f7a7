//! The stage that takes tasks from the queue.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::batch::BATCH;
use super::error::EngineError;
use super::ledger::Ledger;
use super::lookahead::Lookahead;
use super::record::{Recorded, recall};
use super::shutdown::Shutdown;
use super::task::{Received, Ticket};
use super::triage::Triage;
use crate::boss::{Message, Session};
use crate::protocol::UploadMessage;
use crate::report::{News, Report};
use crate::volume::Index;

/// How long the queue is asked to wait for a message when it has none.
const POLL: Duration = Duration::from_secs(1);

/// Takes messages while there are any.
pub struct ReceiveStage {
    pub session: Arc<Session>,
    pub ledger: Arc<Ledger>,
    pub lookahead: Arc<Lookahead>,
    pub triage: Arc<Triage>,
    pub shutdown: Shutdown,
    pub report: Arc<dyn Report>,
    pub lease: Duration,
}

/// Why no more tasks are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// The queue has no free message and this process holds none.
    Empty,
    /// The queue is gone: the job was completed or cancelled elsewhere.
    QueueGone,
    /// The run is to end.
    Asked,
}

/// The part of a lease that must be left for a task to be begun.
const LATE_SHARE: u32 = 8;

impl Ticket {
    /// Whether too little of the lease is left to begin the task.
    pub fn is_late(&self, now: Instant) -> bool {
        let lease = self.deadline.duration_since(self.taken);
        now + lease / LATE_SHARE > self.deadline
    }
}

impl ReceiveStage {
    /// Hands tasks on until the queue is empty and everything taken is done, or the run is to end. Those that the ledger has
    /// for the very message go to `known`, to be acknowledged.
    ///
    /// # Errors
    /// When the queue cannot be reached for minutes, or refuses; when the ledger cannot be read.
    pub async fn run(&self, to: mpsc::Sender<Received>, known: mpsc::Sender<Recorded>) -> Result<Drained, EngineError> {
        while !self.shutdown.is_draining() {
            let taken = tokio::select! {
                taken = self.take(&to, &known) => taken?,
                () = self.last_answer() => break,
            };
            if let Some(drained) = taken {
                return Ok(drained);
            }
        }
        Ok(Drained::Asked)
    }

    /// Waits for the end of the run, and then for what a receive under way may still bring: messages that were handed out
    /// to nobody would be missing until their lease ends.
    async fn last_answer(&self) {
        self.shutdown.drained().await;
        tokio::time::sleep(POLL * 2).await;
    }

    /// One receive. `Some` when there is nothing more to take.
    async fn take(
        &self,
        to: &mpsc::Sender<Received>,
        known: &mpsc::Sender<Recorded>,
    ) -> Result<Option<Drained>, EngineError> {
        let mut places = self.lookahead.take(BATCH).await;
        let asked = Instant::now();
        let messages = match self.session.receive(places.len(), POLL).await {
            Ok(messages) => messages,
            Err(error) if error.job_is_over() => return Ok(Some(Drained::QueueGone)),
            Err(error) => return Err(error.into()),
        };
        let tickets = self.tickets(messages, &mut places, asked);
        if tickets.is_empty() {
            return Ok(self.lookahead.is_idle_but(places.len()).then_some(Drained::Empty));
        }
        let (stored, fresh) = recall(&self.ledger, tickets).await?;
        for task in stored {
            if known.send(task).await.is_err() {
                return Ok(Some(Drained::Asked));
            }
        }
        for ticket in fresh {
            if to.send(Received { ticket }).await.is_err() {
                return Ok(Some(Drained::Asked));
            }
        }
        Ok(None)
    }

    /// Gives each message that is to be worked on one of the places.
    fn tickets(&self, messages: Vec<Message>, places: &mut Vec<OwnedSemaphorePermit>, taken: Instant) -> Vec<Ticket> {
        let mut tickets = Vec::with_capacity(messages.len());
        for message in messages {
            let Some((index, parsed)) = self.read(&message) else { continue };
            self.report.tell(News::Taken { index });
            tickets.push(Ticket {
                index,
                message: parsed,
                message_id: message.id,
                receipt: message.receipt,
                taken,
                deadline: taken + self.lease,
                tries: 1,
                sources: Vec::new(),
                filled: None,
                _place: places.pop().expect("a receive gives no more than it was asked for"),
            });
        }
        tickets
    }

    /// Reads a message. One whose task is known to be bad is left to come again; one that cannot be read ends the run.
    fn read(&self, message: &Message) -> Option<(Index, UploadMessage)> {
        match UploadMessage::parse(&message.body).and_then(|parsed| Ok((parsed.index()?, parsed))) {
            Ok((index, _)) if self.triage.is_bad(index) => None,
            Ok(read) => Some(read),
            Err(source) => {
                tracing::warn!(message = %message.id, body = %message.body, "a message of the upload queue cannot be read");
                self.triage.end(EngineError::StrangeMessage { id: message.id.clone(), source });
                None
            }
        }
    }
}
