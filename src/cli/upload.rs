//! What `create` and `join` do alike: join the job, upload, complete, and say how it went.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::connect::Boss;
use super::error::{CliError, Exit};
use super::listener::Listener;
use super::manifest::Manifest;
use super::prepare::Prepared;
use super::summary::Summary;
use super::{logging, signals};
use crate::boss::{BossError, Endpoints, JoinWait, Joined, RetryPolicy, Session, SessionSettings};
use crate::engine::ledger::{Edition, Ledger, LedgerError};
use crate::engine::{self, Ending, EngineError, Shutdown};
use crate::protocol::JoinReply;
use crate::report::{BadTask, News, counts_json, write_bad_tasks};

/// Works on a job until it is complete, stopped, or only bad tiles are left.
///
/// # Errors
/// When the job is another than the job file's, is complete, was cancelled, or the Boss refuses or is away for minutes.
pub async fn run(boss: &Boss, prepared: &Prepared, task: &Task<'_>, listener: &Listener) -> Result<Exit, CliError> {
    let ended = work(boss, prepared, task, listener).await;
    listener.finish();
    let (exit, summary) = ended?;
    eprint!("{summary}");
    Ok(exit)
}

/// Which job is worked on, and what is said about going on with it.
pub struct Task<'a> {
    pub id: u64,
    /// Go on with other scripts than the job has stored tasks with.
    pub accept_changes: bool,
    /// The command that joins it.
    pub again: &'a str,
    pub log_file: &'a Path,
}

/// Works on the job; gives what is to be said at the end.
async fn work(
    boss: &Boss,
    prepared: &Prepared,
    &Task { id, accept_changes, again, log_file }: &Task<'_>,
    listener: &Listener,
) -> Result<(Exit, String), CliError> {
    let Prepared { job, scripts, sources, options, .. } = prepared;
    let session = join(boss, id, prepared.session, listener).await?;
    let edition = Edition::new(job, scripts);
    let ledger = Arc::new(Ledger::open(&logging::state_dir(), &boss.job(id), &edition, accept_changes)?);
    let shutdown = Shutdown::new();
    signals::listen(shutdown.clone(), listener.report());
    let noting = tokio::spawn(note(ledger.clone(), listener.clone()));
    let work =
        engine::Work { job, scripts: scripts.clone(), sources: sources.clone(), session, ledger: ledger.clone() };
    let ended = engine::run(work, options.clone(), listener.report(), shutdown).await;
    noting.abort();
    let noted = end_run(&ledger, listener, ended.as_ref().map_or("failed", |outcome| outcome.ending.name())).await;
    let outcome = ended?;
    noted?;
    let bad_list = write_bad_list(id, &outcome.bad)?;
    let manifest = Manifest::write(boss, job, id, &outcome).await?.in_one_line();
    let stored = listener.counts();
    let summary = Summary { boss, job, id, again, log_file, outcome: &outcome, stored, bad_list, manifest };
    tracing::info!(id, ending = ?outcome.ending, bad = outcome.bad.len(), kept = ?sources.kept(), "run ended");
    let exit = match outcome.ending {
        Ending::Complete | Ending::Uploaded => Exit::Done,
        Ending::BadTasks => Exit::BadTasks,
        Ending::Stopped => Exit::Stopped,
    };
    Ok((exit, summary.to_string()))
}

/// Time between two snapshots in the ledger.
const NOTE: Duration = Duration::from_secs(1);

/// Leaves the counts in the ledger, where `status` finds them; ends by being dropped.
async fn note(ledger: Arc<Ledger>, listener: Listener) {
    loop {
        tokio::time::sleep(NOTE).await;
        if let Err(error) = ledger.snapshot(counts_json(&listener.counts()).to_string()).await {
            tracing::debug!(%error, "the counts were not noted");
        }
    }
}

async fn end_run(ledger: &Ledger, listener: &Listener, ending: &'static str) -> Result<(), LedgerError> {
    ledger.snapshot(counts_json(&listener.counts()).to_string()).await?;
    ledger.end_run(ending).await
}

/// The command that goes on with a job.
pub fn join_command(job: &Path, id: u64, local: Option<&Path>) -> String {
    let local = local.map(|dir| format!(" --local {}", dir.display())).unwrap_or_default();
    format!("boss-ingest join {} -j {id}{local}", job.display())
}

/// Joins the job. One that is over, in whatever way, is an error: there is nothing to work on.
async fn join(boss: &Boss, id: u64, settings: SessionSettings, listener: &Listener) -> Result<Arc<Session>, CliError> {
    let wait = match boss.local {
        Some(_) => JoinWait { pause: Duration::from_millis(100), ..JoinWait::default() },
        None => JoinWait::default(),
    };
    let mut said = false;
    let joined = boss.rest.join_until_ready(id, wait, |_| {
        if !std::mem::replace(&mut said, true) && boss.local.is_none() {
            let text = format!("waiting for the server to prepare job {id}; this takes minutes");
            listener.report().tell(News::Phase(text));
        }
    });
    let reply = match joined.await? {
        Joined::Ready(reply) => *reply,
        Joined::Complete => return Err(BossError::JobComplete { id }.into()),
        Joined::Deleted => return Err(EngineError::Cancelled { id }.into()),
        Joined::Failed => {
            let message = "its creation failed".to_owned();
            return Err(EngineError::CannotComplete { id, message }.into());
        }
    };
    let endpoints = endpoints(boss, &reply)?;
    let rest = boss.rest.clone().with_policy(RetryPolicy::patient());
    Ok(Arc::new(Session::new(rest, reply, endpoints, settings)?))
}

/// Where S3 and SQS are: as the environment says; else beside the Boss, if its queues are there; else at AWS.
fn endpoints(boss: &Boss, reply: &JoinReply) -> Result<Endpoints, BossError> {
    let env = |name: &str| std::env::var(name).ok();
    let queue = reply.ingest_job.upload_queue.as_deref().unwrap_or_default();
    let beside = queue.strip_prefix(boss.rest.base_url()).is_some_and(|path| path.starts_with('/'));
    let overridden = ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_SQS"]
        .iter()
        .any(|name| env(name).is_some_and(|value| !value.trim().is_empty()));
    if boss.local.is_some() || (beside && !overridden) {
        return Endpoints::local(boss.rest.base_url());
    }
    Endpoints::from_env(env)
}

/// Leaves the list of bad tasks as JSON lines in the state directory; `None` when there are none.
fn write_bad_list(id: u64, bad: &[BadTask]) -> Result<Option<PathBuf>, CliError> {
    if bad.is_empty() {
        return Ok(None);
    }
    let path = logging::state_dir().join(format!("bad_tiles_job{id}_pid{}.jsonl", std::process::id()));
    let write = || {
        std::fs::create_dir_all(logging::state_dir())?;
        let mut out = BufWriter::new(File::create(&path)?);
        write_bad_tasks(&mut out, bad)?;
        out.flush()
    };
    write().map_err(|source| CliError::Write { path: path.clone(), source })?;
    Ok(Some(path))
}
