//! Values of voxels in words.

use crate::report::count;
use crate::source::Statistics;

/// `3 to 250, mean 120.40, std 31.20, 0.3 % are 0`; with few different values also each of them, in a second line.
pub fn values(statistics: &Statistics) -> String {
    let (Some(min), Some(max)) = (statistics.min, statistics.max) else { return "none is a number".to_owned() };
    if let Some([(only, _)]) = statistics.distinct.as_deref() {
        return format!("all {only}");
    }
    let mut text = format!("{min} to {max}, mean {:.2}, std {:.2}", statistics.mean, statistics.std);
    text += &format!(", {} are 0", percent(statistics.zero_share()));
    if statistics.not_numbers > 0 {
        text += &format!(", {} no number", count(statistics.not_numbers, "voxel"));
    }
    if let Some(distinct) = &statistics.distinct {
        let each = distinct
            .iter()
            .map(|(value, voxels)| format!("{value} ({})", percent(*voxels as f64 / statistics.voxels as f64)));
        text += &format!("\nonly {}", each.collect::<Vec<_>>().join(", "));
    }
    text
}

/// A share that is neither none nor all never reads as that.
pub fn percent(share: f64) -> String {
    match share * 100.0 {
        0.0 => "0 %".to_owned(),
        100.0 => "100 %".to_owned(),
        small if small < 0.1 => "under 0.1 %".to_owned(),
        large if large > 99.9 => "over 99.9 %".to_owned(),
        middle => format!("{middle:.1} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_never_rounded_to_none_or_all() {
        let shares = [0.0, 1e-9, 0.001, 0.5, 0.9999, 1.0].map(percent);
        assert_eq!(shares, ["0 %", "under 0.1 %", "0.1 %", "50.0 %", "over 99.9 %", "100 %"]);
    }
}
