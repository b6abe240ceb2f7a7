//! Pure arithmetic on volumes: types of voxels, ranges, boxes, grids, cuboids and blocks.
//!
//! Everything here is a plain value. Nothing knows of files, scripts, servers or queues; every other layer builds on
//! these words. Coordinates are those of the Boss: 0-based, half-open, in voxels, with axes named `x`, `y`, `z`, `t`.
//! Where an array needs an order it is `[z, y, x]`, x fastest.

mod block;
mod cuboid;
mod dtype;
mod grid;
mod region;

pub use block::{Block, WrongLength};
pub use cuboid::{CUBOID, CuboidIndex};
pub use dtype::{Dtype, UnknownDtype};
pub use grid::{CHUNK_TILES, ChunkGrid, Grid, Index, Task, TileGrid, TileSize};
pub use region::{Extent, Region, Size, Span};
