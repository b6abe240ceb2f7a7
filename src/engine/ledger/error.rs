//! Why a ledger could not be used.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::ErrorCode;

use super::Changed;

/// Why a ledger could not be used. Nothing is lost by any of these: what was not recorded comes again from the queue.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LedgerError {
    /// Its folder cannot be made, or an old ledger not be put aside.
    #[error("the ledger `{}` cannot be made", path.display())]
    Folder {
        path: PathBuf,
        #[source]
        source: Arc<io::Error>,
    },
    /// The file is no ledger, or its content is broken.
    #[error("the ledger `{}` is damaged", path.display())]
    Damaged {
        path: PathBuf,
        #[source]
        source: Trouble,
    },
    /// The file was made by a newer version.
    #[error("the ledger `{}` was made by a newer version: its format is {found}, this version knows up to {known}", path.display())]
    Newer { path: PathBuf, found: u32, known: u32 },
    /// The disk is full, the file is locked, or may not be written.
    #[error("the ledger `{}` cannot be written or read", path.display())]
    Failed {
        path: PathBuf,
        #[source]
        source: Trouble,
    },
    /// Tasks are stored that were made with other scripts or from another job file.
    #[error(transparent)]
    Changed(Box<Changed>),
    /// There is none for the job.
    #[error("this machine has no ledger of ingest job {id}: there is no `{}`", path.display())]
    Absent { path: PathBuf, id: u64, others: Vec<String> },
    /// The run is being dropped.
    #[error("the ledger is closed")]
    Closed,
}

/// What SQLite says went wrong: its words, and not the code at the bottom of its error.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Trouble(String);

impl LedgerError {
    /// What the user can do next, where there is something.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            LedgerError::Folder { .. } => "see that the folder can be written and the disk is not full",
            LedgerError::Damaged { .. } => {
                "nothing in the Boss is lost; move the file away and `join` again: a new one is begun"
            }
            LedgerError::Newer { .. } => "use the newer version, or move the file away: a new one is begun",
            LedgerError::Failed { .. } => {
                "nothing is lost; see that its disk is not full and the file can be written, then `join` again"
            }
            LedgerError::Changed(changed) => return Some(changed.hint()),
            LedgerError::Absent { others, .. } if !others.is_empty() => {
                return Some(format!("other machines have one, ask there: `{}`", others.join("`, `")));
            }
            LedgerError::Absent { .. } => {
                "ask where the job was worked on, and for the Boss that it is on: `--host`, `--local` or `--job`"
            }
            LedgerError::Closed => return None,
        };
        Some(hint.to_owned())
    }
}

/// SQLite's error, on the ledger at `path`.
pub(super) fn on(path: &Path) -> impl Fn(rusqlite::Error) -> LedgerError {
    move |error| {
        let (path, damaged) = (path.to_owned(), is_damage(&error));
        let source = Trouble(error.to_string());
        if damaged { LedgerError::Damaged { path, source } } else { LedgerError::Failed { path, source } }
    }
}

/// Whether the file's content is at fault: it is broken, or lacks a table that every ledger has.
fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::Error;
    match error {
        Error::SqliteFailure(failure, _) => {
            matches!(failure.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::Unknown)
        }
        Error::SqlInputError { .. } | Error::FromSqlConversionFailure(..) | Error::InvalidColumnType(..) => true,
        Error::IntegralValueOutOfRange(..) | Error::QueryReturnedNoRows => true,
        _ => false,
    }
}
