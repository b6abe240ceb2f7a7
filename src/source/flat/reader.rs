//! The reader of all formats whose voxels lie in a row.

use std::sync::Arc;

use super::super::array::Selected;
use super::super::decoded::check_read;
use super::super::error::PlanMistake;
use super::super::location::Located;
use super::super::{Axis, RegionReader, Selection, Shared, SourceError, SourceInfo};
use super::bytes::Bytes;
use super::layout::{Layout, Steps};
use super::samples::Samples;
use super::{Array, FlatArray, FlatFormat, Offset, Packing};
use crate::volume::{Block, Region};

/// An open file whose voxels lie in a row.
pub(in super::super) struct FlatReader {
    located: Located,
    format: FlatFormat,
    array: Arc<Array>,
    samples: Samples,
    offset: u64,
    /// How far apart neighbours on each axis lie, in values.
    strides: Vec<u64>,
    bytes: Bytes,
}

impl FlatReader {
    /// # Errors
    /// [`SourceError::Damaged`] for a file that is too short for what its header says, [`SourceError::LimitsExceeded`] for one
    /// that unpacks to more than memory and scratch may hold.
    pub(super) fn new(located: &Located, flat: FlatArray, shared: &Arc<Shared>) -> Result<Self, SourceError> {
        let FlatArray { file, format, mut array, order, samples, packing, offset } = flat;
        let too_many = || format.damaged(&located.path, "more voxels than any file has");
        let mut strides = vec![0; array.shape.len()];
        let mut values = 1u64;
        for axis in order.iter().rev() {
            strides[*axis] = values;
            values = values.checked_mul(array.shape[*axis]).ok_or_else(too_many)?;
        }
        let bytes = values.checked_mul(samples.stored_bytes() as u64).ok_or_else(too_many)?;
        let offset = match offset {
            Offset::Bytes(offset) => offset,
            Offset::FromEnd => file.stamp.bytes.saturating_sub(bytes),
        };
        let needed_bytes = offset.checked_add(bytes).ok_or_else(too_many)?;
        let bytes = Bytes::new(&file, format, packing, needed_bytes, shared)?;
        array.chunk = at_once(&array, &order, packing);
        Ok(FlatReader { located: located.clone(), format, array: Arc::new(array), samples, offset, strides, bytes })
    }

    fn selected(&self, selection: &Selection) -> Result<Selected, SourceError> {
        if let Some(dataset) = &selection.dataset {
            let mistake = PlanMistake::NoDataset { dataset: dataset.clone(), format: self.format.name() };
            return Err(SourceError::mistake(&self.located.path, mistake));
        }
        let mut selected = Selected::new(Arc::clone(&self.array), (&self.located, self.format.name()), selection)?;
        if let (true, Some(channels)) = (selected.info.axes.ends_with('c'), selected.info.others.get(&'c')) {
            selected.info.channels = *channels;
        }
        Ok(selected)
    }

    /// Where a region lies in the file, and where it comes to in a target.
    fn layout(&self, selected: &Selected, region: &Region, target: &Block, (x, y, z): (i64, i64, i64)) -> Layout {
        let (width, height) = (target.size().x, target.size().y);
        let to = (z as u64 * height + y as u64) * width + x as u64;
        let ranges = selected.ranges(region);
        let from = ranges.iter().zip(&self.strides).map(|(range, stride)| range.start * stride).sum();
        let axes = ranges.iter().zip(&self.strides).zip(selected.image_axes()).map(|((range, stride), axis)| {
            let to = match axis {
                Some(Axis::X) | None => 1,
                Some(Axis::Y) => width,
                Some(Axis::Z) => width * height,
            };
            Steps { count: range.end - range.start, from: *stride, to }
        });
        Layout::new(self.samples, self.offset, (from, to), axes)
    }
}

impl RegionReader for FlatReader {
    fn info(&self, selection: &Selection) -> Result<Arc<SourceInfo>, SourceError> {
        Ok(Arc::new(self.selected(selection)?.info))
    }

    fn read_into(
        &self,
        selection: &Selection,
        region: &Region,
        target: &mut Block,
        at: (i64, i64, i64),
    ) -> Result<(), SourceError> {
        let selected = self.selected(selection)?;
        check_read(&selected.info, region, target, at)?;
        if region.is_empty() {
            return Ok(());
        }
        let layout = self.layout(&selected, region, target, at);
        self.bytes.with(|bytes| layout.read(bytes, target.as_bytes_mut()))
    }

    fn held_bytes(&self) -> u64 {
        self.bytes.held_bytes()
    }
}

/// What is read at once: a row of the axis that is stored fastest, with all its channels where they lie side by side; of a
/// packed file all of it.
fn at_once(array: &Array, order: &[usize], packing: Packing) -> Vec<u64> {
    if packing != Packing::None {
        return array.shape.clone();
    }
    let mut chunk = vec![1; array.shape.len()];
    for axis in order.iter().rev() {
        chunk[*axis] = array.shape[*axis];
        let is_channels = array.axes.as_ref().is_some_and(|axes| axes[*axis..].starts_with('c'));
        if !is_channels {
            break;
        }
    }
    chunk
}
