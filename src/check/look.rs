//! One task looked at: what its script says, and what headers tell of its sources.

use std::collections::HashMap;

use super::faults;
use super::problem::Problem;
use super::seen::Run;
use super::uses::hash;
use crate::engine;
use crate::lua::{Answer, Host, ScriptError};
use crate::source::{MissingRule, Plan, ReadPlan, SourceError, SourceRef, Sources, Step, Survey, Target};
use crate::volume::{Dtype, Grid, Index, Region, Size, Span};

/// Files that are remembered as bad, so that their headers are not read again.
const MOST_BAD: usize = 4096;

/// Looks at tasks, with a script host of its own.
pub(super) struct Looker<'a> {
    pub host: Host,
    pub sources: &'a Sources,
    pub grid: Grid,
    pub dtype: Dtype,
    bad: HashMap<String, Problem>,
}

/// A plan, or one section of a stack, and what it is to give.
struct Part<'a> {
    plan: &'a Plan,
    target: Target,
    /// The target's voxels in the channel.
    region: Region,
}

impl<'a> Looker<'a> {
    pub fn new(host: Host, sources: &'a Sources, grid: Grid, dtype: Dtype) -> Self {
        Looker { host, sources, grid, dtype, bad: HashMap::new() }
    }

    /// Notes in `run` what the task at `index` reads, and what is wrong with it. A script that was stopped for its time or
    /// memory is handed back.
    pub fn look(&mut self, index: Index, run: &mut Run) -> Result<(), ScriptError> {
        run.tasks += 1;
        let region = self.grid.region(index);
        let required = region.intersect(&self.grid.extent().region());
        match self.host.plan(index) {
            Err(error) => {
                run.reach.add(index.t, &required, &required);
                run.problems.add(faults::about_script(&error), faults::script(&error, Some(index)));
                if matches!(error, ScriptError::Timeout { .. } | ScriptError::Memory { .. }) {
                    return Err(error);
                }
            }
            Ok(Answer::Missing { reason }) => {
                run.reach.add(index.t, &required, &nothing(required));
                run.problems.add(hash(&reason), faults::no_data(reason, index));
            }
            Ok(Answer::Plan(plan)) => {
                let target = engine::target(&self.grid, self.dtype, index);
                self.plan(index, &Part { plan: &plan, target, region }, run);
            }
        }
        Ok(())
    }

    fn plan(&mut self, index: Index, part: &Part, run: &mut Run) {
        if let Some(problem) = self.known_bad(part.plan) {
            let problem = Problem { task: Some(index), ..problem.clone() };
            part.reach(index, run, &part.required());
            run.problems.add(faults::about(&problem), problem);
            return;
        }
        match self.sources.survey(part.plan, &part.target) {
            Ok(survey) => {
                self.note(index, part, &survey, run);
                part.reach(index, run, &part.required());
                if let Some(error) = survey.reads.iter().find_map(|read| self.sources.check_parts(read).err()) {
                    run.problems.add(faults::about_error(&error), faults::source(&error, index));
                }
            }
            Err(error) => match part.plan {
                Plan::Stack { z, sections } => self.sections(index, part, *z, sections, error, run),
                Plan::Read(_) => self.failed(index, part, error, run),
            },
        }
    }

    /// Looks at each section of a stack for itself, as one error hides the others.
    fn sections(
        &mut self,
        index: Index,
        part: &Part,
        z: Span,
        sections: &[ReadPlan],
        error: SourceError,
        run: &mut Run,
    ) {
        let mut has_failed = false;
        let size = Size { z: 1, ..part.target.size };
        for (section, z) in sections.iter().zip(z.start..) {
            let region = Region { z: Span::one(z), ..part.region };
            let layer = region.z.shift(-part.region.z.start);
            let required = part.target.required.intersect(&Region { z: layer, ..Region::of_size(size) });
            let required = required.shift(0, 0, -layer.start);
            let plan = Plan::Read(section.clone());
            let target = Target { size, required, ..part.target };
            has_failed |= self.sources.verify(&plan, &target).is_err();
            self.plan(index, &Part { plan: &plan, target, region }, run);
        }
        if !has_failed {
            run.problems.add(faults::about_error(&error), faults::source(&error, index));
        }
    }

    fn failed(&mut self, index: Index, part: &Part, error: SourceError, run: &mut Run) {
        let problem = faults::source(&error, index);
        let covered = match faults::reach(&error) {
            faults::Reached::Nothing => nothing(part.required()),
            faults::Reached::All => part.required(),
            faults::Reached::Part => self.partly(index, part, run),
        };
        part.reach(index, run, &covered);
        run.paths.extend(problem.file.as_ref().map(hash));
        if faults::is_of_whole_file(&error) && self.bad.len() < MOST_BAD {
            self.bad.extend(problem.file.clone().map(|file| (file, problem.clone())));
        }
        run.problems.add(faults::about_error(&error), problem);
    }

    /// What is there of a task whose sources are too small, in the channel.
    fn partly(&self, index: Index, part: &Part, run: &mut Run) -> Region {
        let required = Region { x: Span::new(0, 0), ..part.target.required };
        let target = Target { required, ..part.target };
        let Ok(survey) = self.sources.survey(part.plan, &target) else { return nothing(part.required()) };
        self.note(index, part, &survey, run);
        let covered = survey.covered.iter().filter(|covered| !covered.is_empty()).copied().reduce(|a, b| a.hull(&b));
        covered.map_or(nothing(part.required()), |covered| part.in_channel(&covered))
    }

    /// Notes what a plan reads.
    fn note(&self, index: Index, part: &Part, survey: &Survey, run: &mut Run) {
        let converts = converts(part.plan);
        for read in &survey.reads {
            run.read(index, part.region.z.start.saturating_add(read.place.z.start), read, converts);
        }
        let may_lack = |source: &&SourceRef| source.missing == MissingRule::Fill;
        let is_read = |source: &SourceRef| survey.reads.iter().any(|read| std::ptr::eq(read.source, source));
        let lacking = part.plan.sources().into_iter().filter(may_lack).filter(|source| !is_read(source));
        if lacking.into_iter().any(|source| matches!(self.sources.exists(&source.path), Ok(false))) {
            run.filled += 1;
        }
    }

    fn known_bad(&self, plan: &Plan) -> Option<&Problem> {
        let Plan::Read(read) = plan else { return None };
        if self.bad.is_empty() { None } else { self.bad.get(&read.source.path) }
    }
}

impl Part<'_> {
    fn in_channel(&self, region: &Region) -> Region {
        region.shift(self.region.x.start, self.region.y.start, self.region.z.start)
    }

    fn required(&self) -> Region {
        self.in_channel(&self.target.required)
    }

    fn reach(&self, index: Index, run: &mut Run, covered: &Region) {
        run.reach.add(index.t, &self.required(), covered);
    }
}

fn nothing(required: Region) -> Region {
    Region { x: Span::new(required.x.start, required.x.start), ..required }
}

/// Whether a plan says how values come to the channel's voxel type.
fn converts(plan: &Plan) -> bool {
    let says = |read: &ReadPlan| {
        read.cast.is_some() || read.steps.iter().any(|step| matches!(step, Step::Lut(_) | Step::Scale { .. }))
    };
    match plan {
        Plan::Read(read) => says(read),
        Plan::Stack { sections, .. } => sections.iter().any(says),
    }
}
