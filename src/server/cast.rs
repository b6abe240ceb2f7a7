//! Voxels of an image as voxels of a channel, as numpy's `astype` does it: integers wrap, fractions are cut off.

use crate::volume::{Block, Dtype};

/// The block in another voxel type. Values that do not fit wrap modulo 2ⁿ.
pub fn wrapping(block: Block, dtype: Dtype) -> Block {
    if block.dtype() == dtype {
        return block;
    }
    let (from, size) = (block.dtype(), block.size());
    let mut bytes = Vec::with_capacity(block.as_bytes().len() / from.size_bytes() * dtype.size_bytes());
    for voxel in block.as_bytes().chunks_exact(from.size_bytes()) {
        bytes.extend_from_slice(&as_integer(from, voxel).to_le_bytes()[..dtype.size_bytes()]);
    }
    Block::from_bytes(dtype, size, bytes).expect("one voxel was written for each")
}

/// The voxel as a 64-bit integer; negative ones in two's complement, so that cutting bytes off wraps.
fn as_integer(dtype: Dtype, voxel: &[u8]) -> u64 {
    let mut wide = [0; 8];
    wide[..voxel.len()].copy_from_slice(voxel);
    let unsigned = u64::from_le_bytes(wide);
    let unused_bits = 64 - 8 * voxel.len() as u32;
    match dtype {
        Dtype::Uint8 | Dtype::Uint16 | Dtype::Uint32 | Dtype::Uint64 => unsigned,
        Dtype::Int8 | Dtype::Int16 | Dtype::Int32 | Dtype::Int64 => {
            (((unsigned << unused_bits) as i64) >> unused_bits) as u64
        }
        Dtype::Float32 => from_float(f64::from(f32::from_bits(unsigned as u32))),
        Dtype::Float64 => from_float(f64::from_bits(unsigned)),
    }
}

fn from_float(value: f64) -> u64 {
    if value < 0.0 { value as i64 as u64 } else { value as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::volume::Size;

    #[test]
    fn values_wrap_and_fractions_are_cut_off() {
        let cases: [(Dtype, &[u8], Dtype, &[u8]); 6] = [
            (Dtype::Uint16, &300u16.to_le_bytes(), Dtype::Uint8, &[44]),
            (Dtype::Uint8, &[200], Dtype::Uint16, &200u16.to_le_bytes()),
            (Dtype::Int8, &[0xff], Dtype::Uint16, &65535u16.to_le_bytes()),
            (Dtype::Int32, &(-2i32).to_le_bytes(), Dtype::Uint64, &(u64::MAX - 1).to_le_bytes()),
            (Dtype::Float32, &3.9f32.to_le_bytes(), Dtype::Uint8, &[3]),
            (Dtype::Float64, &(-1.5f64).to_le_bytes(), Dtype::Uint8, &[255]),
        ];
        for (from, bytes, to, expected) in cases {
            let block = Block::from_bytes(from, Size::new(1, 1, 1), bytes.to_vec()).unwrap();
            assert_eq!(wrapping(block, to).as_bytes(), expected, "{from} to {to}");
        }
    }
}
