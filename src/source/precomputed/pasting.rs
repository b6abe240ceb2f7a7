//! From chunks to the region that they are wanted for.

use std::sync::{Mutex, PoisonError};

use super::grid::Cell;
use super::info::Scale;
use crate::volume::{Block, Region};

/// Where a region of the volume comes to.
pub(super) struct Pasting<'a> {
    pub region: &'a Region,
    pub channel: i64,
    pub target: Mutex<&'a mut Block>,
    pub at: (i64, i64, i64),
}

impl Pasting<'_> {
    /// Copies what a chunk holds of the region.
    pub fn paste(&self, scale: &Scale, cell: Cell, chunk: &Block) {
        let (whole, met, to) = self.place(scale, cell);
        let layer = self.channel * whole.z.len() as i64;
        let inside = met.shift(-whole.x.start, -whole.y.start, layer - whole.z.start);
        self.target.lock().unwrap_or_else(PoisonError::into_inner).paste_part(chunk, &inside, to);
    }

    /// Makes the voxels of a chunk 0.
    pub fn clear(&self, scale: &Scale, cell: Cell) {
        let (_, met, to) = self.place(scale, cell);
        let mut target = self.target.lock().unwrap_or_else(PoisonError::into_inner);
        let zero = [0; 8];
        let voxel_bytes = target.dtype().size_bytes();
        target.fill(&Region::of_size(met.size()).shift(to.0, to.1, to.2), &zero[..voxel_bytes]);
    }

    /// The box of a chunk, what the region meets of it, and where that comes to.
    fn place(&self, scale: &Scale, cell: Cell) -> (Region, Region, (i64, i64, i64)) {
        let (whole, region) = (scale.cell_region(cell), self.region);
        let met = whole.intersect(region);
        let along = |to: i64, met: i64, start: i64| to + met - start;
        let (x, y, z) = self.at;
        let to = (
            along(x, met.x.start, region.x.start),
            along(y, met.y.start, region.y.start),
            along(z, met.z.start, region.z.start),
        );
        (whole, met, to)
    }
}
