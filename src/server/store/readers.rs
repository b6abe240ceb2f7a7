//! Connections that only read, kept for the next reader.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;

use super::{StoreError, schema};

/// Idle connections that are kept.
const KEPT: usize = 8;

pub struct Readers {
    shared: Arc<Shared>,
}

struct Shared {
    file: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub fn new(file: &Path) -> Self {
        Readers { shared: Arc::new(Shared { file: file.to_owned(), idle: Mutex::default() }) }
    }

    pub async fn run<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    {
        let shared = self.shared.clone();
        let read = move || {
            let connection = shared.take()?;
            let outcome = work(&connection);
            shared.give_back(connection);
            outcome
        };
        tokio::task::spawn_blocking(read).await.map_err(|_| StoreError::Closed)?
    }
}

impl Shared {
    fn take(&self) -> Result<Connection, StoreError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| schema::open_reader(&self.file), Ok)
    }

    fn give_back(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.push(connection);
        }
    }
}
