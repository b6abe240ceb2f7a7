//! TIFF files, read by region.
//!
//! **Reads** grey pages of 1, 2, 4, 8, 16, 32 and 64 bits, unsigned, signed and float; strips and tiles; uncompressed, LZW,
//! Deflate, PackBits, Zstandard and JPEG, with either predictor; both byte orders; BigTIFF. Samples below 8 bits are spread
//! over the full scale. Where the file says that white is 0 (`WhiteIsZero`), unsigned values are turned round, so that larger
//! is always brighter, as viewers show it; for other sample types this is refused. The orientation tag is not looked at:
//! the first stored row is y 0.
//! Of pages with several samples per voxel, chunky or planar, 8 bits and more, the channel that is picked, or their grey
//! ([`super::Pick`]); the YCbCr of JPEG becomes RGB first.
//! **Refuses** palettes, half floats, fax compressions, sparse files, white as 0 in several samples, and ImageJ's files above
//! 4 GB, which hide all sections but the first. Also RGB with samples behind it that are no alpha, chunky and not LZW.
//! **Regions**: only the strips or tiles that a region touches are read and decoded; of planar pages those of the picked
//! channel.
//! **Checks** that compressed data is as long as it must be; TIFF has no checksum, so changed bits may pass unnoticed.
//!
//! Specification: TIFF 6.0, <https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf>.

use std::io::{Cursor, Read, Seek, SeekFrom};

use ::tiff::decoder::{Decoder, Limits};
use ::tiff::tags::Tag;

use super::colour::Mix;
use super::tiff_chunk::Place;
pub use super::tiff_page::Page;
use super::tiff_page::{FORMAT, current_page, damaged};
use super::{CodecError, Feature, Pick, memory};
use crate::volume::{Block, Region, Span};

/// An open TIFF file, standing at one page.
pub struct TiffFile<R: Read + Seek> {
    pub(super) decoder: Decoder<R>,
    page: u64,
    is_big: bool,
    pub(super) limit_bytes: u64,
    /// Offset and length of the page's strips or tiles, where we had to ask for them.
    pub(super) chunks: Option<Vec<(u64, u64)>>,
}

impl<R: Read + Seek> TiffFile<R> {
    /// Opens a file at its first page. No strip or tile above `limit_bytes` will be decoded.
    ///
    /// # Errors
    /// [`CodecError::Damaged`], [`CodecError::NotSupported`] and [`CodecError::Unreadable`].
    pub fn open(mut stream: R, limit_bytes: u64) -> Result<Self, CodecError> {
        let mut magic = [0; 4];
        let first = stream.read_exact(&mut magic).and_then(|()| stream.seek(SeekFrom::Start(0)));
        first.map_err(|error| CodecError::io(FORMAT, error))?;
        let is_big = magic[2..].contains(&43);
        let mut limits = Limits::default();
        limits.decoding_buffer_size = usize::try_from(limit_bytes).unwrap_or(usize::MAX);
        limits.intermediate_buffer_size = limits.decoding_buffer_size;
        let decoder = Decoder::new(stream).map_err(damaged)?.with_limits(limits);
        Ok(TiffFile { decoder, page: 0, is_big, limit_bytes, chunks: None })
    }

    /// What the page says that the file stands at: after opening, the first.
    pub fn page(&mut self) -> Result<Page, CodecError> {
        current_page(&mut self.decoder, self.is_big)?.map_err(|feature| CodecError::unsupported(FORMAT, feature))
    }

    /// Walks over all pages. Those that are sound but not for us are errors of their own.
    ///
    /// # Errors
    /// [`CodecError::Damaged`] when the chain of pages is broken, [`CodecError::NotSupported`] when sections lie behind the
    /// only page.
    pub fn pages(&mut self) -> Result<Vec<Result<Page, Feature>>, CodecError> {
        self.go_to(0)?;
        let mut pages = vec![current_page(&mut self.decoder, self.is_big)?];
        while self.decoder.more_images() {
            self.decoder.next_image().map_err(damaged)?;
            self.page += 1;
            self.chunks = None;
            pages.push(current_page(&mut self.decoder, self.is_big)?);
        }
        match self.hidden_sections() {
            Some(count) if pages.len() == 1 && count > 1 => {
                Err(CodecError::unsupported(FORMAT, Feature::HiddenSections(count)))
            }
            _ => Ok(pages),
        }
    }

    /// Decodes `region` of page `index` into `target`, its first voxel at `(x, y, z)`. The region lies inside the page (its
    /// z is not looked at) and the target; the target has the page's voxel type. Nothing needs to be picked of a grey page.
    ///
    /// # Errors
    /// [`CodecError::Damaged`], [`CodecError::Unreadable`], [`CodecError::NotSupported`] for what cannot be picked, and
    /// [`CodecError::LimitsExceeded`] for too large a strip or tile.
    pub fn read_into(
        &mut self,
        (index, page): (u64, &Page),
        pick: Option<Pick>,
        region: &Region,
        target: &mut Block,
        (x, y, z): (i64, i64, i64),
    ) -> Result<(), CodecError> {
        let mix = page.header.channels.mix(FORMAT, pick)?;
        self.go_to(index)?;
        let shift = (x - region.x.start, y - region.y.start, z);
        let plane = match mix {
            Some(Mix::One(channel)) if page.is_planar => (channel as u64).saturating_mul(page.chunks_per_plane()),
            _ => 0,
        };
        let across = page.header.size.x.div_ceil(page.block.x);
        for row in touched(region.y, page.block.y) {
            for column in touched(region.x, page.block.x) {
                let number = u32::try_from(plane.saturating_add(row * across + column));
                let number = number.map_err(|error| CodecError::damaged(FORMAT, error))?;
                let box_x = Span::step(column as i64, page.block.x);
                let box_y = Span::step(row as i64, page.block.y);
                let whole = Region::new(box_x, box_y, Span::one(0)).intersect(&Region::of_size(page.header.size));
                let part = whole.intersect(&Region::new(region.x, region.y, Span::one(0)));
                self.read_chunk(number, (page, mix), &Place { whole, part, shift }, target)?;
            }
        }
        Ok(())
    }

    fn go_to(&mut self, page: u64) -> Result<(), CodecError> {
        if page != self.page {
            let index = usize::try_from(page).map_err(|error| CodecError::damaged(FORMAT, error))?;
            self.decoder.seek_to_image(index).map_err(damaged)?;
            self.page = page;
            self.chunks = None;
        }
        Ok(())
    }

    /// The number of images that ImageJ notes in the description.
    fn hidden_sections(&mut self) -> Option<u64> {
        let text = self.decoder.get_tag_ascii_string(Tag::ImageDescription).ok()?;
        text.strip_prefix("ImageJ=")?.lines().find_map(|line| line.strip_prefix("images=")?.trim().parse().ok())
    }
}

/// Reads what the first page's header says; no voxels.
pub fn header<R: Read + Seek>(stream: R) -> Result<Page, CodecError> {
    TiffFile::open(stream, u64::MAX)?.page()
}

/// Decodes the first page of a file in memory.
pub(super) fn decode(bytes: &[u8], limit_bytes: u64) -> Result<Block, CodecError> {
    let mut file = TiffFile::open(Cursor::new(bytes), limit_bytes)?;
    let page = file.page()?;
    page.header.channels.mix(FORMAT, None)?;
    let voxels = memory::zeros(FORMAT, page.header.decoded_bytes(), limit_bytes)?;
    let mut block = Block::from_bytes(page.header.dtype, page.header.size, voxels).expect("made for this size");
    file.read_into((0, &page), None, &Region::of_size(page.header.size), &mut block, (0, 0, 0))?;
    Ok(block)
}

/// The numbers of the steps of `step` voxels that `span` touches; the span is not empty and not below zero.
fn touched(span: Span, step: u64) -> std::ops::Range<u64> {
    span.start as u64 / step..(span.stop as u64).div_ceil(step)
}
