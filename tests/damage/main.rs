//! Damaged files: whatever their bytes, a reader gives voxels of the promised size and type or the right kind of error, within
//! seconds, and with no more than twice the memory of the sound file, or what its own header asks for where that is more.
//!
//! Every file of `tests/data`, made by foreign writers, is cut at 20 places, gets 200 single bits flipped and 40 runs of bytes
//! overwritten; of volumes of many files the headers and the largest objects. The seed is fixed.

mod bombs;
mod boss;
mod memory;
mod reading;
mod voxels;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use boss_ingest::source::SourceRef;
use reading::{SLACK_BYTES, declared_bytes, read, read_within};
use voxels::{is_right, readable};

#[global_allocator]
static MEMORY: memory::Counting = memory::Counting;

/// One test at a time: all of them share the count of memory.
static ALONE: Mutex<()> = Mutex::new(());

/// Files of a volume that say what it is; the others hold voxels.
const HEADERS: [&str; 7] = ["info", "zarr.json", ".zarray", ".zgroup", ".zattrs", ".zmetadata", "attributes.json"];

/// Objects that hold voxels and are damaged, of each volume.
const OBJECTS: usize = 2;

/// Damage after which more is asked for than its header tells: `rust-hdf5` makes room for as many messages of an object as a
/// 16-bit number says, for at most 3 MB, before it looks for them.
const BEYOND: [(&str, &str); 1] = [("bigdataviewer_ragged.h5", "bytes 10921..10925 overwritten, kind 2")];

/// Files of `tests/data/flat`, and those beside them that they need.
const BESIDE: [(&str, &str); 7] = [
    ("detached.nhdr", "detached.raw"),
    ("detached_gzip.nhdr", "detached_gzip.raw.gz"),
    ("meta.mhd", "meta.raw"),
    ("pair.hdr", "pair.img"),
    ("raw_big.raw", "raw_big.json"),
    ("raw_plain.raw", "raw_plain.raw.json"),
    ("raw_zyxt.raw", "raw_zyxt.raw.json"),
];

fn data(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(folder)
}

fn source(path: &Path) -> SourceRef {
    SourceRef::new(path.to_str().unwrap())
}

/// The files of a folder with one of these extensions, and files that others need: `(file, other)`.
#[track_caller]
fn files_are_survived(folder: &str, extensions: &[&str], beside: &[(&str, &str)]) {
    let is_one =
        |path: &PathBuf| path.extension().is_some_and(|extension| extensions.iter().any(|one| extension == *one));
    let scratch = tempfile::tempdir().unwrap();
    let copies = scratch.path().join(folder);
    copy_all(&data(folder), &copies);
    let files: Vec<PathBuf> = entries(&copies).into_iter().filter(is_one).collect();
    let beside = beside.iter().map(|(file, other)| (copies.join(file), copies.join(other)));
    let pairs = files.iter().map(|file| (file.clone(), file.clone())).chain(beside);
    report(folder, files.len(), pairs.flat_map(|(file, other)| damage(&file, &other)).collect());
}

/// The volumes of a folder, each a folder itself.
#[track_caller]
fn volumes_are_survived(folder: &str) {
    let volumes: Vec<PathBuf> = entries(&data(folder)).into_iter().filter(|path| path.is_dir()).collect();
    let mut failed = Vec::new();
    for volume in &volumes {
        let scratch = tempfile::tempdir().unwrap();
        let copy = scratch.path().join(volume.file_name().unwrap());
        copy_all(volume, &copy);
        for file in worth_damaging(&copy) {
            failed.extend(damage(&copy, &file));
        }
    }
    report(folder, volumes.len(), failed);
}

#[track_caller]
fn report(folder: &str, count: usize, failed: Vec<String>) {
    assert!(count > 0, "no files in tests/data/{folder}");
    let shown = failed.iter().take(20).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(failed.is_empty(), "{} failures in {count} files of {folder}:\n{shown}", failed.len());
}

/// Damages `file`, of the source at `path`, in every way, and says what goes wrong; it is sound again afterwards.
fn damage(path: &Path, file: &Path) -> Vec<String> {
    let name = file.strip_prefix(path.parent().unwrap()).unwrap().display().to_string();
    damage_of(source(path), file, &name)
}

fn damage_of(source: SourceRef, file: &Path, name: &str) -> Vec<String> {
    let _alone = ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let source = readable(source);
    let bytes = fs::read(file).unwrap();
    let sound_bytes = match read(&source) {
        Ok(read) => read.peak_bytes,
        Err(failure) => return vec![format!("{name}, sound, {failure}")],
    };
    let mut failed = Vec::new();
    for (how, bytes) in damaged(&bytes) {
        fs::write(file, &bytes).unwrap();
        let is_beyond = BEYOND.iter().any(|(file, damage)| name.ends_with(file) && how == *damage);
        let beyond_bytes = if is_beyond { 3_000_000 } else { 0 };
        let most = || SLACK_BYTES + beyond_bytes + (2 * sound_bytes).max(declared_bytes(&source) + bzip2_bytes(&bytes));
        let failure = match read_within(&source, 2 * sound_bytes) {
            Err(failure) => failure,
            Ok(read) if read.peak_bytes > 2 * sound_bytes && read.peak_bytes > most() => {
                format!("takes {} bytes of {}, the sound one {sound_bytes}", read.peak_bytes, most())
            }
            Ok(read) => match read.result {
                Err(error) if !is_right(&error) => format!("says {error:?}"),
                _ => continue,
            },
        };
        let is_hang = failure.starts_with("hangs");
        failed.push(format!("{name}, {how}, {failure}"));
        if is_hang {
            break;
        }
    }
    fs::write(file, bytes).unwrap();
    failed
}

/// What decoding bzip2 data takes: the level in its fourth byte says how large its blocks are, in 100,000 bytes, each of which
/// needs four, and 100,000 more (the manual of bzip2, "Memory management").
fn bzip2_bytes(bytes: &[u8]) -> usize {
    let levels = bytes.windows(4).filter_map(|start| start.strip_prefix(b"BZh")).map(|level| level[0]);
    levels.filter(u8::is_ascii_digit).map(|level| 100_000 + usize::from(level - b'0') * 400_000).max().unwrap_or(0)
}

/// The damaged forms of a file, and in words what was done to it.
fn damaged(sound: &[u8]) -> impl Iterator<Item = (String, Vec<u8>)> {
    let mut random = fastrand::Rng::with_seed(3);
    let length = sound.len();
    let cuts = (0..20).map(move |n| (format!("cut at {}", length * n / 20), sound[..length * n / 20].to_vec()));
    let flips = (0..if length == 0 { 0 } else { 240 }).map(move |n| {
        let (at, bit, mut bytes) = (random.usize(..length), random.u8(..8), sound.to_vec());
        if n < 200 {
            bytes[at] ^= 1 << bit;
            return (format!("bit {bit} of byte {at} flipped"), bytes);
        }
        let end = length.min(at + random.usize(2..17));
        // Runs of 0 and 255 are the extreme numbers.
        match n % 3 {
            0 => bytes[at..end].fill(0),
            1 => bytes[at..end].fill(255),
            _ => random.fill(&mut bytes[at..end]),
        }
        (format!("bytes {at}..{end} overwritten, kind {}", n % 3), bytes)
    });
    cuts.chain(flips)
}

fn worth_damaging(volume: &Path) -> Vec<PathBuf> {
    let is_header = |path: &PathBuf| HEADERS.iter().any(|name| path.ends_with(name));
    let (mut files, mut objects): (Vec<_>, Vec<_>) = all_files(volume).into_iter().partition(is_header);
    objects.sort_by_key(|path| std::cmp::Reverse(path.metadata().unwrap().len()));
    files.extend(objects.into_iter().take(OBJECTS));
    files
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

fn all_files(folder: &Path) -> Vec<PathBuf> {
    let entries = entries(folder).into_iter();
    entries.flat_map(|path| if path.is_dir() { all_files(&path) } else { vec![path] }).collect()
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in entries(from) {
        let target = to.join(entry.file_name().unwrap());
        if entry.is_dir() { copy_all(&entry, &target) } else { fs::copy(&entry, &target).map(drop).unwrap() }
    }
}

#[test]
fn damaged_png_and_jpeg_images_are_survived() {
    files_are_survived("images", &["png", "jpg"], &[]);
}

#[test]
fn damaged_tiff_files_are_survived() {
    files_are_survived("images", &["tif"], &[]);
}

#[test]
fn damaged_tiff_stacks_are_survived() {
    files_are_survived("tiff", &["tif"], &[]);
}

#[test]
fn damaged_hdf5_files_are_survived() {
    files_are_survived("hdf5", &["h5"], &[]);
}

#[test]
fn damaged_zarr_volumes_are_survived() {
    volumes_are_survived("zarr");
}

#[test]
fn damaged_n5_volumes_are_survived() {
    volumes_are_survived("n5");
}

#[test]
fn damaged_precomputed_volumes_are_survived() {
    volumes_are_survived("precomputed");
}

#[test]
fn damaged_flat_files_are_survived() {
    let extensions = ["bmp", "gz", "mha", "mhd", "mrc", "nhdr", "nii", "npy", "nrrd", "raw"];
    files_are_survived("flat", &extensions, &BESIDE);
}

/// What a Boss answers when it is asked for a channel and its voxels.
#[test]
fn damaged_answers_of_a_boss_are_survived() {
    let scratch = tempfile::tempdir().unwrap();
    copy_all(&data("bossdb/em"), scratch.path());
    boss::serve(scratch.path());
    let answers = entries(scratch.path());
    let damage = |file: &PathBuf| damage_of(SourceRef::new(boss::CHANNEL), file, &file.display().to_string());
    report("bossdb", answers.len(), answers.iter().flat_map(damage).collect());
}
