//! What `GET /ingest/ID` says: all that a client needs to take part in a job.

use std::sync::Arc;

use rusqlite::Connection;
use serde_json::{Value, json};

use super::Call;
use super::error::{Code, RestError};
use crate::protocol::{Credentials, IngestJob, JobKind, JobStatus, JoinReply};
use crate::server::active::ActiveJob;
use crate::server::jobspec::JobSpec;
use crate::server::keys::{Key, KeyTimes};
use crate::server::s3::{INGEST_BUCKET, TILE_BUCKET};
use crate::server::store::jobs::{self, Job};
use crate::server::store::keys;
use crate::server::store::now_ms;
use crate::server::store::queue::QueueRole;
use crate::server::task_text::queue_url;

/// Joins: a job whose upload queue is full moves on from preparing, and whoever joins gets keys of its own.
pub async fn join(call: &Call<'_>, id: u64) -> Result<Value, RestError> {
    let times = call.site.key_times;
    let (job, key) = call.site.store.write(move |connection| enter(connection, id, times)).await?;
    let spec = ActiveJob::new(&job, Vec::new())?.spec;
    let credentials = key.as_ref().map(Key::credentials);
    if let Some(key) = key {
        call.site.keys.insert(Arc::new(key), now_ms());
    }
    match job.status {
        JobStatus::Deleted => {
            Err(RestError::boss(Code::InvalidRequest, format!("The job with id {id} has been deleted")))
        }
        JobStatus::Complete | JobStatus::Failed => Ok(json!({"ingest_job": ingest_job(&job, &spec, None)})),
        _ => Ok(whole_reply(&job, &spec, &call.origin, credentials)),
    }
}

/// Finds a job, moves it on if it is ready, and makes keys if there is something to do with them.
fn enter(connection: &Connection, id: u64, times: KeyTimes) -> Result<(Job, Option<Key>), RestError> {
    use JobStatus::{Completing, Preparing, Uploading, WaitOnQueues};
    let mut job = jobs::find(connection, id)?.ok_or_else(|| no_such_job(id))?;
    if job.status == Preparing && job.is_populated() {
        jobs::set_status(connection, id, Uploading)?;
        job.status = Uploading;
    }
    if !matches!(job.status, Uploading | WaitOnQueues | Completing) {
        return Ok((job, None));
    }
    let key = Key::make(id, now_ms(), times);
    keys::insert(connection, &key)?;
    Ok((job, Some(key)))
}

pub fn no_such_job(id: u64) -> RestError {
    RestError::boss(Code::ObjectNotFound, format!("The ingest job with id {id} does not exist"))
}

/// `origin` is the server's address for the queues' URLs; a job that is over has no queues.
fn ingest_job(job: &Job, spec: &JobSpec, origin: Option<&str>) -> IngestJob {
    let roles = ActiveJob::roles(spec.kind());
    let url = |role| Some(queue_url(origin?, role, job.id)).filter(|_| roles.contains(&role));
    IngestJob {
        id: job.id,
        collection: spec.collection.clone(),
        experiment: spec.experiment.clone(),
        channel: spec.channel.clone(),
        status: job.status,
        ingest_queue: url(QueueRole::Ingest),
        upload_queue: url(QueueRole::Upload),
        tile_count: job.new.task_count,
        ingest_type: spec.kind(),
        tile_index_queue: url(QueueRole::Index),
    }
}

fn whole_reply(job: &Job, spec: &JobSpec, origin: &str, credentials: Option<Credentials>) -> Value {
    let reply = JoinReply {
        ingest_job: ingest_job(job, spec, Some(origin)),
        credentials,
        tile_bucket_name: Some(TILE_BUCKET.to_owned()),
        ingest_bucket_name: Some(INGEST_BUCKET.to_owned()),
        kvio_settings: json!({"cache_host": "local", "cache_db": 0, "read_timeout": 1_209_600}),
        stateio_config: json!({"cache_state_host": "local", "cache_state_db": 0}),
        objectio_config: objectio_config(),
        resource: job.new.resource.clone(),
    };
    let mut reply = serde_json::to_value(reply).expect("a reply is JSON");
    reply["ingest_lambda"] = "deprecated".into();
    reply
}

/// Names of services that a local Boss does not have. Clients put them into the metadata of every object, so they have
/// to be there, and short.
fn objectio_config() -> Value {
    let names = [
        "s3_flush_queue",
        "cuboid_bucket",
        "page_in_lambda_function",
        "page_out_lambda_function",
        "ingest_lambda_function",
        "s3_index_table",
        "id_index_table",
        "id_count_table",
        "prod_mailing_list",
        "id_index_new_chunk_threshold",
    ];
    names.into_iter().map(|name| (name.to_owned(), Value::from("local"))).collect::<serde_json::Map<_, _>>().into()
}

/// The reply to creating a job.
pub fn created(job: &Job, spec: &JobSpec, origin: &str) -> Value {
    json!({
        "id": job.id,
        "collection": spec.collection,
        "experiment": spec.experiment,
        "channel": spec.channel,
        "status": job.status,
        "ingest_queue": (spec.kind() == JobKind::Tile).then(|| queue_url(origin, QueueRole::Ingest, job.id)),
        "upload_queue": queue_url(origin, QueueRole::Upload, job.id),
        "tile_count": job.new.task_count,
        "ingest_type": spec.kind(),
    })
}
