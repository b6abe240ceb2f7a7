//! The objects of a volume, under the names that CloudVolume and stores give them.

use std::io;
use std::ops::Range;

use super::{FORMAT, Flaw};
use crate::codec::CodecError;
use crate::source::SourceError;
use crate::source::error::Unsupported;
use crate::source::fetch::{Fetch, Object};
use crate::source::packing::Packing;

/// The endings of packings that are not read.
const OTHER_PACKINGS: [&str; 2] = [".xz", ".bz2"];

/// The objects of a volume.
pub(super) struct Objects {
    /// The volume's path, for messages.
    pub path: String,
    fetch: Box<dyn Fetch>,
}

impl Objects {
    pub fn new(path: String, fetch: Box<dyn Fetch>) -> Self {
        Objects { path, fetch }
    }

    /// Requests that are worth having in flight at once.
    pub fn width(&self) -> usize {
        self.fetch.width()
    }

    /// Whether they are files on a disk, whose names tell how they are packed.
    pub fn is_disk(&self) -> bool {
        self.fetch.is_disk()
    }

    /// An object, or a part of it; `None` where there is none.
    ///
    /// # Errors
    /// [`SourceError::Damaged`] for one that is larger than `most_bytes`, or ends before the part does, `NotSupported` for a
    /// packing that is not read, and trouble of the store.
    pub fn get(&self, name: &str, range: Option<Range<u64>>, most_bytes: u64) -> Result<Option<Object>, SourceError> {
        let find = |name: &str| self.fetch.get(name, range.clone(), most_bytes);
        match self.named(name, find) {
            Ok((found, packing)) => Ok(found.map(|found| Object { packing: packing.or(found.packing), ..found })),
            Err(error) => Err(self.failed(name, error)),
        }
    }

    /// As [`get`](Objects::get), of what a volume may lack.
    pub fn part(&self, name: &str, range: Option<Range<u64>>, most_bytes: u64) -> Result<Option<Object>, SourceError> {
        self.may_lack(self.get(name, range, most_bytes))
    }

    /// The length in bytes of what a volume may lack, and how it is packed, where its name tells.
    ///
    /// # Errors
    /// As [`get`](Objects::get).
    pub fn length(&self, name: &str) -> Result<Option<(u64, Option<Packing>)>, SourceError> {
        let found = self.named(name, |name| self.fetch.length(name)).map_err(|error| self.failed(name, error));
        self.may_lack(found.map(|(length, packing)| length.map(|length| (length, packing))))
    }

    /// The first object of those that one name may mean, as `find` finds it. On disks CloudVolume adds to the name how an object
    /// is packed; of several the packed one counts.
    fn named<T>(
        &self,
        name: &str,
        find: impl Fn(&str) -> io::Result<Option<T>>,
    ) -> io::Result<(Option<T>, Option<Packing>)> {
        if !self.fetch.is_disk() {
            return Ok((find(name)?, None));
        }
        for (ending, packing) in Packing::ENDINGS {
            if let Some(found) = find(&format!("{name}{ending}"))? {
                return Ok((Some(found), Some(packing)));
            }
        }
        if let Some(found) = find(name)? {
            return Ok((Some(found), None));
        }
        for ending in OTHER_PACKINGS {
            if self.fetch.length(&format!("{name}{ending}"))?.is_some() {
                let message = format!("`{name}{ending}` is packed as `{ending}`");
                return Err(io::Error::new(io::ErrorKind::Unsupported, message));
            }
        }
        Ok((None, None))
    }

    /// Stores that do not let everybody list their objects refuse what they do not have (403). The volume's `info` was read,
    /// so this is no lack of rights.
    fn may_lack<T>(&self, found: Result<Option<T>, SourceError>) -> Result<Option<T>, SourceError> {
        match found {
            Err(SourceError::Unreachable { source, .. })
                if source.kind() == io::ErrorKind::PermissionDenied && !self.fetch.is_disk() =>
            {
                Ok(None)
            }
            found => found,
        }
    }

    fn failed(&self, name: &str, error: io::Error) -> SourceError {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => self.damaged(name, error.into()),
            io::ErrorKind::FileTooLarge => self.damaged(name, "it is larger than it can be".into()),
            io::ErrorKind::Unsupported => self.unsupported(format!("a chunk that is not read: {error}")),
            _ => SourceError::io(&self.path, error),
        }
    }

    /// An object that breaks the rules.
    pub fn damaged(&self, name: &str, flaw: Flaw) -> SourceError {
        let source = CodecError::Damaged { format: FORMAT, source: format!("`{name}`: {flaw}").into() };
        SourceError::Damaged { path: self.path.clone(), source }
    }

    pub fn unsupported(&self, what: String) -> SourceError {
        SourceError::NotSupported { path: self.path.clone(), what: Unsupported::Precomputed(what) }
    }
}
