//! An image whose format can only be decoded as a whole.

use std::io;
use std::sync::Arc;

use super::blocks::Key;
use super::colour::chosen;
use super::error::PlanMistake;
use super::location::Located;
use super::reader::Held;
use super::whole::{Wanted, Whole};
use super::{Colour, RegionReader, Selection, Shared, SourceError, SourceInfo};
use crate::codec::{Channels, Header, ImageFormat, Pick};
use crate::volume::{Block, Region, Size};

/// Decodes one plane of a file that must still have this header to the front of a buffer that was made for it. The last is the
/// most bytes that may be taken besides.
pub(super) type Decode = fn(&Located, &Header, Option<Pick>, &mut [u8], u64) -> Result<(), SourceError>;

/// An image, one section deep, that is decoded when it is first read. Of several channels each is decoded for itself: a job
/// fills one channel of the Boss, and asks each image for the same one.
pub(super) struct DecodedImage {
    located: Located,
    format: ImageFormat,
    header: Header,
    /// What the decoder needs for the voxels.
    buffer_bytes: u64,
    decode: Decode,
    shared: Arc<Shared>,
    number: u64,
}

impl DecodedImage {
    /// An image with this header; nothing is decoded yet.
    pub fn new(
        located: &Located,
        format: ImageFormat,
        (header, buffer_bytes): (Header, u64),
        decode: Decode,
        shared: &Arc<Shared>,
    ) -> Self {
        let number = shared.blocks.file(located);
        DecodedImage { located: located.clone(), format, header, buffer_bytes, decode, shared: shared.clone(), number }
    }

    fn whole(&self, colour: Colour, is_once: bool) -> Result<Arc<Whole>, SourceError> {
        let part = match (self.header.channels, colour) {
            (Channels::Grey, _) | (_, Colour::None | Colour::Gray) => 0,
            (_, Colour::Channel(channel)) => channel + 1,
        };
        let wanted = Wanted {
            path: &self.located.path,
            key: Key { reader: self.number, part, cell: [0; 5] },
            size: self.header.size,
            dtype: self.header.dtype,
            buffer_bytes: self.buffer_bytes,
            is_once,
        };
        self.shared.whole(&wanted, |buffer| {
            (self.decode)(&self.located, &self.header, colour.pick(), buffer, self.shared.limit_bytes)
        })
    }
}

impl RegionReader for DecodedImage {
    fn info(&self, selection: &Selection) -> Result<Arc<SourceInfo>, SourceError> {
        selected_info(&self.located, self.format, &self.header, selection).map(Arc::new)
    }

    fn read_into(
        &self,
        selection: &Selection,
        region: &Region,
        target: &mut Block,
        at: (i64, i64, i64),
    ) -> Result<(), SourceError> {
        let info = self.info(selection)?;
        info.check_colour(selection.page)?;
        check_read(&info, region, target, at)?;
        let whole = self.whole(selection.colour, *region == info.region())?;
        copy_section(whole.as_bytes(), info.size, region, target, at);
        Ok(())
    }

    fn held_bytes(&self) -> u64 {
        0
    }

    fn hold(&self, selection: &Selection) -> Result<Option<Held>, SourceError> {
        self.info(selection)?.check_colour(selection.page)?;
        Ok(Some(self.whole(selection.colour, true)?))
    }
}

/// The error for a file whose header is not the one that it had when it was opened.
pub(super) fn check_header(located: &Located, now: &Header, then: &Header) -> Result<(), SourceError> {
    if now == then { Ok(()) } else { Err(changes(located)) }
}

/// The error for a file that needs another buffer than when it was opened.
pub(super) fn check_length(located: &Located, needed_bytes: u64, buffer: &[u8]) -> Result<(), SourceError> {
    if needed_bytes == buffer.len() as u64 { Ok(()) } else { Err(changes(located)) }
}

fn changes(located: &Located) -> SourceError {
    SourceError::io(&located.path, io::Error::other("the file changes while it is read"))
}

/// Copies a region of a section of the target's voxel type, one layer deep, row by row.
pub(super) fn copy_section(
    section: &[u8],
    size: Size,
    region: &Region,
    target: &mut Block,
    (x, y, z): (i64, i64, i64),
) {
    let item = target.dtype().size_bytes();
    let [from_row, to_row] = [size.x, target.size().x].map(|width| width as usize * item);
    let (from, to) = (region.x.start as usize * item, x as usize * item);
    let length = region.x.len() as usize * item;
    let first = (z as usize * target.size().y as usize + y as usize) * to_row;
    if region.is_empty() {
        return;
    }
    let source = section.chunks_exact(from_row).skip(region.y.start as usize);
    let rows = target.as_bytes_mut()[first..].chunks_exact_mut(to_row);
    for (row, source) in rows.zip(source).take(region.y.len() as usize) {
        row[to..to + length].copy_from_slice(&source[from..from + length]);
    }
}

/// Whether a region of a source can be read as it was selected: it lies inside, and no axis is left without a place.
///
/// # Panics
/// When the target has another voxel type than the source, or no room for the region there.
pub(super) fn check_read(
    info: &SourceInfo,
    region: &Region,
    target: &Block,
    at: (i64, i64, i64),
) -> Result<(), SourceError> {
    info.check_bounds(region)?;
    check_room(info, region, target, at);
    match info.others.keys().next() {
        Some(axis) => Err(SourceError::mistake(&info.path, PlanMistake::Select { axis: *axis })),
        None => Ok(()),
    }
}

fn check_room(info: &SourceInfo, region: &Region, target: &Block, (x, y, z): (i64, i64, i64)) {
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
