//! Bringing a job to its end. The Boss answers in a dozen ways, some of them with status 400; this sorts them.

use std::time::Duration;

use serde::Deserialize;

use super::jobs::gone;
use super::join::is_missing_queue;
use super::{Call, Rest};
use crate::boss::BossError;
use crate::boss::error::sensible_pause;
use crate::boss::http::Answer;
use crate::protocol::JobStatus;

/// What the Boss says to a request to complete a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completion {
    /// The job is complete.
    Done,
    /// All queues looked empty; ask again after `wait`, as messages may come back.
    Waiting { wait: Duration },
    /// The server still works on tiles; ask again after `wait`.
    InternalQueuesNotEmpty { wait: Duration },
    /// The server checks and cleans up; look at the status until it is complete, or uploading again.
    Completing,
    /// There are messages to upload; go on uploading.
    UploadQueueNotEmpty,
    /// The job's messages are still being made.
    Preparing,
    /// The job was cancelled.
    Cancelled,
    /// The job could not be created; it can only be cancelled.
    Failed,
    /// A queue of the job is gone: it was completed or cancelled meanwhile.
    QueueGone,
}

/// The Boss's own texts for rows that it answers with nothing but status 400 and code 1006.
const TEXTS: [(&str, Completion); 4] = [
    ("Upload queue is not empty", Completion::UploadQueueNotEmpty),
    ("still preparing", Completion::Preparing),
    ("already been cancelled", Completion::Cancelled),
    ("has failed during creation", Completion::Failed),
];

#[derive(Default, Deserialize)]
struct Reply {
    job_status: Option<JobStatus>,
    wait_secs: Option<f64>,
    message: Option<String>,
}

impl Rest {
    /// Asks the Boss to complete the job. Only repeated calls lead to the end; none of them does harm.
    ///
    /// # Errors
    /// `NotFound`, `Forbidden`, `Rejected` for a text that is none of the known ones, and the usual ones.
    pub async fn complete(&self, id: u64) -> Result<Completion, BossError> {
        let number = id.to_string();
        let call = Call { also: Some(400), ..Call::post(["latest", "ingest", &number, "complete"], None) };
        match self.call(&call).await.map_err(|error| gone(id, error)) {
            Ok(answer) => self.known(&call, &answer),
            Err(BossError::JobGone { .. }) => Ok(Completion::Cancelled),
            Err(error) => Err(error),
        }
    }

    /// The Boss looks at the queues before it looks at the state, and fails when another host was faster.
    fn known(&self, call: &Call, answer: &Answer) -> Result<Completion, BossError> {
        match read(answer).ok_or_else(|| self.unknown(call, answer)) {
            Err(error) if is_missing_queue(&error) => Ok(Completion::QueueGone),
            known => known,
        }
    }

    fn unknown(&self, call: &Call, answer: &Answer) -> BossError {
        if answer.status.is_success() {
            let reason = "it is none of the known replies to `complete`".to_owned();
            return BossError::BadAnswer { request: self.name(call), reason };
        }
        self.failure(self.name(call), answer)
    }
}

fn read(answer: &Answer) -> Option<Completion> {
    if answer.status == 204 {
        return Some(Completion::Done);
    }
    let reply: Reply = serde_json::from_slice(&answer.body).ok()?;
    let wait = reply.wait_secs.and_then(sensible_pause);
    match (reply.job_status, wait) {
        (Some(JobStatus::Complete), _) => Some(Completion::Done),
        (Some(JobStatus::Completing), _) => Some(Completion::Completing),
        (Some(JobStatus::WaitOnQueues), Some(wait)) => Some(Completion::Waiting { wait }),
        (None, Some(wait)) => Some(Completion::InternalQueuesNotEmpty { wait }),
        _ => by_text(&reply.message?),
    }
}

fn by_text(message: &str) -> Option<Completion> {
    TEXTS.iter().find(|(text, _)| message.contains(text)).map(|(_, completion)| *completion)
}

#[cfg(test)]
mod tests {
    use super::super::tests::play;
    use super::*;

    #[tokio::test]
    async fn every_reply_of_the_boss_is_understood() {
        let wait = Duration::from_secs(180);
        let table = [
            (202, r#"{"job_status": 6, "wait_secs": 180}"#, Completion::Waiting { wait }),
            (
                400,
                r#"{"job_status": 6, "wait_secs": 89.5}"#,
                Completion::Waiting { wait: Duration::from_millis(89_500) },
            ),
            (202, r#"{"job_status": 5, "wait_secs": 0}"#, Completion::Completing),
            (202, r#"{"job_status": 5}"#, Completion::Completing),
            (
                400,
                r#"{"wait_secs": 180, "info": "Internal queues not empty yet"}"#,
                Completion::InternalQueuesNotEmpty { wait },
            ),
            (204, "", Completion::Done),
            (400, &boss_error("Upload queue is not empty"), Completion::UploadQueueNotEmpty),
            (
                400,
                &boss_error("You cannot complete a job that is still preparing. You must cancel instead."),
                Completion::Preparing,
            ),
            (400, &boss_error("Ingest job has already been cancelled."), Completion::Cancelled),
            (400, &boss_error("Ingest job has failed during creation. You must Cancel instead."), Completion::Failed),
            (
                400,
                r#"{"status": 400, "code": 9001, "message": "An error occurred (AWS.SimpleQueueService.NonExistentQueue)
                    when calling the GetQueueAttributes operation: The specified queue does not exist."}"#,
                Completion::QueueGone,
            ),
            (
                404,
                r#"{"status": 404, "code": 2004, "message": "The job with id 7 has been deleted"}"#,
                Completion::Cancelled,
            ),
        ];
        for (status, body, completion) in table {
            let boss = play(&[(status, body)]).await;
            assert_eq!(boss.rest.complete(7).await.unwrap(), completion, "{status} {body}");
            assert_eq!(boss.asked(), ["POST /latest/ingest/7/complete"]);
        }
    }

    #[tokio::test]
    async fn other_replies_are_errors() {
        for (status, body) in [
            (202, "{}"),
            (202, r#"{"job_status": 6}"#),
            (202, r#"{"job_status": 6, "wait_secs": -1}"#),
            (400, r#"{"status": 400, "code": 9001, "message": "something else"}"#),
            (400, "<html>"),
        ] {
            let boss = play(&[(status, body)]).await;
            let error = boss.rest.complete(7).await.unwrap_err();
            assert!(matches!(error, BossError::BadAnswer { .. } | BossError::Rejected { .. }), "{error:?}");
        }
    }

    fn boss_error(message: &str) -> String {
        format!(r#"{{"status": 400, "code": 1006, "message": "{message}"}}"#)
    }
}
