//! A region of some pages of a TIFF file, strip by strip or tile by tile.

use std::ops::Range;
use std::sync::Arc;

use super::files::{Files, Plane};
use crate::codec::tiff::{Cell, Page, Rows};
use crate::codec::{CodecError, Pick};
use crate::source::blocks::{Blocks, Key};
use crate::source::decoded::copy_section;
use crate::source::{SourceError, parallel};
use crate::volume::{Block, Region, Span};

/// What is wanted of each page.
pub(super) struct Wanted<'a> {
    pub files: &'a Files,
    pub blocks: &'a Blocks,
    /// The reader's, for the blocks' keys.
    pub number: u64,
    /// What all pages are like, but for their strips or tiles.
    pub page: &'a Page,
    pub pick: Option<Pick>,
}

/// A strip or tile.
enum Got {
    /// As the file holds it.
    Packed(Vec<Vec<u8>>),
    Decoded(Arc<Block>),
}

impl Wanted<'_> {
    /// Reads a region of pages, one layer each, into `target`. Pages are told by number and level.
    pub fn read(
        &self,
        pages: &[(u64, u64)],
        region: &Region,
        target: &mut Block,
        (x, y, z): (i64, i64, i64),
    ) -> Result<(), SourceError> {
        let width = self.files.located.width();
        let shift = (x - region.x.start, y - region.y.start);
        for (pages, first) in pages.chunks(width).zip((z..).step_by(width)) {
            let planes = parallel::each(pages, width, |(page, level)| self.files.plane(*page, *level, self.page))?;
            if width == 1 && planes[0].page.has_rows(self.pick) {
                self.read_rows(&planes[0], region, target, (shift.0, shift.1, first))?;
                continue;
            }
            let cells = |(plane, layer): (Arc<Plane>, i64)| {
                plane.page.cells(region).map(move |cell| (Arc::clone(&plane), cell, layer))
            };
            let mut cells = planes.into_iter().zip(first..).flat_map(cells);
            loop {
                let batch: Vec<_> = cells.by_ref().take(width).collect();
                if batch.is_empty() {
                    break;
                }
                let got = parallel::each(&batch, width, |(plane, cell, _)| self.fetch(plane, cell))?;
                for ((plane, cell, layer), got) in batch.iter().zip(got) {
                    self.put(plane, cell, got, target, (shift.0, shift.1, *layer))?;
                }
            }
        }
        Ok(())
    }

    /// Gets a strip or tile; those of which only a part is wanted are kept for those who want the rest.
    fn fetch(&self, plane: &Plane, cell: &Cell) -> Result<Got, SourceError> {
        if cell.part == cell.whole {
            return self.packed(plane, cell).map(Got::Packed);
        }
        let channel = match self.pick {
            None => 0,
            Some(Pick::Gray) => u64::MAX,
            Some(Pick::Channel(channel)) => channel.saturating_add(1),
        };
        let key = Key { reader: self.number, part: plane.number, cell: [cell.column, cell.row, channel, 0, 0] };
        let block = self.blocks.get(&key, || {
            let packed = self.packed(plane, cell)?;
            let block = plane.page.decode_apart(&packed, self.pick, cell.whole.size(), self.files.limit_bytes);
            block.map_err(|error| self.codec(error))
        });
        block.map(Got::Decoded)
    }

    fn packed(&self, plane: &Plane, cell: &Cell) -> Result<Vec<Vec<u8>>, SourceError> {
        let parts = plane.page.parts(cell, self.pick, &plane.chunks).map_err(|error| self.codec(error))?;
        self.files.with(|file| parts.into_iter().map(|part| file.read_chunk(part, self.files.limit_bytes)).collect())
    }

    fn put(
        &self,
        plane: &Plane,
        cell: &Cell,
        got: Got,
        target: &mut Block,
        shift: (i64, i64, i64),
    ) -> Result<(), SourceError> {
        match got {
            Got::Packed(packed) => {
                let rows = Rows::of(target, cell.whole, shift);
                let decoded = plane.page.decode(&packed, self.pick, cell.whole.size(), rows, self.files.limit_bytes);
                decoded.map_err(|error| self.codec(error))
            }
            Got::Decoded(block) => {
                let Cell { whole, part, .. } = cell;
                let at = (part.x.start + shift.0, part.y.start + shift.1, shift.2);
                copy_section(
                    block.as_bytes(),
                    block.size(),
                    &part.shift(-whole.x.start, -whole.y.start, 0),
                    target,
                    at,
                );
                Ok(())
            }
        }
    }

    /// Reads voxels that lie in the file as they are.
    fn read_rows(
        &self,
        plane: &Plane,
        region: &Region,
        target: &mut Block,
        shift: (i64, i64, i64),
    ) -> Result<(), SourceError> {
        self.files.with(|file| {
            for cell in plane.page.cells(region) {
                let parts = plane.page.parts(&cell, self.pick, &plane.chunks)?;
                let part = *parts.first().expect("one channel is one part");
                file.read_rows(&plane.page, part, &cell, Rows::of(target, cell.part, shift))?;
            }
            Ok(())
        })
    }

    fn codec(&self, error: CodecError) -> SourceError {
        SourceError::codec(&self.files.located.path, error)
    }
}

/// The numbers of the planes at some positions on axes, in order.
pub(super) fn positions(ranges: &[Range<u64>], axes: &[(char, u64)]) -> Vec<u64> {
    ranges.iter().zip(axes).fold(vec![0], |planes, (range, (_, length))| {
        let within = |plane: u64| range.clone().map(move |at| plane * length + at);
        planes.into_iter().flat_map(within).collect()
    })
}

pub(super) fn span(range: &Range<u64>) -> Span {
    Span::new(range.start as i64, range.end as i64)
}
