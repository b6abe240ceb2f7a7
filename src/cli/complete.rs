//! `boss-ingest complete`: complete a job whose data is all uploaded.

use std::sync::Arc;

use super::args::CompleteArgs;
use super::connect::Boss;
use super::error::{CliError, Exit};
use super::listener::Listener;
use super::prompt::confirm;
use super::signals;
use crate::engine::{Completed, Completer, Shutdown};
use crate::report::{News, Report};

/// Runs the command.
///
/// # Errors
/// When there is still something to upload, the job was cancelled, or the Boss refuses or cannot be reached.
pub async fn run(args: CompleteArgs) -> Result<Exit, CliError> {
    let id = args.job.id;
    if !confirm(&format!("Are you sure you want to complete ingest job {id}?"), args.yes.yes)? {
        eprintln!("Exiting");
        return Ok(Exit::Done);
    }
    let boss = Boss::from_args(&args.job.boss).await?;
    let listener = Listener::new(args.progress);
    let ended = complete(&boss, id, listener.report()).await;
    boss.close().await;
    listener.end(&ended);
    ended
}

async fn complete(boss: &Boss, id: u64, report: Arc<dyn Report>) -> Result<Exit, CliError> {
    let shutdown = Shutdown::new();
    signals::listen(shutdown.clone(), report.clone());
    let tell = |text: &str| report.tell(News::Phase(format!("ingest job {id} {text}")));
    match (Completer { rest: &boss.rest, id, shutdown, report: report.clone() }).complete().await {
        Ok(Completed::Done) => tell("is complete"),
        Ok(Completed::Already) => tell("was complete already"),
        Ok(Completed::Asked) => {
            tell("is not complete yet; what was asked of the server goes on, so run `complete` again later");
            return Ok(Exit::Stopped);
        }
        Ok(Completed::QueueNotEmpty) => {
            return Err(CliError::NotCompleted { id, reason: "its upload queue is not empty" });
        }
        Ok(Completed::TilesMissing) => {
            let reason = "the server found tiles missing and put them on the upload queue";
            return Err(CliError::NotCompleted { id, reason });
        }
        Err(error) => return Err(error.into()),
    }
    Ok(Exit::Done)
}
