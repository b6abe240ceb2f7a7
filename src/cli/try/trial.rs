//! One task, carried out step by step as a run does it, with everything noted on the way.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use super::super::args::TryArgs;
use super::super::error::{CliError, Exit};
use super::super::prepare;
use crate::codec::{self, ImageFormat};
use crate::config::{self, Finding, Job};
use crate::engine;
use crate::lua::{Answer, Host, Limits, PathAnswer, ScriptError, ScriptFiles, Scripts};
use crate::source::{
    Encode, MissingRule, Plan, SourceError, SourceInfo, SourceRef, Sources, Statistics, Target, TileBytes, Traced,
    checksum,
};
use crate::volume::{Block, Dtype, Grid, Index, Region, Size, Task};

/// One task, with what is known of it so far.
pub struct Trial {
    pub job: Job,
    pub index: Index,
    /// The task's voxels, in the channel's.
    pub region: Region,
    /// The part of the task that its sources must have, in the task's own voxels.
    pub required: Region,
    pub warnings: Vec<Warning>,
    pub path: Option<PathSaid>,
    pub plan: Option<Plan>,
    /// Why there is no data.
    pub missing: Option<String>,
    pub sources: Vec<Header>,
    pub dtype: Option<Chosen>,
    pub result: Option<Reading>,
    pub upload: Option<Upload>,
    /// The file that was written.
    pub output: Option<PathBuf>,
    /// What each step took.
    pub seconds: Vec<(&'static str, f64)>,
}

/// Something that is odd, but stops nothing here.
pub struct Warning {
    pub message: String,
    pub hint: Option<String>,
}

/// What the path slot says.
pub enum PathSaid {
    Answer(PathAnswer),
    /// It failed, which does not matter, as the plan names its own files.
    Failed(String),
}

/// One source of the plan, by its header.
pub struct Header {
    pub path: String,
    /// Whether the plan fills its place where it does not exist.
    pub may_lack: bool,
    pub info: Result<Arc<SourceInfo>, SourceError>,
}

/// The voxel type of the result, and whether the user chose it.
#[derive(Clone, Copy)]
pub struct Chosen {
    pub dtype: Dtype,
    pub by: ChosenBy,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ChosenBy {
    User,
    FirstSource,
    /// No source can be read, so that any type is as good.
    Nobody,
}

/// The voxels, and what is said of them.
pub struct Reading {
    pub traced: Traced,
    pub statistics: Statistics,
    pub checksum: String,
}

/// What a tile job would upload.
pub struct Upload {
    /// Whether it is the file itself.
    pub as_is: bool,
    pub format: ImageFormat,
    pub bytes: usize,
}

impl Trial {
    /// Reads the job file and finds the task.
    ///
    /// # Errors
    /// When the job file cannot be used.
    pub fn begin(args: &TryArgs) -> Result<Self, CliError> {
        let loaded = config::load_unaligned(&args.job)?;
        let job = loaded.job;
        let index = args.at.unwrap_or_else(|| first_index(&job.grid));
        let mut trial = Trial {
            region: job.grid.region(index),
            required: engine::target(&job.grid, Dtype::Uint8, index).required,
            job,
            index,
            warnings: loaded.warnings.iter().map(Warning::of).collect(),
            path: None,
            plan: None,
            missing: None,
            sources: Vec::new(),
            dtype: None,
            result: None,
            upload: None,
            output: None,
            seconds: Vec::new(),
        };
        trial.check_extent();
        Ok(trial)
    }

    /// Does every step, as far as they go.
    ///
    /// # Errors
    /// When a script, a source or the output file fails; what was found before that is kept.
    pub fn carry_out(&mut self, args: &TryArgs, files: &ScriptFiles) -> Result<Exit, CliError> {
        if let Some(output) = &args.output {
            output.check_size(self.job.grid.task_size())?;
        }
        let sources = prepare::sources(&self.job, prepare::quarter_of_memory(), &args.scratch, None);
        let mut host = self.timed("scripts", |trial| {
            Scripts::load_noting(&trial.job, Limits::default(), files)?.host(sources.clone())
        })?;
        let Some(plan) = self.ask(&mut host)? else { return Ok(Exit::BadTasks) };
        self.timed("headers", |trial| trial.look(&sources, &plan));
        let dtype = self.choose_dtype(args.dtype);
        let target = Target { required: self.required, ..engine::target(&self.job.grid, dtype, self.index) };
        self.read(&sources, &plan, &target)?;
        self.write(args)?;
        if let Grid::Tiles(_) = self.job.grid {
            self.upload = Some(self.timed("encode", |trial| trial.encode(&sources, &plan, &target))?);
        }
        Ok(Exit::Done)
    }

    /// Nothing is required of a task that the job does not have.
    fn check_extent(&mut self) {
        let extent = self.job.grid.extent();
        if self.required.is_empty() || !extent.t.contains(self.index.t) {
            self.required = Region::of_size(Size::new(0, 0, 0));
            let message =
                format!("{} {} lies outside the job's extent, {extent}", self.job.grid.task_noun(), self.index);
            let hint = "a run never asks for it; what its sources lack is padded".to_owned();
            self.warnings.push(Warning { message, hint: Some(hint) });
        }
    }

    /// Asks both scripts; `None` when one says that there is no data.
    fn ask(&mut self, host: &mut Host) -> Result<Option<Plan>, CliError> {
        let path = self.timed("path", |trial| host.path(trial.index));
        let answer = match (self.timed("plan", |trial| host.plan(trial.index)), path) {
            (Ok(answer), Ok(path)) => {
                self.path = Some(PathSaid::Answer(path));
                answer
            }
            (Ok(answer), Err(error)) => {
                self.path = Some(PathSaid::Failed(error.to_string()));
                answer
            }
            (Err(error), path) => {
                self.path = path.ok().map(PathSaid::Answer);
                return Err(not_again(error).into());
            }
        };
        match answer {
            Answer::Missing { reason } => self.missing = Some(reason),
            Answer::Plan(plan) => self.plan = Some(plan),
        }
        Ok(self.plan.clone())
    }

    /// Looks at the header of every source; those that are bad are told of when they are read.
    fn look(&mut self, sources: &Sources, plan: &Plan) {
        let all = plan.sources();
        let header = |one: &&SourceRef| Header {
            path: one.path.clone(),
            may_lack: one.missing == MissingRule::Fill,
            info: sources.source_info(one),
        };
        self.sources = all.iter().map(header).collect();
    }

    fn choose_dtype(&mut self, wanted: Option<Dtype>) -> Dtype {
        let infos = || self.sources.iter().filter_map(|source| source.info.as_ref().ok());
        let first = infos().next().map(|info| info.dtype);
        let chosen = match (wanted, first) {
            (Some(dtype), _) => Chosen { dtype, by: ChosenBy::User },
            (None, Some(dtype)) => Chosen { dtype, by: ChosenBy::FirstSource },
            (None, None) => Chosen { dtype: Dtype::Uint8, by: ChosenBy::Nobody },
        };
        let other = infos().find(|info| info.dtype != chosen.dtype && wanted.is_none());
        if let Some(other) = other {
            let message =
                format!("the sources differ: the first has {}, `{}` {}", chosen.dtype, other.path, other.dtype);
            let hint = format!("give the channel's type, such as `--dtype {}`", other.dtype);
            self.warnings.push(Warning { message, hint: Some(hint) });
        }
        self.dtype = Some(chosen);
        if !matches!(chosen.dtype, Dtype::Uint8 | Dtype::Uint16 | Dtype::Uint32 | Dtype::Uint64) {
            let message = format!("no channel of the Boss has {} voxels", chosen.dtype);
            let hint =
                "give the channel's type, such as `--dtype uint8`; the plan may need `scale` and `cast`".to_owned();
            self.warnings.push(Warning { message, hint: Some(hint) });
        }
        chosen.dtype
    }

    fn read(&mut self, sources: &Sources, plan: &Plan, target: &Target) -> Result<(), CliError> {
        let traced = self.timed("read", |_| sources.trace(plan, target))?;
        let (statistics, checksum) =
            self.timed("measure", |_| (Statistics::of(&traced.block), checksum(&traced.block)));
        self.result = Some(Reading { traced, statistics, checksum });
        Ok(())
    }

    fn write(&mut self, args: &TryArgs) -> Result<(), CliError> {
        let (Some(output), Some(result)) = (&args.output, &self.result) else { return Ok(()) };
        let start = Instant::now();
        output.write(&result.traced.block, matches!(self.job.grid, Grid::Tiles(_)))?;
        self.seconds.push(("write", start.elapsed().as_secs_f64()));
        self.output = Some(output.path.clone());
        Ok(())
    }

    fn encode(&self, sources: &Sources, plan: &Plan, target: &Target) -> Result<Upload, CliError> {
        let wanted = match plan {
            Plan::Read(read) => read.encode,
            Plan::Stack { .. } => None,
        };
        match sources.read_tile(plan, target)? {
            TileBytes::AsIs { bytes, format } => Ok(Upload { as_is: true, format, bytes: bytes.len() }),
            TileBytes::Voxels(block) => self.encode_block(&block, wanted),
        }
    }

    fn encode_block(&self, block: &Block, wanted: Option<Encode>) -> Result<Upload, CliError> {
        let format = engine::tile_format(block, wanted);
        let (noun, index) = (self.job.grid.task_noun(), self.index);
        let encoded = codec::encode(block, format).map_err(|source| CliError::Encode { noun, index, source })?;
        Ok(Upload { as_is: false, format, bytes: encoded.len() })
    }

    fn timed<T>(&mut self, step: &'static str, work: impl FnOnce(&mut Self) -> T) -> T {
        let start = Instant::now();
        let done = work(self);
        self.seconds.push((step, start.elapsed().as_secs_f64()));
        done
    }
}

impl PathSaid {
    /// Whether the path slot says that there is no data.
    pub fn is_missing(&self) -> bool {
        matches!(self, PathSaid::Answer(PathAnswer::Missing { .. }))
    }
}

impl Warning {
    fn of(finding: &Finding) -> Self {
        Warning { message: finding.to_string(), hint: finding.hint.clone() }
    }
}

/// The error without the advice to try this very task.
fn not_again(error: ScriptError) -> ScriptError {
    match error {
        ScriptError::Runtime(mut fault) => {
            fault.again = None;
            ScriptError::Runtime(fault)
        }
        error => error,
    }
}

fn first_index(grid: &Grid) -> Index {
    match grid.tasks().next() {
        Some(Task::Tile { tile, .. }) => tile,
        Some(Task::Chunk { chunk, .. }) => chunk,
        None => Index::new(0, 0, 0, 0),
    }
}
