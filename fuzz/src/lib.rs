//! Fuzz targets, one for each reader: whatever a file holds, reading it ends soon, with the voxels that its header promises
//! or the right kind of error. `fuzz/README.md` says how they are run.

#[path = "../../tests/damage/boss.rs"]
mod boss;
#[path = "../../tests/damage/voxels.rs"]
mod voxels;

use std::fs;
use std::panic::PanicHookInfo;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Once};

use boss_ingest::source::SourceRef;
use voxels::{is_right, readable, voxels};

/// Where this process writes what is read: in memory, where the system has a place for that.
static SCRATCH: LazyLock<PathBuf> = LazyLock::new(|| {
    let shared = Path::new("/dev/shm");
    let temporary = if shared.is_dir() { shared.to_owned() } else { std::env::temp_dir() };
    temporary.join(format!("boss-ingest-fuzz-{}", std::process::id()))
});

/// Reads the bytes as a file of this format.
pub fn file(format: &str, bytes: &[u8]) {
    fs::create_dir_all(&*SCRATCH).expect("scratch can be made");
    let file = SCRATCH.join("file");
    fs::write(&file, bytes).expect("scratch can be written");
    check(format, &file);
}

/// Reads the bytes as a volume of this format, packed by `fuzz/seeds.py`.
pub fn folder(format: &str, bytes: &[u8]) {
    unpack(bytes);
    check(format, &SCRATCH.join("folder"));
}

/// Reads the first of the packed files, beside which the others lie.
pub fn files(format: &str, bytes: &[u8]) {
    if let Some(first) = unpack(bytes) {
        check(format, &first);
    }
}

/// Reads a channel of a Boss that answers with the packed files.
pub fn boss(bytes: &[u8]) {
    unpack(bytes);
    boss::serve(&SCRATCH.join("folder"));
    check_source(SourceRef::new(boss::CHANNEL));
}

/// Writes the packed files into an empty folder, and gives the first.
fn unpack(bytes: &[u8]) -> Option<PathBuf> {
    let _ = fs::remove_dir_all(&*SCRATCH);
    let folder = SCRATCH.join("folder");
    fs::create_dir_all(&folder).expect("scratch can be made");
    let mut first = None;
    for (name, content) in unpacked(bytes) {
        let file = folder.join(name);
        // A name that is a folder already is left out.
        let _ =
            fs::create_dir_all(file.parent().expect("it lies in the folder")).and_then(|()| fs::write(&file, content));
        first.get_or_insert(file);
    }
    first
}

fn check(format: &str, path: &Path) {
    let path = path.to_str().expect("scratch is text");
    check_source(SourceRef { format: Some(format.to_owned()), ..SourceRef::new(path) });
}

fn check_source(source: SourceRef) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| std::panic::set_hook(Box::new(panicked)));
    let finding = match voxels(&readable(source)) {
        Ok(Err(error)) if !is_right(&error) => format!("{error:?}"),
        Ok(_) => return,
        Err(failure) => failure,
    };
    eprintln!("{finding}");
    std::process::abort();
}

/// Panics of a library that our reader catches are no findings, and libFuzzer's own hook would end the process at once. Those
/// that nobody catches end it still, when they come to libFuzzer.
fn panicked(panic: &PanicHookInfo) {
    let is_ours = panic.location().is_some_and(|at| !at.file().contains("/registry/"));
    eprintln!("{panic}");
    if is_ours {
        std::process::abort();
    }
}

/// The files of a packed folder: the length of the name in one byte, the name, the length of the content in two bytes,
/// little-endian, the content. What lies behind the end is empty. `fuzz/seeds.py` packs.
fn unpacked(mut bytes: &[u8]) -> Vec<(String, &[u8])> {
    let mut files = Vec::new();
    while let [length, rest @ ..] = bytes {
        let (name, rest) = rest.split_at(rest.len().min(usize::from(*length)));
        let (length, rest) = rest.split_at(rest.len().min(2));
        let length = length.iter().rev().fold(0, |length, byte| length << 8 | usize::from(*byte));
        let (content, rest) = rest.split_at(rest.len().min(length));
        bytes = rest;
        if let Ok(name) = std::str::from_utf8(name)
            && is_inside(name)
        {
            files.push((name.to_owned(), content));
        }
    }
    files
}

/// Whether a name is one of the folder, and no place elsewhere.
fn is_inside(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte);
    name.bytes().all(is_plain) && name.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
}
