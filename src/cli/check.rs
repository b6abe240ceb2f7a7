//! `boss-ingest check`: look at a job before anything is uploaded.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use super::amounts::parse_size;
use super::args::ScratchArgs;
use super::error::{CliError, Exit};
use super::prepare::{quarter_of_memory, remote, with_scratch};
use crate::check::{self, Outcome, Problem, Settings};
use crate::config::{self, ConfigError, Finding, Job};
use crate::engine::default_cpu_threads;
use crate::lua::Scripts;
use crate::report::grouped;
use crate::source::Sources;
use crate::volume::Dtype;

/// Rows that a table shows unless all are wanted.
const ROWS: usize = 50;

/// Open files and small images that are kept.
const CACHE_BYTES: u64 = 64 << 20;

#[derive(Debug, Args)]
#[command(after_help = "\
Needs no account and no network, reads headers only, and changes nothing:
  boss-ingest check job.json                    every tile of the job
  boss-ingest check job.json --sample 1000      a quick look at a huge one
  boss-ingest check job.json --deep             decodes every file once: finds changed bytes as well
  boss-ingest check job.json --json | jq '.findings[].file'

Exit codes: 0 all there, 2 the job file or a script cannot be used, 3 something is wrong")]
pub struct CheckArgs {
    /// The job file.
    pub job: PathBuf,
    /// Look at so many tiles or chunks only, spread over the job, the first and last among them.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub sample: Option<u64>,
    /// Decode every image once.
    #[arg(long)]
    pub deep: bool,
    /// The channel's voxel type, such as uint16 [default: that of most files].
    #[arg(long, value_name = "TYPE")]
    pub dtype: Option<Dtype>,
    /// Show every problem, not only the first 50.
    #[arg(long)]
    pub all: bool,
    /// Write one JSON object: findings, coverage, notes, counts.
    #[arg(long)]
    pub json: bool,
    /// Memory for images that are decoded at once, such as 800MB or 2GiB [default: a quarter of the machine's].
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub memory: Option<u64>,
    #[command(flatten)]
    pub scratch: ScratchArgs,
    /// Threads that look [default: one for each core].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub cpu_threads: Option<u16>,
}

/// Runs the command.
///
/// # Errors
/// When the job file or a script cannot be used at all, or the results cannot be written.
pub fn run(args: &CheckArgs) -> Result<Exit, CliError> {
    let (job, findings) = load(&args.job).or_else(|error| unusable(args, &[], error))?;
    let scripts = Scripts::load(&job).or_else(|error| unusable(args, &findings, error.into()))?;
    let memory_bytes = args.memory.unwrap_or_else(quarter_of_memory);
    let sources =
        Sources::new(job.dir.clone(), CACHE_BYTES).with_limit(memory_bytes).with_remote(remote(Some(&job), None));
    let sources = Arc::new(with_scratch(sources, &args.scratch));
    let settings = Settings {
        sample: args.sample,
        deep: args.deep,
        dtype: args.dtype,
        threads: args.cpu_threads.map_or_else(default_cpu_threads, usize::from),
        memory_bytes,
    };
    let bar = progress(&job, args.sample);
    let checked = check::check(&job, &findings, &scripts, &sources, &settings, &|tasks| bar.inc(tasks));
    bar.finish_and_clear();
    let outcome = checked.or_else(|error| unusable(args, &findings, error.into()))?;
    tracing::info!(problems = outcome.problems.len(), tasks = outcome.looked_at, "job checked");
    let text = if args.json { to_json(&outcome) } else { Table { outcome: &outcome, all: args.all }.to_string() };
    write(&text)?;
    Ok(if outcome.is_fine() { Exit::Done } else { Exit::BadTasks })
}

/// The job and all findings; a job that only lies askew can be looked at.
fn load(path: &Path) -> Result<(Job, Vec<Finding>), CliError> {
    match config::load(path) {
        Ok(loaded) => Ok((loaded.job, loaded.warnings)),
        Err(ConfigError::Invalid { path: place, findings }) => match config::load_unaligned(path) {
            Ok(loaded) => Ok((loaded.job, findings)),
            Err(_) => Err(ConfigError::Invalid { path: place, findings }.into()),
        },
        Err(error) => Err(error.into()),
    }
}

/// Ends with an error; who asked for JSON gets that as well.
fn unusable<T>(args: &CheckArgs, findings: &[Finding], error: CliError) -> Result<T, CliError> {
    if args.json {
        let problems = match &error {
            CliError::Config(ConfigError::Invalid { findings, .. }) => check::unusable(findings, None),
            CliError::Script(script) => check::unusable(findings, Some(script)),
            _ => Vec::new(),
        };
        let object = json!({"ok": false, "summary": error.to_string(), "findings": problems});
        write(&format!("{object:#}\n"))?;
    }
    Err(error)
}

fn progress(job: &Job, sample: Option<u64>) -> ProgressBar {
    let tasks = job.grid.count();
    let target = match std::io::stderr().is_terminal() {
        true => ProgressDrawTarget::stderr_with_hz(5),
        false => ProgressDrawTarget::hidden(),
    };
    let bar = ProgressBar::with_draw_target(Some(sample.map_or(tasks, |sample| sample.min(tasks))), target);
    let template = format!("{{bar:30}} {{percent:>3}} %  {{pos}} of {{len}} {}s", job.grid.task_noun());
    bar.with_style(ProgressStyle::with_template(&template).expect("the template is well-formed"))
}

fn to_json(outcome: &Outcome) -> String {
    let mut object = json!({"ok": outcome.is_fine(), "summary": outcome.verdict()});
    let rest = serde_json::to_value(outcome).expect("an outcome has text keys only");
    if let (Some(object), serde_json::Value::Object(rest)) = (object.as_object_mut(), rest) {
        object.extend(rest);
    }
    format!("{object:#}\n")
}

/// A reader that had enough, as `head` has, is no failure.
fn write(text: &str) -> Result<(), CliError> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(CliError::Output(error)),
        _ => Ok(()),
    }
}

/// What came out, as lines of text.
struct Table<'a> {
    outcome: &'a Outcome,
    all: bool,
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Outcome { problems, left_out, coverage, notes, .. } = self.outcome;
        let shown = if self.all { problems.len() } else { problems.len().min(ROWS) };
        if shown > 0 {
            self.rows(f, &problems[..shown])?;
        }
        match (problems.len() - shown, left_out) {
            (0, 0) => {}
            (0, left_out) => writeln!(f, "… and {left_out} hits of files that are too many to list")?,
            (more, 0) => writeln!(f, "… and {more} more; `--all` shows them")?,
            (more, left_out) => {
                writeln!(f, "… and {more} more, and {left_out} hits of files that are too many to list")?
            }
        }
        if shown > 0 && !(coverage.sentences.is_empty() && notes.is_empty()) {
            writeln!(f)?;
        }
        for sentence in &coverage.sentences {
            writeln!(f, "extent: {sentence}")?;
        }
        for note in notes {
            writeln!(f, "note: {note}")?;
        }
        if shown > 0 || !coverage.sentences.is_empty() || !notes.is_empty() {
            writeln!(f)?;
        }
        writeln!(f, "{}", self.outcome.verdict())
    }
}

impl Table<'_> {
    /// One line for each problem; a hint stands once behind all rows that it is for.
    fn rows(&self, f: &mut fmt::Formatter<'_>, problems: &[Problem]) -> fmt::Result {
        let noun = self.outcome.noun;
        let header = ["problem".to_owned(), format!("first {noun}"), format!("{noun}s"), "what is wrong".to_owned()];
        let cells: Vec<[String; 4]> = std::iter::once(header).chain(problems.iter().map(cells)).collect();
        let width = |column: usize| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let (kind, task, tasks) = (width(0), width(1), width(2));
        let line = |[a, b, c, d]: &[String; 4]| format!("{a:<kind$}  {b:<task$}  {c:>tasks$}  {d}");
        let indent = " ".repeat(kind + 2);
        writeln!(f, "{}", line(&cells[0]))?;
        for (nth, problem) in problems.iter().enumerate() {
            writeln!(f, "{}", line(&cells[nth + 1]).replace('\n', &format!("\n{indent}")))?;
            if !problem.excerpt.is_empty() {
                writeln!(f, "{indent}{}", problem.excerpt.replace('\n', &format!("\n{indent}")))?;
            }
            let next = problems.get(nth + 1).map(|next| &next.hint);
            match &problem.hint {
                Some(hint) if next != Some(&problem.hint) => writeln!(f, "{indent}hint: {hint}")?,
                _ => {}
            }
        }
        Ok(())
    }
}

fn cells(problem: &Problem) -> [String; 4] {
    let task = problem.task.map(|task| task.to_string()).unwrap_or_default();
    let tasks = if problem.tasks == 0 { String::new() } else { grouped(problem.tasks) };
    [problem.kind.words().to_owned(), task, tasks, problem.reason.clone()]
}
