//! What to read for one task, and how. Scripts make plans; [`crate::source::Sources`] carries them out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::volume::{Dtype, Region, Size, Span};

/// What to read for one tile or chunk.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Plan {
    /// The whole task out of one source.
    Read(ReadPlan),
    /// One source per section: the `n`-th plan gives section `z.start + n` of the task, one section deep.
    Stack { z: Span, sections: Vec<ReadPlan> },
}

/// One read of one source.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReadPlan {
    /// A plain path, absolute or relative to the job file's folder, or a URL.
    pub path: String,
    /// The format's name, such as `tiff`; told from the content when absent.
    pub format: Option<String>,
    /// Which page of a file with several; with a page, such a file is a 2D source.
    pub page: Option<u64>,
    /// The stored axes, slowest first, letters `x y z t c`; the format's own when absent.
    pub axes: Option<String>,
    /// Fixed positions on axes that are no image axis.
    pub select: BTreeMap<char, u64>,
    pub region: PlanRegion,
    /// The value of voxels that the source does not have. When absent, voxels inside the job's extent must exist (the
    /// source has the wrong size otherwise) and those outside it are 0.
    pub fill: Option<f64>,
    pub missing: MissingRule,
    /// Voxels become `v · scale + offset`, in float64, before the cast.
    pub scale: f64,
    pub offset: f64,
    pub cast: Cast,
    /// How a tile is encoded; PNG up to 16 bits and TIFF above when absent.
    pub encode: Option<Encode>,
}

impl ReadPlan {
    /// A plan with every field at its default and the given region.
    pub fn new(path: impl Into<String>, region: PlanRegion) -> Self {
        ReadPlan {
            path: path.into(),
            format: None,
            page: None,
            axes: None,
            select: BTreeMap::new(),
            region,
            fill: None,
            missing: MissingRule::Error,
            scale: 1.0,
            offset: 0.0,
            cast: Cast::Exact,
            encode: None,
        }
    }
}

/// Which voxels of the source a plan wants.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanRegion {
    /// The file is the tile or chunk: its first voxel is the task's first voxel.
    Whole,
    /// A box in source voxels, which may reach outside. A 2D source has no z: the box's z is not looked at.
    Box(Region),
}

/// What a source that does not exist means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingRule {
    Error,
    Fill,
}

/// How values come to the channel's voxel type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cast {
    /// An error when one value does not fit.
    Exact,
    /// The nearest value that fits.
    Saturate,
    /// The low bits, as C casts do.
    Wrap,
}

/// The image format of an uploaded tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encode {
    Png,
    Tiff,
}

/// What a task needs of the voxels that a plan reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The task's own size; the result has exactly this.
    pub size: Size,
    /// The channel's voxel type; the result has exactly this.
    pub dtype: Dtype,
    /// The part of the task inside the job's extent, counted from the task's first voxel. These voxels must exist in
    /// the source unless the plan gives a `fill`.
    pub required: Region,
}
