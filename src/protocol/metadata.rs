//! What travels with each object: the job's parameters and the keys of the task, as compact JSON.

use std::fmt;

use serde::Serialize;
use serde_json::value::RawValue;

use super::python_json;

/// Bytes that all user metadata of one object may have: names without `x-amz-meta-`, and values (S3's limit).
pub const MAX_METADATA_BYTES: usize = 2048;

/// The metadata name of the queue message's id; tile objects only.
pub const META_MESSAGE_ID: &str = "message_id";
/// The metadata name of the queue message's receipt; tile objects only.
pub const META_RECEIPT_HANDLE: &str = "receipt_handle";
/// The metadata name of the JSON text.
pub const META_JSON: &str = "metadata";

/// The parameters of a joined job, kept word for word and put into the metadata of each object.
///
/// `upload_queue, ingest_queue, KVIO_SETTINGS, STATEIO_CONFIG, OBJECTIO_CONFIG, resource`, in this order.
#[derive(Clone)]
pub struct JobParameters(Box<RawValue>);

impl JobParameters {
    pub fn new(parameters: &serde_json::Value) -> Self {
        let text = python_json::compact(parameters);
        JobParameters(RawValue::from_string(text).expect("a JSON value gives JSON"))
    }

    pub fn as_json(&self) -> &str {
        self.0.get()
    }
}

impl fmt::Debug for JobParameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JobParameters({})", self.0.get())
    }
}

/// The metadata of a tile object, and the body of its index message.
#[derive(Debug, Serialize)]
pub struct TileMetadata<'a> {
    pub chunk_key: &'a str,
    pub tile_key: &'a str,
    pub ingest_job: u64,
    #[serde(serialize_with = "as_is")]
    pub parameters: &'a JobParameters,
    pub x_size: u64,
    pub y_size: u64,
}

/// The metadata of a cuboid object.
#[derive(Debug, Serialize)]
pub struct CuboidMetadata<'a> {
    pub ingest_job: u64,
    pub chunk_key: &'a str,
    #[serde(serialize_with = "as_is")]
    pub parameters: &'a JobParameters,
}

impl TileMetadata<'_> {
    pub fn to_json(&self) -> String {
        python_json::compact(self)
    }
}

impl CuboidMetadata<'_> {
    pub fn to_json(&self) -> String {
        python_json::compact(self)
    }
}

fn as_is<S: serde::Serializer>(parameters: &&JobParameters, serializer: S) -> Result<S::Ok, S::Error> {
    parameters.0.serialize(serializer)
}
