//! Statistics that a few odd values do not spoil.

/// The standard deviation of a normal distribution, in median absolute deviations.
const DEVIATIONS: f64 = 1.4826;

/// The middle value, or the mean of the middle two.
///
/// # Panics
/// When there are none.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 }
}

/// The places of values that are more than `far` robust standard deviations from the median, and more than `least` from
/// it and from 0.
pub fn outliers(values: &[f64], far: f64, least: f64) -> Vec<usize> {
    if values.is_empty() {
        return Vec::new();
    }
    let middle = median(values.to_vec());
    let deviation = DEVIATIONS * median(values.iter().map(|value| (value - middle).abs()).collect());
    let is_odd = |value: f64| (value - middle).abs() > (far * deviation).max(least) && value.abs() > least;
    (0..values.len()).filter(|place| is_odd(values[*place])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_not_moved_by_one_odd_value() {
        assert_eq!(median(vec![3.0, 1.0, 1e9]), 3.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 1e9]), 3.0);
    }

    #[test]
    fn what_is_far_for_quiet_values_is_near_for_noisy_ones() {
        assert_eq!(outliers(&[0.0, 0.1, -0.1, 0.0, 5.0, 0.1], 6.0, 1.0), [4]);
        assert_eq!(outliers(&[0.0, 3.0, -4.0, 1.0, 5.0, -3.0], 6.0, 1.0), [] as [usize; 0]);
        assert_eq!(outliers(&[0.0, 0.0, 0.0, 0.5, 0.0], 6.0, 1.0), [] as [usize; 0], "below the least");
    }
}
