//! What is asked of a store, how often, and what its answers mean.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::Precomputed;
use super::tests::{copied, folder};
use crate::source::conformance::{foreign_voxel, voxels_are_right};
use crate::source::fetch::{Fetch, Folder, Object};
use crate::source::packing::Packing;
use crate::source::{MissingRule, Plan, ReadPlan, RegionReader, Selection, Shared, SourceError, Sources, Step, Target};
use crate::volume::{Dtype, Region, Size, Span};

/// A store that keeps a list of what was asked of it, and forbids to read what it does not have.
struct Store {
    folder: Folder,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Store {
    fn note(&self, path: &str, range: &Option<Range<u64>>) {
        let range = range.as_ref().map(|range| format!(" {}..{}", range.start, range.end));
        self.asked.lock().unwrap().push(format!("{path}{}", range.unwrap_or_default()));
    }
}

impl Fetch for Store {
    fn get(&self, path: &str, range: Option<Range<u64>>, most_bytes: u64) -> io::Result<Option<Object>> {
        self.note(path, &range);
        for (ending, packing) in [("", None), (".gz", Some(Packing::Gzip))] {
            if let Some(object) = self.folder.get(&format!("{path}{ending}"), range.clone(), most_bytes)? {
                return Ok(Some(Object { packing, ..object }));
            }
        }
        Err(io::ErrorKind::PermissionDenied.into())
    }

    fn length(&self, path: &str) -> io::Result<Option<u64>> {
        self.note(path, &None);
        match self.folder.length(path)?.or(self.folder.length(&format!("{path}.gz"))?) {
            Some(length) => Ok(Some(length)),
            None => Err(io::ErrorKind::PermissionDenied.into()),
        }
    }

    fn width(&self) -> usize {
        4
    }
}

fn stored(volume: PathBuf) -> (Result<Precomputed, SourceError>, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let store = Store { folder: Folder(volume), asked: Arc::clone(&asked) };
    let shared = Arc::new(Shared::new(1 << 20, 1 << 20));
    (Precomputed::of("s3://b/v", Box::new(store), &shared), asked)
}

fn selection(missing: MissingRule) -> Selection {
    Selection { missing, ..Selection::default() }
}

#[test]
fn plain_names_are_asked_for_and_nothing_twice() {
    let (volume, asked) = stored(folder("raw_uint16"));
    let volume = volume.unwrap();
    voxels_are_right(&volume, &Selection::default(), foreign_voxel);
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 13);
    assert_eq!(asked.iter().collect::<BTreeSet<_>>().len(), 13);
    assert!(asked.iter().all(|path| !path.ends_with(".gz")), "{asked:?}");
}

/// Twelve chunks in four shards: one request for each first index, one for each minishard's, and those that lie together in
/// one.
#[test]
fn the_chunks_of_a_shard_are_read_in_few_requests() {
    for name in ["sharded_murmur", "sharded_identity"] {
        let (volume, asked) = stored(folder(name));
        let volume = volume.unwrap();
        let whole = volume.info(&Selection::default()).unwrap().region();
        volume.read(&Selection::default(), &whole).unwrap();
        let in_shards = |asked: &[String]| asked.iter().filter(|path| path.contains(".shard")).count();
        let shards = fs::read_dir(folder(name).join("4_4_40")).unwrap().count();
        let asked_of: Vec<String> = std::mem::take(&mut *asked.lock().unwrap());
        let first = asked_of.iter().filter(|path| path.ends_with("shard 0..64")).count();
        let data: Vec<&String> = asked_of.iter().filter(|path| !path.ends_with("0..64")).collect();
        assert!(first <= 4 && data.len() > shards, "{asked_of:?}");
        assert!(in_shards(&asked_of) <= 4 + 6 + shards, "{asked_of:?}");
        voxels_are_right(&volume, &Selection::default(), foreign_voxel);
        assert_eq!(in_shards(&asked.lock().unwrap()), 0);
    }
}

#[test]
fn what_a_store_forbids_is_not_there() {
    let copy = copied("raw_uint16");
    fs::remove_dir_all(copy.path().join("4_4_40")).unwrap();
    let volume = stored(copy.path().to_owned()).0.unwrap();
    let whole = volume.info(&Selection::default()).unwrap().region();
    assert!(volume.read(&selection(MissingRule::Fill), &whole).unwrap().is_zero());
    assert!(matches!(volume.read(&Selection::default(), &whole), Err(SourceError::NoChunk { .. })));
    assert!(matches!(volume.check_parts(&Selection::default(), &whole), Err(SourceError::NoChunk { .. })));
    volume.check_parts(&selection(MissingRule::Fill), &whole).unwrap();
    // Without `info` it is the volume that is forbidden.
    let nothing = stored(copy.path().join("none")).0;
    assert!(matches!(nothing, Err(SourceError::Unreachable { .. })));
}

/// What `check` says of a volume on a disk, without its path.
fn checked(volume: &Path) -> Result<(), String> {
    let shared = Arc::new(Shared::new(1 << 20, 1 << 20));
    let volume = Precomputed::of("v", Box::new(Folder(volume.to_owned())), &shared).unwrap();
    let whole = volume.info(&Selection::default()).unwrap().region();
    volume.check_parts(&Selection::default(), &whole).map_err(|error| {
        let cause = std::error::Error::source(&error).and_then(std::error::Error::source).map(ToString::to_string);
        cause.unwrap_or(error.to_string())
    })
}

#[test]
fn missing_and_cut_chunks_are_found_without_decoding() {
    let all = ["raw_uint16", "plain_mips", "brotli", "zstd", "png8", "jpeg", "labels_uint64", "sharded_murmur"];
    for name in all {
        assert_eq!(checked(&folder(name)), Ok(()), "{name}");
    }
    let cut = |name: &str, file: &str, to: u64| {
        let copy = copied(name);
        fs::OpenOptions::new().write(true).open(copy.path().join(file)).unwrap().set_len(to).unwrap();
        checked(copy.path()).unwrap_err()
    };
    let chunk = "4_4_40/26-42_20-36_4-10";
    assert_eq!(cut("plain_mips", chunk, 3000), format!("`{chunk}`: it has 3000 bytes instead of 3072"));
    assert_eq!(cut("png8", chunk, 0), format!("`{chunk}`: it has 0 bytes"));
    assert_eq!(cut("raw_uint16", &format!("{chunk}.gz"), 900), format!("`{chunk}`: it ends before its voxels do"));
    let shard = fs::read_dir(folder("sharded_murmur").join("4_4_40")).unwrap().next().unwrap().unwrap();
    let name = format!("4_4_40/{}", shard.file_name().to_str().unwrap());
    let length = shard.metadata().unwrap().len();
    assert!(cut("sharded_murmur", &name, length - 1).starts_with(&format!("`{name}`: ")));
    let copy = copied("plain_mips");
    fs::remove_file(copy.path().join(chunk)).unwrap();
    assert_eq!(checked(copy.path()), Err(format!("`v` has no chunk `{chunk}`")));
}

#[test]
fn a_plan_tells_which_chunks_are_looked_for() {
    let copy = copied("plain_mips");
    fs::remove_file(copy.path().join("4_4_40/26-42_20-36_4-10")).unwrap();
    let sources = Sources::new(copy.path().to_owned(), 1 << 20);
    let lost = Region::new(Span::new(26, 42), Span::new(20, 36), Span::new(4, 10));
    for (region, is_lost) in [(lost.shift(-16, 0, 0), false), (lost.shift(0, 0, 6), false), (lost.shift(1, 1, 0), true)]
    {
        let plan = Plan::Read(ReadPlan::new("").with(Step::Crop(region)));
        let nothing = Region::of_size(Size::new(0, 0, 0));
        let target = Target { size: region.size(), dtype: Dtype::Uint16, required: nothing };
        let survey = sources.survey(&plan, &target).unwrap();
        let found = survey.reads.iter().try_for_each(|read| sources.check_parts(read));
        assert_eq!(matches!(found, Err(SourceError::NoChunk { .. })), is_lost, "{region}");
    }
}

#[test]
fn a_store_is_asked_for_each_length_once() {
    for name in ["png8", "raw_uint16"] {
        let (volume, asked) = stored(folder(name));
        let volume = volume.unwrap();
        let whole = volume.info(&Selection::default()).unwrap().region();
        for _ in 0..3 {
            volume.check_parts(&Selection::default(), &whole).unwrap();
        }
        volume.check_parts(&Selection::default(), &Region::of_size(Size::new(9, 9, 9)).shift(20, 30, 5)).unwrap();
        assert_eq!(asked.lock().unwrap().len(), 13, "{name}");
    }
}
