use std::path::{Path, PathBuf};

use super::super::conformance::{damage_is_survived, foreign_voxel, open_file, remotes, voxels_are_right};
use super::super::{Colour, Number, ReadPlan, SourceRef, Sources, Step, Target};
use super::*;
use crate::source::Plan;
use crate::volume::{Dtype, Size, Span};

/// The folder that `tests/foreign/make_hdf5.py` fills.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/hdf5")
}

fn open(name: &str) -> Result<Arc<dyn RegionReader>, SourceError> {
    open_file(&folder().join(format!("{name}.h5")))
}

fn dataset(name: &str) -> Selection {
    Selection { dataset: Some(name.to_owned()), ..Selection::default() }
}

fn at(name: &str, select: &[(char, u64)]) -> Selection {
    Selection { select: select.iter().copied().collect(), ..dataset(name) }
}

fn is_right(name: &str, dtype: Dtype, expected: impl Fn(i64, i64, i64) -> i64) {
    let reader = open(name).unwrap_or_else(|error| panic!("{name}: {error:?}"));
    let info = reader.info(&Selection::default()).unwrap_or_else(|error| panic!("{name}: {error:?}"));
    assert_eq!((info.dtype, info.format), (dtype, "hdf5"), "{name}");
    voxels_are_right(&*reader, &Selection::default(), expected);
}

/// The files with one filter each that is not in every HDF5 library.
const FILTERS: [&str; 15] = [
    "zstd",
    "lz4",
    "bzip2",
    "bitshuffle",
    "bitshuffle_lz4",
    "blosc_blosclz",
    "blosc_lz4",
    "blosc_lz4hc",
    "blosc_snappy",
    "blosc_zlib",
    "blosc_zstd",
    "blosc_bits",
    "scaleoffset",
    "szip",
    "nbit",
];

/// The voxel of the files with more than three axes.
fn voxel(x: i64, y: i64, z: i64, c: i64, t: i64) -> i64 {
    foreign_voxel(x, y, z) + 4001 * c + 30011 * t
}

#[test]
fn every_voxel_type_and_byte_order_is_right() {
    for dtype in Dtype::ALL {
        is_right(&dtype.to_string(), dtype, foreign_voxel);
        if dtype.size_bytes() > 1 {
            is_right(&format!("{dtype}_be"), dtype, foreign_voxel);
        }
    }
    // h5py's booleans are an enumeration of 8-bit integers.
    is_right("bool", Dtype::Int8, |x, y, z| i64::from(foreign_voxel(x, y, z) % 3 == 0));
    is_right("enum", Dtype::Uint16, foreign_voxel);
}

#[test]
fn every_storage_is_right() {
    for libver in ["earliest", "latest"] {
        for storage in [
            "contiguous",
            "contiguous_be",
            "chunked",
            "gzip_shuffle",
            "fletcher32",
            "one_chunk",
            "large_chunk",
            "lzf",
            "extensible",
            "extensible_all",
        ] {
            is_right(&format!("{storage}_{libver}"), Dtype::Uint16, foreign_voxel);
        }
    }
    is_right("compact", Dtype::Uint16, foreign_voxel);
}

#[test]
fn a_block_of_the_users_own_may_come_first() {
    is_right("user_block", Dtype::Uint16, foreign_voxel);
    is_right("user_block_2048", Dtype::Uint16, foreign_voxel);
}

#[test]
fn what_was_never_written_is_the_fill_value() {
    for libver in ["earliest", "latest"] {
        let reader = open(&format!("sparse_{libver}")).unwrap();
        let written = |x, y, z| if (4..8).contains(&z) { foreign_voxel(x, y, z) } else { 7 };
        voxels_are_right(&*reader, &dataset("data"), written);
        voxels_are_right(&*reader, &dataset("never"), |_, _, _| 9);
    }
}

#[test]
fn an_array_is_told_by_its_header() {
    let reader = open("gzip_shuffle_latest").unwrap();
    let info = reader.info(&Selection::default()).unwrap();
    assert_eq!((info.axes.as_str(), info.size, info.block), ("zyx", Size::new(23, 19, 11), Size::new(16, 8, 4)));
    assert_eq!((info.pages, info.channels), (1, 1));
    assert_eq!(info.to_string(), "hdf5, 23 × 19 × 11 voxels of uint16, in blocks of 16 × 8");
    let info = open("axes").unwrap().info(&dataset("/time/tczyx/")).unwrap();
    assert_eq!((info.axes.as_str(), info.length('t'), info.length('c'), info.length('z')), ("tczyx", 3, 2, 11));
    let info = open("axes").unwrap().info(&at("time/tzyx", &[('t', 1)])).unwrap();
    assert_eq!((info.axes.as_str(), info.length('t'), info.decoded_channels), ("zyx", 1, 2));
}

#[test]
fn arrays_of_any_number_of_axes_are_right() {
    let reader = open("axes").unwrap();
    let right = |selection: &Selection, expected: &dyn Fn(i64, i64, i64) -> i64| {
        voxels_are_right(&*reader, selection, expected);
    };
    right(&dataset("x"), &foreign_voxel);
    right(&dataset("/yx"), &foreign_voxel);
    right(&at("six", &[('t', 0), ('c', 0)]), &foreign_voxel);
    for t in 0..3 {
        right(&at("time/tzyx", &[('t', t)]), &|x, y, z| voxel(x, y, z, 0, t as i64));
        right(&at("link", &[('t', t)]), &|x, y, z| voxel(x, y, z, 0, t as i64));
        for c in 0..2 {
            let expected = |x, y, z| voxel(x, y, z, c as i64, t as i64);
            right(&at("time/tczyx", &[('t', t), ('c', c)]), &expected);
            let channel = Selection { colour: Colour::Channel(c), ..at("time/tczyx", &[('t', t)]) };
            right(&channel, &expected);
            // Stored as t, x, y, c: of what is left, the first is called y.
            right(&at("time/txyc", &[('t', t), ('x', c)]), &|x, y, _| voxel(y, x, 0, c as i64, t as i64));
        }
    }
    right(&at("time/tczyx", &[('t', 1), ('c', 1), ('z', 5)]), &|x, y, _| voxel(x, y, 5, 1, 1));
    let section = Selection { page: Some(4), ..Selection::default() };
    voxels_are_right(&*open("uint16").unwrap(), &section, |x, y, _| foreign_voxel(x, y, 4));
}

#[test]
fn plans_name_the_axes_and_leave_out_those_of_length_1() {
    let sources = Sources::new(folder(), 1 << 20);
    let size = Size::new(23, 19, 1);
    let mut plan = ReadPlan::new("axes.h5");
    plan.source.dataset = Some("time/txyc".to_owned());
    plan.source.axes = Some("txyc".to_owned());
    plan.source.select = [('t', 2), ('c', 1)].into();
    let read = |plan: ReadPlan, size: Size| {
        let target = Target { size, dtype: Dtype::Uint16, required: Region::of_size(size) };
        sources.read(&Plan::Read(plan.with(Step::Whole)), &target)
    };
    let block = read(plan.clone(), size).unwrap();
    let value = |block: &Block, x: i64, y: i64, z: i64| {
        let one = block.cut(&Region::new(Span::one(x), Span::one(y), Span::one(z)));
        i64::from(u16::from_le_bytes(one.as_bytes().try_into().unwrap()))
    };
    assert_eq!(value(&block, 22, 5, 0), voxel(22, 5, 0, 1, 2) & 0xffff);
    assert_eq!(sources.source_info(&plan.source).unwrap().size, size);
    let mut plan = ReadPlan::new("axes.h5");
    plan.source.dataset = Some("single".to_owned());
    let block = read(plan, Size::new(23, 19, 11)).unwrap();
    assert_eq!(value(&block, 22, 5, 9), voxel(22, 5, 9, 0, 0) & 0xffff);
}

#[test]
fn scalars_are_read_with_all_their_bits() {
    let sources = Sources::new(folder(), 1 << 20);
    let scalars = |name: &str| {
        let source = SourceRef { dataset: Some(name.to_owned()), ..SourceRef::new("axes.h5") };
        sources.scalars(&source).unwrap()
    };
    assert_eq!(scalars("offset"), [Number::Integer((1 << 63) + 5), Number::Integer(3)]);
    assert_eq!(scalars("scalar"), [Number::Integer((1 << 64) - 2)]);
}

#[test]
fn plans_that_do_not_fit_the_file_are_told_what_does() {
    let cases = [
        ("axes", Selection::default(), "names none of the 10 datasets"),
        ("axes", dataset("time/tzxy"), "names the dataset `time/tzxy`, which is not there"),
        ("axes", at("dangling", &[]), "holds a link to `/nowhere`, which is not there, in `dangling`"),
        ("axes", at("time/tzyx", &[('t', 3)]), "selects t 3, counted from 0, of 3"),
        ("axes", at("yx", &[('z', 0)]), "needs exactly one position in `select` for the axis `z`"),
        ("uint8", Selection { level: Some(1), ..dataset("data") }, "wants level 1, counted from 0, of 1"),
        ("uint8", Selection { page: Some(11), ..dataset("data") }, "selects z 11, counted from 0, of 11"),
    ];
    for (name, selection, expected) in cases {
        let error = open(name).unwrap().info(&selection).err().unwrap_or_else(|| panic!("{expected}"));
        assert_eq!(error.to_string().split_once("h5` ").unwrap().1, expected, "{error:?}");
    }
    let error = open("axes").unwrap().info(&dataset("time/tzxy")).unwrap_err();
    assert_eq!(error.hint().unwrap(), "did you mean `time/tzyx`?");
    let error = open("sparse_latest").unwrap().info(&Selection::default()).unwrap_err();
    assert_eq!(error.hint().unwrap(), "set `dataset` in the plan; the file holds `data`, `never`");
    let whole = open("axes").unwrap().read(&dataset("time/tzyx"), &Region::of_size(Size::new(1, 1, 1))).unwrap_err();
    assert!(whole.to_string().ends_with("needs exactly one position in `select` for the axis `t`"), "{whole}");
}

#[test]
fn what_is_not_read_is_refused_by_name() {
    let cases = [
        ("strings", "holds strings in `strings`"),
        ("fixed_strings", "holds strings in `fixed_strings`"),
        ("compound", "holds compound values in `compound`"),
        ("complex", "holds compound values in `complex`"),
        ("null", "holds no values in `null`"),
        ("virtual", "holds values that lie in other files in `virtual`"),
        ("outside", "holds values that lie in other files in `outside`"),
        ("vlen", "holds lists of any length in `vlen`"),
        ("blosc2", "holds chunks packed by filter 32026, Blosc2, in `blosc2`"),
        ("bitshuffle_zstd", "holds chunks packed by filter 32008, bitshuffle with Zstandard, in `bitshuffle_zstd`"),
        ("zfp", "holds chunks packed by filter 32013, ZFP, in `zfp`"),
    ];
    let reader = open("refused").unwrap();
    for (name, expected) in cases {
        let error = reader.info(&dataset(name)).err().unwrap_or_else(|| panic!("{name} is read"));
        assert!(matches!(error, SourceError::NotSupported { .. }), "{error:?}");
        assert!(error.to_string().ends_with(expected), "{error}");
    }
    let error = open("axes").unwrap().info(&dataset("six_times")).unwrap_err();
    assert!(error.to_string().ends_with("holds an array of 6 axes in `six_times`"), "{error}");
    let error = open("empty").unwrap().info(&Selection::default()).unwrap_err();
    assert!(error.to_string().ends_with("holds no array"), "{error}");
}

#[test]
fn a_chunk_above_the_limit_is_refused() {
    let sources = Sources::new(folder(), 0).with_limit(1000);
    let error = sources.info("gzip_shuffle_latest.h5").unwrap_err();
    assert_eq!(error.to_string(), "`gzip_shuffle_latest.h5` needs 1024 bytes in memory, the limit is 1000");
}

#[test]
fn damaged_files_never_panic() {
    for libver in ["earliest", "latest"] {
        for storage in ["contiguous", "gzip_shuffle", "fletcher32", "one_chunk", "lzf", "extensible", "extensible_all"]
        {
            damage_is_survived(&folder().join(format!("{storage}_{libver}.h5")));
        }
    }
    for name in ["compact", "user_block", "enum", "float16"] {
        damage_is_survived(&folder().join(format!("{name}.h5")));
    }
}

#[test]
fn damaged_chunks_of_any_filter_never_panic() {
    for filter in FILTERS {
        damage_is_survived(&folder().join(format!("filter_{filter}.h5")));
    }
}

#[test]
fn every_filter_is_undone() {
    for filter in FILTERS {
        is_right(&format!("filter_{filter}"), Dtype::Uint16, foreign_voxel);
    }
}

#[test]
fn half_floats_become_floats() {
    for name in ["float16", "float16_be"] {
        is_right(name, Dtype::Float32, |x, y, z| foreign_voxel(x, y, z) % 2048);
    }
}

#[test]
fn arrays_without_values_are_told() {
    let reader = open("nothing").unwrap();
    assert_eq!(reader.info(&dataset("empty")).unwrap().size, Size::new(5, 0, 1));
    assert_eq!(reader.info(&dataset("extensible")).unwrap().size, Size::new(5, 4, 0));
    let nothing = Region::of_size(Size::new(5, 4, 0));
    assert!(reader.read(&dataset("extensible"), &nothing).unwrap().as_bytes().is_empty());
}

#[test]
fn a_chunk_is_decoded_once_for_all_tiles() {
    let located = Located::find(&folder(), "gzip_shuffle_latest.h5", &remotes()).unwrap();
    let shared = Arc::new(Shared::new(1 << 20, 1 << 20));
    let reader = Hdf5Reader::open(&located, &shared).unwrap();
    let selection = Selection::default();
    let read = |x, y, z| {
        let tile = Region::new(Span::new(x, x + 4), Span::new(y, y + 4), Span::one(z));
        reader.read(&selection, &tile).unwrap()
    };
    let first = read(0, 0, 0);
    let chosen = reader.chosen(&selection).unwrap();
    let block = reader.block(&chosen, &vec![0, 0, 0]).unwrap();
    for (x, y, z) in [(4, 0, 0), (0, 4, 1), (8, 4, 3), (0, 0, 0)] {
        read(x, y, z);
        assert!(Arc::ptr_eq(&block, &reader.block(&chosen, &vec![0, 0, 0]).unwrap()));
    }
    assert!(first == read(0, 0, 0));
}

#[test]
fn every_chunk_can_be_decoded_for_a_check() {
    let sources = Sources::new(folder(), 1 << 20);
    for name in ["gzip_shuffle_latest.h5", "contiguous_earliest.h5"] {
        sources.sound(&SourceRef::new(name)).unwrap();
        sources.decode_all(&SourceRef::new(name)).unwrap();
    }
}

#[test]
fn a_stopped_copy_is_told() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["gzip_shuffle_earliest", "gzip_shuffle_latest", "user_block"] {
        let whole = std::fs::read(self::folder().join(format!("{name}.h5"))).unwrap();
        let stopped = folder.path().join(format!("{name}.h5"));
        std::fs::write(&stopped, &whole[..whole.len() - 1]).unwrap();
        let Err(SourceError::Damaged { source, .. }) = open_file(&stopped) else { panic!("{name}") };
        let cause = std::error::Error::source(&source).unwrap().to_string();
        assert_eq!(cause, format!("the file ends at {} of {} bytes", whole.len() - 1, whole.len()));
    }
}

#[test]
fn changed_bytes_of_packed_arrays_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = fastrand::Rng::with_seed(5);
    for name in ["gzip_shuffle_latest.h5", "fletcher32_latest.h5"] {
        let whole = std::fs::read(self::folder().join(name)).unwrap();
        let file = folder.path().join(name);
        let mut told = 0;
        for _ in 0..200 {
            let mut changed = whole.clone();
            changed[random.usize(..whole.len())] ^= 1 << random.u8(..8);
            std::fs::write(&file, changed).unwrap();
            let sound = open_file(&self::folder().join(name)).unwrap();
            let selection = Selection::default();
            let read = open_file(&file).and_then(|reader| reader.read(&selection, &reader.info(&selection)?.region()));
            let region = sound.info(&selection).unwrap().region();
            match read {
                // The byte was one that nobody uses.
                Ok(block) => assert!(block == sound.read(&selection, &region).unwrap(), "{name}"),
                Err(_) => told += 1,
            }
        }
        assert!(told > 100, "{name}: {told} of 200");
    }
}

#[test]
fn threads_read_one_file_side_by_side() {
    let reader = open("gzip_shuffle_earliest").unwrap();
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| voxels_are_right(&*reader, &Selection::default(), foreign_voxel));
        }
    });
}
