//! `boss-ingest try`: carry one task out and show every step, with no Boss and no upload.
//!
//! [`Trial`] does the steps and keeps what it finds; `explain` makes text of it, `json` an object, `picture` a sight.

mod at;
mod explain;
mod json;
mod picture;
mod save;
mod trial;
mod watch;

use std::io::Write;

pub use at::parse_at;
pub use save::{Output, SaveError};

use super::args::TryArgs;
use super::error::{CliError, Exit};
use crate::lua::ScriptFiles;
use trial::Trial;

/// Runs the command.
///
/// # Errors
/// When the job file, a script, a source or the output file is at fault.
pub async fn run(args: TryArgs) -> Result<Exit, CliError> {
    if args.watch {
        return watch::run(args).await;
    }
    attempt(args, ScriptFiles::default()).await.show()
}

/// A task that was tried, and how that ended.
struct Attempt {
    args: TryArgs,
    /// `None` when the job file cannot be used.
    trial: Option<Trial>,
    ended: Result<Exit, CliError>,
}

/// Tries the task. The scripts' files are noted in `files`.
async fn attempt(args: TryArgs, files: ScriptFiles) -> Attempt {
    let work = move || match Trial::begin(&args) {
        Ok(mut trial) => {
            let ended = trial.carry_out(&args, &files);
            Attempt { args, trial: Some(trial), ended }
        }
        Err(error) => Attempt { args, trial: None, ended: Err(error) },
    };
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

impl Attempt {
    /// Writes what was found; an error of the attempt is handed on, unless it is part of the JSON.
    fn show(self) -> Result<Exit, CliError> {
        if self.args.json {
            let object = json::object(&self);
            let text = if self.args.watch { object.to_string() } else { format!("{object:#}") };
            print(&format!("{text}\n"))?;
            return Ok(self.ended.unwrap_or_else(|error| Exit::Told(error.exit_code())));
        }
        if let Some(trial) = &self.trial {
            for warning in &trial.warnings {
                eprintln!("warning: {}", warning.message);
                if let Some(hint) = &warning.hint {
                    eprintln!("  hint: {hint}");
                }
            }
            print(&explain::text(trial, &self.args, picture::canvas()))?;
        }
        self.ended
    }
}

fn print(text: &str) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(CliError::Output)
}
