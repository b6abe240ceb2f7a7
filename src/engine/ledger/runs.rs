//! The runs of this machine on a job: when, by which process, and how far.

use rusqlite::{Connection, params};

use super::now_s;

/// Notes a new run of this process and gives its number.
pub fn begin(connection: &Connection, edition: i64) -> rusqlite::Result<i64> {
    connection.execute(
        "INSERT INTO runs (edition, pid, started_s) VALUES (?1, ?2, ?3)",
        params![edition, std::process::id(), now_s()],
    )?;
    Ok(connection.last_insert_rowid())
}

pub fn snapshot(connection: &Connection, run: i64, json: &str) -> rusqlite::Result<()> {
    connection.prepare_cached("UPDATE runs SET told_s = ?2, snapshot = ?3 WHERE id = ?1")?.execute(params![
        run,
        now_s(),
        json
    ])?;
    Ok(())
}

pub fn end(connection: &Connection, run: i64, ending: &str) -> rusqlite::Result<()> {
    connection.execute("UPDATE runs SET ended_s = ?2, ending = ?3 WHERE id = ?1", params![run, now_s(), ending])?;
    Ok(())
}
