//! Why a verification could not be ended, or a certificate not be believed.

use std::io;
use std::path::PathBuf;

use crate::lua::ScriptError;
use crate::source::SourceError;

#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// The cutout service does not give what was asked for.
    #[error("the Boss cannot be read back")]
    Boss(#[source] SourceError),
    #[error("the journal `{}` cannot be written", path.display())]
    Journal { path: PathBuf, source: io::Error },
    /// The user asked for the end.
    #[error("stopped; run `verify` again to go on where it was")]
    Stopped,
    /// Another process holds the journal.
    #[error("another `verify` of this job runs on this machine")]
    Running,
    #[error("there is no local Boss in `{}`", dir.display())]
    NoLocalBoss { dir: PathBuf },
    #[error("the certificate `{}` cannot be read", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("`{}` is no certificate of `verify`", path.display())]
    NoCertificate { path: PathBuf, source: serde_json::Error },
    /// Its content does not give the digest that it names.
    #[error("the certificate `{}` was changed after it was written", path.display())]
    Edited { path: PathBuf },
    #[error("the certificate `{}` was made by a newer version: its format is {found}, this version knows up to {known}", path.display())]
    Newer { path: PathBuf, found: u64, known: u64 },
}

impl VerifyError {
    /// What the user can do next, where there is something.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            VerifyError::Script(error) => return error.hint(),
            VerifyError::Boss(SourceError::NotFound { .. }) => {
                "see that the channel is there and your token may read it"
            }
            VerifyError::Boss(_) => {
                "look at the server and the network, then run `verify` again: it goes on where it was"
            }
            VerifyError::Journal { .. } => "see that its disk is not full, then run `verify` again: it goes on",
            VerifyError::Stopped => return None,
            VerifyError::Running => "wait for it",
            VerifyError::NoLocalBoss { .. } => "give its folder with `--local`",
            VerifyError::Unreadable { .. } => "look at the path",
            VerifyError::NoCertificate { .. } => "give the file that `verify --output` wrote",
            VerifyError::Edited { .. } => "ask for the original, or run `verify` on the job anew",
            VerifyError::Newer { .. } => "use the newer version",
        };
        Some(hint.to_owned())
    }
}
