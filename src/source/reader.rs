//! What every format's reader is to the rest of the program.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::SourceError;
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
    /// As [`info`](RegionReader::info), and [`SourceError::OutOfBounds`], `Damaged`, `Unreachable` and `LimitsExceeded`; what
    /// the target then holds is not said.
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

    /// Bytes of memory that the reader holds as long as it is open.
    fn held_bytes(&self) -> u64;

    /// The voxels of `region`, which lies inside the source, in the source's voxel type.
    ///
    /// # Errors
    /// As [`read_into`](RegionReader::read_into).
    fn read(&self, selection: &Selection, region: &Region) -> Result<Block, SourceError> {
        let info = self.info(selection)?;
        info.check_bounds(region)?;
        let mut block = Block::zeros(info.dtype, region.size());
        self.read_into(selection, region, &mut block, (0, 0, 0))?;
        Ok(block)
    }
}

/// Which part of a source with more than its image axes is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Selection {
    /// One page of a file with several, counted from 0. Such a page is a 2D source.
    pub page: Option<u64>,
    /// Positions on axes that are no image axis.
    pub select: BTreeMap<char, u64>,
}

/// What a source is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SourceInfo {
    /// The path, as it was first asked for.
    pub path: String,
    /// The format's name, such as `tiff`.
    pub format: &'static str,
    /// The stored axes, slowest first: `yx` or `zyx`.
    pub axes: String,
    /// Voxels on each axis; z is 1 for a 2D source.
    pub size: Size,
    pub dtype: Dtype,
    /// The box that is decoded at once.
    pub block: Size,
    /// Pages of the file; 1 for formats without pages.
    pub pages: u64,
    /// Bytes of the file.
    pub file_bytes: u64,
    /// Whether the file is one image that the Boss's own decoder reads as the same voxels.
    #[serde(skip)]
    pub is_plain: bool,
}

impl SourceInfo {
    /// Whether it is a 2D source.
    pub fn is_flat(&self) -> bool {
        !self.axes.contains('z')
    }

    /// Bytes of all voxels, decoded; saturates instead of overflowing.
    pub fn decoded_bytes(&self) -> u64 {
        self.size.voxels().saturating_mul(self.dtype.size_bytes() as u64)
    }

    /// The box of all voxels.
    pub fn region(&self) -> Region {
        Region::of_size(self.size)
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
        let SourceInfo { format, size, dtype, block, .. } = self;
        write!(f, "{format}, {} × {}", size.x, size.y)?;
        if !self.is_flat() {
            write!(f, " × {}", size.z)?;
        }
        write!(f, " voxels of {dtype}")?;
        if (block.x, block.y) != (size.x, size.y) {
            write!(f, ", in blocks of {} × {}", block.x, block.y)?;
        }
        Ok(())
    }
}
