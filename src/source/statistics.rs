//! What the values of a block are, in a few numbers.

use serde::Serialize;

use super::error::Number;
use super::number::{Voxel, with_voxel};
use crate::volume::Block;

/// Different values that are listed; with more, none are.
const MOST_DISTINCT: usize = 8;

/// What the values of a block are, in a few numbers. Floats that are no numbers count in `voxels` and `not_numbers` alone.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Statistics {
    pub voxels: u64,
    /// `None` when no voxel is a number.
    pub min: Option<Number>,
    pub max: Option<Number>,
    pub mean: f64,
    /// The standard deviation of all voxels (divided by their number).
    pub std: f64,
    /// Voxels that are 0.
    pub zeros: u64,
    pub not_numbers: u64,
    /// Every value with its number of voxels, in rising order, where there are at most eight.
    pub distinct: Option<Vec<(Number, u64)>>,
}

impl Statistics {
    pub fn of(block: &Block) -> Self {
        with_voxel!(block.dtype(), V => measure::<V>(block.as_bytes()))
    }

    /// The share of voxels that are 0, from 0 to 1.
    pub fn zero_share(&self) -> f64 {
        if self.voxels == 0 { 0.0 } else { self.zeros as f64 / self.voxels as f64 }
    }
}

fn measure<V: Voxel + PartialOrd>(bytes: &[u8]) -> Statistics {
    let numbers = || bytes.chunks_exact(V::BYTES).map(V::load).filter(|value| value.partial_cmp(value).is_some());
    let (mut count, mut zeros, mut sum) = (0u64, 0, 0.0);
    let mut range: Option<(V, V)> = None;
    for value in numbers() {
        let real = value.real();
        count += 1;
        zeros += u64::from(real == 0.0);
        sum += real;
        let (min, max) = range.unwrap_or((value, value));
        range = Some((if value < min { value } else { min }, if value > max { value } else { max }));
    }
    let mean = sum / count as f64;
    let squares: f64 = numbers().map(|value| (value.real() - mean).powi(2)).sum();
    let voxels = (bytes.len() / V::BYTES) as u64;
    Statistics {
        voxels,
        min: range.map(|(min, _)| min.number()),
        max: range.map(|(_, max)| max.number()),
        mean,
        std: (squares / count as f64).sqrt(),
        zeros,
        not_numbers: voxels - count,
        distinct: distinct(numbers()),
    }
}

fn distinct<V: Voxel + PartialOrd>(values: impl Iterator<Item = V>) -> Option<Vec<(Number, u64)>> {
    let mut counts: Vec<(V, u64)> = Vec::new();
    for value in values {
        match counts.iter().position(|(known, _)| *known == value) {
            Some(at) => counts[at].1 += 1,
            None if counts.len() == MOST_DISTINCT => return None,
            None => counts.push((value, 1)),
        }
    }
    counts.sort_by(|(a, _), (b, _)| a.partial_cmp(b).expect("only numbers are counted"));
    Some(counts.into_iter().map(|(value, count)| (value.number(), count)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::volume::{Dtype, Size};

    #[test]
    fn values_are_summed_up() {
        let bytes = [0i16, -3, 5, 0, 5, 5].iter().flat_map(|value| value.to_le_bytes()).collect();
        let found = Statistics::of(&Block::from_bytes(Dtype::Int16, Size::new(3, 2, 1), bytes).unwrap());
        let integer = Number::Integer;
        assert_eq!((found.min, found.max), (Some(integer(-3)), Some(integer(5))));
        assert_eq!((found.voxels, found.zeros, found.mean), (6, 2, 2.0));
        // The deviations are -2, -5, 3, -2, 3, 3.
        assert!((found.std - (60.0f64 / 6.0).sqrt()).abs() < 1e-12);
        assert_eq!(found.distinct.unwrap(), [(integer(-3), 1), (integer(0), 2), (integer(5), 3)]);
    }

    #[test]
    fn the_largest_ids_keep_all_their_digits() {
        let ids: Vec<u8> = (0..9u64).flat_map(|id| (u64::MAX - id).to_le_bytes()).collect();
        let found = Statistics::of(&Block::from_bytes(Dtype::Uint64, Size::new(9, 1, 1), ids).unwrap());
        assert_eq!(found.max.unwrap().to_string(), "18446744073709551615");
        assert_eq!(serde_json::to_value(&found).unwrap()["min"], u64::MAX - 8);
        assert_eq!(found.distinct, None);
    }

    #[test]
    fn what_is_no_number_is_left_out() {
        let bytes = [f32::NAN, 1.5, 2.5].iter().flat_map(|value| value.to_le_bytes()).collect();
        let found = Statistics::of(&Block::from_bytes(Dtype::Float32, Size::new(3, 1, 1), bytes).unwrap());
        assert_eq!((found.mean, found.not_numbers, found.min), (2.0, 1, Some(Number::Real(1.5))));
        let none = Statistics::of(&Block::zeros(Dtype::Uint8, Size::new(0, 1, 1)));
        assert_eq!((none.min, none.zero_share()), (None, 0.0));
    }
}
