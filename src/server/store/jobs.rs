//! Ingest jobs.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::Value;

use super::StoreError;
use crate::protocol::{JobStatus, ProjectIds};
use crate::volume::Dtype;

/// A job that is about to be created.
#[derive(Clone, Debug)]
pub struct NewJob {
    pub creator: String,
    /// The configuration as it was posted.
    pub config: String,
    pub ids: ProjectIds,
    pub resolution: u64,
    pub dtype: Dtype,
    /// The `resource` of join replies.
    pub resource: Value,
    pub task_count: u64,
}

/// A job as the store knows it.
#[derive(Clone, Debug)]
pub struct Job {
    pub id: u64,
    pub status: JobStatus,
    pub new: NewJob,
    /// Upload messages made so far.
    pub populated: u64,
    pub created_ms: i64,
    pub completed_ms: Option<i64>,
    pub waiting_since_ms: Option<i64>,
}

impl Job {
    /// Whether all its upload messages have been made.
    pub fn is_populated(&self) -> bool {
        self.populated >= self.new.task_count
    }

    fn read(row: &Row) -> rusqlite::Result<Option<Job>> {
        let status: u64 = row.get("status")?;
        let dtype: String = row.get("dtype")?;
        let resource: String = row.get("resource")?;
        let (Ok(status), Ok(dtype), Ok(resource)) =
            (JobStatus::try_from(status), dtype.parse(), serde_json::from_str(&resource))
        else {
            return Ok(None);
        };
        let new = NewJob {
            creator: row.get("creator")?,
            config: row.get("config")?,
            ids: ProjectIds::new(row.get("collection")?, row.get("experiment")?, row.get("channel")?),
            resolution: row.get("resolution")?,
            dtype,
            resource,
            task_count: row.get("task_count")?,
        };
        Ok(Some(Job {
            id: row.get("id")?,
            status,
            new,
            populated: row.get("populated")?,
            created_ms: row.get("created_ms")?,
            completed_ms: row.get("completed_ms")?,
            waiting_since_ms: row.get("waiting_since_ms")?,
        }))
    }
}

/// Adds a job in state preparing and gives its id.
pub fn insert(connection: &Connection, new: &NewJob, now_ms: i64) -> Result<u64, StoreError> {
    connection.execute(
        "INSERT INTO jobs (status, creator, config, collection, experiment, channel, resolution, dtype, resource,
             task_count, created_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        params![
            u64::from(JobStatus::Preparing),
            new.creator,
            new.config,
            new.ids.collection,
            new.ids.experiment,
            new.ids.channel,
            new.resolution,
            new.dtype.name(),
            new.resource.to_string(),
            new.task_count,
            now_ms
        ],
    )?;
    u64::try_from(connection.last_insert_rowid()).map_err(|_| StoreError::Damaged { what: "a job's id" })
}

pub fn find(connection: &Connection, id: u64) -> Result<Option<Job>, StoreError> {
    let job = connection.prepare_cached("SELECT * FROM jobs WHERE id = ?1")?.query_row([id], Job::read).optional()?;
    job.map(|job| job.ok_or(DAMAGED)).transpose()
}

const DAMAGED: StoreError = StoreError::Damaged { what: "a job" };

/// All jobs but the cancelled ones.
pub fn list(connection: &Connection) -> Result<Vec<Job>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT * FROM jobs WHERE status <> ?1 ORDER BY id")?;
    let jobs = statement.query_map([u64::from(JobStatus::Deleted)], Job::read)?;
    jobs.map(|job| job?.ok_or(DAMAGED)).collect()
}

/// Jobs that are neither complete nor cancelled.
pub fn running(connection: &Connection) -> Result<Vec<Job>, StoreError> {
    let is_over = |status| matches!(status, JobStatus::Complete | JobStatus::Deleted | JobStatus::Failed);
    Ok(list(connection)?.into_iter().filter(|job| !is_over(job.status)).collect())
}

pub fn set_status(connection: &Connection, id: u64, status: JobStatus) -> Result<(), StoreError> {
    connection.prepare_cached("UPDATE jobs SET status = ?2 WHERE id = ?1")?.execute(params![id, u64::from(status)])?;
    Ok(())
}

/// Moves a job on to waiting for its queues; the wait begins now.
pub fn set_waiting(connection: &Connection, id: u64, now_ms: i64) -> Result<(), StoreError> {
    set_status(connection, id, JobStatus::WaitOnQueues)?;
    connection.execute("UPDATE jobs SET waiting_since_ms = ?2 WHERE id = ?1", params![id, now_ms])?;
    Ok(())
}

/// Moves a job from one state to another; nothing happens when it is in a third, because it was cancelled meanwhile.
pub fn move_on(connection: &Connection, id: u64, from: JobStatus, to: JobStatus) -> Result<(), StoreError> {
    connection.prepare_cached("UPDATE jobs SET status = ?3 WHERE id = ?1 AND status = ?2")?.execute(params![
        id,
        u64::from(from),
        u64::from(to)
    ])?;
    Ok(())
}

/// Ends a job that runs: complete or cancelled. One that has ended stays as it is.
pub fn end(connection: &Connection, id: u64, status: JobStatus, now_ms: i64) -> Result<(), StoreError> {
    connection.execute(
        "UPDATE jobs SET status = ?2, completed_ms = ?3 WHERE id = ?1 AND completed_ms IS NULL",
        params![id, u64::from(status), now_ms],
    )?;
    Ok(())
}

pub fn set_populated(connection: &Connection, id: u64, populated: u64) -> Result<(), StoreError> {
    connection.prepare_cached("UPDATE jobs SET populated = ?2 WHERE id = ?1")?.execute(params![id, populated])?;
    Ok(())
}
