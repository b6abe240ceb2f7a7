//! Looks at a whole job before anything is uploaded: every task's plan, every file's header, and whether all fits.
//!
//! The script is run over every task (or a sample of them) on several threads; headers tell which files are missing, of the
//! wrong size or type, or read twice, and what the files really cover of the extent. Nothing is decoded unless asked for, and
//! nothing is kept for each task: memory grows with the number of files and sections alone. How it is shown is the command
//! line's business.

mod beyond;
mod coverage;
mod faults;
mod files;
mod look;
mod outcome;
mod problem;
mod seen;
#[cfg(test)]
mod tests;
mod tour;
mod uses;
mod workers;

use std::sync::Arc;
use std::time::Instant;

pub use coverage::Coverage;
pub use outcome::Outcome;
pub use problem::{Kind, Problem};

use crate::config::{Finding, Job, Severity};
use crate::lua::{Answer, Host, ScriptError, Scripts};
use crate::source::Sources;
use crate::volume::{Dtype, Grid};
use tour::Tour;

/// How thoroughly to look.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Looks at so many tasks only, spread over the job.
    pub sample: Option<u64>,
    /// Decodes every image once.
    pub deep: bool,
    /// The channel's voxel type, where it is known.
    pub dtype: Option<Dtype>,
    pub threads: usize,
    /// For what is decoded at once.
    pub memory_bytes: u64,
}

/// Tasks looked at for the voxel type, where it is not given.
const FIRST_TASKS: u64 = 16;

/// Looks at the tasks of a job; `findings` are those of its job file. `progress` is told how many tasks were looked at since
/// it was told last, from several threads. Blocks until it is done.
///
/// # Errors
/// When the scripts cannot be set up.
///
/// # Panics
/// When a worker's thread does.
pub fn check(
    job: &Job,
    findings: &[Finding],
    scripts: &Scripts,
    sources: &Arc<Sources>,
    settings: &Settings,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Outcome, ScriptError> {
    let began = Instant::now();
    let mut host = scripts.host(sources.clone())?;
    let dtype = settings.dtype.or_else(|| first_dtype(&mut host, sources, &job.grid)).unwrap_or(Dtype::Uint8);
    let tour = Tour::new(&job.grid, settings.sample, settings.threads);
    let workers = workers::Workers { grid: job.grid, dtype, scripts, sources, settings, tour: &tour, progress };
    let seen = workers.run()?;
    let mut notes: Vec<String> =
        findings.iter().filter(|finding| finding.severity == Severity::Warning).map(warning).collect();
    notes.extend(beyond::notes(&mut host, sources, &job.grid, dtype));
    let mut outcome = outcome::outcome(seen, job, &tour, settings, notes);
    let broken = findings.iter().filter(|finding| finding.severity == Severity::Error);
    outcome.problems.splice(0..0, broken.map(faults::job));
    outcome.seconds = began.elapsed().as_secs_f64();
    Ok(outcome)
}

/// The rows of a job that cannot be looked at: what is wrong with its file, or with its scripts.
pub fn unusable(findings: &[Finding], error: Option<&ScriptError>) -> Vec<Problem> {
    let broken = findings.iter().filter(|finding| finding.severity == Severity::Error);
    broken.map(faults::job).chain(error.map(|error| faults::script(error, None))).collect()
}

fn warning(finding: &Finding) -> String {
    match &finding.hint {
        Some(hint) => format!("{finding}; {hint}"),
        None => finding.to_string(),
    }
}

/// The voxel type of the first source that can be read, among a few tasks that are spread over the job.
fn first_dtype(host: &mut Host, sources: &Sources, grid: &Grid) -> Option<Dtype> {
    let tour = Tour::new(grid, Some(FIRST_TASKS), 1);
    let mut tasks = std::iter::from_fn(|| tour.next_run()).flatten();
    tasks.find_map(|index| match host.plan(index) {
        Ok(Answer::Plan(plan)) => {
            plan.sources().iter().find_map(|source| Some(sources.source_info(source).ok()?.dtype))
        }
        _ => None,
    })
}
