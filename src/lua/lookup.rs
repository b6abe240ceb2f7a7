//! What scripts may ask of the user's data while they plan.

use std::sync::Arc;

use crate::source::{Number, SourceInfo, SourceRef, Sources};

/// Why a look-up failed; shown to the user as part of the script's error.
pub type LookupError = Box<dyn std::error::Error + Send + Sync>;

/// Answers scripts' look-ups. Paths are as in plans: plain paths, absolute or relative to the job's folder, or URLs.
///
/// Called from worker threads and may block; a script's time limit does not run meanwhile.
pub trait Lookup: Send + Sync {
    /// What a source is. One that does not exist is an error.
    fn info(&self, source: &SourceRef) -> Result<Arc<SourceInfo>, LookupError>;

    fn exists(&self, path: &str) -> Result<bool, LookupError>;

    /// The names (not paths) of what lies directly in the folder `dir`, in any order.
    fn list(&self, dir: &str) -> Result<Vec<String>, LookupError>;

    /// The text of a small file.
    fn text(&self, path: &str) -> Result<Arc<str>, LookupError>;

    /// The values of a small source, x fastest.
    fn scalars(&self, source: &SourceRef) -> Result<Vec<Number>, LookupError>;
}

impl Lookup for Sources {
    fn info(&self, source: &SourceRef) -> Result<Arc<SourceInfo>, LookupError> {
        Ok(self.source_info(source)?)
    }

    fn exists(&self, path: &str) -> Result<bool, LookupError> {
        Ok(Sources::exists(self, path)?)
    }

    fn list(&self, dir: &str) -> Result<Vec<String>, LookupError> {
        Ok(Sources::list(self, dir)?)
    }

    fn text(&self, path: &str) -> Result<Arc<str>, LookupError> {
        Ok(Sources::text(self, path)?)
    }

    fn scalars(&self, source: &SourceRef) -> Result<Vec<Number>, LookupError> {
        Ok(Sources::scalars(self, source)?)
    }
}

/// Stands in while scripts are only read: they may look at data from `setup` on.
pub(super) struct NotYet;

const NOT_YET: &str = "look at data in `setup` or in a hook, not while the script is loaded";

impl Lookup for NotYet {
    fn info(&self, _source: &SourceRef) -> Result<Arc<SourceInfo>, LookupError> {
        Err(NOT_YET.into())
    }

    fn exists(&self, _path: &str) -> Result<bool, LookupError> {
        Err(NOT_YET.into())
    }

    fn list(&self, _dir: &str) -> Result<Vec<String>, LookupError> {
        Err(NOT_YET.into())
    }

    fn text(&self, _path: &str) -> Result<Arc<str>, LookupError> {
        Err(NOT_YET.into())
    }

    fn scalars(&self, _source: &SourceRef) -> Result<Vec<Number>, LookupError> {
        Err(NOT_YET.into())
    }
}
