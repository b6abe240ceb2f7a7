//! One joined job in one process: what to take, where to put it, and keys that keep working.
//!
//! Each call here gives a final result: it was repeated, with renewed keys where needed, until it succeeded, failed for
//! good, or its time was over. A session is shared by all tasks (`&self`, `Send`, `Sync`). Dropping a call's future
//! ends it; a request under way may then have taken effect or not, which for all of them does no harm.

mod keyring;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::{
    BossError, Endpoints, MAX_BATCH, Message, Object, Rest, RetryCounts, RetryPolicy, S3, Service, SigningKeys, Sqs,
    Stored, groups, retry,
};
use crate::protocol::{IngestJob, JobKind, JobParameters, JoinReply, ResourceParameters};
use keyring::Keyring;

/// How long keys last and how patiently requests are repeated.
#[derive(Clone, Copy, Debug)]
pub struct SessionSettings {
    /// Keys older than this are renewed. They live for an hour as far as is known.
    pub renew_after: Duration,
    /// New keys may be refused for this long until all of AWS knows them.
    pub settle: Duration,
    /// How often and how long each call is tried; it must outlast `settle`.
    pub retry: RetryPolicy,
}

impl Default for SessionSettings {
    fn default() -> Self {
        SessionSettings {
            renew_after: Duration::from_secs(3300),
            settle: Duration::from_secs(60),
            retry: RetryPolicy::patient(),
        }
    }
}

/// The visibility time-out of upload queues that the Boss makes.
const DEFAULT_LEASE: Duration = Duration::from_secs(120);

/// A joined job. `Debug` shows no secrets.
#[derive(Debug)]
pub struct Session {
    rest: Rest,
    s3: S3,
    sqs: Sqs,
    keyring: Keyring,
    retry: RetryPolicy,
    job: IngestJob,
    parameters: JobParameters,
    resource: Option<ResourceParameters>,
    bucket: String,
    upload_queue: String,
}

impl Session {
    /// Begins with what joining gave. `rest` is used to renew the keys.
    ///
    /// # Errors
    /// [`BossError::BadAnswer`] when the reply lacks keys, the upload queue, or the bucket of the job's kind.
    pub fn new(
        rest: Rest,
        reply: JoinReply,
        endpoints: Endpoints,
        settings: SessionSettings,
    ) -> Result<Self, BossError> {
        let lacks = |what: &str| BossError::BadAnswer {
            request: format!("GET {}/latest/ingest/{}", rest.base_url(), reply.ingest_job.id),
            reason: format!("it has no {what}"),
        };
        let credentials = reply.credentials.as_ref().ok_or_else(|| lacks("keys"))?;
        let upload_queue = reply.ingest_job.upload_queue.clone().ok_or_else(|| lacks("upload queue"))?;
        let bucket = match reply.ingest_job.ingest_type {
            JobKind::Tile => reply.tile_bucket_name.clone().ok_or_else(|| lacks("tile bucket"))?,
            JobKind::Volumetric => reply.ingest_bucket_name.clone().ok_or_else(|| lacks("ingest bucket"))?,
        };
        if reply.ingest_job.ingest_type == JobKind::Tile && reply.ingest_job.tile_index_queue.is_none() {
            return Err(lacks("tile index queue"));
        }
        Ok(Session {
            s3: S3::new(rest.http().clone(), endpoints.clone()),
            sqs: Sqs::new(rest.http().clone(), endpoints),
            keyring: Keyring::new(rest.clone(), reply.ingest_job.id, credentials, settings),
            retry: settings.retry,
            parameters: reply.parameters(),
            resource: reply.resource_parameters(),
            job: reply.ingest_job,
            rest,
            bucket,
            upload_queue,
        })
    }

    /// The job as it was when it was joined.
    pub fn job(&self) -> &IngestJob {
        &self.job
    }

    /// What goes into the metadata of each object, word for word.
    pub fn parameters(&self) -> &JobParameters {
        &self.parameters
    }

    /// The channel's ids and type, when the join reply tells them.
    pub fn resource(&self) -> Option<ResourceParameters> {
        self.resource
    }

    /// The client of the Boss itself, for status and completion.
    pub fn rest(&self) -> &Rest {
        &self.rest
    }

    /// What had to be repeated so far, in all calls of this session.
    pub fn counts(&self) -> &Arc<RetryCounts> {
        self.rest.counts()
    }

    /// How long an upload message that was received is hidden from other workers: 120 s unless the queue says otherwise.
    ///
    /// # Errors
    /// As [`Session::receive`].
    pub async fn lease(&self) -> Result<Duration, BossError> {
        let ask = |keys: SigningKeys| async move { self.sqs.visibility_timeout(&self.upload_queue, &keys).await };
        Ok(self.call(Service::Sqs, None, ask).await?.unwrap_or(DEFAULT_LEASE))
    }

    /// Takes up to `max` upload messages (at most 10), waiting up to `wait` (at most 20 s) for the first.
    ///
    /// # Errors
    /// `QueueGone`, `JobComplete` and `JobGone` when the job is over; `KeysRefused`; the last error when time is over.
    pub async fn receive(&self, max: usize, wait: Duration) -> Result<Vec<Message>, BossError> {
        let receive = |keys: SigningKeys| async move { self.sqs.receive(&self.upload_queue, max, wait, &keys).await };
        self.call(Service::Sqs, None, receive).await
    }

    /// Stores an object in the bucket of the job's kind; begins no try after `deadline`. See [`Object::new`].
    ///
    /// # Errors
    /// `MetadataTooLarge`, `BadCharacters`, `JobComplete`, `JobGone`, `KeysRefused`; the last error when time is over.
    pub async fn put_object(
        &self,
        key: &str,
        body: Bytes,
        metadata: &[(&str, &str)],
        deadline: Option<Instant>,
    ) -> Result<Stored, BossError> {
        let object = &Object::new(&self.bucket, key, body, metadata)?;
        let put = |keys: SigningKeys| async move { self.s3.put(object, &keys).await };
        self.call(Service::S3, deadline, put).await
    }

    /// Sends messages to the tile index queue. One result for each, in order.
    ///
    /// # Errors
    /// As [`Session::receive`], and `MessageTooLarge`; then nothing is known of any of the messages. Sending them again
    /// does no harm.
    ///
    /// # Panics
    /// For a volumetric job, which has no such queue.
    pub async fn send_index(
        &self,
        bodies: &[String],
        deadline: Option<Instant>,
    ) -> Result<Vec<Result<(), BossError>>, BossError> {
        let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
        let mut results = Vec::with_capacity(bodies.len());
        for group in groups(bodies.iter().map(|body| body.len()))? {
            results.extend(self.batch(Batch::Index, &bodies[group], deadline).await?);
        }
        Ok(results)
    }

    /// Deletes upload messages by their receipts. One result for each, in order.
    ///
    /// # Errors
    /// As [`Session::receive`]; then nothing is known of any of the messages. Deleting them again does no harm.
    pub async fn delete(
        &self,
        receipts: &[String],
        deadline: Option<Instant>,
    ) -> Result<Vec<Result<(), BossError>>, BossError> {
        let receipts: Vec<&str> = receipts.iter().map(String::as_str).collect();
        let mut results = Vec::with_capacity(receipts.len());
        for group in receipts.chunks(MAX_BATCH) {
            results.extend(self.batch(Batch::Delete, group, deadline).await?);
        }
        Ok(results)
    }

    /// Calls with working keys until the result is final.
    async fn call<T, F>(
        &self,
        service: Service,
        deadline: Option<Instant>,
        call: impl Fn(SigningKeys) -> F,
    ) -> Result<T, BossError>
    where
        F: Future<Output = Result<T, BossError>>,
    {
        retry(self.retry.start(deadline, self.counts()), || self.keyring.with_keys(service, &call)).await
    }

    /// Sends a batch, and again what of it failed for the moment, until all results are final.
    async fn batch(
        &self,
        kind: Batch,
        entries: &[&str],
        deadline: Option<Instant>,
    ) -> Result<Vec<Result<(), BossError>>, BossError> {
        let mut tries = self.retry.start(deadline, self.counts());
        let mut results: Vec<Result<(), BossError>> = entries.iter().map(|_| Ok(())).collect();
        let mut left: Vec<usize> = (0..entries.len()).collect();
        loop {
            let part: Vec<&str> = left.iter().map(|index| entries[*index]).collect();
            let part = &part;
            let send = |keys: SigningKeys| async move { self.send_part(kind, part, &keys).await };
            let of_part = self.call(Service::Sqs, deadline, send).await?;
            for (index, result) in left.iter().zip(of_part) {
                results[*index] = result;
            }
            left.retain(|index| results[*index].as_ref().is_err_and(BossError::is_temporary));
            match left.first().map(|index| &results[*index]) {
                Some(Err(error)) if tries.again_after(error).await => {}
                _ => return Ok(results),
            }
        }
    }

    async fn send_part(
        &self,
        kind: Batch,
        part: &[&str],
        keys: &SigningKeys,
    ) -> Result<Vec<Result<(), BossError>>, BossError> {
        match kind {
            Batch::Delete => self.sqs.delete_batch(&self.upload_queue, part, keys).await,
            Batch::Index => {
                let queue = self.job.tile_index_queue.as_deref().expect("`new` saw the index queue of a tile job");
                self.sqs.send_batch(queue, part, keys).await
            }
        }
    }
}

/// What is done with the entries of a batch.
#[derive(Clone, Copy)]
enum Batch {
    /// Receipts of the upload queue are deleted.
    Delete,
    /// Messages are sent to the tile index queue.
    Index,
}

#[cfg(test)]
mod tests;
