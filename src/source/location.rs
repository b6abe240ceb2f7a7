//! From the path in a plan to a file, or to an object behind a URL.

use std::fs::{self, File};
use std::io::{self, Cursor, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::error::Unsupported;
use super::fetch::{Fetch, Folder};
use super::format::MARKERS;
use super::parallel::each;
use super::remote::{
    Address, ChannelUrl, LocalCopy, RemoteChannel, RemoteFolder, RemoteObject, RemoteStream, Remotes, Stat, Trouble,
    WIDTH, shown,
};
use super::{SourceError, format};

const NO_VOLUME: &str = "it is a folder, and none of the files in it makes it a volume";

/// The bytes of a file.
pub(super) trait Bytes: Read + Seek + Send {}

impl<T: Read + Seek + Send> Bytes for T {}

/// A file that is open for reading.
pub(super) type Stream = Box<dyn Bytes>;

/// A file that exists, or the folder of a volume.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Located {
    /// What the plan says, for messages: a URL without its secrets.
    pub path: String,
    place: Place,
    pub stamp: Stamp,
    /// The file that makes a folder a volume; `None` for a file.
    pub marker: Option<&'static str>,
    /// The channel of a Boss, of which the file is the description.
    pub channel: Option<RemoteChannel>,
}

/// Where a file or folder is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Place {
    Disk(PathBuf),
    /// An object, or a folder of such, and what was found there: the object, or its marker.
    Remote(RemoteObject, Stat),
}

/// What changes when a file is mended: readers of the old content are not used for the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Stamp {
    pub bytes: u64,
    pub modified: Option<SystemTime>,
}

/// A file that libraries can open by its name, as long as this is there.
#[derive(Debug)]
pub(super) enum LocalFile {
    Own(PathBuf),
    Copy(Arc<LocalCopy>),
}

impl LocalFile {
    pub fn path(&self) -> &Path {
        match self {
            LocalFile::Own(file) => file,
            LocalFile::Copy(copy) => copy.path(),
        }
    }
}

impl Located {
    /// Finds the file of a path, absolute or relative to `base_dir`, or a URL; a volume's scheme, such as
    /// `precomputed://`, may stand before either. A folder must be that of a volume, and has the stamp of the file that makes
    /// it one.
    pub fn find(base_dir: &Path, path: &str, remotes: &Arc<Remotes>) -> Result<Self, SourceError> {
        let file = match meant(path)? {
            Meant::Disk(file) => base_dir.join(file),
            Meant::Remote(address) => return Located::find_remote(path, address, remotes),
            Meant::Channel(url) => return Located::find_channel(path, url, remotes),
        };
        let (stamp, marker) = Stamp::of(&file).map_err(|error| SourceError::io(path, error))?;
        Ok(Located { path: path.to_owned(), place: Place::Disk(file), stamp, marker, channel: None })
    }

    /// The name of the file, without its folder.
    pub fn file_name(&self) -> &str {
        match &self.place {
            Place::Disk(_) => self.path.rsplit('/').next().unwrap_or(&self.path),
            Place::Remote(object, _) => object.name(),
        }
    }

    /// Another file, by its path from this one's folder.
    pub fn beside(&self, name: &str) -> Result<Self, SourceError> {
        let stem = self.path.split_once('?').filter(|_| is_remote(&self.path)).map_or(&*self.path, |(stem, _)| stem);
        let folder = stem.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
        let path = if Path::new(name).is_absolute() { name.to_owned() } else { format!("{folder}{name}") };
        let (place, stamp, marker) = match &self.place {
            Place::Disk(file) => {
                let file = file.with_file_name(name);
                let (stamp, marker) = Stamp::of(&file).map_err(|error| SourceError::io(&path, error))?;
                (Place::Disk(file), stamp, marker)
            }
            Place::Remote(object, _) => {
                let object = object.sibling(name);
                let (_, stat) = look(&object, [None]).map_err(|trouble| SourceError::io(&path, trouble.into()))?;
                let stamp = Stamp { bytes: stat.bytes, modified: stat.modified };
                (Place::Remote(object, stat), stamp, None)
            }
        };
        Ok(Located { path, place, stamp, marker, channel: None })
    }

    /// Pieces of the file that are worth reading at once.
    pub fn width(&self) -> usize {
        match self.place {
            Place::Disk(_) => 1,
            Place::Remote(..) => WIDTH,
        }
    }

    /// The objects of the folder of a volume.
    pub fn folder(&self) -> Box<dyn Fetch> {
        match &self.place {
            Place::Disk(folder) => Box::new(Folder(folder.clone())),
            Place::Remote(folder, _) => Box::new(RemoteFolder(folder.clone())),
        }
    }

    /// Opens the file, which must be the one that was found.
    pub fn open(&self) -> Result<Stream, SourceError> {
        match &self.place {
            Place::Disk(file) => Ok(Box::new(self.open_disk(file)?)),
            Place::Remote(object, stat) => Ok(Box::new(RemoteStream::new(object.clone(), stat.clone()))),
        }
    }

    /// The same where all of the file will be read: an object comes in one request.
    pub fn open_whole(&self, limit_bytes: u64) -> Result<Stream, SourceError> {
        match &self.place {
            Place::Disk(_) => self.open(),
            Place::Remote(..) => Ok(Box::new(Cursor::new(self.bytes(limit_bytes)?))),
        }
    }

    /// The whole file.
    pub fn bytes(&self, limit_bytes: u64) -> Result<Vec<u8>, SourceError> {
        if self.stamp.bytes > limit_bytes {
            let (path, needed_bytes) = (self.path.clone(), self.stamp.bytes);
            return Err(SourceError::LimitsExceeded { path, needed_bytes, limit_bytes });
        }
        let file = match &self.place {
            Place::Disk(file) => self.open_disk(file)?,
            Place::Remote(object, stat) => {
                return object.content(stat).map(Vec::from).map_err(|trouble| self.trouble(trouble));
            }
        };
        let mut bytes = Vec::with_capacity(self.stamp.bytes as usize);
        file.take(self.stamp.bytes).read_to_end(&mut bytes).map_err(|error| SourceError::io(&self.path, error))?;
        Ok(bytes)
    }

    /// The file under a name on this machine: an object is copied to the disk, once.
    pub fn local_file(&self) -> Result<LocalFile, SourceError> {
        match &self.place {
            Place::Disk(file) => Ok(LocalFile::Own(file.clone())),
            Place::Remote(object, stat) => {
                let copy = object.local_copy(stat).map_err(|error| SourceError::io(&self.path, error))?;
                Ok(LocalFile::Copy(copy))
            }
        }
    }

    fn open_disk(&self, file: &Path) -> Result<File, SourceError> {
        let error = |error| SourceError::io(&self.path, error);
        let file = File::open(file).map_err(error)?;
        if Stamp::of_metadata(&file.metadata().map_err(error)?).map_err(error)? != self.stamp {
            return Err(error(io::Error::other("the file changes while it is read")));
        }
        Ok(file)
    }

    /// Whether a URL names a file or a folder is not told by any server. A name with an ending is taken for a file's: such a
    /// file is asked for alone, and the markers of a volume only where it is not there. For all other names both are asked for
    /// at once, and a marker counts first: many web servers answer the name of a folder with a page.
    fn find_remote(path: &str, address: Address, remotes: &Arc<Remotes>) -> Result<Self, SourceError> {
        let path = shown(path);
        let error = |trouble: Trouble| SourceError::io(&path, trouble.into());
        let (may_be_file, looks_like_volume) = (address.may_be_file(), address.looks_like_volume());
        let object = remotes.object(address).map_err(error)?;
        let located = |(marker, stat): (Option<&'static str>, Stat)| {
            let stamp = Stamp { bytes: stat.bytes, modified: stat.modified };
            let place = Place::Remote(object.clone(), stat);
            Located { path: path.to_string(), place, stamp, marker, channel: None }
        };
        let markers = MARKERS.iter().map(|(marker, _)| Some(*marker));
        if looks_like_volume {
            let names = markers.chain(may_be_file.then_some(None));
            return look(&object, names).map(located).map_err(error);
        }
        match look(&object, [None]) {
            Err(Trouble::Absent) => look(&object, markers).map(located).map_err(error),
            found => found.map(located).map_err(error),
        }
    }

    fn find_channel(path: &str, url: ChannelUrl, remotes: &Arc<Remotes>) -> Result<Self, SourceError> {
        let found = remotes.channel(url).map_err(|trouble| SourceError::io(path, trouble.into()));
        let (channel, stat) = found?;
        let stamp = Stamp { bytes: stat.bytes, modified: stat.modified };
        let place = Place::Remote(channel.description.clone(), stat);
        Ok(Located { path: path.to_owned(), place, stamp, marker: None, channel: Some(channel) })
    }

    fn trouble(&self, trouble: Trouble) -> SourceError {
        SourceError::io(&self.path, trouble.into())
    }
}

/// Looks for an object (`None`) and files in the folder of its name, all at once. The first that is there counts.
fn look(
    object: &RemoteObject,
    names: impl IntoIterator<Item = Option<&'static str>>,
) -> Result<(Option<&'static str>, Stat), Trouble> {
    let looked = each(names, WIDTH, |name| {
        let stat = name.map_or_else(|| object.stat(), |name| object.child(name).stat());
        Ok::<_, Trouble>((name, stat))
    })?;
    let mut first_trouble = None;
    for (name, stat) in looked {
        match stat {
            Ok(Some(stat)) => return Ok((name, stat)),
            Ok(None) => {}
            Err(trouble) => first_trouble = first_trouble.or(Some(trouble)),
        }
    }
    Err(first_trouble.unwrap_or(Trouble::Absent))
}

/// The names of what lies directly in a folder, in any order. Names that are not UTF-8 text cannot stand in a plan and are left
/// out.
pub(super) fn list(base_dir: &Path, dir: &str, remotes: &Arc<Remotes>) -> Result<Vec<String>, SourceError> {
    let error = |error| SourceError::io(&shown(dir), error);
    let folder = match meant(dir)? {
        Meant::Disk(folder) => base_dir.join(folder),
        Meant::Remote(address) => {
            let listed = remotes.object(address).and_then(|folder| folder.list());
            return listed.map_err(|trouble| error(trouble.into()));
        }
        Meant::Channel(_) => return Err(error(Trouble::NoList.into())),
    };
    let entries = fs::read_dir(folder).map_err(error)?;
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

/// Whether a plan's path is a URL of an object, or a channel of a Boss.
pub(super) fn is_remote(path: &str) -> bool {
    matches!(meant(path), Ok(Meant::Remote(_) | Meant::Channel(_)))
}

/// What a plan's path means.
#[derive(Debug, PartialEq)]
enum Meant {
    Disk(PathBuf),
    Remote(Address),
    Channel(ChannelUrl),
}

fn meant(path: &str) -> Result<Meant, SourceError> {
    if let Some(path) = format::volume_path(path) {
        return meant(path);
    }
    if let Some(url) = ChannelUrl::parse(path) {
        return url.map(Meant::Channel).map_err(|trouble| SourceError::io(path, trouble.into()));
    }
    let Some((scheme, rest)) = path.split_once("://") else {
        return Ok(Meant::Disk(PathBuf::from(path)));
    };
    let is_scheme =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    match (scheme.to_ascii_lowercase().as_str(), rest.strip_prefix("localhost").unwrap_or(rest)) {
        ("file", rest) if rest.starts_with('/') => Ok(Meant::Disk(PathBuf::from(percent_decoded(rest)))),
        (scheme, _) if is_scheme(scheme) => match Address::parse(path) {
            Some(address) => {
                address.map(Meant::Remote).map_err(|trouble| SourceError::io(&shown(path), trouble.into()))
            }
            None => {
                let what = Unsupported::Scheme(format!("{scheme}://"));
                Err(SourceError::NotSupported { path: shown(path).into_owned(), what })
            }
        },
        _ => Ok(Meant::Disk(PathBuf::from(path))),
    }
}

/// The text with `%20` and the like turned into what they stand for.
pub(super) fn percent_decoded(text: &str) -> String {
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
    use super::super::RemoteSettings;
    use super::*;

    fn remotes() -> Arc<Remotes> {
        Remotes::new(RemoteSettings::default(), 0)
    }

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
            ("zarr://em/v", "em/v"),
            ("Zarr3://file:///data/v", "/data/v"),
        ];
        for (path, expected) in cases {
            assert_eq!(meant(path).unwrap(), Meant::Disk(PathBuf::from(expected)), "{path}");
        }
    }

    #[test]
    fn other_schemes_are_refused_by_name() {
        for (path, scheme) in [("ftp://a.org/b.png", "ftp://"), ("file://host/a", "file://")] {
            let error = meant(path).unwrap_err();
            assert_eq!(error.to_string(), format!("`{path}` is a URL, and `{scheme}` is none that is read"));
            assert!(error.hint().unwrap().starts_with("plain paths, `file://`, `https://`"));
        }
    }

    #[test]
    fn the_names_in_a_folder_are_listed() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("sections")).unwrap();
        for name in ["s2.png", "s1.png"] {
            File::create(folder.path().join("sections").join(name)).unwrap();
        }
        let mut names = list(folder.path(), "sections", &remotes()).unwrap();
        names.sort();
        assert_eq!(names, ["s1.png", "s2.png"]);
        assert!(matches!(list(folder.path(), "none", &remotes()), Err(SourceError::NotFound { .. })));
    }

    #[test]
    fn a_folder_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let error = Located::find(folder.path(), ".", &remotes()).unwrap_err();
        assert!(matches!(error, SourceError::Unreachable { .. }));
        assert!(matches!(Located::find(folder.path(), "a.png", &remotes()), Err(SourceError::NotFound { .. })));
        // No file can have such names.
        for name in ["a".repeat(300), "a\0.png".to_owned()] {
            let found = Located::find(folder.path(), &name, &remotes());
            assert!(matches!(found, Err(SourceError::NotFound { .. })));
        }
    }
}
