//! `boss-ingest status`: how far a job is.

use std::io::Write;

use super::args::JobIdArgs;
use super::connect::Boss;
use super::error::{CliError, Exit};
use crate::protocol::StatusReply;
use crate::report::count;

/// Runs the command.
///
/// # Errors
/// When the Boss refuses or cannot be reached.
pub async fn run(args: JobIdArgs) -> Result<Exit, CliError> {
    let boss = Boss::from_args(&args.boss).await?;
    let status = boss.rest.status(args.id).await;
    boss.close().await;
    writeln!(std::io::stdout(), "{}", line(&status?)).map_err(CliError::Output)?;
    Ok(Exit::Done)
}

fn line(status: &StatusReply) -> String {
    let (total, free) = (status.total_message_count, status.current_message_count);
    let gone = total.saturating_sub(free);
    format!("job {} is {}: {gone} of {} taken, {free} waiting", status.id, status.status, count(total, "task"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::JobStatus;

    #[test]
    fn the_line_tells_state_and_counts() {
        let status =
            StatusReply { id: 7, status: JobStatus::Uploading, total_message_count: 1200, current_message_count: 12 };
        assert_eq!(line(&status), "job 7 is uploading: 1188 of 1 200 tasks taken, 12 waiting");
    }
}
