use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::conformance::{damage_is_survived, foreign_voxel, open_file, voxels_are_right};
use super::super::{
    Colour, Plan, ReadPlan, RegionReader, Selection, SourceError, SourceRef, Sources, Step, Target, format,
};
use crate::source::Number;
use crate::volume::{Dtype, Region, Size};

/// The folder of files that `tests/foreign/make_flat.py` makes.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/flat")
}

fn open(name: &str) -> Result<Arc<dyn RegionReader>, SourceError> {
    open_file(&folder().join(name))
}

/// The voxel at these coordinates of the arrays that have a time and channels, before it is wrapped to their type.
fn voxel(x: i64, y: i64, z: i64, c: i64, t: i64) -> i64 {
    foreign_voxel(x, y, z) + 4001 * c + 30011 * t
}

fn is_right(name: &str, dtype: Dtype, expected: impl Fn(i64, i64, i64) -> i64) {
    let reader = open(name).unwrap_or_else(|error| panic!("{name}: {error:?}"));
    assert_eq!(reader.info(&Selection::default()).unwrap().dtype, dtype, "{name}");
    voxels_are_right(&*reader, &Selection::default(), expected);
}

fn half(x: i64, y: i64, z: i64) -> i64 {
    foreign_voxel(x, y, z) % 2048
}

fn at(select: &[(char, u64)]) -> Selection {
    Selection { select: select.iter().copied().collect(), ..Selection::default() }
}

/// Each file is refused as not supported, and its message ends with these words.
fn are_refused(cases: &[(&str, &str)]) {
    for (name, expected) in cases {
        let read = open(name).and_then(|reader| reader.info(&Selection::default()));
        let error = read.err().unwrap_or_else(|| panic!("{name} is read"));
        assert!(matches!(error, SourceError::NotSupported { .. }), "{name}: {error:?}");
        assert!(error.to_string().ends_with(expected), "{error}");
    }
}

#[test]
fn every_type_is_right_in_either_byte_order() {
    for order in ["le", "be"] {
        for dtype in Dtype::ALL {
            is_right(&format!("{dtype}_{order}.npy"), dtype, foreign_voxel);
            is_right(&format!("{dtype}_{order}.nii"), dtype, foreign_voxel);
        }
        for dtype in [Dtype::Int8, Dtype::Int16, Dtype::Uint16, Dtype::Float32] {
            is_right(&format!("{dtype}_{order}.mrc"), dtype, foreign_voxel);
        }
        is_right(&format!("half_{order}.npy"), Dtype::Float32, half);
        is_right(&format!("half_{order}.mrc"), Dtype::Float32, half);
    }
    for dtype in Dtype::ALL {
        is_right(&format!("{dtype}.nrrd"), dtype, foreign_voxel);
    }
    is_right("big.nrrd", Dtype::Uint16, foreign_voxel);
    is_right("bool.npy", Dtype::Uint8, |x, y, z| i64::from(foreign_voxel(x, y, z) % 3 == 0));
}

#[test]
fn maps_are_read_whatever_their_header_lacks() {
    for name in ["extended.mrc", "extended.mrc.gz", "wrong_stamp.mrc", "no_stamp.mrc"] {
        is_right(name, Dtype::Int16, foreign_voxel);
    }
    for name in ["section.mrc", "stack.mrc", "volumes.mrc", "turned.mrc", "no_axes.mrc"] {
        is_right(name, Dtype::Uint16, foreign_voxel);
    }
    is_right("imod_unsigned.mrc", Dtype::Uint8, foreign_voxel);
    is_right("imod_signed.mrc", Dtype::Int8, foreign_voxel);
    let info = |name| open(name).unwrap().info(&Selection::default()).unwrap();
    assert_eq!((info("section.mrc").axes.as_str(), info("volumes.mrc").size), ("yx", Size::new(9, 7, 6)));
    assert_eq!((info("turned.mrc").axes.as_str(), info("turned.mrc").size), ("zyx", Size::new(9, 7, 5)));
    assert_eq!(info("turned.mrc").block, Size::new(1, 1, 5));
    assert_eq!(info("extended.mrc").to_string(), "mrc, 23 × 19 × 11 voxels of int16, in blocks of 23 × 1");
}

#[test]
fn an_old_map_is_read_where_the_plan_says_that_it_is_one() {
    assert_eq!(
        open("old.mrc").err().unwrap().to_string().split_once("` ").unwrap().1,
        "is of no format that is read here"
    );
    let sources = Sources::new(folder(), 1 << 20);
    let source = SourceRef { format: Some("mrc".to_owned()), ..SourceRef::new("old.mrc") };
    voxels_are_right(&*sources.open(&source).unwrap(), &Selection::default(), foreign_voxel);
}

#[test]
fn nifti_files_are_right_in_all_their_forms() {
    for name in ["two.nii", "packed.nii", "packed.nii.gz"] {
        is_right(name, Dtype::Uint16, foreign_voxel);
    }
    is_right("two_be.nii", Dtype::Int32, foreign_voxel);
    voxels_are_right(&*open("seven.nii").unwrap(), &at(&[('t', 0), ('c', 0)]), foreign_voxel);
    is_right("yx.nii", Dtype::Uint8, foreign_voxel);
    // Nobody applies the slope but the plan.
    for name in ["pair.hdr", "scaled.nii", "no_offset.nii"] {
        is_right(name, Dtype::Int16, foreign_voxel);
    }
}

#[test]
fn arrays_of_any_number_of_axes_are_right() {
    for name in ["fortran.npy", "version1.npy", "version2.npy", "version3.npy", "x.npy", "yx.npy"] {
        is_right(name, Dtype::Uint16, foreign_voxel);
    }
    is_right("fortran_be.npy", Dtype::Uint32, foreign_voxel);
    is_right("scalar.npy", Dtype::Uint16, |_, _, _| 7);
    assert_eq!(open("fortran.npy").unwrap().info(&Selection::default()).unwrap().block, Size::new(1, 1, 11));
    for (t, c) in [(0, 0), (1, 1), (2, 0)] {
        let expected = |x, y, z| voxel(x, y, z, c as i64, t as i64);
        for name in ["tczyx.npy", "tczyx_fortran.npy", "ctzyx.nii"] {
            voxels_are_right(&*open(name).unwrap(), &at(&[('t', t), ('c', c)]), expected);
            voxels_are_right(&*open(name).unwrap(), &at(&[('t', t), ('c', c), ('z', 3)]), |x, y, _| expected(x, y, 3));
        }
        for name in ["tzyx.npy", "tzyx.nii", "raw_zyxt.raw"] {
            voxels_are_right(&*open(name).unwrap(), &at(&[('t', t)]), |x, y, z| voxel(x, y, z, 0, t as i64));
        }
        let channel = Selection { colour: Colour::Channel(t), ..Selection::default() };
        for name in ["colours.nrrd", "meta_channels.mha"] {
            let expected = |x, y, z| voxel(x, y, z, t as i64, 0);
            voxels_are_right(&*open(name).unwrap(), &at(&[('c', t)]), expected);
            voxels_are_right(&*open(name).unwrap(), &channel, expected);
        }
    }
    let info = |name| open(name).unwrap().info(&Selection::default()).unwrap();
    assert_eq!((info("ctzyx.nii").axes.as_str(), info("colours.nrrd").axes.as_str()), ("ctzyx", "zyxc"));
    assert_eq!((info("colours.nrrd").channels, info("colours.nrrd").decoded_channels), (3, 3));
    assert_eq!(info("empty.npy").size, Size::new(5, 4, 0));
}

#[test]
fn voxels_beside_their_header_are_right() {
    for name in ["detached.nhdr", "detached_gzip.nhdr", "gzip.nrrd", "meta.mhd"] {
        is_right(name, Dtype::Uint16, foreign_voxel);
    }
    is_right("meta.mha", Dtype::Int32, foreign_voxel);
    is_right("meta_float.mha", Dtype::Float64, foreign_voxel);
    is_right("meta_big.mhd", Dtype::Int16, foreign_voxel);
    for name in ["raw_plain.raw", "raw_big.raw", "raw_xyz.raw"] {
        is_right(name, Dtype::Uint16, foreign_voxel);
    }
}

#[test]
fn plans_read_them_with_the_axes_that_they_name() {
    let sources = Sources::new(folder(), 1 << 20);
    let size = Size::new(9, 7, 5);
    let target = Target { size, dtype: Dtype::Uint16, required: Region::of_size(size) };
    let read = |name: &str, axes: Option<&str>, select: &[(char, u64)]| {
        let mut plan = ReadPlan::new(name);
        plan.source.axes = axes.map(str::to_owned);
        plan.source.select = select.iter().copied().collect();
        sources.read(&Plan::Read(plan.with(Step::Whole)), &target).unwrap()
    };
    let expected = read("raw_plain.raw", None, &[]);
    assert!(read("raw_xyz.raw", None, &[]) == expected);
    assert!(read("turned.mrc", Some("zyx"), &[]) == expected);
    let mut plan = ReadPlan::new("raw_xyc.raw");
    plan.source.select = [('c', 2)].into();
    let section = Size::new(9, 7, 1);
    let target = Target { size: section, dtype: Dtype::Uint16, required: Region::of_size(section) };
    let channel = sources.read(&Plan::Read(plan.with(Step::Whole)), &target).unwrap();
    let reader = open("raw_xyc.raw").unwrap();
    let chosen = Selection { colour: Colour::Channel(2), ..Selection::default() };
    voxels_are_right(&*reader, &chosen, |x, y, z| voxel(x, y, z, 2, 0));
    assert!(reader.read(&chosen, &Region::of_size(section)).unwrap() == channel);
    assert!(read("tczyx.npy", None, &[('t', 0), ('c', 0)]) == expected);
    assert!(read("colours.nrrd", None, &[('c', 0)]) == expected);
}

#[test]
fn what_is_not_read_is_refused_by_name() {
    are_refused(&[
        ("complex.mrc", "holds complex values (mode 4)"),
        ("mode3.mrc", "holds complex values (mode 3)"),
        ("mode16.mrc", "holds colours (mode 16)"),
        ("mode101.mrc", "holds 4-bit values (mode 101)"),
        ("mode7.mrc", "holds values of mode 7"),
        ("complex.nii", "holds complex values (NIfTI datatype 32)"),
        ("colours.nii", "holds colours (NIfTI datatype 128)"),
        ("six.nii", "holds an array of 6 axes"),
        ("six.npy", "holds an array of 6 axes"),
        ("complex.npy", "holds complex values"),
        ("records.npy", "holds records of several values"),
        ("objects.npy", "holds Python objects"),
        ("strings.npy", "holds strings"),
        ("dates.npy", "holds dates"),
        ("long_floats.npy", "holds values of the type `<f16`"),
        ("text.nrrd", "holds values in the encoding `ascii`"),
        ("bzip2.nrrd", "holds values in the encoding `bzip2`"),
        ("meta_packed.mha", "holds packed values (`CompressedData`)"),
        ("raw_alone.raw", "needs a file `raw_alone.raw.json` beside it that says what its voxels are"),
    ]);
    let hint = open("raw_alone.raw").err().unwrap().hint().unwrap();
    let expected = r#"write `raw_alone.raw.json`, such as {"dtype": "uint8", "shape": [100, 512, 512], "axes": "zyx"}"#;
    assert_eq!(hint, expected);
    let dataset = Selection { dataset: Some("main".to_owned()), ..Selection::default() };
    let error = open("yx.npy").unwrap().info(&dataset).unwrap_err();
    assert!(error.to_string().ends_with("names the dataset `main`, but a npy image has none"), "{error}");
}

#[test]
fn a_sidecar_that_says_something_else_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("em.raw");
    std::fs::write(&file, [0; 24]).unwrap();
    let cases = [
        (r#"{"dtype": "uint8", "shpe": [2, 3, 4]}"#, "has the key `shpe`, which means nothing here", Some("shape")),
        (r#"{"dtype": "uint8"}"#, "has no `shape`, a list of lengths, the axis that is stored slowest first", None),
        (
            r#"{"dtype": "unit8", "shape": [2, 3, 4]}"#,
            "has the dtype \"unit8\", which must be a voxel type such as `uint8`",
            Some("uint8"),
        ),
        (
            r#"{"dtype": "uint8", "shape": [2, 3, 4], "axes": "zzx"}"#,
            "has the axes \"zzx\", which must be as many of the letters `t c z y x` as `shape` has lengths",
            None,
        ),
        (
            r#"{"dtype": "uint8", "shape": [2, 3, 4], "byte_order": ">"}"#,
            "has the byte_order \">\", which must be `little` or `big`",
            None,
        ),
        (
            r#"{"dtype": "uint8", "shape": [2, 3, 4], "offset": -1}"#,
            "has the offset -1, which must be a number of bytes",
            None,
        ),
        (r#"{"dtype": "uint8", "shape": [2, 3, 3]}"#, "em.raw`", None),
        ("[]", "is no JSON object (invalid type: sequence, expected a map at line 1 column 0)", None),
    ];
    for (sidecar, expected, meant) in cases {
        std::fs::write(folder.path().join("em.raw.json"), sidecar).unwrap();
        let error = open_file(&file).err().unwrap_or_else(|| panic!("{sidecar}"));
        assert!(error.to_string().ends_with(expected), "{error}");
        if let Some(meant) = meant {
            assert_eq!(error.hint().unwrap(), format!("did you mean `{meant}`?"));
        }
    }
    std::fs::write(folder.path().join("em.raw.json"), r#"{"dtype": "uint8", "shape": [2, 3, 5]}"#).unwrap();
    assert!(matches!(open_file(&file), Err(SourceError::Damaged { .. })));
}

#[test]
fn a_stopped_copy_is_told() {
    let temporary = tempfile::tempdir().unwrap();
    for name in ["extended.mrc", "int16_be.nii", "fortran.npy", "big.nrrd", "meta.mha"] {
        let whole = std::fs::read(folder().join(name)).unwrap();
        let stopped = temporary.path().join(name);
        std::fs::write(&stopped, &whole[..whole.len() - 1]).unwrap();
        let Err(SourceError::Damaged { source, .. }) = open_file(&stopped) else { panic!("{name}") };
        let cause = std::error::Error::source(&source).unwrap().to_string();
        assert_eq!(cause, format!("the file ends at {} of {} bytes", whole.len() - 1, whole.len()));
    }
    for name in ["packed.nii.gz", "extended.mrc.gz", "gzip.nrrd"] {
        let whole = std::fs::read(folder().join(name)).unwrap();
        let stopped = temporary.path().join(name);
        for cut in [1, 9, 500] {
            std::fs::write(&stopped, &whole[..whole.len() - cut]).unwrap();
            let reader = open_file(&stopped).unwrap();
            let region = reader.info(&Selection::default()).unwrap().region();
            let read = reader.read(&Selection::default(), &region);
            assert!(matches!(read, Err(SourceError::Damaged { .. })), "{name} without {cut} bytes");
        }
    }
}

#[test]
fn what_unpacks_to_more_than_the_limit_is_refused_before_it_is_unpacked() {
    let sources = Sources::new(folder(), 0).with_limit(9000);
    let error = sources.info("packed.nii.gz").unwrap_err();
    assert_eq!(error.to_string(), "`packed.nii.gz` needs 9966 bytes in memory, the limit is 9000");
    // What lies open is not held in memory.
    assert!(sources.info("packed.nii").is_ok());
}

#[test]
fn a_header_that_promises_too_much_is_damage() {
    let temporary = tempfile::tempdir().unwrap();
    let file = temporary.path().join("bad");
    let mut header = std::fs::read(folder().join("int16_le.nii")).unwrap();
    // Seven axes of 32767 voxels each are more than 64 bits count.
    for n in 0..8 {
        header[40 + 2 * n..][..2].copy_from_slice(&if n == 0 { 5i16 } else { i16::MAX }.to_le_bytes());
    }
    for bytes in [header.clone(), gzipped(&header)] {
        std::fs::write(&file, bytes).unwrap();
        assert!(matches!(open_file(&file), Err(SourceError::Damaged { .. })));
    }
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn damaged_files_never_panic() {
    for name in ["int16_be.mrc", "half_le.mrc", "turned.mrc", "extended.mrc.gz"] {
        damage_is_survived(&folder().join(name));
    }
    for name in ["int16_be.nii", "two_be.nii", "packed.nii.gz"] {
        damage_is_survived(&folder().join(name));
    }
    for name in ["uint8_le.npy", "fortran_be.npy", "version2.npy", "scalar.npy", "records.npy"] {
        damage_is_survived(&folder().join(name));
    }
    for name in ["big.nrrd", "gzip.nrrd", "meta.mha"] {
        damage_is_survived(&folder().join(name));
    }
}

#[test]
fn every_voxel_can_be_read_for_a_check() {
    let sources = Sources::new(folder(), 1 << 20);
    for name in ["extended.mrc", "packed.nii.gz", "fortran.npy", "raw_plain.raw"] {
        sources.sound(&SourceRef::new(name)).unwrap();
        sources.decode_all(&SourceRef::new(name)).unwrap();
    }
    assert_eq!(sources.scalars(&SourceRef::new("scalar.npy")).unwrap(), [Number::Integer(7)]);
}

#[test]
fn threads_read_one_file_side_by_side() {
    for name in ["extended.mrc", "packed.nii.gz"] {
        let reader = open(name).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| voxels_are_right(&*reader, &Selection::default(), foreign_voxel));
            }
        });
    }
}

#[test]
fn every_name_of_a_format_is_understood() {
    for name in format::Format::names() {
        let source = SourceRef { format: Some(name.to_owned()), ..SourceRef::new("a") };
        assert!(format::forced(&source).unwrap().is_some());
    }
}
