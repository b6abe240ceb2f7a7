//! Where a volume's objects come from.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::PathBuf;

/// Gives the objects of one volume by their path in its folder.
pub(super) trait Fetch: Send + Sync {
    /// The object's bytes, or those of `range`, of which none may lie past its end; `None` where there is no such object.
    ///
    /// # Errors
    /// Trouble of the store. [`io::ErrorKind::UnexpectedEof`] for a range past the end, [`io::ErrorKind::FileTooLarge`] for
    /// more than `most_bytes`, [`io::ErrorKind::Unsupported`] for a packing that is not read.
    fn get(&self, path: &str, range: Option<Range<u64>>, most_bytes: u64) -> io::Result<Option<Object>>;
}

/// What an object holds, and whether its store says that it is packed with gzip.
pub(super) struct Object {
    pub bytes: Vec<u8>,
    pub is_gzip: bool,
}

/// A volume in a folder. CloudVolume adds `.gz` to the name of what it packs.
pub(super) struct Folder(pub PathBuf);

/// Names of other packings, as CloudVolume writes them.
const OTHER_PACKINGS: [&str; 4] = [".br", ".zstd", ".xz", ".bz2"];

impl Fetch for Folder {
    fn get(&self, path: &str, range: Option<Range<u64>>, most_bytes: u64) -> io::Result<Option<Object>> {
        for (ending, is_gzip) in [(".gz", true), ("", false)] {
            if let Some(file) = present(File::open(self.0.join(format!("{path}{ending}"))))? {
                return read(file, range, most_bytes).map(|bytes| Some(Object { bytes, is_gzip }));
            }
        }
        for ending in OTHER_PACKINGS {
            if present(self.0.join(format!("{path}{ending}")).metadata())?.is_some() {
                let message = format!("`{path}{ending}` is not packed with gzip");
                return Err(io::Error::new(io::ErrorKind::Unsupported, message));
            }
        }
        Ok(None)
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
    let mut bytes = vec![0; (end - start) as usize];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}
