//! The states of an ingest job.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::UnknownNumber;

/// The state of a job, an integer on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub enum JobStatus {
    /// Its upload messages are being made; only `join` moves it on.
    Preparing,
    Uploading,
    Complete,
    /// Cancelled by its user.
    Deleted,
    /// Its creation failed. No known server sets it.
    Failed,
    /// The server checks for missing tiles and cleans up.
    Completing,
    /// Completion was asked for; the server lets its queues settle.
    WaitOnQueues,
}

impl JobStatus {
    pub const ALL: [JobStatus; 7] = [
        JobStatus::Preparing,
        JobStatus::Uploading,
        JobStatus::Complete,
        JobStatus::Deleted,
        JobStatus::Failed,
        JobStatus::Completing,
        JobStatus::WaitOnQueues,
    ];

    /// The state's word in messages and lists.
    pub fn name(self) -> &'static str {
        match self {
            JobStatus::Preparing => "preparing",
            JobStatus::Uploading => "uploading",
            JobStatus::Complete => "complete",
            JobStatus::Deleted => "cancelled",
            JobStatus::Failed => "failed",
            JobStatus::Completing => "completing",
            JobStatus::WaitOnQueues => "waiting on queues",
        }
    }
}

impl fmt::Display for JobStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl TryFrom<u64> for JobStatus {
    type Error = UnknownNumber;

    fn try_from(number: u64) -> Result<Self, UnknownNumber> {
        JobStatus::ALL
            .into_iter()
            .find(|status| u64::from(*status) == number)
            .ok_or(UnknownNumber { what: "job status", number })
    }
}

impl From<JobStatus> for u64 {
    fn from(status: JobStatus) -> u64 {
        match status {
            JobStatus::Preparing => 0,
            JobStatus::Uploading => 1,
            JobStatus::Complete => 2,
            JobStatus::Deleted => 3,
            JobStatus::Failed => 4,
            JobStatus::Completing => 5,
            JobStatus::WaitOnQueues => 6,
        }
    }
}
