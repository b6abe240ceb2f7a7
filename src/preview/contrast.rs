//! Which values are black and which are white.

use serde::Serialize;

use crate::volume::Dtype;

/// The share of voxels that become plain black, and plain white.
const TAIL: f64 = 0.005;

/// `low` is shown black, `high` white.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Contrast {
    pub low: f64,
    pub high: f64,
    /// Whether the user gave it.
    pub is_fixed: bool,
}

impl Contrast {
    /// 0 for black to 255 for white.
    pub fn grey(&self, value: f64) -> u8 {
        ((value - self.low) / self.range() * 255.0).round().clamp(0.0, 255.0) as u8
    }

    /// How far black and white are apart; never 0.
    pub fn range(&self) -> f64 {
        let range = self.high - self.low;
        if range > 0.0 { range } else { 1.0 }
    }
}

impl std::fmt::Display for Contrast {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let how = if self.is_fixed { "as given" } else { "0.5 and 99.5 percentiles" };
        write!(f, "{} to {} ({how})", short(self.low), short(self.high))
    }
}

/// Four digits of a fraction, all of a whole number.
fn short(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value}") } else { format!("{value:.4}") }
}

/// How often each value occurs: exactly up to 16 bits, by a sample above.
#[derive(Clone, Debug)]
pub enum Histogram {
    /// `counts[value + offset]`.
    Counts { counts: Vec<u64>, offset: i64 },
    /// One of every so many values, from which the next is taken after `skip` more.
    Sample { values: Vec<f64>, every: usize, skip: usize },
}

impl Histogram {
    /// Above 16 bits one of `every` values is kept.
    pub fn new(dtype: Dtype, every: usize) -> Self {
        let counts = |len: usize, offset| Histogram::Counts { counts: vec![0; len], offset };
        match dtype {
            Dtype::Uint8 => counts(1 << 8, 0),
            Dtype::Int8 => counts(1 << 8, 1 << 7),
            Dtype::Uint16 => counts(1 << 16, 0),
            Dtype::Int16 => counts(1 << 16, 1 << 15),
            _ => Histogram::Sample { values: Vec::new(), every: every.max(1), skip: 0 },
        }
    }

    pub fn add_row(&mut self, row: &[f64]) {
        match self {
            Histogram::Counts { counts, offset } => {
                row.iter().for_each(|value| counts[(*value as i64 + *offset) as usize] += 1);
            }
            Histogram::Sample { values, every, skip } => {
                values.extend(row.iter().skip(*skip).step_by(*every));
                let over = row.len().saturating_sub(*skip) % *every;
                *skip = if row.len() > *skip { (*every - over) % *every } else { *skip - row.len() };
            }
        }
    }

    pub fn merge(&mut self, other: Histogram) {
        match (self, other) {
            (Histogram::Counts { counts, .. }, Histogram::Counts { counts: more, .. }) => {
                counts.iter_mut().zip(more).for_each(|(count, more)| *count += more);
            }
            (Histogram::Sample { values, .. }, Histogram::Sample { values: more, .. }) => values.extend(more),
            _ => {}
        }
    }

    pub fn is_empty(&self) -> bool {
        match self {
            Histogram::Counts { counts, .. } => counts.iter().all(|count| *count == 0),
            Histogram::Sample { values, .. } => values.is_empty(),
        }
    }

    /// From the 0.5 to the 99.5 percentile: the smallest values that at least so many are not above. 0 to 1 when there
    /// are none.
    pub fn contrast(self) -> Contrast {
        let (low, high) = match self {
            _ if self.is_empty() => (0.0, 1.0),
            Histogram::Counts { counts, offset } => {
                let total: u64 = counts.iter().sum();
                let value = |share: f64| {
                    let mut left = ((total as f64 * share).ceil() as u64).max(1);
                    let place = counts.iter().position(|count| {
                        left = left.saturating_sub(*count);
                        left == 0
                    });
                    (place.unwrap_or(counts.len() - 1) as i64 - offset) as f64
                };
                (value(TAIL), value(1.0 - TAIL))
            }
            Histogram::Sample { mut values, .. } => {
                values.sort_by(f64::total_cmp);
                let place = |share: f64| ((values.len() as f64 * share).ceil() as usize).max(1) - 1;
                (values[place(TAIL)], values[place(1.0 - TAIL)])
            }
        };
        Contrast { low, high, is_fixed: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(dtype: Dtype, every: usize, rows: &[Vec<f64>]) -> Contrast {
        let mut histogram = Histogram::new(dtype, every);
        rows.iter().for_each(|row| histogram.add_row(row));
        histogram.contrast()
    }

    #[test]
    fn half_a_percent_at_each_end_is_left_out() {
        let thousand: Vec<f64> = (0..1000).map(f64::from).collect();
        for dtype in [Dtype::Uint16, Dtype::Float32] {
            let contrast = of(dtype, 1, std::slice::from_ref(&thousand));
            assert_eq!((contrast.low, contrast.high), (4.0, 994.0), "{dtype}");
        }
        let signed = of(Dtype::Int16, 1, &[thousand.iter().map(|value| value - 500.0).collect()]);
        assert_eq!((signed.low, signed.high), (-496.0, 494.0));
    }

    #[test]
    fn a_sample_is_even_over_rows_of_any_length() {
        let mut sample = Histogram::new(Dtype::Float64, 4);
        for row in [0..3, 3..4, 4..10, 10..17] {
            sample.add_row(&row.map(f64::from).collect::<Vec<_>>());
        }
        let Histogram::Sample { values, .. } = sample else { panic!("floats are sampled") };
        assert_eq!(values, [0.0, 4.0, 8.0, 12.0, 16.0]);
    }

    #[test]
    fn greys_go_from_low_to_high_and_one_value_is_no_division_by_zero() {
        let contrast = Contrast { low: 100.0, high: 200.0, is_fixed: true };
        assert_eq!([0.0, 100.0, 150.0, 200.0, 1e9].map(|value| contrast.grey(value)), [0, 0, 128, 255, 255]);
        let flat = of(Dtype::Uint8, 1, &[vec![7.0; 50]]);
        assert_eq!((flat.grey(7.0), flat.to_string().as_str()), (0, "7 to 7 (0.5 and 99.5 percentiles)"));
    }

    #[test]
    fn no_voxels_have_a_contrast_too() {
        assert_eq!(of(Dtype::Uint8, 1, &[]).range(), 1.0);
    }
}
