//! The objects of a volume of many files, below one URL.

use std::io;
use std::ops::Range;

use super::{RemoteObject, Trouble, WIDTH};
use crate::source::fetch::{Fetch, Object};
use crate::source::packing::Packing;

/// A volume below a URL.
///
/// The file that makes it a volume could be read. So where a server refuses another one, without a complaint about the
/// credentials, it is taken for absent: servers that do not let everyone list answer 403 for it.
pub(in crate::source) struct RemoteFolder(pub RemoteObject);

impl Fetch for RemoteFolder {
    fn get(&self, path: &str, range: Option<Range<u64>>, most_bytes: u64) -> io::Result<Option<Object>> {
        let object = self.0.child(path);
        if let Some(range) = &range
            && range.end.saturating_sub(range.start) > most_bytes
        {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        if range.as_ref().is_some_and(Range::is_empty) {
            return Ok(self.length(path)?.map(|_| Object { bytes: Vec::new(), packing: None }));
        }
        match object.get(range, most_bytes) {
            Ok(answer) => {
                let packing = answer.encoding.as_deref().and_then(Packing::from_name);
                Ok(Some(Object { bytes: answer.bytes.into(), packing }))
            }
            Err(trouble) if trouble.may_mean_absent() => Ok(None),
            Err(trouble) => Err(trouble.into()),
        }
    }

    fn length(&self, path: &str) -> io::Result<Option<u64>> {
        match self.0.child(path).stat() {
            Ok(stat) => Ok(stat.map(|stat| stat.bytes)),
            Err(trouble) if trouble.may_mean_absent() => Ok(None),
            Err(trouble) => Err(trouble.into()),
        }
    }

    fn folders(&self, path: &str) -> io::Result<Option<Vec<String>>> {
        let folder = if path.is_empty() { self.0.clone() } else { self.0.child(path) };
        match folder.folders() {
            Ok(names) => Ok(Some(names)),
            Err(Trouble::Absent) => Ok(Some(Vec::new())),
            Err(Trouble::NoList) => Ok(None),
            Err(trouble) if trouble.may_mean_absent() => Ok(None),
            Err(trouble) => Err(trouble.into()),
        }
    }

    fn width(&self) -> usize {
        WIDTH
    }
}
