//! Which blocks are compared: all, or a share that is spread over the job and drawn by a seed.

use std::fmt;
use std::str::FromStr;

use fastrand::Rng;

/// How much of a job is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Share {
    #[default]
    All,
    /// So many percent, above 0 and below 100.
    Percent(f64),
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "give `all` or a share such as `1%`".to_owned();
        if text == "all" {
            return Ok(Share::All);
        }
        let number: f64 = text.strip_suffix('%').ok_or_else(wrong)?.trim().parse().map_err(|_| wrong())?;
        match number {
            100.0 => Ok(Share::All),
            percent if percent > 0.0 && percent < 100.0 => Ok(Share::Percent(percent)),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Share::All => f.write_str("all"),
            Share::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

/// The blocks of a job that are compared: one out of each of so many equal parts.
#[derive(Clone, Debug)]
pub struct Sample {
    pub blocks: u64,
    pub of: u64,
    pub seed: u64,
}

impl Sample {
    /// Of a job of `of` blocks; at least one.
    pub fn new(of: u64, share: Share, seed: u64) -> Self {
        let blocks = match share {
            Share::All => of,
            Share::Percent(percent) => ((of as f64 * percent / 100.0).round() as u64).clamp(1.min(of), of),
        };
        Sample { blocks, of, seed }
    }

    /// The numbers of the blocks, rising. The same for the same seed.
    pub fn numbers(&self) -> impl Iterator<Item = u64> + use<> {
        let Sample { blocks, of, seed } = *self;
        let mut drawn = Rng::with_seed(seed);
        let at = move |part: u64| (u128::from(part) * u128::from(of) / u128::from(blocks.max(1))) as u64;
        (0..blocks).map(move |part| drawn.u64(at(part)..at(part + 1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read_as_they_are_shown() {
        for text in ["all", "1%", "0.07%", "99.9%"] {
            assert_eq!(text.parse::<Share>().unwrap().to_string(), text);
        }
        assert_eq!("100%".parse(), Ok(Share::All));
        for text in ["", "1", "0%", "101%", "-1%", "some", "nan%"] {
            assert!(text.parse::<Share>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_sample_is_spread_has_its_size_and_is_the_same_for_its_seed() {
        for (of, share, blocks) in [(1000, 1.0, 10), (1000, 50.0, 500), (7, 1.0, 1), (0, 50.0, 0), (3, 90.0, 3)] {
            let numbers = |seed| Sample::new(of, Share::Percent(share), seed).numbers().collect::<Vec<_>>();
            let drawn = numbers(5);
            assert_eq!(drawn.len(), blocks, "{of}");
            assert!(drawn.is_sorted_by(|a, b| a < b) && drawn.iter().all(|number| *number < of), "{drawn:?}");
            assert_eq!(drawn, numbers(5));
            assert!(blocks != 500 || drawn != numbers(6));
        }
        assert_eq!(Sample::new(4, Share::All, 9).numbers().collect::<Vec<_>>(), [0, 1, 2, 3]);
    }
}
