//! From an error of the Lua library to a message that a script's author understands.

use mlua::Error;

use super::error::{Fault, ScriptError};
use super::library::Library;
use super::sandbox::{Limits, TimedOut};
use crate::volume::Index;

/// The most calls that a message lists.
const MOST_CALLS: usize = 5;

/// The longest message that is shown, in bytes.
const LONGEST_MESSAGE: usize = 2000;

/// A fault in what a script gave back, found by Rust.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Mistake {
    #[error("a plan has no key `{key}`")]
    UnknownKey { key: String, nearest: Option<&'static str> },
    #[error("{message}")]
    Wrong { message: String, hint: Option<String> },
}

/// A mistake in what a script gave to a function of ours, found while the script runs.
#[derive(Debug, thiserror::Error)]
#[error("{mistake}")]
pub(super) struct Misuse {
    pub mistake: Mistake,
    /// The field or method.
    pub key: Option<String>,
}

impl Mistake {
    /// As an error of a function that a script calls.
    pub fn in_call(self, key: Option<String>) -> Error {
        Error::external(Misuse { mistake: self, key })
    }

    pub fn wrong(message: impl Into<String>) -> Self {
        Mistake::Wrong { message: message.into(), hint: None }
    }

    pub fn with_hint(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Mistake::Wrong { message: message.into(), hint: Some(hint.into()) }
    }

    fn told_in(self, fault: Box<Fault>) -> ScriptError {
        match self {
            Mistake::UnknownKey { key, nearest } => ScriptError::UnknownPlanKey { fault, key, nearest },
            Mistake::Wrong { hint, .. } => ScriptError::WrongReturn { fault, hint },
        }
    }
}

/// What was being done when it failed.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub script: &'a str,
    /// The line to show when the error knows none: where the hook begins.
    pub line: Option<usize>,
    pub hook: Option<&'static str>,
    pub at: Option<Index>,
}

/// Tells what `error` means, with the lines of the script that it points at.
pub(super) fn explain(error: &Error, place: Place, library: &Library, limits: &Limits) -> ScriptError {
    let found = Found::of(error);
    let (hook, at, calls) = (place.hook, place.at, found.calls(library));
    let again = at.map(|at| library.try_command(at));
    let mut fault = Fault { hook, at, again, calls, ..Fault::default() };
    let (location, message) = split_location(&found.message, library);
    fault.message = shortened(message);
    let location = location.or_else(|| split_location(fault.calls.first()?, library).0);
    let location = location.map(|(script, line)| (script.to_owned(), line));
    locate(&mut fault, location, place, library);
    let mut fault = Box::new(fault);
    match found.root {
        Error::SyntaxError { .. } => ScriptError::Syntax(fault),
        Error::MemoryError(_) => {
            fault.message = format!("it took more than {} MiB of memory", limits.memory_bytes >> 20);
            ScriptError::Memory { fault, limit_bytes: limits.memory_bytes }
        }
        root if let Some(misuse) = root.downcast_ref::<Misuse>() => {
            // A call in a `return` leaves no trace of its line; the word that was called does.
            let is_lost = fault.calls.is_empty() && misuse.key.is_some();
            if is_lost && let Some(line) = key_line(library, place, misuse.key.as_deref()) {
                locate(&mut fault, Some((place.script.to_owned(), line)), place, library);
            }
            misuse.mistake.clone().told_in(fault)
        }
        root if root.downcast_ref::<TimedOut>().is_some() => {
            let limit = if place.at.is_some() { limits.per_call } else { limits.setup };
            fault.message = format!("it ran longer than {limit:?}");
            ScriptError::Timeout { fault, limit }
        }
        _ => ScriptError::Runtime(fault),
    }
}

/// The message alone, as `pcall` gives it to a script.
pub(super) fn message_of(error: &Error) -> String {
    Found::of(error).message
}

/// Whether the script was stopped because it ran too long.
pub(super) fn is_time_out(error: &Error) -> bool {
    Found::of(error).root.downcast_ref::<TimedOut>().is_some()
}

fn shortened(message: &str) -> String {
    if message.len() <= LONGEST_MESSAGE {
        return message.to_owned();
    }
    let end = (0..=LONGEST_MESSAGE).rev().find(|end| message.is_char_boundary(*end)).unwrap_or(0);
    format!("{} … (and {} bytes more)", &message[..end], message.len() - end)
}

/// Tells of a mistake in what the hook at `place` returned.
pub(super) fn mistaken(mistake: Mistake, place: Place, library: &Library) -> ScriptError {
    let (hook, at, message) = (place.hook, place.at, mistake.to_string());
    let again = at.map(|at| library.try_command(at));
    let mut fault = Fault { hook, at, again, message, ..Fault::default() };
    let line = match &mistake {
        Mistake::UnknownKey { key, .. } => key_line(library, place, Some(key)),
        Mistake::Wrong { .. } => None,
    };
    locate(&mut fault, line.map(|line| (place.script.to_owned(), line)), place, library);
    mistake.told_in(Box::new(fault))
}

/// The line of the hook that sets a field, or calls a method, of this name.
fn key_line(library: &Library, place: Place, key: Option<&str>) -> Option<usize> {
    library.line_with_key(place.script, key?, place.line.unwrap_or(1))
}

fn locate(fault: &mut Fault, location: Option<(String, usize)>, place: Place, library: &Library) {
    (fault.script, fault.line) = match location {
        Some((script, line)) => (script, Some(line)),
        None => (place.script.to_owned(), place.line),
    };
    if let Some(line) = fault.line {
        fault.source_lines = library.lines_around(&fault.script, line);
    }
}

/// The error without the layers that callbacks put around it.
struct Found<'a> {
    root: &'a Error,
    message: String,
    traceback: &'a str,
}

impl<'a> Found<'a> {
    fn of(error: &'a Error) -> Found<'a> {
        let (mut root, mut traceback) = (error, "");
        loop {
            match root {
                Error::CallbackError { traceback: inner, cause } => (root, traceback) = (cause, inner),
                Error::WithContext { cause, .. } => root = cause,
                _ => break,
            }
        }
        match root {
            Error::RuntimeError(text) | Error::MemoryError(text) => {
                let (message, own) = text.split_once("\nstack traceback:").unwrap_or((text, ""));
                let traceback = if own.is_empty() { traceback } else { own };
                Found { root, message: without_prelude(message).to_owned(), traceback }
            }
            Error::SyntaxError { message, .. } => Found { root, message: message.clone(), traceback },
            other => Found { root, message: other.to_string(), traceback },
        }
    }

    /// The lines of the traceback that lie in scripts, innermost first.
    fn calls(&self, library: &Library) -> Vec<String> {
        let lines = self.traceback.lines().map(str::trim);
        lines.filter(|line| split_location(line, library).0.is_some()).take(MOST_CALLS).map(str::to_owned).collect()
    }
}

/// Leaves out a place in the prelude, which means nothing to a script's author.
fn without_prelude(message: &str) -> &str {
    let place = message.strip_prefix("prelude:").and_then(|rest| rest.split_once(": "));
    place.filter(|(line, _)| line.parse::<usize>().is_ok()).map_or(message, |(_, message)| message)
}

/// Splits `paths.lua:7: message` into script, line and message. Only names of scripts that were loaded count.
fn split_location<'a>(text: &'a str, library: &Library) -> (Option<(&'a str, usize)>, &'a str) {
    let split = || {
        let (before, message) = text.split_once(": ")?;
        let (script, line) = before.rsplit_once(':')?;
        let line = line.parse().ok()?;
        library.has(script).then_some(((script, line), message))
    };
    match split() {
        Some((location, message)) => (Some(location), message),
        None => (None, text),
    }
}
