//! The stage that takes tasks from the queue.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::batch::BATCH;
use super::error::EngineError;
use super::lease::Leases;
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
    pub leases: Leases,
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

/// How many receives are under way at once: one more after each that brought all it asked for, one alone when the queue has
/// nothing. Over a slow link ten messages come each round trip and receiver.
const MOST_RECEIVERS: usize = 8;

/// What one receive found.
enum Taken {
    /// As much as was asked for.
    All,
    Some,
    Nothing,
    /// There is nothing more to take.
    Last(Drained),
}

impl ReceiveStage {
    /// Hands tasks on until the queue is empty and everything taken is done, or the run is to end. Those that the ledger has
    /// for the very message go to `known`, to be acknowledged.
    ///
    /// # Errors
    /// When the queue cannot be reached for minutes, or refuses; when the ledger cannot be read.
    pub async fn run(&self, to: mpsc::Sender<Received>, known: mpsc::Sender<Recorded>) -> Result<Drained, EngineError> {
        let mut receivers = 1;
        let mut receiving = FuturesUnordered::new();
        loop {
            while receiving.len() < receivers && !self.shutdown.is_draining() {
                receiving.push(self.take(&to, &known));
            }
            let taken = tokio::select! {
                taken = receiving.next() => match taken {
                    Some(taken) => taken?,
                    None => return Ok(Drained::Asked),
                },
                () = self.last_answer() => return Ok(Drained::Asked),
            };
            receivers = match taken {
                Taken::All => (receivers + 1).min(MOST_RECEIVERS),
                Taken::Some => receivers,
                Taken::Nothing => 1,
                Taken::Last(drained) => return Ok(drained),
            };
        }
    }

    /// Waits for the end of the run, and then for what a receive under way may still bring: messages that were handed out
    /// to nobody would be missing until their lease ends.
    async fn last_answer(&self) {
        self.shutdown.drained().await;
        tokio::time::sleep(POLL * 2).await;
    }

    /// One receive, as soon as there are places for what it brings.
    async fn take(&self, to: &mpsc::Sender<Received>, known: &mpsc::Sender<Recorded>) -> Result<Taken, EngineError> {
        let mut places = tokio::select! {
            places = self.lookahead.take(BATCH) => places,
            () = self.shutdown.drained() => return Ok(Taken::Nothing),
        };
        let asked = Instant::now();
        let messages = match self.session.receive(places.len(), POLL).await {
            Ok(messages) => messages,
            Err(error) if error.job_is_over() => return Ok(Taken::Last(Drained::QueueGone)),
            Err(error) => return Err(error.into()),
        };
        let taken = if messages.len() == places.len() { Taken::All } else { Taken::Some };
        let tickets = self.tickets(messages, &mut places, asked);
        if tickets.is_empty() {
            let is_idle = self.lookahead.is_idle_but(places.len());
            return Ok(if is_idle { Taken::Last(Drained::Empty) } else { Taken::Nothing });
        }
        let (stored, fresh) = recall(&self.ledger, tickets).await?;
        for task in stored {
            if known.send(task).await.is_err() {
                return Ok(Taken::Last(Drained::Asked));
            }
        }
        for ticket in fresh {
            if to.send(Received { ticket }).await.is_err() {
                return Ok(Taken::Last(Drained::Asked));
            }
        }
        Ok(taken)
    }

    /// Gives each message that is to be worked on one of the places.
    fn tickets(&self, messages: Vec<Message>, places: &mut Vec<OwnedSemaphorePermit>, taken: Instant) -> Vec<Ticket> {
        let mut tickets = Vec::with_capacity(messages.len());
        for message in messages {
            let Some((index, parsed)) = self.read(&message) else { continue };
            let lease = self.leases.begin(&message.id, message.receipt, taken, taken + self.lease);
            // One that is still being worked on is not begun anew.
            let Some(lease) = lease else { continue };
            self.report.tell(News::Taken { index });
            tickets.push(Ticket {
                index,
                message: parsed,
                message_id: message.id,
                lease,
                begun: None,
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
