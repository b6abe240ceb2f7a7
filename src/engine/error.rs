//! Why a run could not go on.

use std::sync::Arc;

use super::ledger::LedgerError;
use crate::boss::BossError;
use crate::protocol::{JobKind, JobStatus, MessageError};
use crate::volume::Dtype;

/// Why a run could not begin, or had to end. Tasks that were taken come back from the queue.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error(transparent)]
    Boss(Arc<BossError>),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// `--on-bad-tile fill=V` names no value of the channel.
    #[error("{fill} is no value of the channel's voxels, which are {dtype}")]
    Fill { fill: f64, dtype: Dtype },
    #[error("ingest job {id} was cancelled")]
    Cancelled { id: u64 },
    #[error("ingest job {id} cannot be completed: {message}")]
    CannotComplete { id: u64, message: String },
    /// The job was made from another job file.
    #[error("ingest job {id} is a {} job, the job file describes a {} job", .job.name(), .file.name())]
    OtherKind { id: u64, job: JobKind, file: JobKind },
    /// The job was made from another job file.
    #[error("ingest job {id} has {job} tasks, the job file makes {file}")]
    OtherCount { id: u64, job: u64, file: u64 },
    /// The job writes to another channel than the job file names.
    #[error("ingest job {id} writes to `{job}`, the job file names `{file}`")]
    OtherChannel { id: u64, job: String, file: String },
    #[error("the server does not say which voxel type the channel of job {id} has")]
    NoDtype { id: u64 },
    /// Tiles are images, and the Boss reads none with 64-bit voxels.
    #[error("the channel's voxels are {dtype}, which no tile image can hold")]
    DtypeInTiles { dtype: Dtype },
    #[error("message {id} of the upload queue is not one of this job")]
    StrangeMessage { id: String, source: MessageError },
    /// Neither complete nor cancelled, and yet without a queue.
    #[error("the upload queue of job {id} is gone, though the server says that the job is {status}")]
    NoQueue { id: u64, status: JobStatus },
    /// The server says that the upload queue has messages, but hands none out.
    #[error("the server says that the upload queue of job {id} is not empty, but hands out no message")]
    NothingHandedOut { id: u64 },
}

impl From<BossError> for EngineError {
    fn from(error: BossError) -> Self {
        EngineError::Boss(Arc::new(error))
    }
}

impl EngineError {
    /// What the user can do next, where there is something.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            EngineError::Boss(error) => return error.hint().map(str::to_owned),
            EngineError::Ledger(error) => return error.hint(),
            EngineError::Fill { .. } => "give a whole number that the voxel type holds, such as `fill=0`",
            EngineError::Cancelled { .. } => "create a new job to upload the rest",
            EngineError::CannotComplete { .. } => "cancel the job and create it again",
            EngineError::OtherKind { .. } | EngineError::OtherCount { .. } | EngineError::OtherChannel { .. } => {
                "join with the job file that created the job, or check the job id with `boss-ingest list`"
            }
            EngineError::NoDtype { .. } => "see whether the host in the job file is a Boss",
            EngineError::DtypeInTiles { .. } => "use a volumetric job with the built-in `sections`",
            EngineError::StrangeMessage { .. } => "somebody else wrote to the queue; see the log for its text",
            EngineError::NoQueue { .. } => "cancel the job and create it again; what was ingested stays",
            EngineError::NothingHandedOut { .. } => "`join` the job again later",
        };
        Some(hint.to_owned())
    }
}
