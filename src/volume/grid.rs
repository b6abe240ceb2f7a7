//! How a job's extent is cut into tasks: tiles of a tile job, chunks of a volumetric job.
//!
//! Counts, indices and order are those of the Boss's own queue population (boss-manage
//! `ingest_queue_upload.create_messages`, boss-tools `ingest_queue_upload_volumetric_lambda.create_messages`), which the
//! local Boss repeats message for message. Indices are absolute: a tile's index is its first voxel divided by the tile
//! size, rounded down, whatever the extent starts at.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Extent, Region, Size, Span};

/// The largest number of consecutive sections whose tiles form one chunk of a tile job: the depth of a cuboid.
pub const CHUNK_TILES: u64 = 16;

/// The position of a tile or chunk, counted in tiles or chunks; `t` counts time samples.
///
/// The `z` of a tile is its section number, because a tile is one section deep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Index {
    pub x: i64,
    pub y: i64,
    pub z: i64,
    pub t: i64,
}

impl Index {
    pub fn new(x: i64, y: i64, z: i64, t: i64) -> Self {
        Index { x, y, z, t }
    }
}

impl fmt::Display for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "x {}, y {}, z {}", self.x, self.y, self.z)?;
        if self.t == 0 { Ok(()) } else { write!(f, ", t {}", self.t) }
    }
}

/// Voxels of one tile; a tile is one section deep and one time sample long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TileSize {
    pub x: u64,
    pub y: u64,
}

impl TileSize {
    /// The tile as a box one section deep.
    pub fn size(self) -> Size {
        Size::new(self.x, self.y, 1)
    }
}

/// One unit of work, in the order in which the Boss makes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// A tile, with the chunk to which it belongs and that chunk's number of tiles.
    Tile { tile: Index, chunk: Index, num_tiles: u64 },
    /// A chunk of a volumetric job; `origin` is the voxel (x, y, z) at which the Boss starts it.
    Chunk { chunk: Index, origin: (i64, i64, i64) },
}

/// The tiles of a tile job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TileGrid {
    pub extent: Extent,
    pub tile_size: TileSize,
}

/// The chunks of a volumetric job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkGrid {
    pub extent: Extent,
    pub chunk_size: Size,
}

/// The tasks of a job of either kind. All sizes are above zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grid {
    Tiles(TileGrid),
    Chunks(ChunkGrid),
}

impl TileGrid {
    /// The number of tiles, counted from the extent's start as the Boss does (`tile_count`).
    pub fn count(&self) -> u64 {
        let Extent { x, y, z, t } = self.extent;
        product([x.len().div_ceil(self.tile_size.x), y.len().div_ceil(self.tile_size.y), z.len(), t.len()])
    }

    /// The voxels of a tile, without its time sample.
    pub fn region(&self, tile: Index) -> Region {
        Region::new(Span::step(tile.x, self.tile_size.x), Span::step(tile.y, self.tile_size.y), Span::one(tile.z))
    }

    /// Every tile: time samples, then groups of 16 sections from the extent's start, then y, then x, then sections.
    pub fn tasks(&self) -> impl Iterator<Item = Task> + use<> {
        let Extent { x, y, z, t } = self.extent;
        let TileSize { x: width, y: height } = self.tile_size;
        steps(t, 1).flat_map(move |t| {
            steps(z, CHUNK_TILES).flat_map(move |group| {
                let sections = Span::new(group, z.stop.min(group.saturating_add(CHUNK_TILES as i64)));
                steps(y, height).flat_map(move |y| {
                    steps(x, width).flat_map(move |x| {
                        let (tile_x, tile_y) = (floor(x, width), floor(y, height));
                        let chunk = Index::new(tile_x, tile_y, floor(group, CHUNK_TILES), t);
                        steps(sections, 1).map(move |section| Task::Tile {
                            tile: Index::new(tile_x, tile_y, section, t),
                            chunk,
                            num_tiles: sections.len(),
                        })
                    })
                })
            })
        })
    }
}

impl ChunkGrid {
    /// The number of chunks, counted from the extent's start as the Boss does (`tile_count`).
    pub fn count(&self) -> u64 {
        let (Extent { x, y, z, t }, size) = (self.extent, self.chunk_size);
        product([x.len().div_ceil(size.x), y.len().div_ceil(size.y), z.len().div_ceil(size.z), t.len()])
    }

    /// The voxels of a chunk.
    pub fn region(&self, chunk: Index) -> Region {
        let size = self.chunk_size;
        Region::new(Span::step(chunk.x, size.x), Span::step(chunk.y, size.y), Span::step(chunk.z, size.z))
    }

    /// Every chunk, x fastest. Volumetric jobs have the one time sample 0.
    pub fn tasks(&self) -> impl Iterator<Item = Task> + use<> {
        let (Extent { x, y, z, .. }, size) = (self.extent, self.chunk_size);
        steps(z, size.z).flat_map(move |z| {
            steps(y, size.y).flat_map(move |y| {
                steps(x, size.x).map(move |x| Task::Chunk {
                    chunk: Index::new(floor(x, size.x), floor(y, size.y), floor(z, size.z), 0),
                    origin: (x, y, z),
                })
            })
        })
    }
}

impl Grid {
    /// The number of tasks, as the Boss's `tile_count`.
    pub fn count(&self) -> u64 {
        match self {
            Grid::Tiles(grid) => grid.count(),
            Grid::Chunks(grid) => grid.count(),
        }
    }

    pub fn extent(&self) -> Extent {
        match self {
            Grid::Tiles(grid) => grid.extent,
            Grid::Chunks(grid) => grid.extent,
        }
    }

    /// The box that every tile or chunk has, at the edge of the extent too.
    pub fn task_size(&self) -> Size {
        match self {
            Grid::Tiles(grid) => grid.tile_size.size(),
            Grid::Chunks(grid) => grid.chunk_size,
        }
    }

    /// The voxels of a tile or chunk, without its time sample.
    pub fn region(&self, index: Index) -> Region {
        match self {
            Grid::Tiles(grid) => grid.region(index),
            Grid::Chunks(grid) => grid.region(index),
        }
    }

    /// Every task, in the Boss's order.
    pub fn tasks(&self) -> Box<dyn Iterator<Item = Task> + Send> {
        match self {
            Grid::Tiles(grid) => Box::new(grid.tasks()),
            Grid::Chunks(grid) => Box::new(grid.tasks()),
        }
    }

    /// What one task is called: `tile` or `chunk`.
    pub fn task_noun(&self) -> &'static str {
        match self {
            Grid::Tiles(_) => "tile",
            Grid::Chunks(_) => "chunk",
        }
    }
}

fn product<const N: usize>(counts: [u64; N]) -> u64 {
    counts.into_iter().fold(1, u64::saturating_mul)
}

/// The first voxels of the steps that cover `span`.
fn steps(span: Span, step: u64) -> impl Iterator<Item = i64> + Clone + use<> {
    (span.start..span.stop).step_by(usize::try_from(step).unwrap_or(usize::MAX).max(1))
}

fn floor(at: i64, step: u64) -> i64 {
    at.div_euclid(i64::try_from(step).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The Boss's loops, written down as slowly and plainly as they can be.
    fn tiles_the_slow_way(extent: Extent, size: TileSize) -> Vec<Task> {
        let mut tasks = Vec::new();
        for t in extent.t.start..extent.t.stop {
            let mut group = extent.z.start;
            while group < extent.z.stop {
                let num_tiles = std::cmp::min(16, extent.z.stop - group);
                let mut y = extent.y.start;
                while y < extent.y.stop {
                    let mut x = extent.x.start;
                    while x < extent.x.stop {
                        for z in group..group + num_tiles {
                            let (tile_x, tile_y) = (x / size.x as i64, y / size.y as i64);
                            tasks.push(Task::Tile {
                                tile: Index::new(tile_x, tile_y, z, t),
                                chunk: Index::new(tile_x, tile_y, group / 16, t),
                                num_tiles: num_tiles as u64,
                            });
                        }
                        x += size.x as i64;
                    }
                    y += size.y as i64;
                }
                group += 16;
            }
        }
        tasks
    }

    fn span(longest: i64) -> impl Strategy<Value = Span> {
        (0i64..300, 1..longest).prop_map(|(start, len)| Span::new(start, start + len))
    }

    proptest! {
        #[test]
        fn tiles_agree_with_the_slow_way(
            x in span(90), y in span(70), z in span(50), t in span(4), width in 1u64..40, height in 1u64..40,
        ) {
            let (extent, tile_size) = (Extent { x, y, z, t }, TileSize { x: width, y: height });
            let grid = TileGrid { extent, tile_size };
            let slow = tiles_the_slow_way(extent, tile_size);
            prop_assert_eq!(grid.count(), slow.len() as u64);
            prop_assert_eq!(grid.tasks().collect::<Vec<_>>(), slow);
        }

        #[test]
        fn aligned_chunks_cover_each_voxel_of_the_extent_once(
            cx in 0i64..4, cy in 0i64..4, cz in 0i64..4, x in 1i64..40, y in 1i64..40, z in 1i64..40,
            sx in 1u64..17, sy in 1u64..17, sz in 1u64..17,
        ) {
            let from = |index: i64, size: u64, len: i64| Span::new(index * size as i64, index * size as i64 + len);
            let t = Span::new(0, 1);
            let extent = Extent { x: from(cx, sx, x), y: from(cy, sy, y), z: from(cz, sz, z), t };
            let grid = ChunkGrid { extent, chunk_size: Size::new(sx, sy, sz) };
            let mut covered = 0;
            for task in grid.tasks() {
                let Task::Chunk { chunk, origin } = task else { panic!("a chunk grid has chunks") };
                let region = grid.region(chunk);
                prop_assert_eq!((region.x.start, region.y.start, region.z.start), origin);
                covered += region.intersect(&extent.region()).size().voxels();
            }
            prop_assert_eq!(covered, extent.voxels());
            prop_assert_eq!(grid.tasks().count() as u64, grid.count());
        }
    }
}
