//! A tile or chunk that could not be uploaded, and why.

use std::fmt;
use std::io::{self, Write};

use serde::Serialize;

use crate::volume::Index;

/// A tile or chunk that was left on the queue because its source or its script is at fault.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BadTask {
    /// `tile` or `chunk`.
    pub kind: &'static str,
    #[serde(flatten)]
    pub index: Index,
    /// The source that was read, when it came so far.
    pub file: Option<String>,
    pub reason: String,
    pub hint: Option<String>,
    pub tries: u32,
}

impl fmt::Display for BadTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} was not uploaded\n  cause: {}", self.kind, self.index, indent(&self.reason))?;
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {}", indent(hint)),
            None => Ok(()),
        }
    }
}

impl BadTask {
    /// `tile x 3, y 0, z 117 is bad: …`, as it is told when it is found.
    pub fn in_one_line(&self) -> String {
        let reason = self.reason.lines().next().unwrap_or_default();
        format!("{} {} is bad: {reason}", self.kind, self.index)
    }
}

fn indent(text: &str) -> String {
    text.trim_end().replace('\n', "\n    ")
}

/// Writes one JSON object a line: `kind, x, y, z, t, file, reason, hint, tries`.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_bad_tasks(out: &mut impl Write, tasks: &[BadTask]) -> io::Result<()> {
    for task in tasks {
        serde_json::to_writer(&mut *out, task)?;
        out.write_all(b"\n")?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bad() -> BadTask {
        BadTask {
            kind: "tile",
            index: Index::new(3, 0, 117, 0),
            file: Some("sections/s0117.tif".to_owned()),
            reason: "`sections/s0117.tif` is damaged\nit ends early".to_owned(),
            hint: Some("copy it again".to_owned()),
            tries: 3,
        }
    }

    #[test]
    fn a_bad_tile_says_what_failed_why_and_what_to_do() {
        let text = "tile x 3, y 0, z 117 was not uploaded\n  cause: `sections/s0117.tif` is damaged\n    it ends early\n  \
                    hint: copy it again";
        assert_eq!(bad().to_string(), text);
    }

    #[test]
    fn bad_tiles_are_json_lines() {
        let mut out = Vec::new();
        write_bad_tasks(&mut out, &[bad(), BadTask { file: None, hint: None, ..bad() }]).unwrap();
        let lines: Vec<serde_json::Value> =
            String::from_utf8(out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!((&lines[0]["x"], &lines[0]["z"], &lines[0]["tries"]), (&3.into(), &117.into(), &3.into()));
        assert!(lines[1]["file"].is_null());
    }
}
