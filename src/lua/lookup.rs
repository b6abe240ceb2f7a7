//! What scripts may ask of the user's data while they plan.

use crate::source::Sources;
use crate::volume::Dtype;

/// Why a look-up failed; shown to the user as part of the script's error.
pub type LookupError = Box<dyn std::error::Error + Send + Sync>;

/// What a source is, without its voxels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceInfo {
    /// The format's name, such as `tiff`.
    pub format: String,
    /// The stored axes, slowest first, letters `x y z t c`.
    pub axes: String,
    /// The length of each axis, in the order of `axes`.
    pub shape: Vec<u64>,
    pub dtype: Dtype,
    /// Pages of a file with several, else 1.
    pub pages: u64,
}

/// Answers scripts' look-ups. Paths are as in plans: plain paths, absolute or relative to the job's folder, or URLs.
///
/// Called from worker threads and may block; a script's time limit does not run meanwhile.
pub trait Lookup: Send + Sync {
    /// What the source at `path` is. A source that does not exist is an error.
    fn info(&self, path: &str) -> Result<SourceInfo, LookupError>;

    fn exists(&self, path: &str) -> Result<bool, LookupError>;

    /// The names (not paths) of what lies directly in the folder `dir`, in any order.
    fn list(&self, dir: &str) -> Result<Vec<String>, LookupError>;
}

impl Lookup for Sources {
    fn info(&self, path: &str) -> Result<SourceInfo, LookupError> {
        let info = Sources::info(self, path)?;
        let length = |axis| match axis {
            'x' => info.size.x,
            'y' => info.size.y,
            'z' => info.size.z,
            _ => 1,
        };
        let shape = info.axes.chars().map(length).collect();
        let (format, axes) = (info.format.to_owned(), info.axes.clone());
        Ok(SourceInfo { format, axes, shape, dtype: info.dtype, pages: info.pages })
    }

    fn exists(&self, path: &str) -> Result<bool, LookupError> {
        Ok(Sources::exists(self, path)?)
    }

    fn list(&self, dir: &str) -> Result<Vec<String>, LookupError> {
        Ok(Sources::list(self, dir)?)
    }
}

/// Stands in while scripts are only read: they may look at data from `setup` on.
pub(super) struct NotYet;

const NOT_YET: &str = "look at data in `setup` or in a hook, not while the script is loaded";

impl Lookup for NotYet {
    fn info(&self, _path: &str) -> Result<SourceInfo, LookupError> {
        Err(NOT_YET.into())
    }

    fn exists(&self, _path: &str) -> Result<bool, LookupError> {
        Err(NOT_YET.into())
    }

    fn list(&self, _dir: &str) -> Result<Vec<String>, LookupError> {
        Err(NOT_YET.into())
    }
}
