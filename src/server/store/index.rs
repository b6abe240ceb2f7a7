//! The tile index: which tiles of each chunk have been uploaded, and how far the chunk has come.
//!
//! The Boss keeps a map of tile keys per chunk; the z indices of a chunk's tiles are consecutive, so a bit per tile says
//! the same. A chunk that was stored stays known, so that a tile which is delivered twice does not begin its chunk anew
//! (the Boss would ask for the chunk's other tiles again).

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::StoreError;
use crate::volume::{CHUNK_TILES, Index};

/// Tiles of the chunk are missing, or its assembly failed.
const COLLECTING: u8 = 0;
/// All tiles are there; waits for its assembly, or is being assembled.
const FULL: u8 = 1;
/// Its cuboids are stored.
const STORED: u8 = 2;

/// One chunk of the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Chunk {
    pub job: u64,
    pub index: Index,
    pub num_tiles: u64,
    /// One bit per tile that was uploaded, the chunk's first section lowest.
    tiles: u32,
}

/// What an index message changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    Collecting,
    Full,
    AlreadyStored,
}

impl Chunk {
    /// A chunk of which nothing has been uploaded.
    pub fn empty(job: u64, index: Index, num_tiles: u64) -> Self {
        Chunk { job, index, num_tiles, tiles: 0 }
    }

    /// The sections of the chunk: z indices of its tiles.
    pub fn sections(&self) -> impl Iterator<Item = i64> + use<> {
        let first = self.index.z.saturating_mul(CHUNK_TILES as i64);
        (0..self.num_tiles as i64).map(move |offset| first.saturating_add(offset))
    }

    /// The sections whose tiles were not uploaded.
    pub fn missing(&self) -> impl Iterator<Item = i64> + use<> {
        let tiles = self.tiles;
        self.sections().enumerate().filter(move |(offset, _)| tiles >> offset & 1 == 0).map(|(_, z)| z)
    }

    fn is_full(&self) -> bool {
        self.missing().next().is_none()
    }

    fn bit(&self, z: i64) -> u32 {
        self.sections().position(|section| section == z).map_or(0, |offset| 1 << offset)
    }

    fn read(row: &Row) -> rusqlite::Result<Chunk> {
        let index = Index::new(row.get("x")?, row.get("y")?, row.get("z")?, row.get("t")?);
        Ok(Chunk { job: row.get("job")?, index, num_tiles: row.get("num_tiles")?, tiles: row.get("tiles")? })
    }
}

/// Notes that the tile at section `z` of a chunk was uploaded.
pub fn record(connection: &Connection, chunk: Chunk, z: i64) -> Result<Recorded, StoreError> {
    let known = connection
        .prepare_cached("SELECT * FROM chunks WHERE job = ?1 AND t = ?2 AND z = ?3 AND y = ?4 AND x = ?5")?
        .query_row(key(&chunk), |row| Ok((Chunk::read(row)?, row.get::<_, u8>("state")?)))
        .optional()?;
    let (mut chunk, state) = known.unwrap_or((chunk, COLLECTING));
    if state == STORED {
        return Ok(Recorded::AlreadyStored);
    }
    chunk.tiles |= chunk.bit(z);
    let state = if chunk.is_full() { FULL } else { COLLECTING };
    put(connection, &chunk, state)?;
    Ok(if state == FULL { Recorded::Full } else { Recorded::Collecting })
}

fn put(connection: &Connection, chunk: &Chunk, state: u8) -> Result<(), StoreError> {
    let Chunk { job, index, num_tiles, tiles } = *chunk;
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO chunks (job, t, z, y, x, num_tiles, tiles, state)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![job, index.t, index.z, index.y, index.x, num_tiles, tiles, state])?;
    Ok(())
}

/// Up to `limit` chunks that wait for their assembly or are being assembled, of all jobs.
pub fn full(connection: &Connection, limit: usize) -> Result<Vec<Chunk>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT * FROM chunks WHERE state = ?1 ORDER BY job LIMIT ?2")?;
    let chunks = statement.query_map(params![FULL, limit], Chunk::read)?;
    Ok(chunks.collect::<Result<_, _>>()?)
}

/// How many chunks of a job wait for their assembly or are being assembled.
pub fn count_full(connection: &Connection, job: u64) -> Result<u64, StoreError> {
    let mut statement = connection.prepare_cached("SELECT count(*) FROM chunks WHERE state = ?1 AND job = ?2")?;
    Ok(statement.query_row(params![FULL, job], |row| row.get(0))?)
}

/// Up to `limit` chunks of a job that were begun and are neither stored nor waiting for their assembly.
pub fn unfinished(connection: &Connection, job: u64, limit: usize) -> Result<Vec<Chunk>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT * FROM chunks WHERE state = ?1 AND job = ?2 LIMIT ?3")?;
    let chunks = statement.query_map(params![COLLECTING, job, limit], Chunk::read)?;
    Ok(chunks.collect::<Result<_, _>>()?)
}

/// The chunk's cuboids are in the store.
pub fn mark_stored(connection: &Connection, chunk: &Chunk) -> Result<(), StoreError> {
    set(connection, chunk, chunk.tiles, STORED)
}

/// The chunk's assembly is to be tried (again).
pub fn mark_full(connection: &Connection, chunk: &Chunk) -> Result<(), StoreError> {
    set(connection, chunk, chunk.tiles, FULL)
}

/// The chunk could not be assembled; `lost` are the sections whose tiles were not there after all.
pub fn mark_unfinished(connection: &Connection, chunk: &Chunk, lost: &[i64]) -> Result<(), StoreError> {
    let lost = lost.iter().fold(0, |bits, z| bits | chunk.bit(*z));
    set(connection, chunk, chunk.tiles & !lost, COLLECTING)
}

fn set(connection: &Connection, chunk: &Chunk, tiles: u32, state: u8) -> Result<(), StoreError> {
    let (job, t, z, y, x) = key(chunk);
    connection
        .prepare_cached(
            "UPDATE chunks SET tiles = ?6, state = ?7 WHERE job = ?1 AND t = ?2 AND z = ?3 AND y = ?4 AND x = ?5",
        )?
        .execute(params![job, t, z, y, x, tiles, state])?;
    Ok(())
}

/// Forgets the index of a job that is over.
pub fn remove_all(connection: &Connection, job: u64) -> Result<(), StoreError> {
    connection.prepare_cached("DELETE FROM chunks WHERE job = ?1")?.execute([job])?;
    Ok(())
}

fn key(chunk: &Chunk) -> (u64, i64, i64, i64, i64) {
    (chunk.job, chunk.index.t, chunk.index.z, chunk.index.y, chunk.index.x)
}

#[cfg(test)]
mod tests {
    use super::super::schema;
    use super::*;

    #[test]
    fn a_chunk_is_full_when_each_of_its_tiles_came_once_or_more() {
        let connection = schema::in_memory();
        let chunk = Chunk::empty(7, Index::new(3, 1, 2, 0), 3);
        for (z, expected) in
            [(34, Recorded::Collecting), (34, Recorded::Collecting), (32, Recorded::Collecting), (33, Recorded::Full)]
        {
            assert_eq!(record(&connection, chunk, z).unwrap(), expected, "section {z}");
        }
        assert_eq!(count_full(&connection, 7).unwrap(), 1);
    }

    #[test]
    fn a_lost_tile_is_missing_again_and_a_late_one_changes_nothing() {
        let connection = schema::in_memory();
        for z in [16, 17] {
            record(&connection, Chunk::empty(7, Index::new(0, 0, 1, 0), 2), z).unwrap();
        }
        let chunk = full(&connection, 9).unwrap()[0];
        mark_unfinished(&connection, &chunk, &[17]).unwrap();
        let chunk = unfinished(&connection, 7, 9).unwrap()[0];
        assert_eq!(chunk.missing().collect::<Vec<_>>(), [17]);
        assert_eq!(record(&connection, chunk, 17).unwrap(), Recorded::Full);
        mark_stored(&connection, &full(&connection, 9).unwrap()[0]).unwrap();
        assert_eq!(record(&connection, chunk, 16).unwrap(), Recorded::AlreadyStored);
        assert_eq!(unfinished(&connection, 7, 9).unwrap(), []);
    }
}
