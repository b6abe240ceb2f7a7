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
/// Shorter waits are told only when they add up to this.
const TOLD_AFTER: Duration = Duration::from_secs(3);
/// A server that is silent for so long is told.
const SILENCE: Duration = Duration::from_secs(10);
/// A job without a queue says "complete" or "deleted" within this time, as its servers do not change both at once.
const QUEUE_GONE: Duration = Duration::from_secs(60);

impl Completer<'_> {
    /// Asks, waits as long as the server says, asks again, until it is done or wants more tiles.
    ///
    /// # Errors
    /// When the job was cancelled, or the server cannot be reached or refuses.
    pub async fn complete(&self) -> Result<Completed, EngineError> {
        let (start, mut first, mut shortest) = (Instant::now(), true, FIRST_POLL);
        loop {
            let is_first = std::mem::replace(&mut first, false);
            let (wait, what) = match self.aloud(self.rest.complete(self.id)).await? {
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
            let wait = wait.max(shortest);
            let what = (wait > POLL || start.elapsed() > TOLD_AFTER).then_some(what);
            if !self.wait(wait, what).await {
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
        match self.aloud(self.rest.status(self.id)).await {
            Ok(reply) => Ok(reply.status),
            Err(BossError::JobGone { .. }) => Ok(JobStatus::Deleted),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits for the server's answer, saying so when it takes long: requests are tried again for minutes.
    async fn aloud<T>(&self, asking: impl Future<Output = Result<T, BossError>>) -> Result<T, BossError> {
        tokio::pin!(asking);
        if let Ok(answer) = tokio::time::timeout(SILENCE, &mut asking).await {
            return answer;
        }
        self.tell("the Boss does not answer; it is asked again until it does");
        let answer = asking.await;
        if answer.is_ok() {
            self.tell("the Boss answers again");
        }
        answer
    }

    fn cannot(&self, message: &str) -> EngineError {
        EngineError::CannotComplete { id: self.id, message: message.to_owned() }
    }

    fn tell(&self, text: &str) {
        self.report.tell(News::Phase(text.to_owned()));
    }

    /// Waits, telling each second what is left, if it is to be told; `false` when the run is to end.
    async fn wait(&self, wait: Duration, what: Option<Wait>) -> bool {
        let end = Instant::now() + wait;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            if let Some(wait) = what {
                self.report.tell(News::Waiting { left, wait });
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boss::testing::play;
    use crate::report::Recording;

    const BEGINS: &str = r#"{"job_status": 6, "wait_secs": 0.01}"#;
    const STALE: &str = r#"{"job_status": 6, "wait_secs": 0}"#;
    const COMPLETING: &str = r#"{"job_status": 5, "wait_secs": 0}"#;
    const ASSEMBLING: &str = r#"{"wait_secs": 0.02, "info": "Internal queues not empty yet"}"#;
    const NOT_EMPTY: &str = r#"{"status": 400, "code": 1006, "message": "Upload queue is not empty"}"#;
    const PREPARING: &str = r#"{"status": 400, "code": 1006, "message":
        "You cannot complete a job that is still preparing. You must cancel instead."}"#;
    const CANCELLED: &str = r#"{"status": 400, "code": 1006, "message": "Ingest job has already been cancelled."}"#;
    const DELETED: &str = r#"{"status": 404, "code": 2004, "message": "The job with id 7 has been deleted"}"#;
    const NO_QUEUE: &str = r#"{"status": 400, "code": 9001, "message": "An error occurred
        (AWS.SimpleQueueService.NonExistentQueue): The specified queue does not exist."}"#;

    /// Status and body of each answer, in turn.
    type Answers<'a> = &'a [(u16, &'a str)];

    fn status(number: u8) -> String {
        format!(r#"{{"id":7,"status":{number},"total_message_count":4,"current_message_count":0}}"#)
    }

    /// How completing ends when these answers come in turn, in one word; and what was told meanwhile.
    async fn complete(answers: Answers<'_>) -> (String, Vec<News>, usize) {
        let boss = play(answers).await;
        let report = Arc::new(Recording::default());
        let completer = Completer { rest: &boss.rest, id: 7, shutdown: Shutdown::new(), report: report.clone() };
        let ended = match completer.complete().await {
            Ok(completed) => format!("{completed:?}"),
            Err(error) => error.to_string(),
        };
        (ended, report.news(), boss.asked().len())
    }

    #[tokio::test]
    async fn every_way_of_the_boss_leads_to_its_end() {
        let [uploading, done, gone, completing, waiting] = [1, 2, 3, 5, 6].map(status);
        let table: [(&str, Answers, &str); 14] = [
            ("complete before", &[(204, "")], "Already"),
            ("the plain way", &[(202, BEGINS), (202, COMPLETING), (200, &completing), (200, &done)], "Done"),
            ("another host was faster", &[(202, BEGINS), (204, "")], "Done"),
            ("another host completes it", &[(202, r#"{"job_status": 5}"#), (200, &done)], "Done"),
            ("internal queues", &[(400, ASSEMBLING), (202, BEGINS), (202, COMPLETING), (200, &done)], "Done"),
            ("a lease ended", &[(400, NOT_EMPTY)], "QueueNotEmpty"),
            ("a lease ended late", &[(202, BEGINS), (400, NOT_EMPTY)], "QueueNotEmpty"),
            ("tiles are missing", &[(202, COMPLETING), (200, &completing), (200, &uploading)], "TilesMissing"),
            (
                "cuboids are made again",
                &[(202, COMPLETING), (200, &waiting), (400, ASSEMBLING), (202, COMPLETING), (200, &done)],
                "Done",
            ),
            ("cancelled before", &[(400, CANCELLED)], "ingest job 7 was cancelled"),
            ("cancelled meanwhile", &[(202, COMPLETING), (404, DELETED)], "ingest job 7 was cancelled"),
            ("cancelled, as old servers say it", &[(202, COMPLETING), (200, &gone)], "ingest job 7 was cancelled"),
            ("its queues are gone", &[(400, NO_QUEUE), (200, &uploading), (200, &completing), (200, &done)], "Done"),
            ("still preparing", &[(400, PREPARING)], "ingest job 7 cannot be completed: the server still prepares it"),
        ];
        for (case, answers, end) in table {
            let (ended, _, asked) = complete(answers).await;
            assert_eq!((ended.as_str(), asked), (end, answers.len()), "{case}");
        }
    }

    /// The pauses double: 50, 100, 200, 400 ms. A busy loop would ask hundreds of times.
    #[tokio::test]
    async fn a_stale_wait_of_zero_is_no_busy_loop() {
        let (start, stale) = (Instant::now(), [(202, STALE); 4]);
        let (ended, ..) = complete(&[&stale[..], &[(204, "")]].concat()).await;
        assert_eq!(ended, "Done");
        assert!(start.elapsed() >= Duration::from_millis(50 + 100 + 200 + 400));
    }

    #[tokio::test]
    async fn the_servers_wait_is_told_each_second_and_ends_with_the_run() {
        let boss = play(&[(202, r#"{"job_status": 6, "wait_secs": 180}"#)]).await;
        let (report, shutdown) = (Arc::new(Recording::default()), Shutdown::new());
        let completer = Completer { rest: &boss.rest, id: 7, shutdown: shutdown.clone(), report: report.clone() };
        let asking = async {
            let told = || report.news().iter().filter(|news| matches!(news, News::Waiting { .. })).count();
            while told() < 2 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            shutdown.ask();
        };
        let (completed, ()) = tokio::join!(completer.complete(), asking);
        assert_eq!(completed.unwrap(), Completed::Asked);
        let News::Waiting { left, wait } = report.news()[0] else { panic!("it is told what is left") };
        assert!((179.0..=180.0).contains(&left.as_secs_f64()) && wait == Wait::Settle, "{left:?}");
    }

    #[tokio::test]
    async fn a_host_that_finds_the_queue_gone_waits_for_the_servers_word() {
        let [done, completing, uploading] = [2, 5, 1].map(status);
        let table: [(Answers, &str); 2] = [
            (&[(200, &uploading), (200, &completing), (200, &done)], "Done"),
            (&[(200, &uploading), (404, DELETED)], "ingest job 7 was cancelled"),
        ];
        for (answers, end) in table {
            let boss = play(answers).await;
            let report = Arc::new(Recording::default());
            let completer = Completer { rest: &boss.rest, id: 7, shutdown: Shutdown::new(), report };
            let ended = match completer.after_the_queue().await {
                Ok(completed) => format!("{completed:?}"),
                Err(error) => error.to_string(),
            };
            assert_eq!(ended, end);
        }
    }
}
