//! The stage that decides which voxels go into which object.

use std::sync::Arc;

use super::columns::Columns;
use super::pipeline::Stage;
use super::task::{Loaded, Packed, Parts, Voxels};
use super::triage::{Failed, TaskError};
use crate::protocol::{CuboidEntry, UploadMessage};
use crate::volume::{CUBOID, Dtype, Grid, Index, Region, Span};

/// Lays the cuboid grid of the message over a chunk; a tile is one object as it is.
pub struct PackStage {
    pub grid: Grid,
    pub dtype: Dtype,
    /// Whether cuboids outside the extent are objects, too.
    pub all_cuboids: bool,
}

impl Stage for PackStage {
    type In = Loaded;
    type Out = Packed;
    const NAME: &str = "pack";

    /// No voxel is copied here: cuboids are compressed where they lie.
    async fn process(&self, task: Loaded) -> Result<Packed, Failed> {
        let Loaded { ticket, voxels, permit } = task;
        let voxel_bytes = self.grid.task_size().voxels() * self.dtype.size_bytes() as u64;
        let parts = match (&ticket.message, voxels) {
            (UploadMessage::Tile(message), Voxels::Tile(voxels, encode)) => {
                Ok(Parts::Tile { key: message.tile_key.clone(), voxels, encode })
            }
            (UploadMessage::Chunk(message), Voxels::Chunk(chunk)) => {
                let wanted = if self.all_cuboids { Region::of_size(chunk.size()) } else { self.inside(ticket.index) };
                cuboids(&message.cuboids, chunk, &wanted)
            }
            _ => Err(TaskError::WrongKind),
        };
        match parts {
            Ok(parts) => Ok(Packed { ticket, parts, voxel_bytes, permit }),
            Err(error) => Err(Failed { ticket, error }),
        }
    }
}

impl PackStage {
    /// The part of a task that lies inside the job's extent, counted from the task's first voxel.
    fn inside(&self, index: Index) -> Region {
        let region = self.grid.region(index);
        let Region { x, y, z } = region;
        region.intersect(&self.grid.extent().region()).shift(-x.start, -y.start, -z.start)
    }
}

/// The boxes of a chunk's cuboids that reach into `wanted`. The message must name cuboids of the chunk.
///
/// The list has every cuboid of the chunk, also at the far edges of the extent, where chunks stick out. Those beyond hold
/// zeros only, which is what the Boss reads where it has no cuboid.
fn cuboids(entries: &[CuboidEntry], chunk: Columns, wanted: &Region) -> Result<Parts, TaskError> {
    let mut cuboids = Vec::with_capacity(entries.len());
    for entry in entries {
        let region = cuboid_region(entry).filter(|region| chunk.cuboid(region).is_some());
        let outside = TaskError::CuboidOutside { x: entry.x, y: entry.y, z: entry.z, chunk: chunk.size() };
        let region = region.ok_or(outside)?;
        if !region.intersect(wanted).is_empty() {
            cuboids.push((entry.key.clone(), region));
        }
    }
    Ok(Parts::Cuboids { chunk: Arc::new(chunk), cuboids })
}

fn cuboid_region(entry: &CuboidEntry) -> Option<Region> {
    let span = |start: u64, len: u64| {
        let start = i64::try_from(start).ok()?;
        Some(Span::new(start, start.checked_add_unsigned(len)?))
    };
    Some(Region::new(span(entry.x, CUBOID.x)?, span(entry.y, CUBOID.y)?, span(entry.z, CUBOID.z)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::volume::{Block, ChunkGrid, Extent, Size};

    fn zeros(size: Size) -> Columns {
        let zeros = |region: Region| Block::zeros(Dtype::Uint8, region.size());
        Columns::new(size, Columns::regions(size).map(zeros).collect())
    }

    #[test]
    fn a_cuboid_outside_its_chunk_is_refused() {
        let chunk = || zeros(Size::new(1024, 512, 16));
        let whole = Region::of_size(chunk().size());
        assert!(cuboids(&[entry(0, 0), entry(512, 0)], chunk(), &whole).is_ok());
        for outside in [entry(1024, 0), entry(1, 0), entry(1, 512), entry(0, 16), entry(u64::MAX, 0)] {
            let refused = cuboids(&[outside], chunk(), &whole);
            assert!(matches!(refused, Err(TaskError::CuboidOutside { .. })));
        }
    }

    fn entry(x: u64, z: u64) -> CuboidEntry {
        CuboidEntry { x, y: 0, z, key: format!("{x} {z}") }
    }

    /// The last chunk of an extent that ends at x 1500, y 512, z 20: x 1024..2048, z 16..48.
    #[test]
    fn cuboids_beyond_the_extent_are_left_out_unless_wanted() {
        let span = Span::new;
        let extent = Extent { x: span(0, 1500), y: span(0, 512), z: span(0, 20), t: span(0, 1) };
        let chunk_size = Size::new(1024, 512, 16);
        let grid = Grid::Chunks(ChunkGrid { extent, chunk_size });
        let entries = [entry(0, 0), entry(512, 0)];
        for (index, all_cuboids, expected) in [
            (Index::new(0, 0, 1, 0), false, &["0 0", "512 0"][..]),
            (Index::new(1, 0, 1, 0), false, &["0 0"]),
            (Index::new(1, 0, 1, 0), true, &["0 0", "512 0"]),
        ] {
            let stage = PackStage { grid, dtype: Dtype::Uint8, all_cuboids };
            let chunk = zeros(chunk_size);
            let wanted = if all_cuboids { Region::of_size(chunk_size) } else { stage.inside(index) };
            let Ok(Parts::Cuboids { cuboids, .. }) = cuboids(&entries, chunk, &wanted) else { panic!("cuboids") };
            assert_eq!(cuboids.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), expected, "{index}");
        }
    }
}
