//! Why a script gave no plan.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::volume::Index;

/// Why a script gave no plan.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// A slot's `class` is no script that can be found.
    #[error("`{slot}` names the script `{class}`, which is not there")]
    UnknownClass { slot: &'static str, class: String, nearest: Option<String> },
    #[error("the script `{path}` cannot be read")]
    Unreadable { path: PathBuf, source: io::Error },
    /// The text is not Lua.
    #[error("{0}")]
    Syntax(Box<Fault>),
    /// The script has no function for the slot that it is named in.
    #[error("the script `{script}` in `{slot}` has no function `{hook}`")]
    MissingHook { script: String, slot: &'static str, hook: &'static str },
    /// The slot's parameters are not those that the script declares; every fault at once.
    #[error("the parameters of `{slot}` do not suit the script `{script}`: {}", faults.join("; "))]
    Params { script: String, slot: &'static str, faults: Vec<String> },
    /// The script failed, or called something with arguments that it does not take.
    #[error("{0}")]
    Runtime(Box<Fault>),
    /// A hook returned something else than a plan (or a path), or a plan with a wrong value.
    #[error("{fault}")]
    WrongReturn { fault: Box<Fault>, hint: Option<String> },
    /// A plan has a key that plans do not have.
    #[error("{fault}")]
    UnknownPlanKey { fault: Box<Fault>, key: String, nearest: Option<&'static str> },
    #[error("{fault}")]
    Timeout { fault: Box<Fault>, limit: Duration },
    #[error("{fault}")]
    Memory { fault: Box<Fault>, limit_bytes: usize },
}

/// Where a script failed, and on what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    /// As the job file or `require` names it.
    pub script: String,
    /// Counted from 1, where it is known.
    pub line: Option<usize>,
    /// The function that was called, such as `path`; none while the script is loaded.
    pub hook: Option<&'static str>,
    /// The tile or chunk that was asked for.
    pub at: Option<Index>,
    /// The command that plans this tile or chunk alone.
    pub again: Option<String>,
    pub message: String,
    /// The failing line and its neighbours, with their numbers.
    pub source_lines: Vec<(usize, String)>,
    /// The script's own calls that led there, innermost first, such as `paths.lua:7: in function 'name'`.
    pub calls: Vec<String>,
}

impl ScriptError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            ScriptError::UnknownClass { slot, nearest, .. } => Some(class_hint(slot, nearest.as_deref())),
            ScriptError::Unreadable { .. } | ScriptError::Params { .. } => None,
            ScriptError::Syntax(_) => Some("mend the line, or the one before it".to_owned()),
            ScriptError::MissingHook { script, hook, .. } => {
                Some(format!("the table that `{script}` returns needs `function M.{hook}(at) … end`"))
            }
            ScriptError::Runtime(fault) => Some(match &fault.again {
                Some(command) => format!("to try it alone: {command}"),
                None => "mend the script, then run the same command again".to_owned(),
            }),
            ScriptError::WrongReturn { hint, .. } => hint.clone(),
            ScriptError::UnknownPlanKey { nearest, .. } => nearest.map(|near| format!("did you mean `{near}`?")),
            ScriptError::Timeout { .. } => {
                Some("a hook runs once per tile and should only make a plan; do slow work in `setup`".to_owned())
            }
            ScriptError::Memory { .. } => Some(
                "a script holds names and numbers, no voxels; look for a table that grows with each call".to_owned(),
            ),
        }
    }

    /// Where the script failed, if it came so far.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            ScriptError::Syntax(fault)
            | ScriptError::Runtime(fault)
            | ScriptError::WrongReturn { fault, .. }
            | ScriptError::UnknownPlanKey { fault, .. }
            | ScriptError::Timeout { fault, .. }
            | ScriptError::Memory { fault, .. } => Some(fault),
            _ => None,
        }
    }
}

/// How to come to a script for this slot.
fn class_hint(slot: &str, nearest: Option<&str>) -> String {
    let (hook, answer) = match slot {
        "path_processor" => ("path", "(\"sections/s%04d.tif\"):format(at.z)"),
        "tile_processor" => ("tile", "{ region = at.region }"),
        _ => ("chunk", "{ region = at.region }"),
    };
    let near = nearest.map(|near| format!("did you mean `{near}`? otherwise ")).unwrap_or_default();
    format!(
        "{near}save this as `paths.lua` beside the job file and name that: \
         local M = {{}} function M.{hook}(at) return {answer} end return M"
    )
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "script `{}`", self.script)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some(hook) = self.hook {
            write!(f, ", in `{hook}`")?;
        }
        if let Some(at) = self.at {
            write!(f, " at {at}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl Fault {
    /// The failing line among its neighbours, marked, and the calls that led there; empty when the line is not known.
    ///
    /// ```text
    ///     2 | function M.path(at)
    ///   > 3 |   return at.q .. ".tif"
    ///     4 | end
    /// ```
    pub fn excerpt(&self) -> String {
        let mut lines = Vec::new();
        for (number, text) in &self.source_lines {
            let mark = if Some(*number) == self.line { '>' } else { ' ' };
            lines.push(format!("  {mark} {number:>3} | {text}"));
        }
        lines.extend(self.calls.iter().skip(1).map(|call| format!("  called from {call}")));
        lines.join("\n")
    }
}
