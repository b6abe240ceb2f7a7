//! `boss-ingest test`: what the scripts answer, against the cases that they bring along.

use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};

use super::args::{ScratchArgs, TestArgs};
use super::error::{CliError, Exit};
use super::prepare::{quarter_of_memory, sources};
use super::resources::channel_dtype;
use crate::config::{self, Job};
use crate::engine;
use crate::lua::{Answer, Case, Difference, Expected, Host, Scripts, Wanted, differences};
use crate::source::{Plan, SourceError, Sources, checksum};
use crate::volume::Dtype;

/// Runs the command.
///
/// # Errors
/// When the job file or a script cannot be used, or there are no cases.
pub fn run(args: &TestArgs) -> Result<Exit, CliError> {
    let mut bench = Bench::open(&args.job, args.dtype)?;
    let cases = bench.scripts.cases(&bench.host)?;
    if cases.is_empty() {
        return Err(CliError::NoCases { path: args.job.clone() });
    }
    let tried: Vec<Tried> = cases.into_iter().map(|case| bench.try_case(case)).collect();
    let failed = tried.iter().filter(|tried| !tried.has_passed()).count();
    let text = if args.json { format!("{:#}\n", as_json(&tried)) } else { as_text(&tried) };
    std::io::stdout().write_all(text.as_bytes()).map_err(CliError::Output)?;
    Ok(if failed == 0 { Exit::Done } else { Exit::Failed })
}

/// The job's scripts and sources, without a Boss.
struct Bench {
    job: Job,
    scripts: Scripts,
    sources: std::sync::Arc<Sources>,
    host: Host,
    dtype: Option<Dtype>,
}

/// A case and what came of it.
struct Tried {
    case: Case,
    differences: Vec<Difference>,
    /// Why it could not be compared.
    problem: Option<String>,
}

impl Bench {
    fn open(path: &Path, dtype: Option<Dtype>) -> Result<Bench, CliError> {
        let job = config::load_unaligned(path)?.job;
        let sources = sources(&job, quarter_of_memory(), &ScratchArgs::default(), None);
        let scripts = Scripts::load(&job)?;
        let host = scripts.host(sources.clone())?;
        Ok(Bench { job, scripts, sources, host, dtype })
    }

    fn try_case(&mut self, case: Case) -> Tried {
        match case.expected.clone() {
            Ok(expected) => {
                let (differences, problem) = self.compare(&expected);
                Tried { case, differences, problem }
            }
            Err(problem) => Tried { case, differences: Vec::new(), problem: Some(problem) },
        }
    }

    fn compare(&mut self, expected: &Expected) -> (Vec<Difference>, Option<String>) {
        let answer = self.host.plan(expected.at);
        let mut found = differences(&expected.answer, &answer);
        if let (Wanted::Plan { checksum: Some(wanted), .. }, Ok(Answer::Plan(plan))) = (&expected.answer, &answer) {
            match self.checksum(plan, expected) {
                Ok(got) if got.eq_ignore_ascii_case(wanted) => {}
                Ok(got) => found.push(Difference::new("checksum", wanted, got)),
                Err(problem) => return (found, Some(problem)),
            }
        }
        (found, None)
    }

    /// The checksum of the task's voxels, or why there is none.
    fn checksum(&self, plan: &Plan, expected: &Expected) -> Result<String, String> {
        let dtype = match self.dtype {
            Some(dtype) => dtype,
            None => self.source_dtype(plan)?,
        };
        let target = engine::target(&self.job.grid, dtype, expected.at);
        let block = self.sources.read(plan, &target).map_err(|error| told(&error))?;
        Ok(checksum(&block))
    }

    fn source_dtype(&self, plan: &Plan) -> Result<Dtype, String> {
        let source =
            *plan.sources().first().ok_or("the plan reads no source, so give the voxel type with `--dtype`")?;
        let dtype = self.sources.source_info(source).map_err(|error| told(&error))?.dtype;
        channel_dtype(dtype).map_err(|error| format!("{error}; give the channel's type with `--dtype`"))
    }
}

/// An error with its cause and hint, in one line.
fn told(error: &SourceError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    match error.hint() {
        Some(hint) => format!("{text}; {hint}"),
        None => text,
    }
}

impl Tried {
    fn has_passed(&self) -> bool {
        self.differences.is_empty() && self.problem.is_none()
    }

    /// Such as `paths.lua 3, x 3, y 1, z 120 (the lost section)`.
    fn title(&self) -> String {
        let Case { script, number, name, expected } = &self.case;
        let at = expected.as_ref().map(|expected| format!(", {}", expected.at)).unwrap_or_default();
        let name = name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
        format!("{script} {number}{at}{name}")
    }
}

fn as_text(tried: &[Tried]) -> String {
    let mut text = String::new();
    for tried in tried {
        let mark = if tried.has_passed() { "passed" } else { "FAILED" };
        text += &format!("{mark}  {}\n", tried.title());
        for Difference { field, expected, got } in &tried.differences {
            text += &format!("  {field}\n    expected  {expected}\n    got       {got}\n");
        }
        if let Some(problem) = &tried.problem {
            text += &format!("  {problem}\n");
        }
    }
    let failed = tried.iter().filter(|tried| !tried.has_passed()).count();
    text + &format!("{} passed, {failed} failed\n", tried.len() - failed)
}

fn as_json(tried: &[Tried]) -> Value {
    let failed = tried.iter().filter(|tried| !tried.has_passed()).count();
    let cases: Vec<Value> = tried
        .iter()
        .map(|tried| {
            let Case { script, number, name, expected } = &tried.case;
            json!({
                "script": script,
                "number": number,
                "name": name,
                "at": expected.as_ref().ok().map(|expected| expected.at),
                "passed": tried.has_passed(),
                "differences": tried.differences,
                "problem": tried.problem,
            })
        })
        .collect();
    json!({"passed": tried.len() - failed, "failed": failed, "cases": cases})
}
