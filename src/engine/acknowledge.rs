//! The stage that deletes a task's message: the only place that can, and it takes only a task that the ledger
//! has: stored, indexed and recorded.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::batch::{Batcher, LINGER, SHORT_LINGER, answered, each};
use super::lookahead::Lookahead;
use super::pipeline::Stage;
use super::record::Recorded;
use super::triage::Failed;
use crate::boss::{BossError, Session};
use crate::report::{News, Report, human_duration};
use crate::volume::Grid;

/// Deletes messages in batches.
pub struct AcknowledgeStage {
    receipts: Batcher<String, Result<(), Arc<BossError>>>,
    lookahead: Arc<Lookahead>,
    report: Arc<dyn Report>,
    /// What a task is called.
    noun: &'static str,
}

impl AcknowledgeStage {
    pub fn new(session: Arc<Session>, lookahead: Arc<Lookahead>, report: Arc<dyn Report>, grid: &Grid) -> Self {
        let linger = match grid {
            Grid::Tiles(_) => LINGER,
            Grid::Chunks(_) => SHORT_LINGER,
        };
        let noun = grid.task_noun();
        let delete = move |receipts: Vec<String>| {
            let session = session.clone();
            async move { each(session.delete(&receipts, None).await, receipts.len()) }
        };
        AcknowledgeStage { receipts: Batcher::new(linger, delete), lookahead, report, noun }
    }
}

impl AcknowledgeStage {
    /// A task that alone takes longer than a lease is handed to others as well.
    fn explain(&self, took: Duration) {
        let (took, noun) = (human_duration(took), self.noun);
        self.report.tell(News::Phase(format!(
            "warning: a {noun} takes {took} from its script to its end, longer than its message is hidden from other workers; it \
             is right in the end, but may be uploaded more than once\n  hint: make {noun}s smaller in the next job, or do fewer at \
             once with `--cpu-threads` or `--memory`"
        )));
    }
}

impl Stage for AcknowledgeStage {
    type In = Recorded;
    type Out = ();
    const NAME: &str = "acknowledge";

    /// A task whose delete fails is stored all the same; it comes again, is found in the ledger, and is deleted then.
    async fn process(&self, task: Recorded) -> Result<(), Failed> {
        let (ticket, voxel_bytes, sent_bytes) = task.into_parts();
        if let Err(error) = answered(self.receipts.send(ticket.lease.receipt()).await) {
            return Err(Failed { ticket, error });
        }
        let now = Instant::now();
        if let Some(took) = self.lookahead.done(ticket.lease.taken(), ticket.begun.unwrap_or(now), now) {
            self.explain(took);
        }
        self.report.tell(News::Stored { index: ticket.index, voxel_bytes, sent_bytes });
        Ok(())
    }
}
