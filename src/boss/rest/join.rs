//! Joining a job: its queues, buckets and keys.

use std::time::Duration;

use tokio::time::sleep;

use super::jobs::gone;
use super::{Call, Rest};
use crate::boss::BossError;
use crate::protocol::{JobStatus, JoinReply};

/// How to wait for a job that is not ready.
#[derive(Clone, Copy, Debug)]
pub struct JoinWait {
    /// Between two looks, at most. The first are closer, as a small job is ready at once: a sixteenth of it, then doubling.
    pub pause: Duration,
    /// Answers in a row that report a failed preparation, or lack keys without reason, before we give up.
    pub failures: u32,
}

impl Default for JoinWait {
    fn default() -> Self {
        JoinWait { pause: Duration::from_secs(5), failures: 15 }
    }
}

impl JoinWait {
    /// The pauses, in turn.
    fn pauses(self) -> impl Iterator<Item = Duration> {
        std::iter::successors(Some(self.pause / 16), move |pause| Some((*pause * 2).min(self.pause)))
    }
}

/// What joining came to.
#[derive(Debug)]
pub enum Joined {
    /// There are keys. The state in the reply is `Uploading`, `Completing` or `WaitOnQueues`.
    Ready(Box<JoinReply>),
    /// The job is finished; nothing is left to do.
    Complete,
    /// The job was cancelled.
    Deleted,
    /// The job could not be created.
    Failed,
}

/// What one answer to joining means.
enum Step {
    Joined(Joined),
    /// Not yet, for this reason; fine for any time.
    Wait(JobStatus),
    /// Not yet, and not normal; fine a few times.
    Suspect(JobStatus, BossError),
}

impl Rest {
    /// Asks once for the job's queues, buckets and keys. The server makes new keys for each call.
    ///
    /// # Errors
    /// `JobGone` for a cancelled job; `Rejected` for a finished tile job, whose queues the Boss misses; the usual ones.
    pub async fn join(&self, id: u64) -> Result<JoinReply, BossError> {
        let number = id.to_string();
        let call = Call::get(["latest", "ingest", &number]);
        let answer = self.call(&call).await.map_err(|error| gone(id, error))?;
        let reply: JoinReply = self.read(&call, &answer)?;
        if reply.ingest_job.id != id {
            let reason = format!("it is about job {}", reply.ingest_job.id);
            return Err(BossError::BadAnswer { request: self.name(&call), reason });
        }
        Ok(reply)
    }

    /// Asks until the job has keys or is over. `on_wait` is told the job's state before each pause.
    ///
    /// # Errors
    /// [`BossError::JobUnprepared`] when the server keeps failing to make the job's messages; else as [`Rest::join`].
    pub async fn join_until_ready(
        &self,
        id: u64,
        wait: JoinWait,
        mut on_wait: impl FnMut(JobStatus),
    ) -> Result<Joined, BossError> {
        let mut failures = 0;
        let mut pauses = wait.pauses();
        loop {
            match self.join_step(id).await? {
                Step::Joined(joined) => return Ok(joined),
                Step::Wait(status) => {
                    failures = 0;
                    on_wait(status);
                }
                Step::Suspect(_, error) if failures + 1 >= wait.failures => return Err(error),
                Step::Suspect(status, _) => {
                    failures += 1;
                    on_wait(status);
                }
            }
            sleep(pauses.next().unwrap_or(wait.pause)).await;
        }
    }

    async fn join_step(&self, id: u64) -> Result<Step, BossError> {
        match self.join(id).await {
            Ok(reply) => Ok(self.judge_reply(reply)),
            Err(BossError::JobGone { .. }) => Ok(Step::Joined(Joined::Deleted)),
            Err(BossError::Rejected { message, .. }) if message.contains("Error generating ingest job messages") => {
                Ok(Step::Suspect(JobStatus::Preparing, BossError::JobUnprepared { id, message }))
            }
            Err(error) if is_missing_queue(&error) => self.judge_missing_queue(id, error).await,
            Err(error) => Err(error),
        }
    }

    fn judge_reply(&self, reply: JoinReply) -> Step {
        let status = reply.ingest_job.status;
        match status {
            JobStatus::Complete => Step::Joined(Joined::Complete),
            JobStatus::Deleted => Step::Joined(Joined::Deleted),
            JobStatus::Failed => Step::Joined(Joined::Failed),
            JobStatus::Preparing => Step::Wait(status),
            _ if reply.credentials.is_some() => Step::Joined(Joined::Ready(Box::new(reply))),
            // For a moment the state is ahead of the keys.
            _ => Step::Suspect(status, self.no_keys(reply.ingest_job.id)),
        }
    }

    /// The Boss looks for a queue of a tile job before it looks at the state, and fails when the job is over.
    async fn judge_missing_queue(&self, id: u64, error: BossError) -> Result<Step, BossError> {
        match self.status(id).await {
            Err(BossError::JobGone { .. }) => Ok(Step::Joined(Joined::Deleted)),
            Err(other) => Err(other),
            Ok(reply) => Ok(match reply.status {
                JobStatus::Complete => Step::Joined(Joined::Complete),
                JobStatus::Deleted => Step::Joined(Joined::Deleted),
                JobStatus::Failed => Step::Joined(Joined::Failed),
                JobStatus::Completing => Step::Wait(reply.status),
                status => Step::Suspect(status, error),
            }),
        }
    }

    pub(in crate::boss) fn no_keys(&self, id: u64) -> BossError {
        let request = self.name(&Call::get(["latest", "ingest", &id.to_string()]));
        BossError::BadAnswer { request, reason: "it has no keys".to_owned() }
    }
}

/// Whether the server's text says that a queue of the job is gone.
pub(in crate::boss) fn is_missing_queue(error: &BossError) -> bool {
    let BossError::Rejected { message, .. } = error else { return false };
    let message = message.to_lowercase();
    message.contains("queue") && ["not exist", "nonexistent"].iter().any(|words| message.contains(words))
}

#[cfg(test)]
mod tests {
    use super::super::tests::play;
    use super::*;

    fn reply(status: u8, credentials: &str) -> String {
        format!(
            r#"{{"ingest_job": {{"id": 7, "collection": "c", "experiment": "e", "channel": "ch", "status": {status},
                "ingest_queue": null, "upload_queue": "http://q/up", "tile_count": 4, "ingest_type": 1,
                "tile_index_queue": null}}, "credentials": {credentials}, "ingest_bucket_name": "ingest.b"}}"#
        )
    }

    const KEYS: &str = r#"{"access_key": "AKIA", "secret_key": "s3cr3t", "security_token": null}"#;
    const NO_QUEUE: &str = r#"{"status": 400, "code": 9001, "message": "An error occurred
        (AWS.SimpleQueueService.NonExistentQueue) when calling the GetQueueUrl operation: The specified queue does not
        exist for this wsdl version."}"#;
    const GENERATING: &str =
        r#"{"status": 400, "code": 9001, "message": "Error generating ingest job messages: step function"}"#;

    /// The answers in turn, the outcome, and the states told while waiting.
    type Row<'a> = (&'a [(u16, &'a str)], &'a str, &'a [JobStatus]);

    /// The outcome in one word, and the states told while waiting.
    async fn join(answers: &[(u16, &str)]) -> (String, Vec<JobStatus>) {
        let boss = play(answers).await;
        let mut waited = Vec::new();
        let wait = JoinWait { pause: Duration::from_millis(1), failures: 3 };
        let joined = boss.rest.join_until_ready(7, wait, |status| waited.push(status)).await;
        let word = match joined {
            Ok(Joined::Ready(reply)) => format!("ready, {}", reply.ingest_job.status),
            Ok(over) => format!("{over:?}"),
            Err(error) => error.to_string(),
        };
        (word, waited)
    }

    #[tokio::test]
    async fn joining_waits_for_keys_and_knows_every_end() {
        use JobStatus::{Completing, Preparing, Uploading};
        let status = |n: u8| format!(r#"{{"id":7,"status":{n},"total_message_count":4,"current_message_count":0}}"#);
        let (preparing, uploading, waiting) = (reply(0, "null"), reply(1, KEYS), reply(6, KEYS));
        let (keyless, complete, failed) = (reply(1, "null"), reply(2, "null"), reply(4, "null"));
        let (status_complete, status_completing) = (status(2), status(5));
        let malformed = uploading.replace("\"id\": 7", "\"id\": 8");
        let deleted = r#"{"status": 404, "code": 2004, "message": "The job with id 7 has been deleted"}"#;
        let table: [Row; 11] = [
            (&[(200, &preparing), (200, &preparing), (200, &uploading)], "ready, uploading", &[Preparing, Preparing]),
            (&[(200, &keyless), (200, &uploading)], "ready, uploading", &[Uploading]),
            (&[(200, &waiting)], "ready, waiting on queues", &[]),
            (&[(200, &complete)], "Complete", &[]),
            (&[(200, &failed)], "Failed", &[]),
            (&[(404, deleted)], "Deleted", &[]),
            (&[(400, NO_QUEUE), (200, &status_complete)], "Complete", &[]),
            (&[(400, NO_QUEUE), (404, deleted)], "Deleted", &[]),
            (
                &[(400, NO_QUEUE), (200, &status_completing), (400, NO_QUEUE), (200, &status_complete)],
                "Complete",
                &[Completing],
            ),
            (
                &[(400, GENERATING)],
                "ingest job 7 could not be prepared by the server: Error generating ingest job messages: step function",
                &[Preparing, Preparing],
            ),
            (&[(400, GENERATING), (200, &preparing), (200, &uploading)], "ready, uploading", &[Preparing, Preparing]),
        ];
        for (answers, outcome, waited) in table {
            assert_eq!(join(answers).await, (outcome.to_owned(), waited.to_vec()));
        }
        assert!(join(&[(200, &keyless)]).await.0.ends_with("it has no keys"));
        assert!(join(&[(200, &malformed)]).await.0.ends_with("it is about job 8"));
    }

    #[test]
    fn the_first_looks_are_close_to_each_other() {
        let pauses: Vec<u128> = JoinWait::default().pauses().take(6).map(|pause| pause.as_micros()).collect();
        assert_eq!(pauses, [312_500, 625_000, 1_250_000, 2_500_000, 5_000_000, 5_000_000]);
    }

    #[tokio::test]
    async fn the_secret_key_is_not_shown() {
        let boss = play(&[(200, &reply(1, KEYS))]).await;
        let joined = boss.rest.join_until_ready(7, JoinWait::default(), |_| ()).await.unwrap();
        let shown = format!("{joined:?}");
        assert!(shown.contains("AKIA") && !shown.contains("s3cr3t"), "{shown}");
    }
}
