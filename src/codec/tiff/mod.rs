//! TIFF files, read by region.
//!
//! **Reads** grey pages of 1, 2, 4, 8 to 16, 32 and 64 bits, unsigned, signed and float (half floats become `float32`); strips
//! and tiles; uncompressed, LZW, Deflate, PackBits, Zstandard and JPEG, with either predictor; both byte orders and orders of
//! bits; BigTIFF; files whose strips or tiles are left out where all is 0. Samples below 8 bits are spread over the full
//! scale, those of 9 to 15 are kept as they are. Where the file says that white is 0 (`WhiteIsZero`), unsigned values are
//! turned round, so that larger is always brighter, as viewers show it; for other sample types this is refused. The
//! orientation tag is not looked at: the first stored row is y 0.
//! Of pages with several samples per voxel, chunky or planar, 8 bits and more, the channel that is picked, or their grey
//! ([`super::Pick`]); the YCbCr of JPEG becomes RGB first.
//! **Refuses** palettes, fax, LZMA, WebP, JPEG 2000, LERC and the JPEG of TIFF 6.0, and white as 0 in several samples.
//! **Regions**: only the strips or tiles that a region touches are read and decoded; of planar pages those of the picked
//! channel; of uncompressed ones the rows that are wanted.
//! **Checks** that compressed data is as long as it must be; only Deflate has a checksum, so changed bits may pass unnoticed.
//!
//! Specification: TIFF 6.0, <https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf>.

mod chunk;
mod directory;
mod imagej;
mod jpeg;
mod lzw;
mod packed;
mod page;
mod predictor;

use std::collections::HashSet;
use std::io::{Cursor, Read, Seek};

pub use self::chunk::Rows;
use self::directory::{Directory, Layout, Window};
pub use self::imagej::ImageJ;
pub use self::page::{Cell, Page};
use super::{CodecError, Feature, Pick, memory};
use crate::volume::{Block, Region};

const FORMAT: &str = "tiff";

/// Of rows that lie further apart than so many bytes, each is read by itself.
const LARGEST_GAP: u64 = 4 << 10;

/// Of others so many bytes are read at once, or a row.
const BATCH_BYTES: u64 = 1 << 20;

/// Tags that are looked at here, by their numbers.
mod tag {
    pub const IMAGE_DESCRIPTION: u16 = 270;
    pub const STRIP_OFFSETS: u16 = 273;
    pub const STRIP_BYTE_COUNTS: u16 = 279;
    pub const TILE_OFFSETS: u16 = 324;
    pub const TILE_BYTE_COUNTS: u16 = 325;
    pub const SUB_IFDS: u16 = 330;
}

/// An open TIFF file.
pub struct TiffFile<R> {
    window: Window<R>,
    layout: Layout,
    first: u64,
}

/// Where the directory of a page lies, and which of the [`Pages::kinds`] it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub directory: u64,
    kind: u32,
}

/// The pages of a file. What they say is kept once for those that are alike.
#[derive(Debug, Default)]
pub struct Pages {
    places: Vec<Place>,
    kinds: Vec<Result<Page, Feature>>,
}

/// Where the strips or tiles of a page lie: position and length in bytes, 0 for those that are left out.
pub type Chunks = Vec<(u64, u64)>;

impl<R: Read + Seek> TiffFile<R> {
    /// # Errors
    /// [`CodecError::Damaged`] for no TIFF file, [`CodecError::Unreadable`].
    pub fn open(stream: R) -> Result<Self, CodecError> {
        let mut window = Window::new(stream).map_err(|error| CodecError::io(FORMAT, error))?;
        let (layout, first) = Layout::open(&mut window)?;
        Ok(TiffFile { window, layout, first })
    }

    /// Bytes of the file.
    pub fn length(&self) -> u64 {
        self.window.length
    }

    /// Where the first page's directory lies.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// Walks over all pages. The inner errors are pages that are sound but not for us.
    ///
    /// # Errors
    /// [`CodecError::Damaged`] when the chain of pages is broken.
    pub fn pages(&mut self) -> Result<Pages, CodecError> {
        let (mut pages, mut seen, mut at) = (Pages::default(), HashSet::new(), self.first);
        while at != 0 {
            if !seen.insert(at) {
                return Err(CodecError::damaged(FORMAT, "the chain of pages runs in a circle"));
            }
            let directory = self.directory(at)?;
            let kind = Page::read(self.layout, &mut self.window, &directory)?;
            pages.push(at, kind);
            at = directory.next;
        }
        if pages.places.is_empty() {
            return Err(CodecError::damaged(FORMAT, "the file has no page"));
        }
        Ok(pages)
    }

    /// The page whose directory lies at a position, and where its strips or tiles are.
    ///
    /// # Errors
    /// [`CodecError::NotSupported`] for a page that is not for us.
    pub fn page(&mut self, at: u64) -> Result<(Page, Chunks), CodecError> {
        let directory = self.directory(at)?;
        let page = Page::read(self.layout, &mut self.window, &directory)?;
        let page = page.map_err(|feature| CodecError::unsupported(FORMAT, feature))?;
        let chunks = self.chunks(&directory, Some(page.chunks()))?;
        Ok((page, chunks))
    }

    /// Where the directories lie that a page has below it, as pyramids keep their coarser levels.
    pub fn children(&mut self, at: u64) -> Result<Vec<u64>, CodecError> {
        let directory = self.directory(at)?;
        self.layout.numbers(&mut self.window, &directory, tag::SUB_IFDS)
    }

    /// The text that describes a page; empty where there is none.
    pub fn description(&mut self, at: u64) -> Result<String, CodecError> {
        let directory = self.directory(at)?;
        let bytes = self.layout.bytes(&mut self.window, &directory, tag::IMAGE_DESCRIPTION)?.unwrap_or_default();
        Ok(String::from_utf8_lossy(&bytes).trim_end_matches('\0').to_owned())
    }

    /// The bytes of a strip or tile as the file holds them; none for one that is left out.
    ///
    /// # Errors
    /// [`CodecError::LimitsExceeded`] for more than `limit_bytes`.
    pub fn read_chunk(&mut self, (at, count): (u64, u64), limit_bytes: u64) -> Result<Vec<u8>, CodecError> {
        if count > limit_bytes {
            return Err(CodecError::LimitsExceeded { format: FORMAT, needed_bytes: count, limit_bytes });
        }
        if at.checked_add(count).is_none_or(|end| end > self.length()) {
            return Err(CodecError::damaged(FORMAT, "the file ends before a strip or tile does"));
        }
        let mut bytes = vec![0; count as usize];
        self.window.read_apart(at, &mut bytes)?;
        Ok(bytes)
    }

    /// Reads the wanted part of a cell whose page [has rows](Page::has_rows), which lies at `at`.
    ///
    /// # Errors
    /// [`CodecError::Damaged`] where the strip or tile or the file is too short, [`CodecError::Unreadable`].
    pub fn read_rows(
        &mut self,
        page: &Page,
        (at, stored_bytes): (u64, u64),
        cell: &Cell,
        mut rows: Rows<'_>,
    ) -> Result<(), CodecError> {
        let item = page.header.dtype.size_bytes() as u64;
        let (count, length) = (cell.part.y.len(), cell.part.x.len() * item);
        let stored_row = page.stored_row();
        let skipped = (cell.part.y.start - cell.whole.y.start) as u64 * stored_row;
        let first = skipped + (cell.part.x.start - cell.whole.x.start) as u64 * item;
        if stored_bytes == 0 {
            rows.each(count as usize, length as usize).for_each(|row| row.fill(0));
        } else if first + (count - 1) * stored_row + length > stored_bytes {
            return Err(CodecError::damaged(FORMAT, "a strip or tile is too short"));
        } else if let (true, Some(joined)) = (stored_row == length, rows.joined(count as usize, length as usize)) {
            self.window.read_apart(at + first, joined)?;
        } else if stored_row - length > LARGEST_GAP {
            for (row, n) in rows.each(count as usize, length as usize).zip(0..) {
                self.window.read_apart(at + first + n * stored_row, row)?;
            }
        } else {
            let batch = (BATCH_BYTES / stored_row).max(1) as usize;
            let mut wanted = rows.each(count as usize, length as usize).peekable();
            let (mut from, mut left) = (at + first, count as usize);
            let mut stored = Vec::new();
            while left > 0 {
                let taken = left.min(batch);
                stored.resize((taken - 1) * stored_row as usize + length as usize, 0);
                self.window.read_apart(from, &mut stored)?;
                for (row, stored) in wanted.by_ref().take(taken).zip(stored.chunks(stored_row as usize)) {
                    row.copy_from_slice(&stored[..length as usize]);
                }
                from += taken as u64 * stored_row;
                left -= taken;
            }
        }
        if page.needs_finish() {
            rows.each(count as usize, length as usize).for_each(|row| page.finish_row(row));
        }
        Ok(())
    }

    /// Whether all strips and tiles of all pages lie inside the file.
    pub(super) fn is_whole(&mut self) -> Result<bool, CodecError> {
        let places = self.pages()?.places;
        for place in &places {
            let directory = self.directory(place.directory)?;
            let chunks = self.chunks(&directory, None)?;
            if chunks.iter().any(|(at, count)| at.saturating_add(*count) > self.length()) {
                return Ok(false);
            }
        }
        let Some(sections) = ImageJ::parse(&self.description(self.first)?) else { return Ok(true) };
        if places.len() > 1 || sections.images <= 1 {
            return Ok(true);
        }
        match self.page(self.first) {
            // One section with a text from elsewhere is whole as well.
            Ok((page, chunks)) => {
                let held = page.sections_behind(&chunks, self.length());
                Ok(held <= 1 || held >= sections.images)
            }
            Err(CodecError::NotSupported { .. }) => Ok(true),
            Err(error) => Err(error),
        }
    }

    fn directory(&mut self, at: u64) -> Result<Directory, CodecError> {
        self.layout.directory(&mut self.window, at)
    }

    /// `expected` tells how many there must be.
    fn chunks(&mut self, directory: &Directory, expected: Option<u64>) -> Result<Chunks, CodecError> {
        let mut offsets = self.layout.numbers(&mut self.window, directory, tag::TILE_OFFSETS)?;
        let mut counts = self.layout.numbers(&mut self.window, directory, tag::TILE_BYTE_COUNTS)?;
        if offsets.is_empty() {
            offsets = self.layout.numbers(&mut self.window, directory, tag::STRIP_OFFSETS)?;
            counts = self.layout.numbers(&mut self.window, directory, tag::STRIP_BYTE_COUNTS)?;
        }
        // A lone strip without a length is an old writer's carelessness: it goes on to the end of the file at most.
        if let ([at], [] | [0]) = (&offsets[..], &counts[..])
            && *at > 0
        {
            counts = vec![self.length().saturating_sub(*at)];
        }
        let least = expected.unwrap_or(offsets.len() as u64);
        if (offsets.len() as u64) < least || counts.len() < offsets.len() {
            return Err(CodecError::damaged(FORMAT, "the positions or lengths of some strips or tiles are lacking"));
        }
        let sparse = |(at, count)| if at == 0 || count == 0 { (0, 0) } else { (at, count) };
        Ok(offsets.into_iter().zip(counts).map(sparse).collect())
    }
}

impl Pages {
    fn push(&mut self, directory: u64, page: Result<Page, Feature>) {
        // Pages are mostly like the one before; a file that mixes many kinds keeps some twice.
        const LOOK_BACK: usize = 16;
        let first = self.kinds.len().saturating_sub(LOOK_BACK);
        let kind = match self.kinds[first..].iter().rposition(|kind| *kind == page) {
            Some(found) => first + found,
            None => {
                self.kinds.push(page);
                self.kinds.len() - 1
            }
        };
        self.places.push(Place { directory, kind: kind as u32 });
    }

    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// Whether two pages say the same.
    pub fn is_same(&self, one: Place, other: Place) -> bool {
        one.kind == other.kind
    }

    /// What a page says.
    pub fn kind(&self, place: Place) -> &Result<Page, Feature> {
        &self.kinds[place.kind as usize]
    }

    /// About what all of it takes in memory.
    pub fn held_bytes(&self) -> usize {
        size_of_val(&self.places[..]) + size_of_val(&self.kinds[..])
    }
}

/// Decodes the first page of a file in memory.
pub(super) fn decode(bytes: &[u8], limit_bytes: u64) -> Result<Block, CodecError> {
    let mut file = TiffFile::open(Cursor::new(bytes))?;
    let (page, chunks) = file.page(file.first)?;
    let pick: Option<Pick> = None;
    page.header.channels.mix(FORMAT, pick)?;
    let voxels = memory::zeros(FORMAT, page.header.decoded_bytes(), limit_bytes)?;
    let mut block = Block::from_bytes(page.header.dtype, page.header.size, voxels).expect("made for this size");
    for cell in page.cells(&Region::of_size(page.header.size)) {
        let packed = page.parts(&cell, pick, &chunks)?;
        let packed =
            packed.into_iter().map(|part| file.read_chunk(part, limit_bytes)).collect::<Result<Vec<_>, _>>()?;
        let rows = Rows::of(&mut block, cell.whole, (0, 0, 0));
        page.decode(&packed, pick, cell.whole.size(), rows, limit_bytes)?;
    }
    Ok(block)
}
