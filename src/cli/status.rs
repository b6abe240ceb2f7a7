//! `boss-ingest status`: how far a job is, and what this machine does for it; once, or until it is complete.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::args::StatusArgs;
use super::connect::Boss;
use super::error::{CliError, Exit};
use super::screen::Screen;
use super::{logging, runs, signals};
use crate::boss::BossError;
use crate::protocol::{JobStatus, StatusReply};
use crate::report::{News, Progress, Snapshot, count, grouped, human_duration};

/// Time between two looks.
const EVERY: Duration = Duration::from_secs(2);
/// A Boss may be away for so long while it is watched.
const AWAY: Duration = Duration::from_secs(300);

/// Runs the command.
///
/// # Errors
/// When the Boss refuses or cannot be reached, or the job was cancelled.
pub async fn run(args: StatusArgs) -> Result<Exit, CliError> {
    let boss = Boss::from_args(&args.job.boss).await?;
    let ended = match args.watch {
        true => watch(&boss, &args).await,
        false => once(&boss, &args).await,
    };
    boss.close().await;
    ended
}

async fn once(boss: &Boss, args: &StatusArgs) -> Result<Exit, CliError> {
    let status = boss.rest.status(args.job.id).await?;
    let look = Look { status, progress: None, runs: runs::of(&logging::state_dir(), &boss.job(args.job.id)) };
    Screen::plain().show(look.show(args.json))?;
    Ok(Exit::Done)
}

/// Looks again and again until the job is complete, is cancelled, or Ctrl-C.
async fn watch(boss: &Boss, args: &StatusArgs) -> Result<Exit, CliError> {
    let mut watch = Watch::new(boss, args);
    let looking = async {
        while !watch.step().await? {
            tokio::time::sleep(EVERY).await;
        }
        Ok(Exit::Done)
    };
    tokio::select! {
        ended = looking => ended,
        pressed = signals::interrupted() => pressed.map(|()| Exit::Stopped).map_err(CliError::Runtime),
    }
}

/// A job that is watched.
struct Watch<'a> {
    boss: &'a Boss,
    id: u64,
    is_json: bool,
    start: Instant,
    progress: Progress,
    screen: Screen,
    away_since: Option<Instant>,
}

impl<'a> Watch<'a> {
    fn new(boss: &'a Boss, args: &StatusArgs) -> Self {
        let screen = if args.json { Screen::plain() } else { Screen::new() };
        let (id, is_json, start) = (args.job.id, args.json, Instant::now());
        Watch { boss, id, is_json, start, progress: Progress::default(), screen, away_since: None }
    }

    /// One look; `true` when the job is complete.
    async fn step(&mut self) -> Result<bool, CliError> {
        let runs = runs::of(&logging::state_dir(), &self.boss.job(self.id));
        let status = match self.boss.rest.status(self.id).await {
            Ok(status) => status,
            // A Boss inside of the process that worked on the job ends with it.
            Err(error) if error.is_temporary() && runs::is_complete(&runs) => {
                tracing::info!(%error, "the Boss is gone, and the job is complete");
                eprintln!("job {} is complete; the Boss that ran it has ended", self.id);
                return Ok(true);
            }
            Err(error) if error.is_temporary() => return self.away(error).map(|()| false),
            Err(error) => return Err(error.into()),
        };
        if let Some(since) = self.away_since.take() {
            eprintln!("the Boss answers again after {}", human_duration(since.elapsed()));
        }
        let (total, free, elapsed) = (status.total_message_count, status.current_message_count, self.start.elapsed());
        let is_complete = status.status == JobStatus::Complete;
        self.progress.take(&News::Started { job: self.id, tasks: total, noun: "task" }, elapsed);
        self.progress.take(&News::Remaining { tasks: free }, elapsed);
        let look = Look { status, progress: Some(self.progress.snapshot()), runs };
        self.screen.show(look.show(self.is_json))?;
        Ok(is_complete)
    }

    /// Says once that the Boss is away; gives up after a while.
    fn away(&mut self, error: BossError) -> Result<(), CliError> {
        let is_news = self.away_since.is_none();
        if self.away_since.get_or_insert_with(Instant::now).elapsed() > AWAY {
            return Err(error.into());
        }
        if is_news {
            self.screen.leave();
            eprintln!("the Boss does not answer; it is asked again: {error}");
        }
        Ok(())
    }
}

/// All that is known at one moment.
struct Look {
    status: StatusReply,
    /// How fast it goes; when it is watched.
    progress: Option<Snapshot>,
    runs: Vec<runs::HostRun>,
}

impl Look {
    fn show(&self, is_json: bool) -> String {
        if is_json { self.json().to_string() } else { self.text() }
    }

    fn text(&self) -> String {
        let mut text = self.job_line();
        if let Some(progress) = self.progress.as_ref().filter(|progress| progress.tasks_per_second > 0.0) {
            text += &format!(", {:.1} tasks/s", progress.tasks_per_second);
            if let Some(left) = progress.left.filter(|left| !left.is_zero()) {
                text += &format!(", {} left", human_duration(left));
            }
        }
        for run in &self.runs {
            text += &format!("\n  {}", run.line());
        }
        text
    }

    fn job_line(&self) -> String {
        let StatusReply { id, status, total_message_count: total, current_message_count: free } = self.status;
        let taken = grouped(total.saturating_sub(free));
        format!("job {id} is {status}: {taken} of {} taken, {} waiting", count(total, "task"), grouped(free))
    }

    fn json(&self) -> Value {
        let StatusReply { id, status, total_message_count: total, current_message_count: free } = self.status;
        let speed = self.progress.as_ref();
        json!({
            "job": id,
            "status": status.name(),
            "tasks": total,
            "free": free,
            "taken": total.saturating_sub(free),
            "tasks_per_s": speed.map(|speed| speed.tasks_per_second),
            "left_s": speed.and_then(|speed| speed.left).map(|left| left.as_secs_f64()),
            "this_host": self.runs.iter().map(runs::HostRun::json).collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(progress: Option<Snapshot>) -> Look {
        let status =
            StatusReply { id: 7, status: JobStatus::Uploading, total_message_count: 1200, current_message_count: 12 };
        Look { status, progress, runs: Vec::new() }
    }

    #[test]
    fn the_line_tells_state_and_counts() {
        assert_eq!(look(None).text(), "job 7 is uploading: 1 188 of 1 200 tasks taken, 12 waiting");
        assert_eq!(look(None).json()["taken"], 1188);
    }

    /// 600 tasks a minute with 400 free are done in 40 s. The Python client says 4 minutes.
    #[test]
    fn the_time_left_is_the_whole_jobs() {
        let mut progress = Progress::default();
        for (seconds, free) in [(0, 1000), (20, 800), (40, 600), (60, 400)] {
            let elapsed = Duration::from_secs(seconds);
            progress.take(&News::Started { job: 7, tasks: 1000, noun: "task" }, elapsed);
            progress.take(&News::Remaining { tasks: free }, elapsed);
        }
        let text = look(Some(progress.snapshot())).text();
        assert!(text.ends_with(", 10.0 tasks/s, 40 s left"), "{text}");
    }
}
