//! Containers that TensorStore wrote, and some made by hand; `tests/foreign/make_n5.py` makes them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::source::conformance::{foreign_voxel, open_file, voxels_are_right};
use crate::source::{RegionReader, Selection, SourceError, Sources};
use crate::volume::{Block, Dtype, Size};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/n5")
}

fn open(name: &str) -> Arc<dyn RegionReader> {
    open_file(&folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error:?}"))
}

fn dataset(name: &str, level: u64) -> Selection {
    Selection { dataset: Some(name.to_owned()), level: Some(level), ..Selection::default() }
}

fn at(select: &[(char, u64)]) -> Selection {
    Selection { select: select.iter().copied().collect(), ..Selection::default() }
}

fn is_right(name: &str, dtype: Dtype, expected: impl Fn(i64, i64, i64) -> i64) {
    let reader = open(name);
    let info = reader.info(&Selection::default()).unwrap_or_else(|error| panic!("{name}: {error:?}"));
    assert_eq!((info.dtype, info.format, info.axes.as_str()), (dtype, "n5", "zyx"), "{name}");
    voxels_are_right(&*reader, &Selection::default(), expected);
}

/// The voxel of arrays with more than three axes.
fn voxel(x: i64, y: i64, z: i64, c: i64, t: i64) -> i64 {
    foreign_voxel(x, y, z) + 4001 * c + 30011 * t
}

#[test]
fn every_voxel_type_and_packing_is_right() {
    for dtype in Dtype::ALL {
        is_right(&dtype.to_string(), dtype, foreign_voxel);
    }
    for name in ["raw", "zlib", "bzip2", "blosc", "blosc_bits", "zstd"] {
        is_right(name, Dtype::Uint16, foreign_voxel);
    }
}

#[test]
fn blocks_may_end_with_the_array_or_not_be_there() {
    is_right("cut", Dtype::Uint16, foreign_voxel);
    is_right("cut_gzip", Dtype::Uint16, foreign_voxel);
    is_right("with_count", Dtype::Uint32, foreign_voxel);
    assert!(!folder().join("sparse/0").exists());
    is_right("sparse", Dtype::Uint16, |x, y, z| if x >= 8 { foreign_voxel(x, y, z) } else { 0 });
}

#[test]
fn arrays_of_any_number_of_axes_are_right() {
    voxels_are_right(&*open("rank_1"), &Selection::default(), foreign_voxel);
    voxels_are_right(&*open("rank_2"), &Selection::default(), foreign_voxel);
    // By their number the axes of four are called t, z, y, x.
    voxels_are_right(&*open("rank_4"), &at(&[('t', 2)]), |x, y, z| voxel(x, y, z, 2, 0));
    voxels_are_right(&*open("rank_5"), &at(&[('t', 1), ('c', 2)]), |x, y, z| voxel(x, y, z, 2, 1));
}

#[test]
fn datasets_are_found_with_their_levels() {
    let reader = open("container");
    for path in ["volumes/raw", "setup0/timepoint0"] {
        for level in 0..2 {
            let selection = dataset(path, level);
            let size = [Size::new(13, 9, 5), Size::new(7, 5, 5)][level as usize];
            assert_eq!(reader.info(&selection).unwrap().size, size);
            voxels_are_right(&*reader, &selection, |x, y, z| foreign_voxel(x, y, z) + level as i64);
        }
        let error = reader.info(&dataset(path, 2)).unwrap_err();
        assert!(error.to_string().ends_with("wants level 2, counted from 0, of 2"), "{error}");
    }
    for path in ["setup0", "volumes/raw/s0", "volumes/ids", "labels"] {
        voxels_are_right(&*reader, &dataset(path, 0), foreign_voxel);
    }
    voxels_are_right(&*open("container/volumes/raw/s0"), &Selection::default(), foreign_voxel);
    let error = reader.info(&Selection::default()).unwrap_err();
    let hint = error.hint().unwrap();
    assert!(error.to_string().ends_with("names none of the 5 datasets"), "{error}");
    assert!(hint.ends_with("`labels/unique-labels`, `setup0/timepoint0`, `volumes/ids`, `volumes/raw`"), "{hint}");
    assert_eq!(reader.info(&dataset("volumes/rav", 0)).unwrap_err().hint().unwrap(), "did you mean `volumes/raw`?");
}

#[test]
fn what_is_not_read_is_refused_by_name() {
    for (name, expected) in [
        ("refused_xz", "holds blocks packed with `xz` in `/`"),
        ("refused_lz4", "holds blocks packed with `lz4` in `/`"),
        ("refused_strings", "holds values of type `string` in `/`"),
        ("refused_multisets", "holds label multisets in `/`"),
    ] {
        let error = open(name).info(&Selection::default()).unwrap_err();
        assert!(matches!(error, SourceError::NotSupported { .. }), "{error:?}");
        assert!(error.to_string().ends_with(expected), "{error}");
    }
}

#[test]
fn a_block_above_the_limit_is_refused() {
    let sources = Sources::new(folder(), 1 << 20).with_limit(239);
    let error = sources.info("n5://raw").unwrap_err();
    assert_eq!(error.to_string(), "`n5://raw` needs 240 bytes in memory, the limit is 239");
}

#[test]
fn damaged_containers_never_panic() {
    let mut random = fastrand::Rng::with_seed(3);
    for name in ["raw", "cut_gzip", "blosc_bits", "zstd", "bzip2", "with_count"] {
        let copy = tempfile::tempdir().unwrap();
        let (from, block) = (folder().join(name), "1/0/1");
        fs::create_dir_all(copy.path().join(block).parent().unwrap()).unwrap();
        for file in ["attributes.json", block] {
            let sound = fs::read(from.join(file)).unwrap();
            fs::copy(from.join("attributes.json"), copy.path().join("attributes.json")).unwrap();
            for n in 0..200 {
                let mut bytes = sound.clone();
                match n % 3 {
                    0 => bytes.truncate(random.usize(..sound.len())),
                    _ => bytes[random.usize(..sound.len())] ^= 1 << random.u8(..8),
                }
                fs::write(copy.path().join(file), bytes).unwrap();
                survives(copy.path());
            }
        }
    }
}

/// Reads what is left of a dataset: voxels, or an error that does not blame the plan.
fn survives(volume: &Path) {
    let read = || {
        let reader = open_file(volume)?;
        let info = reader.info(&Selection::default())?;
        if info.decoded_bytes() < 1 << 20 && info.others.is_empty() {
            let block: Block = reader.read(&Selection::default(), &info.region())?;
            assert_eq!((block.size(), block.dtype()), (info.size, info.dtype));
        }
        Ok::<_, SourceError>(())
    };
    if let Err(error) = read() {
        assert!(!matches!(error, SourceError::OutOfBounds { .. }), "{error:?}");
    }
}
