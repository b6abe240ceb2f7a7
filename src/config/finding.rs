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
pub(super) struct Findings {
    list: RefCell<Vec<Finding>>,
    misaligned: Severity,
}

impl Findings {
    /// `misaligned` is how grave tiles and chunks are that do not lie on the Boss's grid.
    pub fn new(misaligned: Severity) -> Self {
        Findings { list: RefCell::default(), misaligned }
    }

    pub fn error(&self, at: impl Into<String>, message: impl Into<String>, hint: Option<String>) {
        self.push(Severity::Error, at.into(), message.into(), hint);
    }

    pub fn warning(&self, at: impl Into<String>, message: impl Into<String>, hint: Option<String>) {
        self.push(Severity::Warning, at.into(), message.into(), hint);
    }

    pub fn misaligned(&self, at: impl Into<String>, message: impl Into<String>, hint: Option<String>) {
        self.push(self.misaligned, at.into(), message.into(), hint);
    }

    pub fn into_vec(self) -> Vec<Finding> {
        self.list.into_inner()
    }

    fn push(&self, severity: Severity, at: String, message: String, hint: Option<String>) {
        self.list.borrow_mut().push(Finding { severity, at, message, hint });
    }
}
