//! An image whose format can only be decoded as a whole: it is kept decoded.

use std::sync::Arc;

use super::colour::chosen;
use super::error::PlanMistake;
use super::location::Located;
use super::{Colour, RegionReader, Selection, SourceError, SourceInfo};
use crate::codec::{CodecError, Header, ImageFormat};
use crate::volume::{Block, Region};

/// A decoded grey image, one section deep.
pub(super) struct DecodedImage {
    info: Arc<SourceInfo>,
    block: Block,
}

impl DecodedImage {
    /// Takes what a decoder gave for a file.
    pub fn new(
        located: &Located,
        format: ImageFormat,
        decoded: Result<(Header, Block), CodecError>,
    ) -> Result<Self, SourceError> {
        let (header, block) = decoded.map_err(|error| SourceError::codec(&located.path, error))?;
        Ok(DecodedImage { info: Arc::new(flat_info(located, format, &header)), block })
    }
}

impl RegionReader for DecodedImage {
    fn info(&self, selection: &Selection) -> Result<Arc<SourceInfo>, SourceError> {
        check_selection(&self.info, selection)?;
        check_channel(&self.info, selection)?;
        Ok(Arc::clone(&self.info))
    }

    fn read_into(
        &self,
        selection: &Selection,
        region: &Region,
        target: &mut Block,
        at: (i64, i64, i64),
    ) -> Result<(), SourceError> {
        self.info(selection)?.check_bounds(region)?;
        check_room(&self.info, region, target, at);
        copy_section(&self.block, region, target, at);
        Ok(())
    }

    fn held_bytes(&self) -> u64 {
        self.block.as_bytes().len() as u64
    }
}

/// Copies a region of a section that is one layer deep, row by row.
pub(super) fn copy_section(section: &Block, region: &Region, target: &mut Block, (x, y, z): (i64, i64, i64)) {
    let item = section.dtype().size_bytes();
    let [from_row, to_row] = [section.size().x, target.size().x].map(|width| width as usize * item);
    let (from, to) = (region.x.start as usize * item, x as usize * item);
    let length = region.x.len() as usize * item;
    let first = (z as usize * target.size().y as usize + y as usize) * to_row;
    if region.is_empty() {
        return;
    }
    let source = section.as_bytes().chunks_exact(from_row).skip(region.y.start as usize);
    let rows = target.as_bytes_mut()[first..].chunks_exact_mut(to_row);
    for (row, source) in rows.zip(source).take(region.y.len() as usize) {
        row[to..to + length].copy_from_slice(&source[from..from + length]);
    }
}

/// # Panics
/// When the target has another voxel type than the source, or no room for the region there.
pub(super) fn check_room(info: &SourceInfo, region: &Region, target: &Block, (x, y, z): (i64, i64, i64)) {
    assert_eq!(info.dtype, target.dtype(), "the target has the source's voxel type");
    let place = Region::of_size(region.size()).shift(x, y, z);
    assert!(Region::of_size(target.size()).covers(&place), "the target has room for {region} at {place}");
}

/// What a file of one image is, with nothing selected but some channel where it has several.
pub(super) fn flat_info(located: &Located, format: ImageFormat, header: &Header) -> SourceInfo {
    let channels = u64::from(header.channels.count());
    SourceInfo {
        channels,
        decoded_channels: channels,
        file_bytes: located.stamp.bytes,
        is_plain: header.is_plain,
        ..SourceInfo::new(&located.path, format.name(), header.size, header.dtype)
    }
}

/// What a selection leaves of a file of one image.
pub(super) fn selected_info(
    located: &Located,
    format: ImageFormat,
    header: &Header,
    selection: &Selection,
) -> Result<SourceInfo, SourceError> {
    let info = flat_info(located, format, header);
    check_selection(&info, selection)?;
    chosen(info, header.channels, selection.colour)
}

/// A grey image has channel 0.
fn check_channel(info: &SourceInfo, selection: &Selection) -> Result<(), SourceError> {
    match selection.colour {
        Colour::Channel(channel) if channel > 0 => {
            Err(SourceError::mistake(&info.path, PlanMistake::NoSuchChannel { channel, channels: 1 }))
        }
        _ => Ok(()),
    }
}

/// A single image has page 0, level 0, no name and no other axes. Its channels are looked at elsewhere.
pub(super) fn check_selection(info: &SourceInfo, selection: &Selection) -> Result<(), SourceError> {
    if let Some(axis) = selection.select.keys().next() {
        return Err(SourceError::mistake(&info.path, PlanMistake::Select { axis: *axis }));
    }
    if let Some(dataset) = &selection.dataset {
        let mistake = PlanMistake::NoDataset { dataset: dataset.clone(), format: info.format };
        return Err(SourceError::mistake(&info.path, mistake));
    }
    if let Some(level @ 1..) = selection.level {
        return Err(SourceError::mistake(&info.path, PlanMistake::NoSuchLevel { level, levels: 1 }));
    }
    match selection.page {
        Some(page) if page >= info.pages => {
            Err(SourceError::mistake(&info.path, PlanMistake::NoSuchPage { page, pages: info.pages }))
        }
        _ => Ok(()),
    }
}
