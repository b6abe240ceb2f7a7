//! What was seen, as a JSON document that names its own digest, so that a changed one shows.
//!
//! The digest is a SHA-256 over the document without it, in the form of [`canonical_json`]: no spaces, keys in the order of
//! their letters. Each block has the checksum of the voxels that the Boss held, so that the Boss can be checked again
//! without the source.

use std::path::Path;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::compare::checksum;
use super::{BossSide, Compared, Difference, NotCompared, Sample, Verification, VerifyError, workers};
use crate::config::Database;
use crate::engine::ledger::Edition;
use crate::engine::{canonical_json, sha256_of};
use crate::volume::{Dtype, Extent, Region};

/// The format of the document. One with a higher number is refused.
const FORMAT: u64 = 1;
const NAME: &str = "boss-ingest verify";

/// Differences that are told with both values.
const SHOWN: usize = 100;

/// Which job, of which Boss.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The Boss: its address, or the folder of a local one.
    pub boss: String,
    pub job: u64,
}

/// The certificate of a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    certificate: String,
    format: u64,
    version: String,
    pub boss: String,
    pub job: u64,
    pub channel: String,
    pub resolution: u8,
    pub dtype: Dtype,
    pub extent: Extent,
    pub config_sha256: String,
    pub scripts_sha256: String,
    pub sample: Sampled,
    pub voxels: Voxels,
    /// Whether every voxel that was to be compared was, and is the source's.
    pub equal: bool,
    pub began: String,
    pub ended: String,
    /// The first voxels that differ, at most ten of a block.
    pub differences: Vec<Difference>,
    pub not_compared: Vec<NotCompared>,
    pub blocks: Vec<Seen>,
}

/// Which blocks were compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sampled {
    pub share: String,
    pub blocks: u64,
    pub of: u64,
    pub seed: u64,
}

/// Counts of voxels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Voxels {
    pub compared: u64,
    /// Of those, the ones that differ.
    pub differing: u64,
    pub filled: u64,
    pub not_compared: u64,
}

/// A block as the Boss held it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    #[serde(flatten)]
    pub region: Region,
    pub t: i64,
    /// The CRC-32C of its voxels, `[z, y, x]`, little-endian, in 8 hex digits.
    pub crc32c: String,
}

impl Certificate {
    pub(super) fn new(
        verification: &Verification,
        dtype: Dtype,
        edition: &Edition,
        sample: &Sample,
        compared: Vec<Compared>,
        began: SystemTime,
    ) -> Self {
        let Verification { job, subject, share, .. } = verification;
        let sum = |count: fn(&Compared) -> u64| compared.iter().map(count).sum();
        let voxels = Voxels {
            compared: sum(|block| block.compared),
            differing: sum(|block| block.differing),
            filled: sum(|block| block.filled),
            not_compared: sum(|block| block.not_compared.iter().map(|task| task.voxels).sum()),
        };
        let time = |time| humantime::format_rfc3339_seconds(time).to_string();
        Certificate {
            certificate: NAME.to_owned(),
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            boss: subject.boss.clone(),
            job: subject.job,
            channel: job.database.to_string(),
            resolution: job.resolution,
            dtype,
            extent: job.grid.extent(),
            config_sha256: edition.config.clone(),
            scripts_sha256: edition.scripts.clone(),
            sample: Sampled { share: share.to_string(), blocks: sample.blocks, of: sample.of, seed: sample.seed },
            voxels,
            equal: voxels.differing == 0 && voxels.not_compared == 0,
            began: time(began),
            ended: time(SystemTime::now()),
            differences: compared.iter().flat_map(|block| block.differences.clone()).take(SHOWN).collect(),
            not_compared: compared.iter().flat_map(|block| block.not_compared.clone()).collect(),
            blocks: compared.into_iter().map(Seen::from).collect(),
        }
    }

    /// The channel by its names.
    pub fn database(&self) -> Database {
        let mut names = self.channel.splitn(3, '/').map(str::to_owned);
        let mut next = || names.next().unwrap_or_default();
        Database { collection: next(), experiment: next(), channel: next() }
    }

    /// The document, with its digest.
    pub fn to_json(&self) -> Value {
        let mut document = serde_json::to_value(self).expect("it has text keys only");
        let digest = digest(&document);
        document["sha256"] = digest.into();
        document
    }

    /// Reads a document and proves that it is as it was written.
    ///
    /// # Errors
    /// [`VerifyError::Edited`] when it was changed, [`VerifyError::NoCertificate`], `Newer` and `Unreadable`.
    pub fn read(path: &Path) -> Result<Self, VerifyError> {
        let path = path.to_owned();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(source) => return Err(VerifyError::Unreadable { path, source }),
        };
        let document: Value = match serde_json::from_str(&text) {
            Ok(document) => document,
            Err(source) => return Err(VerifyError::NoCertificate { path, source }),
        };
        if let Some(found) = document["format"].as_u64().filter(|format| *format > FORMAT) {
            return Err(VerifyError::Newer { path, found, known: FORMAT });
        }
        let named = document["sha256"].as_str().unwrap_or_default().to_owned();
        let certificate: Certificate = match serde_json::from_value(document.clone()) {
            Ok(certificate) => certificate,
            Err(source) => return Err(VerifyError::NoCertificate { path, source }),
        };
        if named == digest(&document) { Ok(certificate) } else { Err(VerifyError::Edited { path }) }
    }

    /// Reads every block from the Boss again and gives those that are not as they were. `progress` is told after each block
    /// how many were read, from several threads.
    ///
    /// # Errors
    /// When the Boss cannot be read.
    pub fn check(
        &self,
        boss: &BossSide,
        (memory_bytes, cpu_threads): (u64, usize),
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Vec<Seen>, VerifyError> {
        let most = self.blocks.iter().map(|block| boss.cost(&block.region, block.t)).max().unwrap_or(0);
        let threads = workers::at_once(memory_bytes, most, cpu_threads);
        workers::check(&self.blocks, threads, progress, &|block| {
            Ok(checksum(&boss.read(&block.region, block.t)?) != block.crc32c)
        })
    }
}

impl From<Compared> for Seen {
    fn from(block: Compared) -> Self {
        Seen { region: block.region, t: block.t, crc32c: block.crc32c }
    }
}

/// The digest of a document, whether or not it names one.
fn digest(document: &Value) -> String {
    let mut document = document.clone();
    if let Some(fields) = document.as_object_mut() {
        fields.remove("sha256");
    }
    sha256_of(&canonical_json(&document))
}
