//! The local Boss behind `--local DIR`: one inside this process, or the one that already serves DIR.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::CliError;
use crate::boss::Token;
use crate::server::{Server, ServerError, ServerOptions};

/// How long a worker of an embedded Boss may keep a task. Its only worker is this process.
const VISIBILITY: Duration = Duration::from_secs(120);

/// A local Boss that answers.
pub struct LocalBoss {
    dir: PathBuf,
    origin: String,
    /// `None` when another process serves the folder.
    server: Option<Server>,
}

impl LocalBoss {
    /// Uses the Boss that serves `dir`, or starts one on a free loopback port.
    ///
    /// # Errors
    /// When `dir` cannot hold a local Boss.
    pub async fn open(dir: &Path) -> Result<Self, CliError> {
        let options =
            ServerOptions { completion_wait: Duration::ZERO, visibility: VISIBILITY, ..ServerOptions::new(dir) };
        let (origin, server) = match Server::start(options).await {
            Ok(server) => (server.origin(), Some(server)),
            Err(ServerError::AlreadyServed { origin, .. }) => (origin, None),
            Err(error) => return Err(error.into()),
        };
        Ok(LocalBoss { dir: dir.to_owned(), origin, server })
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Such as `http://127.0.0.1:8090`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Whether it ends with this process.
    pub fn is_embedded(&self) -> bool {
        self.server.is_some()
    }

    /// The token of the folder's user.
    ///
    /// # Errors
    /// When the folder's token file cannot be read.
    pub fn token(&self) -> Result<Token, CliError> {
        let path = self.dir.join("token");
        let text =
            std::fs::read_to_string(&path).map_err(|source| CliError::NoLocalToken { path: path.clone(), source })?;
        Ok(Token::new(&text, &path.display().to_string())?)
    }

    pub async fn close(self) {
        if let Some(server) = self.server {
            server.shutdown().await;
        }
    }
}
