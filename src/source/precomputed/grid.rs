//! Where the chunks of a scale lie.

use super::info::Scale;
use crate::volume::{Region, Size, Span};

/// The position of a chunk in its scale's grid, `(x, y, z)`.
pub(super) type Cell = (u64, u64, u64);

impl Scale {
    /// The number of chunks on each axis.
    pub fn cells(&self) -> Size {
        let Scale { size, chunk, .. } = self;
        Size::new(size.x.div_ceil(chunk.x), size.y.div_ceil(chunk.y), size.z.div_ceil(chunk.z))
    }

    /// The box of all voxels.
    pub fn region(&self) -> Region {
        let (x, y, z) = self.origin;
        Region::of_size(self.size).shift(x, y, z)
    }

    /// The chunks that a region of the volume meets, x fastest.
    pub fn met(&self, region: &Region) -> impl Iterator<Item = Cell> + use<> {
        let range = |span: Span, origin: i64, chunk: u64| {
            let first = span.start.abs_diff(origin) / chunk;
            first..if span.is_empty() { first } else { (span.stop - 1).abs_diff(origin) / chunk + 1 }
        };
        let Scale { origin: (x, y, z), chunk, .. } = *self;
        let (x, y, z) = (range(region.x, x, chunk.x), range(region.y, y, chunk.y), range(region.z, z, chunk.z));
        z.flat_map(move |z| {
            let x = x.clone();
            y.clone().flat_map(move |y| x.clone().map(move |x| (x, y, z)))
        })
    }

    /// The box of a chunk, which ends where the volume does.
    pub fn cell_region(&self, (x, y, z): Cell) -> Region {
        let Scale { chunk, origin, .. } = self;
        let at = |cell: u64, chunk: u64, origin: i64| origin + (cell * chunk) as i64;
        let (x, y, z) = (at(x, chunk.x, origin.0), at(y, chunk.y, origin.1), at(z, chunk.z, origin.2));
        Region::of_size(*chunk).shift(x, y, z).intersect(&self.region())
    }

    /// The path of what lies in the scale's folder.
    pub fn path(&self, name: &str) -> String {
        if self.key.is_empty() { name.to_owned() } else { format!("{}/{name}", self.key) }
    }

    /// The file of a chunk that stands alone: its box, in the volume's positions.
    pub fn file(&self, cell: Cell) -> String {
        let Region { x, y, z } = self.cell_region(cell);
        let span = |span: Span| format!("{}-{}", span.start, span.stop);
        self.path(&format!("{}_{}_{}", span(x), span(y), span(z)))
    }
}
