//! Bodies of the ingest service's REST calls.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{JobKind, JobParameters, JobStatus, ProjectIds};
use crate::volume::Dtype;

/// The reply to creating a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobCreated {
    pub id: u64,
    pub collection: String,
    pub experiment: String,
    pub channel: String,
    pub status: JobStatus,
    pub ingest_queue: Option<String>,
    pub upload_queue: Option<String>,
    pub tile_count: u64,
    pub ingest_type: JobKind,
}

/// A job as `join` describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IngestJob {
    pub id: u64,
    pub collection: String,
    pub experiment: String,
    pub channel: String,
    pub status: JobStatus,
    pub ingest_queue: Option<String>,
    pub upload_queue: Option<String>,
    pub tile_count: u64,
    pub ingest_type: JobKind,
    pub tile_index_queue: Option<String>,
}

/// The AWS keys of one job. Neither the secret nor the session token is ever printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    pub access_key: String,
    pub secret_key: String,
    pub security_token: Option<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("access_key", &self.access_key).finish_non_exhaustive()
    }
}

/// The reply to `join`. A job that is over has only `ingest_job`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JoinReply {
    pub ingest_job: IngestJob,
    #[serde(default)]
    pub credentials: Option<Credentials>,
    #[serde(default)]
    pub tile_bucket_name: Option<String>,
    #[serde(default)]
    pub ingest_bucket_name: Option<String>,
    #[serde(default, rename = "KVIO_SETTINGS")]
    pub kvio_settings: Value,
    #[serde(default, rename = "STATEIO_CONFIG")]
    pub stateio_config: Value,
    #[serde(default, rename = "OBJECTIO_CONFIG")]
    pub objectio_config: Value,
    #[serde(default)]
    pub resource: Value,
}

impl JoinReply {
    /// What goes into the metadata of each object, word for word as the server sent it.
    pub fn parameters(&self) -> JobParameters {
        JobParameters::new(&json!({
            "upload_queue": self.ingest_job.upload_queue,
            "ingest_queue": self.ingest_job.ingest_queue,
            "KVIO_SETTINGS": self.kvio_settings,
            "STATEIO_CONFIG": self.stateio_config,
            "OBJECTIO_CONFIG": self.objectio_config,
            "resource": self.resource,
        }))
    }

    /// The part of `resource` that a client needs, when the reply has it.
    pub fn resource_parameters(&self) -> Option<ResourceParameters> {
        ResourceParameters::read(&self.resource)
    }
}

/// What the `resource` of a join reply says of the channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResourceParameters {
    pub ids: ProjectIds,
    pub dtype: Dtype,
    pub base_resolution: u64,
}

impl ResourceParameters {
    fn read(resource: &Value) -> Option<Self> {
        let ids: Vec<u64> =
            resource["lookup_key"].as_str()?.split('&').map(str::parse).collect::<Result<_, _>>().ok()?;
        let [collection, experiment, channel] = ids.try_into().ok()?;
        let described = &resource["channel"];
        Some(ResourceParameters {
            ids: ProjectIds::new(collection, experiment, channel),
            dtype: described["datatype"].as_str()?.to_lowercase().parse().ok()?,
            base_resolution: described["base_resolution"].as_u64()?,
        })
    }
}

/// The reply to `status`. `current_message_count` counts the messages that nobody holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusReply {
    pub id: u64,
    pub status: JobStatus,
    pub total_message_count: u64,
    pub current_message_count: u64,
}

/// The reply to listing jobs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobList {
    pub ingest_jobs: Vec<JobListEntry>,
}

/// One job of the list. Times are ISO 8601 in UTC; `completed_on` is null while the job runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobListEntry {
    pub id: u64,
    pub collection: String,
    pub experiment: String,
    pub channel: String,
    pub created_on: String,
    pub completed_on: Option<String>,
    pub status: JobStatus,
    pub ingest_type: JobKind,
}

/// The Boss's own error body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorReply {
    pub status: u16,
    pub code: u32,
    pub message: String,
}
