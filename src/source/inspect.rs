//! What a file or volume is, for somebody who has it and nothing else.

use std::sync::Arc;

use super::error::PlanMistake;
use super::{
    Axis, Contents, Plan, ReadPlan, Selection, SourceError, SourceInfo, SourceRef, Sources, Statistics, Step, Target,
};
use crate::volume::{Region, Span};

/// The most voxels on x and y that a sample has.
const SAMPLE: u64 = 1024;

/// What is known of one source.
#[derive(Debug)]
pub struct Inspection {
    /// What it holds besides; its arrays, where it has several and none was named.
    pub contents: Contents,
    /// The header and a sample; `None` where it has several arrays and none was named.
    pub part: Option<Part>,
}

/// One readable part of a source.
#[derive(Debug)]
pub struct Part {
    pub info: Arc<SourceInfo>,
    pub sample: Sample,
}

/// Voxels out of the middle, at the first position on axes that are no image axes.
#[derive(Debug)]
pub struct Sample {
    pub region: Region,
    /// Those positions, by axis.
    pub at: Vec<(char, u64)>,
    pub statistics: Statistics,
}

impl Sources {
    /// Looks at a source: its header, what else it holds, and a sample of its voxels.
    ///
    /// # Errors
    /// As [`Sources::read`].
    pub fn inspect(&self, source: &SourceRef) -> Result<Inspection, SourceError> {
        let reader = self.open(source)?;
        let info = match self.source_info(source) {
            Err(SourceError::Plan { mistake: PlanMistake::WhichArray { arrays }, .. }) => {
                return Ok(Inspection { contents: Contents { arrays, ..Contents::default() }, part: None });
            }
            info => info?,
        };
        let contents = reader.contents(&selection(source))?;
        let sample = self.sample(source, &info)?;
        Ok(Inspection { contents, part: Some(Part { info, sample }) })
    }

    fn sample(&self, source: &SourceRef, info: &SourceInfo) -> Result<Sample, SourceError> {
        let region = middle(info);
        let at: Vec<(char, u64)> =
            info.axes.chars().filter(|axis| Axis::from_letter(*axis).is_none()).map(|axis| (axis, 0)).collect();
        let mut source = source.clone();
        source.select.extend(at.iter().copied());
        let plan = Plan::Read(ReadPlan { source, ..ReadPlan::new("") }.with(Step::Crop(region)));
        let required = Region::of_size(region.size());
        let block = self.read(&plan, &Target { size: region.size(), dtype: info.dtype, required })?;
        Ok(Sample { region, at, statistics: Statistics::of(&block) })
    }
}

/// What a plan says of the part that is meant, without its positions.
fn selection(source: &SourceRef) -> Selection {
    Selection {
        page: source.page,
        dataset: source.dataset.clone(),
        level: source.level,
        colour: source.colour,
        missing: source.missing,
        ..Selection::default()
    }
}

/// A box of one section in the middle of a source.
fn middle(info: &SourceInfo) -> Region {
    let Region { x, y, z } = info.region();
    let of = |span: Span, most: u64| {
        let length = span.len().min(most) as i64;
        let first = span.start + (span.len() as i64 - length) / 2;
        Span::new(first, first + length)
    };
    Region::new(of(x, SAMPLE), of(y, SAMPLE), of(z, 1))
}

#[cfg(test)]
mod tests {
    use super::super::conformance::{foreign, foreign_voxel};
    use super::super::error::Number;
    use super::*;
    use crate::volume::Size;

    #[test]
    fn a_sample_is_of_the_middle() {
        let sources = Sources::new(foreign(""), 1 << 20);
        let Inspection { part, .. } = sources.inspect(&SourceRef::new("pages_16_be.tif")).unwrap();
        let Part { info, sample } = part.unwrap();
        assert_eq!(info.size, Size::new(61, 37, 5));
        assert_eq!(sample.region.z, Span::one(2));
        let largest = (0..61 * 37).map(|n| foreign_voxel(n % 61, n / 61, 2)).max().unwrap();
        assert_eq!(sample.statistics.max, Some(Number::Integer(largest.into())));
    }
}
