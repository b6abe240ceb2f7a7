//! `boss-ingest join`: work on a job that exists.

use std::path::Path;

use super::args::JoinArgs;
use super::connect::Boss;
use super::error::{CliError, Exit};
use super::listener::Listener;
use super::prepare::{self, Prepared};
use super::prompt::confirm;
use super::upload::{self, Task};

/// Runs the command.
///
/// # Errors
/// When the job file or a script cannot be used, or the Boss refuses or cannot be reached.
pub async fn run(args: JoinArgs, log_file: &Path) -> Result<Exit, CliError> {
    let prepared = Prepared::load(&args.job, &args.upload, &args.token)?;
    let id = args.job_id;
    eprint!("{}", prepare::describe(&prepared.job, &prepared.options));
    if !confirm(&format!("Are you sure you want to resume ingest job {id}?"), args.upload.yes.yes)? {
        eprintln!("Exiting");
        return Ok(Exit::Done);
    }
    let listener = Listener::start(&args.upload.telling).await?;
    let base_url = prepared.job.backend.base_url();
    let boss = Boss::local_or(args.local.as_deref(), &base_url, &args.token).await?;
    let again = upload::join_command(&args.job, id, args.local.as_deref());
    let task = Task { id, accept_changes: args.accept_changes, again: &again, log_file };
    let ended = upload::run(&boss, &prepared, &task, &listener).await;
    boss.close().await;
    listener.end(&ended);
    ended
}
