//! A plan held against the headers of its sources: what is to be decoded, and where each voxel goes.
//!
//! Steps are walked backwards, from the task's box to the boxes of the sources, so that only what the task needs is read,
//! whatever the steps are. Nothing is decoded here, and whatever headers can tell to be wrong is found here.

use std::convert::Infallible;
use std::sync::Arc;

use super::axes::{self, View};
use super::cast::{Conversion, Values, voxel_bytes};
use super::error::{PlanMistake, SizeProblem};
use super::location::is_remote;
use super::parallel::each;
use super::placement::Placement;
use super::remote::{WIDTH, shown};
use super::{Axis, Cast, Held, Plan, ReadPlan, Selection, SourceError, SourceInfo, SourceRef, Sources, Step, Target};
use crate::volume::{Region, Size, Span};

/// What to do for a task, in this order. Boxes are in the task's voxels.
pub(super) struct Resolved<'a> {
    pub paints: Vec<Paint<'a>>,
    /// The boxes that come from a source, from a fill, or from a source that may be missing.
    pub covered: Vec<Region>,
}

impl Resolved<'_> {
    /// The boxes of the task that come from a source.
    pub fn read(&self) -> Vec<Region> {
        self.paints.iter().filter_map(Paint::read).collect()
    }
}

pub(super) enum Paint<'a> {
    Fill { region: Region, voxel: Vec<u8> },
    Read(Box<Leaf<'a>>),
}

impl Paint<'_> {
    /// The box of the task that comes from a source.
    pub fn read(&self) -> Option<Region> {
        match self {
            Paint::Read(leaf) => Some(leaf.to.map(&leaf.region)),
            Paint::Fill { .. } => None,
        }
    }

    /// The box of the task that is filled, and with what.
    pub fn fill(&self) -> Option<(&Region, &[u8])> {
        match self {
            Paint::Fill { region, voxel } => Some((region, voxel)),
            Paint::Read(_) => None,
        }
    }
}

/// One box of one source.
#[derive(Clone)]
pub(super) struct Leaf<'a> {
    pub source: &'a SourceRef,
    pub selection: Selection,
    pub info: Arc<SourceInfo>,
    /// In the source's own voxels, inside it.
    pub region: Region,
    /// From the source's voxels to the task's.
    pub to: Placement,
    pub conversion: Conversion,
}

/// How the image before a step comes to the task.
#[derive(Clone)]
struct Way {
    /// The voxels that are wanted of the image.
    wanted: Region,
    /// From the image's voxels to the task's.
    to: Placement,
    values: Values,
    cast: Cast,
}

/// The one source of a plan, for messages.
#[derive(Clone, Copy)]
struct Only {
    has: Size,
    to: Placement,
}

struct Resolver<'a> {
    sources: &'a Sources,
    target: &'a Target,
    resolved: Resolved<'a>,
    only: Option<Only>,
    leaves: usize,
}

impl Sources {
    /// Holds a plan against its sources' headers.
    pub(super) fn resolve<'a>(&'a self, plan: &'a Plan, target: &'a Target) -> Result<Resolved<'a>, SourceError> {
        self.look_ahead(plan);
        let resolved = Resolved { paints: Vec::new(), covered: Vec::new() };
        let mut resolver = Resolver { sources: self, target, resolved, only: None, leaves: 0 };
        match plan {
            Plan::Read(read) => resolver.layers(read, Region::of_size(target.size), &target.required)?,
            Plan::Stack { z, sections } => resolver.stack(*z, sections)?,
        }
        Ok(resolver.resolved)
    }

    /// What one source of a plan is, by its header: its axes are the image's own.
    ///
    /// # Errors
    /// [`SourceError::NotFound`], `NotSupported`, `Damaged`, `Unreachable` and `Plan`.
    pub fn source_info(&self, source: &SourceRef) -> Result<Arc<SourceInfo>, SourceError> {
        let (info, View { exchange, .. }) = self.header(source)?;
        let to_image = Placement::exchange(exchange);
        if to_image == Placement::shift([0; 3]) {
            return Ok(info);
        }
        let size = |of: Size| to_image.map(&Region::of_size(of)).size();
        let Region { x, y, z } = to_image.map(&info.region());
        let axes = source.axes.clone().unwrap_or_default();
        let axes = axes.chars().filter(|axis| !source.select.contains_key(axis)).collect();
        Ok(Arc::new(SourceInfo {
            axes,
            origin: (x.start, y.start, z.start),
            size: size(info.size),
            block: size(info.block),
            is_plain: false,
            ..(*info).clone()
        }))
    }

    /// Fetches the headers of sources behind URLs side by side: they are then known when the plan is walked. Whatever is wrong
    /// is found again there.
    fn look_ahead(&self, plan: &Plan) {
        let mut far = plan.sources();
        far.retain(|source| is_remote(&source.path));
        if far.len() > 1 {
            let look = |source| {
                drop(self.header(source));
                Ok::<_, Infallible>(())
            };
            let Ok(_) = each(far, WIDTH, look);
        }
    }

    /// Keeps a source decoded that is decoded only as a whole, until the answer is dropped.
    ///
    /// # Errors
    /// As [`Sources::read`].
    pub(super) fn hold(&self, source: &SourceRef) -> Result<Option<Held>, SourceError> {
        let (_, View { selection, .. }) = self.header(source)?;
        self.open(source)?.hold(&selection)
    }

    /// The header of the part that is meant, in the source's own axes.
    fn header(&self, source: &SourceRef) -> Result<(Arc<SourceInfo>, View), SourceError> {
        let plain = axes::plain(source);
        let whole = self.selected_info(source, &plain)?;
        if !axes::needs_info(source) && whole.others.is_empty() {
            return Ok((whole, View { selection: plain, exchange: Axis::ALL }));
        }
        let view = axes::view(source, &whole)?;
        Ok((self.selected_info(source, &view.selection)?, view))
    }
}

impl<'a> Resolver<'a> {
    /// Tasks start at multiples of their own depth, which is how a stack's first section finds its layer.
    fn stack(&mut self, z: Span, sections: &'a [ReadPlan]) -> Result<(), SourceError> {
        let layers = stack_layers(z, sections, self.target)?;
        let size = self.target.size;
        for (section, layer) in sections.iter().zip(layers.start..) {
            let layer = Region { z: Span::one(layer), ..Region::of_size(size) };
            self.layers(section, layer, &self.target.required.intersect(&layer))?;
        }
        Ok(())
    }

    /// Resolves what one plan gives for `place`, a box of the task, of which `required` must be there.
    fn layers(&mut self, plan: &'a ReadPlan, place: Region, required: &Region) -> Result<(), SourceError> {
        let fill = self.fill_voxel(plan)?;
        self.check_size(plan, place.size())?;
        (self.only, self.leaves) = (None, 0);
        let first = self.resolved.covered.len();
        if let Some(voxel) = fill {
            self.resolved.covered.push(place);
            self.paint_fill(place, voxel);
        }
        let to = Placement::shift([place.x.start, place.y.start, place.z.start]);
        let wanted = Region::of_size(place.size());
        let way = Way { wanted, to, values: Values::default(), cast: plan.cast.unwrap_or(Cast::Exact) };
        self.walk(plan, &plan.steps, way)?;
        self.check_covered(plan, first, required)
    }

    /// Goes back through the steps to the source.
    fn walk(&mut self, plan: &'a ReadPlan, steps: &'a [Step], way: Way) -> Result<(), SourceError> {
        let Some((step, rest)) = steps.split_last() else { return self.leaf(&plan.source, way) };
        if way.wanted.is_empty() {
            return Ok(());
        }
        let change = |image: Placement, wanted: Region| Way {
            wanted: image.inverse().map(&wanted),
            to: way.to.after(&image),
            ..way.clone()
        };
        let way = match step {
            Step::Whole => match self.bounds(plan, rest)? {
                Some(Region { x, y, z }) => change(Placement::shift([-x.start, -y.start, -z.start]), way.wanted),
                None => way,
            },
            Step::Crop(region) => {
                let kept = way.wanted.intersect(&Region::of_size(region.size()));
                change(Placement::shift([-region.x.start, -region.y.start, -region.z.start]), kept)
            }
            Step::Flip(_) | Step::Rotate(_) => match self.turn(plan, step, rest)? {
                Some(turn) => change(turn, way.wanted),
                None => way,
            },
            Step::Scale { factor, offset } => {
                Way { values: way.values.before_scale(*factor, *offset).map_err(mistake_of(plan))?, ..way }
            }
            Step::Range { lo, hi } => {
                let values = way.values.before_range(*lo, *hi, self.target.dtype).map_err(mistake_of(plan))?;
                Way { values, cast: Cast::Saturate, ..way }
            }
            Step::Lut(lut) => Way { values: way.values.before_lut(lut).map_err(mistake_of(plan))?, ..way },
            Step::Paste { plan: pasted, at: [x, y, z] } => {
                self.walk(plan, rest, way.clone())?;
                return self.pasted(pasted, change(Placement::shift([*x, *y, *z]), way.wanted));
            }
        };
        self.walk(plan, rest, way)
    }

    fn pasted(&mut self, plan: &'a ReadPlan, way: Way) -> Result<(), SourceError> {
        if let (Some(voxel), Some(bounds)) = (self.fill_voxel(plan)?, self.bounds(plan, &plan.steps)?) {
            let place = way.to.map(&bounds.intersect(&way.wanted));
            self.resolved.covered.push(place);
            self.paint_fill(place, voxel);
        }
        let cast = plan.cast.unwrap_or(way.cast);
        self.walk(plan, &plan.steps, Way { cast, ..way })
    }

    fn leaf(&mut self, source: &'a SourceRef, way: Way) -> Result<(), SourceError> {
        self.leaves += 1;
        let (info, View { selection, exchange }) = match self.sources.header(source) {
            Err(error) if error.may_mean_absent() && source.may_lack() => {
                self.resolved.covered.push(way.to.map(&way.wanted));
                return Ok(());
            }
            header => header?,
        };
        info.check_colour(source.page)?;
        if let Some(axis) = info.axes.chars().find(|axis| Axis::from_letter(*axis).is_none()) {
            return Err(SourceError::mistake(&source.path, PlanMistake::Select { axis }));
        }
        let Way { mut wanted, mut to, values, cast } = way;
        if !info.axes.contains(exchange[2].letter()) {
            // A 2D source has no z: its one section is wherever it is looked for.
            if wanted.z.len() != 1 {
                return Err(SourceError::mistake(&source.path, PlanMistake::FlatForDeep { depth: wanted.z.len() }));
            }
            to = to.after(&Placement::shift([0, 0, wanted.z.start]));
            wanted.z = Span::one(0);
        }
        let to_image = Placement::exchange(exchange);
        let to = to.after(&to_image);
        let region = to_image.inverse().map(&wanted).intersect(&info.region());
        self.only = Some(Only { has: info.size, to });
        if values.is_lut() && info.dtype.is_float() {
            return Err(SourceError::mistake(&source.path, PlanMistake::LutOfFloats));
        }
        if region.is_empty() {
            return Ok(());
        }
        self.resolved.covered.push(to.map(&region));
        let conversion = Conversion { values, cast, dtype: self.target.dtype };
        self.resolved.paints.push(Paint::Read(Box::new(Leaf { source, selection, info, region, to, conversion })));
        Ok(())
    }

    /// What mirroring or turning does to the image before it; nothing to a source that may be missing, and is.
    fn turn(&self, plan: &ReadPlan, step: &Step, rest: &[Step]) -> Result<Option<Placement>, SourceError> {
        let Some(mut bounds) = self.bounds(plan, rest)? else { return Ok(None) };
        Ok(Some(match step {
            Step::Flip(axis) => Placement::flip(*axis, &bounds),
            Step::Rotate(quarters) => {
                let mut turned = Placement::shift([0; 3]);
                for _ in 0..quarters % 4 {
                    let quarter = Placement::quarter_turn(&bounds);
                    bounds = quarter.map(&bounds);
                    turned = quarter.after(&turned);
                }
                turned
            }
            _ => Placement::shift([0; 3]),
        }))
    }

    /// The box of an image after these steps; `None` for a source that may be missing, and is.
    fn bounds(&self, plan: &ReadPlan, steps: &[Step]) -> Result<Option<Region>, SourceError> {
        let Some((step, rest)) = steps.split_last() else {
            return match self.sources.source_info(&plan.source) {
                Ok(info) => Ok(Some(info.region())),
                Err(error) if error.may_mean_absent() && plan.source.may_lack() => Ok(None),
                Err(error) => Err(error),
            };
        };
        match step {
            Step::Crop(region) => Ok(Some(Region::of_size(region.size()))),
            Step::Whole => Ok(self.bounds(plan, rest)?.map(|bounds| Region::of_size(bounds.size()))),
            Step::Lut(_) | Step::Scale { .. } | Step::Range { .. } => self.bounds(plan, rest),
            Step::Flip(_) => self.bounds(plan, rest),
            Step::Rotate(_) => {
                let (bounds, turn) = (self.bounds(plan, rest)?, self.turn(plan, step, rest)?);
                Ok(bounds.zip(turn).map(|(bounds, turn)| turn.map(&bounds)))
            }
            Step::Paste { plan: pasted, at: [x, y, z] } => {
                let under = self.bounds(plan, rest)?;
                let over = self.bounds(pasted, &pasted.steps)?.map(|over| over.shift(*x, *y, *z));
                Ok(match (under, over) {
                    (Some(under), Some(over)) => Some(under.hull(&over)),
                    (under, over) => under.or(over),
                })
            }
        }
    }

    /// The image must be as large as its place, or, where nothing was cut, no larger.
    fn check_size(&self, plan: &ReadPlan, size: Size) -> Result<(), SourceError> {
        let Some(bounds) = self.bounds(plan, &plan.steps)? else { return Ok(()) };
        let path = &plan.source.path;
        let may_be_smaller = !plan.steps.iter().any(|step| matches!(step, Step::Crop(_)));
        if bounds.size() == size || (may_be_smaller && Region::of_size(size).covers(&bounds)) {
            return Ok(());
        }
        let (is_flat, is_absent) = match self.sources.source_info(&plan.source) {
            Ok(info) => (info.is_flat(), false),
            Err(error) if error.may_mean_absent() && plan.source.may_lack() => (false, true),
            // What cannot be read is the reason, whatever its size.
            Err(error) => return Err(error),
        };
        if is_flat || is_absent {
            if size.z != 1 && is_flat {
                return Err(SourceError::mistake(path, PlanMistake::FlatForDeep { depth: size.z }));
            }
            // A 2D source has no z: that of a box is not looked at. One that is not there may have been 2D.
            if size.z == 1 && !may_be_smaller && bounds.size() == (Size { z: bounds.z.len(), ..size }) {
                return Ok(());
            }
        }
        if may_be_smaller {
            let (has, problem) = (bounds.size(), SizeProblem::LargerThan(size));
            return Err(SourceError::WrongSize { path: shown(path).into_owned(), has, problem });
        }
        let region = plan.steps.iter().rev().find_map(|step| match step {
            Step::Crop(region) => Some(*region),
            _ => None,
        });
        let mistake = match (region, plan.steps.last()) {
            (Some(region), Some(Step::Crop(_))) => PlanMistake::RegionSize { region, target: size },
            _ => PlanMistake::ResultSize { size: bounds.size(), target: size },
        };
        Err(SourceError::mistake(path, mistake))
    }

    /// The job says that the required voxels exist; `first` is where the plan's own covered boxes begin.
    fn check_covered(&self, plan: &ReadPlan, first: usize, required: &Region) -> Result<(), SourceError> {
        let Some(rest) = lacking(required, &self.resolved.covered[first..]) else { return Ok(()) };
        let path = shown(&plan.source.path).into_owned();
        match self.only {
            Some(Only { has, to }) if self.leaves == 1 => {
                let problem = SizeProblem::Lacking(to.inverse().map(&rest));
                Err(SourceError::WrongSize { path, has, problem })
            }
            _ => Err(SourceError::mistake(&path, PlanMistake::Uncovered { region: rest })),
        }
    }

    /// The bytes of the voxel that stands for what the plan does not reach.
    fn fill_voxel(&self, plan: &ReadPlan) -> Result<Option<Vec<u8>>, SourceError> {
        let Some(fill) = plan.fill else { return Ok(None) };
        let dtype = self.target.dtype;
        let mistake = || SourceError::mistake(&plan.source.path, PlanMistake::Fill { fill, dtype });
        voxel_bytes(fill, dtype).ok_or_else(mistake).map(Some)
    }

    fn paint_fill(&mut self, region: Region, voxel: Vec<u8>) {
        self.resolved.paints.push(Paint::Fill { region, voxel });
    }
}

fn mistake_of(plan: &ReadPlan) -> impl Fn(PlanMistake) -> SourceError {
    |mistake| SourceError::mistake(&plan.source.path, mistake)
}

/// The target's layers that the stack's sections fill. They may leave out only layers of which nothing is required.
fn stack_layers(z: Span, sections: &[ReadPlan], target: &Target) -> Result<Span, SourceError> {
    let depth = target.size.z;
    let first = z.start.rem_euclid(i64::try_from(depth).unwrap_or(i64::MAX).max(1));
    let layers = Span::new(first, first.saturating_add(sections.len() as i64));
    let Region { x, y, z: required } = target.required;
    let is_required = !(x.is_empty() || y.is_empty() || required.is_empty());
    if layers.stop as u64 > depth || (is_required && !layers.covers(required)) {
        let path = sections.first().map_or("a stack", |section| section.source.path.as_str());
        let mistake = PlanMistake::StackDepth { first: first as u64, sections: sections.len() as u64, depth };
        return Err(SourceError::mistake(path, mistake));
    }
    Ok(layers)
}

/// The smallest box around the voxels of `required` that none of the boxes covers; `None` when there are none.
fn lacking(required: &Region, covered: &[Region]) -> Option<Region> {
    let mut rest = vec![*required];
    for cover in covered {
        rest = rest.iter().flat_map(|part| part.without(cover)).collect();
    }
    rest.into_iter().filter(|part| !part.is_empty()).reduce(|a, b| a.hull(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lacking_is_the_box_around_all_that_lacks() {
        let span = |(start, stop)| Span::new(start, stop);
        let region = |x, y| Region::new(span(x), span(y), Span::one(0));
        let required = region((0, 10), (0, 8));
        let cases = [
            (vec![], Some(required)),
            (vec![required], None),
            (vec![region((0, 6), (0, 8))], Some(region((6, 10), (0, 8)))),
            (vec![region((0, 6), (0, 8)), region((6, 12), (-1, 8))], None),
            (vec![region((0, 6), (0, 7))], Some(required)),
            (
                vec![region((2, 4), (0, 8)), region((0, 2), (0, 8)), region((3, 10), (0, 7))],
                Some(region((4, 10), (7, 8))),
            ),
        ];
        for (covered, expected) in cases {
            assert_eq!(lacking(&required, &covered), expected, "{covered:?}");
        }
        assert_eq!(lacking(&region((0, 0), (0, 8)), &[]), None);
    }
}
