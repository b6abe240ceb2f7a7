//! Assembles full chunks in the background, one per core, and writes down how it went.
//!
//! Which chunks are full is in the store, so a server that is killed goes on where it was: assembly can be repeated until
//! the chunk is marked as stored, and only then are its tiles deleted.

use std::collections::HashSet;
use std::num::NonZero;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::active::ActiveJob;
use super::assembly::{Assembled, Assembly, AssemblyError};
use super::error::StoreError;
use super::site::Site;
use super::store::index::{self, Chunk};
use super::store::queue::{self, Content, QueueRole};
use super::store::{now_ms, tiles};
use crate::volume::Index;

/// After a failure of the store, try again so much later.
const PAUSE: Duration = Duration::from_secs(1);

/// Chunks that are being assembled.
type InWork = Arc<Mutex<HashSet<Chunk>>>;

/// Runs until the server stops; what is being assembled then is finished.
pub async fn run(site: Arc<Site>) {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let free = Arc::new(Semaphore::new(cores));
    let in_work = InWork::default();
    while !site.stopping.is_cancelled() {
        let waiting = match waiting_chunks(&site, &in_work, 2 * cores).await {
            Ok(chunks) => chunks,
            Err(error) => {
                tracing::error!(%error, "full chunks cannot be looked up");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        if waiting.is_empty() {
            tokio::select! {
                () = site.chunk_full.notified() => {}
                () = site.stopping.cancelled() => {}
            }
        }
        for chunk in waiting {
            let permit = free.clone().acquire_owned().await.expect("the cores are never closed");
            in_work.lock().unwrap_or_else(PoisonError::into_inner).insert(chunk);
            site.spawn(one(site.clone(), chunk, in_work.clone(), permit));
        }
    }
}

/// Full chunks that nobody assembles yet.
async fn waiting_chunks(site: &Site, in_work: &InWork, most: usize) -> Result<Vec<Chunk>, StoreError> {
    let busy = in_work.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut chunks = site.store.read(move |connection| index::full(connection, most)).await?;
    chunks.retain(|chunk| !busy.contains(chunk));
    Ok(chunks)
}

async fn one(site: Arc<Site>, chunk: Chunk, in_work: InWork, permit: OwnedSemaphorePermit) {
    if let Err(error) = assemble(&site, chunk).await {
        tracing::error!(error = &error as &dyn std::error::Error, ?chunk, "a chunk was not stored");
        let unfinished = move |connection: &Connection| index::mark_unfinished(connection, &chunk, &[]);
        if let Err(error) = site.store.write(unfinished).await {
            tracing::error!(%error, "the failure could not be noted");
            tokio::time::sleep(PAUSE).await;
        }
    }
    in_work.lock().unwrap_or_else(PoisonError::into_inner).remove(&chunk);
    drop(permit);
    site.chunk_full.notify_one();
}

async fn assemble(site: &Arc<Site>, chunk: Chunk) -> Result<(), AssemblyError> {
    let Some(job) = site.active.by_id(chunk.job) else {
        return Ok(site.store.write(move |connection| index::remove_all(connection, chunk.job)).await?);
    };
    let lost = sections_without_tile(site, &job, chunk).await?;
    let assembled =
        if lost.is_empty() { make_cuboids(site, &job, chunk).await? } else { Assembled { lost, ..Default::default() } };
    if !assembled.lost.is_empty() {
        tracing::warn!(job = job.id, ?chunk, lost = ?assembled.lost, "tiles were announced but not uploaded");
        let lost = assembled.lost;
        return Ok(site.store.write(move |connection| index::mark_unfinished(connection, &chunk, &lost)).await?);
    }
    for (z, why) in &assembled.black {
        tracing::warn!(job = job.id, z, chunk = ?chunk.index, why, "a tile cannot be used and is stored black");
    }
    let noted = job.clone();
    site.store.write(move |connection| note_stored(connection, &noted, chunk, assembled)).await?;
    remove_files(site, &job, chunk).await;
    Ok(())
}

/// Sections whose objects are not there, or are no tiles because their metadata are not those of one.
async fn sections_without_tile(site: &Site, job: &Arc<ActiveJob>, chunk: Chunk) -> Result<Vec<i64>, StoreError> {
    let job = job.clone();
    let look = move |connection: &Connection| {
        let mut lost = Vec::new();
        for z in chunk.sections() {
            if !tiles::find(connection, job.id, &tile_key(&job, chunk, z))?.is_some_and(|object| object.is_tile()) {
                lost.push(z);
            }
        }
        Ok(lost)
    };
    site.store.read(look).await
}

async fn make_cuboids(site: &Arc<Site>, job: &Arc<ActiveJob>, chunk: Chunk) -> Result<Assembled, AssemblyError> {
    let band_bytes = site.assembly_memory.total_bytes() / 2;
    let needed = Assembly::new(&site.objects, job, &chunk, band_bytes).memory_bytes();
    let _memory = site.assembly_memory.take(needed).await;
    let (objects, job) = (site.objects.clone(), job.clone());
    let make = move || Assembly::new(&objects, &job, &chunk, band_bytes).run();
    site.background_threads.run(make).await?
}

fn note_stored(connection: &Connection, job: &ActiveJob, chunk: Chunk, assembled: Assembled) -> Result<(), StoreError> {
    index::mark_stored(connection, &chunk)?;
    for z in chunk.sections() {
        tiles::remove(connection, job.id, &tile_key(job, chunk, z))?;
    }
    let errors = job.queue(QueueRole::Error).ok_or(StoreError::Damaged { what: "a job's queues" })?;
    for (z, error) in assembled.black {
        let chunk_key = job.chunk_key(chunk.index, chunk.num_tiles).to_string();
        let body = json!({"tile_key": tile_key(job, chunk, z), "chunk_key": chunk_key, "error": error});
        queue::push(connection, errors, &Content::Body(body.to_string()), now_ms())?;
    }
    Ok(())
}

async fn remove_files(site: &Arc<Site>, job: &Arc<ActiveJob>, chunk: Chunk) {
    let (objects, job) = (site.objects.clone(), job.clone());
    let remove = move || {
        for z in chunk.sections() {
            // One that stays is removed with the rest of the job's tiles.
            let _ = std::fs::remove_file(objects.tile(job.id, &tile_key(&job, chunk, z)));
        }
    };
    let _ = tokio::task::spawn_blocking(remove).await;
}

fn tile_key(job: &ActiveJob, chunk: Chunk, z: i64) -> String {
    job.tile_key(Index { z, ..chunk.index }).to_string()
}
