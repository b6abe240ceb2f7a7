//! What `create` and `join` need before they speak to a Boss: the job, its scripts, its sources.

use std::path::Path;
use std::sync::Arc;

use directories::ProjectDirs;

use super::args::{ScratchArgs, TokenArgs, UploadArgs};
use super::connect::for_sources;
use super::error::{CliError, FirstTaskError};
use crate::boss::SessionSettings;
use crate::config::{self, Job, Loaded};
use crate::engine::{self, Options};
use crate::lua::{Answer, Host, Scripts};
use crate::report::count;
use crate::source::{BossSettings, RemoteSettings, Scratch, SourceInfo, Sources};
use crate::volume::{Dtype, Index, Task};

/// A job that could be run.
pub struct Prepared {
    pub job: Job,
    pub scripts: Arc<Scripts>,
    pub sources: Arc<Sources>,
    pub options: Options,
    pub session: SessionSettings,
}

impl Prepared {
    /// Reads the job file, saying what is odd about it, and loads its scripts.
    ///
    /// # Errors
    /// When the job file or a script cannot be used.
    pub fn load(path: &Path, args: &UploadArgs, token: &TokenArgs) -> Result<Self, CliError> {
        let options = options(args);
        let job = load_job(path)?;
        let sources = sources(&job, options.memory_bytes, &args.scratch, token.api_token.as_deref());
        let scripts = Arc::new(Scripts::load(&job)?);
        // A script that cannot be set up would fail every task; its user hears of it before anything is created.
        scripts.host(sources.clone())?;
        Ok(Prepared { job, scripts, sources, options, session: session(args) })
    }

    /// The voxel type of the first source that can be read, among the job's first tasks.
    ///
    /// # Errors
    /// When none of them can be read; the reason is the first one's.
    pub fn first_dtype(&self) -> Result<Dtype, CliError> {
        first_dtype(&self.job, &self.scripts, &self.sources)
    }
}

/// Reads the job file, saying what is odd about it.
///
/// # Errors
/// When it cannot be used.
pub fn load_job(path: &Path) -> Result<Job, CliError> {
    Ok(with_warnings(config::load(path)?))
}

/// As [`load_job`], for commands that upload nothing: tiles and chunks may lie askew.
///
/// # Errors
/// When it cannot be used.
pub fn load_unaligned_job(path: &Path) -> Result<Job, CliError> {
    Ok(with_warnings(config::load_unaligned(path)?))
}

fn with_warnings(loaded: Loaded) -> Job {
    for warning in &loaded.warnings {
        eprintln!("warning: {warning}");
        if let Some(hint) = &warning.hint {
            eprintln!("  hint: {hint}");
        }
    }
    loaded.job
}

/// The voxel type of the first source that can be read, among the job's first tasks.
///
/// # Errors
/// When none of them can be read; the reason is the first one's.
pub fn first_dtype(job: &Job, scripts: &Scripts, sources: &Arc<Sources>) -> Result<Dtype, CliError> {
    let mut host = scripts.host(sources.clone())?;
    let mut first_error = None;
    // The tasks looked at are spread over the job, so that one bad section does not hide the others.
    let step = usize::try_from(job.grid.count() / FIRST_TASKS as u64).unwrap_or(usize::MAX).max(1);
    for task in job.grid.tasks().step_by(step).take(FIRST_TASKS) {
        let index = match task {
            Task::Tile { tile, .. } => tile,
            Task::Chunk { chunk, .. } => chunk,
        };
        match source_of(sources, &mut host, index) {
            Ok(info) => return Ok(info.dtype),
            Err(error) => drop(first_error.get_or_insert(error)),
        }
    }
    let source = Box::new(first_error.unwrap_or(FirstTaskError::NoSource));
    Err(CliError::NoFirstTask { channel: job.database.channel.clone(), source })
}

fn source_of(sources: &Sources, host: &mut Host, index: Index) -> Result<Arc<SourceInfo>, FirstTaskError> {
    let plan = match host.plan(index).map_err(FirstTaskError::Script)? {
        Answer::Plan(plan) => plan,
        Answer::Missing { reason } => return Err(FirstTaskError::Missing(reason)),
    };
    let first = plan.sources().first().copied().ok_or(FirstTaskError::NoSource)?.clone();
    sources.source_info(&first).map_err(FirstTaskError::Source)
}

/// Tasks looked at for the voxel type of a channel that is to be made.
const FIRST_TASKS: usize = 16;

fn options(args: &UploadArgs) -> Options {
    Options {
        memory_bytes: args.memory.unwrap_or_else(quarter_of_memory),
        cpu_threads: args.cpu_threads.map_or_else(engine::default_cpu_threads, usize::from),
        blosc: args.codec,
        all_cuboids: args.all_cuboids,
        stall_after: args.telling.stall_after,
        manual_complete: args.manual_complete,
        on_bad_tile: args.on_bad_tile,
    }
}

fn session(args: &UploadArgs) -> SessionSettings {
    SessionSettings {
        uploads: args.uploads.map(usize::from),
        max_bandwidth: args.max_bandwidth,
        max_requests: args.max_rps,
        ..SessionSettings::default()
    }
}

/// A job's sources, which keep what they decode in a share of the memory and in the scratch directory. `token` is the one that
/// was given on the command line.
pub fn sources(job: &Job, memory_bytes: u64, scratch: &ScratchArgs, token: Option<&str>) -> Arc<Sources> {
    let sources = Sources::new(job.dir.clone(), memory_bytes / engine::CACHE_SHARE).with_limit(memory_bytes);
    Arc::new(with_scratch(sources.with_remote(remote(Some(job), token)), scratch))
}

/// How remote sources are asked for: channels of a Boss at the one that the job file names, with the user's token.
pub fn remote(job: Option<&Job>, token: Option<&str>) -> RemoteSettings {
    let url = job.map_or_else(|| BossSettings::default().url, |job| job.backend.base_url());
    RemoteSettings { boss: for_sources(&url, token), ..RemoteSettings::default() }
}

/// Sources with the scratch directory that was asked for, or the one in the user's cache directory.
pub fn with_scratch(sources: Sources, args: &ScratchArgs) -> Sources {
    let own = || ProjectDirs::from("", "", "boss-ingest").map(|dirs| dirs.cache_dir().join("scratch"));
    match args.scratch.clone().or_else(own) {
        Some(dir) => sources.with_scratch(Scratch::new(dir, args.scratch_size)),
        None => sources,
    }
}

/// What a command takes of the machine's memory when it is not told.
pub fn quarter_of_memory() -> u64 {
    let mut system = sysinfo::System::new();
    system.refresh_memory();
    (system.total_memory() / 4).max(256 << 20)
}

/// Describes a job before it is created.
pub fn describe(job: &Job, options: &Options) -> String {
    let extent = job.grid.extent();
    let data = &job.data_processor;
    let tasks = count(job.grid.count(), job.grid.task_noun());
    let lines = [
        ("channel", job.database.to_string()),
        ("extent", extent.to_string()),
        (job.path_processor.name, format!("{} {}", job.path_processor.class, params(&job.path_processor.params))),
        (data.name, format!("{} {}", data.class, params(&data.params))),
        ("to upload", format!("{tasks} of {}, {}", job.grid.task_size(), count(extent.voxels(), "voxel"))),
        ("memory", crate::report::human_bytes(options.memory_bytes)),
    ];
    lines.map(|(name, value)| format!("  {name:<15}  {}\n", value.trim_end())).concat()
}

fn params(params: &serde_json::Map<String, serde_json::Value>) -> String {
    if params.is_empty() { String::new() } else { serde_json::Value::from(params.clone()).to_string() }
}
