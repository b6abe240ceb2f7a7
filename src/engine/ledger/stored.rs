//! Tasks that are stored, each with the message that asked for it and the checksums of its objects.

use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::now_s;
use super::quarantine::Entry;
use crate::source::SourceFile;
use crate::volume::Index;

/// A task whose objects were acknowledged, and of which the Boss was told.
#[derive(Clone, Debug)]
pub struct StoredTask {
    pub index: Index,
    /// The id of its SQS message.
    pub message: String,
    /// The CRC-32C of each object, in the order of the message.
    pub checksums: Vec<u32>,
    pub sent_bytes: u64,
    /// The files that were read for it.
    pub sources: Vec<SourceFile>,
    /// What it was filled with, and why, when its source could not be read.
    pub filled: Option<Entry>,
}

pub fn insert(connection: &Connection, task: &StoredTask) -> rusqlite::Result<()> {
    let Index { x, y, z, t } = task.index;
    let checksums: Vec<u8> = task.checksums.iter().flat_map(|checksum| checksum.to_be_bytes()).collect();
    connection
        .prepare_cached("INSERT OR REPLACE INTO stored VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?
        .execute(params![t, z, y, x, packed(&task.message), checksums, task.sent_bytes, now_s()])?;
    Ok(())
}

pub fn is_stored(connection: &Connection, index: Index, message: &str) -> rusqlite::Result<bool> {
    let Index { x, y, z, t } = index;
    let mut look =
        connection.prepare_cached("SELECT message = ?5 FROM stored WHERE t = ?1 AND z = ?2 AND y = ?3 AND x = ?4")?;
    Ok(look.query_row(params![t, z, y, x, packed(message)], |row| row.get(0)).optional()?.unwrap_or(false))
}

/// A message's id in few bytes: 16 for the UUIDs of AWS, else its text.
fn packed(message: &str) -> Vec<u8> {
    match Uuid::try_parse(message) {
        Ok(id) if id.as_hyphenated().to_string() == message => id.as_bytes().to_vec(),
        _ => message.as_bytes().to_vec(),
    }
}
