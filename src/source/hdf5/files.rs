//! One HDF5 file, opened as often as threads read it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use rust_hdf5::format::FormatError;
use rust_hdf5::{H5File, Hdf5Error};

use super::super::error::Unsupported;
use super::super::location::{LocalFile, Located, Stream};
use super::super::{SourceError, hdf5::Hdf5Reader};
use super::superblock;
use crate::codec::CodecError;

/// The most open files that wait for the next read. A file decodes for one thread at a time, so there is one for each core; of
/// more threads that read at once the files are then closed.
const MOST_FILES: usize = 16;

/// What an open file takes: `rust-hdf5` keeps 1 MiB of decoded chunks.
const FILE_BYTES: u64 = 1 << 20;

/// The most that a chunk may be long, as HDF5 says: its length is a 32-bit number
/// (<https://support.hdfgroup.org/documentation/hdf5/latest/hdf5_chunking.html>).
const LARGEST_CHUNK: u64 = u32::MAX as u64;

/// Why a file did not give what it was asked for.
pub(super) enum Trouble {
    /// An array is, or holds, what we do not read.
    Unsupported(String),
    Damaged(String),
    Hdf5(Hdf5Error),
}

impl From<Hdf5Error> for Trouble {
    fn from(error: Hdf5Error) -> Self {
        Trouble::Hdf5(error)
    }
}

/// Gives each thread a file of its own.
pub(super) struct Files {
    located: Located,
    /// The library opens files by name.
    file: LocalFile,
    limit_bytes: u64,
    idle: Mutex<Vec<H5File>>,
}

impl Files {
    pub fn new(located: &Located, limit_bytes: u64) -> Result<Self, SourceError> {
        let file = located.local_file()?;
        Ok(Files { located: located.clone(), file, limit_bytes, idle: Mutex::default() })
    }

    pub fn located(&self) -> &Located {
        &self.located
    }

    /// What all open files take: for each what it keeps, and its index of chunks, some 64 bytes for each MiB of them.
    pub fn held_bytes(located: &Located) -> u64 {
        most_files() as u64 * (FILE_BYTES + (located.stamp.bytes >> 14))
    }

    /// Runs `read` with a file of its own. `dataset` is for messages.
    ///
    /// # Errors
    /// [`SourceError::Damaged`], `NotSupported` and `Unreachable`.
    pub fn run<T>(&self, dataset: &str, read: impl FnOnce(&H5File) -> Result<T, Trouble>) -> Result<T, SourceError> {
        let file = &self.file;
        let waiting = self.idle().pop();
        if waiting.is_none() {
            // Tells whether it is still the file that was found, and whether it can be read at all.
            self.check_length(&mut self.located.open()?)?;
        }
        // `rust-hdf5` walks structures that a damaged file makes up. It checks what it finds, but not all of it by us: a panic
        // on the way is damage as well. The file that it happened in is thrown away.
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let file = match waiting {
                Some(file) => file,
                None => H5File::options().no_locking().open(file.path())?,
            };
            let value = read(&file)?;
            Ok((file, value))
        }));
        let (file, value) = match outcome {
            Ok(outcome) => outcome.map_err(|error| self.error(dataset, error))?,
            Err(_) => return Err(self.damaged("its structures contradict each other")),
        };
        let mut idle = self.idle();
        if idle.len() < most_files() {
            idle.push(file);
        }
        Ok(value)
    }

    /// A stopped copy is shorter than its superblock says; its groups may be whole, and its last chunks missing.
    fn check_length(&self, file: &mut Stream) -> Result<(), SourceError> {
        let bytes = superblock::end_of_file(file, self.located.stamp.bytes);
        match bytes.map_err(|error| SourceError::io(&self.located.path, error))? {
            Some(bytes) if bytes > self.located.stamp.bytes => {
                Err(self.damaged(format!("the file ends at {} of {bytes} bytes", self.located.stamp.bytes)))
            }
            _ => Ok(()),
        }
    }

    /// A chunk is decoded as a whole.
    pub fn check_limit(&self, needed_bytes: u64) -> Result<(), SourceError> {
        let limit_bytes = self.limit_bytes.min(LARGEST_CHUNK);
        if needed_bytes <= limit_bytes {
            return Ok(());
        }
        Err(SourceError::LimitsExceeded { path: self.located.path.clone(), needed_bytes, limit_bytes })
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<H5File>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn error(&self, dataset: &str, trouble: Trouble) -> SourceError {
        let error = match trouble {
            Trouble::Hdf5(error) => error,
            Trouble::Unsupported(what) => return self.not_supported(dataset, what),
            Trouble::Damaged(cause) => return self.damaged(cause),
        };
        match error {
            Hdf5Error::DanglingLink { target, .. } => {
                self.not_supported(dataset, format!("a link to `{target}`, which is not there,"))
            }
            Hdf5Error::ExternalFileNotFound { file, .. } => {
                self.not_supported(dataset, format!("a link to the file `{file}`, which is not there,"))
            }
            Hdf5Error::Unsupported(_) | Hdf5Error::Format(FormatError::UnsupportedFeature(_)) => {
                self.not_supported(dataset, format!("something else ({error})"))
            }
            // Its layer of input and output has no public type.
            Hdf5Error::IoLayer(_) if error.to_string().contains("unsupported feature") => {
                self.not_supported(dataset, format!("something else ({error})"))
            }
            error => self.damaged(error),
        }
    }

    fn not_supported(&self, dataset: &str, what: String) -> SourceError {
        let what = Unsupported::Array { dataset: dataset.to_owned(), what };
        SourceError::NotSupported { path: self.located.path.clone(), what }
    }

    fn damaged(&self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> SourceError {
        let source = CodecError::Damaged { format: Hdf5Reader::FORMAT, source: cause.into() };
        SourceError::Damaged { path: self.located.path.clone(), source }
    }
}

fn most_files() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(MOST_FILES)
}
