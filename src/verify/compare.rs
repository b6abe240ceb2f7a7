//! One block compared: what the Boss holds against what its tasks give.

use serde::{Deserialize, Serialize};

use super::{BossSide, Verification, VerifyError, blocks};
use crate::engine::{self, ledger::Entry};
use crate::lua::{Answer, Host};
use crate::volume::{Block, Dtype, Index, Region};

/// Differences of one block that are told with their values.
const SHOWN: usize = 10;

/// What was seen of one block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    pub number: u64,
    pub t: i64,
    #[serde(flatten)]
    pub region: Region,
    /// The CRC-32C of the voxels in the Boss, `[z, y, x]`, little-endian, in 8 hex digits.
    pub crc32c: String,
    /// Voxels that were compared with the source.
    pub compared: u64,
    /// Voxels of tiles that hold a fill in place of a source, and hold it everywhere.
    pub filled: u64,
    /// Of the voxels that were compared, those that differ.
    pub differing: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_compared: Vec<NotCompared>,
}

/// A voxel that is another one in the Boss.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    pub x: i64,
    pub y: i64,
    pub z: i64,
    pub t: i64,
    pub boss: u64,
    pub source: u64,
}

/// A task whose voxels could not be compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotCompared {
    #[serde(flatten)]
    pub index: Index,
    /// Whether this machine's ledger has it in quarantine, so that it was not uploaded.
    pub quarantined: bool,
    pub voxels: u64,
    pub reason: String,
}

/// Compares one block. `host` is the worker's own.
///
/// # Errors
/// When the Boss cannot be read. What is wrong with a source is told of its task.
pub fn compare(
    verification: &Verification,
    side: &BossSide,
    host: &mut Host,
    block: &blocks::Block,
) -> Result<Compared, VerifyError> {
    let boss = side.read(&block.region, block.t)?;
    let mut compared = Compared {
        number: block.number,
        t: block.t,
        region: block.region,
        crc32c: checksum(&boss),
        compared: 0,
        filled: 0,
        differing: 0,
        differences: Vec::new(),
        not_compared: Vec::new(),
    };
    for task in &block.tasks {
        Comparing { verification, host, boss: &boss, compared: &mut compared }.task(*task);
    }
    Ok(compared)
}

/// The checksum of what the Boss holds at a place.
pub fn checksum(voxels: &Block) -> String {
    format!("{:08x}", crc32c::crc32c(voxels.as_bytes()))
}

struct Comparing<'a> {
    verification: &'a Verification,
    host: &'a mut Host,
    boss: &'a Block,
    compared: &'a mut Compared,
}

impl Comparing<'_> {
    fn task(&mut self, index: Index) {
        let grid = &self.verification.job.grid;
        let region = grid.region(index).intersect(&self.compared.region);
        let voxels = region.size().voxels();
        let known = self.verification.known.get(&index);
        if let Some(fill) = known.and_then(|entry| entry.fill)
            && self.holds(&region, fill)
        {
            self.compared.filled += voxels;
            return;
        }
        let quarantined = known.is_some_and(|entry| entry.fill.is_none());
        match self.source(index) {
            Err(reason) => {
                let reason = known.map_or(reason, |entry: &Entry| entry.reason.clone());
                self.compared.not_compared.push(NotCompared { index, quarantined, voxels, reason });
            }
            Ok(source) => {
                let (differing, first) = self.differences(&source, index, &region);
                // Not uploaded yet, or never: what the Boss holds there is no fault of the upload.
                if differing > 0 && quarantined {
                    let reason = "it was in quarantine; its source can be read now: `join` uploads it".to_owned();
                    self.compared.not_compared.push(NotCompared { index, quarantined, voxels, reason });
                    return;
                }
                self.compared.compared += voxels;
                self.compared.differing += differing;
                let room = SHOWN.saturating_sub(self.compared.differences.len());
                self.compared.differences.extend(first.into_iter().take(room));
            }
        }
    }

    /// What the task's script and reader give.
    fn source(&mut self, index: Index) -> Result<Block, String> {
        let Verification { job, sources, .. } = self.verification;
        match self.host.plan(index).map_err(|error| chain(&error))? {
            Answer::Missing { reason } => Err(format!("the script says: {reason}")),
            Answer::Plan(plan) => {
                let target = engine::target(&job.grid, self.boss.dtype(), index);
                sources.read(&plan, &target).map_err(|error| chain(&error))
            }
        }
    }

    /// Whether all voxels of a box in the Boss are this value.
    fn holds(&self, region: &Region, value: f64) -> bool {
        let bytes = (value as u64).to_le_bytes();
        let item = self.boss.dtype().size_bytes();
        self.boss.cut(&self.within(region)).as_bytes().chunks_exact(item).all(|voxel| voxel == &bytes[..item])
    }

    /// A box of the volume, counted from the block's first voxel.
    fn within(&self, region: &Region) -> Region {
        let first = self.compared.region;
        region.shift(-first.x.start, -first.y.start, -first.z.start)
    }

    /// How many voxels of a box differ, and the first of them.
    fn differences(&self, source: &Block, index: Index, region: &Region) -> (u64, Vec<Difference>) {
        let task = self.verification.job.grid.region(index);
        let in_source = region.shift(-task.x.start, -task.y.start, -task.z.start);
        let (dtype, in_boss) = (self.boss.dtype(), self.within(region));
        let (mut differing, mut first) = (0, Vec::new());
        for (z_at, z) in (region.z.start..region.z.stop).enumerate() {
            for (y_at, y) in (region.y.start..region.y.stop).enumerate() {
                let ours = row(source, &in_source, z_at, y_at);
                let theirs = row(self.boss, &in_boss, z_at, y_at);
                if ours == theirs {
                    continue;
                }
                for (x, source, boss) in unequal(ours, theirs, dtype) {
                    differing += 1;
                    if first.len() < SHOWN {
                        let x = region.x.start + x as i64;
                        first.push(Difference { x, y, z, t: self.compared.t, boss, source });
                    }
                }
            }
        }
        (differing, first)
    }
}

/// The bytes of one row of a box inside a block.
fn row<'a>(block: &'a Block, region: &Region, z: usize, y: usize) -> &'a [u8] {
    let (size, item) = (block.size(), block.dtype().size_bytes());
    let (z, y) = (region.z.start as usize + z, region.y.start as usize + y);
    let first = (z * size.y as usize + y) * size.x as usize + region.x.start as usize;
    &block.as_bytes()[first * item..][..region.x.len() as usize * item]
}

/// The voxels of two rows that differ: position and both values.
fn unequal(ours: &[u8], theirs: &[u8], dtype: Dtype) -> impl Iterator<Item = (usize, u64, u64)> {
    let item = dtype.size_bytes();
    let value = |voxel: &[u8]| voxel.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte));
    let voxels = ours.chunks_exact(item).zip(theirs.chunks_exact(item)).enumerate();
    voxels.filter(|(_, (a, b))| a != b).map(move |(at, (ours, theirs))| (at, value(ours), value(theirs)))
}

/// An error with its causes on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text += &format!(": {cause}");
        next = cause.source();
    }
    text
}
