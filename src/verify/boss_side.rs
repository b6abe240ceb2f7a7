//! What the Boss holds, read through its cutout service.

use super::VerifyError;
use crate::config::Database;
use crate::source::{BossSettings, Plan, ReadPlan, RemoteSettings, Sources, Step, Target};
use crate::volume::{self, Dtype, Region};

/// A little for what is open; blocks are asked for once and not kept.
const CACHE_BYTES: u64 = 1 << 20;

/// A channel of a Boss.
pub struct BossSide {
    sources: Sources,
    path: String,
    dtype: Dtype,
    has_times: bool,
}

impl BossSide {
    /// Asks the Boss what the channel is.
    ///
    /// # Errors
    /// [`VerifyError::Boss`] when it does not answer, has no such channel, or does not let the token's owner read it.
    pub fn open(boss: BossSettings, channel: &Database) -> Result<Self, VerifyError> {
        let settings = RemoteSettings { boss, ..RemoteSettings::default() };
        let sources = Sources::new(".".into(), CACHE_BYTES).with_remote(settings);
        let path = format!("bossdb://{channel}");
        let info = sources.info(&path).map_err(VerifyError::Boss)?;
        let has_times = info.axes.contains('t');
        Ok(BossSide { sources, path, dtype: info.dtype, has_times })
    }

    pub fn dtype(&self) -> Dtype {
        self.dtype
    }

    /// The voxels of a box at time sample `t`.
    ///
    /// # Errors
    /// [`VerifyError::Boss`] when the Boss does not give them.
    pub fn read(&self, region: &Region, t: i64) -> Result<volume::Block, VerifyError> {
        let (plan, target) = self.plan(region, t);
        self.sources.read(&plan, &target).map_err(VerifyError::Boss)
    }

    /// Bytes that reading a box takes, its voxels included.
    pub fn cost(&self, region: &Region, t: i64) -> u64 {
        let (plan, target) = self.plan(region, t);
        let voxels = region.size().voxels().saturating_mul(self.dtype.size_bytes() as u64);
        self.sources.decode_cost(&plan, &target).saturating_add(voxels)
    }

    fn plan(&self, region: &Region, t: i64) -> (Plan, Target) {
        let mut plan = ReadPlan::new(&self.path).with(Step::Crop(*region));
        if self.has_times {
            plan.source.select.insert('t', u64::try_from(t).unwrap_or_default());
        }
        let size = region.size();
        (Plan::Read(plan), Target { size, dtype: self.dtype, required: Region::of_size(size) })
    }
}
