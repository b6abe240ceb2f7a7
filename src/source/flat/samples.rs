//! Values as they lie in a file, and as they come into a block.

use half::f16;

use crate::codec::swap_bytes;
use crate::volume::Dtype;

/// How the values of an array are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Samples {
    kind: Kind,
    is_big_endian: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Plain(Dtype),
    /// 16-bit floats, which become `float32`; that holds all their values.
    Half,
}

impl Samples {
    pub fn new(dtype: Dtype, is_big_endian: bool) -> Self {
        Samples { kind: Kind::Plain(dtype), is_big_endian }
    }

    pub fn half(is_big_endian: bool) -> Self {
        Samples { kind: Kind::Half, is_big_endian }
    }

    /// The type of the voxels that they become.
    pub fn dtype(self) -> Dtype {
        match self.kind {
            Kind::Plain(dtype) => dtype,
            Kind::Half => Dtype::Float32,
        }
    }

    /// Bytes of a value in the file.
    pub fn stored_bytes(self) -> usize {
        match self.kind {
            Kind::Plain(dtype) => dtype.size_bytes(),
            Kind::Half => 2,
        }
    }

    /// Whether values can be read straight into a block, and made voxels there by [`turn`](Samples::turn).
    pub fn are_plain(self) -> bool {
        matches!(self.kind, Kind::Plain(_))
    }

    /// Makes plain values that were read into a block into voxels.
    pub fn turn(self, voxels: &mut [u8]) {
        if self.is_big_endian {
            swap_bytes(voxels, self.stored_bytes());
        }
    }

    /// Copies `count` values, `from_step` values apart, to voxels that are `to_step` voxels apart.
    pub fn copy(self, from: &[u8], from_step: usize, to: &mut [u8], to_step: usize, count: usize) {
        let is_big = self.is_big_endian;
        match (self.kind, self.stored_bytes()) {
            (Kind::Half, _) => {
                let to_bytes = |value: [u8; 2]| {
                    let value = if is_big { f16::from_be_bytes(value) } else { f16::from_le_bytes(value) };
                    value.to_f32().to_le_bytes()
                };
                each(from, from_step, to, to_step, count, to_bytes);
            }
            (_, item) if (from_step, to_step) == (1, 1) => {
                let to = &mut to[..count * item];
                to.copy_from_slice(&from[..count * item]);
                self.turn(to);
            }
            (_, 1) => each::<1, 1>(from, from_step, to, to_step, count, |value| value),
            (_, 2) => each::<2, 2>(from, from_step, to, to_step, count, |value| turned(value, is_big)),
            (_, 4) => each::<4, 4>(from, from_step, to, to_step, count, |value| turned(value, is_big)),
            (_, 8) => each::<8, 8>(from, from_step, to, to_step, count, |value| turned(value, is_big)),
            (_, item) => unreachable!("no values have {item} bytes"),
        }
    }
}

fn turned<const N: usize>(mut value: [u8; N], is_big_endian: bool) -> [u8; N] {
    if is_big_endian {
        value.reverse();
    }
    value
}

fn each<const FROM: usize, const TO: usize>(
    from: &[u8],
    from_step: usize,
    to: &mut [u8],
    to_step: usize,
    count: usize,
    voxel: impl Fn([u8; FROM]) -> [u8; TO],
) {
    let values = from.as_chunks::<FROM>().0.iter().step_by(from_step);
    let voxels = to.as_chunks_mut::<TO>().0.iter_mut().step_by(to_step);
    for (to, from) in voxels.zip(values).take(count) {
        *to = voxel(*from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_far_apart_are_turned_as_those_in_a_row() {
        let samples = Samples::new(Dtype::Uint16, true);
        let mut row = [0; 4];
        samples.copy(&[1, 2, 3, 4], 1, &mut row, 1, 2);
        assert_eq!(row, [2, 1, 4, 3]);
        let mut apart = [9; 8];
        samples.copy(&[1, 2, 0, 0, 3, 4], 2, &mut apart, 3, 2);
        assert_eq!(apart, [2, 1, 9, 9, 9, 9, 4, 3]);
    }

    #[test]
    fn halves_become_floats() {
        let halves = [f16::from_f32(1.5), f16::from_f32(-65504.0), f16::INFINITY, f16::from_bits(1)];
        let stored: Vec<u8> = halves.iter().flat_map(|value| value.to_be_bytes()).collect();
        let mut voxels = [0; 16];
        Samples::half(true).copy(&stored, 1, &mut voxels, 1, 4);
        let floats: Vec<f32> = voxels.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        assert_eq!(floats, [1.5, -65504.0, f32::INFINITY, 5.960_464_5e-8]);
    }
}
