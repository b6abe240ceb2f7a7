//! Stacks of sections cut into many tiles: how often each section is decoded, and that voxels are right all the same.

use std::fs;
use std::path::Path;
use std::sync::Mutex;

use super::super::conformance::{foreign, foreign_voxel};
use super::super::{Colour, Kept, Plan, ReadPlan, Scratch, SourceRef, Sources, Step, Target};
use super::*;
use crate::codec::{ImageFormat, encode};
use crate::volume::Region;

const SECTIONS: i64 = 16;
const SECTION: Size = Size::new(512, 512, 1);
const SECTION_BYTES: u64 = 512 * 512;
const TILE: Size = Size::new(64, 64, 1);

fn section(z: i64, region: &Region) -> Block {
    let mut bytes = Vec::new();
    for y in region.y.start..region.y.stop {
        bytes.extend((region.x.start..region.x.stop).map(|x| foreign_voxel(x, y, z) as u8));
    }
    Block::from_bytes(Dtype::Uint8, region.size(), bytes).unwrap()
}

/// A folder with the sections `s0.png` to `s15.png`.
fn stack() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for z in 0..SECTIONS {
        let png = encode(&section(z, &Region::of_size(SECTION)), ImageFormat::Png).unwrap();
        fs::write(folder.path().join(format!("s{z}.png")), png).unwrap();
    }
    folder
}

fn read(sources: &Sources, path: &str, region: Region) -> Result<Block, SourceError> {
    let plan = Plan::Read(ReadPlan::new(path).with(Step::Crop(region)));
    let size = region.size();
    sources.read(&plan, &Target { size, dtype: Dtype::Uint8, required: Region::of_size(size) })
}

/// The tiles of the stack, all sections of one before the next.
fn tiles() -> Vec<(i64, Region)> {
    let places = (0..8).flat_map(|y| (0..8).map(move |x| Region::of_size(TILE).shift(64 * x, 64 * y, 0)));
    places.flat_map(|region| (0..SECTIONS).map(move |z| (z, region))).collect()
}

/// Reads tiles on four threads, in this order, and compares every voxel.
fn read_tiles(sources: &Sources, tiles: Vec<(i64, Region)>) {
    let tiles = Mutex::new(tiles.into_iter());
    let next = || tiles.lock().unwrap().next();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some((z, region)) = next() {
                    let block = read(sources, &format!("s{z}.png"), region).unwrap();
                    assert!(block == section(z, &region), "section {z} at {region}");
                }
            });
        }
    });
}

/// Sources whose cache has room for so many sections, with so many bytes of scratch.
fn sources(folder: &Path, sections: u64, scratch: Option<u64>) -> (tempfile::TempDir, Sources) {
    let dir = tempfile::tempdir().unwrap();
    let sources = Sources::new(folder.to_owned(), (sections * SECTION_BYTES + 1000) * 4 / 3);
    let scratch = scratch.map(|bytes| Scratch::new(dir.path().to_owned(), Some(bytes)));
    (
        dir,
        match scratch {
            Some(scratch) => sources.with_scratch(scratch),
            None => sources,
        },
    )
}

#[test]
fn every_section_is_decoded_once_in_any_order() {
    let folder = stack();
    let mut shuffled = tiles();
    fastrand::Rng::with_seed(4).shuffle(&mut shuffled);
    // All in memory; all in scratch, being more than an eighth of the cache; ten in memory, the rest in scratch.
    for (room, scratch, in_memory) in [(16, None, 16), (2, Some(1 << 30), 0), (10, Some(1 << 30), 10)] {
        for order in [tiles(), shuffled.clone()] {
            let (_dir, sources) = sources(folder.path(), room, scratch);
            read_tiles(&sources, order);
            let kept = Kept {
                images_decoded: 16,
                memory_bytes: in_memory * SECTION_BYTES,
                scratch_bytes: (16 - in_memory) * SECTION_BYTES,
            };
            assert_eq!(sources.kept(), kept, "room for {room} sections");
        }
    }
}

#[test]
fn where_nothing_has_room_the_voxels_are_right_all_the_same() {
    let folder = stack();
    for (room, scratch) in [(2, None), (0, None), (2, Some(0)), (0, Some(3 * SECTION_BYTES))] {
        let (_dir, sources) = sources(folder.path(), room, scratch);
        read_tiles(&sources, tiles().into_iter().take(40).collect());
        let Kept { images_decoded, memory_bytes, scratch_bytes } = sources.kept();
        assert!(images_decoded > 16 && memory_bytes <= room * SECTION_BYTES);
        assert!(scratch_bytes <= scratch.unwrap_or(0));
    }
}

#[test]
fn older_sections_go_when_a_job_moves_on() {
    let folder = stack();
    let (_dir, sources) = sources(folder.path(), 8, Some(1 << 30));
    let crop = Region::of_size(TILE);
    for z in [0, 8] {
        for round in 0..300 {
            (z..z + 8).for_each(|z| drop(read(&sources, &format!("s{z}.png"), crop.shift(round, 0, 0)).unwrap()));
        }
    }
    // Sections 8 to 15 found all memory in use.
    assert_eq!((sources.kept().images_decoded, sources.kept().scratch_bytes), (16, 8 * SECTION_BYTES));
    fs::copy(folder.path().join("s1.png"), folder.path().join("again.png")).unwrap();
    read(&sources, "again.png", crop).unwrap();
    assert_eq!(sources.kept().scratch_bytes, 8 * SECTION_BYTES, "memory that nobody used for long is free again");
}

#[test]
fn an_image_that_is_read_whole_drives_nothing_out() {
    let folder = stack();
    let (_dir, sources) = sources(folder.path(), 8, Some(1 << 30));
    for z in 0..SECTIONS {
        read(&sources, &format!("s{z}.png"), Region::of_size(SECTION)).unwrap();
    }
    let kept = Kept { images_decoded: 16, memory_bytes: 8 * SECTION_BYTES, scratch_bytes: 0 };
    assert_eq!(sources.kept(), kept);
}

#[test]
fn an_image_larger_than_memory_is_read_through_scratch() {
    let folder = stack();
    for (scratch, fits) in [(Some(1 << 30), true), (Some(SECTION_BYTES - 1), false), (None, false)] {
        let (_dir, sources) = sources(folder.path(), 0, scratch);
        let sources = sources.with_limit(SECTION_BYTES - 1);
        for region in [Region::of_size(TILE).shift(7, 9, 0), Region::of_size(SECTION)] {
            match read(&sources, "s3.png", region) {
                Ok(block) => assert!(fits && block == section(3, &region)),
                Err(SourceError::LimitsExceeded { needed_bytes: SECTION_BYTES, .. }) => assert!(!fits),
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(sources.decode_all(&SourceRef::new("s3.png")).is_ok(), fits);
        let info = sources.info("s3.png").unwrap();
        assert_eq!(sources.read_cost(&info, 1, false) < SECTION_BYTES / 2, fits);
    }
}

#[test]
fn colours_come_through_scratch_as_from_memory() {
    let region = Region::of_size(Size::new(40, 30, 1)).shift(11, 5, 0);
    for (name, dtype) in [
        ("colour_rgb16.png", Dtype::Uint16),
        ("colour_interlaced.png", Dtype::Uint8),
        ("interlaced16.png", Dtype::Uint16),
        ("grey2.png", Dtype::Uint8),
        ("colour_full.jpg", Dtype::Uint8),
        ("smooth_progressive.jpg", Dtype::Uint8),
    ] {
        let gray = |sources: &Sources| {
            let mut plan = ReadPlan::new(name).with(Step::Crop(region));
            plan.source.colour = Colour::Gray;
            let size = region.size();
            sources.read(&Plan::Read(plan), &Target { size, dtype, required: Region::of_size(size) }).unwrap()
        };
        let dir = tempfile::tempdir().unwrap();
        let scratch = Scratch::new(dir.path().to_owned(), Some(1 << 30));
        let through_scratch = Sources::new(foreign(""), 0).with_scratch(scratch);
        assert!(gray(&through_scratch) == gray(&Sources::new(foreign(""), 1 << 20)), "{name}");
        let decoded = through_scratch.info(name).unwrap().decoded_bytes();
        assert_eq!((through_scratch.kept().memory_bytes, through_scratch.kept().scratch_bytes), (0, decoded), "{name}");
    }
}

#[test]
fn what_a_progressive_jpeg_needs_besides_its_voxels_is_limited() {
    let dir = tempfile::tempdir().unwrap();
    let read = |limit: u64| {
        let scratch = Scratch::new(dir.path().to_owned(), Some(1 << 30));
        let sources = Sources::new(foreign(""), 0).with_scratch(scratch).with_limit(limit);
        read(&sources, "smooth_progressive.jpg", Region::of_size(Size::new(64, 61, 1)))
    };
    assert!(read(2 * 97 * 61).is_ok());
    let refused = read(2 * 97 * 61 - 1).unwrap_err();
    assert!(matches!(refused, SourceError::LimitsExceeded { needed_bytes: 11834, .. }), "{refused}");
}
