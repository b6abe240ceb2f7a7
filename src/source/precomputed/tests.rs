//! Volumes that CloudVolume wrote; `tests/foreign/make_precomputed.py` makes them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Precomputed;
use crate::source::conformance::{blocks_are_right, colour_voxel, foreign_voxel, open_file, voxels_are_right};
use crate::source::error::PlanMistake;
use crate::source::{
    Axis, Colour, MissingRule, Plan, ReadPlan, RegionReader, Selection, SourceError, Sources, Step, Target,
};
use crate::volume::{Block, Dtype, Region, Size, Span};

pub(super) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/precomputed").join(name)
}

fn open(name: &str) -> Arc<dyn RegionReader> {
    open_file(&folder(name)).unwrap()
}

fn channel(channel: u64) -> Selection {
    Selection { colour: Colour::Channel(channel), ..Selection::default() }
}

/// A copy of a volume in a folder of its own.
pub(super) fn copied(name: &str) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    copy_into(&folder(name), copy.path());
    copy
}

fn copy_into(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&to).unwrap();
            copy_into(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// All voxels, with nothing selected.
pub(super) fn read_all(volume: &Path, selection: &Selection) -> Result<Block, SourceError> {
    let reader = open_file(volume)?;
    let region = reader.info(selection)?.region();
    reader.read(selection, &region)
}

/// The error of a volume that is not read, without the volume's path.
pub(super) fn refusal(volume: &Path) -> String {
    let error = read_all(volume, &Selection::default()).unwrap_err().to_string();
    error.replace(&format!("`{}` ", volume.display()), "")
}

#[test]
fn raw_voxels_of_every_type_are_right_at_their_own_positions() {
    for dtype in Dtype::ALL.into_iter().filter(|dtype| *dtype != Dtype::Float64) {
        let reader = open(&format!("raw_{dtype}"));
        let info = reader.info(&Selection::default()).unwrap();
        assert_eq!((info.dtype, info.origin, info.size), (dtype, (10, 20, 4), Size::new(37, 29, 11)));
        voxels_are_right(&*reader, &Selection::default(), foreign_voxel);
    }
}

#[test]
fn packings_besides_gzip_are_right() {
    for name in ["brotli", "zstd"] {
        voxels_are_right(&*open(name), &Selection::default(), foreign_voxel);
    }
}

#[test]
fn every_level_has_its_own_size_and_offset() {
    let reader = open("plain_mips");
    let expected = [((10, 20, 4), (37, 29, 11)), ((5, 10, 4), (19, 15, 11)), ((2, 5, 4), (10, 8, 11))];
    for (level, (origin, (x, y, z))) in expected.into_iter().enumerate() {
        let selection = Selection { level: Some(level as u64), ..Selection::default() };
        let info = reader.info(&selection).unwrap();
        assert_eq!((info.origin, info.size), (origin, Size::new(x, y, z)));
        voxels_are_right(&*reader, &selection, |x, y, z| foreign_voxel(x, y, z) + level as i64);
    }
    let error = reader.info(&Selection { level: Some(3), ..Selection::default() }).unwrap_err();
    assert!(error.to_string().ends_with("wants level 3, counted from 0, of 3"), "{error}");
}

#[test]
fn png_of_8_and_16_bits_is_right() {
    for name in ["png8", "png16"] {
        voxels_are_right(&*open(name), &Selection::default(), foreign_voxel);
    }
}

#[test]
fn labels_are_right() {
    let label = |x: i64, y: i64, z: i64| x / 5 + 100 * (y / 7) + 10000 * (z / 3);
    voxels_are_right(&*open("labels_uint32"), &Selection::default(), label);
    voxels_are_right(&*open("labels_uint64"), &Selection::default(), |x, y, z| label(x, y, z) * ((1 << 32) + 1));
    voxels_are_right(&*open("dense_uint64"), &Selection::default(), foreign_voxel);
}

#[test]
fn shards_of_both_hashes_are_right() {
    for name in ["sharded_murmur", "sharded_identity"] {
        voxels_are_right(&*open(name), &Selection::default(), foreign_voxel);
    }
}

#[test]
fn one_channel_of_several_is_read() {
    for name in ["raw_channels", "png_channels"] {
        let reader = open(name);
        assert_eq!(reader.info(&Selection::default()).unwrap().axes, "czyx");
        for c in 0..3 {
            voxels_are_right(&*reader, &channel(c), |x, y, z| colour_voxel(x, y, z, c as i64));
            let select = Selection { select: [('c', c)].into(), ..Selection::default() };
            voxels_are_right(&*reader, &select, |x, y, z| colour_voxel(x, y, z, c as i64));
        }
        let error = reader.info(&channel(3)).unwrap_err();
        assert!(error.to_string().ends_with("wants channel 3, counted from 0, of 3"), "{error}");
        let gray = Selection { colour: Colour::Gray, ..Selection::default() };
        assert!(matches!(reader.info(&gray), Err(SourceError::NotSupported { .. })));
    }
    voxels_are_right(&*open("raw_uint8"), &channel(0), foreign_voxel);
}

/// Decoders may differ by little where JPEG rounds.
#[test]
fn jpeg_is_as_cloudvolume_decodes_it() {
    let reader = open("jpeg");
    let whole = reader.info(&Selection::default()).unwrap().region();
    let ours = reader.read(&Selection::default(), &whole).unwrap();
    let theirs = fs::read(folder("jpeg.raw")).unwrap();
    assert_eq!(ours.as_bytes().len(), theirs.len());
    assert!(ours.as_bytes().iter().zip(theirs).all(|(ours, theirs)| ours.abs_diff(theirs) <= 2));
    blocks_are_right(&*reader, &Selection::default(), |region, _| ours.cut(&region.shift(-10, -20, -4)));
}

#[test]
fn the_channels_of_a_jpeg_are_its_colours() {
    let reader = open("jpeg_channels");
    for c in 0..3 {
        let whole = reader.info(&channel(c)).unwrap().region();
        let block = reader.read(&channel(c), &whole).unwrap();
        for (nth, value) in (0..).zip(block.as_bytes()) {
            let (x, y, z) = (nth % 37 + 10, nth / 37 % 29 + 20, nth / 37 / 29 + 4);
            let written = 2 * x + y + 3 * z + 20 * c as i64;
            assert!((i64::from(*value) - written).abs() <= 5, "x {x}, y {y}, z {z}, c {c}: {value}, not {written}");
        }
    }
}

#[test]
fn a_section_and_other_planes_are_sources_of_two_axes() {
    let reader = open("raw_uint16");
    let at = |axis, at| Selection { select: [(axis, at)].into(), ..Selection::default() };
    assert_eq!(reader.info(&at('z', 13)).unwrap().axes, "yx");
    voxels_are_right(&*reader, &at('z', 13), |x, y, _| foreign_voxel(x, y, 13));
    voxels_are_right(&*reader, &at('x', 30), |_, y, z| foreign_voxel(30, y, z));
    assert!(matches!(reader.info(&at('z', 15)), Err(SourceError::OutOfBounds { .. })));
    assert!(matches!(reader.info(&at('t', 0)), Err(SourceError::Plan { mistake: PlanMistake::Select { .. }, .. })));
}

#[test]
fn plans_count_in_the_volumes_own_positions() {
    let sources = Sources::new(folder(""), 1 << 20);
    let region = Region::new(Span::new(0, 48), Span::new(16, 40), Span::new(0, 16));
    let plan = |path: String| {
        let mut plan = ReadPlan::new(path).with(Step::Crop(region));
        plan.source.format = Some("precomputed".to_owned());
        Plan::Read(plan)
    };
    let nothing = Target { size: region.size(), dtype: Dtype::Uint16, required: Region::of_size(Size::new(0, 0, 0)) };
    let volume = folder("raw_uint16");
    let volume = volume.display();
    let paths = ["raw_uint16".to_owned(), format!("{volume}"), format!("file://{volume}")];
    for path in paths.into_iter().flat_map(|path| [format!("precomputed://{path}"), path]) {
        let block = sources.read(&plan(path), &nothing).unwrap();
        let voxels = block.as_bytes().chunks_exact(2).map(|voxel| i64::from(u16::from_le_bytes([voxel[0], voxel[1]])));
        for (nth, value) in (0..).zip(voxels) {
            let (x, y, z) = (nth % 48, nth / 48 % 24 + 16, nth / 48 / 24);
            let is_inside = (10..47).contains(&x) && (20..49).contains(&y) && (4..15).contains(&z);
            assert_eq!(value, if is_inside { foreign_voxel(x, y, z) } else { 0 }, "x {x}, y {y}, z {z}");
        }
    }
    let all = Target { required: Region::of_size(region.size()), ..nothing };
    let error = sources.read(&plan("raw_uint16".to_owned()), &all).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`raw_uint16` is 37 × 29 × 11 voxels and has none at x 0..48, y 16..40, z 0..16, which the job needs"
    );
}

#[test]
fn whole_volumes_and_flips_start_at_the_first_voxel() {
    let sources = Sources::new(folder(""), 1 << 20);
    let size = Size::new(37, 29, 11);
    let target = Target { size, dtype: Dtype::Uint16, required: Region::of_size(size) };
    let whole = sources.read(&Plan::Read(ReadPlan::new("raw_uint16").with(Step::Whole)), &target).unwrap();
    let reader = open("raw_uint16");
    let own = reader.info(&Selection::default()).unwrap().region();
    assert!(whole == reader.read(&Selection::default(), &own).unwrap());
    let flipped = ReadPlan::new("raw_uint16").with(Step::Flip(Axis::X)).with(Step::Crop(own));
    let flipped = sources.read(&Plan::Read(flipped), &target).unwrap();
    assert_eq!(
        flipped.cut(&Region::of_size(Size::new(1, 29, 11))),
        whole.cut(&Region::of_size(Size::new(1, 29, 11)).shift(36, 0, 0))
    );
    sources.decode_all(&crate::source::SourceRef::new("raw_uint16")).unwrap();
}

#[test]
fn a_missing_chunk_is_an_error_or_zeros() {
    let copy = copied("plain_mips");
    fs::remove_file(copy.path().join("4_4_40/26-42_20-36_4-10")).unwrap();
    assert_eq!(refusal(copy.path()), "has no chunk `4_4_40/26-42_20-36_4-10`");
    let fill = Selection { missing: MissingRule::Fill, ..Selection::default() };
    let lost = Region::new(Span::new(26, 42), Span::new(20, 36), Span::new(4, 10));
    let is_lost = |x, y, z| lost.covers(&Region::new(Span::one(x), Span::one(y), Span::one(z)));
    let reader = open_file(copy.path()).unwrap();
    voxels_are_right(&*reader, &fill, |x, y, z| if is_lost(x, y, z) { 0 } else { foreign_voxel(x, y, z) });
    let copy = copied("sharded_murmur");
    for shard in ["0", "1", "2", "3"] {
        fs::remove_file(copy.path().join(format!("4_4_40/{shard}.shard"))).unwrap();
    }
    assert_eq!(refusal(copy.path()), "has no chunk `4_4_40/10-26_20-36_4-10`");
    assert!(read_all(copy.path(), &fill).unwrap().is_zero());
}

/// Only chunks may lack: a path that is wrong altogether must not become an empty volume.
#[test]
fn a_missing_volume_is_an_error_even_where_chunks_may_lack() {
    let sources = Sources::new(folder(""), 1 << 20);
    let size = Size::new(4, 4, 4);
    let target = Target { size, dtype: Dtype::Uint8, required: Region::of_size(Size::new(0, 0, 0)) };
    let mut plan = ReadPlan::new("precomputed://none").with(Step::Crop(Region::of_size(size)));
    plan.source.missing = MissingRule::Fill;
    let error = sources.read(&Plan::Read(plan), &target).unwrap_err();
    assert_eq!(error.to_string(), "`precomputed://none` does not exist");
}

/// Changes the text of `info`, without white space.
pub(super) fn rewritten(volume: &Path, from: &str, to: &str) {
    let info: serde_json::Value = serde_json::from_slice(&fs::read(volume.join("info")).unwrap()).unwrap();
    let info = info.to_string();
    assert!(info.contains(from), "{info}");
    fs::write(volume.join("info"), info.replace(from, to)).unwrap();
}

#[test]
fn a_scale_may_lie_in_another_folder() {
    let copy = copied("raw_uint16");
    fs::create_dir(copy.path().join("volume")).unwrap();
    fs::rename(copy.path().join("info"), copy.path().join("volume/info")).unwrap();
    let volume = copy.path().join("volume");
    rewritten(&volume, r#""key":"4_4_40""#, r#""key":"./x/../../4_4_40/""#);
    voxels_are_right(&*open_file(&volume).unwrap(), &Selection::default(), foreign_voxel);
    rewritten(&volume, r#""key":"./x"#, r#""key":"/x"#);
    assert_eq!(refusal(&volume), "is a precomputed volume with a scale at `/x/../../4_4_40/`, outside of its folder");
}

#[test]
fn the_first_of_several_chunk_sizes_and_known_keys_alone_count() {
    let copy = copied("raw_uint16");
    rewritten(copy.path(), "[[16,16,6]]", "[[16,16,6],[64,64,1]]");
    rewritten(copy.path(), r#""type":"image""#, r#""type": "segmentation", "mesh": "mesh", "skeletons": "s""#);
    voxels_are_right(&*open_file(copy.path()).unwrap(), &Selection::default(), foreign_voxel);
}

#[test]
fn a_chunk_is_decoded_once_as_long_as_there_is_room() {
    // Plain voxels on a disk would not be kept: a chunk that a task covers is read by no other.
    let copy = copied("labels_uint64");
    let sources = Sources::new(copy.path().to_owned(), 1 << 20);
    let info = sources.info("").unwrap();
    let (size, dtype) = (info.size, info.dtype);
    let target = Target { size, dtype, required: Region::of_size(size) };
    let plan = Plan::Read(ReadPlan::new("").with(Step::Whole));
    let first = sources.read(&plan, &target).unwrap();
    fs::remove_dir_all(copy.path().join("4_4_40")).unwrap();
    assert!(sources.read(&plan, &target).unwrap() == first);
    let without_room = Sources::new(copy.path().to_owned(), 0);
    assert!(matches!(without_room.read(&plan, &target), Err(SourceError::NoChunk { .. })));
}

#[test]
fn threads_read_one_volume_side_by_side() {
    let reader = open("sharded_murmur");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| voxels_are_right(&*reader, &Selection::default(), foreign_voxel));
        }
    });
    assert_eq!(Precomputed::FORMAT, reader.info(&Selection::default()).unwrap().format);
}
