//! Cuboids, the blocks in which the Boss stores a channel, and their Morton numbers.

use super::{Region, Size, Span};

/// Voxels of one cuboid, the same at every resolution (the Boss's `CUBOIDSIZE` table has 13 equal rows).
pub const CUBOID: Size = Size::new(512, 512, 16);

/// The position of a cuboid, counted in cuboids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CuboidIndex {
    pub x: u64,
    pub y: u64,
    pub z: u64,
}

/// Bits of each axis that a Morton number holds.
const MORTON_BITS: u32 = 21;

impl CuboidIndex {
    pub fn new(x: u64, y: u64, z: u64) -> Self {
        CuboidIndex { x, y, z }
    }

    /// The cuboid that holds a voxel; `None` for voxels below zero or beyond the 2²¹ cuboids that a key can name.
    pub fn containing(x: i64, y: i64, z: i64) -> Option<Self> {
        let index = |at: i64, size: u64| u64::try_from(at).ok().map(|at| at / size).filter(|at| at >> MORTON_BITS == 0);
        Some(CuboidIndex { x: index(x, CUBOID.x)?, y: index(y, CUBOID.y)?, z: index(z, CUBOID.z)? })
    }

    /// The voxels of this cuboid.
    pub fn region(self) -> Region {
        let span = |index: u64, size| Span::step(i64::try_from(index).unwrap_or(i64::MAX), size);
        Region::new(span(self.x, CUBOID.x), span(self.y, CUBOID.y), span(self.z, CUBOID.z))
    }

    /// The Morton number: the bits of x, y and z interleaved, x lowest, 21 bits of each (spdb `zindex.c`, `XYZMorton`).
    pub fn morton(self) -> u64 {
        (0..MORTON_BITS).fold(0, |number, bit| {
            number
                | (self.x >> bit & 1) << (3 * bit)
                | (self.y >> bit & 1) << (3 * bit + 1)
                | (self.z >> bit & 1) << (3 * bit + 2)
        })
    }

    /// The cuboid with this Morton number; the reverse of [`CuboidIndex::morton`].
    pub fn from_morton(number: u64) -> Self {
        let axis =
            |lowest: u32| (0..MORTON_BITS).fold(0, |value, bit| value | (number >> (3 * bit + lowest) & 1) << bit);
        CuboidIndex { x: axis(0), y: axis(1), z: axis(2) }
    }

    /// Every cuboid that shares voxels with `region`, x fastest. The part of the region below zero is left out.
    pub fn covering(region: &Region) -> impl Iterator<Item = CuboidIndex> + use<> {
        let range = |span: Span, size: u64| {
            let start = u64::try_from(span.start).unwrap_or(0);
            let stop = u64::try_from(span.stop).unwrap_or(0);
            if span.is_empty() { 0..0 } else { start / size..stop.div_ceil(size) }
        };
        let (xs, ys, zs) = (range(region.x, CUBOID.x), range(region.y, CUBOID.y), range(region.z, CUBOID.z));
        zs.flat_map(move |z| {
            let xs = xs.clone();
            ys.clone().flat_map(move |y| xs.clone().map(move |x| CuboidIndex { x, y, z }))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covering_lists_each_touched_cuboid_once() {
        let region = Region::new(Span::new(511, 513), Span::new(-4, 1), Span::new(16, 33));
        let found: Vec<_> = CuboidIndex::covering(&region).map(|c| (c.x, c.y, c.z)).collect();
        assert_eq!(found, [(0, 0, 1), (1, 0, 1), (0, 0, 2), (1, 0, 2)]);
        let empty = Region::new(Span::new(5, 5), Span::new(0, 9), Span::new(0, 9));
        assert_eq!(CuboidIndex::covering(&empty).count(), 0);
    }

    #[test]
    fn a_voxel_outside_the_key_space_has_no_cuboid() {
        assert_eq!(CuboidIndex::containing(-1, 0, 0), None);
        assert_eq!(CuboidIndex::containing(512 << 21, 0, 0), None);
        assert_eq!(CuboidIndex::containing(1500, 512, 47), Some(CuboidIndex::new(2, 1, 2)));
    }
}
