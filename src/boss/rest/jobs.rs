//! Ingest jobs from outside: create, state, list, cancel.

use reqwest::Method;

use super::{Call, Rest};
use crate::boss::BossError;
use crate::protocol::{JobCreated, JobList, JobListEntry, StatusReply};

/// The Boss's code of "the job was deleted", with status 404.
const DELETED: u32 = 2004;

/// How a job came to be cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelled {
    Now,
    Before,
}

impl Rest {
    /// Creates a job from the text of a job file, which is sent as it is.
    ///
    /// Sent once, so that no second job is made. After [`BossError::TimedOut`], `Server`, or `Unreachable` that was
    /// `sent`, the job may exist.
    ///
    /// # Errors
    /// `Rejected` when the server finds the file wrong, `NotFound` when it knows no such channel, and the usual ones.
    pub async fn create(&self, config_text: &str) -> Result<JobCreated, BossError> {
        // Without its slash the address is redirected, which loses the body.
        let body = Some(config_text.to_owned());
        let call = Call { repeatable: false, ..Call::post(["latest", "ingest", ""], body) };
        let answer = self.call(&call).await?;
        self.read(&call, &answer)
    }

    /// The state of a job and the number of its messages. Never moves a new job on; only joining does.
    ///
    /// # Errors
    /// `JobGone` for a cancelled job, `NotFound`, `Forbidden`, and the usual ones.
    pub async fn status(&self, id: u64) -> Result<StatusReply, BossError> {
        let number = id.to_string();
        let call = Call::get(["latest", "ingest", &number, "status"]);
        let answer = self.call(&call).await.map_err(|error| gone(id, error))?;
        self.read(&call, &answer)
    }

    /// The user's jobs, in no order, without the cancelled ones.
    ///
    /// # Errors
    /// The usual ones.
    pub async fn list(&self) -> Result<Vec<JobListEntry>, BossError> {
        let call = Call::get(["latest", "ingest", ""]);
        let answer = self.call(&call).await?;
        Ok(self.read::<JobList>(&call, &answer)?.ingest_jobs)
    }

    /// Cancels a job: its queues and keys go, what was ingested stays.
    ///
    /// # Errors
    /// `Rejected` for a job that is complete, `NotFound`, `Forbidden`, and the usual ones.
    pub async fn cancel(&self, id: u64) -> Result<Cancelled, BossError> {
        let number = id.to_string();
        let call = Call { method: Method::DELETE, ..Call::get(["latest", "ingest", &number]) };
        match self.call(&call).await.map_err(|error| gone(id, error)) {
            Ok(_) => Ok(Cancelled::Now),
            Err(BossError::JobGone { .. }) => Ok(Cancelled::Before),
            Err(error) => self.after_failed_cancel(id, error).await,
        }
    }

    /// The Boss fails with 400 when a job was cancelled before, perhaps by our own request whose answer was lost.
    async fn after_failed_cancel(&self, id: u64, error: BossError) -> Result<Cancelled, BossError> {
        let rejected = matches!(error, BossError::Rejected { .. });
        if rejected && matches!(self.status(id).await, Err(BossError::JobGone { .. })) {
            return Ok(Cancelled::Before);
        }
        Err(error)
    }
}

/// Names the job in the error for a deleted one.
pub(super) fn gone(id: u64, error: BossError) -> BossError {
    match error {
        BossError::NotFound { code: Some(DELETED), .. } => BossError::JobGone { id },
        error => error,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::play;
    use super::*;
    use crate::protocol::{JobKind, JobStatus};

    const DELETED_REPLY: (u16, &str) =
        (404, r#"{"status": 404, "code": 2004, "message": "The job with id 7 has been deleted"}"#);
    const CLEANUP_REPLY: (u16, &str) =
        (400, r#"{"status": 400, "code": 9001, "message": "Unable to complete cleanup of ingest job 7"}"#);

    #[tokio::test]
    async fn a_created_job_has_an_id_and_the_file_arrives_as_it_is() {
        let boss = play(&[(
            201,
            r#"{"id": 7, "collection": "c", "experiment": "e", "channel": "ch", "status": 0, "ingest_queue": null,
                "upload_queue": "http://q/up", "tile_count": 80, "ingest_type": 1}"#,
        )])
        .await;
        let created = boss.rest.create("{ \"schema\":  {} }").await.unwrap();
        assert_eq!((created.id, created.tile_count, created.ingest_type), (7, 80, JobKind::Volumetric));
        assert_eq!(boss.asked(), ["POST /latest/ingest/ { \"schema\":  {} }"]);
    }

    #[tokio::test]
    async fn creating_is_not_repeated() {
        let boss = play(&[(503, "busy")]).await;
        assert!(matches!(boss.rest.create("{}").await.unwrap_err(), BossError::Server { status: 503, .. }));
        assert_eq!(boss.asked().len(), 1);
    }

    #[tokio::test]
    async fn the_status_of_a_cancelled_job_names_the_job() {
        let boss = play(&[DELETED_REPLY]).await;
        assert_eq!(boss.rest.status(7).await.unwrap_err().to_string(), "ingest job 7 was cancelled");
    }

    #[tokio::test]
    async fn the_list_has_times_and_states() {
        let boss = play(&[(
            200,
            r#"{"ingest_jobs": [{"id": 3, "collection": "c", "experiment": "e", "channel": "ch", "status": 2,
                "created_on": "2021-05-03T12:34:56.789012Z", "completed_on": null, "ingest_type": 0}]}"#,
        )])
        .await;
        let jobs = boss.rest.list().await.unwrap();
        assert_eq!((jobs.len(), jobs[0].id, jobs[0].status), (1, 3, JobStatus::Complete));
        assert_eq!(boss.asked(), ["GET /latest/ingest/"]);
    }

    #[tokio::test]
    async fn cancelling_twice_is_no_error_but_cancelling_a_finished_job_is() {
        let complete = (200, r#"{"id": 7, "status": 2, "total_message_count": 80, "current_message_count": 0}"#);
        let table = [
            (vec![(204, "")], Some(Cancelled::Now)),
            (vec![DELETED_REPLY], Some(Cancelled::Before)),
            (vec![CLEANUP_REPLY, DELETED_REPLY], Some(Cancelled::Before)),
            (vec![CLEANUP_REPLY, complete], None),
        ];
        for (answers, cancelled) in table {
            let boss = play(&answers).await;
            assert_eq!(boss.rest.cancel(7).await.ok(), cancelled, "{answers:?}");
            assert_eq!(boss.asked()[0], "DELETE /latest/ingest/7");
        }
    }
}
