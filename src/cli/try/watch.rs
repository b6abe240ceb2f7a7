//! `--watch`: once more whenever the job file or a script changes.

use std::time::{Duration, SystemTime};

use super::super::args::TryArgs;
use super::super::error::{CliError, Exit};
use super::super::signals;
use super::{attempt, print};
use crate::lua::ScriptFiles;

/// Time between two looks at the files.
const POLL: Duration = Duration::from_millis(300);

/// Tries the task again and again, until Ctrl-C. Errors are shown, and end nothing.
///
/// # Errors
/// When nothing can be written to standard output.
pub async fn run(args: TryArgs) -> Result<Exit, CliError> {
    tokio::select! {
        ended = watch(args) => ended,
        _ = signals::interrupted() => Ok(Exit::Done),
    }
}

async fn watch(args: TryArgs) -> Result<Exit, CliError> {
    let files = ScriptFiles::default();
    loop {
        files.note(&args.job);
        match attempt(args.clone(), files.clone()).await.show() {
            Err(error @ CliError::Output(_)) => return Err(error),
            Err(error) => drop(error.show()),
            Ok(_) => {}
        }
        let changed = loop {
            match files.changed() {
                Some(path) => break path,
                None => tokio::time::sleep(POLL).await,
            }
        };
        if !args.json {
            let time = humantime::format_rfc3339_seconds(SystemTime::now()).to_string().replace('T', " ");
            let name = changed.file_name().unwrap_or(changed.as_os_str()).to_string_lossy();
            print(&format!("\n──── {name} changed, {time} ────\n\n"))?;
        }
    }
}
