//! `boss-ingest list`: your jobs.

use std::io::Write;

use super::args::BossArgs;
use super::connect::Boss;
use super::error::{CliError, Exit};
use crate::protocol::JobListEntry;

/// Runs the command.
///
/// # Errors
/// When the Boss refuses or cannot be reached.
pub async fn run(args: BossArgs) -> Result<Exit, CliError> {
    let boss = Boss::from_args(&args).await?;
    let jobs = boss.rest.list().await;
    boss.close().await;
    write!(std::io::stdout(), "{}", table(jobs?)).map_err(CliError::Output)?;
    Ok(Exit::Done)
}

fn table(mut jobs: Vec<JobListEntry>) -> String {
    if jobs.is_empty() {
        return "no jobs\n".to_owned();
    }
    jobs.sort_by_key(|job| job.id);
    let mut text = format!("{:>6}  {:<10}  {:<17}  {:<19}  channel\n", "id", "kind", "state", "created (UTC)");
    for job in jobs {
        let created: String = job.created_on.chars().take(19).collect();
        let channel = format!("{}/{}/{}", job.collection, job.experiment, job.channel);
        let (kind, created) = (job.ingest_type.name(), created.replace('T', " "));
        text += &format!("{:>6}  {kind:<10}  {:<17}  {created:<19}  {channel}\n", job.id, job.status);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{JobKind, JobStatus};

    #[test]
    fn jobs_are_listed_by_id() {
        let job = |id, status| JobListEntry {
            id,
            collection: "c".to_owned(),
            experiment: "e".to_owned(),
            channel: "ch".to_owned(),
            created_on: "2021-05-03T12:34:56.789012Z".to_owned(),
            completed_on: None,
            status,
            ingest_type: JobKind::Volumetric,
        };
        let table = table(vec![job(12, JobStatus::WaitOnQueues), job(7, JobStatus::Complete)]);
        assert_eq!(
            table,
            "    id  kind        state              created (UTC)        channel\n     7  volumetric  complete           \
             2021-05-03 12:34:56  c/e/ch\n    12  volumetric  waiting on queues  2021-05-03 12:34:56  c/e/ch\n"
        );
        assert_eq!(super::table(vec![]), "no jobs\n");
    }
}
