//! Errors as the user reads them, and exit codes.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::boss::BossError;
use crate::config::ConfigError;
use crate::engine::EngineError;
use crate::lua::{Fault, ScriptError};
use crate::server::ServerError;
use crate::source::SourceError;

/// How a command ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done, or declined by the user.
    Done,
    /// Some tiles are bad and wait for their user.
    BadTasks,
    /// Stopped by Ctrl-C.
    Stopped,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        match exit {
            Exit::Done => ExitCode::SUCCESS,
            Exit::BadTasks => ExitCode::from(3),
            Exit::Stopped => ExitCode::from(130),
        }
    }
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Script(#[from] ScriptError),
    #[error(transparent)]
    Boss(#[from] BossError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error("the voxel type of channel `{channel}` cannot be told, as none of the first tasks could be read")]
    NoFirstTask { channel: String, source: Box<FirstTaskError> },
    #[error("the first source has {dtype} voxels, which no channel of the Boss can hold")]
    SourceDtype { dtype: crate::volume::Dtype },
    #[error("the log file `{path}` cannot be written")]
    Log { path: PathBuf, source: std::io::Error },
    #[error("the program's threads cannot be started")]
    Runtime(#[source] std::io::Error),
    #[error("no answer can be read from standard input")]
    NoAnswer { source: Option<std::io::Error> },
    #[error("results cannot be written to standard output")]
    Output(#[source] std::io::Error),
    #[error("`{path}` cannot be written")]
    Write { path: PathBuf, source: std::io::Error },
    #[error("the Boss at {host} has no channel `{channel}`")]
    NoChannel { host: String, channel: String, source: BossError },
    #[error("the local Boss's token in `{path}` cannot be read")]
    NoLocalToken { path: PathBuf, source: std::io::Error },
    #[error("ingest job {id} cannot be completed: {reason}")]
    NotCompleted { id: u64, reason: &'static str },
}

/// Why the first task of a job could not be read.
#[derive(Debug, thiserror::Error)]
pub enum FirstTaskError {
    #[error(transparent)]
    Script(ScriptError),
    #[error("the script says: {0}")]
    Missing(String),
    #[error(transparent)]
    Source(SourceError),
    #[error("the plan reads no source")]
    NoSource,
}

impl CliError {
    /// Writes what failed, why, and what to do next, to standard error.
    pub fn show(&self) -> ExitCode {
        eprintln!("{}", self.text());
        ExitCode::from(match self {
            CliError::Config(_) | CliError::Script(_) => 2,
            CliError::NoFirstTask { .. } | CliError::SourceDtype { .. } | CliError::Log { .. } => 2,
            _ => 1,
        })
    }

    fn text(&self) -> String {
        let mut text = format!("error: {self}");
        if let Some(excerpt) = self.script_fault().map(Fault::excerpt).filter(|excerpt| !excerpt.is_empty()) {
            text += &format!("\n{excerpt}");
        }
        if let Some(cause) = root_cause(self) {
            text += &format!("\n  cause: {}", cause.replace('\n', "\n    "));
        }
        if let Some(hint) = self.hint() {
            text += &format!("\n  hint: {hint}");
        }
        text
    }

    fn script_fault(&self) -> Option<&Fault> {
        match self {
            CliError::Script(error) => error.fault(),
            CliError::NoFirstTask { source, .. } => match source.as_ref() {
                FirstTaskError::Script(error) => error.fault(),
                _ => None,
            },
            _ => None,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            CliError::Config(error) => error.hint(),
            CliError::Script(error) => error.hint(),
            CliError::Boss(error) => error.hint().map(str::to_owned),
            CliError::Engine(error) => error.hint(),
            CliError::Server(error) => error.hint(),
            CliError::NoFirstTask { source, .. } => match source.as_ref() {
                FirstTaskError::Script(error) => error.hint(),
                FirstTaskError::Source(error) => error.hint(),
                FirstTaskError::Missing(_) | FirstTaskError::NoSource => None,
            },
            CliError::SourceDtype { .. } => Some("let the plan say `cast` and, for fractions, `scale`".to_owned()),
            CliError::Log { .. } => Some("give another file with `--log-file`".to_owned()),
            CliError::NoAnswer { .. } => Some("use `--yes` to answer yes to every question".to_owned()),
            CliError::NoChannel { .. } => {
                Some("make the channel first, or try the job on a Boss of your own with `--local DIR`".to_owned())
            }
            CliError::NoLocalToken { .. } => Some("run as the user who made the folder, or give `-a`".to_owned()),
            CliError::NotCompleted { id, .. } => Some(format!("`boss-ingest status {id}` tells how far the job is")),
            CliError::Runtime(_) | CliError::Output(_) | CliError::Write { .. } => None,
        }
    }
}

/// What is at the bottom of an error, unless it says so itself. What lies between are the layers of a library.
fn root_cause(error: &dyn std::error::Error) -> Option<String> {
    let mut root = error.source()?;
    while let Some(next) = root.source() {
        root = next;
    }
    let text = root.to_string();
    (!error.to_string().ends_with(&text)).then_some(text)
}
