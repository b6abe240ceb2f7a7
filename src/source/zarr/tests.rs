//! Arrays that zarr-python and tensorstore wrote; `tests/foreign/make_zarr.py` makes them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::source::conformance::{foreign_voxel, open_file, voxels_are_right};
use crate::source::{Colour, Plan, ReadPlan, RegionReader, Selection, SourceError, SourceRef, Sources, Step, Target};
use crate::volume::{Block, Dtype, Region, Size};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/zarr")
}

fn open(name: &str) -> Arc<dyn RegionReader> {
    open_file(&folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error:?}"))
}

fn dataset(name: &str) -> Selection {
    Selection { dataset: Some(name.to_owned()), ..Selection::default() }
}

fn at(select: &[(char, u64)]) -> Selection {
    Selection { select: select.iter().copied().collect(), ..Selection::default() }
}

fn is_right(name: &str, dtype: Dtype, expected: impl Fn(i64, i64, i64) -> i64) {
    let reader = open(name);
    let info = reader.info(&Selection::default()).unwrap_or_else(|error| panic!("{name}: {error:?}"));
    assert_eq!((info.dtype, info.format, info.axes.as_str()), (dtype, "zarr", "zyx"), "{name}");
    voxels_are_right(&*reader, &Selection::default(), expected);
}

/// The voxel of arrays with more than three axes.
fn voxel(x: i64, y: i64, z: i64, c: i64, t: i64) -> i64 {
    foreign_voxel(x, y, z) + 4001 * c + 30011 * t
}

#[test]
fn every_voxel_type_and_byte_order_is_right() {
    for dtype in Dtype::ALL {
        for version in ["v2", "v3"] {
            is_right(&format!("{version}_{dtype}"), dtype, foreign_voxel);
        }
        if dtype.size_bytes() > 1 {
            is_right(&format!("v2_{dtype}_be"), dtype, foreign_voxel);
        }
    }
    for name in ["v2_bool", "v3_bool"] {
        is_right(name, Dtype::Uint8, |x, y, z| i64::from(foreign_voxel(x, y, z) % 3 == 0));
    }
}

#[test]
fn every_packing_and_order_is_right() {
    for name in ["none", "bytes", "bits", "blosclz", "zlib", "zstd", "lz4hc"] {
        is_right(&format!("v2_blosc_{name}"), Dtype::Uint16, foreign_voxel);
    }
    for name in ["gzip", "zlib", "zstd", "bz2", "plain", "order_f", "slash", "shuffle"] {
        is_right(&format!("v2_{name}"), Dtype::Uint16, foreign_voxel);
    }
    for name in ["plain", "gzip", "zstd_crc32c", "blosc", "be", "transposed", "dot", "v2_keys"] {
        is_right(&format!("v3_{name}"), Dtype::Uint16, foreign_voxel);
    }
    is_right("v2_order_f_be", Dtype::Uint32, foreign_voxel);
    is_right("v2_scaled", Dtype::Float64, foreign_voxel);
    is_right("tensorstore_v2", Dtype::Int16, foreign_voxel);
}

#[test]
fn every_kind_of_shard_is_right() {
    for name in ["shards", "shards_plain", "shards_first", "shards_be", "shards_transposed"] {
        is_right(name, Dtype::Uint16, foreign_voxel);
        assert_eq!(open(name).info(&Selection::default()).unwrap().block, Size::new(4, 4, 2), "{name}");
    }
    is_right("tensorstore_v3", Dtype::Int16, foreign_voxel);
    let written = |x, y, z| x < 8 && y < 8 && z < 4 && (x >= 4 || y >= 4 || z >= 2);
    is_right("shards_sparse", Dtype::Uint16, |x, y, z| if written(x, y, z) { foreign_voxel(x, y, z) } else { 7 });
}

#[test]
fn what_was_never_written_is_the_fill_value() {
    for version in ["v2", "v3"] {
        is_right(
            &format!("sparse_{version}"),
            Dtype::Uint16,
            |x, y, z| if z >= 3 { foreign_voxel(x, y, z) } else { 7 },
        );
        let block = read_all(&folder().join(format!("nan_{version}")), &Selection::default()).unwrap();
        assert!(block.as_bytes().chunks(4).all(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()).is_nan()));
    }
}

#[test]
fn arrays_are_found_in_groups() {
    for version in ["v2", "v3"] {
        let group = open(&format!("group_{version}"));
        for name in ["volumes/raw", "/volumes/labels/ids/", "volumes/labels"] {
            voxels_are_right(&*group, &dataset(name), foreign_voxel);
        }
        let error = group.info(&Selection::default()).unwrap_err();
        assert!(error.to_string().ends_with("names none of the 3 datasets"), "{error}");
        assert!(error.hint().unwrap().ends_with("`scalar`, `volumes/labels/ids`, `volumes/raw`"), "{error:?}");
        let error = group.info(&dataset("volumes/rav")).unwrap_err();
        assert_eq!(error.hint().unwrap(), "did you mean `volumes/raw`?");
        assert!(group.info(&dataset("../group_v2/volumes/raw")).unwrap_err().to_string().ends_with("is not there"));
        is_right(&format!("single_{version}"), Dtype::Uint16, foreign_voxel);
        let sources = Sources::new(folder(), 1 << 20);
        let source = SourceRef { dataset: Some("scalar".to_owned()), ..SourceRef::new(format!("group_{version}")) };
        assert_eq!(sources.scalars(&source).unwrap(), [crate::source::Number::Integer(513)]);
    }
    let error = open("empty").info(&Selection::default()).unwrap_err();
    assert!(error.to_string().ends_with("holds no array"), "{error}");
}

#[test]
fn images_of_ome_zarr_have_axes_and_levels() {
    for version in ["0.4", "0.5"] {
        let reader = open(&format!("ome_{version}"));
        let info = reader.info(&Selection::default()).unwrap();
        assert_eq!((info.axes.as_str(), info.size, info.length('t')), ("tczyx", Size::new(13, 9, 5), 2), "{version}");
        for level in 0..2 {
            for (t, c) in [(0, 0), (1, 2)] {
                let selection = Selection { level: Some(level), ..at(&[('t', t), ('c', c)]) };
                let expected = |x, y, z| voxel(x, y, z, c as i64, t as i64) + level as i64;
                voxels_are_right(&*reader, &selection, expected);
                let channel = Selection { colour: Colour::Channel(c), level: Some(level), ..at(&[('t', t)]) };
                voxels_are_right(&*reader, &channel, expected);
            }
        }
        let error = reader.info(&Selection { level: Some(2), ..Selection::default() }).unwrap_err();
        assert!(error.to_string().ends_with("wants level 2, counted from 0, of 2"), "{error}");
    }
    // The axes of a level that is named by itself are those of its image.
    let level = Selection { dataset: Some("0/0".to_owned()), ..at(&[('c', 1)]) };
    voxels_are_right(&*open("ome_inside"), &level, |x, y, _| voxel(x, y, 1, 0, 0));
    voxels_are_right(&*open("ome_inside"), &at(&[('c', 2)]), |x, y, _| voxel(x, y, 2, 0, 0));
}

#[test]
fn axes_have_the_names_that_they_are_given() {
    let reader = open("named_xyz");
    let info = reader.info(&Selection::default()).unwrap();
    assert_eq!((info.axes.as_str(), info.size), ("xyz", Size::new(13, 9, 5)));
    voxels_are_right(&*reader, &Selection::default(), foreign_voxel);
    let section = at(&[('z', 3)]);
    // Of what is left, the first axis is called y.
    voxels_are_right(&*reader, &section, |x, y, _| foreign_voxel(y, x, 3));
    voxels_are_right(&*open("xarray_v2"), &at(&[('c', 1)]), |x, y, _| voxel(x, y, 1, 0, 0));
    assert_eq!(open("xarray_v2").info(&Selection::default()).unwrap().axes, "cyx");
}

#[test]
fn arrays_of_any_number_of_axes_are_right() {
    voxels_are_right(&*open("rank_13"), &Selection::default(), foreign_voxel);
    voxels_are_right(&*open("rank_9_13"), &Selection::default(), foreign_voxel);
    voxels_are_right(&*open("rank_2_5_9_13"), &at(&[('t', 1)]), |x, y, z| voxel(x, y, z, 1, 0));
    voxels_are_right(&*open("rank_1_1_2_5_9_13"), &at(&[('t', 0), ('c', 1)]), |x, y, z| voxel(x, y, z, 1, 0));
    let error = open("rank_2_1_2_2_3_3").info(&Selection::default()).unwrap_err();
    assert!(error.to_string().ends_with("holds an array of 6 axes"), "{error}");
    let sources = Sources::new(folder(), 1 << 20);
    let size = Size::new(13, 9, 5);
    let target = Target { size, dtype: Dtype::Uint16, required: Region::of_size(size) };
    let plan = Plan::Read(ReadPlan::new("zarr2://rank_1_5_9_13").with(Step::Whole));
    assert!(
        sources.read(&plan, &target).unwrap() == read_all(&folder().join("v2_plain"), &Selection::default()).unwrap()
    );
}

#[test]
fn what_is_not_read_is_refused_by_name() {
    let cases = [
        ("refused_v2", "half", "holds 16-bit floats in `half`"),
        ("refused_v2", "complex", "holds values of type `complex64` in `complex`"),
        ("refused_v2", "delta", "holds what is not read here (codec delta is not supported) in `delta`"),
        ("refused_v2", "lz4", "holds what is not read here (codec lz4 is not supported) in `lz4`"),
        ("refused_v2", "lzma", "holds what is not read here (codec lzma is not supported) in `lzma`"),
        ("refused_v2", "strings", "holds what is not read here (data type |S5 is not supported) in `strings`"),
        ("refused_v2", "dates", "holds what is not read here (data type <M8[s] is not supported) in `dates`"),
        ("refused_v3", "half", "holds 16-bit floats in `half`"),
        ("refused_v3", "strings", "holds values of type `string` in `strings`"),
        ("refused_v3", "grid", "holds chunks in a `rectangular` grid in `grid`"),
        ("refused_v3", "transformer", "holds chunks behind the storage transformer `secret` in `transformer`"),
        ("refused_v3", "extension", "holds an extension `secret` that must be understood in `extension`"),
        ("refused_v3", "codec", "holds what is not read here (codec secret is not supported) in `codec`"),
        ("refused_nested_shards", "", "holds shards in shards in `/`"),
        ("refused_packed_shards", "", "holds shards that are packed or transposed as a whole in `/`"),
    ];
    for (name, array, expected) in cases {
        let error = open(name).info(&dataset(array)).err().unwrap_or_else(|| panic!("{name}/{array} is read"));
        assert!(matches!(error, SourceError::NotSupported { .. }), "{name}/{array}: {error:?}");
        assert!(error.to_string().ends_with(expected), "{error}");
    }
}

#[test]
fn a_chunk_above_the_limit_is_refused() {
    let sources = Sources::new(folder(), 1 << 20).with_limit(239);
    let error = sources.info("v2_plain").unwrap_err();
    assert_eq!(error.to_string(), "`v2_plain` needs 240 bytes in memory, the limit is 239");
    let sources = Sources::new(folder(), 1 << 20).with_limit(64);
    assert!(matches!(sources.info("shards").unwrap_err(), SourceError::LimitsExceeded { .. }));
}

#[test]
fn metadata_that_is_wrong_is_told() {
    let cases = [
        ("\"shape\": [\n    5,", "\"shape\": [\n    -5,"),
        ("\"shape\": [\n    5,", "\"shape\": [\n    18446744073709551615,"),
        ("\"chunks\": [\n    3,", "\"chunks\": [\n    0,"),
        ("\"chunks\": [\n    3,", "\"chunks\": [\n    -3,"),
        ("\"chunks\": [\n    3,", "\"chunks\": [\n    18446744073709551615,"),
        ("\"chunks\": [\n    3,", "\"chunks\": [\n    3, 3,"),
        ("\"zarr_format\": 2", "\"zarr_format\": 7"),
        ("\"order\": \"C\"", "\"order\": \"A\""),
        ("\"fill_value\": 0", "\"fill_value\": \"much\""),
        ("\"dtype\": \"<u2\"", "\"dtype\": \"<q2\""),
        ("{", "["),
    ];
    for (from, to) in cases {
        let copy = copied("v2_plain");
        let file = copy.path().join(".zarray");
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{from}");
        fs::write(&file, text.replacen(from, to, 1)).unwrap();
        match read_all(copy.path(), &Selection::default()) {
            Err(SourceError::Damaged { .. } | SourceError::NotSupported { .. }) => {}
            other => panic!("{to}: {other:?}"),
        }
    }
}

#[test]
fn chunks_that_hold_more_or_less_are_damaged() {
    for (name, chunk) in [("v2_plain", "0.0.0"), ("v2_gzip", "0.0.0"), ("v2_zstd", "0.0.0"), ("v2_bz2", "0.0.0")] {
        let copy = copied(name);
        let file = copy.path().join(chunk);
        let sound = fs::read(&file).unwrap();
        for bytes in [vec![], sound[..sound.len() - 1].to_vec(), [&sound[..], &sound[..]].concat(), vec![0; 1 << 18]] {
            fs::write(&file, bytes).unwrap();
            let error = read_all(copy.path(), &Selection::default()).unwrap_err();
            let SourceError::Damaged { source, .. } = &error else { panic!("{name}: {error:?}") };
            let cause = std::error::Error::source(source).unwrap().to_string();
            assert!(cause.starts_with(&format!("`{chunk}`: ")), "{cause}");
        }
    }
}

#[test]
fn damaged_volumes_never_panic() {
    let mut random = fastrand::Rng::with_seed(3);
    for name in [
        "v2_blosc_bits",
        "v2_bz2",
        "v2_order_f",
        "v2_scaled",
        "v3_zstd_crc32c",
        "v3_transposed",
        "shards",
        "shards_first",
    ] {
        let copy = copied(name);
        for file in files(copy.path()) {
            let sound = fs::read(&file).unwrap();
            let is_text =
                file.extension().is_some() && file.to_str().unwrap().ends_with("json") || file.ends_with(".zarray");
            let changes = if is_text { 150 } else { 15 };
            for n in 0..changes {
                let mut bytes = sound.clone();
                match n % 3 {
                    0 => bytes.truncate(random.usize(..sound.len())),
                    _ => bytes[random.usize(..sound.len())] ^= 1 << random.u8(..8),
                }
                fs::write(&file, bytes).unwrap();
                survives(copy.path());
            }
            fs::write(&file, sound).unwrap();
        }
        read_all(copy.path(), &Selection::default()).unwrap();
    }
}

/// Reads what is left of a volume: voxels, or an error that does not blame the plan.
fn survives(volume: &Path) {
    let read = || {
        let reader = open_file(volume)?;
        let info = reader.info(&Selection::default())?;
        if info.decoded_bytes() < 1 << 20 && info.others.is_empty() {
            let block = reader.read(&Selection::default(), &info.region())?;
            assert_eq!((block.size(), block.dtype()), (info.size, info.dtype));
        }
        Ok::<_, SourceError>(())
    };
    if let Err(error) = read() {
        assert!(!matches!(error, SourceError::OutOfBounds { .. } | SourceError::Plan { .. }), "{error:?}");
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// A copy of a volume in a folder of its own.
fn copied(name: &str) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    let from = folder().join(name);
    for file in files(&from) {
        let to = copy.path().join(file.strip_prefix(&from).unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(file, to).unwrap();
    }
    copy
}

fn read_all(volume: &Path, selection: &Selection) -> Result<Block, SourceError> {
    let reader = open_file(volume)?;
    let region = reader.info(selection)?.region();
    reader.read(selection, &region)
}
