//! The texts of all scripts of a job, each read once, and known by the name that Lua's messages use.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use md5::{Digest, Md5};

use crate::volume::Index;

/// The largest script that is read.
const LARGEST_SCRIPT_BYTES: u64 = 4 << 20;

/// The longest name of a module, in bytes.
const LONGEST_MODULE_NAME: usize = 1000;

/// Lua's messages cut names of scripts at 59 bytes (`LUA_IDSIZE`).
const LONGEST_NAME: usize = 59;

/// The files that a job's scripts were read from, or looked for at, as they were then. Clones share one list.
#[derive(Clone, Debug, Default)]
pub struct ScriptFiles(Arc<Mutex<BTreeMap<PathBuf, Stamp>>>);

/// When a file was changed last, and its length; `None` for one that is not there.
type Stamp = Option<(SystemTime, u64)>;

impl ScriptFiles {
    /// Notes a file as it is now, which is to be read only afterwards.
    pub fn note(&self, path: &Path) {
        self.lock().insert(path.to_owned(), stamp(path));
    }

    /// A file that is no longer as it was when it was noted. Each change is told once.
    pub fn changed(&self) -> Option<PathBuf> {
        let mut files = self.lock();
        let (path, noted) = files.iter_mut().find(|(path, noted)| stamp(path) != **noted)?;
        *noted = stamp(path);
        Some(path.clone())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Stamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn stamp(path: &Path) -> Stamp {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// The texts of all scripts of a job, shared by its workers, so that all of them run the same.
pub(super) struct Library {
    job: PathBuf,
    dir: PathBuf,
    texts: Mutex<BTreeMap<String, Arc<str>>>,
    files: ScriptFiles,
}

impl Library {
    /// For the scripts of the job file `job`, which lie in `dir`.
    pub fn new(job: &Path, dir: &Path) -> Self {
        Library { job: job.to_owned(), dir: dir.to_owned(), texts: Mutex::default(), files: ScriptFiles::default() }
    }

    /// The same, with a list in which every file is noted that scripts are looked for in.
    pub fn noting(self, files: ScriptFiles) -> Self {
        Library { files, ..self }
    }

    /// Notes a file, relative to the job's folder.
    pub fn note(&self, file: &str) -> PathBuf {
        let path = self.dir.join(file);
        self.files.note(&path);
        path
    }

    /// The command that plans one task of the job alone.
    pub fn try_command(&self, at: Index) -> String {
        let t = if at.t == 0 { String::new() } else { format!(",t={}", at.t) };
        format!("boss-ingest try {} --at x={},y={},z={}{t}", self.job.display(), at.x, at.y, at.z)
    }

    /// Takes in a text; gives the name by which Lua's messages, and this library, know it.
    pub fn add(&self, name: &str, text: Arc<str>) -> String {
        let name = short_name(name);
        self.texts().insert(name.clone(), text);
        name
    }

    pub fn has(&self, name: &str) -> bool {
        self.texts().contains_key(name)
    }

    pub fn text(&self, name: &str) -> Option<Arc<str>> {
        self.texts().get(name).cloned()
    }

    /// The module that `require` asks for: `name.lua` beside the job file, where dots are folders. Links are
    /// followed, also to other folders: it is the user who made them.
    ///
    /// # Errors
    /// A message for the script's author, when the name is no module's name or there is no such file.
    pub fn module(&self, name: &str) -> Result<(String, Arc<str>), String> {
        let is_word = |part: &str| {
            !part.is_empty() && part.chars().all(|letter| letter.is_alphanumeric() || letter == '_' || letter == '-')
        };
        if name.len() > LONGEST_MODULE_NAME {
            return Err(format!("a module's name has at most {LONGEST_MODULE_NAME} bytes, not {}", name.len()));
        }
        if !name.split('.').all(is_word) {
            return Err(format!("`{name}` is no name of a module; modules lie beside the job file, as in `lib.names`"));
        }
        let file = format!("{}.lua", name.replace('.', "/"));
        let known = short_name(&file);
        if let Some(text) = self.text(&known) {
            return Ok((known, text));
        }
        let path = self.note(&file);
        let text =
            read_script(&path).map_err(|error| format!("the module `{name}` cannot be read: {error} (`{file}`)"))?;
        Ok((self.add(&file, text.clone()), text))
    }

    /// A digest over the names and texts of all scripts read so far, in hex.
    pub fn hash(&self) -> String {
        let mut hash = Md5::new();
        for (name, text) in self.texts().iter() {
            for part in [name.as_bytes(), text.as_bytes()] {
                hash.update((part.len() as u64).to_le_bytes());
                hash.update(part);
            }
        }
        format!("{:x}", hash.finalize())
    }

    /// The line and its neighbours, with their numbers, counted from 1.
    pub fn lines_around(&self, name: &str, line: usize) -> Vec<(usize, String)> {
        let Some(text) = self.text(name) else { return Vec::new() };
        let first = line.saturating_sub(1).max(1);
        text.lines()
            .enumerate()
            .skip(first - 1)
            .take(line + 2 - first)
            .map(|(nth, text)| (nth + 1, text.to_owned()))
            .collect()
    }

    /// The first line from `first` on, counted from 1, that sets a field of this name or calls a
    /// method of it, as in `{ name = 7 }` and `plan:name(7)`.
    pub fn line_with_key(&self, name: &str, key: &str, first: usize) -> Option<usize> {
        let text = self.text(name)?;
        let sets_it = |line: &str| {
            line.match_indices(key).any(|(at, _)| {
                let is_word =
                    |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
                let rest = line[at + key.len()..].trim_start();
                !is_word(line[..at].chars().next_back())
                    && (rest.starts_with(['(', '{']) || (rest.starts_with('=') && !rest.starts_with("==")))
            })
        };
        text.lines().zip(1..).skip(first.saturating_sub(1)).find(|(line, _)| sets_it(line)).map(|(_, number)| number)
    }

    fn texts(&self) -> MutexGuard<'_, BTreeMap<String, Arc<str>>> {
        self.texts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a script; one that is no text or far too large is an error.
pub(super) fn read_script(path: &Path) -> io::Result<Arc<str>> {
    // A pipe or a device would be read without end.
    if !path.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST_SCRIPT_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST_SCRIPT_BYTES {
        return Err(io::Error::other("it is larger than 4 MiB, which no script is"));
    }
    let text = String::from_utf8(bytes).map_err(|_| io::Error::other("it is no UTF-8 text"))?;
    Ok(text.into())
}

/// The name's end, as long as Lua shows it.
fn short_name(name: &str) -> String {
    let mut start = name.len().saturating_sub(LONGEST_NAME);
    while !name.is_char_boundary(start) {
        start += 1;
    }
    name[start..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_found_beside_the_job_only() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("lib")).unwrap();
        std::fs::write(dir.path().join("lib/names.lua"), "return 7").unwrap();
        let library = Library::new(Path::new("job.json"), dir.path());
        assert_eq!(library.module("lib.names").unwrap().0, "lib/names.lua");
        for name in ["", "..lib.names", "/etc/passwd", "lib/names", "lib..names", "C:names"] {
            assert!(library.module(name).unwrap_err().contains("no name of a module"), "{name}");
        }
        assert!(library.module("other").unwrap_err().contains("`other.lua`"));
    }

    #[test]
    fn a_changed_file_is_told_once() {
        let dir = tempfile::tempdir().unwrap();
        let (files, path) = (ScriptFiles::default(), dir.path().join("names.lua"));
        files.note(&path);
        assert_eq!(files.changed(), None);
        std::fs::write(&path, "return 7").unwrap();
        assert_eq!(files.changed(), Some(path.clone()));
        assert_eq!(files.changed(), None);
        std::fs::write(&path, "return 77").unwrap();
        assert_eq!(files.changed(), Some(path));
    }

    #[test]
    fn the_hash_changes_with_names_and_texts_but_not_with_their_order() {
        let hash = |scripts: &[(&str, &str)]| {
            let library = Library::new(Path::new("job.json"), Path::new("."));
            scripts.iter().for_each(|(name, text)| _ = library.add(name, (*text).into()));
            library.hash()
        };
        assert_eq!(hash(&[("a", "1"), ("b", "2")]), hash(&[("b", "2"), ("a", "1")]));
        assert_ne!(hash(&[("a", "12")]), hash(&[("a1", "2")]));
        assert_eq!(hash(&[]), "d41d8cd98f00b204e9800998ecf8427e");
    }
}
