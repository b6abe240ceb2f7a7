//! The numbers by which the Boss names things on the wire.

use serde::{Deserialize, Serialize};

/// The database ids of a channel and of what it lies in. Keys hold these, never names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProjectIds {
    pub collection: u64,
    pub experiment: u64,
    pub channel: u64,
}

impl ProjectIds {
    pub fn new(collection: u64, experiment: u64, channel: u64) -> Self {
        ProjectIds { collection, experiment, channel }
    }
}

/// A number that names nothing the Boss knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the Boss has no {what} with the number {number}")]
pub struct UnknownNumber {
    pub what: &'static str,
    pub number: u64,
}

/// What a job's tasks are: tiles (`ingest_type` 0) or chunks of cuboids (`ingest_type` 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub enum JobKind {
    Tile,
    Volumetric,
}

impl JobKind {
    /// The word of the job file's `ingest_type`.
    pub fn name(self) -> &'static str {
        match self {
            JobKind::Tile => "tile",
            JobKind::Volumetric => "volumetric",
        }
    }
}

impl TryFrom<u64> for JobKind {
    type Error = UnknownNumber;

    fn try_from(number: u64) -> Result<Self, UnknownNumber> {
        match number {
            0 => Ok(JobKind::Tile),
            1 => Ok(JobKind::Volumetric),
            number => Err(UnknownNumber { what: "ingest type", number }),
        }
    }
}

impl From<JobKind> for u64 {
    fn from(kind: JobKind) -> u64 {
        match kind {
            JobKind::Tile => 0,
            JobKind::Volumetric => 1,
        }
    }
}
