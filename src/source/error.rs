//! Why a source could not give the voxels asked of it.

use std::fmt;
use std::io;

use crate::codec::{CodecError, Feature, ImageFormat};
use crate::volume::{Dtype, Region, Size};

/// Why a source could not give the voxels asked of it. `path` is what the plan says.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("`{path}` does not exist")]
    NotFound { path: String },
    /// The file breaks the rules of its format, or ends too early.
    #[error("`{path}` is damaged")]
    Damaged { path: String, source: CodecError },
    /// The file may be sound, but is not one that we read.
    #[error("`{path}` {what}")]
    NotSupported { path: String, what: Unsupported },
    /// The image does not have the size that the job counts on. `has` is its size.
    #[error("`{path}` is {has} voxels {problem}")]
    WrongSize { path: String, has: Size, problem: SizeProblem },
    /// A reader was asked for voxels outside its source, which is `has` voxels large.
    #[error("`{path}` has no voxels at {region}, it is {has}")]
    OutOfBounds { path: String, region: Region, has: Size },
    /// A value cannot be cast to the channel's voxel type. `at` is the voxel `(x, y, z)` in the source.
    #[error("`{path}` has the value {value} at x {}, y {}, z {}, which does not fit in {dtype}", at.0, at.1, at.2)]
    DoesNotFit { path: String, value: Number, at: (i64, i64, i64), dtype: Dtype },
    /// The file exists, but could not be read: rights, disks, networks.
    #[error("`{path}` cannot be read")]
    Unreachable { path: String, source: io::Error },
    /// The file would need more memory than is allowed.
    #[error("`{path}` needs {needed_bytes} bytes in memory, the limit is {limit_bytes}")]
    LimitsExceeded { path: String, needed_bytes: u64, limit_bytes: u64 },
    /// The plan contradicts itself, its target or its source: a mistake in the script.
    #[error("the plan for `{path}` {mistake}")]
    Plan { path: String, mistake: PlanMistake },
}

/// What we do not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unsupported {
    /// An image of this format has something we do not read.
    Image { format: &'static str, feature: Feature },
    /// Page `page`, counted from 0, has something we do not read.
    Page { page: u64, feature: Feature },
    /// Page `page` is not like page 0, so the pages are no volume.
    PagesDiffer { page: u64, size: Size, dtype: Dtype, first_size: Size, first_dtype: Dtype },
    /// The content is of no format that we know.
    Content,
    /// The plan names a format that we do not know.
    Format(String),
    /// The path is a URL of this scheme.
    Scheme(String),
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unsupported::Image { format, feature } => write!(f, "is a {format} image with {feature}"),
            Unsupported::Page { page, feature } => write!(f, "has {feature} on page {page}"),
            Unsupported::PagesDiffer { page, size, dtype, first_size, first_dtype } => write!(
                f,
                "has pages that differ: page {page} is {} × {} of {dtype}, page 0 is {} × {} of {first_dtype}",
                size.x, size.y, first_size.x, first_size.y
            ),
            Unsupported::Content => f.write_str("is of no format that is read here"),
            Unsupported::Format(name) => write!(f, "cannot be read as `{name}`, there is no such format"),
            Unsupported::Scheme(scheme) => write!(f, "is a URL, and `{scheme}` is not read yet"),
        }
    }
}

/// How an image's size is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SizeProblem {
    /// These voxels, counted in the source's own coordinates, are inside the job's extent and not in the source.
    Lacking(Region),
    /// A whole file must not be larger than the tile or chunk.
    LargerThan(Size),
}

impl fmt::Display for SizeProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SizeProblem::Lacking(region) => write!(f, "and has none at {region}, which the job needs"),
            SizeProblem::LargerThan(size) => write!(f, "and does not fit in the {size} of its task"),
        }
    }
}

/// A voxel's value, as exact as its type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    Integer(i128),
    Real(f64),
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Number::Integer(value) => write!(f, "{value}"),
            Number::Real(value) => write!(f, "{value}"),
        }
    }
}

/// What is wrong with a plan.
#[derive(Clone, Debug, PartialEq)]
pub enum PlanMistake {
    /// The region has not the size of its target.
    RegionSize {
        region: Region,
        target: Size,
    },
    /// A 2D source, or one page, was to fill a target of several sections.
    FlatForDeep {
        depth: u64,
    },
    /// The fill is no value of the channel's voxel type.
    Fill {
        fill: f64,
        dtype: Dtype,
    },
    /// `scale` or `offset` is not a finite number.
    NotFinite,
    NoSuchPage {
        page: u64,
        pages: u64,
    },
    /// The axes are not those of the source.
    Axes {
        axes: String,
        has: String,
    },
    /// A position for an axis that the source does not have, or none for one that needs it.
    Select {
        axis: char,
    },
    /// The stack has `sections` sections from layer `first` of the target on, which is `depth` deep and needs more, or fewer.
    StackDepth {
        first: u64,
        sections: u64,
        depth: u64,
    },
}

impl fmt::Display for PlanMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PlanMistake::RegionSize { region, target } => {
                write!(f, "has a region of {} ({region}), but its task is {target}", region.size())
            }
            PlanMistake::FlatForDeep { depth } => write!(f, "gives one section to a task of {depth}"),
            PlanMistake::Fill { fill, dtype } => write!(f, "has the fill {fill}, which is no {dtype}"),
            PlanMistake::NotFinite => f.write_str("has a `scale` or `offset` that is no finite number"),
            PlanMistake::NoSuchPage { page, pages } => {
                write!(f, "wants page {page}, counted from 0, of {pages}")
            }
            PlanMistake::Axes { axes, has } => write!(f, "has the axes `{axes}`, but the source has `{has}`"),
            PlanMistake::Select { axis } => write!(f, "needs exactly one position in `select` for the axis `{axis}`"),
            PlanMistake::StackDepth { first, sections, depth } => {
                write!(f, "stacks {sections} sections from layer {first} on, but its task has {depth}")
            }
        }
    }
}

impl SourceError {
    /// The path that the plan names; a stack of no sections has none.
    pub fn path(&self) -> Option<&str> {
        match self {
            SourceError::Plan { mistake: PlanMistake::StackDepth { sections: 0, .. }, .. } => None,
            SourceError::NotFound { path }
            | SourceError::Damaged { path, .. }
            | SourceError::NotSupported { path, .. }
            | SourceError::WrongSize { path, .. }
            | SourceError::OutOfBounds { path, .. }
            | SourceError::DoesNotFit { path, .. }
            | SourceError::Unreachable { path, .. }
            | SourceError::LimitsExceeded { path, .. }
            | SourceError::Plan { path, .. } => Some(path),
        }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            SourceError::NotFound { .. } => {
                "look at the path; where sections may lack, set `missing = \"fill\"` in the plan"
            }
            SourceError::Damaged { .. } => "make or copy the file anew, then `join` the job again for what is left",
            SourceError::NotSupported { what, .. } => return unsupported_hint(what),
            SourceError::WrongSize { problem: SizeProblem::Lacking(_), .. } => {
                "compare `ingest_job.extent` with the data; where voxels may lack, set `fill` in the plan"
            }
            SourceError::WrongSize { problem: SizeProblem::LargerThan(_), .. } => {
                "set `region` in the plan to cut the image, or compare the job's tile or chunk size with it"
            }
            SourceError::OutOfBounds { .. } => "compare the plan's `region` with the source's size",
            SourceError::DoesNotFit { .. } => {
                "set `cast = \"saturate\"` or `\"wrap\"`, or a `scale`, in the plan, or use a wider voxel type"
            }
            SourceError::Unreachable { .. } => "look at the file's rights, and whether its disk is there",
            SourceError::LimitsExceeded { .. } => "give the program more with `--memory`",
            SourceError::Plan { .. } => return None,
        };
        Some(hint.to_owned())
    }

    /// A codec's error, on the file of this path.
    pub(super) fn codec(path: &str, error: CodecError) -> Self {
        let path = path.to_owned();
        match error {
            CodecError::NotSupported { format, feature } => {
                SourceError::NotSupported { path, what: Unsupported::Image { format, feature } }
            }
            CodecError::LimitsExceeded { needed_bytes, limit_bytes, .. } => {
                SourceError::LimitsExceeded { path, needed_bytes, limit_bytes }
            }
            CodecError::Unreadable { source } => SourceError::Unreachable { path, source },
            damaged => SourceError::Damaged { path, source: damaged },
        }
    }

    /// A file system's error, on the file of this path.
    pub(super) fn io(path: &str, error: io::Error) -> Self {
        let path = path.to_owned();
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => SourceError::NotFound { path },
            _ => SourceError::Unreachable { path, source: error },
        }
    }

    pub(super) fn mistake(path: &str, mistake: PlanMistake) -> Self {
        SourceError::Plan { path: path.to_owned(), mistake }
    }
}

fn unsupported_hint(what: &Unsupported) -> Option<String> {
    let known = || ImageFormat::ALL.map(|format| format!("`{format}`")).join(", ");
    Some(match what {
        Unsupported::Image { feature: Feature::Palette, .. } | Unsupported::Page { feature: Feature::Palette, .. } => {
            "convert the image to grey; the numbers of a palette are no intensities".to_owned()
        }
        Unsupported::Image { feature: Feature::Channels(_), .. }
        | Unsupported::Page { feature: Feature::Channels(_), .. } => {
            "convert the image to grey, or write each channel to a file of its own".to_owned()
        }
        Unsupported::PagesDiffer { .. } => "set `page` in the plan to read one page".to_owned(),
        Unsupported::Content | Unsupported::Format(_) => format!("formats that are read: {}", known()),
        Unsupported::Scheme(_) => "plain paths and `file://` work".to_owned(),
        Unsupported::Image { .. } | Unsupported::Page { .. } => {
            "convert the image to plain grey PNG or TIFF".to_owned()
        }
    })
}
