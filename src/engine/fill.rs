//! What becomes of a task whose file or script is at fault, as the user chose: `--on-bad-tile`.

use std::str::FromStr;

use super::triage::TaskError;
use crate::source::{Plan, ReadPlan, SourceError, Step};
use crate::volume::{Dtype, Region, Size};

/// What becomes of a task that is bad after all its tries.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum OnBadTile {
    /// The run ends; the task waits for its user.
    Stop,
    /// The task waits for its user, the others go on.
    #[default]
    Quarantine,
    /// If its source is missing or damaged, its voxels become this value. Scripts at fault, sources of the wrong size or
    /// type, and servers that do not answer are never filled over.
    Fill(f64),
}

impl FromStr for OnBadTile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            None if text == "stop" => Ok(OnBadTile::Stop),
            None if text == "quarantine" => Ok(OnBadTile::Quarantine),
            Some(("fill", value)) => match value.parse::<f64>() {
                Ok(value) if value.is_finite() => Ok(OnBadTile::Fill(value)),
                _ => Err(format!("`{value}` is not a number")),
            },
            _ => Err("give `stop`, `quarantine` or `fill=V`, such as `fill=0`".to_owned()),
        }
    }
}

/// Whether a fault means that there is nothing to read, so that a fill may stand in for it.
pub fn may_fill(error: &TaskError) -> bool {
    match error {
        TaskError::Missing { .. } => true,
        TaskError::Source(error) => {
            use SourceError::{Damaged, NoChunk, NotFound};
            matches!(error, NotFound { .. } | NoChunk { .. } | Damaged { .. })
        }
        _ => false,
    }
}

/// Whether the channel's voxels can hold the value. The Boss has unsigned integers alone.
pub fn fits(value: f64, dtype: Dtype) -> bool {
    let beyond = 2f64.powi(8 * dtype.size_bytes() as i32);
    value.fract() == 0.0 && (0.0..beyond).contains(&value)
}

/// A plan for a task of one value.
pub fn plan(size: Size, dtype: Dtype, value: f64) -> Plan {
    let region = Region::of_size(size);
    // Beside a volume that begins at 0, where all is fill.
    let beside = region.shift(-region.x.stop, 0, 0);
    let zeros = ReadPlan::new(format!("zeros://{dtype}"));
    Plan::Read(ReadPlan { fill: Some(value), ..zeros.with(Step::Crop(beside)) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Sources, Target};

    #[test]
    fn the_choices_are_read_and_others_refused() {
        for (text, choice) in
            [("stop", OnBadTile::Stop), ("quarantine", OnBadTile::Quarantine), ("fill=7", OnBadTile::Fill(7.0))]
        {
            assert_eq!(text.parse(), Ok(choice));
        }
        for text in ["", "fill", "fill=", "fill=black", "fill=inf", "stop=1"] {
            assert!(text.parse::<OnBadTile>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_filled_task_holds_the_value_everywhere() {
        let sources = Sources::new(".".into(), 1 << 20);
        for (size, dtype, value) in [
            (Size::new(70, 50, 1), Dtype::Uint8, 255.0),
            (Size::new(7, 5, 3), Dtype::Uint16, 65_535.0),
            (Size::new(7, 5, 3), Dtype::Uint64, 12.0),
        ] {
            assert!(fits(value, dtype) && !fits(value + 0.5, dtype) && !fits(-1.0, dtype), "{dtype}");
            let target = Target { size, dtype, required: Region::of_size(size) };
            let block = sources.read(&plan(size, dtype, value), &target).unwrap();
            let voxel = &(value as u64).to_le_bytes()[..dtype.size_bytes()];
            assert!(block.as_bytes().chunks_exact(dtype.size_bytes()).all(|found| found == voxel), "{dtype}");
            assert_eq!(block.size(), size);
        }
        assert!(!fits(256.0, Dtype::Uint8) && !fits(65_536.0, Dtype::Uint16));
    }
}
