//! Tasks in the short form in which the store keeps them, and the messages that are made from them.
//!
//! `x y z t cz n` for a tile (with its chunk's z index and number of tiles), `x y z ox oy oz` for a chunk (with its first
//! voxel). A message's queue URLs hold the server's address, which may be another after a restart, so it is written anew
//! for each receive.

use super::active::ActiveJob;
use super::store::queue::QueueRole;
use crate::protocol::{ChunkMessage, JobKind, TileMessage, UploadMessage};
use crate::volume::{Index, Task};

pub fn write(task: &Task) -> String {
    match task {
        Task::Tile { tile: Index { x, y, z, t }, chunk, num_tiles } => {
            format!("{x} {y} {z} {t} {} {num_tiles}", chunk.z)
        }
        Task::Chunk { chunk: Index { x, y, z, .. }, origin: (ox, oy, oz) } => format!("{x} {y} {z} {ox} {oy} {oz}"),
    }
}

/// Reads what [`write()`] wrote; `None` when it did not.
fn read(kind: JobKind, text: &str) -> Option<Task> {
    let fields: Vec<i64> = text.split(' ').map(str::parse).collect::<Result<_, _>>().ok()?;
    let [x, y, z, a, b, c] = fields.try_into().ok()?;
    Some(match kind {
        JobKind::Tile => Task::Tile {
            tile: Index::new(x, y, z, a),
            chunk: Index::new(x, y, b, a),
            num_tiles: u64::try_from(c).ok()?,
        },
        JobKind::Volumetric => Task::Chunk { chunk: Index::new(x, y, z, 0), origin: (a, b, c) },
    })
}

/// The body of the upload message of a stored task. `origin` is the server's address as the client knows it.
pub fn message(job: &ActiveJob, text: &str, origin: &str) -> Option<String> {
    let message = match read(job.kind(), text)? {
        Task::Tile { tile, chunk, num_tiles } => UploadMessage::Tile(TileMessage {
            job_id: job.id,
            upload_queue_arn: queue_url(origin, QueueRole::Upload, job.id),
            ingest_queue_arn: queue_url(origin, QueueRole::Ingest, job.id),
            chunk_key: job.chunk_key(chunk, num_tiles).to_string(),
            tile_key: job.tile_key(tile).to_string(),
        }),
        Task::Chunk { chunk, origin } => {
            let size = job.spec.grid.task_size();
            UploadMessage::Chunk(ChunkMessage::new(job.ids, job.resolution, chunk, origin, size)?)
        }
    };
    Some(message.to_json())
}

/// The URL of a job's queue; only its last segment is looked at when it comes back.
pub fn queue_url(origin: &str, role: QueueRole, job: u64) -> String {
    format!("{origin}/000000000000/{}", role.queue_name(job))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_read_back() {
        let tile = Task::Tile { tile: Index::new(2, 1, 37, 3), chunk: Index::new(2, 1, 2, 3), num_tiles: 5 };
        let chunk = Task::Chunk { chunk: Index::new(1, 0, 2, 0), origin: (512, 0, 32) };
        assert_eq!(read(JobKind::Tile, &write(&tile)), Some(tile));
        assert_eq!(read(JobKind::Volumetric, &write(&chunk)), Some(chunk));
        assert_eq!(read(JobKind::Tile, "1 2 x"), None);
    }
}
