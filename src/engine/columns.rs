//! A chunk in memory, cut where its cuboids are cut.

use crate::volume::{Block, CUBOID, Region, Size, Span};

/// The voxels of a chunk as columns, each as wide and as high as a cuboid and as deep as the chunk. In a column the cuboids
/// lie one behind the other, each with its voxels together.
#[derive(Debug)]
pub struct Columns {
    size: Size,
    /// x fastest.
    columns: Vec<Block>,
}

impl Columns {
    /// The boxes of the columns of a chunk, counted from its first voxel, in the order of [`Columns::new`]. Where a chunk ends
    /// in the middle of a cuboid, so does the column.
    pub fn regions(size: Size) -> impl Iterator<Item = Region> {
        let whole = Region::of_size(size);
        let step = |at: u64, step: u64| Span::step(i64::try_from(at).unwrap_or(i64::MAX), step);
        (0..size.y.div_ceil(CUBOID.y)).flat_map(move |y| {
            (0..size.x.div_ceil(CUBOID.x))
                .map(move |x| Region { x: step(x, CUBOID.x), y: step(y, CUBOID.y), z: whole.z }.intersect(&whole))
        })
    }

    /// The columns of a chunk, one block for each of the [`regions`](Columns::regions).
    ///
    /// # Panics
    /// When the blocks are not that large.
    pub fn new(size: Size, columns: Vec<Block>) -> Self {
        let sizes = columns.iter().map(Block::size);
        assert!(sizes.eq(Columns::regions(size).map(|region| region.size())), "the columns of {size}");
        Columns { size, columns }
    }

    /// Voxels of the chunk.
    pub fn size(&self) -> Size {
        self.size
    }

    /// The voxels of a cuboid, `[z, y, x]`, x fastest; `None` for a box that is none of the chunk's cuboids.
    pub fn cuboid(&self, region: &Region) -> Option<&[u8]> {
        let at = |span: Span, size: u64| u64::try_from(span.start).ok().filter(|at| at % size == 0).map(|at| at / size);
        let (x, y, z) = (at(region.x, CUBOID.x)?, at(region.y, CUBOID.y)?, at(region.z, CUBOID.z)?);
        if region.size() != CUBOID || !Region::of_size(self.size).covers(region) {
            return None;
        }
        let column = &self.columns[(y * (self.size.x.div_ceil(CUBOID.x)) + x) as usize];
        let bytes = CUBOID.voxels() as usize * column.dtype().size_bytes();
        Some(&column.as_bytes()[z as usize * bytes..][..bytes])
    }

    /// The columns, x fastest.
    pub fn into_blocks(self) -> Vec<Block> {
        self.columns
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::volume::Dtype;

    /// The low bytes of what tells the voxels of this test apart.
    fn voxel(x: i64, y: i64, z: i64) -> [u8; 2] {
        ((x / 7 + 131 * (y / 5) + 7919 * z) as u16).to_le_bytes()
    }

    fn columns(size: Size) -> Columns {
        let block = |Region { x, y, z }: Region| {
            let bytes: Vec<u8> = (z.start..z.stop)
                .flat_map(|z| (y.start..y.stop).flat_map(move |y| (x.start..x.stop).flat_map(move |x| voxel(x, y, z))))
                .collect();
            Block::from_bytes(Dtype::Uint16, Region { x, y, z }.size(), bytes).unwrap()
        };
        Columns::new(size, Columns::regions(size).map(block).collect())
    }

    #[test]
    fn every_cuboid_is_found_where_it_is() {
        let columns = columns(Size::new(1536, 1024, 48));
        for (x, y, z) in [(0, 0, 0), (512, 0, 16), (1024, 512, 32), (0, 512, 16)] {
            let region = Region::of_size(CUBOID).shift(x, y, z);
            let found = columns.cuboid(&region).unwrap().as_chunks::<2>().0;
            for (at, expected) in [((0, 0, 0), 0), ((511, 0, 0), 511), ((3, 400, 15), (15 * 512 + 400) * 512 + 3)] {
                assert_eq!(found[expected], voxel(x + at.0, y + at.1, z + at.2), "{at:?} of {region}");
            }
        }
    }

    #[test]
    fn a_box_that_is_no_cuboid_of_the_chunk_is_not_found() {
        let columns = columns(Size::new(1024, 700, 24));
        let cuboid = |x, y, z| Region::of_size(CUBOID).shift(x, y, z);
        assert!(columns.cuboid(&cuboid(512, 0, 0)).is_some());
        for region in [cuboid(1, 0, 0), cuboid(0, 512, 0), cuboid(0, 0, 16), cuboid(-512, 0, 0), cuboid(1024, 0, 0)] {
            assert!(columns.cuboid(&region).is_none(), "{region}");
        }
        assert!(columns.cuboid(&Region::of_size(Size::new(512, 512, 8))).is_none());
    }
}
