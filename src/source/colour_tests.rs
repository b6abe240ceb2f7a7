//! Colour images made by other programs, in all formats.

use std::fs;
use std::sync::Arc;

use super::super::conformance::{
    blocks_are_right, colour_voxel, coloured, damage_is_survived, damage_is_survived_with, foreign, foreign_voxel,
    open_file, remotes, voxels_are_right,
};
use super::super::location::Located;
use super::super::{Plan, ReadPlan, RegionReader, Selection, Shared, Sources, Step, Target, TileBytes, format};
use super::*;
use crate::volume::{Block, Dtype, Region, Size};

const SIZE: Size = Size::new(61, 37, 1);

fn shared(limit_bytes: u64) -> Arc<Shared> {
    Arc::new(Shared::new(limit_bytes, 0))
}

fn open(name: &str) -> Arc<dyn RegionReader> {
    open_file(&foreign(name)).unwrap()
}

/// What the header alone says.
fn header_info(name: &str, selection: &Selection) -> Result<Arc<SourceInfo>, SourceError> {
    let located = Located::find(&foreign(""), foreign(name).to_str().unwrap(), &remotes())?;
    format::info(&located, None, selection, &shared(1 << 20))
}

/// Each channel has its voxels, and header and reader agree on what it is.
fn channels_are_right(name: &str, dtype: Dtype, channels: u64) {
    let reader = open(name);
    let all = reader.info(&Selection::default()).unwrap();
    assert_eq!((all.axes.as_str(), all.channels, all.dtype, all.size), ("yxc", channels, dtype, SIZE), "{name}");
    assert!(!all.is_plain && all.is_flat());
    for channel in 0..channels {
        let selection = coloured(Colour::Channel(channel));
        let info = reader.info(&selection).unwrap();
        assert_eq!((info.axes.as_str(), info.channels, info.is_plain), ("yx", channels, false));
        assert_eq!(info, header_info(name, &selection).unwrap());
        voxels_are_right(&*reader, &selection, |x, y, z| colour_voxel(x, y, z, channel as i64));
    }
    assert_eq!(all, header_info(name, &Selection::default()).unwrap());
}

/// The grey is what `make_colours.py` wrote of the type, which for 8 bits is Pillow's.
fn gray_is_right(name: &str, dtype: Dtype) {
    let gray = fs::read(foreign(&format!("colour_{dtype}.gray.raw"))).unwrap();
    let gray = Block::from_bytes(dtype, SIZE, gray).unwrap();
    blocks_are_right(&*open(name), &coloured(Colour::Gray), |region, _| gray.cut(region));
}

/// The names and types of the strips and tiles of three colours.
fn layouts() -> Vec<(String, Dtype)> {
    let mut layouts = Vec::new();
    for planar in ["chunky", "planar"] {
        for (layout, dtype) in [("strips", Dtype::Uint8), ("tiles", Dtype::Uint16)] {
            for codec in ["none", "lzw", "deflate"] {
                layouts.push((format!("colour_{planar}_{layout}_{codec}.tif"), dtype));
            }
        }
    }
    layouts
}

#[test]
fn colours_of_png_are_right() {
    for (name, dtype, channels) in [
        ("rgb8", Dtype::Uint8, 3),
        ("rgb16", Dtype::Uint16, 3),
        ("rgba8", Dtype::Uint8, 4),
        ("rgba16", Dtype::Uint16, 4),
        ("interlaced", Dtype::Uint8, 3),
    ] {
        channels_are_right(&format!("colour_{name}.png"), dtype, channels);
        gray_is_right(&format!("colour_{name}.png"), dtype);
    }
}

#[test]
fn the_grey_beside_alpha_is_the_grey() {
    for (name, dtype) in [("la8.png", Dtype::Uint8), ("la16.png", Dtype::Uint16), ("la.tif", Dtype::Uint8)] {
        channels_are_right(&format!("colour_{name}"), dtype, 2);
        let reader = open(&format!("colour_{name}"));
        voxels_are_right(&*reader, &coloured(Colour::Gray), |x, y, z| colour_voxel(x, y, z, 0));
    }
}

#[test]
fn colours_of_tiff_are_right_however_they_lie() {
    for (name, dtype) in layouts() {
        channels_are_right(&name, dtype, 3);
        gray_is_right(&name, dtype);
    }
    channels_are_right("colour_rgba.tif", Dtype::Uint8, 4);
    // A fourth sample that says nothing of itself is no colour.
    gray_is_right("colour_rgbx.tif", Dtype::Uint8);
    gray_is_right("colour_rgba.tif", Dtype::Uint8);
}

#[test]
fn colours_of_every_voxel_type_are_right() {
    for dtype in Dtype::ALL.into_iter().filter(|dtype| !matches!(dtype, Dtype::Uint8 | Dtype::Uint16)) {
        channels_are_right(&format!("colour_{dtype}.tif"), dtype, 3);
        gray_is_right(&format!("colour_{dtype}.tif"), dtype);
    }
    for codec in ["lzw", "zlib"] {
        channels_are_right(&format!("colour_floating_{codec}.tif"), Dtype::Float32, 3);
    }
}

#[test]
fn channels_of_microscopes_are_right_and_have_no_grey() {
    for (name, dtype, channels) in [
        ("5_chunky", Dtype::Uint16, 5),
        ("5_planar", Dtype::Uint16, 5),
        ("4_planar_strips", Dtype::Uint8, 4),
        ("2_chunky", Dtype::Uint8, 2),
        ("inks", Dtype::Uint8, 4),
    ] {
        let name = format!("colour_{name}.tif");
        channels_are_right(&name, dtype, channels);
        let error = open(&name).info(&coloured(Colour::Gray)).unwrap_err();
        assert!(error.to_string().ends_with(&format!("with {channels} channels of unknown colours")), "{error}");
        assert_eq!(error.hint().unwrap(), "set `channel` in the plan to take one of them");
    }
}

#[test]
fn colours_of_jpeg_are_close_to_what_libjpeg_decodes() {
    // Programs differ in how they smooth colours that were stored at half the resolution.
    let cases = [
        ("full.jpg", 2),
        ("progressive.jpg", 2),
        ("stored_rgb.jpg", 1),
        ("subsampled.jpg", 3),
        ("jpeg_rgb.tif", 1),
        ("jpeg_ycbcr.tif", 3),
    ];
    for (name, allowed) in cases {
        let stem = name.split('.').next().unwrap();
        let rgb = fs::read(foreign(&format!("colour_{stem}.rgb.raw"))).unwrap();
        let reader = open(&format!("colour_{name}"));
        let planes = [0, 1, 2].map(|n| reader.read(&coloured(Colour::Channel(n)), &Region::of_size(SIZE)).unwrap());
        for (n, plane) in planes.iter().enumerate() {
            let theirs = rgb.iter().skip(n).step_by(3);
            let differ = plane.as_bytes().iter().zip(theirs).map(|(ours, theirs)| ours.abs_diff(*theirs)).max();
            assert!(differ <= Some(allowed), "{name}, channel {n}: {differ:?}");
            let selection = coloured(Colour::Channel(n as u64));
            blocks_are_right(&*reader, &selection, |region, _| plane.cut(region));
        }
        let gray = |n: usize| {
            let [red, green, blue] = [0, 1, 2].map(|channel: usize| u32::from(planes[channel].as_bytes()[n]));
            i64::from((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16)
        };
        voxels_are_right(&*reader, &coloured(Colour::Gray), |x, y, _| gray((x + 61 * y) as usize));
    }
}

#[test]
fn pages_of_colours_are_sections() {
    let reader = open("colour_pages.tif");
    let all = reader.info(&Selection::default()).unwrap();
    assert_eq!((all.axes.as_str(), all.size), ("zyxc", Size::new(61, 37, 4)));
    let red = coloured(Colour::Channel(0));
    assert_eq!(reader.info(&red).unwrap().axes, "zyx");
    voxels_are_right(&*reader, &red, |x, y, z| colour_voxel(x, y, z, 0));
    let page = Selection { page: Some(3), ..coloured(Colour::Channel(2)) };
    assert_eq!(reader.info(&page).unwrap().axes, "yx");
    voxels_are_right(&*reader, &page, |x, y, _| colour_voxel(x, y, 3, 2));

    let reader = open("colour_pages_differ.tif");
    let error = reader.info(&red).unwrap_err();
    let expected = "page 1 is 61 × 37 of uint8, page 0 is 61 × 37 of uint8 in 3 channels";
    assert!(error.to_string().ends_with(expected), "{error}");
    let grey = Selection { page: Some(1), ..red.clone() };
    voxels_are_right(&*reader, &grey, foreign_voxel);
}

#[test]
fn a_grey_image_is_its_channel_0_and_its_own_grey() {
    for name in ["grey16.png", "smooth.jpg", "strips_lzw_8_le.tif", "pages_8.tif"] {
        let reader = open(name);
        let plain = reader.info(&Selection::default()).unwrap();
        let whole = reader.read(&Selection::default(), &plain.region()).unwrap();
        for colour in [Colour::Channel(0), Colour::Gray] {
            assert_eq!(reader.info(&coloured(colour)).unwrap(), plain);
            blocks_are_right(&*reader, &coloured(colour), |region, _| whole.cut(region));
        }
        let error = reader.info(&coloured(Colour::Channel(1))).unwrap_err();
        assert!(error.to_string().ends_with("wants channel 1, counted from 0, of a grey image"), "{error}");
    }
}

#[test]
fn without_a_choice_colours_can_be_looked_at_but_not_read() {
    let expected = [
        ("colour_rgb8.png", "png, 61 × 37 voxels of uint8 in 3 channels", "is a png image with 3 channels"),
        ("colour_full.jpg", "jpeg, 61 × 37 voxels of uint8 in 3 channels", "is a jpeg image with 3 channels"),
        (
            "colour_5_planar.tif",
            "tiff, 61 × 37 voxels of uint16 in 5 channels, in blocks of 32 × 16",
            "is a tiff image with 5 channels",
        ),
    ];
    let sources = Sources::new(foreign(""), 0);
    for (name, what, why) in expected {
        assert_eq!(sources.info(name).unwrap().to_string(), what);
        let (reader, mut block) = (open(name), Block::zeros(sources.info(name).unwrap().dtype, SIZE));
        let region = Region::of_size(SIZE);
        let read = reader.read_into(&Selection::default(), &region, &mut block, (0, 0, 0));
        for error in [read.unwrap_err(), reader.read(&Selection::default(), &region).unwrap_err()] {
            assert!(error.to_string().ends_with(why), "{error}");
            assert!(error.hint().unwrap().starts_with("set `channel = 0` or `gray = true` in the plan"));
        }
    }
    let red = open("colour_rgb8.png").info(&coloured(Colour::Channel(0))).unwrap();
    assert_eq!(red.to_string(), "png, 61 × 37 voxels of uint8 out of 3 channels");
}

#[test]
fn plans_that_choose_are_read_and_others_refused_before_anything_is_decoded() {
    let sources = Sources::new(foreign(""), 1 << 20);
    for (name, dtype) in [("colour_rgb8.png", Dtype::Uint8), ("colour_planar_tiles_lzw.tif", Dtype::Uint16)] {
        let target = Target { size: SIZE, dtype, required: Region::of_size(SIZE) };
        let plan = |colour| {
            let mut plan = ReadPlan::new(name).with(Step::Whole);
            plan.source.colour = colour;
            Plan::Read(plan)
        };
        for colour in [Colour::Channel(2), Colour::Gray, Colour::Channel(0)] {
            let expected = open(name).read(&coloured(colour), &Region::of_size(SIZE)).unwrap();
            assert!(sources.read(&plan(colour), &target).unwrap() == expected, "{name}");
            assert!(sources.read_tile(&plan(colour), &target).unwrap() == TileBytes::Voxels(expected), "{name}");
        }
        let refused = sources.verify(&plan(Colour::None), &target).unwrap_err();
        assert!(refused.to_string().ends_with("image with 3 channels"), "{refused}");
        let refused = sources.verify(&plan(Colour::Channel(3)), &target).unwrap_err();
        assert!(refused.to_string().ends_with("wants channel 3, counted from 0, of 3"), "{refused}");
    }
}

#[test]
fn what_an_image_does_not_have_is_a_mistake_of_the_plan() {
    let named = Selection { dataset: Some("main/raw".to_owned()), ..Selection::default() };
    let level = |level| Selection { level: Some(level), ..Selection::default() };
    for (name, format) in
        [("colour_rgb8.png", "png"), ("grey8.png", "png"), ("pages_8.tif", "tiff"), ("smooth.jpg", "jpeg")]
    {
        let reader = open(name);
        for (selection, expected) in [
            (&named, format!("names the dataset `main/raw`, but a {format} image has none")),
            (&level(2), "wants level 2, counted from 0, of 1".to_owned()),
        ] {
            for error in [reader.info(selection).unwrap_err(), header_info(name, selection).unwrap_err()] {
                assert!(matches!(error, SourceError::Plan { .. }) && error.to_string().ends_with(&expected), "{error}");
            }
        }
        assert!(reader.info(&level(0)).is_ok());
    }
    for name in ["colour_rgb8.png", "colour_full.jpg", "colour_chunky_strips_lzw.tif"] {
        let error = open(name).info(&coloured(Colour::Channel(3))).unwrap_err();
        assert!(error.to_string().ends_with("wants channel 3, counted from 0, of 3"), "{error}");
    }
}

#[test]
fn what_is_not_read_is_refused_by_name() {
    let cases = [("cmyk.jpg", "is a jpeg image with CMYK colours")];
    for (name, expected) in cases {
        let error = header_info(name, &coloured(Colour::Channel(0))).unwrap_err();
        assert!(error.to_string().ends_with(expected), "{error}");
    }
}

#[test]
fn one_plane_is_kept_and_its_memory_counted() {
    for (name, dtype, bytes) in
        [("colour_rgba16.png", Dtype::Uint16, 61 * 37 * 2), ("colour_full.jpg", Dtype::Uint8, 61 * 37)]
    {
        let sources = Sources::new(foreign(""), 1 << 20);
        let mut plan = ReadPlan::new(name).with(Step::Crop(Region::of_size(Size::new(3, 3, 1))));
        plan.source.colour = Colour::Channel(1);
        let size = Size::new(3, 3, 1);
        let target = Target { size, dtype, required: Region::of_size(size) };
        (0..3).for_each(|_| drop(sources.read(&Plan::Read(plan.clone()), &target).unwrap()));
        assert_eq!((sources.kept().memory_bytes, sources.kept().images_decoded), (bytes, 1), "{name}");
        let info = header_info(name, &coloured(Colour::Gray)).unwrap();
        assert_eq!(info.decoded_channels, info.channels);
    }
    let limited = |name: &str, limit: u64| {
        let located = Located::find(&foreign(""), name, &remotes()).unwrap();
        format::open(&located, None, &shared(limit))?.read(&coloured(Colour::Channel(1)), &Region::of_size(SIZE))
    };
    let needs_all = 61 * 37 * 3;
    assert!(limited("colour_rgb8.png", 61 * 37).is_ok());
    for (name, limit, needed) in [
        ("colour_rgb8.png", 61 * 37 - 1, 61 * 37),
        ("colour_full.jpg", needs_all - 1, needs_all),
        ("colour_chunky_tiles_lzw.tif", 32 * 16 * 2 * 3 - 1, 32 * 16 * 2 * 3),
    ] {
        let error = limited(name, limit).unwrap_err();
        assert!(matches!(error, SourceError::LimitsExceeded { needed_bytes, .. } if needed_bytes == needed), "{error}");
    }
}

#[test]
fn only_the_wanted_plane_of_a_planar_page_is_decoded() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("planar.tif");
    let mut bytes = fs::read(foreign("colour_planar_tiles_deflate.tif")).unwrap();
    // The data of the planes lies in their order behind the header; the last third is blue's.
    let end = bytes.len();
    bytes[end - 300..].fill(0xff);
    fs::write(&file, bytes).unwrap();
    let reader = open_file(&file).unwrap();
    for channel in [0, 1] {
        voxels_are_right(&*reader, &coloured(Colour::Channel(channel)), |x, y, z| {
            colour_voxel(x, y, z, channel as i64)
        });
    }
    for colour in [Colour::Channel(2), Colour::Gray] {
        let read = reader.read(&coloured(colour), &Region::of_size(SIZE));
        assert!(matches!(read, Err(SourceError::Damaged { .. })), "{read:?}");
    }
    let decoded = |colour| header_info("colour_5_planar.tif", &coloured(colour)).unwrap().decoded_channels;
    assert_eq!((decoded(Colour::Channel(4)), decoded(Colour::None)), (1, 5));
}

#[test]
fn damaged_files_never_panic() {
    let names = [
        "colour_rgb16.png",
        "colour_la8.png",
        "colour_full.jpg",
        "colour_progressive.jpg",
        "colour_rgba.tif",
        "colour_jpeg_ycbcr.tif",
        "colour_floating_lzw.tif",
        "colour_chunky_strips_deflate.tif",
        "colour_planar_strips_none.tif",
        "colour_planar_tiles_lzw.tif",
        "colour_planar_tiles_deflate.tif",
    ];
    for (n, name) in names.into_iter().enumerate() {
        let colour = if n % 2 == 0 { Colour::Gray } else { Colour::Channel(1) };
        damage_is_survived_with(&foreign(name), &coloured(colour));
    }
    damage_is_survived(&foreign("colour_full.jpg"));
    damage_is_survived(&foreign("colour_planar_tiles_none.tif"));
}
