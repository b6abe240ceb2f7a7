//! `boss-ingest create`: make a job, upload its data, complete it.

use std::path::Path;

use super::args::CreateArgs;
use super::connect::Boss;
use super::error::{CliError, Exit};
use super::listener::Listener;
use super::prepare::{self, Prepared};
use super::prompt::confirm;
use super::upload::{self, Task};
use super::{logging, resources};
use crate::boss::BossError;
use crate::engine::ledger::Ledger;

/// Runs the command.
///
/// # Errors
/// When the job file or a script cannot be used, or the Boss refuses or cannot be reached.
pub async fn run(args: CreateArgs, log_file: &Path) -> Result<Exit, CliError> {
    let prepared = Prepared::load(&args.job, &args.upload, &args.token)?;
    let yes = args.upload.yes.yes;
    eprint!("{}", prepare::describe(&prepared.job, &prepared.options));
    if !confirm("Would you like to create a NEW ingest job?", yes)? {
        eprintln!("Exiting");
        return Ok(Exit::Done);
    }
    let listener = Listener::start(&args.upload.telling).await?;
    let base_url = prepared.job.backend.base_url();
    let boss = Boss::local_or(args.local.as_deref(), &base_url, &args.token).await?;
    let ended = create(&boss, &prepared, &args, log_file, &listener).await;
    boss.close().await;
    listener.end(&ended);
    ended
}

async fn create(
    boss: &Boss,
    prepared: &Prepared,
    args: &CreateArgs,
    log_file: &Path,
    listener: &Listener,
) -> Result<Exit, CliError> {
    if boss.local.is_some() {
        for made in resources::create_missing(&boss.rest, prepared).await? {
            eprintln!("made {made}");
        }
    }
    let created = boss.rest.create(&prepared.job.text).await.map_err(|error| no_channel(boss, prepared, error))?;
    tracing::info!(id = created.id, tasks = created.tile_count, "job created");
    Ledger::put_aside(&logging::state_dir(), &boss.job(created.id))?;
    eprintln!("created ingest job {}; keep this number, `join` needs it", created.id);
    if !confirm("Do you want to start uploading now?", args.upload.yes.yes)? {
        eprintln!("Exiting; to upload later: {}", upload::join_command(&args.job, created.id, args.local.as_deref()));
        return Ok(Exit::Done);
    }
    let again = upload::join_command(&args.job, created.id, args.local.as_deref());
    let task = Task { id: created.id, accept_changes: false, again: &again, log_file };
    upload::run(boss, prepared, &task, listener).await
}

/// The Boss answers a job for a channel that it does not have with "not found", and not always with the channel's name.
fn no_channel(boss: &Boss, prepared: &Prepared, error: BossError) -> CliError {
    match error {
        BossError::NotFound { .. } => CliError::NoChannel {
            host: boss.rest.base_url().to_owned(),
            channel: prepared.job.database.to_string(),
            source: error,
        },
        error => error.into(),
    }
}
