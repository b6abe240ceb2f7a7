//! Which Boss a command speaks to, and with which token.

use std::path::{self, Path, PathBuf};

use directories::BaseDirs;

use super::args::{BossArgs, TokenArgs};
use super::error::CliError;
use super::local::LocalBoss;
use crate::boss::{BossError, Http, Rest, RetryPolicy, Timeouts, Token, TokenPlaces};
use crate::config;
use crate::engine::ledger::JobOf;
use crate::source::BossSettings;

/// A Boss that was reached by name or folder.
pub struct Boss {
    pub rest: Rest,
    /// The local Boss, which lives as long as this does.
    pub local: Option<LocalBoss>,
}

impl Boss {
    /// The Boss that a command's arguments name.
    ///
    /// # Errors
    /// When the local Boss cannot be started, the job file cannot be read, or there is no token.
    pub async fn from_args(args: &BossArgs) -> Result<Self, CliError> {
        if let Some(dir) = &args.local {
            return Boss::local(dir, &args.token).await;
        }
        match &args.job {
            Some(job) => Boss::remote(&config::load(job)?.job.backend.base_url(), &args.token),
            None => Boss::remote(&with_protocol(&args.host), &args.token),
        }
    }

    /// The local Boss in `dir`, if there is one, else the Boss at `base_url`.
    ///
    /// # Errors
    /// As [`Boss::from_args`].
    pub async fn local_or(dir: Option<&Path>, base_url: &str, token: &TokenArgs) -> Result<Self, CliError> {
        match dir {
            Some(dir) => Boss::local(dir, token).await,
            None => Boss::remote(base_url, token),
        }
    }

    async fn local(dir: &Path, token: &TokenArgs) -> Result<Self, CliError> {
        let local = LocalBoss::open(dir).await?;
        let token = match &token.api_token {
            Some(_) => look_up(token)?,
            None => local.token()?,
        };
        Ok(Boss {
            rest: Rest::with_http(local.origin(), token, Http::local(Timeouts::default())?)?
                .with_policy(RetryPolicy::brisk()),
            local: Some(local),
        })
    }

    fn remote(base_url: &str, token: &TokenArgs) -> Result<Self, CliError> {
        Ok(Boss { rest: Rest::new(base_url, look_up(token)?)?.with_policy(RetryPolicy::brisk()), local: None })
    }

    /// How its channels are read as sources.
    ///
    /// # Errors
    /// When there is no token for it.
    pub fn settings(&self, token: &TokenArgs) -> Result<BossSettings, CliError> {
        let local = || self.local.as_ref().filter(|_| token.api_token.is_none()).map(LocalBoss::token).transpose();
        let url = self.rest.base_url().to_owned();
        match local()? {
            Some(token) => Ok(BossSettings { url, token: Some(token.header()) }),
            None => Ok(for_sources(&url, token.api_token.as_deref())),
        }
    }

    /// Job `id` of this Boss, as its ledger is called: by the Boss's address, or the folder of a local one.
    pub fn job(&self, id: u64) -> JobOf {
        match &self.local {
            Some(local) => JobOf { boss: folder(local.dir()), id },
            None => JobOf { boss: self.rest.base_url().to_owned(), id },
        }
    }

    /// Ends a local Boss that was started for this command.
    pub async fn close(self) {
        if let Some(local) = self.local {
            local.close().await;
        }
    }
}

/// Job `id` of the Boss that a command's arguments name, without asking it.
///
/// # Errors
/// When the job file cannot be read, or the host is no address.
pub fn job_of(args: &BossArgs, id: u64) -> Result<JobOf, CliError> {
    let boss = match (&args.local, &args.job) {
        (Some(dir), _) => folder(dir),
        (None, Some(job)) => config::load(job)?.job.backend.base_url(),
        (None, None) => with_protocol(&args.host).trim_end_matches('/').to_owned(),
    };
    Ok(JobOf { boss, id })
}

fn folder(dir: &Path) -> String {
    path::absolute(dir).unwrap_or_else(|_| dir.to_owned()).display().to_string()
}

/// A host as people write it: with a protocol or without.
pub fn with_protocol(host: &str) -> String {
    if host.contains("://") { host.to_owned() } else { format!("https://{host}") }
}

/// The Boss at `base_url`, as sources ask it for channels. Without a token public ones are read.
pub fn for_sources(base_url: &str, given: Option<&str>) -> BossSettings {
    let args = TokenArgs { api_token: given.map(str::to_owned) };
    BossSettings { url: base_url.to_owned(), token: look_up(&args).ok().map(|token| token.header()) }
}

fn look_up(args: &TokenArgs) -> Result<Token, BossError> {
    let dirs = BaseDirs::new();
    let working_dir = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
    Token::find(&TokenPlaces {
        given: args.api_token.as_deref(),
        env: &|name| std::env::var(name).ok(),
        home: dirs.as_ref().map(BaseDirs::home_dir),
        working_dir: &working_dir,
    })
}
