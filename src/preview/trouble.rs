//! What is odd about a section or a tile, and why.

use serde::Serialize;

use crate::lua::ScriptError;
use crate::source::SourceError;

/// What is odd, in the words of the picture and of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The file is not there, or the script says that there is none.
    Missing,
    /// The script or the file is at fault.
    Unreadable,
    /// Every voxel has the same value.
    Empty,
    /// Much brighter, darker, flatter or richer in contrast than its neighbours.
    Unlike,
    /// Fits better in the other's place.
    Swapped,
    /// The same picture as its neighbours, moved.
    Shifted,
    /// The same picture as its neighbours, mirrored or turned upside down.
    Mirrored,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Missing => "missing",
            Kind::Unreadable => "unreadable",
            Kind::Empty => "empty",
            Kind::Unlike => "unlike",
            Kind::Swapped => "swapped",
            Kind::Shifted => "shifted",
            Kind::Mirrored => "mirrored",
        }
    }
}

/// Why something was flagged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Trouble {
    #[serde(rename = "flag")]
    pub kind: Kind,
    pub reason: String,
    pub hint: Option<String>,
}

impl Trouble {
    pub fn new(kind: Kind, reason: impl Into<String>) -> Self {
        Trouble { kind, reason: reason.into(), hint: None }
    }

    pub fn of_script(error: &ScriptError) -> Self {
        Trouble { kind: Kind::Unreadable, reason: chain(error), hint: error.hint() }
    }

    pub fn of_source(error: &SourceError) -> Self {
        let kind = if matches!(error, SourceError::NotFound { .. }) { Kind::Missing } else { Kind::Unreadable };
        Trouble { kind, reason: chain(error), hint: error.hint() }
    }
}

/// An error and the cause at its bottom, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut root = error;
    while let Some(next) = root.source() {
        root = next;
    }
    let (text, cause) = (error.to_string(), root.to_string());
    let text = if text.ends_with(&cause) { text } else { format!("{text}: {cause}") };
    text.lines().map(str::trim).collect::<Vec<_>>().join("; ")
}
