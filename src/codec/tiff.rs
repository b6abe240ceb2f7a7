//! TIFF files, read by region.
//!
//! **Reads** grey pages of 1, 2, 4, 8, 16, 32 and 64 bits, unsigned, signed and float; strips and tiles; uncompressed, LZW,
//! Deflate, PackBits, Zstandard and JPEG, with either predictor; both byte orders; BigTIFF. Samples below 8 bits are spread
//! over the full scale. Where the file says that white is 0 (`WhiteIsZero`), unsigned values are turned round, so that larger
//! is always brighter, as viewers show it; for other sample types this is refused. The orientation tag is not looked at:
//! the first stored row is y 0.
//! **Refuses** palettes, several samples per voxel, half floats, fax compressions, sparse files, and ImageJ's files above 4 GB,
//! which hide all sections but the first.
//! **Regions**: only the strips or tiles that a region touches are read and decoded.
//! **Checks** that compressed data is as long as it must be; TIFF has no checksum, so changed bits may pass unnoticed.
//!
//! Specification: TIFF 6.0, <https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf>.

use std::io::{Cursor, Read, Seek, SeekFrom};

use ::tiff::decoder::{ChunkType, Decoder, Limits};
use ::tiff::tags::Tag;

use super::samples::{expand_row, native_to_little, packed_row_bytes};
pub use super::tiff_page::Page;
use super::tiff_page::{FORMAT, current_page, damaged};
use super::{CodecError, Feature, memory};
use crate::volume::{Block, Region, Size, Span};

/// An open TIFF file, standing at one page.
pub struct TiffFile<R: Read + Seek> {
    decoder: Decoder<R>,
    page: u64,
    is_big: bool,
    limit_bytes: u64,
    /// Offset and length of the page's strips or tiles, where we had to ask for them.
    chunks: Option<Vec<(u64, u64)>>,
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
    /// z is not looked at) and the target; the target has the page's voxel type.
    ///
    /// # Errors
    /// [`CodecError::Damaged`], [`CodecError::Unreadable`], and [`CodecError::LimitsExceeded`] for too large a strip or tile.
    pub fn read_into(
        &mut self,
        (index, page): (u64, &Page),
        region: &Region,
        target: &mut Block,
        (x, y, z): (i64, i64, i64),
    ) -> Result<(), CodecError> {
        self.go_to(index)?;
        let shift = (x - region.x.start, y - region.y.start);
        let across = page.header.size.x.div_ceil(page.block.x);
        for row in touched(region.y, page.block.y) {
            for column in touched(region.x, page.block.x) {
                let number =
                    u32::try_from(row * across + column).map_err(|error| CodecError::damaged(FORMAT, error))?;
                let box_x = Span::step(column as i64, page.block.x);
                let box_y = Span::step(row as i64, page.block.y);
                let whole = Region::new(box_x, box_y, Span::one(0)).intersect(&Region::of_size(page.header.size));
                let part = whole.intersect(&Region::new(region.x, region.y, Span::one(0)));
                self.read_chunk(number, page, &whole, &part, target, (shift.0, shift.1, z))?;
            }
        }
        Ok(())
    }

    /// Decodes one strip or tile, which holds the voxels `whole`, and copies `part` of it, moved by `shift`.
    fn read_chunk(
        &mut self,
        number: u32,
        page: &Page,
        whole: &Region,
        part: &Region,
        target: &mut Block,
        (shift_x, shift_y, z): (i64, i64, i64),
    ) -> Result<(), CodecError> {
        let item = page.header.dtype.size_bytes();
        let row_bytes = target.size().x as usize * item;
        let first = ((z as usize * target.size().y as usize) + (part.y.start + shift_y) as usize) * row_bytes;
        if part == whole && page.bits >= 8 && whole.x.len() == target.size().x {
            // The rows of a strip as wide as the target lie there as they are in the file.
            let rows = &mut target.as_bytes_mut()[first..first + part.y.len() as usize * row_bytes];
            return self.decode(number, page, whole.size(), rows);
        }
        let chunk = self.decode_apart(number, page, whole.size())?;
        let chunk_row = whole.x.len() as usize * item;
        let from = (part.x.start - whole.x.start) as usize * item;
        let to = (part.x.start + shift_x) as usize * item;
        let length = part.x.len() as usize * item;
        let skipped = (part.y.start - whole.y.start) as usize;
        let rows = target.as_bytes_mut()[first..].chunks_mut(row_bytes).take(part.y.len() as usize);
        for (row, source) in rows.zip(chunk.chunks(chunk_row).skip(skipped)) {
            row[to..to + length].copy_from_slice(&source[from..from + length]);
        }
        Ok(())
    }

    /// Decodes a strip or tile of `size` into its own memory, one voxel after the other.
    fn decode_apart(&mut self, number: u32, page: &Page, size: Size) -> Result<Vec<u8>, CodecError> {
        let voxel_bytes = size.voxels().saturating_mul(page.header.dtype.size_bytes() as u64);
        let mut voxels = memory::zeros(FORMAT, voxel_bytes, self.limit_bytes)?;
        if page.bits >= 8 {
            self.decode(number, page, size, &mut voxels)?;
            return Ok(voxels);
        }
        let row_bytes = packed_row_bytes(size.x, page.bits);
        let mut packed = memory::zeros(FORMAT, row_bytes.saturating_mul(size.y), self.limit_bytes)?;
        self.decode(number, page, size, &mut packed)?;
        for (row, packed) in voxels.chunks_mut(size.x as usize).zip(packed.chunks(row_bytes as usize)) {
            expand_row(packed, page.bits, row);
        }
        Ok(voxels)
    }

    /// Decodes a strip or tile into the `size` samples of `target`, row by row, little-endian; packed below 8 bits.
    fn decode(&mut self, number: u32, page: &Page, size: Size, target: &mut [u8]) -> Result<(), CodecError> {
        if let Some(layout) = &page.lzw {
            let compressed = self.compressed(number)?;
            return layout.decode(&compressed, page.bits, size, target, self.limit_bytes);
        }
        self.decoder.read_chunk_bytes(number, target).map_err(damaged)?;
        if page.bits >= 8 {
            native_to_little(target, page.header.dtype.size_bytes());
        }
        Ok(())
    }

    /// The bytes of a strip or tile as the file holds them.
    fn compressed(&mut self, number: u32) -> Result<Vec<u8>, CodecError> {
        if self.chunks.is_none() {
            let tags = match self.decoder.get_chunk_type() {
                ChunkType::Strip => (Tag::StripOffsets, Tag::StripByteCounts),
                ChunkType::Tile => (Tag::TileOffsets, Tag::TileByteCounts),
            };
            let offsets = self.decoder.get_tag_u64_vec(tags.0).map_err(damaged)?;
            let lengths = self.decoder.get_tag_u64_vec(tags.1).map_err(damaged)?;
            self.chunks = Some(offsets.into_iter().zip(lengths).collect());
        }
        let place = self.chunks.as_ref().and_then(|chunks| chunks.get(number as usize)).copied();
        let (offset, length) = place.ok_or_else(|| CodecError::damaged(FORMAT, "a strip or tile is not there"))?;
        let stream = self.decoder.inner();
        let mut bytes = Vec::new();
        let read = stream.seek(SeekFrom::Start(offset)).and_then(|_| stream.take(length).read_to_end(&mut bytes));
        read.map_err(|error| CodecError::io(FORMAT, error))?;
        Ok(bytes)
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
    let voxels = memory::zeros(FORMAT, page.header.decoded_bytes(), limit_bytes)?;
    let mut block = Block::from_bytes(page.header.dtype, page.header.size, voxels).expect("made for this size");
    file.read_into((0, &page), &Region::of_size(page.header.size), &mut block, (0, 0, 0))?;
    Ok(block)
}

/// The numbers of the steps of `step` voxels that `span` touches; the span is not empty and not below zero.
fn touched(span: Span, step: u64) -> std::ops::Range<u64> {
    span.start as u64 / step..(span.stop as u64).div_ceil(step)
}
