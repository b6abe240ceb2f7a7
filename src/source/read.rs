//! Carries plans out: opens, cuts, pads, turns and casts.

use std::io;
use std::sync::Arc;

use super::location;
use super::parallel::each;
use super::placement::Placement;
use super::remote::shown;
use super::resolve::{Leaf, Paint};
use super::{Plan, RegionReader, SourceError, Sources, Target};
use crate::volume::{Block, Region};

/// The voxels of a task, and where they are from.
#[derive(Debug)]
pub struct Traced {
    /// `target.size` voxels of `target.dtype`.
    pub block: Block,
    /// Boxes of the task, in its own voxels, that come from a source, or that the plan fills; the rest is padding.
    pub covered: Vec<Region>,
    /// Boxes of the task that come from a source, and from no fill.
    pub read: Vec<Region>,
}

impl Traced {
    /// The boxes, apart from each other, that no source and no fill gives, in the task's own voxels: they are 0.
    pub fn padded(&self) -> Vec<Region> {
        Region::of_size(self.block.size()).without_all(&self.covered)
    }

    /// The boxes, apart from each other, that the plan's `fill` or `missing` gives.
    pub fn filled(&self) -> Vec<Region> {
        let unread = Region::of_size(self.block.size()).without_all(&self.read);
        let padded = self.padded();
        unread.iter().flat_map(|part| part.without_all(&padded)).collect()
    }
}

impl Sources {
    /// Reads what a plan says, as a block of exactly `target.size` and `target.dtype`. Blocks while it reads and decodes.
    ///
    /// Voxels of `target.required` must exist in the source unless the plan gives a fill; others that it does not have are
    /// the fill, or 0.
    ///
    /// # Errors
    /// Every variant of [`SourceError`], each naming the file.
    pub fn read(&self, plan: &Plan, target: &Target) -> Result<Block, SourceError> {
        self.trace(plan, target).map(|traced| traced.block)
    }

    /// As [`Sources::read`], as several boxes of the task, which do not meet. `buffer` gives so many bytes, whatever they are.
    ///
    /// # Errors
    /// As [`Sources::read`].
    ///
    /// # Panics
    /// When `buffer` gives more or fewer bytes.
    pub fn read_parts(
        &self,
        plan: &Plan,
        target: &Target,
        regions: impl IntoIterator<Item = Region>,
        buffer: impl Fn(usize) -> Vec<u8>,
    ) -> Result<Vec<Block>, SourceError> {
        let part = |region: Region| {
            let bytes = buffer(region.size().voxels() as usize * target.dtype.size_bytes());
            let block = Block::from_bytes(target.dtype, region.size(), bytes);
            Part { region, block: block.expect("the buffer has the bytes of the box") }
        };
        let mut parts: Vec<Part> = regions.into_iter().map(part).collect();
        let resolved = self.resolve(plan, target)?;
        parts.iter_mut().for_each(|part| part.fill_unread(&resolved.paints));
        self.paint_all(&resolved.paints, &mut parts)?;
        Ok(parts.into_iter().map(|part| part.block).collect())
    }

    /// As [`Sources::read`], and tells which voxels are padding.
    ///
    /// # Errors
    /// As [`Sources::read`].
    pub fn trace(&self, plan: &Plan, target: &Target) -> Result<Traced, SourceError> {
        let resolved = self.resolve(plan, target)?;
        let (region, block) = (Region::of_size(target.size), Block::zeros(target.dtype, target.size));
        let mut whole = [Part { region, block }];
        self.paint_all(&resolved.paints, &mut whole)?;
        let [Part { block, .. }] = whole;
        Ok(Traced { block, read: resolved.read(), covered: resolved.covered })
    }

    fn paint_all(&self, paints: &[Paint], parts: &mut [Part]) -> Result<(), SourceError> {
        let (fills, paints) = first_fills(paints);
        let read: Vec<Region> = paints.iter().filter_map(Paint::read).collect();
        for part in &mut *parts {
            // Fills that are told before anything is read fill only what is not read afterwards.
            for (region, voxel) in fills.iter().filter_map(Paint::fill) {
                region.without_all(&read).iter().for_each(|region| part.fill(region, voxel));
            }
        }
        for paints in paints.chunks(self.at_once(paints)) {
            if let [paint] = paints {
                match paint {
                    Paint::Fill { region, voxel } => parts.iter_mut().for_each(|part| part.fill(region, voxel)),
                    Paint::Read(leaf) => self.paint(leaf, parts)?,
                }
                continue;
            }
            let voxels = each(paints, paints.len(), |paint| match paint {
                Paint::Fill { .. } => Ok(None),
                Paint::Read(leaf) => self.reader_of(leaf)?.read(&leaf.selection, &leaf.region).map(Some),
            })?;
            for (paint, voxels) in paints.iter().zip(voxels) {
                for part in &mut *parts {
                    match (paint, &voxels) {
                        (Paint::Fill { region, voxel }, _) => part.fill(region, voxel),
                        (Paint::Read(leaf), Some(voxels)) => part.paste(leaf, voxels)?,
                        (Paint::Read(_), None) => {}
                    }
                }
            }
        }
        Ok(())
    }

    /// Finds everything that [`Sources::read`] refuses and that headers can tell, and decodes nothing.
    ///
    /// # Errors
    /// As [`Sources::read`].
    pub fn verify(&self, plan: &Plan, target: &Target) -> Result<(), SourceError> {
        self.resolve(plan, target).map(drop)
    }

    /// The most bytes of memory that reading this plan takes at any moment besides the result, from the headers alone. 0 for
    /// a plan that cannot be carried out: reading it says why.
    pub fn decode_cost(&self, plan: &Plan, target: &Target) -> u64 {
        let Ok(resolved) = self.resolve(plan, target) else { return 0 };
        let costs = resolved.paints.iter().map(|paint| self.cost(paint));
        let most = costs.max().unwrap_or(0);
        most.saturating_mul(self.at_once(&resolved.paints) as u64)
    }

    /// Whether what a plan reads comes over a network: it is then waited for more than it is computed with.
    pub fn is_remote(&self, plan: &Plan) -> bool {
        plan.sources().iter().any(|source| location::is_remote(&source.path))
    }

    /// Reads what the parts have of a leaf. A section, and what comes over a network, is read once for all of them; a deeper box
    /// of a file for each, straight to its place.
    fn paint(&self, leaf: &Leaf, parts: &mut [Part]) -> Result<(), SourceError> {
        let reader = self.reader_of(leaf)?;
        if let [part] = parts {
            return part.read(leaf, &*reader);
        }
        if leaf.region.z.len() == 1 || location::is_remote(&leaf.source.path) {
            let voxels = reader.read(&leaf.selection, &leaf.region)?;
            return parts.iter_mut().try_for_each(|part| part.paste(leaf, &voxels));
        }
        let _held = reader.hold(&leaf.selection)?;
        parts.iter_mut().try_for_each(|part| part.read(leaf, &*reader))
    }

    fn reader_of(&self, leaf: &Leaf) -> Result<Arc<dyn RegionReader>, SourceError> {
        let Leaf { source, selection, info, .. } = leaf;
        let reader = self.open(source)?;
        let now = reader.info(selection)?;
        if (now.size, now.dtype) != (info.size, info.dtype) {
            return Err(SourceError::io(&source.path, io::Error::other("the file changes while it is read")));
        }
        Ok(reader)
    }
}

/// The most that the leaves which are waited for together may take, in bytes, and how many they may be.
const TOGETHER_BYTES: u64 = 256 << 20;
const TOGETHER: u64 = 16;

impl Sources {
    /// How many of the paints are done side by side: one where all sources are on this machine, several where each waits for a
    /// network, as many as memory allows.
    fn at_once(&self, paints: &[Paint]) -> usize {
        let is_remote = |paint: &Paint| matches!(paint, Paint::Read(leaf) if location::is_remote(&leaf.source.path));
        if paints.len() < 2 || !paints.iter().any(is_remote) {
            return 1;
        }
        let most = paints.iter().map(|paint| self.cost(paint)).max().unwrap_or(0).max(1);
        (TOGETHER_BYTES / most).clamp(1, TOGETHER) as usize
    }

    fn cost(&self, paint: &Paint) -> u64 {
        match paint {
            Paint::Fill { .. } => 0,
            Paint::Read(leaf) => self.read_cost(&leaf.info, leaf.region.size().voxels(), !leaf.to.is_shift()),
        }
    }
}

/// A box of a task, and its voxels.
struct Part {
    region: Region,
    block: Block,
}

impl Part {
    fn fill(&mut self, region: &Region, voxel: &[u8]) {
        self.block.fill(&self.inside(region), voxel);
    }

    /// Makes 0 what no source gives.
    fn fill_unread(&mut self, paints: &[Paint]) {
        let read: Vec<Region> = paints.iter().filter_map(Paint::read).collect();
        let zero = [0; 8];
        let zero = &zero[..self.block.dtype().size_bytes()];
        self.region.without_all(&read).iter().for_each(|region| self.fill(region, zero));
    }

    /// A box of the task, counted from this part's first voxel.
    fn inside(&self, region: &Region) -> Region {
        let Region { x, y, z } = self.region;
        region.shift(-x.start, -y.start, -z.start)
    }

    /// What this part has of a leaf, with its way to this part's voxels.
    fn share<'a>(&self, leaf: &Leaf<'a>) -> Option<Leaf<'a>> {
        let place = leaf.to.map(&leaf.region).intersect(&self.region);
        let Region { x, y, z } = self.region;
        let to = Placement::shift([-x.start, -y.start, -z.start]).after(&leaf.to);
        let region = leaf.to.inverse().map(&place);
        (!place.is_empty()).then(|| Leaf { region, to, ..leaf.clone() })
    }

    /// Reads what this part has of a leaf.
    fn read(&mut self, leaf: &Leaf, reader: &dyn RegionReader) -> Result<(), SourceError> {
        let Some(leaf) = self.share(leaf) else { return Ok(()) };
        let Leaf { selection, info, region, to, conversion, .. } = &leaf;
        if to.is_shift() && conversion.is_identity(info.dtype) {
            let place = to.map(region);
            let at = (place.x.start, place.y.start, place.z.start);
            return reader.read_into(selection, region, &mut self.block, at);
        }
        self.convert(&leaf, &reader.read(selection, region)?)
    }

    /// Brings what this part has of a leaf's voxels to its place.
    fn paste(&mut self, leaf: &Leaf, voxels: &Block) -> Result<(), SourceError> {
        let Some(share) = self.share(leaf) else { return Ok(()) };
        let Region { x, y, z } = leaf.region;
        let inside = share.region.shift(-x.start, -y.start, -z.start);
        if share.to.is_shift() && share.conversion.is_identity(share.info.dtype) {
            let place = share.to.map(&share.region);
            self.block.paste_part(voxels, &inside, (place.x.start, place.y.start, place.z.start));
            return Ok(());
        }
        if share.region == leaf.region {
            self.convert(&share, voxels)
        } else {
            self.convert(&share, &voxels.cut(&inside))
        }
    }

    /// Turns and converts a share's voxels.
    fn convert(&mut self, share: &Leaf, voxels: &Block) -> Result<(), SourceError> {
        let Leaf { source, region, to, conversion, .. } = share;
        let place = to.map(region);
        let at = (place.x.start, place.y.start, place.z.start);
        let turned = (!to.is_shift()).then(|| to.turn(voxels));
        conversion.paste(turned.as_ref().unwrap_or(voxels), &mut self.block, at).map_err(|misfit| {
            let (x, y, z) = misfit.at;
            let at = to.inverse().map_voxel((at.0 + x, at.1 + y, at.2 + z));
            let path = shown(&source.path).into_owned();
            SourceError::DoesNotFit { path, value: misfit.value, at, dtype: self.block.dtype() }
        })
    }
}

/// The fills that are told before anything is read, and the rest.
fn first_fills<'a, 'b>(paints: &'a [Paint<'b>]) -> (&'a [Paint<'b>], &'a [Paint<'b>]) {
    paints.split_at(paints.iter().take_while(|paint| paint.fill().is_some()).count())
}

#[cfg(test)]
mod tests {
    use super::super::conformance::{foreign, foreign_voxel};
    use super::super::error::{PlanMistake, SizeProblem};
    use super::super::{Axis, Cast, Lut, MissingRule, ReadPlan, Step};
    use super::*;
    use crate::volume::{Dtype, Size, Span};

    fn sources() -> Sources {
        Sources::new(foreign(""), 1 << 20)
    }

    /// A target of which everything is required.
    fn target(size: Size, dtype: Dtype) -> Target {
        Target { size, dtype, required: Region::of_size(size) }
    }

    fn boxed(path: &str, x: (i64, i64), y: (i64, i64), z: (i64, i64)) -> ReadPlan {
        let region = Region::new(Span::new(x.0, x.1), Span::new(y.0, y.1), Span::new(z.0, z.1));
        ReadPlan::new(path).with(Step::Crop(region))
    }

    fn read(plan: &ReadPlan, target: &Target) -> Result<Block, SourceError> {
        whole_and_in_parts(&Plan::Read(plan.clone()), target)
    }

    /// Reads a task as a whole, and as boxes into memory that holds something else, which together must be the same.
    fn whole_and_in_parts(plan: &Plan, target: &Target) -> Result<Block, SourceError> {
        let whole = sources().read(plan, target);
        let cuts = |length: u64| [(0, length / 3), (length / 3, length - length / 4), (length - length / 4, length)];
        let span = |(start, stop): (u64, u64)| Span::new(start as i64, stop as i64);
        let Size { x, y, z } = target.size;
        let regions = cuts(z).into_iter().flat_map(|z| {
            cuts(y).into_iter().flat_map(move |y| cuts(x).map(move |x| Region::new(span(x), span(y), span(z))))
        });
        let regions: Vec<Region> = regions.filter(|region| !region.is_empty()).collect();
        let parts = sources().read_parts(plan, target, regions.clone(), |bytes| vec![0xa5; bytes]);
        match (&whole, parts) {
            (Ok(whole), Ok(parts)) => {
                for (region, part) in regions.iter().zip(&parts) {
                    assert!(*part == whole.cut(region), "{region} of {plan:?}");
                }
            }
            // Of several values that do not fit, another one may be met first.
            (Err(SourceError::DoesNotFit { .. }), Err(SourceError::DoesNotFit { .. })) => {}
            (Err(one), Err(other)) => assert_eq!(one.to_string(), other.to_string()),
            (one, other) => panic!("{one:?} and {other:?} of {plan:?}"),
        }
        whole
    }

    /// The values of `uint8` and `uint16` blocks.
    fn values(block: &Block) -> Vec<u16> {
        let item = block.dtype().size_bytes();
        let value = |bytes: &[u8]| u16::from_le_bytes([bytes[0], if item == 2 { bytes[1] } else { 0 }]);
        block.as_bytes().chunks(item).map(value).collect()
    }

    #[test]
    fn voxels_outside_the_extent_are_0_or_the_fill() {
        let mut plan = boxed("grey16.png", (59, 63), (36, 38), (9, 10));
        let size = Size::new(4, 2, 1);
        let required = Region::new(Span::new(0, 2), Span::new(0, 1), Span::new(0, 1));
        let edge = Target { size, dtype: Dtype::Uint16, required };
        let [a, b] = [59, 60].map(|x| foreign_voxel(x, 36, 0) as u16);
        assert_eq!(values(&read(&plan, &edge).unwrap()), [a, b, 0, 0, 0, 0, 0, 0]);
        plan.fill = Some(9.0);
        let all = target(size, Dtype::Uint16);
        assert_eq!(values(&read(&plan, &all).unwrap()), [a, b, 9, 9, 9, 9, 9, 9]);
    }

    #[test]
    fn voxels_that_lack_inside_the_extent_are_named() {
        let plan = boxed("grey8.png", (40, 72), (0, 16), (0, 1));
        let error = read(&plan, &target(Size::new(32, 16, 1), Dtype::Uint8)).unwrap_err();
        let expected =
            "`grey8.png` is 61 × 37 × 1 voxels and has none at x 61..72, y 0..16, z 0..1, which the job needs";
        assert_eq!(error.to_string(), expected);
        assert!(error.hint().unwrap().contains("ingest_job.extent"));
    }

    #[test]
    fn a_box_wholly_outside_is_fill_where_nothing_is_required() {
        let plan = boxed("grey8.png", (-8, 0), (900, 904), (0, 1));
        let required = Region::new(Span::new(0, 0), Span::new(0, 0), Span::new(0, 1));
        let outside = Target { size: Size::new(8, 4, 1), dtype: Dtype::Uint8, required };
        assert!(read(&plan, &outside).unwrap().is_zero());
    }

    #[test]
    fn a_whole_file_is_padded_but_never_cut() {
        let plan = ReadPlan::new("grey8.png").with(Step::Whole);
        let required = Region::new(Span::new(0, 61), Span::new(0, 37), Span::new(0, 1));
        let larger = Target { size: Size::new(64, 64, 1), dtype: Dtype::Uint8, required };
        let block = read(&plan, &larger).unwrap();
        assert_eq!(block.as_bytes()[64 * 36 + 60], foreign_voxel(60, 36, 0) as u8);
        assert!(block.as_bytes()[64 * 37..].iter().all(|value| *value == 0));
        let all = target(Size::new(64, 64, 1), Dtype::Uint8);
        assert!(matches!(read(&plan, &all), Err(SourceError::WrongSize { problem: SizeProblem::Lacking(_), .. })));
        let error = read(&plan, &target(Size::new(61, 36, 1), Dtype::Uint8)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`grey8.png` is 61 × 37 × 1 voxels and does not fit in the 61 × 36 × 1 of its task"
        );
    }

    #[test]
    fn mistakes_of_a_plan_are_told_apart() {
        let one = target(Size::new(4, 4, 1), Dtype::Uint8);
        let deep = target(Size::new(4, 4, 2), Dtype::Uint8);
        let fine = boxed("grey8.png", (0, 4), (0, 4), (0, 1));
        let with = |change: fn(&mut ReadPlan)| {
            let mut plan = fine.clone();
            change(&mut plan);
            plan
        };
        let cases = [
            (
                boxed("grey8.png", (0, 5), (0, 4), (0, 1)),
                one,
                "has a region of 5 × 4 × 1 (x 0..5, y 0..4, z 0..1), but its task is 4 × 4 × 1",
            ),
            (
                boxed("pages_8.tif", (0, 4), (0, 4), (0, 3)),
                deep,
                "has a region of 4 × 4 × 3 (x 0..4, y 0..4, z 0..3), but its task is 4 × 4 × 2",
            ),
            (fine.clone(), deep, "gives one section to a task of 2"),
            (with(|plan| plan.fill = Some(256.0)), one, "has the fill 256, which is no uint8"),
            (
                with(|plan| plan.steps.push(Step::Scale { factor: f64::NAN, offset: 0.0 })),
                one,
                "has a `scale` or `offset` that is no finite number",
            ),
            (with(|plan| plan.source.page = Some(1)), one, "wants page 1, counted from 0, of 1"),
            (
                with(|plan| plan.source.axes = Some("zyx".to_owned())),
                one,
                "has the axes `zyx`, but the source has `yx`",
            ),
            (
                with(|plan| plan.source.select = [('t', 0)].into()),
                one,
                "needs exactly one position in `select` for the axis `t`",
            ),
        ];
        for (plan, target, expected) in cases {
            let error = read(&plan, &target).unwrap_err();
            assert_eq!(error.to_string(), format!("the plan for `{}` {expected}", plan.source.path));
        }
    }

    #[test]
    fn the_z_of_a_box_is_not_looked_at_in_a_2d_source() {
        let plan = boxed("grey8.png", (3, 5), (7, 8), (16, 32));
        let block = read(&plan, &target(Size::new(2, 1, 1), Dtype::Uint8)).unwrap();
        assert_eq!(block.as_bytes(), [3, 4].map(|x| foreign_voxel(x, 7, 0) as u8));
        let wide = read(&boxed("grey8.png", (3, 6), (7, 8), (16, 32)), &target(Size::new(2, 1, 1), Dtype::Uint8));
        assert!(matches!(wide, Err(SourceError::Plan { mistake: PlanMistake::RegionSize { .. }, .. })));
    }

    #[test]
    fn pages_can_be_time_samples() {
        let mut plan = boxed("pages_8.tif", (1, 5), (2, 4), (70, 71));
        plan.source.axes = Some("tyx".to_owned());
        plan.source.select.insert('t', 3);
        let block = read(&plan, &target(Size::new(4, 2, 1), Dtype::Uint8)).unwrap();
        assert_eq!(block.as_bytes()[5], foreign_voxel(2, 3, 3) as u8);
    }

    #[test]
    fn a_3d_source_gives_its_sections() {
        let plan = boxed("pages_16_be.tif", (30, 34), (35, 39), (3, 6));
        let required = Region::new(Span::new(0, 4), Span::new(0, 2), Span::new(0, 2));
        let edge = Target { size: Size::new(4, 4, 3), dtype: Dtype::Uint16, required };
        let block = values(&read(&plan, &edge).unwrap());
        for (n, value) in block.iter().enumerate() {
            let (x, y, z) = ((n % 4) as i64, (n / 4 % 4) as i64, (n / 16) as i64);
            let there = y < 2 && z < 2;
            assert_eq!(*value, if there { foreign_voxel(x + 30, y + 35, z + 3) as u16 } else { 0 }, "{x} {y} {z}");
        }
    }

    #[test]
    fn a_stack_lays_its_sections_from_its_first_layer_on() {
        let section = |page| {
            let mut plan = boxed("pages_8.tif", (0, 3), (0, 2), (0, 1));
            plan.source.page = Some(page);
            plan
        };
        let stack = |start, pages: std::ops::Range<u64>| {
            let sections: Vec<ReadPlan> = pages.map(section).collect();
            Plan::Stack { z: Span::new(start, start + sections.len() as i64), sections }
        };
        let required = |z: Span| Target {
            size: Size::new(3, 2, 4),
            dtype: Dtype::Uint8,
            required: Region::new(Span::new(0, 3), Span::new(0, 2), z),
        };
        // The task with the layers 8..12, of which 9..11 lie in the job's extent.
        let block = whole_and_in_parts(&stack(9, 1..3), &required(Span::new(1, 3))).unwrap();
        let first: Vec<u8> = block.as_bytes().chunks(6).map(|layer| layer[0]).collect();
        assert_eq!(first, [0, foreign_voxel(0, 0, 1) as u8, foreign_voxel(0, 0, 2) as u8, 0]);
        for (plan, z) in
            [(stack(9, 1..3), (0, 3)), (stack(8, 0..3), (0, 4)), (stack(9, 0..4), (1, 4)), (stack(8, 0..0), (0, 1))]
        {
            let error = whole_and_in_parts(&plan, &required(Span::new(z.0, z.1))).unwrap_err();
            assert!(matches!(error, SourceError::Plan { mistake: PlanMistake::StackDepth { .. }, .. }), "{error}");
        }
    }

    #[test]
    fn a_missing_file_is_an_error_or_the_fill() {
        let mut plan = boxed("none.png", (0, 2), (0, 1), (0, 1));
        let one = target(Size::new(2, 1, 1), Dtype::Uint8);
        assert_eq!(read(&plan, &one).unwrap_err().to_string(), "`none.png` does not exist");
        plan.source.missing = MissingRule::Fill;
        assert_eq!(read(&plan, &one).unwrap().as_bytes(), [0, 0]);
        plan.fill = Some(7.0);
        assert_eq!(read(&plan, &one).unwrap().as_bytes(), [7, 7]);
    }

    #[test]
    fn values_are_cast_by_the_plans_rule() {
        let mut plan = boxed("grey16.png", (10, 12), (5, 6), (0, 1));
        let one = target(Size::new(2, 1, 1), Dtype::Uint8);
        let [a, b] = [10, 11].map(|x| foreign_voxel(x, 5, 0));
        let error = read(&plan, &one).unwrap_err();
        let expected = format!("`grey16.png` has the value {a} at x 10, y 5, z 0, which does not fit in uint8");
        assert_eq!(error.to_string(), expected);
        plan.cast = Some(Cast::Wrap);
        assert_eq!(read(&plan, &one).unwrap().as_bytes(), [a as u8, b as u8]);
        plan.cast = Some(Cast::Saturate);
        plan.steps.push(Step::Scale { factor: 0.25, offset: 0.0 });
        assert_eq!(read(&plan, &one).unwrap().as_bytes(), [a, b].map(|value| (value as f64 / 4.0).round() as u8));
    }

    #[test]
    fn the_format_can_be_forced_and_must_be_known() {
        let one = target(Size::new(2, 1, 1), Dtype::Uint8);
        let with = |path: &str, format: Option<&str>| {
            let mut plan = boxed(path, (0, 2), (0, 1), (0, 1));
            plan.source.format = format.map(str::to_owned);
            read(&plan, &one)
        };
        assert!(with("grey8.png", Some("PNG")).is_ok());
        assert!(matches!(with("grey8.png", Some("tif")), Err(SourceError::Damaged { .. })));
        let unknown = with("grey8.png", Some("dm3")).unwrap_err();
        assert_eq!(unknown.to_string(), "`grey8.png` cannot be read as `dm3`, there is no such format");
        let content = with("../golden/NOTICE", None).unwrap_err();
        assert_eq!(content.to_string(), "`../golden/NOTICE` is of no format that is read here");
        let known = content.hint().unwrap();
        assert!(
            known.starts_with("formats that are read: `png`, `jpeg`, `tiff`, `bmp`, `hdf5`, `precomputed`, "),
            "{known}"
        );
    }

    /// The value of `grey16.png` at (x, y); pages of `pages_16_be.tif` at (x, y, z).
    fn voxel(x: i64, y: i64, z: i64) -> u16 {
        foreign_voxel(x, y, z) as u16
    }

    #[test]
    fn steps_are_done_in_their_order() {
        // grey16.png is 61 × 37.
        let size = Size::new(5, 3, 1);
        let here = |plan: ReadPlan| values(&read(&plan, &target(size, Dtype::Uint16)).unwrap());
        let at = |f: &dyn Fn(i64, i64) -> (i64, i64)| -> Vec<u16> {
            let pixels = (0..3).flat_map(|y| (0..5).map(move |x| (x, y)));
            pixels.map(|(x, y)| f(x, y)).map(|(x, y)| voxel(x, y, 0)).collect()
        };
        let source = || ReadPlan::new("grey16.png");
        let crop = |x: (i64, i64), y: (i64, i64)| {
            Step::Crop(Region::new(Span::new(x.0, x.1), Span::new(y.0, y.1), Span::one(4)))
        };
        let flat = |x: (i64, i64), y: (i64, i64)| {
            Step::Crop(Region::new(Span::new(x.0, x.1), Span::new(y.0, y.1), Span::one(0)))
        };
        let cut = crop((10, 15), (20, 23));
        assert_eq!(here(source().with(cut.clone())), at(&|x, y| (x + 10, y + 20)));
        assert_eq!(here(source().with(Step::Flip(Axis::X)).with(cut.clone())), at(&|x, y| (60 - x - 10, y + 20)));
        assert_eq!(here(source().with(cut.clone()).with(Step::Flip(Axis::X))), at(&|x, y| (14 - x, y + 20)));
        assert_eq!(here(source().with(Step::Flip(Axis::Y)).with(cut.clone())), at(&|x, y| (x + 10, 36 - y - 20)));
        // A quarter clockwise: 37 × 61, and (x, y) comes to (36 - y, x).
        assert_eq!(here(source().with(Step::Rotate(1)).with(cut.clone())), at(&|x, y| (y + 20, 36 - (x + 10))));
        assert_eq!(here(source().with(Step::Rotate(2)).with(cut.clone())), at(&|x, y| (60 - (x + 10), 36 - (y + 20))));
        assert_eq!(here(source().with(Step::Rotate(3)).with(cut)), at(&|x, y| (60 - (y + 20), x + 10)));
        assert_eq!(here(source().with(crop((10, 13), (20, 25))).with(Step::Rotate(1))), at(&|x, y| (10 + y, 24 - x)));
        let twice = source().with(crop((10, 30), (20, 30))).with(flat((2, 7), (1, 4)));
        assert_eq!(here(twice), at(&|x, y| (x + 12, y + 21)));
        let mut exchanged = source().with(crop((4, 9), (50, 53)));
        exchanged.source.axes = Some("xy".to_owned());
        assert_eq!(here(exchanged), at(&|x, y| (y + 50, x + 4)));
    }

    #[test]
    fn images_are_pasted_beside_each_other_and_then_cut() {
        let right = ReadPlan::new("grey16.png").with(Step::Flip(Axis::X));
        let pair = ReadPlan::new("pages_16_be.tif").with(Step::Paste { plan: Box::new(right), at: [61, 2, 0] });
        let mut plan = pair.with(Step::Crop(Region::new(Span::new(58, 66), Span::new(1, 5), Span::one(3))));
        plan.source.page = Some(3);
        let block = read(&plan, &target(Size::new(8, 4, 1), Dtype::Uint16));
        // The right image begins two rows lower: the job would lack these voxels.
        let expected = "gives no voxels for x 3..8, y 0..1, z 0..1 of its task, which the job needs";
        assert_eq!(block.unwrap_err().to_string(), format!("the plan for `pages_16_be.tif` {expected}"));
        plan.fill = Some(7.0);
        let block = values(&read(&plan, &target(Size::new(8, 4, 1), Dtype::Uint16)).unwrap());
        for (n, value) in block.into_iter().enumerate() {
            let (x, y) = ((n % 8) as i64 + 58, (n / 8) as i64 + 1);
            let expected = match (x < 61, y < 2) {
                (true, _) => voxel(x, y, 3),
                (false, true) => 7,
                (false, false) => voxel(60 - (x - 61), y - 2, 0),
            };
            assert_eq!(value, expected, "{x} {y}");
        }
    }

    #[test]
    fn a_pasted_image_has_its_own_fill_and_lies_on_top() {
        let mut over = boxed("grey8.png", (60, 63), (0, 1), (0, 1));
        over.fill = Some(9.0);
        let plan = boxed("grey8.png", (0, 4), (0, 1), (0, 1)).with(Step::Paste { plan: Box::new(over), at: [1, 0, 0] });
        let block = read(&plan, &target(Size::new(4, 1, 1), Dtype::Uint8)).unwrap();
        assert_eq!(block.as_bytes(), [foreign_voxel(0, 0, 0) as u8, foreign_voxel(60, 0, 0) as u8, 9, 9]);

        // Where nothing is read of either, the upper fill is what is there, also when it is 0.
        let beyond = |fill| ReadPlan { fill: Some(fill), ..boxed("grey8.png", (70, 73), (0, 1), (0, 1)) };
        let plan = beyond(7.0).with(Step::Paste { plan: Box::new(beyond(0.0)), at: [1, 0, 0] });
        let block = read(
            &plan,
            &Target { required: Region::of_size(Size::new(0, 0, 0)), ..target(Size::new(4, 1, 1), Dtype::Uint8) },
        );
        assert_eq!(block.unwrap().as_bytes(), [7, 0, 0, 0]);
    }

    #[test]
    fn values_are_looked_up_in_tables() {
        let [a, b] = [0, 1].map(|x| foreign_voxel(x, 0, 0) & 255);
        let lut = Lut::new([(a, 200)].into());
        let plan = boxed("grey8.png", (0, 2), (0, 1), (0, 1)).with(Step::Lut(lut.clone()));
        assert_eq!(read(&plan, &target(Size::new(2, 1, 1), Dtype::Uint8)).unwrap().as_bytes(), [200, b as u8]);
        let floats = boxed("float32_be.tif", (0, 2), (0, 1), (0, 1)).with(Step::Lut(lut));
        let error = read(&floats, &target(Size::new(2, 1, 1), Dtype::Uint8)).unwrap_err();
        assert!(error.to_string().ends_with("has a `lut`, but the source's values are floats"), "{error}");
    }

    #[test]
    fn a_range_of_contrast_is_the_channels_whatever_the_cast_is() {
        let [a, b] = [10, 40].map(|x| foreign_voxel(x, 5, 0) as f64);
        // numpy: np.floor(np.clip((v - lo) * 255 / (hi - lo), 0, 255) + 0.5)
        let expected = |v: f64| (((v - 800.0) * 255.0 / 300.0).clamp(0.0, 255.0) + 0.5).floor() as u8;
        for cast in [None, Some(Cast::Exact), Some(Cast::Wrap)] {
            let mut plan = boxed("grey16.png", (10, 41), (5, 6), (0, 1)).with(Step::Range { lo: 800.0, hi: 1100.0 });
            plan.cast = cast;
            let block = read(&plan, &target(Size::new(31, 1, 1), Dtype::Uint8)).unwrap();
            assert_eq!((block.as_bytes()[0], block.as_bytes()[30]), (expected(a), expected(b)));
            let mistake = read(&plan, &target(Size::new(31, 1, 1), Dtype::Float32)).unwrap_err();
            assert!(mistake.to_string().ends_with("has a `range`, but its channel's voxels are float32"), "{mistake}");
            let late = plan.with(Step::Scale { factor: 2.0, offset: 0.0 });
            let mistake = read(&late, &target(Size::new(31, 1, 1), Dtype::Uint8)).unwrap_err();
            assert!(mistake.to_string().ends_with("changes values after a `range`"), "{mistake}");
        }
    }

    #[test]
    fn padding_is_told_from_what_a_source_gave() {
        let plan = Plan::Read(boxed("grey8.png", (59, 64), (36, 39), (0, 1)));
        let required = Region::new(Span::new(0, 2), Span::new(0, 1), Span::one(0));
        let target = Target { size: Size::new(5, 3, 1), dtype: Dtype::Uint8, required };
        assert_eq!(sources().trace(&plan, &target).unwrap().covered, [required]);
        assert!(sources().verify(&plan, &target).is_ok());
        let all = Target { required: Region::of_size(target.size), ..target };
        assert!(matches!(sources().verify(&plan, &all), Err(SourceError::WrongSize { .. })));
    }

    #[test]
    fn a_volume_is_turned_on_every_axis() {
        // pages_16_be.tif is 61 × 37 × 5.
        let pages = sources().info("pages_16_be.tif").unwrap().size.z as i64;
        let size = Size::new(2, 3, 4);
        let region = Region::new(Span::new(1, 3), Span::new(5, 8), Span::new(20, 24));
        let mut plan = ReadPlan::new("pages_16_be.tif").with(Step::Flip(Axis::X)).with(Step::Crop(region));
        // The pages are x, the rows z, the columns y.
        plan.source.axes = Some("xzy".to_owned());
        let block = values(&read(&plan, &target(size, Dtype::Uint16)).unwrap());
        for (n, value) in block.into_iter().enumerate() {
            let (x, y, z) = ((n % 2) as i64 + 1, (n / 2 % 3) as i64 + 5, (n / 6) as i64 + 20);
            assert_eq!(value, voxel(y, z, pages - 1 - x), "{x} {y} {z}");
        }
    }
}
