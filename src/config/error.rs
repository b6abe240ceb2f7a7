//! Why a job file cannot be used.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use super::{Finding, Severity};

/// Why a job file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is not there, may not be read, or is no UTF-8 text.
    #[error("the job file `{path}` cannot be read")]
    Unreadable { path: PathBuf, source: io::Error },
    /// The file is not JSON. Line and column count from 1.
    #[error("the job file `{path}` is not valid JSON at line {line}, column {column}")]
    Malformed { path: PathBuf, line: usize, column: usize, hint: Option<&'static str>, source: serde_json::Error },
    /// The file is JSON, but no job that can be run. `findings` holds every error and warning, in the document's order.
    #[error("the job file `{path}` cannot be used{}", list(findings))]
    Invalid { path: PathBuf, findings: Vec<Finding> },
}

impl ConfigError {
    pub(super) fn malformed(path: &Path, text: &str, source: serde_json::Error) -> Self {
        let (line, column) = (source.line(), source.column());
        ConfigError::Malformed { path: path.to_owned(), line, column, hint: json_hint(text, &source), source }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            ConfigError::Unreadable { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Some("give the path of a job file; the folder `examples` has some to copy".to_owned())
            }
            ConfigError::Malformed { hint, .. } => hint.map(str::to_owned),
            _ => None,
        }
    }
}

/// The faults that people make most often when they write JSON by hand.
fn json_hint(text: &str, error: &serde_json::Error) -> Option<&'static str> {
    if text.starts_with('\u{feff}') {
        return Some("the file begins with a byte order mark; save it as UTF-8 without one");
    }
    if error.is_eof() {
        return Some("the file ends early: a `}`, `]` or `\"` is missing");
    }
    if error.to_string().contains("trailing comma") {
        return Some("remove the comma before the closing bracket");
    }
    let line = text.lines().nth(error.line().saturating_sub(1)).unwrap_or_default();
    let rest: String = line.chars().skip(error.column().saturating_sub(1)).collect();
    match rest.chars().next() {
        Some('/' | '#') => Some("JSON has no comments"),
        Some('\'') => Some("JSON strings stand in double quotes"),
        Some('"') => Some("a comma is missing before this"),
        Some('N' | 'T' | 'F') => Some("JSON writes `null`, `true` and `false`"),
        _ => None,
    }
}

fn list(findings: &[Finding]) -> String {
    let mut lines = String::new();
    for finding in findings {
        let word = if finding.severity == Severity::Error { "error" } else { "warning" };
        let _ = write!(lines, "\n  {word}: {finding}");
        if let Some(hint) = &finding.hint {
            let _ = write!(lines, "\n    hint: {hint}");
        }
    }
    lines
}
