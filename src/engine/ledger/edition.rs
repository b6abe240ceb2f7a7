//! With which scripts and which job file the tasks of a job are made, and what happens when these change.
//!
//! Half a job made by one script and half by another is a mixture that nobody can tell apart afterwards. So the hashes of
//! both are written down, and a run with others is refused as soon as a task is stored, unless its user accepts that.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::error::on;
use super::{JobOf, LedgerError, now_s};
use crate::config::{Job, Slot};
use crate::engine::digest::{canonical_json, sha256};
use crate::lua::Scripts;
use crate::volume::Grid;

/// The hashes of what makes the tasks of a job, SHA-256 in hex digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edition {
    /// Over channel, extent, resolution and the size of tasks.
    pub config: String,
    /// Over the text of every script and module, and the parameters of both slots.
    pub scripts: String,
}

impl Edition {
    pub fn new(job: &Job, scripts: &Scripts) -> Self {
        let size = job.grid.task_size();
        let kind = match job.grid {
            Grid::Tiles(_) => "tiles",
            Grid::Chunks(_) => "chunks",
        };
        let config = [
            job.database.to_string(),
            job.resolution.to_string(),
            job.grid.extent().to_string(),
            kind.to_owned(),
            size.to_string(),
        ];
        let slot =
            |slot: &Slot| [slot.name.to_owned(), slot.class.clone(), canonical_json(&slot.params.clone().into())];
        let of_scripts = [scripts.hash().to_owned()].into_iter();
        let of_scripts = of_scripts.chain(slot(&job.path_processor)).chain(slot(&job.data_processor));
        Edition { config: sha256(config), scripts: sha256(of_scripts) }
    }
}

/// Tasks of a job are stored that were made in another way.
#[derive(Clone, Debug, thiserror::Error)]
pub struct Changed {
    pub id: u64,
    pub ledger: PathBuf,
    /// `the scripts or their parameters`, and the like.
    pub what: &'static str,
    /// When the last task was stored in the other way, in seconds since 1970.
    pub last_s: i64,
    /// Tasks that are stored.
    pub stored: u64,
}

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Changed { id, what, stored, .. } = self;
        write!(f, "{what} changed since this machine stored {stored} tasks of ingest job {id}, ")?;
        write!(f, "the last of them {} UTC", time(self.last_s))
    }
}

impl Changed {
    pub fn hint(&self) -> String {
        "put back what was changed; or, if what is stored is right as it is, `join` with `--accept-changes`".to_owned()
    }
}

/// `2026-11-22 17:30:00`.
pub fn time(seconds: i64) -> String {
    let time = UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
    humantime::format_rfc3339_seconds(time).to_string().trim_end_matches('Z').replace('T', " ")
}

/// Notes the edition that a run works with, and gives its number. The first one also notes the job.
pub fn take(
    connection: &mut Connection,
    path: &Path,
    job: &JobOf,
    edition: &Edition,
    accept_changes: bool,
) -> Result<i64, LedgerError> {
    let changes = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(on(path))?;
    let last = last(&changes).map_err(on(path))?;
    if let Some((id, known)) = &last {
        if known == edition {
            return Ok(*id);
        }
        let (stored, last_s) = stored(&changes).map_err(on(path))?;
        if stored > 0 && !accept_changes {
            let what = what(known, edition);
            let (id, ledger) = (job.id, path.to_owned());
            return Err(LedgerError::Changed(Box::new(Changed { id, ledger, what, last_s, stored })));
        }
    }
    let id = insert(&changes, job, edition).map_err(on(path))?;
    changes.commit().map_err(on(path))?;
    Ok(id)
}

fn what(known: &Edition, edition: &Edition) -> &'static str {
    match (known.scripts == edition.scripts, known.config == edition.config) {
        (false, true) => "the scripts or their parameters",
        (true, _) => "the job file's `database` or `ingest_job`",
        (false, false) => "the scripts or their parameters and the job file's `database` or `ingest_job`",
    }
}

/// The edition of the last run.
pub fn last(connection: &Connection) -> rusqlite::Result<Option<(i64, Edition)>> {
    connection
        .query_row("SELECT id, config, scripts FROM editions ORDER BY id DESC LIMIT 1", [], |row| {
            Ok((row.get(0)?, Edition { config: row.get(1)?, scripts: row.get(2)? }))
        })
        .optional()
}

fn stored(connection: &Connection) -> rusqlite::Result<(u64, i64)> {
    connection
        .query_row("SELECT count(*), coalesce(max(stored_s), 0) FROM stored", [], |row| Ok((row.get(0)?, row.get(1)?)))
}

fn insert(connection: &Connection, job: &JobOf, edition: &Edition) -> rusqlite::Result<i64> {
    for (name, value) in [("boss", job.boss.as_str()), ("job", &job.id.to_string())] {
        connection.execute("INSERT OR IGNORE INTO meta VALUES (?1, ?2)", [name, value])?;
    }
    connection.execute(
        "INSERT INTO editions (config, scripts, version, since_s) VALUES (?1, ?2, ?3, ?4)",
        params![edition.config, edition.scripts, env!("CARGO_PKG_VERSION"), now_s()],
    )?;
    Ok(connection.last_insert_rowid())
}
