//! The AWS keys of jobs that run, so that a restart takes none away.

use rusqlite::{Connection, params};

use super::StoreError;
use crate::server::keys::Key;

pub fn insert(connection: &Connection, key: &Key) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO keys (access_key, job, secret_key, valid_from_ms, expires_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![key.access_key, key.job, key.secret_key, key.valid_from_ms, key.expires_ms])?;
    Ok(())
}

pub fn list(connection: &Connection) -> Result<Vec<Key>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT job, access_key, secret_key, valid_from_ms, expires_ms FROM keys")?;
    let keys = statement
        .query_map([], |row| Ok(Key::read(row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))?;
    Ok(keys.collect::<Result<_, _>>()?)
}

/// Forgets the keys of a job that is over.
pub fn remove_all(connection: &Connection, job: u64) -> Result<(), StoreError> {
    connection.prepare_cached("DELETE FROM keys WHERE job = ?1")?.execute([job])?;
    Ok(())
}
