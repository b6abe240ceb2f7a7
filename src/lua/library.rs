//! The texts of all scripts of a job, each read once, and known by the name that Lua's messages use.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use md5::{Digest, Md5};

/// The largest script that is read.
const LARGEST_SCRIPT_BYTES: u64 = 4 << 20;

/// Lua's messages cut names of scripts at 59 bytes (`LUA_IDSIZE`).
const LONGEST_NAME: usize = 59;

/// The texts of all scripts of a job, shared by its workers, so that all of them run the same.
pub(super) struct Library {
    dir: PathBuf,
    texts: Mutex<BTreeMap<String, Arc<str>>>,
}

impl Library {
    /// For the scripts of a job whose file lies in `dir`.
    pub fn new(dir: &Path) -> Self {
        Library { dir: dir.to_owned(), texts: Mutex::default() }
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

    /// The module that `require` asks for: `name.lua` beside the job file, where dots are folders.
    ///
    /// # Errors
    /// A message for the script's author, when the name is no module's name or there is no such file.
    pub fn module(&self, name: &str) -> Result<(String, Arc<str>), String> {
        let is_word = |part: &str| {
            !part.is_empty() && part.chars().all(|letter| letter.is_alphanumeric() || letter == '_' || letter == '-')
        };
        if !name.split('.').all(is_word) {
            return Err(format!("`{name}` is no name of a module; modules lie beside the job file, as in `lib.names`"));
        }
        let file = format!("{}.lua", name.replace('.', "/"));
        let known = short_name(&file);
        if let Some(text) = self.text(&known) {
            return Ok((known, text));
        }
        let path = self.dir.join(&file);
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

    fn texts(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Arc<str>>> {
        self.texts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a script; one that is no text or far too large is an error.
pub(super) fn read_script(path: &Path) -> io::Result<Arc<str>> {
    let mut text = String::new();
    File::open(path)?.take(LARGEST_SCRIPT_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LARGEST_SCRIPT_BYTES {
        return Err(io::Error::other("it is larger than 4 MiB, which no script is"));
    }
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
        let library = Library::new(dir.path());
        assert_eq!(library.module("lib.names").unwrap().0, "lib/names.lua");
        for name in ["", "..lib.names", "/etc/passwd", "lib/names", "lib..names", "C:names"] {
            assert!(library.module(name).unwrap_err().contains("no name of a module"), "{name}");
        }
        assert!(library.module("other").unwrap_err().contains("`other.lua`"));
    }

    #[test]
    fn the_hash_changes_with_names_and_texts_but_not_with_their_order() {
        let hash = |scripts: &[(&str, &str)]| {
            let library = Library::new(Path::new("."));
            scripts.iter().for_each(|(name, text)| _ = library.add(name, (*text).into()));
            library.hash()
        };
        assert_eq!(hash(&[("a", "1"), ("b", "2")]), hash(&[("b", "2"), ("a", "1")]));
        assert_ne!(hash(&[("a", "12")]), hash(&[("a1", "2")]));
        assert_eq!(hash(&[]), "d41d8cd98f00b204e9800998ecf8427e");
    }
}
