//! The job file: a JSON document that says what is uploaded, where to, and by which scripts.
//!
//! Both versions of the Boss's ingest schema are read (`boss-v0.1-schema`, `boss-v0.2-schema`). [`load`] turns the text
//! into a [`Job`] once, at the edge, and reports every fault at once with its place in the document; nothing behind it
//! sees JSON, but for the processors' `params`, which belong to the scripts. Besides the schema's own rules, those jobs
//! are refused that the Boss would accept and then store in the wrong place or never finish (`rules`); [`load_unaligned`]
//! lets those pass that only lie askew.

mod error;
mod finding;
mod job;
mod nearest;
mod read;
mod rules;
mod section;

use std::fs::File;
use std::io::Read;
use std::path::{self, Path};

pub use error::ConfigError;
pub use finding::{Finding, Severity};
pub use job::{Backend, Database, Job, Protocol, Schema, Slot};
pub use nearest::nearest;

use finding::Findings;

/// The largest job file that is read. The Boss's own web server refuses request bodies of a few MiB.
const LARGEST_FILE_BYTES: u64 = 16 << 20;

/// A job file that can be run, and what is odd about it.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub job: Job,
    /// Every finding of severity warning, in the document's order.
    pub warnings: Vec<Finding>,
}

/// Reads and checks the job file at `path`.
///
/// # Errors
/// [`ConfigError::Unreadable`] when there is no such file or it is no text, [`ConfigError::Malformed`] when it is not
/// JSON, [`ConfigError::Invalid`] with every finding when it is no job that can be run.
pub fn load(path: &Path) -> Result<Loaded, ConfigError> {
    parse(path, read_text(path)?)
}

/// As [`load`], but tiles and chunks that do not lie on the Boss's grid are warnings: for commands that read the data and
/// upload nothing.
///
/// # Errors
/// As [`load`].
pub fn load_unaligned(path: &Path) -> Result<Loaded, ConfigError> {
    parse_with(path, read_text(path)?, Severity::Warning)
}

/// Checks the `text` of a job file; `path` is where it lies, for messages and for what the job names relative to it.
///
/// # Errors
/// As [`load`].
pub fn parse(path: &Path, text: String) -> Result<Loaded, ConfigError> {
    parse_with(path, text, Severity::Error)
}

fn parse_with(path: &Path, text: String, misaligned: Severity) -> Result<Loaded, ConfigError> {
    let root = serde_json::from_str(&text).map_err(|source| ConfigError::malformed(path, &text, source))?;
    let findings = Findings::new(misaligned);
    let parts = read::read(&root, &findings);
    let findings = findings.into_vec();
    match parts {
        Some(parts) if findings.iter().all(|finding| finding.severity == Severity::Warning) => {
            let path =
                path::absolute(path).map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
            Ok(Loaded { job: parts.into_job(path, text), warnings: findings })
        }
        _ => Err(ConfigError::Invalid { path: path.to_owned(), findings }),
    }
}

fn read_text(path: &Path) -> Result<String, ConfigError> {
    let read = || {
        let mut text = String::new();
        File::open(path)?.take(LARGEST_FILE_BYTES + 1).read_to_string(&mut text)?;
        if text.len() as u64 > LARGEST_FILE_BYTES {
            return Err(std::io::Error::other("it is larger than 16 MiB, which no job file is"));
        }
        Ok(text)
    };
    read().map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests;
