//! SendMessage and SendMessageBatch. The only queue that takes messages is the tile index, which keeps none of them:
//! what a message says is written into the index before it is acknowledged.

use rusqlite::Connection;
use serde::Deserialize;
use serde_json::Value;

use super::error::SqsError;
use super::{Entry, MAX_MESSAGE_BYTES, Reply, Sent, Target, check_batch, md5_hex};
use crate::protocol::{ChunkKey, TileKey};
use crate::server::active::ActiveJob;
use crate::server::error::StoreError;
use crate::server::site::Site;
use crate::server::store::index::{self, Chunk, Recorded};
use crate::server::store::now_ms;
use crate::server::store::queue::{self, Content, QueueRole};

/// What the server reads of an index message.
#[derive(Deserialize)]
struct IndexMessage {
    chunk_key: String,
    tile_key: String,
    ingest_job: Value,
}

/// What a message changes.
enum Change {
    Tile {
        chunk: Chunk,
        z: i64,
    },
    /// It says nothing about a tile of this job.
    DeadLetter(String),
}

pub async fn one(site: &Site, target: &Target, body: String) -> Result<Reply, SqsError> {
    if body.len() > MAX_MESSAGE_BYTES {
        return Err(SqsError::MessageTooLong);
    }
    let sent = Sent::of(&body);
    record(site, target, vec![body]).await?;
    Ok(Reply::Sent(sent))
}

pub async fn batch(site: &Site, target: &Target, entries: Vec<Entry>) -> Result<Reply, SqsError> {
    check_batch(&entries)?;
    let found = entries.iter().map(|entry| entry.text.len()).sum();
    if found > MAX_MESSAGE_BYTES {
        return Err(SqsError::BatchTooLong { found });
    }
    let sent = entries.iter().map(|entry| (entry.id.clone(), Sent::of(&entry.text))).collect();
    record(site, target, entries.into_iter().map(|entry| entry.text).collect()).await?;
    Ok(Reply::SentBatch(sent))
}

impl Sent {
    fn of(body: &str) -> Sent {
        Sent { id: uuid::Uuid::new_v4().to_string(), body_md5: md5_hex(body) }
    }
}

async fn record(site: &Site, target: &Target, bodies: Vec<String>) -> Result<(), SqsError> {
    let job = &target.job;
    let dead_letters = job.queue(QueueRole::DeadLetter).ok_or(SqsError::AccessDenied)?;
    let changes: Vec<Change> = bodies.into_iter().map(|body| Change::read(job, body)).collect();
    if site.store.write(move |connection| apply(connection, changes, dead_letters)).await? {
        site.chunk_full.notify_one();
    }
    Ok(())
}

/// Writes the changes down; true when a chunk became full.
fn apply(connection: &Connection, changes: Vec<Change>, dead_letters: i64) -> Result<bool, StoreError> {
    let mut any_full = false;
    for change in changes {
        match change {
            Change::Tile { chunk, z } => any_full |= index::record(connection, chunk, z)? == Recorded::Full,
            Change::DeadLetter(body) => {
                queue::push(connection, dead_letters, &Content::Body(body), now_ms())?;
            }
        }
    }
    Ok(any_full)
}

impl Change {
    fn read(job: &ActiveJob, body: String) -> Change {
        match read_tile(job, &body) {
            Some((chunk, z)) => Change::Tile { chunk, z },
            None => {
                tracing::warn!(job = job.id, "an index message says nothing about a tile of its job");
                Change::DeadLetter(body)
            }
        }
    }
}

/// The chunk and section of the tile that the message tells of.
fn read_tile(job: &ActiveJob, body: &str) -> Option<(Chunk, i64)> {
    let message: IndexMessage = serde_json::from_str(body).ok()?;
    let chunk_key: ChunkKey = message.chunk_key.parse().ok()?;
    let tile_key: TileKey = message.tile_key.parse().ok()?;
    let chunk = job.chunk(&chunk_key)?;
    let tile = tile_key.index;
    let is_of_job = match &message.ingest_job {
        Value::Number(number) => number.as_u64() == Some(job.id),
        Value::String(text) => text.parse() == Ok(job.id),
        _ => false,
    };
    let is_of_chunk = (tile.x, tile.y, tile.t) == (chunk.index.x, chunk.index.y, chunk.index.t)
        && chunk.sections().any(|z| z == tile.z)
        && tile_key == job.tile_key(tile);
    (is_of_job && is_of_chunk).then_some((chunk, tile.z))
}
