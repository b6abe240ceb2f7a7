//! The stage that writes down what is stored. Only what went through here, or was found here, can be acknowledged.

use std::sync::Arc;

use super::ledger::{Ledger, LedgerError, StoredTask};
use super::pipeline::Stage;
use super::task::{Indexed, Ticket};
use super::triage::{Failed, TaskError};
use crate::report::{News, Report};

/// Records stored tasks in the ledger.
pub struct RecordStage {
    pub ledger: Arc<Ledger>,
    pub report: Arc<dyn Report>,
}

/// A task that the ledger has: its objects are stored, the Boss knows of it, and both are written down. Nothing outside
/// of this file can make one.
#[derive(Debug)]
pub struct Recorded {
    ticket: Ticket,
    voxel_bytes: u64,
    sent_bytes: u64,
}

impl Recorded {
    /// The ticket, and the bytes of voxels and of objects that this run moved for it.
    pub fn into_parts(self) -> (Ticket, u64, u64) {
        (self.ticket, self.voxel_bytes, self.sent_bytes)
    }
}

impl Stage for RecordStage {
    type In = Indexed;
    type Out = Recorded;
    const NAME: &str = "record";

    /// Goes on when the record is committed. A task that cannot be recorded comes again from the queue.
    async fn process(&self, task: Indexed) -> Result<Recorded, Failed> {
        let Indexed { mut ticket, checksums, voxel_bytes, sent_bytes } = task;
        let record = StoredTask {
            index: ticket.index,
            message: ticket.message_id.clone(),
            checksums,
            sent_bytes,
            sources: std::mem::take(&mut ticket.sources),
            filled: ticket.filled.take().map(|filled| *filled),
        };
        match self.ledger.record(record).await {
            Ok(changed) => {
                for source in changed {
                    let path = source.path;
                    tracing::warn!(%path, "a source changed during the job");
                    let text = format!("warning: `{path}` changed since an earlier task was read from it");
                    self.report.tell(News::Phase(text));
                }
                Ok(Recorded { ticket, voxel_bytes, sent_bytes })
            }
            Err(error) => Err(Failed { ticket, error: TaskError::Ledger(error) }),
        }
    }
}

/// Parts what was received into tasks that are recorded as stored for the very message, and the others.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn recall(ledger: &Ledger, tickets: Vec<Ticket>) -> Result<(Vec<Recorded>, Vec<Ticket>), LedgerError> {
    let asked = tickets.iter().map(|ticket| (ticket.index, ticket.message_id.clone())).collect();
    let answers = ledger.are_stored(asked).await?;
    let (mut recorded, mut others) = (Vec::new(), Vec::new());
    for (ticket, is_stored) in tickets.into_iter().zip(answers) {
        if is_stored {
            recorded.push(Recorded { ticket, voxel_bytes: 0, sent_bytes: 0 });
        } else {
            others.push(ticket);
        }
    }
    Ok((recorded, others))
}
