//! Errors as the user reads them, and exit codes.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Map, Value, json};

use super::r#try::SaveError;
use crate::boss::BossError;
use crate::codec::CodecError;
use crate::config::ConfigError;
use crate::engine::EngineError;
use crate::engine::ledger::LedgerError;
use crate::lua::{Fault, LuarcError, ScriptError, UnknownBuiltin};
use crate::server::ServerError;
use crate::source::SourceError;
use crate::verify::VerifyError;
use crate::volume::Index;

/// How a command ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done, or declined by the user.
    Done,
    /// Some tiles are bad and wait for their user, or something is flagged.
    BadTasks,
    /// Stopped by Ctrl-C.
    Stopped,
    /// It failed with this exit code, and the user was told already.
    Told(u8),
    /// The command worked, and what it looked at is wrong.
    Failed,
}

impl Exit {
    /// What the program ends with.
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::BadTasks => 3,
            Exit::Stopped => 130,
            Exit::Told(code) => code,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
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
    Verify(#[from] VerifyError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
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
    #[error("metrics cannot be served at {address}")]
    Metrics { address: SocketAddr, source: std::io::Error },
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
    #[error("{axis} {at} is outside the job's extent, {axis} {extent}")]
    OutsideExtent { axis: char, at: i64, extent: crate::volume::Span },
    #[error(transparent)]
    Builtin(#[from] UnknownBuiltin),
    #[error("nothing was added to `{path}`, as it is no plain JSON object")]
    Luarc { path: PathBuf, source: LuarcError },
    #[error("the scripts of `{path}` have no test cases")]
    NoCases { path: PathBuf },
    #[error("ingest job {id} cannot be completed: {reason}")]
    NotCompleted { id: u64, reason: &'static str },
    /// The source of the one task that was asked for is bad.
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error("{noun} {index} cannot be encoded for the Boss")]
    Encode { noun: &'static str, index: Index, source: CodecError },
    #[error(transparent)]
    Save(#[from] SaveError),
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
        ExitCode::from(self.exit_code())
    }

    /// What the program ends with.
    pub fn exit_code(&self) -> u8 {
        match self {
            CliError::Config(_) | CliError::Script(_) => 2,
            CliError::Builtin(_) | CliError::NoCases { .. } => 2,
            CliError::NoFirstTask { .. } | CliError::SourceDtype { .. } | CliError::Log { .. } => 2,
            CliError::Verify(VerifyError::Script(_)) => 2,
            CliError::Metrics { .. } => 2,
            CliError::Save(error) if error.is_mistake() => 2,
            CliError::Source(_) | CliError::Encode { .. } => 3,
            CliError::OutsideExtent { .. } => 2,
            _ => 1,
        }
    }

    /// The same for programs: `error`, `exit_code`, and `cause`, `hint` and `script` where there are any.
    pub fn json(&self) -> Map<String, Value> {
        let script = self.script_fault().map(|fault| {
            json!({"name": fault.script, "line": fault.line, "hook": fault.hook, "message": fault.message, "calls": fault.calls})
        });
        let fields = [
            ("error", json!(self.to_string())),
            ("cause", json!(root_cause(self))),
            ("hint", json!(self.hint())),
            ("script", json!(script)),
            ("exit_code", json!(self.exit_code())),
        ];
        fields.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.to_owned(), value)).collect()
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
            CliError::Verify(error) => error.hint(),
            CliError::Ledger(error) => error.hint(),
            CliError::Server(error) => error.hint(),
            CliError::NoFirstTask { source, .. } => match source.as_ref() {
                FirstTaskError::Script(error) => error.hint(),
                FirstTaskError::Source(error) => error.hint(),
                FirstTaskError::Missing(_) | FirstTaskError::NoSource => None,
            },
            CliError::SourceDtype { .. } => Some("let the plan say `cast` and, for fractions, `scale`".to_owned()),
            CliError::Metrics { .. } => {
                Some("give another address with `--metrics`; port 0 takes a free one".to_owned())
            }
            CliError::Log { .. } => Some("give another file with `--log-file`".to_owned()),
            CliError::NoAnswer { .. } => Some("use `--yes` to answer yes to every question".to_owned()),
            CliError::NoChannel { .. } => {
                Some("make the channel first, or try the job on a Boss of your own with `--local DIR`".to_owned())
            }
            CliError::NoLocalToken { .. } => Some("run as the user who made the folder, or give `-a`".to_owned()),
            CliError::NotCompleted { id, .. } => Some(format!("`boss-ingest status {id}` tells how far the job is")),
            CliError::Source(error) => error.hint(),
            CliError::Encode { source: CodecError::ValueTooLarge { .. }, .. } => {
                Some("the Boss reads 31 bits of a tile; larger ids go up in a volumetric job".to_owned())
            }
            CliError::Encode { .. } => Some("let the plan say `cast`, `scale` or `encode`".to_owned()),
            CliError::Save(error) => error.hint(),
            CliError::OutsideExtent { .. } => Some("give a voxel inside with `--at`".to_owned()),
            CliError::Builtin(error) => Some(match error.nearest {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`boss-ingest scripts list` shows them all".to_owned(),
            }),
            CliError::Luarc { source, .. } => Some(format!("write this into it:\n{}", source.wanted.trim_end())),
            CliError::NoCases { .. } => Some(
                "let the script say `M.tests = { { at = { z = 0 }, path = \"…\" } }`, or write them into a file beside \
                 it, such as `paths_test.lua`"
                    .to_owned(),
            ),
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
