//! The states of one task on its way through the stages.
//!
//! Each state holds the [`Ticket`], without which nothing can be deleted, and what the next stage needs. From
//! [`Loaded`] on it also holds the memory permit for its voxels.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;

use super::budget::Permit;
use super::columns::Columns;
use super::lease::Lease;
use super::ledger::Entry;
use crate::protocol::UploadMessage;
use crate::source::{Plan, SourceFile, TileBytes};
use crate::volume::{Index, Region};

/// What is known of a task from its message, and the right to delete it.
#[derive(Debug)]
pub struct Ticket {
    pub index: Index,
    pub message: UploadMessage,
    pub message_id: String,
    /// Until when the message is ours alone, and what deletes it.
    pub lease: Arc<Lease>,
    /// When work on it began; `None` before its script was asked.
    pub begun: Option<Instant>,
    /// How often this process has tried the task since it was received.
    pub tries: u32,
    /// The files of this machine that are read for it, as they were when it was planned.
    pub sources: Vec<SourceFile>,
    /// Its source cannot be read: what it is filled with instead, and why.
    pub filled: Option<Box<Entry>>,
    /// A place among the tasks that this process holds; given back when the ticket is dropped.
    pub _place: OwnedSemaphorePermit,
}

/// Taken from the queue.
#[derive(Debug)]
pub struct Received {
    pub ticket: Ticket,
}

/// The script has said what to read.
#[derive(Debug)]
pub struct Planned {
    pub ticket: Ticket,
    pub plan: Plan,
}

/// The voxels are in memory.
#[derive(Debug)]
pub struct Loaded {
    pub ticket: Ticket,
    pub voxels: Voxels,
    pub permit: Permit,
}

/// The voxels of a task, in the channel's voxel type.
#[derive(Debug)]
pub enum Voxels {
    Tile(TileBytes, Option<crate::source::Encode>),
    Chunk(Columns),
}

/// It is known which voxels go into which object.
#[derive(Debug)]
pub struct Packed {
    pub ticket: Ticket,
    pub parts: Parts,
    /// Bytes of the task's voxels before any compression.
    pub voxel_bytes: u64,
    pub permit: Permit,
}

/// The objects to be, not yet compressed.
#[derive(Debug)]
pub enum Parts {
    Tile {
        key: String,
        voxels: TileBytes,
        encode: Option<crate::source::Encode>,
    },
    /// Boxes inside the chunk, each one of its cuboids.
    Cuboids {
        chunk: Arc<Columns>,
        cuboids: Vec<(String, Region)>,
    },
}

/// The bytes of each object are ready.
#[derive(Debug)]
pub struct Compressed {
    pub ticket: Ticket,
    pub objects: Vec<Object>,
    pub voxel_bytes: u64,
    pub permit: Permit,
}

/// One object to be put into the job's bucket.
#[derive(Debug, Clone)]
pub struct Object {
    pub key: String,
    pub body: Bytes,
}

/// Every object was acknowledged by the store, with its checksum.
#[derive(Debug)]
pub struct Uploaded {
    pub ticket: Ticket,
    /// The text of a tile's index message; volumetric jobs have none.
    pub index_message: Option<String>,
    /// The CRC-32C of each object, in the order of the message.
    pub checksums: Vec<u32>,
    pub voxel_bytes: u64,
    pub sent_bytes: u64,
}

/// The index queue has accepted the tile's message, if it needs one. What comes next, and alone can be acknowledged, is
/// [`Recorded`](super::record::Recorded).
#[derive(Debug)]
pub struct Indexed {
    pub ticket: Ticket,
    pub checksums: Vec<u32>,
    pub voxel_bytes: u64,
    pub sent_bytes: u64,
}
