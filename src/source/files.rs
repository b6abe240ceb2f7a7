//! The files behind a plan, as they are now: whoever compares them later knows whether a source has changed.

use std::collections::BTreeSet;
use std::time::SystemTime;

use super::location::is_remote;
use super::{Plan, Sources};

/// A file of this machine, or the folder of a volume, with the length and the time of change of the file that makes it one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SourceFile {
    /// As the plan names it.
    pub path: String,
    pub bytes: u64,
    pub modified: Option<SystemTime>,
}

impl Sources {
    /// The files of this machine that a plan reads. Those that are not there are left out, and what lies behind a URL: to ask
    /// a server for each task would cost as much as reading.
    pub fn files(&self, plan: &Plan) -> Vec<SourceFile> {
        let paths: BTreeSet<&str> = plan.sources().iter().map(|source| source.path.as_str()).collect();
        let local = paths.into_iter().filter(|path| !is_remote(path));
        let file = |path: &str| {
            let stamp = self.locate(path).ok()?.stamp;
            Some(SourceFile { path: path.to_owned(), bytes: stamp.bytes, modified: stamp.modified })
        };
        local.filter_map(file).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{ReadPlan, Step};

    #[test]
    fn files_are_named_once_with_their_length_and_absent_ones_are_not() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.raw"), [0; 7]).unwrap();
        let sources = Sources::new(folder.path().to_owned(), 1 << 20);
        let paste = |path: &str| Step::Paste { plan: Box::new(ReadPlan::new(path)), at: [0, 0, 0] };
        let plan = ["a.raw", "b.raw", "zeros://uint8", "https://localhost/c.raw"];
        let plan = plan.iter().fold(ReadPlan::new("a.raw"), |plan, path| plan.with(paste(path)));
        let files = sources.files(&Plan::Read(plan));
        assert_eq!(files.len(), 1, "{files:?}");
        assert_eq!((files[0].path.as_str(), files[0].bytes, files[0].modified.is_some()), ("a.raw", 7, true));
    }
}
