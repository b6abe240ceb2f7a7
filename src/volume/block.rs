//! The voxels of a box, in memory.

use ndarray::Array3;

use super::{Dtype, Region, Size};

/// A box of voxels in memory: `[z, y, x]`, x fastest, each voxel little-endian.
///
/// Held as bytes, so that cutting and pasting are the same code for every voxel type: the array is
/// `[z, y, x · bytes per voxel]`, always contiguous in C order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    dtype: Dtype,
    bytes: Array3<u8>,
}

/// The bytes handed to [`Block::from_bytes`] are not as many as its size and type need.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{size} voxels of {dtype} need {} bytes, there are {found}", size.voxels().saturating_mul(dtype.size_bytes() as u64))]
pub struct WrongLength {
    pub size: Size,
    pub dtype: Dtype,
    pub found: usize,
}

impl Block {
    /// A box of zeros.
    ///
    /// # Panics
    /// When the box does not fit in memory; callers check sizes that come from outside beforehand.
    pub fn zeros(dtype: Dtype, size: Size) -> Self {
        Block { dtype, bytes: Array3::zeros(shape_bytes(dtype, size).expect("the box fits in memory")) }
    }

    /// A box in which every voxel has the same little-endian bytes.
    ///
    /// # Panics
    /// When `voxel` is not exactly one voxel long, or the box does not fit in memory.
    pub fn filled(dtype: Dtype, size: Size, voxel: &[u8]) -> Self {
        assert_eq!(voxel.len(), dtype.size_bytes(), "one voxel of {dtype}");
        let mut block = Block::zeros(dtype, size);
        if voxel.iter().any(|byte| *byte != 0) {
            block.as_bytes_mut().chunks_exact_mut(voxel.len()).for_each(|at| at.copy_from_slice(voxel));
        }
        block
    }

    /// Takes little-endian voxels in `[z, y, x]` order.
    ///
    /// # Errors
    /// [`WrongLength`] when there are more or fewer bytes than `size` voxels need.
    pub fn from_bytes(dtype: Dtype, size: Size, bytes: Vec<u8>) -> Result<Self, WrongLength> {
        let found = bytes.len();
        let wrong = WrongLength { size, dtype, found };
        let shape = shape_bytes(dtype, size).ok_or(wrong.clone())?;
        Ok(Block { dtype, bytes: Array3::from_shape_vec(shape, bytes).map_err(|_| wrong)? })
    }

    pub fn dtype(&self) -> Dtype {
        self.dtype
    }

    pub fn size(&self) -> Size {
        let (z, y, row) = self.bytes.dim();
        Size::new((row / self.dtype.size_bytes()) as u64, y as u64, z as u64)
    }

    /// The voxels as little-endian bytes, `[z, y, x]`.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.as_slice().expect("a block is contiguous")
    }

    /// The voxels as little-endian bytes, `[z, y, x]`.
    pub fn as_bytes_mut(&mut self) -> &mut [u8] {
        self.bytes.as_slice_mut().expect("a block is contiguous")
    }

    /// The voxels as little-endian bytes, `[z, y, x]`.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes.into_raw_vec_and_offset().0
    }

    /// Whether every voxel is 0.
    pub fn is_zero(&self) -> bool {
        self.as_bytes().iter().all(|byte| *byte == 0)
    }

    /// Gives every voxel of the box `region` the same little-endian bytes. What does not fit is left out.
    ///
    /// # Panics
    /// When `voxel` is not exactly one voxel long.
    pub fn fill(&mut self, region: &Region, voxel: &[u8]) {
        let (size, item) = (self.size(), self.dtype.size_bytes());
        assert_eq!(voxel.len(), item, "one voxel of {}", self.dtype);
        let region = region.intersect(&Region::of_size(size));
        if region.is_empty() {
            return;
        }
        let row_voxels = region.x.len() as usize;
        for z in region.z.start..region.z.stop {
            for y in region.y.start..region.y.stop {
                let first = (z as usize * size.y as usize + y as usize) * size.x as usize + region.x.start as usize;
                let row = &mut self.as_bytes_mut()[first * item..][..row_voxels * item];
                row.chunks_exact_mut(item).for_each(|at| at.copy_from_slice(voxel));
            }
        }
    }

    /// Copies `source` into this block so that the source's first voxel comes to `(x, y, z)`, which may be below zero.
    /// What does not fit is left out.
    ///
    /// # Panics
    /// When the blocks have different voxel types.
    pub fn paste(&mut self, source: &Block, (x, y, z): (i64, i64, i64)) {
        assert_eq!(self.dtype, source.dtype, "pasted blocks have one voxel type");
        let target = Region::of_size(self.size()).intersect(&Region::of_size(source.size()).shift(x, y, z));
        if target.is_empty() {
            return;
        }
        self.copy_box(&target, source, &target.shift(-x, -y, -z));
    }

    /// Copies the box `part` of `source`, counted from the source's first voxel, so that its first voxel comes to `(x, y, z)`.
    ///
    /// # Panics
    /// When the blocks have different voxel types, or the box is not inside both.
    pub fn paste_part(&mut self, source: &Block, part: &Region, (x, y, z): (i64, i64, i64)) {
        assert_eq!(self.dtype, source.dtype, "pasted blocks have one voxel type");
        if !part.is_empty() {
            self.copy_box(&Region::of_size(part.size()).shift(x, y, z), source, part);
        }
    }

    /// Cuts a box out of this block; `region` counts from the block's first voxel. Voxels outside the block are zero.
    pub fn cut(&self, region: &Region) -> Block {
        let mut cut = Block::zeros(self.dtype, region.size());
        cut.paste(self, (-region.x.start, -region.y.start, -region.z.start));
        cut
    }

    /// Copies the box `part` of `source` to `place`, which is as large and not empty, row by row.
    fn copy_box(&mut self, place: &Region, source: &Block, part: &Region) {
        let (item, to_size, from_size) = (self.dtype.size_bytes(), self.size(), source.size());
        let are_inside = Region::of_size(to_size).covers(place) && Region::of_size(from_size).covers(part);
        assert!(are_inside, "{place} and {part} are inside of {to_size} and {from_size}");
        let row = |size: Size, x: i64, y: i64, z: i64| {
            let first = (z as usize * size.y as usize + y as usize) * size.x as usize + x as usize;
            first * item..(first + part.x.len() as usize) * item
        };
        let (to, from) = (self.as_bytes_mut(), source.as_bytes());
        for (to_z, z) in (place.z.start..place.z.stop).zip(part.z.start..) {
            for (to_y, y) in (place.y.start..place.y.stop).zip(part.y.start..) {
                let voxels = &from[row(from_size, part.x.start, y, z)];
                to[row(to_size, place.x.start, to_y, to_z)].copy_from_slice(voxels);
            }
        }
    }
}

/// The shape `[z, y, x · bytes per voxel]`, when the whole box can be addressed.
fn shape_bytes(dtype: Dtype, size: Size) -> Option<(usize, usize, usize)> {
    let row = usize::try_from(size.x).ok()?.checked_mul(dtype.size_bytes())?;
    let (y, z) = (usize::try_from(size.y).ok()?, usize::try_from(size.z).ok()?);
    let total = row.checked_mul(y)?.checked_mul(z)?;
    (total <= isize::MAX as usize).then_some((z, y, row))
}

#[cfg(test)]
mod tests {
    use super::super::Span;
    use super::*;

    /// A block whose voxel at (x, y, z) is `x + 10·y + 100·z`.
    fn counted(dtype: Dtype, size: Size) -> Block {
        let mut bytes = Vec::new();
        for z in 0..size.z {
            for y in 0..size.y {
                for x in 0..size.x {
                    bytes.extend_from_slice(&(x + 10 * y + 100 * z).to_le_bytes()[..dtype.size_bytes()]);
                }
            }
        }
        Block::from_bytes(dtype, size, bytes).unwrap()
    }

    #[test]
    fn a_cut_past_the_edge_is_zero_padded() {
        for dtype in [Dtype::Uint8, Dtype::Uint16, Dtype::Uint64] {
            let block = counted(dtype, Size::new(4, 3, 2));
            let cut = block.cut(&Region::new(Span::new(-1, 3), Span::new(2, 4), Span::new(1, 2)));
            let item = dtype.size_bytes();
            let low: Vec<u8> = cut.as_bytes().chunks(item).map(|voxel| voxel[0]).collect();
            assert_eq!(low, [0, 120, 121, 122, 0, 0, 0, 0], "{dtype}");
        }
    }

    #[test]
    fn a_paste_or_fill_outside_changes_nothing() {
        let mut block = Block::zeros(Dtype::Uint8, Size::new(2, 2, 1));
        block.paste(&counted(Dtype::Uint8, Size::new(2, 2, 2)), (2, 0, 0));
        block.fill(&Region::of_size(Size::new(2, 2, 1)).shift(7, 0, 0), &[1]);
        block.fill(&Region::of_size(Size::new(2, 2, 1)).shift(0, -5, 0), &[1]);
        assert!(block.is_zero());
    }

    #[test]
    fn bytes_of_the_wrong_number_are_refused() {
        let wrong = Block::from_bytes(Dtype::Uint16, Size::new(2, 2, 1), vec![0; 7]).unwrap_err();
        assert_eq!(wrong.to_string(), "2 × 2 × 1 voxels of uint16 need 8 bytes, there are 7");
        assert!(Block::from_bytes(Dtype::Uint64, Size::new(u64::MAX, 2, 1), vec![]).is_err());
    }

    #[test]
    fn a_filled_block_repeats_its_voxel() {
        let block = Block::filled(Dtype::Uint16, Size::new(2, 1, 1), &513u16.to_le_bytes());
        assert_eq!(block.as_bytes(), [1, 2, 1, 2]);
    }
}
