//! From the path in a plan to a file.

use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::SourceError;
use super::error::Unsupported;
use super::fetch::{Fetch, Folder};
use super::format::MARKERS;

const NO_VOLUME: &str = "it is a folder without an `info` or another file that makes it a volume";

/// The bytes of a file.
pub(super) trait Bytes: Read + Seek + Send {}

impl<T: Read + Seek + Send> Bytes for T {}

/// A file that is open for reading.
pub(super) type Stream = Box<dyn Bytes>;

/// A file that exists, or the folder of a volume.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Located {
    /// What the plan says, for messages.
    pub path: String,
    pub file: PathBuf,
    pub stamp: Stamp,
    /// The file that makes a folder a volume; `None` for a file.
    pub marker: Option<&'static str>,
}

/// What changes when a file is mended: readers of the old content are not used for the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Stamp {
    pub bytes: u64,
    modified: Option<SystemTime>,
}

impl Located {
    /// Finds the file of a path, absolute or relative to `base_dir`, or a `file://` URL; `precomputed://` may stand before
    /// either. A folder must be that of a volume, and has the stamp of the file that makes it one.
    pub fn find(base_dir: &Path, path: &str) -> Result<Self, SourceError> {
        let file = base_dir.join(local_path(path)?);
        let (stamp, marker) = Stamp::of(&file).map_err(|error| SourceError::io(path, error))?;
        Ok(Located { path: path.to_owned(), file, stamp, marker })
    }

    /// The name of the file, without its folder.
    pub fn file_name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Another file, by its path from this one's folder.
    pub fn beside(&self, name: &str) -> Result<Self, SourceError> {
        let folder = &self.path[..self.path.len() - self.file_name().len()];
        let path = if Path::new(name).is_absolute() { name.to_owned() } else { format!("{folder}{name}") };
        let file = self.file.with_file_name(name);
        let (stamp, marker) = Stamp::of(&file).map_err(|error| SourceError::io(&path, error))?;
        Ok(Located { path, file, stamp, marker })
    }

    /// The objects of the folder of a volume.
    pub fn folder(&self) -> Box<dyn Fetch> {
        Box::new(Folder(self.file.clone()))
    }

    /// Opens the file, which must be the one that was found.
    pub fn open(&self) -> Result<Stream, SourceError> {
        let error = |error| SourceError::io(&self.path, error);
        let file = File::open(&self.file).map_err(error)?;
        if Stamp::of_metadata(&file.metadata().map_err(error)?).map_err(error)? != self.stamp {
            return Err(error(io::Error::other("the file changes while it is read")));
        }
        Ok(Box::new(file))
    }

    /// The whole file.
    pub fn bytes(&self, limit_bytes: u64) -> Result<Vec<u8>, SourceError> {
        if self.stamp.bytes > limit_bytes {
            let (path, needed_bytes) = (self.path.clone(), self.stamp.bytes);
            return Err(SourceError::LimitsExceeded { path, needed_bytes, limit_bytes });
        }
        let mut bytes = Vec::with_capacity(self.stamp.bytes as usize);
        self.open()?
            .take(self.stamp.bytes)
            .read_to_end(&mut bytes)
            .map_err(|error| SourceError::io(&self.path, error))?;
        Ok(bytes)
    }
}

/// The names of what lies directly in a folder, in any order. Names that are not UTF-8 text cannot stand in a plan and are left
/// out.
pub(super) fn list(base_dir: &Path, dir: &str) -> Result<Vec<String>, SourceError> {
    let error = |error| SourceError::io(dir, error);
    let entries = fs::read_dir(base_dir.join(local_path(dir)?)).map_err(error)?;
    let names = entries.map(|entry| entry.map(|entry| entry.file_name().into_string().ok()));
    names.filter_map(Result::transpose).collect::<io::Result<_>>().map_err(error)
}

impl Stamp {
    /// The stamp of a file, or of a folder's marker, with its name.
    fn of(file: &Path) -> io::Result<(Self, Option<&'static str>)> {
        let metadata = fs::metadata(file)?;
        if !metadata.is_dir() {
            return Ok((Stamp::of_metadata(&metadata)?, None));
        }
        for (marker, _) in MARKERS {
            match fs::metadata(file.join(marker)) {
                Ok(metadata) => return Ok((Stamp::of_metadata(&metadata)?, Some(marker))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::new(io::ErrorKind::IsADirectory, NO_VOLUME))
    }

    fn of_metadata(metadata: &fs::Metadata) -> io::Result<Self> {
        if metadata.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
        }
        Ok(Stamp { bytes: metadata.len(), modified: metadata.modified().ok() })
    }
}

/// The path of the file that a plan's path means.
fn local_path(path: &str) -> Result<PathBuf, SourceError> {
    let Some((scheme, rest)) = path.split_once("://") else {
        return Ok(PathBuf::from(path));
    };
    let is_scheme =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    match (scheme.to_ascii_lowercase().as_str(), rest.strip_prefix("localhost").unwrap_or(rest)) {
        ("precomputed", _) => local_path(&path["precomputed://".len()..]),
        ("file", rest) if rest.starts_with('/') => Ok(PathBuf::from(percent_decoded(rest))),
        (scheme, _) if is_scheme(scheme) => {
            let what = Unsupported::Scheme(format!("{scheme}://"));
            Err(SourceError::NotSupported { path: path.to_owned(), what })
        }
        _ => Ok(PathBuf::from(path)),
    }
}

/// The text with `%20` and the like turned into what they stand for.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = match rest {
            [b'%', code @ ..] => code.get(..2).and_then(|code| std::str::from_utf8(code).ok()),
            _ => None,
        };
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_paths_and_file_urls_are_files() {
        let cases = [
            ("sections/s 1.png", "sections/s 1.png"),
            ("/data/%20.png", "/data/%20.png"),
            ("file:///data/a%20b%2Fc.png", "/data/a b/c.png"),
            ("FILE://localhost/data/100%.png", "/data/100%.png"),
            ("odd name://x", "odd name://x"),
            ("precomputed:///data/em", "/data/em"),
            ("precomputed://em/v%201", "em/v%201"),
            ("precomputed://file:///data/v%201", "/data/v 1"),
        ];
        for (path, expected) in cases {
            assert_eq!(local_path(path).unwrap(), PathBuf::from(expected), "{path}");
        }
    }

    #[test]
    fn other_schemes_are_refused_by_name() {
        for (path, scheme) in [("https://a.org/b.png", "https://"), ("s3://b/k", "s3://"), ("file://host/a", "file://")]
        {
            let error = local_path(path).unwrap_err();
            assert_eq!(error.to_string(), format!("`{path}` is a URL, and `{scheme}` is not read yet"));
            assert_eq!(error.hint().unwrap(), "plain paths and `file://` work");
        }
    }

    #[test]
    fn the_names_in_a_folder_are_listed() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("sections")).unwrap();
        for name in ["s2.png", "s1.png"] {
            File::create(folder.path().join("sections").join(name)).unwrap();
        }
        let mut names = list(folder.path(), "sections").unwrap();
        names.sort();
        assert_eq!(names, ["s1.png", "s2.png"]);
        assert!(matches!(list(folder.path(), "none"), Err(SourceError::NotFound { .. })));
    }

    #[test]
    fn a_folder_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let error = Located::find(folder.path(), ".").unwrap_err();
        assert!(matches!(error, SourceError::Unreachable { .. }));
        assert!(matches!(Located::find(folder.path(), "a.png"), Err(SourceError::NotFound { .. })));
    }
}
