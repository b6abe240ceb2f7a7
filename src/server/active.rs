//! The jobs that run, and which queues exist.
//!
//! Every SQS and S3 request looks here, so this is a map in memory; the store has the same and fills it at the start.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::Value;

use super::error::StoreError;
use super::jobspec::JobSpec;
use super::store::index::Chunk;
use super::store::jobs::Job;
use super::store::queue::QueueRole;
use crate::protocol::{ChunkKey, JobKind, ProjectIds, TileKey};
use crate::volume::{CHUNK_TILES, Dtype, Grid, Index};

/// A job's queues by what they are for, with their ids in the store.
pub type JobQueues = Vec<(QueueRole, i64)>;

/// What never changes while a job runs.
#[derive(Debug)]
pub struct ActiveJob {
    pub id: u64,
    pub spec: JobSpec,
    pub ids: ProjectIds,
    pub resolution: u64,
    pub dtype: Dtype,
    pub created_ms: i64,
    queues: JobQueues,
}

#[derive(Default)]
pub struct ActiveJobs {
    maps: RwLock<Maps>,
}

#[derive(Default)]
struct Maps {
    by_id: HashMap<u64, Arc<ActiveJob>>,
    by_queue_name: HashMap<String, (Arc<ActiveJob>, QueueRole)>,
}

impl ActiveJob {
    pub fn new(job: &Job, queues: JobQueues) -> Result<Self, StoreError> {
        let damaged = StoreError::Damaged { what: "a job's configuration" };
        let config: Value = serde_json::from_str(&job.new.config).map_err(|_| StoreError::Damaged { what: "a job" })?;
        Ok(ActiveJob {
            id: job.id,
            spec: JobSpec::read(&config).map_err(|_| damaged)?,
            ids: job.new.ids,
            resolution: job.new.resolution,
            dtype: job.new.dtype,
            created_ms: job.created_ms,
            queues,
        })
    }

    /// The queues that a job of this kind has.
    pub fn roles(kind: JobKind) -> &'static [QueueRole] {
        match kind {
            JobKind::Tile => &QueueRole::ALL,
            JobKind::Volumetric => &[QueueRole::Upload],
        }
    }

    pub fn kind(&self) -> JobKind {
        self.spec.kind()
    }

    /// The id of one of the job's queues; `None` for those that a volumetric job does not have.
    pub fn queue(&self, role: QueueRole) -> Option<i64> {
        self.queues.iter().find(|(found, _)| *found == role).map(|(_, id)| *id)
    }

    pub fn upload_queue(&self) -> i64 {
        self.queue(QueueRole::Upload).expect("every job has an upload queue")
    }

    pub fn tile_key(&self, index: Index) -> TileKey {
        TileKey { ids: self.ids, resolution: self.resolution, index }
    }

    pub fn chunk_key(&self, index: Index, num_tiles: u64) -> ChunkKey {
        ChunkKey { num_tiles, ids: self.ids, resolution: self.resolution, index }
    }

    /// The empty chunk that a chunk key names; `None` when it is no chunk of this job.
    pub fn chunk(&self, key: &ChunkKey) -> Option<Chunk> {
        let Grid::Tiles(grid) = &self.spec.grid else { return None };
        let first = key.index.z.checked_mul(CHUNK_TILES as i64)?;
        let region = grid.region(Index { z: first, ..key.index });
        let is_inside = !region.intersect(&grid.extent.region()).is_empty() && grid.extent.t.contains(key.index.t);
        let num_tiles = grid.extent.z.stop.saturating_sub(first).clamp(0, CHUNK_TILES as i64) as u64;
        let chunk = Chunk::empty(self.id, key.index, num_tiles);
        (is_inside && *key == self.chunk_key(key.index, num_tiles)).then_some(chunk)
    }
}

impl ActiveJobs {
    pub fn insert(&self, job: Arc<ActiveJob>) {
        let mut maps = self.maps.write().unwrap_or_else(PoisonError::into_inner);
        for (role, _) in &job.queues {
            maps.by_queue_name.insert(role.queue_name(job.id), (job.clone(), *role));
        }
        maps.by_id.insert(job.id, job);
    }

    /// Takes away a job's queues.
    pub fn remove(&self, id: u64) {
        let mut maps = self.maps.write().unwrap_or_else(PoisonError::into_inner);
        maps.by_id.remove(&id);
        maps.by_queue_name.retain(|_, (job, _)| job.id != id);
    }

    pub fn by_id(&self, id: u64) -> Option<Arc<ActiveJob>> {
        self.maps.read().unwrap_or_else(PoisonError::into_inner).by_id.get(&id).cloned()
    }

    pub fn by_queue_name(&self, name: &str) -> Option<(Arc<ActiveJob>, QueueRole)> {
        self.maps.read().unwrap_or_else(PoisonError::into_inner).by_queue_name.get(name).cloned()
    }
}
