//! The end of a job: asks the server to complete it, and follows the server's states until it has.
//!
//! The server answers in a dozen ways, and other hosts may ask at the same time; whoever is first, all of them see the job
//! complete. Whenever the server finds work left it says so, and the run goes on uploading.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::error::EngineError;
use super::shutdown::Shutdown;
use crate::boss::{BossError, Completion, Rest};
use crate::protocol::JobStatus;
use crate::report::{News, Report, Wait};

/// How an attempt to complete a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completed {
    Done,
    /// It was complete before anything was asked.
    Already,
    /// The upload queue has messages that nobody holds.
    QueueNotEmpty,
    /// The server checked what it has, and put the tiles that it misses back on the queue.
    TilesMissing,
    /// The run is to end; the job can be completed later.
    Asked,
}

/// Completes a job.
pub struct Completer<'a> {
    pub rest: &'a Rest,
    pub id: u64,
    pub shutdown: Shutdown,
    pub report: Arc<dyn Report>,
}

/// What a look at a job in its last states came to.
enum Followed {
    Ended(Completed),
    /// The server made nothing of what it had; it wants to be asked again.
    AskAgain,
}

/// Pauses between two questions to the server; they double from the first to the longest.
const FIRST_POLL: Duration = Duration::from_millis(50);
const POLL: Duration = Duration::from_secs(2);
/// A job without a queue says "complete" or "deleted" within this time, as its servers do not change both at once.
const QUEUE_GONE: Duration = Duration::from_secs(60);

impl Completer<'_> {
    /// Asks, waits as long as the server says, asks again, until it is done or wants more tiles.
    ///
    /// # Errors
    /// When the job was cancelled, or the server cannot be reached or refuses.
    pub async fn complete(&self) -> Result<Completed, EngineError> {
        let mut first = true;
        let mut shortest = FIRST_POLL;
        loop {
            let is_first = std::mem::replace(&mut first, false);
            let (wait, what) = match self.rest.complete(self.id).await? {
                Completion::Done if is_first => return Ok(Completed::Already),
                Completion::Done => return Ok(Completed::Done),
                Completion::UploadQueueNotEmpty => return Ok(Completed::QueueNotEmpty),
                Completion::QueueGone => return self.after_the_queue().await,
                Completion::Completing => match self.follow().await? {
                    Followed::Ended(completed) => return Ok(completed),
                    Followed::AskAgain => (Duration::ZERO, Wait::Assemble),
                },
                Completion::Waiting { wait } => (wait, Wait::Settle),
                Completion::InternalQueuesNotEmpty { wait } => (wait, Wait::Assemble),
                Completion::Cancelled => return Err(EngineError::Cancelled { id: self.id }),
                Completion::Preparing => return Err(self.cannot("the server still prepares it")),
                Completion::Failed => return Err(self.cannot("its creation failed")),
            };
            // The first wait after a return to this state may be stale and zero (the server reads it before it resets it).
            if !self.wait(wait.max(shortest), what).await {
                return Ok(Completed::Asked);
            }
            shortest = (shortest * 2).min(POLL);
        }
    }

    /// The queue is gone, so another host completed the job or a user cancelled it: waits until the server says which.
    ///
    /// # Errors
    /// When the job was cancelled, or the server does not say that the job is over.
    pub async fn after_the_queue(&self) -> Result<Completed, EngineError> {
        let (start, mut pause) = (Instant::now(), FIRST_POLL);
        loop {
            match self.status().await? {
                JobStatus::Complete => return Ok(Completed::Done),
                JobStatus::Deleted => return Err(EngineError::Cancelled { id: self.id }),
                JobStatus::Failed => return Err(self.cannot("its creation failed")),
                // The server may take hours to check a large job.
                JobStatus::Completing => {}
                status if start.elapsed() > QUEUE_GONE => return Err(EngineError::NoQueue { id: self.id, status }),
                _ => {}
            }
            if !self.pause(pause).await {
                return Ok(Completed::Asked);
            }
            pause = (pause * 2).min(POLL);
        }
    }

    /// Looks at a job that the server is completing until it is complete or goes back to an earlier state.
    async fn follow(&self) -> Result<Followed, EngineError> {
        self.tell("the server completes the job");
        let mut pause = FIRST_POLL;
        loop {
            match self.status().await? {
                JobStatus::Complete => return Ok(Followed::Ended(Completed::Done)),
                JobStatus::Deleted => return Err(EngineError::Cancelled { id: self.id }),
                JobStatus::Uploading => return Ok(Followed::Ended(Completed::TilesMissing)),
                JobStatus::WaitOnQueues => {
                    self.tell("the server makes some cuboids again, from tiles that it has");
                    return Ok(Followed::AskAgain);
                }
                JobStatus::Failed | JobStatus::Preparing => {
                    return Err(self.cannot("the server lost the job's state"));
                }
                JobStatus::Completing => {}
            }
            if !self.pause(pause).await {
                return Ok(Followed::Ended(Completed::Asked));
            }
            pause = (pause * 2).min(POLL);
        }
    }

    async fn status(&self) -> Result<JobStatus, EngineError> {
        match self.rest.status(self.id).await {
            Ok(reply) => Ok(reply.status),
            Err(BossError::JobGone { .. }) => Ok(JobStatus::Deleted),
            Err(error) => Err(error.into()),
        }
    }

    fn cannot(&self, message: &str) -> EngineError {
        EngineError::CannotComplete { id: self.id, message: message.to_owned() }
    }

    fn tell(&self, text: &str) {
        self.report.tell(News::Phase(text.to_owned()));
    }

    /// Waits, telling each second what is left; `false` when the run is to end.
    async fn wait(&self, wait: Duration, what: Wait) -> bool {
        let end = Instant::now() + wait;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            if wait > POLL {
                self.report.tell(News::Waiting { left, wait: what });
            }
            if !self.pause(left.min(Duration::from_secs(1))).await {
                return false;
            }
        }
    }

    async fn pause(&self, pause: Duration) -> bool {
        tokio::select! {
            () = tokio::time::sleep(pause) => true,
            () = self.shutdown.drained() => false,
        }
    }
}
