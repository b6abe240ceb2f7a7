//! Whether there is data outside of the job's extent: worth a note, as a slip in the extent loses it silently.

use crate::engine;
use crate::lua::{Answer, Host};
use crate::source::{Plan, SourceRef, Sources, Target};
use crate::volume::{Dtype, Extent, Grid, Index, Region, Span};

/// Sections behind the last that are asked for.
const SECTIONS: i64 = 3;

/// A sentence for each axis on which the files go on behind the extent. A script may refuse to look there; then nothing is
/// said.
pub(super) fn notes(host: &mut Host, sources: &Sources, grid: &Grid, dtype: Dtype) -> Vec<String> {
    let mut look = Beyond { host, sources, grid, dtype };
    let Extent { x, y, z, .. } = grid.extent();
    let along_x = look.side(|grid, index| (grid.region(index).x.start, x), Index::new(1, 0, 0, 0), "x");
    let along_y = look.side(|grid, index| (grid.region(index).y.start, y), Index::new(0, 1, 0, 0), "y");
    let along_z = look.sections(z);
    [along_x, along_y, along_z].into_iter().flatten().collect()
}

struct Beyond<'a> {
    host: &'a mut Host,
    sources: &'a Sources,
    grid: &'a Grid,
    dtype: Dtype,
}

impl Beyond<'_> {
    /// How far the first section reaches on x or y, from the last tile of the extent and the one behind it.
    fn side(&mut self, start: impl Fn(&Grid, Index) -> (i64, Span), step: Index, axis: &str) -> Option<String> {
        let corner = self.corner();
        let next = Index::new(corner.x + step.x, corner.y + step.y, corner.z, corner.t);
        let mut farthest = i64::MIN;
        for index in [corner, next] {
            let (from, _) = start(self.grid, index);
            let Some(covered) = self.covered(index) else { break };
            farthest = farthest.max(from + if axis == "x" { covered.x.stop } else { covered.y.stop });
        }
        let (_, span) = start(self.grid, corner);
        let goes_on = farthest > span.stop;
        goes_on.then(|| format!("the files go on behind the extent: they have {axis} {}..{farthest}", span.stop))
    }

    /// The last sections' successors, where each has an image of its own.
    fn sections(&mut self, z: Span) -> Option<String> {
        let Grid::Tiles(_) = self.grid else { return None };
        let at = |look: &Self, z: i64| Index { z, ..look.first() };
        let mut last = self.image(at(self, z.stop - 1))?;
        let mut found = Vec::new();
        for behind in z.stop..z.stop + SECTIONS {
            let Some(image) = self.image(at(self, behind)).filter(|image| *image != last) else { break };
            found.push(behind);
            last = image;
        }
        let first = found.first()?;
        let more = if found.len() as i64 == SECTIONS { " or more" } else { "" };
        let stop = found.last()? + 1;
        Some(format!("there are files behind the extent: z {first}..{stop}{more}, such as `{}`", last.path))
    }

    /// The image of a task, if there is one.
    fn image(&mut self, index: Index) -> Option<SourceRef> {
        let Ok(Answer::Plan(Plan::Read(plan))) = self.host.plan(index) else { return None };
        self.sources.source_info(&plan.source).ok()?;
        Some(plan.source)
    }

    /// The box of a task that its sources have, whatever the job needs of it.
    fn covered(&mut self, index: Index) -> Option<Region> {
        let Ok(Answer::Plan(plan)) = self.host.plan(index) else { return None };
        let is_endless = |source| self.sources.source_info(source).is_ok_and(|info| info.is_endless());
        if fills(&plan) || plan.sources().into_iter().any(is_endless) {
            return None;
        }
        let target = engine::target(self.grid, self.dtype, index);
        let required = Region { x: Span::new(0, 0), ..target.required };
        let target = Target { required, ..target };
        let survey = self.sources.survey(&plan, &target).ok()?;
        survey.covered.into_iter().filter(|covered| !covered.is_empty()).reduce(|a, b| a.hull(&b))
    }

    fn first(&self) -> Index {
        let (Extent { x, y, z, t }, size) = (self.grid.extent(), self.grid.task_size());
        let tile = |start: i64, size: u64| start.div_euclid(i64::try_from(size).unwrap_or(i64::MAX));
        Index::new(tile(x.start, size.x), tile(y.start, size.y), tile(z.start, size.z), t.start)
    }

    /// The last tile on x and y of the first section.
    fn corner(&self) -> Index {
        let (Extent { x, y, .. }, size) = (self.grid.extent(), self.grid.task_size());
        let tile = |stop: i64, size: u64| (stop - 1).div_euclid(i64::try_from(size).unwrap_or(i64::MAX));
        Index { x: tile(x.stop, size.x), y: tile(y.stop, size.y), ..self.first() }
    }
}

/// A fill reaches everywhere.
fn fills(plan: &Plan) -> bool {
    match plan {
        Plan::Read(read) => read.fill.is_some(),
        Plan::Stack { sections, .. } => sections.iter().any(|read| read.fill.is_some()),
    }
}
