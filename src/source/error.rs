//! Why a source could not give the voxels asked of it.

use std::fmt;
use std::io;

use serde::{Serialize, Serializer};

use super::format::Format;
use super::remote::{Trouble, shown};
use crate::codec::{CodecError, Feature};
use crate::config::nearest;
use crate::volume::{Dtype, Region, Size};

/// Why a source could not give the voxels asked of it. `path` is what the plan says, but for
/// passwords and signatures in URLs.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("`{path}` does not exist")]
    NotFound { path: String },
    /// A volume of many files lacks this one; `chunk` is its path in the volume's folder.
    #[error("`{path}` has no chunk `{chunk}`")]
    NoChunk { path: String, chunk: String },
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
    /// The first page is not like the second, the first of its volume, so the pages are no volume.
    PagesDiffer(Box<[PageKind; 2]>),
    /// One array of a file is what we do not read; `what` says which.
    Array { dataset: String, what: String },
    /// The file holds no array.
    NoArray,
    /// Raw voxels that no file beside them describes; `name` is what it would be called.
    NoSidecar { name: String },
    /// A header that people write by hand says what has no meaning here.
    Header { what: String, hint: Option<String> },
    /// A precomputed volume has this, which we do not read.
    Precomputed(String),
    /// The content is of no format that we know.
    Content,
    /// The plan names a format that we do not know.
    Format(String),
    /// The path is a URL of this scheme.
    Scheme(String),
    /// The path of a source without a file must end in a voxel type, and ends in this.
    VoxelType(String),
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unsupported::Image { format, feature } => write!(f, "is a {format} image with {feature}"),
            Unsupported::Page { page, feature } => write!(f, "has {feature} on page {page}"),
            Unsupported::PagesDiffer(pages) => write!(f, "has pages that differ: {}, {}", pages[0], pages[1]),
            Unsupported::Array { dataset, what } if dataset.is_empty() => write!(f, "holds {what}"),
            Unsupported::Array { dataset, what } => write!(f, "holds {what} in `{dataset}`"),
            Unsupported::NoArray => f.write_str("holds no array"),
            Unsupported::NoSidecar { name } => {
                write!(f, "needs a file `{name}` beside it that says what its voxels are")
            }
            Unsupported::Header { what, .. } => f.write_str(what),
            Unsupported::Precomputed(feature) => write!(f, "is a precomputed volume with {feature}"),
            Unsupported::Content => f.write_str("is of no format that is read here"),
            Unsupported::Format(name) => write!(f, "cannot be read as `{name}`, there is no such format"),
            Unsupported::Scheme(scheme) => write!(f, "is a URL, and `{scheme}` is none that is read"),
            Unsupported::VoxelType(dtype) => write!(f, "names no voxel type, `{dtype}`"),
        }
    }
}

/// What one page of a file is, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageKind {
    pub page: u64,
    pub size: Size,
    pub dtype: Dtype,
    pub channels: u64,
}

impl fmt::Display for PageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PageKind { page, size, dtype, channels } = self;
        write!(f, "page {page} is {} × {} of {dtype}", size.x, size.y)?;
        if *channels > 1 { write!(f, " in {channels} channels") } else { Ok(()) }
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

impl Serialize for Number {
    /// Whole numbers outside of 64 bits, which no voxel is, become floats.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Number::Integer(value) => match (u64::try_from(value), i64::try_from(value)) {
                (Ok(value), _) => serializer.serialize_u64(value),
                (_, Ok(value)) => serializer.serialize_i64(value),
                _ => serializer.serialize_f64(value as f64),
            },
            Number::Real(value) => serializer.serialize_f64(value),
        }
    }
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
    /// The image that the plan makes has not the size of its target.
    ResultSize {
        size: Size,
        target: Size,
    },
    /// Nothing of the plan reaches these voxels of the task, which lie inside the job's extent.
    Uncovered {
        region: Region,
    },
    /// `scale` or `offset` is not a finite number.
    NotFinite,
    /// A range of contrast of no width, or that is no range.
    NoRange {
        lo: f64,
        hi: f64,
    },
    /// Values are to be changed after a range.
    ValuesAfterRange,
    /// A range for a channel of floats, which has no largest value.
    RangeOfFloats {
        dtype: Dtype,
    },
    /// A table is to look up what was scaled or looked up before.
    LutAfterValues,
    LutOfFloats,
    /// A script asks for the values of a source of many voxels.
    TooManyScalars {
        size: Size,
        most: u64,
    },
    NoSuchPage {
        page: u64,
        pages: u64,
    },
    NoSuchChannel {
        channel: u64,
        channels: u64,
    },
    /// A dataset of a format that has no names inside.
    NoDataset {
        dataset: String,
        format: &'static str,
    },
    /// The file has no such array, but these.
    NoSuchArray {
        dataset: String,
        arrays: Vec<String>,
    },
    /// The file has several arrays, and the plan names none of them.
    WhichArray {
        arrays: Vec<String>,
    },
    /// A position behind the end of an axis.
    NoSuchPosition {
        axis: char,
        at: u64,
        length: u64,
    },
    /// A level of detail that the source does not have.
    NoSuchLevel {
        level: u64,
        levels: u64,
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
            PlanMistake::ResultSize { size, target } => write!(f, "makes an image of {size}, but its task is {target}"),
            PlanMistake::Uncovered { region } => {
                write!(f, "gives no voxels for {region} of its task, which the job needs")
            }
            PlanMistake::NotFinite => f.write_str("has a `scale` or `offset` that is no finite number"),
            PlanMistake::NoRange { lo, hi } => write!(f, "has the range {lo} to {hi}, which is none"),
            PlanMistake::ValuesAfterRange => f.write_str("changes values after a `range`"),
            PlanMistake::RangeOfFloats { dtype } => {
                write!(f, "has a `range`, but its channel's voxels are {dtype}")
            }
            PlanMistake::LutAfterValues => f.write_str("has a `lut` after a `scale` or another `lut`"),
            PlanMistake::TooManyScalars { size, most } => {
                write!(f, "asks for the values of {size} voxels; scripts get at most {most}")
            }
            PlanMistake::LutOfFloats => f.write_str("has a `lut`, but the source's values are floats"),
            PlanMistake::NoSuchPage { page, pages } => {
                write!(f, "wants page {page}, counted from 0, of {pages}")
            }
            PlanMistake::NoSuchChannel { channel, channels: 0 | 1 } => {
                write!(f, "wants channel {channel}, counted from 0, of a grey image")
            }
            PlanMistake::NoSuchChannel { channel, channels } => {
                write!(f, "wants channel {channel}, counted from 0, of {channels}")
            }
            PlanMistake::NoDataset { dataset, format } => {
                write!(f, "names the dataset `{dataset}`, but a {format} image has none")
            }
            PlanMistake::NoSuchArray { dataset, .. } => write!(f, "names the dataset `{dataset}`, which is not there"),
            PlanMistake::WhichArray { arrays } if arrays.is_empty() => {
                f.write_str("names no dataset, and the volume does not list what it has")
            }
            PlanMistake::WhichArray { arrays } => write!(f, "names none of the {} datasets", arrays.len()),
            PlanMistake::NoSuchPosition { axis, at, length } => {
                write!(f, "selects {axis} {at}, counted from 0, of {length}")
            }
            PlanMistake::NoSuchLevel { level, levels } => {
                write!(f, "wants level {level}, counted from 0, of {levels}")
            }
            PlanMistake::Axes { axes, has } => write!(f, "has the axes `{axes}`, but the source has `{has}`"),
            PlanMistake::Select { axis } => write!(f, "needs exactly one position in `select` for the axis `{axis}`"),
            PlanMistake::StackDepth { first, sections, depth } => {
                write!(f, "stacks {sections} sections from layer {first} on, but its task has {depth}")
            }
        }
    }
}

impl PlanMistake {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            PlanMistake::RegionSize { .. } | PlanMistake::ResultSize { .. } => {
                "what a plan makes must be as large as its task; `at.region` is"
            }
            PlanMistake::Uncovered { .. } => {
                "compare `ingest_job.extent` with the data; where voxels may lack, set `fill`"
            }
            PlanMistake::NoSuchArray { dataset, arrays } => {
                let meant = nearest(dataset, arrays.iter().map(String::as_str));
                return Some(meant.map_or_else(|| listed(arrays), |name| format!("did you mean `{name}`?")));
            }
            PlanMistake::WhichArray { arrays } if arrays.is_empty() => "set `dataset` in the plan",
            PlanMistake::WhichArray { arrays } => {
                return Some(format!("set `dataset` in the plan; {}", listed(arrays)));
            }
            PlanMistake::FlatForDeep { .. } => "a chunk out of 2D images is a `boss.stack` of them",
            PlanMistake::NoRange { .. } => "`range` is `{ lo, hi }`, the lower first",
            PlanMistake::ValuesAfterRange => "a `range` gives the channel's values: put it last, once",
            PlanMistake::RangeOfFloats { .. } => "floats have no largest value; set a `scale` and `offset`",
            PlanMistake::LutAfterValues => "look values up first, once, and scale them after that",
            PlanMistake::LutOfFloats => "scale and cast floats; tables are for integers",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

impl SourceError {
    /// The path that the plan names; a stack of no sections has none.
    pub fn path(&self) -> Option<&str> {
        match self {
            SourceError::Plan { mistake: PlanMistake::StackDepth { sections: 0, .. }, .. } => None,
            SourceError::NotFound { path }
            | SourceError::NoChunk { path, .. }
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
            SourceError::NoChunk { .. } => {
                "copy the volume anew; where chunks may lack, `missing = \"fill\"` in the plan makes them 0"
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
            SourceError::Unreachable { source, .. } => {
                let of_disk = "look at the file's rights, and whether its disk is there";
                Trouble::within(source).map_or(of_disk, Trouble::hint)
            }
            SourceError::LimitsExceeded { .. } => {
                "give the program more with `--memory`; images that are decoded whole may also go to `--scratch`"
            }
            SourceError::Plan { mistake, .. } => return mistake.hint(),
        };
        Some(hint.to_owned())
    }

    /// Whether the source may not be there, where a plan allows for that: it is not, or its server does not tell.
    pub(super) fn may_mean_absent(&self) -> bool {
        match self {
            SourceError::NotFound { .. } => true,
            SourceError::Unreachable { source, .. } => Trouble::within(source).is_some_and(Trouble::may_mean_absent),
            _ => false,
        }
    }

    /// A codec's error, on the file of this path.
    pub(super) fn codec(path: &str, error: CodecError) -> Self {
        let path = shown(path).into_owned();
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
        let path = shown(path).into_owned();
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => SourceError::NotFound { path },
            // No file can have such a name.
            io::ErrorKind::InvalidFilename => SourceError::NotFound { path },
            io::ErrorKind::InvalidInput if path.contains('\0') => SourceError::NotFound { path },
            _ => SourceError::Unreachable { path, source: error },
        }
    }

    pub(super) fn mistake(path: &str, mistake: PlanMistake) -> Self {
        SourceError::Plan { path: shown(path).into_owned(), mistake }
    }
}

/// The names of a file's arrays, the first of many.
fn listed(arrays: &[String]) -> String {
    const MOST: usize = 20;
    if arrays.is_empty() {
        return "the file holds no array".to_owned();
    }
    let names: Vec<String> = arrays.iter().take(MOST).map(|name| format!("`{name}`")).collect();
    let more = match arrays.len().saturating_sub(MOST) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("the file holds {}{more}", names.join(", "))
}

fn unsupported_hint(what: &Unsupported) -> Option<String> {
    let known = || Format::names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    Some(match what {
        Unsupported::Image { feature: Feature::Palette, .. } | Unsupported::Page { feature: Feature::Palette, .. } => {
            "convert the image to grey; the numbers of a palette are no intensities".to_owned()
        }
        Unsupported::Image { feature: Feature::Channels(_), .. }
        | Unsupported::Page { feature: Feature::Channels(_), .. } => {
            "set `channel = 0` or `gray = true` in the plan, or convert the image to grey".to_owned()
        }
        Unsupported::Image { feature: Feature::NoGray(_), .. }
        | Unsupported::Page { feature: Feature::NoGray(_), .. } => {
            "set `channel` in the plan to take one of them".to_owned()
        }
        Unsupported::PagesDiffer(_) => "set `page` in the plan to read one page".to_owned(),
        Unsupported::Precomputed(_) => {
            "write it anew with CloudVolume as `raw`, `png`, `jpeg` or `compressed_segmentation`".to_owned()
        }
        Unsupported::Content | Unsupported::Format(_) => format!("formats that are read: {}", known()),
        Unsupported::Scheme(_) => {
            "plain paths, `file://`, `https://`, `http://`, `s3://`, `gs://`, `az://` and `bossdb://` work".to_owned()
        }
        Unsupported::VoxelType(_) => "voxel types are `uint8`, `uint16`, `uint64` and so on".to_owned(),
        Unsupported::Array { .. } => "write the array anew: integers or floats, plain or packed by gzip".to_owned(),
        Unsupported::NoArray => return None,
        Unsupported::NoSidecar { name } => {
            format!("write `{name}`, such as {{\"dtype\": \"uint8\", \"shape\": [100, 512, 512], \"axes\": \"zyx\"}}")
        }
        Unsupported::Header { hint, .. } => return hint.clone(),
        Unsupported::Image { .. } | Unsupported::Page { .. } => {
            "convert the image to plain grey PNG or TIFF".to_owned()
        }
    })
}
