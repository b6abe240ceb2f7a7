//! `boss-ingest complete`: complete a job whose data is all uploaded.

use std::time::Duration;

use super::args::ConfirmedJobArgs;
use super::connect::Boss;
use super::error::{CliError, Exit};
use super::prompt::confirm;
use crate::boss::{Completion, Rest};
use crate::protocol::JobStatus;
use crate::report::human_duration;

/// Time between two looks at a job that the server is completing.
const POLL: Duration = Duration::from_secs(1);
/// The shortest pause before the server is asked again, whatever it says itself.
const SHORTEST_WAIT: Duration = Duration::from_millis(50);

/// Runs the command.
///
/// # Errors
/// When there is still something to upload, the job was cancelled, or the Boss refuses or cannot be reached.
pub async fn run(args: ConfirmedJobArgs) -> Result<Exit, CliError> {
    let id = args.job.id;
    if !confirm(&format!("Are you sure you want to complete ingest job {id}?"), args.yes.yes)? {
        eprintln!("Exiting");
        return Ok(Exit::Done);
    }
    let boss = Boss::from_args(&args.job.boss).await?;
    let completed = complete(&boss.rest, id).await;
    boss.close().await;
    completed?;
    eprintln!("ingest job {id} is complete");
    Ok(Exit::Done)
}

async fn complete(rest: &Rest, id: u64) -> Result<(), CliError> {
    let refused = |reason| Err(CliError::NotCompleted { id, reason });
    loop {
        match rest.complete(id).await? {
            Completion::Done => return Ok(()),
            Completion::Waiting { wait } | Completion::InternalQueuesNotEmpty { wait } => {
                if wait > SHORTEST_WAIT {
                    eprintln!("the server lets its queues settle: {}", human_duration(wait));
                }
                tokio::time::sleep(wait.max(SHORTEST_WAIT)).await;
            }
            Completion::Completing => match rest.status(id).await?.status {
                JobStatus::Complete => return Ok(()),
                JobStatus::Completing => tokio::time::sleep(POLL).await,
                _ => return refused("the server found tiles missing and wants them uploaded again"),
            },
            Completion::UploadQueueNotEmpty => return refused("its upload queue is not empty"),
            Completion::Preparing => return refused("the server still prepares it"),
            Completion::Cancelled => return refused("it was cancelled"),
            Completion::Failed => return refused("its creation failed"),
        }
    }
}
