//! The manifest: what is known of a job at the end of a run, as JSON in the state directory.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::connect::Boss;
use super::error::CliError;
use super::{json_file, logging};
use crate::config::Job;
use crate::engine::ledger::{Counts, Entry, Reader};
use crate::engine::{Ending, Outcome};
use crate::report::{count, grouped};

/// A manifest that was written.
pub struct Manifest {
    path: PathBuf,
    stored: Counts,
    filled: usize,
    tasks: u64,
    noun: &'static str,
}

impl Manifest {
    /// Gathers what the ledger and the server say of the job, and writes it.
    ///
    /// # Errors
    /// When the ledger cannot be read or the file cannot be written.
    pub async fn write(boss: &Boss, job: &Job, id: u64, outcome: &Outcome) -> Result<Self, CliError> {
        let job_of = boss.job(id);
        let reader = Reader::open(&logging::state_dir(), &job_of)?;
        let (stored, filled) = (reader.counts()?, reader.filled()?);
        let (tasks, noun) = (job.grid.count(), job.grid.task_noun());
        let mut manifest = json!({
            "boss": job_of.boss,
            "job": id,
            "kind": job.kind.name(),
            "channel": job.database.to_string(),
            "resolution": job.resolution,
            "extent": job.grid.extent(),
            "task": noun,
            "tasks": tasks,
            "stored_by_this_machine": stored,
            "ending": outcome.ending.name(),
            "server": server(boss, id, outcome.ending).await,
        });
        let more = of_ledger(&reader, &filled)?;
        manifest.as_object_mut().expect("it is an object").extend(more.as_object().expect("so is this").clone());
        let path = logging::state_dir().join(format!("{}.manifest.json", job_of.file_stem()));
        json_file::write(&path, &manifest)?;
        Ok(Manifest { path, stored, filled: filled.len(), tasks, noun })
    }

    /// `24 of 24 tiles stored by this machine, 1 of them filled: PATH`.
    pub fn in_one_line(&self) -> String {
        let filled = match self.filled {
            0 => String::new(),
            filled => format!(", {filled} of them filled"),
        };
        let (stored, tasks) = (grouped(self.stored.tasks), count(self.tasks, self.noun));
        format!("{stored} of {tasks} stored by this machine{filled}: {}", self.path.display())
    }
}

/// What the ledger says that is not a count. Also the body of `report --json`.
pub fn of_ledger(reader: &Reader, filled: &[Entry]) -> Result<Value, CliError> {
    let (edition, changes) = reader.edition()?;
    let changed = reader.changed_sources()?;
    let changed: Vec<Value> =
        changed.into_iter().map(|(path, at_s)| json!({"path": path, "noticed": rfc3339(at_s)})).collect();
    let runs: Vec<Value> = reader
        .runs()?
        .into_iter()
        .map(|run| {
            json!({
                "started": rfc3339(run.started_s), "ended": run.ended_s.map(rfc3339), "ending": run.ending,
                "pid": run.pid, "version": run.version,
            })
        })
        .collect();
    Ok(json!({
        "quarantined": reader.quarantined()?,
        "filled": filled,
        "changed_sources": changed,
        "config_sha256": edition.config,
        "scripts_sha256": edition.scripts,
        "accepted_changes": changes,
        "runs": runs,
        "ledger": reader.path(),
        "version": env!("CARGO_PKG_VERSION"),
        "written": rfc3339_now(),
    }))
}

/// The server's own counts, of all machines. A job that is complete has no messages any more.
async fn server(boss: &Boss, id: u64, ending: Ending) -> Value {
    if ending == Ending::Complete {
        return json!({"status": "complete"});
    }
    match boss.rest.status(id).await {
        Ok(status) => json!({
            "status": status.status.to_string(),
            "tasks": status.total_message_count,
            "waiting": status.current_message_count,
        }),
        Err(error) => json!({"error": error.to_string()}),
    }
}

/// `2026-11-22T17:30:00Z`.
pub fn rfc3339(seconds: i64) -> String {
    let since = Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
    humantime::format_rfc3339_seconds(UNIX_EPOCH + since).to_string()
}

pub fn rfc3339_now() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}
