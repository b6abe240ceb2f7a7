//! The tables, and how a connection to them is opened.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::LedgerError;
use super::error::on;

/// The format of the file. A file with a higher number is left alone.
pub const FORMAT: u32 = 1;
/// Says that the file is a ledger, and no other program's database: "boss" in ASCII.
const APPLICATION: i32 = 0x626f_7373;
/// How long another process may hold the file.
const PATIENCE: Duration = Duration::from_secs(30);

/// Times end in `_s`, seconds since 1970, or `_ms`. A stored task takes some 40 bytes and 4 for each object; a million
/// take tens of megabytes.
///
/// `message` is the SQS message's id, `checksums` the CRC-32C of each object in the message's order, 4 bytes each, big-endian.
/// A row of `bad` without `cleared_s` is a task in quarantine, or, with `fill`, one that holds that value.
const TABLES: &str = "
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE editions (
    id INTEGER PRIMARY KEY, config TEXT NOT NULL, scripts TEXT NOT NULL, version TEXT NOT NULL, since_s INTEGER NOT NULL
);
CREATE TABLE runs (
    id INTEGER PRIMARY KEY, edition INTEGER NOT NULL, pid INTEGER NOT NULL, started_s INTEGER NOT NULL,
    ended_s INTEGER, ending TEXT, told_s INTEGER, snapshot TEXT
);
CREATE TABLE stored (
    t INTEGER NOT NULL, z INTEGER NOT NULL, y INTEGER NOT NULL, x INTEGER NOT NULL,
    message BLOB NOT NULL, checksums BLOB NOT NULL, sent_bytes INTEGER NOT NULL, stored_s INTEGER NOT NULL,
    PRIMARY KEY (t, z, y, x)
) WITHOUT ROWID;
CREATE TABLE sources (
    path TEXT PRIMARY KEY, bytes INTEGER NOT NULL, modified_ms INTEGER, changed_s INTEGER
) WITHOUT ROWID;
CREATE TABLE bad (
    t INTEGER NOT NULL, z INTEGER NOT NULL, y INTEGER NOT NULL, x INTEGER NOT NULL,
    kind TEXT NOT NULL, file TEXT, reason TEXT NOT NULL, hint TEXT, tries INTEGER NOT NULL, fill REAL,
    bad_s INTEGER NOT NULL, cleared_s INTEGER,
    PRIMARY KEY (t, z, y, x)
) WITHOUT ROWID;
";

/// Opens the connection of the writer and makes the tables of a new file.
pub fn open(path: &Path) -> Result<Connection, LedgerError> {
    let connection = Connection::open(path).map_err(on(path))?;
    prepare(&connection).map_err(on(path))?;
    match format(&connection).map_err(on(path))? {
        0 => create(&connection).map_err(on(path))?,
        FORMAT => {}
        found => return Err(LedgerError::Newer { path: path.to_owned(), found, known: FORMAT }),
    }
    check(&connection).map_err(on(path))?;
    Ok(connection)
}

/// Opens a connection that only reads a ledger that is there.
pub fn open_reader(path: &Path) -> Result<Connection, LedgerError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(on(path))?;
    connection.busy_timeout(PATIENCE).map_err(on(path))?;
    match format(&connection).map_err(on(path))? {
        FORMAT => {}
        found => return Err(LedgerError::Newer { path: path.to_owned(), found, known: FORMAT }),
    }
    check(&connection).map_err(on(path))?;
    Ok(connection)
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(32);
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")
}

fn format(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Several processes may begin the file at once; the first makes the tables.
fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    if format(connection)? == 0 {
        let marks = format!("PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {FORMAT};");
        connection.execute_batch(&format!("{TABLES} {marks}"))?;
    }
    connection.execute_batch("COMMIT")
}

/// Another program's database would be taken for an old ledger without this.
fn check(connection: &Connection) -> rusqlite::Result<()> {
    let application: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    if application != APPLICATION {
        return Err(rusqlite::Error::InvalidColumnType(0, "application_id".to_owned(), rusqlite::types::Type::Integer));
    }
    connection.query_row("SELECT count(*) FROM editions", [], |_| Ok(()))
}
