//! What goes over the wire between a client and the Boss: keys, queue messages, object metadata, REST bodies, job states.
//!
//! Client and local Boss share these meanings and nothing else. Every form here is held to vectors made by running the
//! Boss's own functions (`tests/data/vectors/keys.json`), so that a mistake cannot hide by being made on both sides.

mod hierarchy;
mod ids;
mod keys;
mod message;
mod metadata;
mod python_json;
mod rest;
mod status;
#[cfg(test)]
mod vectors;

pub use hierarchy::{HierarchyMethod, Level};
pub use ids::{JobKind, ProjectIds, UnknownNumber};
pub use keys::{ChunkKey, KeyError, TileKey, isotropic_object_key, object_key};
pub use message::{ChunkMessage, CuboidEntry, MessageError, TileMessage, UploadMessage};
pub use metadata::{
    CuboidMetadata, JobParameters, MAX_METADATA_BYTES, META_JSON, META_MESSAGE_ID, META_RECEIPT_HANDLE, TileMetadata,
};
pub use rest::{
    Credentials, ErrorReply, IngestJob, JobCreated, JobList, JobListEntry, JoinReply, ResourceParameters, StatusReply,
};
pub use status::JobStatus;
