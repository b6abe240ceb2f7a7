//! Puts the voxels of a box together from the cuboids that cover it.

use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::channel::Channel;
use super::error::StoreError;
use super::store::objects::{CuboidAddress, Objects};
use crate::codec::{self, CodecError};
use crate::volume::{Block, CUBOID, CuboidIndex, Dtype, Region};

/// Why voxels could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a stored cuboid cannot be decompressed")]
    Codec(#[source] CodecError),
    #[error("the cuboid `{key}` is not one of the channel's voxel type")]
    WrongCuboid { key: String },
}

/// The voxels of a region at a time sample. Cuboids that were never stored are zeros.
///
/// Blocks its thread; reads and decompresses on as many threads as there are cores.
pub fn region(
    objects: &Objects,
    channel: &Channel,
    resolution: u64,
    t: i64,
    region: &Region,
) -> Result<Block, ReadError> {
    let cuboids: Vec<CuboidIndex> = CuboidIndex::covering(region).collect();
    let block = Mutex::new(Block::zeros(channel.dtype, region.size()));
    let next = AtomicUsize::new(0);
    let read_some = || {
        while let Some(cuboid) = cuboids.get(next.fetch_add(1, Ordering::Relaxed)) {
            let at = CuboidAddress { ids: channel.ids, resolution, t, cuboid: *cuboid };
            if let Some(voxels) = cuboid_voxels(objects, &at, channel.dtype)? {
                let own = cuboid.region();
                let offset = (own.x.start - region.x.start, own.y.start - region.y.start, own.z.start - region.z.start);
                block.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).paste(&voxels, offset);
            }
        }
        Ok(())
    };
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(cuboids.len());
    if threads <= 1 {
        read_some()?;
    } else {
        let outcomes: Vec<Result<(), ReadError>> = std::thread::scope(|scope| {
            let readers: Vec<_> = (0..threads).map(|_| scope.spawn(read_some)).collect();
            readers.into_iter().map(|reader| reader.join().expect("a reader does not panic")).collect()
        });
        outcomes.into_iter().collect::<Result<(), ReadError>>()?;
    }
    Ok(block.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner()))
}

fn cuboid_voxels(objects: &Objects, at: &CuboidAddress, dtype: Dtype) -> Result<Option<Block>, ReadError> {
    let Some(frame) = objects.read_cuboid(at)? else { return Ok(None) };
    let limit_bytes = CUBOID.voxels() * dtype.size_bytes() as u64;
    let bytes = codec::decompress(&frame, limit_bytes).map_err(ReadError::Codec)?;
    let block = Block::from_bytes(dtype, CUBOID, bytes).map_err(|_| ReadError::WrongCuboid { key: at.key() })?;
    Ok(Some(block))
}
