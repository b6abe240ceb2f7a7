//! What every format's reader is to the rest of the program.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::error::{SourceError, Unsupported};
use super::generated::Generated;
use super::plan::MissingRule;
use crate::codec::Feature;
use crate::volume::{Block, Dtype, Region, Size};

/// A source that is open: gives voxels by region.
///
/// Readers are shared by all CPU threads. Calls block while they read and decode.
pub trait RegionReader: Send + Sync {
    /// What the selected part of the source is.
    ///
    /// # Errors
    /// [`SourceError::Plan`] for a selection that the source does not have, [`SourceError::NotSupported`] when it is no 2D or
    /// 3D source of one voxel type.
    fn info(&self, selection: &Selection) -> Result<Arc<SourceInfo>, SourceError>;

    /// Writes the voxels of `region`, which lies inside the source, into `target`, the first of them at `(x, y, z)`. A 2D
    /// source is the one section z 0.
    ///
    /// # Errors
    /// As [`info`](RegionReader::info), [`SourceError::NotSupported`] for an image of several channels of which none is
    /// selected, and [`SourceError::OutOfBounds`], `Damaged`, `Unreachable` and `LimitsExceeded`; what the target then holds
    /// is not said.
    ///
    /// # Panics
    /// When the target has another voxel type or no room for the region.
    fn read_into(
        &self,
        selection: &Selection,
        region: &Region,
        target: &mut Block,
        at: (i64, i64, i64),
    ) -> Result<(), SourceError>;

    /// Looks whether the parts that hold the voxels of `region`, which lies inside the source, are there and as long as they
    /// must be. Decodes nothing, and asks for nothing twice; where each part costs a request, only for some. A source in one
    /// file has no parts.
    ///
    /// # Errors
    /// [`SourceError::NoChunk`] and `Damaged` for the first that is missing or cut, and as
    /// [`read_into`](RegionReader::read_into).
    fn check_parts(&self, selection: &Selection, region: &Region) -> Result<(), SourceError> {
        let _ = (selection, region);
        Ok(())
    }

    /// Decodes what a source decodes only as a whole, for somebody who will read all of it in parts: it is not decoded again
    /// until the answer is dropped. `None` where blocks are decoded.
    ///
    /// # Errors
    /// As [`read_into`](RegionReader::read_into).
    fn hold(&self, _selection: &Selection) -> Result<Option<Held>, SourceError> {
        Ok(None)
    }

    /// What more there is to know of the selected part, for people who look at a source.
    ///
    /// # Errors
    /// As [`info`](RegionReader::info).
    fn contents(&self, selection: &Selection) -> Result<Contents, SourceError> {
        let _ = selection;
        Ok(Contents::default())
    }

    /// Bytes of memory that the reader holds as long as it is open.
    fn held_bytes(&self) -> u64;

    /// The voxels of `region`, which lies inside the source, in the source's voxel type.
    ///
    /// # Errors
    /// As [`read_into`](RegionReader::read_into).
    fn read(&self, selection: &Selection, region: &Region) -> Result<Block, SourceError> {
        let info = self.info(selection)?;
        info.check_colour(selection.page)?;
        info.check_bounds(region)?;
        let mut block = Block::zeros(info.dtype, region.size());
        self.read_into(selection, region, &mut block, (0, 0, 0))?;
        Ok(block)
    }
}

/// Keeps something decoded.
pub type Held = Arc<dyn Any + Send + Sync>;

/// What a source holds besides the voxels of one part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// The arrays of a source with names inside, as `dataset` takes them, in order.
    pub arrays: Vec<String>,
    /// Levels of detail of the selected part; 0 where the format has none.
    pub levels: u64,
    /// How the voxels of the selected part are packed, such as `lzw`; `None` where the format does not say or has one way.
    pub compression: Option<String>,
}

/// Which part of a source with more than its image axes is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Selection {
    /// One page of a file with several, counted from 0. Such a page is a 2D source.
    pub page: Option<u64>,
    /// The array of a file or folder with several, such as `main/raw`.
    pub dataset: Option<String>,
    /// Level of detail of a source with several; 0 is the finest.
    pub level: Option<u64>,
    /// Positions on stored axes, by the letters of the source of which nothing is selected. The axes that are left are then
    /// called `yx` or `zyx`.
    pub select: BTreeMap<char, u64>,
    pub colour: Colour,
    /// What becomes of parts that a volume of many files does not have.
    pub missing: MissingRule,
}

/// What becomes of an image with several channels, where a channel of the Boss has room for one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Colour {
    /// It can be looked at, and is refused when read.
    #[default]
    None,
    /// This channel is taken, counted from 0: red, green, blue, alpha; or grey, alpha.
    Channel(u64),
    /// Red, green and blue are weighted as the eye does (ITU-R BT.601), as Pillow's mode `L`.
    Gray,
}

/// What a source is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SourceInfo {
    /// The path, as it was first asked for.
    pub path: String,
    /// The format's name, such as `tiff`.
    pub format: &'static str,
    /// The stored axes, slowest first: `yx` or `zyx`; with `c` behind them for an image of several channels of which none is
    /// selected; arrays also `x`, `tzyx`, `tczyx`. With `t` or `c` a source can be looked at, not read.
    pub axes: String,
    /// Values stored for each voxel, whether or not one of them is selected; 1 for grey.
    pub channels: u64,
    /// The position `(x, y, z)` of the first voxel: 0 but in volumes that say where they lie.
    #[serde(serialize_with = "by_axis")]
    pub origin: (i64, i64, i64),
    /// Voxels on each axis; z is 1 for a 2D source.
    pub size: Size,
    pub dtype: Dtype,
    /// The box that is decoded at once.
    pub block: Size,
    /// Channels that are decoded to get the selected one: 1 where it lies apart, else all of them.
    #[serde(skip)]
    pub decoded_channels: u64,
    /// Pages of the file; 1 for formats without pages.
    pub pages: u64,
    /// Bytes of the file.
    pub file_bytes: u64,
    /// Whether the file is one image that the Boss's own decoder reads as the same voxels.
    #[serde(skip)]
    pub is_plain: bool,
    /// The lengths of an array's axes that are no image axes, such as `t`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub others: BTreeMap<char, u64>,
    /// Whether page n is z n.
    #[serde(skip)]
    pub is_paged: bool,
    /// What the file calls z, where that is another letter: plans may use either.
    #[serde(skip)]
    pub stack_axis: Option<char>,
    /// What the user should know of how the file was understood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

fn by_axis<S: Serializer>(&(x, y, z): &(i64, i64, i64), serializer: S) -> Result<S::Ok, S::Error> {
    BTreeMap::from([("x", x), ("y", y), ("z", z)]).serialize(serializer)
}

impl SourceInfo {
    /// A grey volume of one part, at 0, that is decoded whole; 2D where it is one section deep. Readers change what is
    /// otherwise.
    pub(super) fn new(path: &str, format: &'static str, size: Size, dtype: Dtype) -> Self {
        SourceInfo {
            path: path.to_owned(),
            format,
            axes: if size.z == 1 { "yx" } else { "zyx" }.to_owned(),
            channels: 1,
            origin: (0, 0, 0),
            size,
            dtype,
            block: size,
            decoded_channels: 1,
            pages: 1,
            file_bytes: 0,
            is_plain: false,
            others: BTreeMap::new(),
            is_paged: false,
            stack_axis: None,
            note: None,
        }
    }

    /// Whether it is a 2D source.
    pub fn is_flat(&self) -> bool {
        !self.axes.contains('z')
    }

    /// Whether it is made from positions, not read from a file, and has no end.
    pub fn is_endless(&self) -> bool {
        self.size == Generated::SIZE
    }

    /// The length of one of the axes.
    pub fn length(&self, axis: char) -> u64 {
        match axis {
            'x' => self.size.x,
            'y' => self.size.y,
            'z' => self.size.z,
            other => match self.others.get(&other) {
                Some(length) => *length,
                None if other == 'c' => self.channels,
                None => 1,
            },
        }
    }

    /// Bytes of all voxels, decoded, with one value each; saturates instead of overflowing.
    pub fn decoded_bytes(&self) -> u64 {
        self.size.voxels().saturating_mul(self.dtype.size_bytes() as u64)
    }

    /// The box of all voxels, which begins at the origin.
    pub fn region(&self) -> Region {
        let (x, y, z) = self.origin;
        Region::of_size(self.size).shift(x, y, z)
    }

    /// Whether it can be read. `page` is the selected page, for the message.
    ///
    /// # Errors
    /// [`SourceError::NotSupported`] for an image of several channels of which none is selected.
    pub(super) fn check_colour(&self, page: Option<u64>) -> Result<(), SourceError> {
        if !self.axes.ends_with('c') {
            return Ok(());
        }
        let feature = Feature::Channels(u16::try_from(self.channels).unwrap_or(u16::MAX));
        let what = match page {
            Some(page) if self.pages > 1 => Unsupported::Page { page, feature },
            _ => Unsupported::Image { format: self.format, feature },
        };
        Err(SourceError::NotSupported { path: self.path.clone(), what })
    }

    pub(super) fn check_bounds(&self, region: &Region) -> Result<(), SourceError> {
        if self.region().covers(region) {
            return Ok(());
        }
        Err(SourceError::OutOfBounds { path: self.path.clone(), region: *region, has: self.size })
    }
}

impl fmt::Display for SourceInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SourceInfo { format, size, dtype, block, channels, note, .. } = self;
        if self.is_endless() {
            return write!(f, "{format}, without end, voxels of {dtype}");
        }
        write!(f, "{format}, {} × {}", size.x, size.y)?;
        if !self.is_flat() {
            write!(f, " × {}", size.z)?;
        }
        write!(f, " voxels of {dtype}")?;
        match *channels {
            0 | 1 => {}
            several if self.axes.ends_with('c') => write!(f, " in {several} channels")?,
            several => write!(f, " out of {several} channels")?,
        }
        if (block.x, block.y) != (size.x, size.y) {
            write!(f, ", in blocks of {} × {}", block.x, block.y)?;
        }
        if let Some(note) = note {
            write!(f, "; {note}")?;
        }
        Ok(())
    }
}
