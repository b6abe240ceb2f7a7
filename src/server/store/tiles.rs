//! What is known of the objects in the tile bucket: that they are there, and their user metadata.
//!
//! A tile's row is written after its file is in its place, and removed before its file is deleted. So a row means a file.

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;

use super::StoreError;
use crate::protocol::{META_MESSAGE_ID, META_RECEIPT_HANDLE};

/// One object of the tile bucket.
#[derive(Clone, Debug)]
pub struct TileObject {
    pub size_bytes: u64,
    /// User metadata: names without `x-amz-meta-`, and values.
    pub metadata: Value,
}

impl TileObject {
    /// Whether the Boss takes the object for a tile: it looks for the message's id and receipt.
    pub fn is_tile(&self) -> bool {
        [META_MESSAGE_ID, META_RECEIPT_HANDLE].iter().all(|name| self.metadata.get(name).is_some())
    }
}

pub fn put(connection: &Connection, job: u64, key: &str, object: &TileObject) -> Result<(), StoreError> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO tiles (job, key, size_bytes, metadata) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![job, key, object.size_bytes, object.metadata.to_string()])?;
    Ok(())
}

pub fn find(connection: &Connection, job: u64, key: &str) -> Result<Option<TileObject>, StoreError> {
    let row = connection
        .prepare_cached("SELECT size_bytes, metadata FROM tiles WHERE job = ?1 AND key = ?2")?
        .query_row(params![job, key], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))
        .optional()?;
    let Some((size_bytes, metadata)) = row else { return Ok(None) };
    let metadata = serde_json::from_str(&metadata).map_err(|_| StoreError::Damaged { what: "a tile's metadata" })?;
    Ok(Some(TileObject { size_bytes, metadata }))
}

pub fn remove(connection: &Connection, job: u64, key: &str) -> Result<(), StoreError> {
    connection.prepare_cached("DELETE FROM tiles WHERE job = ?1 AND key = ?2")?.execute(params![job, key])?;
    Ok(())
}

/// Forgets all tiles of a job that is over.
pub fn remove_all(connection: &Connection, job: u64) -> Result<(), StoreError> {
    connection.prepare_cached("DELETE FROM tiles WHERE job = ?1")?.execute([job])?;
    Ok(())
}
