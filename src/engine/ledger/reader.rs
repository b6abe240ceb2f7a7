//! Looks at a ledger from outside: what `report` prints, what the manifest and the certificate say.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde::Serialize;

use super::error::on;
use super::{Edition, Entry, JobOf, LedgerError, edition, quarantine, schema, sources};

/// A ledger that is only read; others may write to it meanwhile.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    connection: Connection,
}

/// What this machine stored of a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub tasks: u64,
    pub objects: u64,
    pub sent_bytes: u64,
}

/// A run of this machine on the job. Times are seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Run {
    pub pid: u32,
    pub started_s: i64,
    /// `None` for a run that goes on, or was killed.
    pub ended_s: Option<i64>,
    pub ending: Option<String>,
    /// When the run last left its state, and that state as JSON.
    pub told_s: Option<i64>,
    #[serde(skip)]
    pub snapshot: Option<String>,
    /// The program's version.
    pub version: String,
}

impl Reader {
    /// # Errors
    /// [`LedgerError::Absent`] when this machine did not work on the job; `Damaged`, `Newer` and `Failed`.
    pub fn open(folder: &Path, job: &JobOf) -> Result<Self, LedgerError> {
        let path = job.file(folder);
        if !path.exists() {
            let others = job.other_files(folder);
            return Err(LedgerError::Absent { path, id: job.id, others });
        }
        let connection = schema::open_reader(&path)?;
        Ok(Reader { path, connection })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is stored; looks at every row.
    ///
    /// # Errors
    /// When the file cannot be read, as all of these.
    pub fn counts(&self) -> Result<Counts, LedgerError> {
        let sum = "SELECT count(*), coalesce(sum(length(checksums)), 0) / 4, coalesce(sum(sent_bytes), 0) FROM stored";
        let counts = self
            .connection
            .query_row(sum, [], |row| Ok(Counts { tasks: row.get(0)?, objects: row.get(1)?, sent_bytes: row.get(2)? }));
        counts.map_err(on(&self.path))
    }

    /// Tasks in quarantine, in the order of z, y and x.
    pub fn quarantined(&self) -> Result<Vec<Entry>, LedgerError> {
        quarantine::list(&self.connection, false).map_err(on(&self.path))
    }

    /// Tasks that hold a value in place of their source.
    pub fn filled(&self) -> Result<Vec<Entry>, LedgerError> {
        quarantine::list(&self.connection, true).map_err(on(&self.path))
    }

    /// Sources that changed during the job, and when that was noticed.
    pub fn changed_sources(&self) -> Result<Vec<(String, i64)>, LedgerError> {
        sources::changed(&self.connection).map_err(on(&self.path))
    }

    /// The runs, the first one first.
    pub fn runs(&self) -> Result<Vec<Run>, LedgerError> {
        let list = || {
            let mut list = self.connection.prepare(
                "SELECT pid, started_s, ended_s, ending, told_s, snapshot, version
                 FROM runs JOIN editions ON editions.id = edition ORDER BY runs.id",
            )?;
            let run = |row: &rusqlite::Row| {
                Ok(Run {
                    pid: row.get(0)?,
                    started_s: row.get(1)?,
                    ended_s: row.get(2)?,
                    ending: row.get(3)?,
                    told_s: row.get(4)?,
                    snapshot: row.get(5)?,
                    version: row.get(6)?,
                })
            };
            list.query_map([], run)?.collect::<rusqlite::Result<_>>()
        };
        list().map_err(on(&self.path))
    }

    /// The hashes that the last run worked with, and how often they changed during the job.
    pub fn edition(&self) -> Result<(Edition, u64), LedgerError> {
        let read = || {
            let last = edition::last(&self.connection)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
            let count: u64 = self.connection.query_row("SELECT count(*) FROM editions", [], |row| row.get(0))?;
            Ok((last.1, count.saturating_sub(1)))
        };
        read().map_err(on(&self.path))
    }
}
