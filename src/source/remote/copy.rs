//! Copies of objects on disk, for libraries that open files by name.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tempfile::TempDir;

use super::{Address, RemoteObject, Stat, WIDTH};
use crate::source::cache::Cache;
use crate::source::parallel::each;

/// The most that copies take on the disk together, in bytes, besides those in use.
const MOST_BYTES: u64 = 64 << 30;

/// What is asked for at once, and how many such are in memory.
const PIECE_BYTES: u64 = 8 << 20;
const PIECES: usize = 4;

/// The copies of a job, in a folder that goes with it.
pub(super) struct Copies {
    folder: Mutex<Option<Arc<TempDir>>>,
    kept: Cache<(Address, Stat), LocalCopy>,
    made: AtomicU64,
}

impl Default for Copies {
    fn default() -> Self {
        Copies { folder: Mutex::default(), kept: Cache::new(MOST_BYTES, usize::MAX), made: AtomicU64::new(0) }
    }
}

/// A file that is removed when nobody uses it any more.
#[derive(Debug)]
pub(in crate::source) struct LocalCopy {
    file: PathBuf,
    _folder: Arc<TempDir>,
}

impl LocalCopy {
    pub fn path(&self) -> &Path {
        &self.file
    }
}

impl Drop for LocalCopy {
    fn drop(&mut self) {
        // The folder goes as well, at the latest with the job.
        let _ = fs::remove_file(&self.file);
    }
}

impl RemoteObject {
    /// A copy of the object that was found, which is fetched once.
    pub fn local_copy(&self, stat: &Stat) -> io::Result<Arc<LocalCopy>> {
        let copies = &self.remotes.copies;
        copies.kept.get(&(self.address.clone(), stat.clone()), || {
            let folder = copies.folder()?;
            let file = folder.path().join(copies.made.fetch_add(1, Ordering::Relaxed).to_string());
            let copy = LocalCopy { file, _folder: folder };
            self.download(stat, File::create_new(&copy.file)?)?;
            Ok((Arc::new(copy), stat.bytes))
        })
    }

    fn download(&self, stat: &Stat, mut file: File) -> io::Result<()> {
        if !self.has_parts() {
            return file.write_all(&self.content(stat)?);
        }
        let starts: Vec<u64> = (0..stat.bytes).step_by(PIECE_BYTES as usize).collect();
        for starts in starts.chunks(PIECES.min(WIDTH)) {
            let pieces = each(starts, PIECES, |start| self.part(stat, *start..stat.bytes.min(start + PIECE_BYTES)))?;
            for piece in pieces {
                file.write_all(&piece)?;
            }
        }
        Ok(())
    }
}

impl Copies {
    fn folder(&self) -> io::Result<Arc<TempDir>> {
        let mut folder = self.folder.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(folder) = &*folder {
            return Ok(Arc::clone(folder));
        }
        Ok(Arc::clone(folder.insert(Arc::new(tempfile::Builder::new().prefix("boss-ingest-").tempdir()?))))
    }
}
