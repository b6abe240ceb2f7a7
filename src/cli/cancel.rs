//! `boss-ingest cancel`: stop a job for good.

use super::args::ConfirmedJobArgs;
use super::connect::Boss;
use super::error::{CliError, Exit};
use super::prompt::confirm;
use crate::boss::Cancelled;

/// Runs the command.
///
/// # Errors
/// When the Boss refuses or cannot be reached.
pub async fn run(args: ConfirmedJobArgs) -> Result<Exit, CliError> {
    let id = args.job.id;
    if !confirm(&format!("Are you sure you want to cancel ingest job {id}?"), args.yes.yes)? {
        eprintln!("Command ignored. Job not cancelled");
        return Ok(Exit::Done);
    }
    let boss = Boss::from_args(&args.job.boss).await?;
    let cancelled = boss.rest.cancel(id).await;
    boss.close().await;
    match cancelled? {
        Cancelled::Now => eprintln!("ingest job {id} is cancelled; what was already ingested stays"),
        Cancelled::Before => eprintln!("ingest job {id} was cancelled already"),
    }
    Ok(Exit::Done)
}
