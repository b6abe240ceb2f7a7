//! The stage that deletes a task's message: the only place that can, and it takes only a task that the ledger
//! has: stored, indexed and recorded.

use std::sync::Arc;
use std::time::Instant;

use super::batch::{Batcher, answered, each};
use super::lookahead::Lookahead;
use super::pipeline::Stage;
use super::record::Recorded;
use super::triage::Failed;
use crate::boss::{BossError, Session};
use crate::report::{News, Report};

/// Deletes messages in batches.
pub struct AcknowledgeStage {
    receipts: Batcher<String, Result<(), Arc<BossError>>>,
    lookahead: Arc<Lookahead>,
    report: Arc<dyn Report>,
}

impl AcknowledgeStage {
    pub fn new(session: Arc<Session>, lookahead: Arc<Lookahead>, report: Arc<dyn Report>) -> Self {
        let delete = move |receipts: Vec<String>| {
            let session = session.clone();
            async move { each(session.delete(&receipts, None).await, receipts.len()) }
        };
        AcknowledgeStage { receipts: Batcher::new(delete), lookahead, report }
    }
}

impl Stage for AcknowledgeStage {
    type In = Recorded;
    type Out = ();

    /// A task whose delete fails is stored all the same; it comes again, is found in the ledger, and is deleted then.
    async fn process(&self, task: Recorded) -> Result<(), Failed> {
        let (ticket, voxel_bytes, sent_bytes) = task.into_parts();
        if let Err(error) = answered(self.receipts.send(ticket.receipt.clone()).await) {
            return Err(Failed { ticket, error });
        }
        self.lookahead.done(ticket.taken, Instant::now());
        self.report.tell(News::Stored { index: ticket.index, voxel_bytes, sent_bytes });
        Ok(())
    }
}
