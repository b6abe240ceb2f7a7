//! Tasks that cannot be done until somebody mends something, and those that were filled instead.

use rusqlite::{Connection, Row, params};
use serde::Serialize;

use super::now_s;
use super::stored::StoredTask;
use crate::volume::Index;

/// A task in quarantine, or one that holds a value in place of its source.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// `tile` or `chunk`.
    pub kind: String,
    #[serde(flatten)]
    pub index: Index,
    pub file: Option<String>,
    pub reason: String,
    pub hint: Option<String>,
    pub tries: u32,
    /// What all its voxels are instead.
    pub fill: Option<f64>,
}

pub fn insert(connection: &Connection, entry: &Entry) -> rusqlite::Result<()> {
    let Entry { kind, index: Index { x, y, z, t }, file, reason, hint, tries, fill } = entry;
    connection
        .prepare_cached("INSERT OR REPLACE INTO bad VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, NULL)")?
        .execute(params![t, z, y, x, kind, file, reason, hint, tries, fill, now_s()])?;
    Ok(())
}

/// A task that is stored is no longer bad, or is noted as filled.
pub fn settle(connection: &Connection, task: &StoredTask) -> rusqlite::Result<()> {
    if let Some(entry) = &task.filled {
        return insert(connection, entry);
    }
    let Index { x, y, z, t } = task.index;
    connection
        .prepare_cached(
            "UPDATE bad SET cleared_s = ?5 WHERE t = ?1 AND z = ?2 AND y = ?3 AND x = ?4 AND cleared_s IS NULL",
        )?
        .execute(params![t, z, y, x, now_s()])?;
    Ok(())
}

/// Tasks that are in quarantine (`is_filled` false) or hold a fill, in the order of z, y and x.
pub fn list(connection: &Connection, is_filled: bool) -> rusqlite::Result<Vec<Entry>> {
    let mut list = connection.prepare(
        "SELECT t, z, y, x, kind, file, reason, hint, tries, fill FROM bad
         WHERE cleared_s IS NULL AND (fill IS NOT NULL) = ?1 ORDER BY t, z, y, x",
    )?;
    list.query_map([is_filled], entry)?.collect()
}

fn entry(row: &Row) -> rusqlite::Result<Entry> {
    Ok(Entry {
        index: Index::new(row.get(3)?, row.get(2)?, row.get(1)?, row.get(0)?),
        kind: row.get(4)?,
        file: row.get(5)?,
        reason: row.get(6)?,
        hint: row.get(7)?,
        tries: row.get(8)?,
        fill: row.get(9)?,
    })
}
