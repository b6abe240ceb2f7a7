//! How a job is cut into blocks that are compared: each is whole cuboids of the Boss, and whole tasks of the job.

use crate::volume::{CHUNK_TILES, Grid, Index, Region, Task};

/// The tiles of one chunk of a tile job, or one chunk of a volumetric job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its number, counted from 0 in the order of the job.
    pub number: u64,
    pub t: i64,
    /// The voxels inside the extent.
    pub region: Region,
    pub tasks: Vec<Index>,
}

/// The number of blocks of a job.
pub fn count(grid: &Grid) -> u64 {
    match grid {
        Grid::Chunks(grid) => grid.count(),
        Grid::Tiles(grid) => {
            let extent = grid.extent;
            let groups = extent.z.len().div_ceil(CHUNK_TILES);
            let columns = extent.x.len().div_ceil(grid.tile_size.x) * extent.y.len().div_ceil(grid.tile_size.y);
            groups.saturating_mul(columns).saturating_mul(extent.t.len())
        }
    }
}

/// Every block, in the order of the job.
pub fn all(grid: &Grid) -> impl Iterator<Item = Block> + use<> {
    let (grid, mut tasks) = (*grid, grid.tasks().peekable());
    let mut number = 0;
    std::iter::from_fn(move || {
        let (chunk, first) = parts(tasks.next()?);
        let mut block = Block { number, t: first.t, region: grid.region(first), tasks: vec![first] };
        while let Some((_, tile)) = tasks.next_if(|task| parts(*task).0 == chunk).map(parts) {
            block.region = block.region.hull(&grid.region(tile));
            block.tasks.push(tile);
        }
        block.region = block.region.intersect(&grid.extent().region());
        number += 1;
        Some(block)
    })
}

/// The chunk of a task, and its own index.
fn parts(task: Task) -> (Index, Index) {
    match task {
        Task::Tile { tile, chunk, .. } => (chunk, tile),
        Task::Chunk { chunk, .. } => (chunk, chunk),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::volume::{ChunkGrid, Extent, Size, Span, TileGrid, TileSize};

    fn extent() -> Extent {
        Extent { x: Span::new(0, 1300), y: Span::new(512, 1000), z: Span::new(32, 70), t: Span::new(1, 3) }
    }

    #[test]
    fn blocks_cover_the_extent_once_and_are_as_many_as_counted() {
        let tiles = Grid::Tiles(TileGrid { extent: extent(), tile_size: TileSize { x: 512, y: 512 } });
        let extent = Extent { t: Span::new(0, 1), ..extent() };
        let chunks = Grid::Chunks(ChunkGrid { extent, chunk_size: Size::new(1024, 512, 16) });
        for (grid, blocks) in [(tiles, 3 * 3 * 2), (chunks, 2 * 3)] {
            let all: Vec<Block> = all(&grid).collect();
            assert_eq!((all.len() as u64, count(&grid)), (blocks, blocks));
            let voxels: u64 = all.iter().map(|block| block.region.size().voxels()).sum();
            assert_eq!(voxels, grid.extent().voxels());
            let tasks: u64 = all.iter().map(|block| block.tasks.len() as u64).sum();
            assert_eq!(tasks, grid.count());
            assert!(all.iter().enumerate().all(|(nth, block)| block.number == nth as u64));
        }
    }
}
