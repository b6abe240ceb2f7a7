//! What to read for one task, and how. Scripts make plans; [`crate::source::Sources`] carries them out.
//!
//! A plan starts at one source and changes it step by step: mirrors, turns, pastes others beside it, cuts, looks values up
//! and scales them. Steps change what an image is, in their order, and nothing is done before all of them are known: only
//! the voxels that the task needs are read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Colour, Lut, format};
use crate::volume::{Dtype, Region, Size, Span};

/// What to read for one tile or chunk.
#[derive(Clone, Debug, PartialEq)]
pub enum Plan {
    /// The whole task out of one plan.
    Read(ReadPlan),
    /// One plan per section: the `n`-th gives section `z.start + n` of the task, one section deep.
    Stack { z: Span, sections: Vec<ReadPlan> },
}

/// One source, and what becomes of it.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadPlan {
    pub source: SourceRef,
    /// In the order in which they are done.
    pub steps: Vec<Step>,
    /// The value of voxels that the plan does not reach, in the channel's voxel type. When absent, voxels inside the job's
    /// extent must exist (the source has the wrong size otherwise) and those outside it are 0.
    pub fill: Option<f64>,
    /// How values come to the channel's voxel type; [`Cast::Exact`] when absent. A pasted plan without one has that of the
    /// plan that it is pasted on.
    pub cast: Option<Cast>,
    /// How a tile is encoded; PNG up to 16 bits and TIFF above when absent.
    pub encode: Option<Encode>,
}

/// Which source, and which part of one that has more than image axes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceRef {
    /// A plain path, absolute or relative to the job file's folder, or a URL.
    pub path: String,
    /// The format's name, such as `tiff`; told from the content when absent.
    pub format: Option<String>,
    /// Which page of a file with several; with a page, such a file is a 2D source.
    pub page: Option<u64>,
    /// The array of a file or folder with several.
    pub dataset: Option<String>,
    /// Level of detail; 0, the finest, when absent.
    pub level: Option<u64>,
    /// The stored axes, slowest first, letters `x y z t c`; the format's own when absent.
    pub axes: Option<String>,
    /// Fixed positions on axes.
    pub select: BTreeMap<char, u64>,
    pub colour: Colour,
    pub missing: MissingRule,
}

/// One change of an image. Coordinates are those of the image before it, which starts at its source's first voxel.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Cuts a box, which may reach outside. The new image starts at the box's first voxel.
    Crop(Region),
    /// Nothing is cut: the image, from its first voxel on, is the task, and may be smaller than it at the far sides.
    Whole,
    /// Mirrors one axis.
    Flip(Axis),
    /// Turns x and y clockwise by so many quarters.
    Rotate(u8),
    /// Values become what the table says. Only before any scale.
    Lut(Lut),
    /// Values become `v · factor + offset`, in float64.
    Scale { factor: f64, offset: f64 },
    /// Values from `lo` to `hi` become 0 to the largest of the channel's integers, to the nearest; those outside become 0 or the
    /// largest. Only as the last step on values.
    Range { lo: f64, hi: f64 },
    /// Lays another image over this one, its first voxel at `at` (x, y, z). The image grows where the other reaches outside.
    Paste { plan: Box<ReadPlan>, at: [i64; 3] },
}

/// An image axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    X,
    Y,
    Z,
}

/// What a source that does not exist means, or a chunk that a volume of many files does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingRule {
    #[default]
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

impl Plan {
    /// Every source that the plan reads, in its order.
    pub fn sources(&self) -> Vec<&SourceRef> {
        let mut sources = Vec::new();
        match self {
            Plan::Read(read) => read.add_sources(&mut sources),
            Plan::Stack { sections, .. } => sections.iter().for_each(|read| read.add_sources(&mut sources)),
        }
        sources
    }
}

impl ReadPlan {
    /// A plan for the source at `path` with no steps and every field at its default.
    pub fn new(path: impl Into<String>) -> Self {
        let source = SourceRef::new(path);
        ReadPlan { source, steps: Vec::new(), fill: None, cast: None, encode: None }
    }

    /// The plan with one step more.
    #[must_use]
    pub fn with(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Whether the plan itself says which voxels are the task's.
    pub fn is_cut(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Crop(_) | Step::Whole))
    }

    fn add_sources<'a>(&'a self, sources: &mut Vec<&'a SourceRef>) {
        sources.push(&self.source);
        for step in &self.steps {
            if let Step::Paste { plan, .. } = step {
                plan.add_sources(sources);
            }
        }
    }
}

impl SourceRef {
    /// The source at `path`, with every field at its default.
    pub fn new(path: impl Into<String>) -> Self {
        SourceRef {
            path: path.into(),
            format: None,
            page: None,
            dataset: None,
            level: None,
            axes: None,
            select: BTreeMap::new(),
            colour: Colour::None,
            missing: MissingRule::Error,
        }
    }

    /// Whether the source may be missing as a whole. Of a volume of many files only chunks may.
    pub(super) fn may_lack(&self) -> bool {
        self.missing == MissingRule::Fill && !format::is_volume(self)
    }
}

impl Axis {
    pub const ALL: [Axis; 3] = [Axis::X, Axis::Y, Axis::Z];

    pub fn letter(self) -> char {
        ['x', 'y', 'z'][self as usize]
    }

    pub fn from_letter(letter: char) -> Option<Axis> {
        Axis::ALL.into_iter().find(|axis| axis.letter() == letter)
    }
}
