//! Sizes and alignment: what the Boss's schema leaves out.
//!
//! The Boss accepts jobs that break most of these rules, and then stores their voxels in the wrong place, leaves some
//! out, or never finishes. It counts tasks from the extent's start, but numbers them by absolute position, so that an
//! extent which starts inside a tile loses its tail; and it finds a tile's first cuboid as `index · ceil(width / 512)`
//! (boss-tools `tile_ingest_lambda`, `ingest_queue_upload_volumetric_lambda`).

use super::section::Section;
use crate::volume::{CHUNK_TILES, CUBOID, ChunkGrid, Extent, Grid, Size, Span, TileGrid, TileSize};

const TILE_SIZE: &[&str] = &["x", "y", "z", "t"];
const CHUNK_SIZE: &[&str] = &["x", "y", "z"];

/// A volumetric message lists every cuboid of its chunk, and a queue message holds 262144 bytes.
const MOST_CUBOIDS: u64 = 2900;
const MANY_CUBOIDS: u64 = 2000;

/// Voxels from which the Boss asks for a special permission.
const LARGE_VOLUME: u64 = (200 * 512) * (200 * 512) * (200 * 16);

/// Cuboids per axis that a cuboid key can number.
const KEY_SPACE: u64 = 1 << 21;

/// Reads `tile_size`; an object that the job does not need is checked if it is there, as the Boss does.
pub(super) fn tile_size(job: &Section, needed: bool) -> Option<TileSize> {
    if !needed && !job.has("tile_size") {
        return None;
    }
    let section = job.section("tile_size", TILE_SIZE)?;
    let [x, y, z, t] = ["x", "y", "z", "t"].map(|axis| section.size(axis));
    for (axis, size) in [("z", z), ("t", t)] {
        if size.is_some_and(|size| size != 1) {
            section.error(axis, "must be 1: a tile is one section of one time sample", None);
        }
    }
    Some(TileSize { x: x?, y: y? })
}

/// Reads `chunk_size`; an object that the job does not need is checked if it is there, as the Boss does.
pub(super) fn chunk_size(job: &Section, needed: bool) -> Option<Size> {
    if !needed && !job.has("chunk_size") {
        return None;
    }
    let section = job.section("chunk_size", CHUNK_SIZE)?;
    let multiple_of = |axis, step: u64| {
        let size = section.size(axis)?;
        if !size.is_multiple_of(step) {
            section.misaligned(axis, format!("is {size}; it must be a multiple of {step}"), Some(round_up(size, step)));
        }
        Some(size)
    };
    let (x, y, z) = (multiple_of("x", CUBOID.x), multiple_of("y", CUBOID.y), multiple_of("z", CUBOID.z));
    let size = Size::new(x?, y?, z?);
    check_cuboids_per_chunk(job, size);
    Some(size)
}

/// The grid of a tile job, after a look at how its tiles lie.
pub(super) fn tiles(job: &Section, extent: Extent, tile_size: TileSize) -> Grid {
    for (axis, span, size) in [("x", extent.x, tile_size.x), ("y", extent.y, tile_size.y)] {
        check_tile_length(job, axis, span, size);
        check_start(job, axis, span, size, "the tile size");
    }
    check_start(job, "z", extent.z, CHUNK_TILES, "the depth of a cuboid");
    check_volume(job, extent);
    Grid::Tiles(TileGrid { extent, tile_size })
}

/// The grid of a volumetric job, after a look at how its chunks lie.
pub(super) fn chunks(job: &Section, extent: Extent, chunk_size: Size) -> Grid {
    let axes = [("x", extent.x, chunk_size.x), ("y", extent.y, chunk_size.y), ("z", extent.z, chunk_size.z)];
    for (axis, span, size) in axes {
        check_start(job, axis, span, size, "the chunk size");
    }
    if extent.t != Span::new(0, 1) {
        job.error("extent.t", "must be `[0, 1]`: a volumetric job has one time sample", None);
    }
    check_volume(job, extent);
    Grid::Chunks(ChunkGrid { extent, chunk_size })
}

/// A tile must be made of whole cuboids, or be the only one on its axis, where its index 0 makes any length right.
fn check_tile_length(job: &Section, axis: &str, span: Span, size: u64) {
    let only_one = i64::try_from(size).is_ok_and(|size| span.stop <= size);
    if size.is_multiple_of(CUBOID.x) || (only_one && size <= CUBOID.x) {
        return;
    }
    let key = format!("tile_size.{axis}");
    if only_one {
        job.warning(&key, format!("is {size}, not a multiple of 512; this works only for a single tile"), None);
    } else {
        let message = format!("is {size}; it must be a multiple of 512, or the whole extent must lie in one tile");
        job.misaligned(&key, message, Some(round_up(size, CUBOID.x)));
    }
}

fn check_start(job: &Section, axis: &str, span: Span, step: u64, step_name: &str) {
    let start = span.start.unsigned_abs();
    if !start.is_multiple_of(step) {
        let hint = format!("start at {}; voxels without data are 0", start / step * step);
        let message = format!("is {start}; the extent must start at a multiple of {step}, {step_name}");
        job.misaligned(&format!("extent.{axis}[0]"), message, Some(hint));
    }
}

fn check_cuboids_per_chunk(job: &Section, size: Size) {
    let cuboids = (size.x / CUBOID.x).saturating_mul(size.y / CUBOID.y).saturating_mul(size.z / CUBOID.z);
    let message = format!("has {cuboids} cuboids; the Boss's queue messages hold about {MOST_CUBOIDS}");
    let hint = Some("1024 × 1024 × 64 is a good size".to_owned());
    if cuboids > MOST_CUBOIDS {
        job.error("chunk_size", message, hint);
    } else if cuboids > MANY_CUBOIDS {
        job.warning("chunk_size", message, hint);
    }
}

fn check_volume(job: &Section, extent: Extent) {
    let axes = [("x", extent.x, CUBOID.x), ("y", extent.y, CUBOID.y), ("z", extent.z, CUBOID.z)];
    for (axis, span, size) in axes {
        if span.stop.unsigned_abs() > KEY_SPACE * size {
            let message = format!("is {}; the Boss has keys for {} voxels", span.stop, KEY_SPACE * size);
            job.error(&format!("extent.{axis}[1]"), message, None);
        }
    }
    if extent.region().size().voxels() > LARGE_VOLUME {
        let hint = "ask the Boss's operators for the permission, or divide the volume into several jobs";
        job.warning("extent", format!("covers more than {LARGE_VOLUME} voxels"), Some(hint.to_owned()));
    }
}

fn round_up(size: u64, step: u64) -> String {
    format!("the next multiple is {}", size.next_multiple_of(step))
}
