//! The files that stored tasks were read from: a file that changes during a job makes it a mixture of two.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension, params};

use super::now_s;
use crate::source::SourceFile;

/// Files that are remembered at once. Those that are forgotten are only looked up once more.
const REMEMBERED: usize = 1 << 16;

/// Files that this process has noted as they are, so that most tasks need not look.
#[derive(Debug, Default)]
pub struct Seen {
    hasher: RandomState,
    files: Mutex<HashSet<u64>>,
}

/// A file that is not as it was when an earlier task was read from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedSource {
    pub path: String,
}

impl Seen {
    /// Whether the file, as it is, was not noted before.
    pub fn is_new(&self, file: &SourceFile) -> bool {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if files.len() >= REMEMBERED {
            files.clear();
        }
        files.insert(self.hasher.hash_one(file))
    }
}

/// Notes files as they are, and gives those that were different before.
pub fn note(connection: &Connection, files: &[SourceFile]) -> rusqlite::Result<Vec<ChangedSource>> {
    let mut changed = Vec::new();
    for file in files {
        let now = (file.bytes, file.modified.map(to_ms));
        let before: Option<(u64, Option<i64>)> = connection
            .prepare_cached("SELECT bytes, modified_ms FROM sources WHERE path = ?1")?
            .query_row([&file.path], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let is_changed = before.is_some_and(|before| before != now);
        if before != Some(now) {
            connection
                .prepare_cached(
                    "INSERT INTO sources VALUES (?1, ?2, ?3, NULL) ON CONFLICT (path)
                     DO UPDATE SET bytes = excluded.bytes, modified_ms = excluded.modified_ms, changed_s = ?4",
                )?
                .execute(params![file.path, now.0, now.1, now_s()])?;
        }
        if is_changed {
            changed.push(ChangedSource { path: file.path.clone() });
        }
    }
    Ok(changed)
}

/// The files that changed during the job, and when that was noticed.
pub fn changed(connection: &Connection) -> rusqlite::Result<Vec<(String, i64)>> {
    let mut list =
        connection.prepare("SELECT path, changed_s FROM sources WHERE changed_s IS NOT NULL ORDER BY path")?;
    list.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// Milliseconds since 1970, also for files that claim to be older.
fn to_ms(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
    }
}
