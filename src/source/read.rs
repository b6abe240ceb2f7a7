//! Carries plans out: opens, cuts, pads and casts.

use super::cast::{Conversion, voxel_bytes};
use super::error::{PlanMistake, SizeProblem};
use super::{MissingRule, Plan, PlanRegion, ReadPlan, SourceError, SourceInfo, Sources, Target};
use crate::volume::{Block, Region, Size, Span};

impl Sources {
    /// Reads what a plan says, as a block of exactly `target.size` and `target.dtype`. Blocks while it reads and decodes.
    ///
    /// Voxels of `target.required` must exist in the source unless the plan gives a fill; others that it does not have are
    /// the fill, or 0. Tasks start at multiples of their own depth, which is how a stack's first section finds its layer.
    ///
    /// # Errors
    /// Every variant of [`SourceError`], each naming the file.
    pub fn read(&self, plan: &Plan, target: &Target) -> Result<Block, SourceError> {
        let mut block = Block::zeros(target.dtype, target.size);
        match plan {
            Plan::Read(read) => self.read_layers(read, target, &mut block, 0)?,
            Plan::Stack { z, sections } => self.read_stack(*z, sections, target, &mut block)?,
        }
        Ok(block)
    }

    fn read_stack(
        &self,
        z: Span,
        sections: &[ReadPlan],
        target: &Target,
        block: &mut Block,
    ) -> Result<(), SourceError> {
        let layers = stack_layers(z, sections, target)?;
        let Region { x, y, z: required } = target.required;
        for (section, layer) in sections.iter().zip(layers.start..) {
            let required = Region::new(x, y, if required.contains(layer) { Span::one(0) } else { Span::new(0, 0) });
            let one = Target { size: Size { z: 1, ..target.size }, dtype: target.dtype, required };
            self.read_layers(section, &one, block, layer)?;
        }
        Ok(())
    }

    /// Reads `target`, a part of `block` that starts at layer `z`. The block is zero there.
    fn read_layers(&self, plan: &ReadPlan, target: &Target, block: &mut Block, z: i64) -> Result<(), SourceError> {
        let fill = checked_fill(plan, target)?;
        let opened = match self.open(plan) {
            Err(SourceError::NotFound { .. }) if plan.missing == MissingRule::Fill => {
                paste_fill(&fill, target, block, z);
                return Ok(());
            }
            opened => opened,
        };
        let (reader, selection) = opened?;
        let info = reader.info(&selection)?;
        let wanted = wanted_region(plan, &info, target)?;
        let there = wanted.intersect(&info.region());
        if plan.fill.is_none() {
            check_required(plan, &info, target, &wanted)?;
        }
        if there != wanted {
            paste_fill(&fill, target, block, z);
        }
        if there.is_empty() {
            return Ok(());
        }
        let at = (there.x.start - wanted.x.start, there.y.start - wanted.y.start, z + there.z.start - wanted.z.start);
        let conversion = Conversion::new(plan, target.dtype);
        if conversion.is_identity(info.dtype) {
            return reader.read_into(&selection, &there, block, at);
        }
        let pasted = conversion.paste(&reader.read(&selection, &there)?, block, at);
        pasted.map_err(|misfit| SourceError::DoesNotFit {
            path: plan.path.clone(),
            value: misfit.value,
            at: (there.x.start + misfit.at.0, there.y.start + misfit.at.1, there.z.start + misfit.at.2),
            dtype: target.dtype,
        })
    }
}

impl ReadPlan {
    /// The most voxels that the plan takes out of a source.
    pub(super) fn voxels(&self, info: &SourceInfo) -> u64 {
        match self.region {
            PlanRegion::Whole => info.size.voxels(),
            PlanRegion::Box(region) => on_source(region, info).intersect(&info.region()).size().voxels(),
        }
    }
}

/// The target's layers that the stack's sections fill. They may leave out only layers of which nothing is required.
fn stack_layers(z: Span, sections: &[ReadPlan], target: &Target) -> Result<Span, SourceError> {
    let depth = target.size.z;
    let first = z.start.rem_euclid(i64::try_from(depth).unwrap_or(i64::MAX).max(1));
    let layers = Span::new(first, first.saturating_add(sections.len() as i64));
    let Region { x, y, z: required } = target.required;
    let is_required = !(x.is_empty() || y.is_empty() || required.is_empty());
    if layers.stop as u64 > depth || (is_required && !layers.covers(required)) {
        let path = sections.first().map_or("a stack", |section| section.path.as_str());
        let mistake = PlanMistake::StackDepth { first: first as u64, sections: sections.len() as u64, depth };
        return Err(SourceError::mistake(path, mistake));
    }
    Ok(layers)
}

/// The bytes of the voxel that stands for what the source does not have.
fn checked_fill(plan: &ReadPlan, target: &Target) -> Result<Vec<u8>, SourceError> {
    if !(plan.scale.is_finite() && plan.offset.is_finite()) {
        return Err(SourceError::mistake(&plan.path, PlanMistake::NotFinite));
    }
    let fill = plan.fill.unwrap_or(0.0);
    voxel_bytes(fill, target.dtype)
        .ok_or_else(|| SourceError::mistake(&plan.path, PlanMistake::Fill { fill, dtype: target.dtype }))
}

fn paste_fill(fill: &[u8], target: &Target, block: &mut Block, z: i64) {
    if fill.iter().any(|byte| *byte != 0) {
        block.paste(&Block::filled(target.dtype, target.size, fill), (0, 0, z));
    }
}

/// The box of source voxels that becomes the target; it may reach outside the source.
fn wanted_region(plan: &ReadPlan, info: &SourceInfo, target: &Target) -> Result<Region, SourceError> {
    let size = target.size;
    if info.is_flat() && size.z != 1 {
        return Err(SourceError::mistake(&plan.path, PlanMistake::FlatForDeep { depth: size.z }));
    }
    match plan.region {
        PlanRegion::Whole => {
            let whole = Region::of_size(size);
            if whole.covers(&info.region()) {
                return Ok(whole);
            }
            let problem = SizeProblem::LargerThan(size);
            Err(SourceError::WrongSize { path: plan.path.clone(), has: info.size, problem })
        }
        PlanRegion::Box(region) => {
            let region = on_source(region, info);
            if region.size() == size {
                return Ok(region);
            }
            Err(SourceError::mistake(&plan.path, PlanMistake::RegionSize { region, target: size }))
        }
    }
}

/// A 2D source has no z to look for.
fn on_source(region: Region, info: &SourceInfo) -> Region {
    if info.is_flat() { Region { z: Span::one(0), ..region } } else { region }
}

/// The job says that the required voxels exist.
fn check_required(plan: &ReadPlan, info: &SourceInfo, target: &Target, wanted: &Region) -> Result<(), SourceError> {
    let required = target.required.shift(wanted.x.start, wanted.y.start, wanted.z.start);
    if required.is_empty() || info.region().covers(&required) {
        return Ok(());
    }
    let problem = SizeProblem::Lacking(lacking(&required, &info.region()));
    Err(SourceError::WrongSize { path: plan.path.clone(), has: info.size, problem })
}

/// The part of `required` that `has` lacks, as one box: exact where it lacks on one axis at one side.
fn lacking(required: &Region, has: &Region) -> Region {
    let there = required.intersect(has);
    if there.is_empty() {
        return *required;
    }
    let axes = [(required.x, there.x), (required.y, there.y), (required.z, there.z)];
    if axes.iter().filter(|(required, there)| required != there).count() > 1 {
        return *required;
    }
    let rest = |required: Span, there: Span| match (required.start == there.start, required.stop == there.stop) {
        (true, false) => Span::new(there.stop, required.stop),
        (false, true) => Span::new(required.start, there.start),
        _ => required,
    };
    Region::new(rest(required.x, there.x), rest(required.y, there.y), rest(required.z, there.z))
}

#[cfg(test)]
mod tests {
    use super::super::Cast;
    use super::super::conformance::{foreign, foreign_voxel};
    use super::*;
    use crate::volume::Dtype;

    fn sources() -> Sources {
        Sources::new(foreign(""), 1 << 20)
    }

    /// A target of which everything is required.
    fn target(size: Size, dtype: Dtype) -> Target {
        Target { size, dtype, required: Region::of_size(size) }
    }

    fn boxed(path: &str, x: (i64, i64), y: (i64, i64), z: (i64, i64)) -> ReadPlan {
        let region = Region::new(Span::new(x.0, x.1), Span::new(y.0, y.1), Span::new(z.0, z.1));
        ReadPlan::new(path, PlanRegion::Box(region))
    }

    fn read(plan: &ReadPlan, target: &Target) -> Result<Block, SourceError> {
        sources().read(&Plan::Read(plan.clone()), target)
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
        let plan = ReadPlan::new("grey8.png", PlanRegion::Whole);
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
            (with(|plan| plan.scale = f64::NAN), one, "has a `scale` or `offset` that is no finite number"),
            (with(|plan| plan.page = Some(1)), one, "wants page 1, counted from 0, of 1"),
            (with(|plan| plan.axes = Some("xy".to_owned())), one, "has the axes `xy`, but the source has `yx`"),
            (
                with(|plan| plan.select = [('t', 0)].into()),
                one,
                "needs exactly one position in `select` for the axis `t`",
            ),
        ];
        for (plan, target, expected) in cases {
            let error = read(&plan, &target).unwrap_err();
            assert_eq!(error.to_string(), format!("the plan for `{}` {expected}", plan.path));
        }
    }

    #[test]
    fn pages_can_be_time_samples() {
        let mut plan = boxed("pages_8.tif", (1, 5), (2, 4), (70, 71));
        plan.axes = Some("tyx".to_owned());
        plan.select.insert('t', 3);
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
        let section = |page| ReadPlan { page: Some(page), ..boxed("pages_8.tif", (0, 3), (0, 2), (0, 1)) };
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
        let block = sources().read(&stack(9, 1..3), &required(Span::new(1, 3))).unwrap();
        let first: Vec<u8> = block.as_bytes().chunks(6).map(|layer| layer[0]).collect();
        assert_eq!(first, [0, foreign_voxel(0, 0, 1) as u8, foreign_voxel(0, 0, 2) as u8, 0]);
        for (plan, z) in
            [(stack(9, 1..3), (0, 3)), (stack(8, 0..3), (0, 4)), (stack(9, 0..4), (1, 4)), (stack(8, 0..0), (0, 1))]
        {
            let error = sources().read(&plan, &required(Span::new(z.0, z.1))).unwrap_err();
            assert!(matches!(error, SourceError::Plan { mistake: PlanMistake::StackDepth { .. }, .. }), "{error}");
        }
    }

    #[test]
    fn a_missing_file_is_an_error_or_the_fill() {
        let mut plan = boxed("none.png", (0, 2), (0, 1), (0, 1));
        let one = target(Size::new(2, 1, 1), Dtype::Uint8);
        assert_eq!(read(&plan, &one).unwrap_err().to_string(), "`none.png` does not exist");
        plan.missing = MissingRule::Fill;
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
        plan.cast = Cast::Wrap;
        assert_eq!(read(&plan, &one).unwrap().as_bytes(), [a as u8, b as u8]);
        plan.cast = Cast::Saturate;
        plan.scale = 0.25;
        assert_eq!(read(&plan, &one).unwrap().as_bytes(), [a, b].map(|value| (value as f64 / 4.0).round() as u8));
    }

    #[test]
    fn the_format_can_be_forced_and_must_be_known() {
        let one = target(Size::new(2, 1, 1), Dtype::Uint8);
        let with = |path: &str, format: Option<&str>| {
            let plan = boxed(path, (0, 2), (0, 1), (0, 1));
            read(&ReadPlan { format: format.map(str::to_owned), ..plan }, &one)
        };
        assert!(with("grey8.png", Some("PNG")).is_ok());
        assert!(matches!(with("grey8.png", Some("tif")), Err(SourceError::Damaged { .. })));
        let unknown = with("grey8.png", Some("dm3")).unwrap_err();
        assert_eq!(unknown.to_string(), "`grey8.png` cannot be read as `dm3`, there is no such format");
        let content = with("smooth.raw", None).unwrap_err();
        assert_eq!(content.to_string(), "`smooth.raw` is of no format that is read here");
        assert_eq!(content.hint().unwrap(), "formats that are read: `png`, `jpeg`, `tiff`");
    }
}
