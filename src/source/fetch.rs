//! Where the objects of a volume of many files come from.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::PathBuf;

use super::SourceError;
use super::packing::Packing;

/// Gives the objects of one volume by their path in its folder, such as `0/1/2`. Calls block; threads may share it.
pub(super) trait Fetch: Send + Sync {
    /// The object's bytes, or those of `range`, of which none may lie past its end; `None` where there is no such object.
    ///
    /// # Errors
    /// Trouble of the store. [`io::ErrorKind::UnexpectedEof`] for a range past the end, [`io::ErrorKind::FileTooLarge`] for
    /// more than `most_bytes`.
    fn get(&self, path: &str, range: Option<Range<u64>>, most_bytes: u64) -> io::Result<Option<Object>>;

    /// The object's length in bytes; `None` where there is no such object.
    ///
    /// # Errors
    /// Trouble of the store.
    fn length(&self, path: &str) -> io::Result<Option<u64>>;

    /// The names of the folders that lie directly in the folder `path`, the empty one being the volume's, in order; `None` where
    /// the store does not list. A folder that is not there has none.
    ///
    /// # Errors
    /// Trouble of the store.
    fn folders(&self, path: &str) -> io::Result<Option<Vec<String>>> {
        _ = path;
        Ok(None)
    }

    /// Requests that are worth having in flight at once: 1 for a disk, more where each waits for a network.
    fn width(&self) -> usize {
        1
    }

    /// Whether the objects are files on a disk. Their names may tell how they are packed, such as `0/1/2.gz`, and what may not
    /// be read is there. Stores tell the packing with each object, and may say "forbidden" (403) of what they do not have.
    fn is_disk(&self) -> bool {
        false
    }
}

/// What an object holds, and how it is packed, where its store says that.
#[derive(Debug)]
pub(super) struct Object {
    pub bytes: Vec<u8>,
    pub packing: Option<Packing>,
}

/// Why there are no voxels of a chunk.
pub(super) enum Lack {
    /// The volume does not have the chunk.
    Absent,
    Failed(SourceError),
}

impl From<SourceError> for Lack {
    fn from(error: SourceError) -> Self {
        Lack::Failed(error)
    }
}

/// A volume in a folder.
pub(super) struct Folder(pub PathBuf);

impl Fetch for Folder {
    fn get(&self, path: &str, range: Option<Range<u64>>, most_bytes: u64) -> io::Result<Option<Object>> {
        match present(File::open(self.0.join(path)))? {
            Some(file) => read(file, range, most_bytes).map(|bytes| Some(Object { bytes, packing: None })),
            None => Ok(None),
        }
    }

    fn length(&self, path: &str) -> io::Result<Option<u64>> {
        let metadata = present(self.0.join(path).metadata())?;
        Ok(metadata.filter(|metadata| metadata.is_file()).map(|metadata| metadata.len()))
    }

    fn is_disk(&self) -> bool {
        true
    }

    fn folders(&self, path: &str) -> io::Result<Option<Vec<String>>> {
        let Some(entries) = present(self.0.join(path).read_dir())? else { return Ok(Some(Vec::new())) };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry?;
            // Links to folders are folders.
            if entry.path().is_dir() {
                names.extend(entry.file_name().into_string());
            }
        }
        names.sort();
        Ok(Some(names))
    }
}

fn present<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

fn read(mut file: File, range: Option<Range<u64>>, most_bytes: u64) -> io::Result<Vec<u8>> {
    let length = file.metadata()?.len();
    let Range { start, end } = range.unwrap_or(0..length);
    if start > end || end > length {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file is too short"));
    }
    if end - start > most_bytes {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::with_capacity((end - start) as usize);
    file.take(end - start).read_to_end(&mut bytes)?;
    if (bytes.len() as u64) < end - start {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter"));
    }
    Ok(bytes)
}
