//! Several threads, each with a script state of its own, that take one block after the other.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::blocks::{self, Block};
use super::certificate::Seen;
use super::compare::compare;
use super::journal::Journal;
use super::{BossSide, Sample, Verification, VerifyError};
use crate::engine;
use crate::lua::Answer;
use crate::volume::Task;

/// Blocks that are read at once for each CPU thread: most of the time goes by waiting for the Boss.
const PER_CPU: usize = 4;

/// Compares all blocks of the sample that the journal has not. `progress` is told how many the journal has, after each.
pub fn run(
    verification: &Verification,
    boss: &BossSide,
    sample: &Sample,
    journal: &Journal,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<(), VerifyError> {
    let wanted = Mutex::new(Wanted::new(verification, sample));
    let next = || wanted.lock().unwrap_or_else(PoisonError::into_inner).next_but(|number| journal.has(number));
    on_threads(workers(verification, boss)?, &|failed| {
        let mut host = verification.scripts.host(verification.sources.clone())?;
        while !failed.load(Ordering::Relaxed)
            && !verification.shutdown.is_draining()
            && let Some(block) = next()
        {
            journal.add(compare(verification, boss, &mut host, &block)?)?;
            progress(journal.done());
        }
        Ok(())
    })
}

/// Gives those of `blocks` of which `is_bad` says so, in their order. `progress` is told after each how many were looked at.
pub fn check(
    blocks: &[Seen],
    threads: usize,
    progress: &(dyn Fn(u64) + Sync),
    is_bad: &(dyn Fn(&Seen) -> Result<bool, VerifyError> + Sync),
) -> Result<Vec<Seen>, VerifyError> {
    let (waiting, done, bad) = (Mutex::new(blocks.iter().enumerate()), AtomicU64::new(0), Mutex::new(Vec::new()));
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
    on_threads(threads, &|failed| {
        while !failed.load(Ordering::Relaxed)
            && let Some((at, block)) = next()
        {
            if is_bad(block)? {
                bad.lock().unwrap_or_else(PoisonError::into_inner).push((at, block.clone()));
            }
            progress(done.fetch_add(1, Ordering::Relaxed) + 1);
        }
        Ok(())
    })?;
    let mut bad = bad.into_inner().unwrap_or_else(PoisonError::into_inner);
    bad.sort_by_key(|(at, _)| *at);
    Ok(bad.into_iter().map(|(_, block)| block).collect())
}

/// Runs `work` on so many threads. When one of them fails, the others are told and end after their block.
fn on_threads(
    threads: usize,
    work: &(dyn Fn(&AtomicBool) -> Result<(), VerifyError> + Sync),
) -> Result<(), VerifyError> {
    let failed = AtomicBool::new(false);
    let work = || work(&failed).inspect_err(|_| failed.store(true, Ordering::Relaxed));
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        let end = |worker: std::thread::ScopedJoinHandle<_>| {
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        workers.into_iter().try_for_each(end)
    })
}

/// As many as memory has room for at once, and at least one.
fn workers(verification: &Verification, boss: &BossSide) -> Result<usize, VerifyError> {
    let Verification { job, scripts, sources, memory_bytes, cpu_threads, .. } = verification;
    let Some(first) = job.grid.tasks().next() else { return Ok(1) };
    let (Task::Tile { tile: index, .. } | Task::Chunk { chunk: index, .. }) = first;
    let target = engine::target(&job.grid, boss.dtype(), index);
    let decoding = match scripts.host(sources.clone())?.plan(index) {
        Ok(Answer::Plan(plan)) => sources.decode_cost(&plan, &target),
        _ => 0,
    };
    let task_bytes = target.size.voxels().saturating_mul(boss.dtype().size_bytes() as u64);
    let block = blocks::all(&job.grid).next().map_or(0, |block| boss.cost(&block.region, block.t));
    let each = decoding.saturating_add(task_bytes).saturating_add(block);
    Ok(at_once(memory_bytes - memory_bytes / engine::CACHE_SHARE, each, *cpu_threads))
}

/// How many threads there is room for when each takes `each` bytes; at least one, and not more than are of use.
pub fn at_once(room_bytes: u64, each: u64, cpu_threads: usize) -> usize {
    let most = cpu_threads.saturating_mul(PER_CPU) as u64;
    usize::try_from((room_bytes / each.max(1)).clamp(1, most)).unwrap_or(1)
}

/// The blocks of the sample, as they are asked for.
struct Wanted {
    blocks: Box<dyn Iterator<Item = Block> + Send>,
    numbers: Box<dyn Iterator<Item = u64> + Send>,
}

impl Wanted {
    fn new(verification: &Verification, sample: &Sample) -> Self {
        let blocks = Box::new(blocks::all(&verification.job.grid));
        Wanted { blocks, numbers: Box::new(sample.numbers()) }
    }

    /// The next block of the sample that is not done. Both lists rise.
    fn next_but(&mut self, is_done: impl Fn(u64) -> bool) -> Option<Block> {
        let number = self.numbers.find(|number| !is_done(*number))?;
        self.blocks.find(|block| block.number == number)
    }
}
