//! Reads a job's data back through the Boss's cutout service, compares it voxel for voxel with what the scripts and readers
//! give, and writes down what was seen in a certificate that anybody can check later.
//!
//! A job is compared in blocks ([`blocks`]): the tiles of one chunk together, or one chunk, so that each cuboid is asked for once.
//! Blocks that are done stand in a journal ([`journal`]); a run that was stopped goes on there. Only voxels inside the
//! job's extent count. Tiles that are in quarantine, were filled, or whose source cannot be read are told apart from
//! differences. The Boss is read as any channel is, by the reader of `bossdb://`.

mod blocks;
mod boss_side;
mod certificate;
mod compare;
mod error;
mod journal;
mod sample;
mod workers;

pub use boss_side::BossSide;
pub use certificate::{Certificate, Sampled, Seen, Subject, Voxels};
pub use compare::{Compared, Difference, NotCompared};
pub use error::VerifyError;
pub use sample::{Sample, Share};

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use crate::config::Job;
use crate::engine::Shutdown;
use crate::engine::ledger::{Edition, Entry};
use crate::lua::Scripts;
use crate::source::{BossSettings, Sources};
use crate::volume::Index;
use journal::Journal;

/// What is compared, and how.
pub struct Verification {
    pub job: Job,
    pub subject: Subject,
    pub scripts: Scripts,
    pub sources: Arc<Sources>,
    pub boss: BossSettings,
    /// Tasks that this machine's ledger has as bad or filled.
    pub known: HashMap<Index, Entry>,
    pub share: Share,
    /// `None` for any, or that of a run which was stopped.
    pub seed: Option<u64>,
    pub memory_bytes: u64,
    pub cpu_threads: usize,
    /// Ends the work after the blocks that are under way.
    pub shutdown: Shutdown,
    /// Where blocks that are done are written down, until all are.
    pub journal: PathBuf,
}

/// Compares, and gives the certificate. `progress` is told how many blocks are done, and of how many, from several threads. Blocks until it is done.
///
/// # Errors
/// [`VerifyError::Stopped`] when it was asked to end; when the scripts cannot be set up, the Boss cannot be read, or the journal cannot be written. What is done stays done.
pub fn verify(verification: &Verification, progress: &(dyn Fn(u64, u64) + Sync)) -> Result<Certificate, VerifyError> {
    let began = SystemTime::now();
    let boss = BossSide::open(verification.boss.clone(), &verification.job.database)?;
    let edition = Edition::new(&verification.job, &verification.scripts);
    let task = journal::Task { subject: &verification.subject, edition: &edition, share: verification.share };
    let journal = Journal::open(&verification.journal, &task, verification.seed)?;
    let sample = Sample::new(blocks::count(&verification.job.grid), verification.share, journal.seed());
    progress(journal.done(), sample.blocks);
    workers::run(verification, &boss, &sample, &journal, &|done| progress(done, sample.blocks))?;
    if journal.done() < sample.blocks {
        return Err(VerifyError::Stopped);
    }
    let compared = journal.finish()?;
    Ok(Certificate::new(verification, boss.dtype(), &edition, &sample, compared, began))
}
