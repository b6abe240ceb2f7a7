//! The stage that decides which voxels go into which object.

use std::sync::Arc;

use super::pipeline::Stage;
use super::task::{Loaded, Packed, Parts, Voxels};
use super::triage::{Failed, TaskError};
use crate::protocol::{CuboidEntry, UploadMessage};
use crate::volume::{Block, CUBOID, Dtype, Grid, Region, Span};

/// Lays the cuboid grid of the message over a chunk; a tile is one object as it is.
pub struct PackStage {
    pub grid: Grid,
    pub dtype: Dtype,
}

impl Stage for PackStage {
    type In = Loaded;
    type Out = Packed;

    /// No voxel is copied here: cuboids are cut where they are compressed.
    async fn process(&self, task: Loaded) -> Result<Packed, Failed> {
        let Loaded { ticket, voxels, permit } = task;
        let voxel_bytes = self.grid.task_size().voxels() * self.dtype.size_bytes() as u64;
        let parts = match (&ticket.message, voxels) {
            (UploadMessage::Tile(message), Voxels::Tile(voxels, encode)) => {
                Ok(Parts::Tile { key: message.tile_key.clone(), voxels, encode })
            }
            (UploadMessage::Chunk(message), Voxels::Chunk(chunk)) => cuboids(&message.cuboids, chunk),
            _ => Err(TaskError::WrongKind),
        };
        match parts {
            Ok(parts) => Ok(Packed { ticket, parts, voxel_bytes, permit }),
            Err(error) => Err(Failed { ticket, error }),
        }
    }
}

/// The boxes of a chunk's cuboids. The message must name cuboids that lie inside the chunk.
fn cuboids(entries: &[CuboidEntry], chunk: Block) -> Result<Parts, TaskError> {
    let whole = Region::of_size(chunk.size());
    let cuboids = entries
        .iter()
        .map(|entry| {
            let region = cuboid_region(entry).filter(|region| whole.covers(region));
            let outside = TaskError::CuboidOutside { x: entry.x, y: entry.y, z: entry.z, chunk: chunk.size() };
            Ok((entry.key.clone(), region.ok_or(outside)?))
        })
        .collect::<Result<_, TaskError>>()?;
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
    use crate::volume::Size;

    #[test]
    fn a_cuboid_outside_its_chunk_is_refused() {
        let chunk = || Block::zeros(Dtype::Uint8, Size::new(1024, 512, 16));
        let entry = |x, z| CuboidEntry { x, y: 0, z, key: "key".to_owned() };
        assert!(cuboids(&[entry(0, 0), entry(512, 0)], chunk()).is_ok());
        for outside in [entry(1024, 0), entry(1, 512), entry(0, 16), entry(u64::MAX, 0)] {
            let refused = cuboids(&[outside], chunk());
            assert!(matches!(refused, Err(TaskError::CuboidOutside { .. })));
        }
    }
}
