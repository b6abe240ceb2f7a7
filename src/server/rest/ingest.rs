//! The ingest service: create, join, status, list, complete, cancel.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use axum::http::{Method, StatusCode};
use axum::response::Response;
use rusqlite::Connection;
use serde_json::{Value, json};

use super::Call;
use super::auth::LOCAL_USER;
use super::error::{Code, RestError, empty_reply, json_reply};
use super::join::{self, no_such_job};
use crate::protocol::{JobList, JobListEntry, JobStatus, StatusReply};
use crate::server::active::ActiveJob;
use crate::server::channel::{Described, Missing};
use crate::server::completion::{self, Answer};
use crate::server::error::StoreError;
use crate::server::jobspec::{JobSpec, SpecError};
use crate::server::population;
use crate::server::store::jobs::{Job, NewJob};
use crate::server::store::queue::{self, QueueRole};
use crate::server::store::{jobs, now_ms};

pub async fn handle(call: &Call<'_>, path: &[&str]) -> Result<Response, RestError> {
    call.user.is_local()?;
    let id = |text: &str| text.parse::<u64>().map_err(|_| RestError::NoSuchPage);
    match (&call.method, path) {
        (&Method::POST, []) => create(call).await,
        (&Method::GET, []) => list(call).await,
        (&Method::GET, [job]) => Ok(json_reply(StatusCode::OK, &join::join(call, id(job)?).await?)),
        (&Method::DELETE, [job]) => cancel(call, id(job)?).await,
        (&Method::GET, [job, "status"]) => status(call, id(job)?).await,
        (&Method::POST, [job, "complete"]) => complete(call, id(job)?).await,
        (_, [] | [_] | [_, "status" | "complete"]) => Err(call.method_not_allowed()),
        _ => Err(RestError::NoSuchPage),
    }
}

async fn create(call: &Call<'_>) -> Result<Response, RestError> {
    let config = call.json()?;
    let spec = JobSpec::read(&config).map_err(invalid)?;
    let text = String::from_utf8_lossy(&call.body).into_owned();
    let add_spec = spec.clone();
    let (job, active) = call.site.store.write(move |connection| add(connection, &add_spec, text)).await?;
    let active = Arc::new(active);
    call.site.active.insert(active.clone());
    call.site.spawn(population::populate(call.site.clone(), active, 0));
    tracing::info!(job = job.id, tasks = job.new.task_count, "created a job");
    Ok(json_reply(StatusCode::CREATED, &join::created(&job, &spec, &call.origin)))
}

fn invalid(error: SpecError) -> RestError {
    let message = match error {
        SpecError::UnknownSchema(what) => format!("Could not validate the schema file. {what}"),
        SpecError::Invalid(wrong) => format!("Could not validate the schema: {}", wrong.join("\n")),
    };
    RestError::boss(Code::UnableToValidate, message)
}

/// Adds the job and its queues.
fn add(connection: &Connection, spec: &JobSpec, config: String) -> Result<(Job, ActiveJob), RestError> {
    let described = Described::find(connection, [&spec.collection, &spec.experiment, &spec.channel])?;
    let described = described.map_err(|missing| {
        let (what, name) = match missing {
            Missing::Collection => ("Collection", &spec.collection),
            Missing::Experiment => ("Experiment", &spec.experiment),
            Missing::Channel => ("Channel", &spec.channel),
        };
        RestError::boss(Code::ResourceNotFound, format!("{what} {name} not found"))
    })?;
    let channel = described.channel()?;
    let new = NewJob {
        creator: LOCAL_USER.to_owned(),
        config,
        ids: channel.ids,
        resolution: channel.base_resolution,
        dtype: channel.dtype,
        resource: described.resource(),
        task_count: spec.grid.count(),
    };
    let id = jobs::insert(connection, &new, now_ms())?;
    let roles = ActiveJob::roles(spec.kind()).iter();
    let queues = roles.map(|role| Ok((*role, queue::create(connection, id, *role)?)));
    let queues = queues.collect::<Result<_, StoreError>>()?;
    let job = jobs::find(connection, id)?.ok_or_else(|| no_such_job(id))?;
    let active = ActiveJob::new(&job, queues)?;
    Ok((job, active))
}

async fn list(call: &Call<'_>) -> Result<Response, RestError> {
    let jobs = call.site.store.read(jobs::list).await?;
    let entries = jobs.into_iter().map(|job| {
        let spec = ActiveJob::new(&job, Vec::new())?.spec;
        Ok(JobListEntry {
            id: job.id,
            created_on: time(job.created_ms),
            completed_on: job.completed_ms.map(time),
            status: job.status,
            ingest_type: spec.kind(),
            collection: spec.collection,
            experiment: spec.experiment,
            channel: spec.channel,
        })
    });
    let ingest_jobs = entries.collect::<Result<_, StoreError>>()?;
    Ok(json_reply(StatusCode::OK, &to_json(JobList { ingest_jobs })))
}

/// ISO 8601 in UTC with microseconds.
fn time(ms: i64) -> String {
    let since = Duration::from_millis(u64::try_from(ms).unwrap_or_default());
    humantime::format_rfc3339_micros(UNIX_EPOCH + since).to_string()
}

fn to_json(reply: impl serde::Serialize) -> Value {
    serde_json::to_value(reply).expect("a reply is JSON")
}

async fn status(call: &Call<'_>, id: u64) -> Result<Response, RestError> {
    let read = move |connection: &Connection| {
        let job = jobs::find(connection, id)?.ok_or_else(|| no_such_job(id))?;
        let upload = queue::find(connection, id, QueueRole::Upload)?;
        let visible = upload.map(|upload| queue::counts(connection, upload, now_ms())).transpose()?;
        Ok::<_, RestError>((job, visible.map_or(0, |counts| counts.visible)))
    };
    let (job, current_message_count) = call.site.store.read(read).await?;
    if job.status == JobStatus::Deleted {
        return Err(RestError::boss(Code::InvalidRequest, format!("The job with id {id} has been deleted")));
    }
    let total_message_count = job.new.task_count;
    Ok(json_reply(
        StatusCode::OK,
        &to_json(StatusReply { id, status: job.status, total_message_count, current_message_count }),
    ))
}

async fn complete(call: &Call<'_>, id: u64) -> Result<Response, RestError> {
    let answer = completion::ask(call.site, id).await?.ok_or_else(|| no_such_job(id))?;
    let refuse = |message: &str| Err(RestError::boss(Code::BadRequest, message));
    let accepted = |body| Ok(json_reply(StatusCode::ACCEPTED, &body));
    let not_yet = |body| Err(RestError::Refused { status: StatusCode::BAD_REQUEST, body });
    match answer {
        Answer::StillPreparing => refuse("You cannot complete a job that is still preparing. You must cancel instead."),
        Answer::UploadsLeft => refuse("Upload queue is not empty"),
        Answer::AssembliesLeft { wait } => {
            not_yet(json!({"wait_secs": seconds(wait), "info": "Internal queues not empty yet"}))
        }
        Answer::WaitBegins { wait } => accepted(json!({"job_status": 6, "wait_secs": seconds(wait)})),
        Answer::Waiting { wait } => not_yet(json!({"job_status": 6, "wait_secs": seconds(wait)})),
        Answer::Completing { begins: true } => accepted(json!({"job_status": 5, "wait_secs": 0})),
        Answer::Completing { begins: false } => accepted(json!({"job_status": 5})),
        Answer::Complete => Ok(empty_reply(StatusCode::NO_CONTENT)),
        Answer::Cancelled => refuse("Ingest job has already been cancelled."),
        Answer::Failed => refuse("Ingest job has failed during creation. You must Cancel instead."),
    }
}

/// Whole seconds as an integer, others as a fraction.
fn seconds(duration: Duration) -> Value {
    if duration.subsec_nanos() == 0 { duration.as_secs().into() } else { duration.as_secs_f64().into() }
}

async fn cancel(call: &Call<'_>, id: u64) -> Result<Response, RestError> {
    let find = move |connection: &Connection| jobs::find(connection, id);
    let job = call.site.store.read(find).await?.ok_or_else(|| no_such_job(id))?;
    match job.status {
        JobStatus::Deleted => {}
        JobStatus::Complete => {
            return Err(RestError::boss(Code::BadRequest, "Ingest job is complete and cannot be cancelled."));
        }
        _ => {
            completion::end(call.site, id, JobStatus::Deleted).await?;
            tracing::info!(job = id, "cancelled a job");
        }
    }
    Ok(empty_reply(StatusCode::NO_CONTENT))
}
