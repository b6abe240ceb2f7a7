//! What a Boss tells of a channel: its own description, its experiment's and its coordinate frame's.

use serde::Deserialize;

use super::Flaw;
use crate::source::remote::is_name;
use crate::volume::{Dtype, Region, Span};

/// Resolutions are one digit in the Boss's URLs.
const MOST_LEVELS: u64 = 10;

/// The most time samples that are believed in.
const MOST_TIMES: u64 = 1 << 31;

/// A channel, of one voxel type.
#[derive(Debug, PartialEq)]
pub(super) struct Channel {
    pub dtype: Dtype,
    /// The finest resolution that there is.
    pub base: u64,
    /// One more than the coarsest.
    pub levels: u64,
    pub times: u64,
    /// Whether z is halved from one resolution to the next, as x and y are.
    is_isotropic: bool,
    /// Whether the resolutions above the finest were made.
    is_downsampled: bool,
    /// At resolution 0.
    frame: Region,
}

#[derive(Deserialize)]
struct WrittenChannel {
    datatype: String,
    #[serde(default)]
    base_resolution: u64,
    downsample_status: Option<String>,
}

#[derive(Deserialize)]
struct WrittenExperiment {
    coord_frame: String,
    num_hierarchy_levels: u64,
    hierarchy_method: String,
    num_time_samples: u64,
}

#[derive(Deserialize)]
struct WrittenFrame {
    x_start: i32,
    x_stop: i32,
    y_start: i32,
    y_stop: i32,
    z_start: i32,
    z_stop: i32,
}

/// An experiment's description, read as far as its frame's name.
pub(super) struct Experiment(WrittenExperiment);

impl Experiment {
    pub fn parse(text: &[u8]) -> Result<Self, Flaw> {
        let written: WrittenExperiment = serde_json::from_slice(text)?;
        if !is_name(&written.coord_frame) {
            return Err(format!("`{}` is no name of a coordinate frame", written.coord_frame).into());
        }
        Ok(Experiment(written))
    }

    pub fn frame(&self) -> &str {
        &self.0.coord_frame
    }
}

impl Channel {
    pub fn parse(channel: &[u8], Experiment(experiment): &Experiment, frame: &[u8]) -> Result<Self, Flaw> {
        let channel: WrittenChannel = serde_json::from_slice(channel)?;
        let frame: WrittenFrame = serde_json::from_slice(frame)?;
        let dtype = channel.datatype.parse().map_err(|_| format!("`{}` is no voxel type", channel.datatype))?;
        let span = |start: i32, stop: i32| {
            // Cutouts cannot be asked for below 0.
            let span = Span::new(i64::from(start.max(0)), i64::from(stop));
            if start < stop && stop > 0 { Ok(span) } else { Err(format!("its frame goes from {start} to {stop}")) }
        };
        let is_isotropic = match experiment.hierarchy_method.as_str() {
            "isotropic" => true,
            "anisotropic" => false,
            other => return Err(format!("`{other}` is no way to make resolutions").into()),
        };
        let base = channel.base_resolution;
        let levels = base.saturating_add(experiment.num_hierarchy_levels.max(1)).min(MOST_LEVELS);
        if base >= levels {
            return Err(format!("its finest resolution is {base}").into());
        }
        Ok(Channel {
            dtype,
            base,
            levels,
            times: experiment.num_time_samples.clamp(1, MOST_TIMES),
            is_isotropic,
            is_downsampled: channel.downsample_status.is_some_and(|status| status == "DOWNSAMPLED"),
            frame: Region::new(
                span(frame.x_start, frame.x_stop)?,
                span(frame.y_start, frame.y_stop)?,
                span(frame.z_start, frame.z_stop)?,
            ),
        })
    }

    /// The box of all voxels at a resolution.
    pub fn extent(&self, level: u64) -> Region {
        let scaled = |span: Span| Span::new(span.start >> level, (span.stop + (1 << level) - 1) >> level);
        let Region { x, y, z } = self.frame;
        Region::new(scaled(x), scaled(y), if self.is_isotropic { scaled(z) } else { z })
    }

    /// What the user should know of a resolution.
    pub fn note(&self, level: u64) -> Option<String> {
        let lacks = level > self.base && !self.is_downsampled;
        lacks
            .then(|| format!("the Boss has not made resolution {level} of it (or not yet), and gives 0 for what lacks"))
    }
}
