//! From the errors of scripts and sources to rows.

use std::error::Error;
use std::mem::discriminant;

use super::problem::{Kind, Problem};
use super::uses::hash;
use crate::config::Finding;
use crate::lua::ScriptError;
use crate::source::{PlanMistake, SizeProblem, SourceError, Unsupported};
use crate::volume::Index;

/// How much of a task its sources have, where they fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reached {
    Nothing,
    Part,
    /// The source is there, whatever is wrong with it: the extent is not at fault.
    All,
}

/// What an error says of the extent.
pub(super) fn reach(error: &SourceError) -> Reached {
    match error {
        SourceError::NotFound { .. } | SourceError::Plan { mistake: PlanMistake::NoSuchPage { .. }, .. } => {
            Reached::Nothing
        }
        SourceError::WrongSize { problem: SizeProblem::Lacking(_), .. }
        | SourceError::Plan { mistake: PlanMistake::Uncovered { .. }, .. } => Reached::Part,
        _ => Reached::All,
    }
}

/// Whether every part of the file fails alike.
pub(super) fn is_of_whole_file(error: &SourceError) -> bool {
    match error {
        SourceError::Damaged { .. } | SourceError::Unreachable { .. } => true,
        SourceError::NotSupported { what, .. } => {
            !matches!(what, Unsupported::Page { .. } | Unsupported::PagesDiffer(_))
        }
        _ => false,
    }
}

/// A source that a task cannot use.
pub(super) fn source(error: &SourceError, index: Index) -> Problem {
    let kind = match error {
        SourceError::NotFound { .. } | SourceError::NoChunk { .. } => Kind::Missing,
        SourceError::Damaged { .. } => Kind::Damaged,
        SourceError::NotSupported { .. } => Kind::NotSupported,
        SourceError::WrongSize { .. } | SourceError::OutOfBounds { .. } => Kind::WrongSize,
        SourceError::DoesNotFit { .. } => Kind::WrongType,
        SourceError::Unreachable { .. } | SourceError::LimitsExceeded { .. } => Kind::Unreadable,
        SourceError::Plan { .. } => Kind::Plan,
    };
    let hint = match kind {
        Kind::Damaged => Some("make or copy the file anew".to_owned()),
        _ => error.hint(),
    };
    Problem {
        kind,
        task: Some(index),
        file: error.path().map(str::to_owned),
        reason: with_cause(error),
        hint,
        tasks: 1,
        excerpt: String::new(),
    }
}

/// What tells one row from another: the file, and of plans what is wrong with them.
pub(super) fn about_error(error: &SourceError) -> u64 {
    match error {
        SourceError::Plan { path, mistake } => hash(&(path, discriminant(mistake))),
        _ => hash(&error.path()),
    }
}

/// As [`about_error`], of a file's problem.
pub(super) fn about(problem: &Problem) -> u64 {
    hash(&problem.file.as_deref())
}

/// A script that gives no plan.
pub(super) fn script(error: &ScriptError, task: Option<Index>) -> Problem {
    Problem {
        kind: Kind::Script,
        task,
        file: None,
        reason: with_cause(error),
        hint: error.hint(),
        tasks: u64::from(task.is_some()),
        excerpt: error.fault().map(|fault| fault.excerpt()).unwrap_or_default(),
    }
}

/// Errors of one line with one message are one row.
pub(super) fn about_script(error: &ScriptError) -> u64 {
    match error.fault() {
        Some(fault) => hash(&(&fault.script, fault.line, fault.hook, discriminant(error), &fault.message)),
        None => hash(&error.to_string()),
    }
}

/// A task of which the script says that there is no data.
pub(super) fn no_data(reason: String, index: Index) -> Problem {
    let hint =
        "shorten `ingest_job.extent`, or give a plan with `missing = \"fill\"`: every tile of the extent is uploaded";
    Problem {
        kind: Kind::NoData,
        task: Some(index),
        file: None,
        reason: format!("the script says: {reason}"),
        hint: Some(hint.to_owned()),
        tasks: 1,
        excerpt: String::new(),
    }
}

/// A rule that the job file breaks.
pub(super) fn job(finding: &Finding) -> Problem {
    Problem {
        kind: Kind::Job,
        task: None,
        file: None,
        reason: finding.to_string(),
        hint: finding.hint.clone(),
        tasks: 0,
        excerpt: String::new(),
    }
}

/// The message, and what is at the bottom of it, unless it says so itself.
fn with_cause(error: &dyn Error) -> String {
    let text = error.to_string();
    let mut root = error;
    while let Some(next) = root.source() {
        root = next;
    }
    let cause = root.to_string();
    if text.ends_with(&cause) { text } else { format!("{text}: {cause}") }
}
