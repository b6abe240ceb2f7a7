//! Rows of a task's voxels as numbers.

use crate::volume::{Block, Dtype, Region};

/// Whether voxels of this type are taken for ids of segments: integers above 16 bits.
pub fn has_ids(dtype: Dtype) -> bool {
    !dtype.is_float() && dtype.size_bytes() > 2
}

/// The part of a block that lies inside the job's extent.
#[derive(Clone, Copy)]
pub struct Voxels<'a> {
    block: &'a Block,
    /// In the block's own coordinates.
    inside: Region,
}

impl<'a> Voxels<'a> {
    /// `task` is where the block lies, `inside` the part of it that counts; both in voxels of the job.
    pub fn new(block: &'a Block, task: &Region, inside: &Region) -> Self {
        Voxels { block, inside: inside.shift(-task.x.start, -task.y.start, -task.z.start) }
    }

    /// Row `y` of section `z`, both counted from the first voxel inside, as little-endian bytes.
    fn bytes(&self, y: u64, z: u64) -> &'a [u8] {
        let (size, item) = (self.block.size(), self.block.dtype().size_bytes());
        let first = |span: crate::volume::Span| span.start as u64;
        let row = (first(self.inside.z) + z) * size.y + first(self.inside.y) + y;
        let start = (row * size.x + first(self.inside.x)) as usize * item;
        &self.block.as_bytes()[start..start + self.inside.x.len() as usize * item]
    }

    /// Row `y` of section `z` into `row`. Ids become a number below 2²⁴ that stands for them; 0 stays 0, and what is no
    /// finite number becomes 0.
    pub fn row(&self, y: u64, z: u64, row: &mut Vec<f64>) {
        let bytes = self.bytes(y, z);
        row.clear();
        match self.block.dtype() {
            Dtype::Uint8 => row.extend(bytes.iter().map(|byte| f64::from(*byte))),
            Dtype::Int8 => row.extend(bytes.iter().map(|byte| f64::from(*byte as i8))),
            Dtype::Uint16 => row.extend(items(bytes).map(|item| f64::from(u16::from_le_bytes(item)))),
            Dtype::Int16 => row.extend(items(bytes).map(|item| f64::from(i16::from_le_bytes(item)))),
            Dtype::Uint32 | Dtype::Int32 => row.extend(items(bytes).map(|id| stand_in(u32::from_le_bytes(id).into()))),
            Dtype::Uint64 | Dtype::Int64 => row.extend(items(bytes).map(|id| stand_in(u64::from_le_bytes(id)))),
            Dtype::Float32 => row.extend(items(bytes).map(|item| finite(f32::from_le_bytes(item).into()))),
            Dtype::Float64 => row.extend(items(bytes).map(|item| finite(f64::from_le_bytes(item)))),
        }
    }

    /// The value that every voxel of section `z` has, where that is one.
    pub fn constant(&self, z: u64) -> Option<f64> {
        let item = self.block.dtype().size_bytes();
        let first = self.bytes(0, z).get(..item)?;
        let is_same = |y: u64| self.bytes(y, z).chunks_exact(item).all(|voxel| voxel == first);
        (0..self.inside.y.len()).all(is_same).then(|| number(first, self.block.dtype()))
    }
}

fn items<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> {
    bytes.chunks_exact(N).map(|item| item.try_into().expect("chunks have the length asked for"))
}

fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { 0.0 }
}

/// The bytes of one voxel as its number, ids too.
fn number(voxel: &[u8], dtype: Dtype) -> f64 {
    let mut bits = [0; 8];
    bits[..voxel.len()].copy_from_slice(voxel);
    let bits = u64::from_le_bytes(bits);
    match dtype {
        Dtype::Uint8 | Dtype::Uint16 | Dtype::Uint32 | Dtype::Uint64 => bits as f64,
        Dtype::Int8 => f64::from(bits as i8),
        Dtype::Int16 => f64::from(bits as i16),
        Dtype::Int32 => f64::from(bits as i32),
        Dtype::Int64 => bits as i64 as f64,
        Dtype::Float32 => f32::from_bits(bits as u32).into(),
        Dtype::Float64 => f64::from_bits(bits),
    }
}

/// A number of 24 bits, exact in every float, that stands for an id; 0 for 0 alone.
fn stand_in(id: u64) -> f64 {
    if id == 0 {
        return 0.0;
    }
    // The finaliser of MurmurHash3, which spreads neighbouring ids.
    let mut mixed = id;
    for factor in [0xff51_afd7_ed55_8ccd_u64, 0xc4ce_b9fe_1a85_ec53] {
        mixed = (mixed ^ (mixed >> 33)).wrapping_mul(factor);
    }
    ((mixed ^ (mixed >> 33)) % ((1 << 24) - 1) + 1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::volume::{Size, Span};

    #[test]
    fn rows_are_the_voxels_inside_whatever_their_type() {
        let task = Region::new(Span::new(100, 104), Span::new(200, 203), Span::new(16, 18));
        let inside = Region::new(Span::new(101, 103), Span::new(201, 203), Span::new(17, 18));
        for dtype in Dtype::ALL.into_iter().filter(|dtype| !has_ids(*dtype)) {
            let voxels = (0..24).flat_map(|n| match dtype {
                Dtype::Float32 => (n as f32).to_le_bytes().to_vec(),
                Dtype::Float64 => f64::from(n).to_le_bytes().to_vec(),
                _ => u64::from(n as u32).to_le_bytes()[..dtype.size_bytes()].to_vec(),
            });
            let block = Block::from_bytes(dtype, Size::new(4, 3, 2), voxels.collect()).unwrap();
            let mut row = Vec::new();
            Voxels::new(&block, &task, &inside).row(1, 0, &mut row);
            assert_eq!(row, [21.0, 22.0], "{dtype}");
        }
    }

    #[test]
    fn ids_stand_apart_and_0_is_0() {
        let ids = [0, 1, 2, 3, 1 << 40, u64::MAX];
        let mut standing: Vec<f64> = ids.into_iter().map(stand_in).collect();
        assert_eq!(standing[0], 0.0);
        standing.sort_by(f64::total_cmp);
        standing.dedup();
        assert_eq!(standing.len(), ids.len());
        assert!(standing.iter().all(|value| f64::from(*value as f32) == *value && *value < 16_777_216.0));
    }

    #[test]
    fn one_value_throughout_is_told_and_padding_does_not_count() {
        let mut block = Block::filled(Dtype::Int16, Size::new(4, 3, 1), &(-7i16).to_le_bytes());
        let task = Region::of_size(block.size());
        block.as_bytes_mut()[6] = 0;
        assert_eq!(Voxels::new(&block, &task, &task).constant(0), None);
        let inside = Region { x: Span::new(0, 3), ..task };
        assert_eq!(Voxels::new(&block, &task, &inside).constant(0), Some(-7.0));
    }
}
