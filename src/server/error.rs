//! Why a local Boss could not start, and why its store could not answer.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use super::faults::FaultsError;

/// Why a local Boss could not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Another live process serves the folder; use that one.
    #[error("`{}` is already served at {origin}", dir.display())]
    AlreadyServed { dir: PathBuf, origin: String },
    /// The folder cannot be made, read or written.
    #[error("cannot keep data in `{}`", dir.display())]
    Directory { dir: PathBuf, source: io::Error },
    /// The folder's store has a format that this version does not know.
    #[error("`{}` was made by a newer version: its format is {found}, this version knows up to {known}", dir.display())]
    NewerDirectory { dir: PathBuf, found: u32, known: u32 },
    /// Another program listens there.
    #[error("another program already listens on {address}")]
    PortInUse { address: SocketAddr },
    #[error("cannot listen on {address}")]
    Listen { address: SocketAddr, source: io::Error },
    #[error(transparent)]
    Faults(#[from] FaultsError),
    #[error("the journal `{}` cannot be written", path.display())]
    Journal { path: PathBuf, source: io::Error },
    #[error("cannot open the store in `{}`", dir.display())]
    Store { dir: PathBuf, source: StoreError },
}

impl ServerError {
    /// What the user can do next, where there is something.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            ServerError::AlreadyServed { .. } => "use that one, or stop it first",
            ServerError::Directory { .. } | ServerError::Store { .. } => {
                "see that the folder can be written and the disk is not full"
            }
            ServerError::NewerDirectory { .. } => "use the newer version, or another folder",
            ServerError::PortInUse { .. } => "give another port with `--listen`; port 0 takes a free one",
            ServerError::Faults(FaultsError::Invalid { .. }) => "`docs/faults.md` tells what a file of faults may say",
            ServerError::Faults(_) => "give the path of a JSON file of faults, as `docs/faults.md` shows them",
            ServerError::Journal { .. } => "see that its folder is there and can be written",
            ServerError::Listen { .. } => "give an address of this machine with `--listen`",
        };
        Some(hint.to_owned())
    }
}

/// Why the store could not answer. None of these is the fault of a request.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the store's database failed")]
    Database(#[from] rusqlite::Error),
    /// What was written together with other requests could not be made durable; none of it happened.
    #[error("the store could not commit")]
    Commit(#[source] Arc<rusqlite::Error>),
    /// A row does not say what this program writes.
    #[error("the store holds {what} that cannot be read")]
    Damaged { what: &'static str },
    #[error("cannot use `{}`", path.display())]
    File { path: PathBuf, source: io::Error },
    /// The server is being stopped.
    #[error("the store is closed")]
    Closed,
    /// The store was made by a newer version.
    #[error("the store has format {found}, this version knows up to {known}")]
    Newer { found: u32, known: u32 },
}
