//! What the local Boss remembers: SQLite for everything small, files for objects.
//!
//! One thread writes ([`writer`]); many requests share a transaction and are answered after its commit. Readers have
//! their own connections and never wait for the writer (WAL). `synchronous=NORMAL`: a killed process loses nothing that
//! was answered; a power cut may lose the last transactions, never the consistency of the database.
//!
//! The functions of the sub-modules work on a plain connection, so that a request can put several of them into one
//! transaction.

pub mod index;
pub mod jobs;
pub mod keys;
pub mod objects;
pub mod queue;
mod readers;
pub mod resources;
mod schema;
pub mod tiles;
mod writer;

use std::fs::File;
use std::path::Path;
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::Connection;

use self::readers::Readers;
use self::writer::Writer;
use super::error::StoreError;

/// The database of one folder.
pub struct Store {
    writer: Writer,
    readers: Readers,
}

impl Store {
    /// Opens or makes the database. `lock` is let go when the last write is done, which is when the thread ends.
    ///
    /// # Errors
    /// [`StoreError::Newer`] when a newer version made it, [`StoreError::Database`] when it cannot be opened.
    pub fn open(file: &Path, lock: File) -> Result<(Store, JoinHandle<()>), StoreError> {
        let connection = schema::open(file)?;
        let (writer, thread) = Writer::start(connection, lock);
        Ok((Store { writer, readers: Readers::new(file) }, thread))
    }

    /// Runs `work` on the writer, in a transaction; returns after the commit. An error undoes this work only.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    {
        self.writer.run(work).await
    }

    /// Runs `work` on a connection that only reads, on a blocking thread.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    {
        self.readers.run(work).await
    }
}

/// Milliseconds since 1970, as the store keeps all times.
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
