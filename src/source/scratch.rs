//! A directory for decoded images that memory has no room for.
//!
//! Each image is a file of its own, which the program maps into its address space: what is read of it lies in the system's
//! cache of files as long as there is room, and on the disk otherwise. All blocks of a file are allocated before it is mapped,
//! so a full disk is found where it can be answered, and never while voxels are written. A file loses its name as soon as it
//! is open: it goes with the process, however that ends. Where a system does not take the name of an open file away, the next
//! run does.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use fs4::FileExt;
use memmap2::{Mmap, MmapMut};

use super::blocks::Key;
use super::cache::{Cache, Room};

/// Without a size, a scratch directory takes one part in so many of what is free when it is first used.
pub const SHARE_OF_FREE: u64 = 4;

/// Mapped files; Linux allows a process 65530 mappings (`vm.max_map_count`).
const MAX_FILES: usize = 16384;

/// How the names of the files begin and end.
const NAME: (&str, &str) = ("boss-ingest-", ".voxels");

/// A directory for decoded images, made when it is first used.
///
/// What was not used for the longest goes when there is no room. Files that a reader still holds then stay until it is done.
pub struct Scratch {
    dir: PathBuf,
    most_bytes: Option<u64>,
    files: OnceLock<Cache<Key, Mapped>>,
    names: AtomicU64,
}

/// A file that is written.
pub(super) struct ScratchFile {
    file: File,
    map: MmapMut,
}

/// A file that nobody changes any more.
pub(super) struct Mapped(Mmap);

impl Scratch {
    /// At most `most_bytes` in this directory; a quarter of what is free there when that is not given.
    pub fn new(dir: PathBuf, most_bytes: Option<u64>) -> Self {
        Scratch { dir, most_bytes, files: OnceLock::new(), names: AtomicU64::new(0) }
    }

    /// What all files together may take; less than was asked for once the disk was full.
    pub(super) fn most_bytes(&self) -> u64 {
        self.files().max_weight()
    }

    /// What all files together take.
    pub(super) fn bytes(&self) -> u64 {
        self.files.get().map_or(0, Cache::weight)
    }

    /// The image of this key, if it is here.
    pub(super) fn find(&self, key: &Key) -> Option<Arc<Mapped>> {
        self.files.get()?.find(key)
    }

    /// A new file of zeros, and its room among the others; `None` where there is none. When the disk is full, older images go,
    /// and from then on no more are kept than fitted.
    pub(super) fn file(&self, bytes: u64) -> Option<(Room<'_, Key, Mapped>, ScratchFile)> {
        for _ in 0..2 {
            let room = self.files().room(bytes, 0)?;
            match self.create(bytes) {
                Ok(file) => return Some((room, file)),
                Err(error) => {
                    tracing::warn!(dir = %self.dir.display(), bytes, %error, "no room for scratch");
                    drop(room);
                    self.files().shrink();
                }
            }
        }
        None
    }

    fn files(&self) -> &Cache<Key, Mapped> {
        self.files.get_or_init(|| {
            let most_bytes = self.begin().unwrap_or_else(|error| {
                tracing::warn!(dir = %self.dir.display(), %error, "no scratch directory");
                0
            });
            Cache::new(most_bytes, MAX_FILES)
        })
    }

    /// Makes the directory and takes away what a crashed run left; gives the bytes that may be used.
    fn begin(&self) -> io::Result<u64> {
        if self.most_bytes == Some(0) {
            return Ok(0);
        }
        fs::create_dir_all(&self.dir)?;
        for entry in fs::read_dir(&self.dir)?.flatten() {
            let is_ours = |name: &str| name.starts_with(NAME.0) && name.ends_with(NAME.1);
            if entry.file_name().to_str().is_some_and(is_ours) {
                // What another run has open stays its own, with a name or without.
                let _ = fs::remove_file(entry.path());
            }
        }
        match self.most_bytes {
            Some(bytes) => Ok(bytes),
            None => Ok(fs4::available_space(&self.dir)? / SHARE_OF_FREE),
        }
    }

    fn create(&self, bytes: u64) -> io::Result<ScratchFile> {
        let number = self.names.fetch_add(1, Ordering::Relaxed);
        let path = self.dir.join(format!("{}{}-{number}-{:08x}{}", NAME.0, process::id(), fastrand::u32(..), NAME.1));
        let file = open_new(&path)?;
        // Some systems keep the name of an open file; the next run takes it away.
        let _ = fs::remove_file(&path);
        file.allocate(bytes)?;
        file.set_len(bytes)?;
        // SAFETY: the file was created by us, exclusively, and has no name any more or one that only we know: nobody else
        // writes to it or cuts it. All its blocks are allocated, so writing to the mapping needs no room.
        let map = unsafe { MmapMut::map_mut(&file)? };
        Ok(ScratchFile { file, map })
    }
}

impl ScratchFile {
    pub fn as_bytes_mut(&mut self) -> &mut [u8] {
        &mut self.map
    }

    /// Cuts the file to its first `bytes`; from now on it does not change.
    pub fn finish(self, bytes: u64) -> io::Result<Mapped> {
        let ScratchFile { file, map } = self;
        if bytes == map.len() as u64 {
            return map.make_read_only().map(Mapped);
        }
        drop(map);
        file.set_len(bytes)?;
        // SAFETY: as in `create`; nothing is mapped while the file is cut, and nobody can cut it later.
        unsafe { Mmap::map(&file) }.map(Mapped)
    }
}

impl Mapped {
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A file that was not there, and that only its owner may read.
fn open_new(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(part: u64) -> Key {
        Key { reader: 0, part, cell: [0; 5] }
    }

    fn keep(scratch: &Scratch, part: u64, bytes: u64) -> Option<Arc<Mapped>> {
        let (room, mut file) = scratch.file(bytes)?;
        file.as_bytes_mut().fill(part as u8);
        let mapped = Arc::new(file.finish(bytes).unwrap());
        room.keep(&key(part), &mapped, bytes);
        Some(mapped)
    }

    #[test]
    fn the_longest_unused_goes_first_and_the_bound_holds() {
        let folder = tempfile::tempdir().unwrap();
        let scratch = Scratch::new(folder.path().join("new/scratch"), Some(10_000));
        assert!(scratch.find(&key(1)).is_none());
        for part in 1..=3 {
            keep(&scratch, part, 4000).unwrap();
            assert!(scratch.bytes() <= 10_000);
        }
        assert!(scratch.find(&key(1)).is_none());
        assert_eq!(scratch.find(&key(3)).unwrap().as_bytes(), [3; 4000]);
        assert!(keep(&scratch, 4, 10_001).is_none());
        assert!(scratch.find(&key(2)).is_some(), "what never fits drives nothing out");
    }

    #[test]
    #[cfg(unix)]
    fn files_have_no_names_and_older_ones_are_taken_away() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("boss-ingest-1-2-3.voxels"), "left by a crash").unwrap();
        fs::write(folder.path().join("notes.txt"), "somebody's").unwrap();
        let scratch = Scratch::new(folder.path().to_owned(), Some(1 << 20));
        let held = keep(&scratch, 7, 5000).unwrap();
        let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["notes.txt"]);
        assert_eq!(held.as_bytes(), [7; 5000]);
    }

    #[test]
    fn a_file_can_be_cut_when_it_is_finished() {
        let folder = tempfile::tempdir().unwrap();
        let scratch = Scratch::new(folder.path().to_owned(), Some(1 << 20));
        let (room, mut file) = scratch.file(9000).unwrap();
        file.as_bytes_mut()[..3000].fill(9);
        room.keep(&key(1), &Arc::new(file.finish(3000).unwrap()), 3000);
        assert_eq!(scratch.bytes(), 3000);
        assert_eq!(scratch.find(&key(1)).unwrap().as_bytes(), [9; 3000]);
    }

    #[test]
    fn a_full_disk_is_no_room_and_a_folder_that_cannot_be_is_none_either() {
        let folder = tempfile::tempdir().unwrap();
        let scratch = Scratch::new(folder.path().to_owned(), Some(u64::MAX));
        keep(&scratch, 1, 5000).unwrap();
        assert!(scratch.file(1 << 60).is_none());
        assert_eq!(scratch.most_bytes(), 5000);
        assert_eq!(keep(&scratch, 2, 4000).unwrap().as_bytes(), [2; 4000]);
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        for (dir, most) in [(file, None), (folder.path().to_owned(), Some(0))] {
            assert!(Scratch::new(dir, most).file(1).is_none());
        }
    }
}
