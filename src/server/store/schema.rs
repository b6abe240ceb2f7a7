//! The tables, and how a connection to them is opened.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::StoreError;

/// The format of the database. A database with a higher number is left alone.
pub const FORMAT: u32 = 2;

/// Times are milliseconds since 1970. Queue and message ids are never used twice.
///
/// A message has either a `task`, whose body is written when it is received, or a `body`. Nothing of an upload message
/// but its task is kept, so that a million of them take tens of megabytes.
const TABLES: &str = "
CREATE TABLE resources (
    kind TEXT NOT NULL, id INTEGER NOT NULL, parent INTEGER NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (kind, id), UNIQUE (kind, parent, name)
) WITHOUT ROWID;
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, status INTEGER NOT NULL, creator TEXT NOT NULL, config TEXT NOT NULL,
    collection INTEGER NOT NULL, experiment INTEGER NOT NULL, channel INTEGER NOT NULL, resolution INTEGER NOT NULL,
    dtype TEXT NOT NULL, resource TEXT NOT NULL, task_count INTEGER NOT NULL, populated INTEGER NOT NULL DEFAULT 0,
    created_ms INTEGER NOT NULL, completed_ms INTEGER, waiting_since_ms INTEGER
);
CREATE INDEX jobs_by_status ON jobs (status);
CREATE TABLE queues (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, job INTEGER NOT NULL, role TEXT NOT NULL,
    ended INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX queues_ended ON queues (job) WHERE ended = 1;
CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, queue INTEGER NOT NULL, visible_ms INTEGER NOT NULL,
    receipt INTEGER, task TEXT, body TEXT
);
CREATE INDEX messages_by_turn ON messages (queue, visible_ms);
CREATE TABLE chunks (
    job INTEGER NOT NULL, x INTEGER NOT NULL, y INTEGER NOT NULL, z INTEGER NOT NULL, t INTEGER NOT NULL,
    num_tiles INTEGER NOT NULL, tiles INTEGER NOT NULL, state INTEGER NOT NULL,
    PRIMARY KEY (job, t, z, y, x)
) WITHOUT ROWID;
CREATE INDEX chunks_by_state ON chunks (state, job);
CREATE TABLE tiles (
    job INTEGER NOT NULL, key TEXT NOT NULL, size_bytes INTEGER NOT NULL, metadata TEXT NOT NULL,
    PRIMARY KEY (job, key)
) WITHOUT ROWID;
CREATE TABLE keys (
    access_key TEXT PRIMARY KEY, job INTEGER NOT NULL, secret_key TEXT NOT NULL,
    valid_from_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL
) WITHOUT ROWID;
";

/// Format 1 had one pair of keys for each job, which lasted as long as the job.
const FROM_1: &str = "
CREATE TABLE keys (
    access_key TEXT PRIMARY KEY, job INTEGER NOT NULL, secret_key TEXT NOT NULL,
    valid_from_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL
) WITHOUT ROWID;
ALTER TABLE jobs DROP COLUMN access_key;
ALTER TABLE jobs DROP COLUMN secret_key;
";

/// Opens the connection of the writer and makes the tables of a new database.
pub fn open(file: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open(file)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -16384;")?;
    connection.set_prepared_statement_cache_capacity(64);
    match connection.query_row("PRAGMA user_version", [], |row| row.get(0))? {
        0 => connection.execute_batch(&format!("BEGIN; {TABLES} PRAGMA user_version = {FORMAT}; COMMIT;"))?,
        1 => connection.execute_batch(&format!("BEGIN; {FROM_1} PRAGMA user_version = {FORMAT}; COMMIT;"))?,
        FORMAT => {}
        found => return Err(StoreError::Newer { found, known: FORMAT }),
    }
    Ok(connection)
}

/// Opens a connection that only reads a database made by [`open`].
pub fn open_reader(file: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    Ok(connection)
}

#[cfg(test)]
pub fn in_memory() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(TABLES).unwrap();
    connection
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_of_a_newer_version_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("boss.sqlite");
        open(&file).unwrap().execute_batch("PRAGMA user_version = 3").unwrap();
        assert!(matches!(open(&file), Err(StoreError::Newer { found: 3, known: FORMAT })));
    }

    #[test]
    fn a_database_of_the_first_format_is_taken_up() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("boss.sqlite");
        let old = "CREATE TABLE jobs (id INTEGER, access_key TEXT NOT NULL, secret_key TEXT NOT NULL);
            INSERT INTO jobs VALUES (7, 'a', 's'); PRAGMA user_version = 1;";
        Connection::open(&file).unwrap().execute_batch(old).unwrap();
        let connection = open(&file).unwrap();
        let columns = connection.query_row("SELECT * FROM jobs", [], |row| Ok(row.as_ref().column_count())).unwrap();
        assert_eq!(columns, 1);
        connection.execute_batch("SELECT access_key FROM keys").unwrap();
    }
}
