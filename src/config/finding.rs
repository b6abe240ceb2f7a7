//! One thing that is wrong or odd in a job file.

use std::cell::RefCell;
use std::fmt;

/// Whether a finding stops the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    Error,
    Warning,
}

/// One thing that is wrong or odd in a job file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub severity: Severity,
    /// Where in the document, such as `ingest_job.extent.x[1]`; empty for the document itself.
    pub at: String,
    pub message: String,
    pub hint: Option<String>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.at.is_empty() { f.write_str(&self.message) } else { write!(f, "`{}` {}", self.at, self.message) }
    }
}

/// The findings of one document, gathered while it is read.
#[derive(Default)]
pub(super) struct Findings(RefCell<Vec<Finding>>);

impl Findings {
    pub fn error(&self, at: impl Into<String>, message: impl Into<String>, hint: Option<String>) {
        self.push(Severity::Error, at.into(), message.into(), hint);
    }

    pub fn warning(&self, at: impl Into<String>, message: impl Into<String>, hint: Option<String>) {
        self.push(Severity::Warning, at.into(), message.into(), hint);
    }

    pub fn into_vec(self) -> Vec<Finding> {
        self.0.into_inner()
    }

    fn push(&self, severity: Severity, at: String, message: String, hint: Option<String>) {
        self.0.borrow_mut().push(Finding { severity, at, message, hint });
    }
}
