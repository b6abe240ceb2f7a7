//! The end of a job: asks the server to complete it, and follows the server's states until it has.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::error::EngineError;
use super::shutdown::Shutdown;
use crate::boss::{Completion, Session};
use crate::protocol::JobStatus;
use crate::report::{News, Report};

/// How an attempt to complete a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completed {
    Done,
    /// The upload queue has messages (again): go on uploading.
    UploadMore,
    /// The run is to end; the job can be completed later.
    Asked,
}

/// Completes a job.
pub struct Completer {
    pub session: Arc<Session>,
    pub shutdown: Shutdown,
    pub report: Arc<dyn Report>,
}

/// Time between two looks at a job that the server is completing.
const POLL: Duration = Duration::from_secs(2);
const FIRST_POLL: Duration = Duration::from_millis(50);
/// The shortest pause before the server is asked again, whatever it says itself.
const SHORTEST_WAIT: Duration = Duration::from_millis(50);

impl Completer {
    /// Asks, waits as long as the server says, asks again, until it is done or wants more tiles.
    ///
    /// # Errors
    /// When the job was cancelled, or the server cannot be reached or refuses.
    pub async fn complete(&self) -> Result<Completed, EngineError> {
        loop {
            match self.session.rest().complete(self.session.job().id).await? {
                Completion::Done => return Ok(Completed::Done),
                Completion::UploadQueueNotEmpty => return Ok(Completed::UploadMore),
                Completion::Completing => return self.follow().await,
                Completion::Waiting { wait } | Completion::InternalQueuesNotEmpty { wait } => {
                    if !self.wait(wait.max(SHORTEST_WAIT)).await {
                        return Ok(Completed::Asked);
                    }
                }
                Completion::Cancelled => return Err(EngineError::Cancelled { id: self.session.job().id }),
                Completion::Preparing => return Err(self.cannot("the server still prepares it")),
                Completion::Failed => return Err(self.cannot("its creation failed")),
            }
        }
    }

    /// Looks at a job that the server is completing until it is complete or goes back to uploading.
    async fn follow(&self) -> Result<Completed, EngineError> {
        self.report.tell(News::Phase("the server completes the job".to_owned()));
        let mut pause = FIRST_POLL;
        loop {
            match self.session.rest().status(self.session.job().id).await?.status {
                JobStatus::Complete => return Ok(Completed::Done),
                JobStatus::Deleted => return Err(EngineError::Cancelled { id: self.session.job().id }),
                JobStatus::Uploading | JobStatus::WaitOnQueues => {
                    self.report.tell(News::Phase("the server wants some tiles again".to_owned()));
                    return Ok(Completed::UploadMore);
                }
                JobStatus::Failed | JobStatus::Preparing => {
                    return Err(self.cannot("the server lost the job's state"));
                }
                JobStatus::Completing => {}
            }
            if !self.pause(pause).await {
                return Ok(Completed::Asked);
            }
            pause = (pause * 2).min(POLL);
        }
    }

    fn cannot(&self, message: &str) -> EngineError {
        EngineError::CannotComplete { id: self.session.job().id, message: message.to_owned() }
    }

    /// Waits, telling each second what is left; `false` when the run is to end.
    async fn wait(&self, wait: Duration) -> bool {
        let end = Instant::now() + wait;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            if left >= Duration::from_secs(1) {
                self.report.tell(News::Waiting { left });
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
