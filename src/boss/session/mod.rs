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

use super::circuit::Circuit;
use super::pace::Pace;
use super::quota::Quota;
use super::{
    BossError, Endpoints, MAX_BATCH, Message, Object, PaceNow, Rest, RetryCounts, RetryPolicy, S3, Service,
    SigningKeys, Sqs, Stored, groups, retry,
};
use crate::protocol::{IngestJob, JobKind, JobParameters, JoinReply, ResourceParameters};
use keyring::Keyring;

/// How long keys last, how patiently requests are repeated, and what bounds them.
#[derive(Clone, Copy, Debug)]
pub struct SessionSettings {
    /// Keys older than this are renewed. They live for an hour as far as is known.
    pub renew_after: Duration,
    /// New keys may be refused for this long until all of AWS knows them.
    pub settle: Duration,
    /// Keys that worked and are then refused for this long are over; before, one part of AWS may know them and another not.
    pub doubt: Duration,
    /// How often and how long each call is tried; it must outlast `settle`.
    pub retry: RetryPolicy,
    /// PUT requests in flight at once; found by trying unless given.
    pub uploads: Option<usize>,
    /// Bytes of objects sent each second at most.
    pub max_bandwidth: Option<u64>,
    /// Requests to S3 and SQS made each second at most.
    pub max_requests: Option<u64>,
}

/// How the services are used at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    pub uploads: PaceNow,
    /// A service that has not answered for so long.
    pub away: Option<(Service, Duration)>,
}

impl Default for SessionSettings {
    fn default() -> Self {
        SessionSettings {
            renew_after: Duration::from_secs(3300),
            settle: Duration::from_secs(60),
            doubt: Duration::from_secs(2),
            retry: RetryPolicy::patient(),
            uploads: None,
            max_bandwidth: None,
            max_requests: None,
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
    uploads: Pace,
    /// To S3 and SQS.
    circuits: [Circuit; 2],
    bandwidth: Quota,
    requests: Quota,
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
            uploads: Pace::new(settings.uploads),
            circuits: [Service::S3, Service::Sqs].map(Circuit::new),
            bandwidth: Quota::new(settings.max_bandwidth),
            requests: Quota::new(settings.max_requests),
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

    /// How the services are used now.
    pub fn load(&self) -> Load {
        let away = |service: Service| Some((service, self.circuits[service as usize].away_since()?));
        Load { uploads: self.uploads.look(), away: [Service::S3, Service::Sqs].into_iter().find_map(away) }
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
        let paced = || async move {
            let place = self.uploads.place().await;
            self.bandwidth.take(object.size_bytes()).await;
            let result = self.call_once(Service::S3, put).await;
            match &result {
                Ok(_) => place.answered(object.size_bytes()),
                Err(error) if error.is_congestion() => place.congested(),
                Err(_) => drop(place),
            }
            result
        };
        retry(self.retry.start(deadline, self.counts()), paced).await
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
        retry(self.retry.start(deadline, self.counts()), || self.call_once(service, &call)).await
    }

    /// Calls once with working keys, when the service is there.
    async fn call_once<T, F>(&self, service: Service, call: impl Fn(SigningKeys) -> F) -> Result<T, BossError>
    where
        F: Future<Output = Result<T, BossError>>,
    {
        let pass = self.circuits[service as usize].pass().await?;
        self.requests.take(1).await;
        let result = self.keyring.with_keys(service, call).await;
        pass.went(&result);
        result
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
