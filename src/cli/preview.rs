//! `boss-ingest preview`: a job's data as one picture, before anything is uploaded.

mod table;

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use super::args::PreviewArgs;
use super::error::{CliError, Exit};
use super::prepare;
use crate::config::Job;
use crate::engine;
use crate::lua::Scripts;
use crate::preview::{self, Choices, Findings, Point, Preview, Sampling, VoxelSize};
use crate::volume::{Dtype, Span};

/// A decoded task is held about so many times: as the file has it, as the channel wants it, and in a cache.
const COPIES: u64 = 4;

/// Runs the command.
///
/// # Errors
/// When the job file or a script cannot be used, no voxel type can be told, or the picture cannot be written.
pub fn run(args: &PreviewArgs) -> Result<Exit, CliError> {
    let job = prepare::load_unaligned_job(&args.job)?;
    let memory_bytes = args.memory.unwrap_or_else(prepare::quarter_of_memory);
    let sources = prepare::sources(&job, memory_bytes, &args.scratch, None);
    let scripts = Scripts::load(&job)?;
    let (at, t) = cut(&job, args.at.unwrap_or_default())?;
    let dtype = match args.dtype {
        Some(dtype) => dtype,
        None => prepare::first_dtype(&job, &scripts, &sources)?,
    };
    let sampling = Sampling::choose(job.grid, at, t, args.tasks);
    let bar = progress_bar(sampling.tasks().len() as u64, job.grid.task_noun());
    let reading = preview::Job {
        scripts: &scripts,
        sources: &sources,
        dtype,
        threads: threads(args, &job, dtype, memory_bytes),
        progress: &|done| bar.set_position(done),
    };
    let choices = Choices { contrast: args.contrast, voxel_size: args.voxel_size };
    let drawn = preview::preview(&reading, &sampling, &job.database.to_string(), &choices);
    bar.finish_and_clear();
    let Preview { canvas, findings } = drawn?;
    let picture = args.output.clone().unwrap_or_else(|| default_picture(&args.job));
    write(&picture, &canvas)?;
    let facts = Facts { job: &job, sampling: &sampling, dtype, findings: &findings, picture: &picture };
    let text = if args.json { facts.json() } else { table::text(&facts) };
    std::io::stdout().write_all(text.as_bytes()).map_err(CliError::Output)?;
    Ok(if findings.flags.is_empty() { Exit::Done } else { Exit::BadTasks })
}

/// What is told of a preview.
pub struct Facts<'a> {
    pub job: &'a Job,
    pub sampling: &'a Sampling,
    pub dtype: Dtype,
    pub findings: &'a Findings,
    pub picture: &'a Path,
}

impl Facts<'_> {
    fn json(&self) -> String {
        let Facts { job, sampling, dtype, findings, picture } = self;
        let Point { x, y, z } = sampling.at;
        let value = json!({
            "picture": picture,
            "channel": job.database.to_string(),
            "extent": job.grid.extent(),
            "dtype": dtype,
            "at": { "x": x, "y": y, "z": z, "t": sampling.t },
            "tasks": { "kind": job.grid.task_noun(), "read": sampling.tasks().len(), "all": job.grid.count() },
            "findings": findings,
        });
        format!("{value:#}\n")
    }
}

/// As many threads as have room for their tasks.
fn threads(args: &PreviewArgs, job: &Job, dtype: Dtype, memory_bytes: u64) -> usize {
    let task_bytes = job.grid.task_size().voxels().saturating_mul(dtype.size_bytes() as u64).saturating_mul(COPIES);
    let room = usize::try_from(memory_bytes / task_bytes.max(1)).unwrap_or(usize::MAX);
    args.cpu_threads.map_or_else(engine::default_cpu_threads, usize::from).min(room).max(1)
}

fn progress_bar(tasks: u64, noun: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(tasks), ProgressDrawTarget::stderr_with_hz(5));
    let template = format!("{{bar:30}} {{percent:>3}} %  {{pos}} of {{len}} {noun}s read, {{eta}} left");
    bar.with_style(ProgressStyle::with_template(&template).expect("the template is well-formed"))
}

/// `folder/job.json` becomes `job-preview.png`.
fn default_picture(job: &Path) -> PathBuf {
    let stem = job.file_stem().unwrap_or(job.as_os_str()).to_string_lossy();
    PathBuf::from(format!("{stem}-preview.png"))
}

fn write(path: &Path, canvas: &preview::Canvas) -> Result<(), CliError> {
    let failed = |source| CliError::Write { path: path.to_owned(), source };
    let mut file = BufWriter::new(std::fs::File::create(path).map_err(failed)?);
    canvas.write_png(&mut file).and_then(|()| file.flush()).map_err(failed)
}

/// Where the cuts meet, as far as it was said; `t` is the time sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct At {
    x: Option<i64>,
    y: Option<i64>,
    z: Option<i64>,
    t: Option<i64>,
}

/// The voxel in which the cuts meet, and the time sample: what was said, or the middle and the first.
fn cut(job: &Job, at: At) -> Result<(Point, i64), CliError> {
    let extent = job.grid.extent();
    let inside = |axis: char, said: Option<i64>, span: Span, otherwise: i64| match said {
        Some(at) if !span.contains(at) => Err(CliError::OutsideExtent { axis, at, extent: span }),
        said => Ok(said.unwrap_or(otherwise)),
    };
    let middle = |span: Span| span.start + (span.len() / 2) as i64;
    let point = Point {
        x: inside('x', at.x, extent.x, middle(extent.x))?,
        y: inside('y', at.y, extent.y, middle(extent.y))?,
        z: inside('z', at.z, extent.z, middle(extent.z))?,
    };
    Ok((point, inside('t', at.t, extent.t, extent.t.start)?))
}

/// `x=10,y=20`, in any order.
pub fn parse_at(text: &str) -> Result<At, String> {
    let mut at = At::default();
    for part in text.split(',') {
        let (axis, number) = part.split_once('=').ok_or("give voxels by axis, such as x=100,y=200,z=7")?;
        let number = number.trim().parse().map_err(|_| format!("`{number}` is not a whole number"))?;
        let place = match axis.trim() {
            "x" => &mut at.x,
            "y" => &mut at.y,
            "z" => &mut at.z,
            "t" => &mut at.t,
            other => return Err(format!("`{other}` is none of the axes x, y, z, t")),
        };
        if place.replace(number).is_some() {
            return Err(format!("`{}` is given twice", axis.trim()));
        }
    }
    Ok(at)
}

/// `10,250`: two numbers, the second above the first.
pub fn parse_contrast(text: &str) -> Result<(f64, f64), String> {
    let [low, high] = numbers(text)?;
    if low < high { Ok((low, high)) } else { Err("give the value for black, then a larger one for white".to_owned()) }
}

/// `4,4,40`: three numbers above 0.
pub fn parse_voxel_size(text: &str) -> Result<VoxelSize, String> {
    let [x, y, z] = numbers(text)?;
    let is_size = |nm: f64| (1e-3..=1e9).contains(&nm);
    let size = VoxelSize { x, y, z };
    if [x, y, z].into_iter().all(is_size) { Ok(size) } else { Err("give nanometres above 0".to_owned()) }
}

fn numbers<const N: usize>(text: &str) -> Result<[f64; N], String> {
    let parse = |part: &str| part.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    let all: Option<Vec<f64>> = text.split(',').map(parse).collect();
    all.and_then(|all| all.try_into().ok()).ok_or_else(|| format!("give {N} numbers with commas between them"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_name_their_axes() {
        let at = At { x: Some(-5), y: None, z: Some(7), t: None };
        assert_eq!(parse_at("z=7, x=-5"), Ok(at));
        for wrong in ["7", "x=", "x=1,x=2", "q=1", "x=1,,", "x=1.5"] {
            assert!(parse_at(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn contrasts_and_voxel_sizes_are_plain_numbers() {
        assert_eq!(parse_contrast("-1.5,20"), Ok((-1.5, 20.0)));
        assert_eq!(parse_voxel_size("4,4,40"), Ok(VoxelSize { x: 4.0, y: 4.0, z: 40.0 }));
        assert!(["5,5", "9,1", "1", "1,2,3", "a,b", "nan,1"].iter().all(|wrong| parse_contrast(wrong).is_err()));
        assert!(["4,4", "0,4,4", "4,4,-1", "4,4,inf"].iter().all(|wrong| parse_voxel_size(wrong).is_err()));
    }

    #[test]
    fn the_picture_is_named_after_the_job_file() {
        assert_eq!(default_picture(Path::new("data/em.v2.json")), Path::new("em.v2-preview.png"));
    }
}
