//! What a plan would read, by headers alone.

use std::sync::Arc;

use super::resolve::{Leaf, Paint};
use super::{Plan, Selection, SourceError, SourceInfo, SourceRef, Sources, Target};
use crate::volume::Region;

/// What a plan would read.
#[derive(Debug)]
pub struct Survey<'a> {
    pub reads: Vec<SourceRead<'a>>,
    /// Boxes of the task, in its own voxels, that come from a source, or that the plan fills.
    pub covered: Vec<Region>,
}

/// One box of one source that a plan would read.
#[derive(Clone, Debug)]
pub struct SourceRead<'a> {
    pub source: &'a SourceRef,
    pub selection: Selection,
    /// What the source is, with its axes as they are stored.
    pub info: Arc<SourceInfo>,
    /// In the source's own voxels, inside it.
    pub region: Region,
    /// Where it comes to, in the task's voxels.
    pub place: Region,
}

impl Sources {
    /// As [`Sources::verify`], and tells what would be read, and which of the task's voxels it reaches. With nothing required
    /// it tells how far a source that is too small reaches.
    ///
    /// # Errors
    /// As [`Sources::verify`].
    pub fn survey<'a>(&'a self, plan: &'a Plan, target: &'a Target) -> Result<Survey<'a>, SourceError> {
        let resolved = self.resolve(plan, target)?;
        let reads = resolved.paints.into_iter().filter_map(|paint| match paint {
            Paint::Fill { .. } => None,
            Paint::Read(leaf) => {
                let Leaf { source, selection, info, region, to, .. } = *leaf;
                let place = to.map(&region);
                Some(SourceRead { source, selection, info, region, place })
            }
        });
        Ok(Survey { reads: reads.collect(), covered: resolved.covered })
    }
}

#[cfg(test)]
mod tests {
    use super::super::conformance::foreign;
    use super::super::{Axis, ReadPlan, Step};
    use super::*;
    use crate::volume::{Dtype, Size, Span};

    #[test]
    fn a_survey_tells_what_is_read_and_where_it_comes_to() {
        let sources = Sources::new(foreign(""), 0);
        let cut = Region::new(Span::new(40, 72), Span::new(0, 16), Span::one(0));
        let plan = Plan::Read(ReadPlan::new("grey8.png").with(Step::Flip(Axis::X)).with(Step::Crop(cut)));
        let size = Size::new(32, 16, 1);
        let target = |required| Target { size, dtype: Dtype::Uint8, required };
        assert!(sources.survey(&plan, &target(Region::of_size(size))).is_err());
        let nothing = target(Region::of_size(Size::new(0, 0, 1)));
        let survey = sources.survey(&plan, &nothing).unwrap();
        let read = &survey.reads[0];
        let box_of = |x: (i64, i64)| Region::new(Span::new(x.0, x.1), Span::new(0, 16), Span::one(0));
        assert_eq!((read.region, read.place), (box_of((0, 21)), box_of((0, 21))));
        assert_eq!(survey.covered, [read.place]);
        assert_eq!(read.info.size, Size::new(61, 37, 1));
    }
}
