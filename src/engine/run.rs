//! One run on one job: upload until the queue is empty, complete, and tell how it ended.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::acknowledge::AcknowledgeStage;
use super::budget::Memory;
use super::clock::Clocks;
use super::completion::{Completed, Completer};
use super::compress::CompressStage;
use super::cpu::Cpu;
use super::error::EngineError;
use super::fill::{self, OnBadTile};
use super::index::IndexStage;
use super::lease::Leases;
use super::ledger::Ledger;
use super::lookahead::Lookahead;
use super::monitor::Monitor;
use super::pack::PackStage;
use super::pipeline::{Pipeline, Stage};
use super::plan::PlanStage;
use super::read::{NETWORK_TASKS, ReadStage};
use super::receive::{Drained, ReceiveStage};
use super::record::{RecordStage, Recorded};
use super::shutdown::Shutdown;
use super::triage::Triage;
use super::upload::UploadStage;
use crate::boss::Session;
use crate::codec::BloscSettings;
use crate::config::Job;
use crate::lua::Scripts;
use crate::protocol::JobKind;
use crate::report::{BadTask, News, Report};
use crate::source::Sources;
use crate::volume::{Dtype, Grid};

/// How a run goes about its work.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bytes of voxels and objects in memory at once, the cache of decoded sources included.
    pub memory_bytes: u64,
    pub cpu_threads: usize,
    /// How cuboids are compressed.
    pub blosc: BloscSettings,
    /// Send cuboids that lie wholly outside the job's extent, too: zeros over what the channel may hold there.
    pub all_cuboids: bool,
    /// Nothing may move for so long, though tasks are held, before the user is told where they stick.
    pub stall_after: Duration,
    /// Leave the job uncompleted at the end.
    pub manual_complete: bool,
    /// What becomes of a task whose file or script is at fault.
    pub on_bad_tile: OnBadTile,
}

/// The part of the memory that decoded sources may fill, as a divisor.
pub const CACHE_SHARE: u64 = 4;

/// Tasks whose objects are being put, or wait for it, at most. The session bounds the requests, the budget the bytes.
const UPLOADING: usize = 1024;

/// What a run did.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub ending: Ending,
    /// Tasks in quarantine, in the order of their indices.
    pub bad: Vec<BadTask>,
    pub elapsed: Duration,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The job is complete.
    Complete,
    /// Everything is uploaded; completing was left to the user.
    Uploaded,
    /// What could be uploaded is; the tasks in quarantine wait for their user.
    BadTasks,
    /// The user asked for the end; the job can be joined again.
    Stopped,
}

impl Ending {
    /// In one word, as the ledger and the manifest have it.
    pub fn name(self) -> &'static str {
        match self {
            Ending::Complete => "complete",
            Ending::Uploaded => "uploaded",
            Ending::BadTasks => "bad tasks",
            Ending::Stopped => "stopped",
        }
    }
}

/// What a run works on.
pub struct Work<'a> {
    pub job: &'a Job,
    pub scripts: Arc<Scripts>,
    pub sources: Arc<Sources>,
    pub session: Arc<Session>,
    /// Where what is done is written down.
    pub ledger: Arc<Ledger>,
}

/// Everything a run needs, shared by its rounds.
struct Run<'a> {
    work: Work<'a>,
    dtype: Dtype,
    lease: Duration,
    options: Options,
    cpu: Cpu,
    clocks: Arc<Clocks>,
    report: Arc<dyn Report>,
    shutdown: Shutdown,
}

/// Uploads a joined job and completes it.
///
/// # Errors
/// When the job is not that of the job file, was cancelled, or the server refuses or is away for minutes.
pub async fn run(
    work: Work<'_>,
    options: Options,
    report: Arc<dyn Report>,
    shutdown: Shutdown,
) -> Result<Outcome, EngineError> {
    let start = Instant::now();
    let dtype = same_job(work.job, &work.session)?;
    if let OnBadTile::Fill(fill) = options.on_bad_tile
        && !fill::fits(fill, dtype)
    {
        return Err(EngineError::Fill { fill, dtype });
    }
    let lease = work.session.lease().await?;
    let (tasks, noun) = (work.job.grid.count(), work.job.grid.task_noun());
    report.tell(News::Started { job: work.session.job().id, tasks, noun });
    let (cpu, clocks) = (Cpu::new(options.cpu_threads), Arc::<Clocks>::default());
    let run = Run { work, dtype, lease, options, cpu, clocks, report, shutdown };
    let monitor = tokio::spawn(run.monitor().watch());
    let ended = run.rounds().await;
    monitor.abort();
    run.monitor().tell_last();
    let (ending, bad) = ended?;
    Ok(Outcome { ending, bad, elapsed: start.elapsed() })
}

/// Checks that the joined job is the one that the job file describes; gives the channel's voxel type.
fn same_job(job: &Job, session: &Session) -> Result<Dtype, EngineError> {
    let (joined, id) = (session.job(), session.job().id);
    if joined.ingest_type != job.kind {
        return Err(EngineError::OtherKind { id, job: joined.ingest_type, file: job.kind });
    }
    if joined.tile_count != job.grid.count() {
        return Err(EngineError::OtherCount { id, job: joined.tile_count, file: job.grid.count() });
    }
    let of_job = format!("{}/{}/{}", joined.collection, joined.experiment, joined.channel);
    let of_file = job.database.to_string();
    if of_job != of_file {
        return Err(EngineError::OtherChannel { id, job: of_job, file: of_file });
    }
    let dtype = session.resource().map(|resource| resource.dtype).ok_or(EngineError::NoDtype { id })?;
    if job.kind == JobKind::Tile && dtype == Dtype::Uint64 {
        return Err(EngineError::DtypeInTiles { dtype });
    }
    Ok(dtype)
}

/// How a run ends whose job's end was reached.
fn ending(completed: Completed) -> Ending {
    if completed == Completed::Asked { Ending::Stopped } else { Ending::Complete }
}

/// The pause before the queue is asked again when the server says that it is not empty and yet handed nothing out.
const EMPTY_PAUSE: Duration = Duration::from_secs(1);
/// So many leases long that may go on: other hosts may hold the last tasks, and one of them may have died.
const EMPTY_LEASES: u32 = 3;

impl Run<'_> {
    /// Uploads and completes until the job is done, in quarantine, or stopped.
    async fn rounds(&self) -> Result<(Ending, Vec<BadTask>), EngineError> {
        let mut idle_since = None;
        loop {
            let (drained, bad, stored) = self.upload().await?;
            match drained {
                Drained::Asked if self.options.on_bad_tile == OnBadTile::Stop && !bad.is_empty() => {
                    return Ok((Ending::BadTasks, bad));
                }
                Drained::Asked => return Ok((Ending::Stopped, bad)),
                Drained::QueueGone => return Ok((ending(self.completer().after_the_queue().await?), bad)),
                Drained::Empty if !bad.is_empty() => return Ok((Ending::BadTasks, bad)),
                Drained::Empty if self.options.manual_complete => return Ok((Ending::Uploaded, bad)),
                Drained::Empty => {}
            }
            match self.completer().complete().await? {
                Completed::QueueNotEmpty if stored || idle_since.is_none() => {
                    self.tell("the upload queue has tasks again; going on uploading");
                }
                Completed::QueueNotEmpty => {}
                Completed::TilesMissing => {
                    self.tell("the server misses some tiles and put them back on the queue; going on uploading");
                    idle_since = None;
                }
                completed => return Ok((ending(completed), bad)),
            }
            if stored {
                idle_since = None;
            }
            self.wait_for_others(*idle_since.get_or_insert_with(Instant::now)).await?;
        }
    }

    /// Other hosts hold the last tasks: waits a little, or gives up when they have held them longer than leases last.
    async fn wait_for_others(&self, idle_since: Instant) -> Result<(), EngineError> {
        if idle_since.elapsed() > self.lease * EMPTY_LEASES {
            return Err(EngineError::NothingHandedOut { id: self.work.session.job().id });
        }
        tokio::select! {
            () = tokio::time::sleep(EMPTY_PAUSE) => {}
            () = self.shutdown.drained() => {}
        }
        Ok(())
    }

    fn tell(&self, text: &str) {
        self.report.tell(News::Phase(text.to_owned()));
    }

    fn monitor(&self) -> Monitor {
        Monitor {
            session: self.work.session.clone(),
            report: self.report.clone(),
            clocks: self.clocks.clone(),
            cpu: self.cpu.clone(),
            stall_after: self.options.stall_after,
        }
    }

    fn completer(&self) -> Completer<'_> {
        let session = &self.work.session;
        let (shutdown, report) = (self.shutdown.clone(), self.report.clone());
        Completer { rest: session.rest(), id: session.job().id, shutdown, report }
    }

    /// One pass through the pipeline, until the queue is empty or the run is to end. Also tells whether any task came.
    async fn upload(&self) -> Result<(Drained, Vec<BadTask>, bool), EngineError> {
        let lookahead = Arc::new(Lookahead::new(self.lease));
        let (first, received) = mpsc::channel(super::batch::BATCH);
        let noun = self.work.job.grid.task_noun();
        let (on_bad, ledger) = (self.options.on_bad_tile, self.work.ledger.clone());
        let (report, shutdown) = (self.report.clone(), self.shutdown.clone());
        let triage = Arc::new(Triage::new(noun, on_bad, ledger.clone(), report, shutdown, first.downgrade()));
        let receive = ReceiveStage {
            session: self.work.session.clone(),
            ledger,
            lookahead: lookahead.clone(),
            leases: Leases::default(),
            triage: triage.clone(),
            shutdown: self.shutdown.clone(),
            report: self.report.clone(),
            lease: self.lease,
        };
        let (known, recorded) = mpsc::channel(super::batch::BATCH * 8);
        let (pipeline, last) = self.stages(&triage, lookahead.clone(), received, (known.clone(), recorded));
        let working = async {
            let (drained, ()) = tokio::join!(receive.run(first, known), pipeline.finish(last));
            drained
        };
        let drained = tokio::select! {
            drained = working => drained,
            () = self.shutdown.stopped() => Ok(Drained::Asked),
        };
        match triage.take_fatal() {
            Some(EngineError::Boss(error)) if error.job_is_over() => {
                Ok((Drained::QueueGone, triage.bad_tasks(), lookahead.any_done()))
            }
            Some(error) => Err(error),
            None => Ok((drained?, triage.bad_tasks(), lookahead.any_done())),
        }
    }

    /// Joins the stages, from the channel of received tasks on.
    fn stages(
        &self,
        triage: &Arc<Triage>,
        lookahead: Arc<Lookahead>,
        received: mpsc::Receiver<super::task::Received>,
        (known, recorded): (mpsc::Sender<Recorded>, mpsc::Receiver<Recorded>),
    ) -> (Pipeline, mpsc::Receiver<()>) {
        let Options { cpu_threads, memory_bytes, blosc, all_cuboids, .. } = self.options;
        let (cpu, grid, dtype) = (self.cpu.clone(), self.work.job.grid, self.dtype);
        let memory = Memory::new(memory_bytes - memory_bytes / CACHE_SHARE);
        let buffers = memory.buffers.clone();
        let sources = self.work.sources.clone();
        let waiting = super::batch::BATCH * 8;
        // A chunk keeps a core busy for long, and those that are read before the first is compressed hold up its upload.
        let (reading, compressing) = match grid {
            Grid::Tiles(_) => (cpu_threads * 2, cpu_threads * 2),
            Grid::Chunks(_) => (cpu_threads, 2),
        };

        let mut line = Pipeline::new(triage.clone(), self.clocks.clone());
        let scripts = (self.work.scripts.clone(), sources.clone());
        let plan = PlanStage::new(scripts, cpu.clone(), (grid.task_size(), dtype), lookahead.clone());
        let planned = line.then(received, cpu_threads, plan);
        let read = ReadStage::new(sources, (grid, dtype), memory, cpu.clone(), reading);
        let loaded = line.then(planned, NETWORK_TASKS.max(reading), read);
        let packed = line.then(loaded, 1, PackStage { grid, dtype, all_cuboids });
        let compressed = line.then(packed, compressing, CompressStage { cpu, blosc, dtype, buffers });
        let upload = UploadStage::new(self.work.session.clone(), grid.task_size(), self.clocks.of(UploadStage::NAME));
        let uploaded = line.then(compressed, UPLOADING, upload);
        let indexed = line.then(uploaded, waiting, IndexStage::new(self.work.session.clone()));
        let record = RecordStage { ledger: self.work.ledger.clone(), report: self.report.clone() };
        line.then_to(indexed, waiting * 4, record, known);
        let acknowledge = AcknowledgeStage::new(self.work.session.clone(), lookahead, self.report.clone(), &grid);
        let last = line.then(recorded, waiting, acknowledge);
        (line, last)
    }
}
