//! Layouts: what a file's names and attributes say, compared with the files of `tests/foreign/make_hdf5.py`.

use std::path::{Path, PathBuf};

use super::super::conformance::{damage_is_survived_with, foreign_voxel, open_file, voxels_are_right};
use super::super::{Colour, Plan, ReadPlan, Sources, Step, Target};
use super::*;
use crate::volume::{Dtype, Size};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/hdf5")
}

fn file(name: &str) -> PathBuf {
    folder().join(format!("{name}.h5"))
}

fn open(name: &str) -> Arc<dyn RegionReader> {
    open_file(&file(name)).unwrap()
}

fn at(level: u64, t: u64, c: u64) -> Selection {
    Selection { level: Some(level), select: [('t', t), ('c', c)].into(), ..Selection::default() }
}

fn dataset(name: &str) -> Selection {
    Selection { dataset: Some(name.to_owned()), ..Selection::default() }
}

/// The voxel of a level of half the width and height.
fn voxel((x, y, z): (i64, i64, i64), level: i64, c: i64, t: i64) -> i64 {
    foreign_voxel(x * (level + 1), y * (level + 1), z) + 4001 * c + 30011 * t
}

#[test]
fn levels_times_and_channels_of_pyramids_are_right() {
    for (name, dtype) in [("bigdataviewer", Dtype::Int16), ("imaris", Dtype::Uint16)] {
        let reader = open(name);
        for (level, size) in [(0, Size::new(23, 19, 11)), (1, Size::new(12, 10, 11))] {
            let whole = reader.info(&Selection { level: Some(level), ..Selection::default() }).unwrap();
            assert_eq!((whole.axes.as_str(), whole.size, whole.dtype), ("tczyx", size, dtype), "{name}");
            assert_eq!((whole.length('t'), whole.length('c'), whole.decoded_channels), (2, 2, 1));
            for (t, c) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                let selection = at(level, t, c);
                assert_eq!(reader.info(&selection).unwrap().axes, "zyx");
                let expected = |x, y, z| voxel((x, y, z), level as i64, c as i64, t as i64);
                voxels_are_right(&*reader, &selection, expected);
                let channel = Selection {
                    colour: Colour::Channel(c),
                    level: Some(level),
                    select: [('t', t)].into(),
                    ..Selection::default()
                };
                voxels_are_right(&*reader, &channel, expected);
            }
        }
        let error = reader.info(&at(2, 0, 0)).unwrap_err();
        assert!(error.to_string().ends_with("wants level 2, counted from 0, of 2"), "{error}");
        let error = reader.info(&at(0, 2, 0)).unwrap_err();
        assert!(error.to_string().ends_with("selects t 2, counted from 0, of 2"), "{error}");
    }
}

#[test]
fn an_array_of_a_pyramid_can_be_named() {
    let name = "DataSet/ResolutionLevel 1/TimePoint 1/Channel 0/Data";
    voxels_are_right(&*open("imaris"), &dataset(name), |x, y, z| voxel((x, y, z), 1, 0, 1));
    voxels_are_right(&*open("bigdataviewer"), &dataset("t00001/s01/0/cells"), |x, y, z| voxel((x, y, z), 0, 1, 1));
}

#[test]
fn arrays_of_a_pyramid_that_lack_or_differ_are_told() {
    let reader = open("bigdataviewer_ragged");
    let region = Region::of_size(Size::new(4, 3, 2));
    assert!(reader.read(&at(0, 1, 0), &region).unwrap().is_zero());
    let error = reader.read(&at(0, 0, 1), &region).unwrap_err();
    let expected = "holds an array of another size or type than `t00000/s00/0/cells` in `t00000/s01/0/cells`";
    assert!(error.to_string().ends_with(expected), "{error}");
    let error = reader.read(&at(0, 1, 1), &region).unwrap_err();
    assert!(error.to_string().ends_with("names the dataset `t00001/s01/0/cells`, which is not there"), "{error}");
}

#[test]
fn attributes_say_what_the_axes_are() {
    let axes = |name: &str, dataset_name: &str| open(name).info(&dataset(dataset_name)).unwrap().axes.clone();
    assert_eq!(axes("matlab", "section"), "xy");
    assert_eq!(axes("matlab", "volume"), "zxy");
    assert_eq!(axes("matlab", "time"), "tzxy");
    assert_eq!(axes("ilastik", "exported_data"), "tzyxc");
    assert_eq!(axes("ilastik", "columns"), "xyzc");
    assert_eq!(axes("ilastik", "named"), "yxz");
    assert_eq!(axes("ilastik", "odd"), "zyx");
    assert_eq!(axes("ilastik", "wrong"), "zyx");
    // Of several arrays, this is what ilastik wrote.
    assert_eq!(open("ilastik").info(&Selection::default()).unwrap().axes, "tzyxc");
}

#[test]
fn axes_in_any_order_are_turned() {
    voxels_are_right(&*open("matlab"), &dataset("section"), |x, y, _| foreign_voxel(x, y, 0));
    voxels_are_right(&*open("matlab"), &dataset("volume"), foreign_voxel);
    voxels_are_right(&*open("ilastik"), &dataset("named"), foreign_voxel);
}

#[test]
fn plans_read_layouts_by_their_letters() {
    let sources = Sources::new(folder(), 1 << 20);
    let is_right = |path: &str, name: Option<&str>, select: &[(char, u64)], expected: &dyn Fn(i64, i64, i64) -> i64| {
        let mut plan = ReadPlan::new(path);
        plan.source.dataset = name.map(str::to_owned);
        plan.source.select = select.iter().copied().collect();
        let info = sources.source_info(&plan.source).unwrap();
        let size = Size::new(23, 19, 11);
        assert_eq!(info.size, size, "{path}");
        let target = Target { size, dtype: info.dtype, required: Region::of_size(size) };
        let block = sources.read(&Plan::Read(plan.with(Step::Whole)), &target).unwrap();
        let item = info.dtype.size_bytes();
        for (n, voxel) in block.as_bytes().chunks_exact(item).enumerate() {
            let (x, y, z) = (n % 23, n / 23 % 19, n / (23 * 19));
            let expected = expected(x as i64, y as i64, z as i64).to_le_bytes();
            assert_eq!(voxel, &expected[..item], "{path} {select:?} at {x} {y} {z}");
        }
    };
    is_right("matlab.h5", Some("volume"), &[], &foreign_voxel);
    is_right("matlab.h5", Some("time"), &[('t', 1)], &|x, y, z| voxel((x, y, z), 0, 0, 1));
    for c in 0..2 {
        let expected = |x, y, z| voxel((x, y, z), 0, c as i64, 0);
        is_right("ilastik.h5", None, &[('c', c)], &expected);
        is_right("ilastik.h5", Some("columns"), &[('c', c)], &expected);
        is_right("imaris.h5", None, &[('t', 0), ('c', c)], &expected);
        is_right("bigdataviewer.h5", None, &[('t', 0), ('c', c)], &expected);
    }
}

#[test]
fn damaged_layouts_never_panic() {
    damage_is_survived_with(
        &file("ilastik"),
        &Selection { select: [('t', 0), ('c', 1)].into(), ..Selection::default() },
    );
    damage_is_survived_with(&file("matlab"), &dataset("volume"));
    damage_is_survived_with(&file("matlab"), &dataset("section"));
    damage_is_survived_with(&file("bigdataviewer"), &at(1, 1, 1));
    damage_is_survived_with(&file("imaris"), &at(1, 1, 1));
}
