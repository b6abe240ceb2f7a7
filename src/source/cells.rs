//! From the chunks of an array of any rank to the voxels of a region.

use std::ops::Range;
use std::sync::Arc;

use super::array::Selected;
use super::parallel::{each, staggered};
use super::{Axis, SourceError};
use crate::volume::{Block, Region, Size};

/// The place of a chunk in the grid of an array's chunks, in the order of its stored axes.
pub(super) type Cell = Vec<u64>;

/// Reads a region of the part of an array that is selected into `target`, its first voxel at `(x, y, z)`.
///
/// `decode` gives the chunk at a place, with as many values as the array's chunks have, also past the array's end, in C order
/// of the stored axes; `None` where the array has none, whose values are then `fill`, one voxel's bytes. Up to `width` chunks
/// are waited for at once. `turn` says where it begins ([`staggered`]).
///
/// # Errors
/// Those of `decode`.
pub(super) fn read(
    selected: &Selected,
    region: &Region,
    (target, at): (&mut Block, (i64, i64, i64)),
    (width, turn, fill): (usize, u64, &[u8]),
    decode: impl Fn(&Cell) -> Result<Option<Arc<Block>>, SourceError> + Sync,
) -> Result<(), SourceError> {
    let ranges = selected.ranges(region);
    let array = &*selected.array;
    if ranges.iter().any(Range::is_empty) {
        return Ok(());
    }
    let mut cells = staggered(|| Cells::new(&ranges, &array.chunk), turn);
    let target_axes = Axis::ALL.map(|image| selected.image_axes().position(|axis| axis == Some(image)));
    loop {
        let next: Vec<Cell> = cells.by_ref().take(width.max(1)).collect();
        if next.is_empty() {
            return Ok(());
        }
        let chunks = each(&next, width, &decode)?;
        for (cell, chunk) in next.iter().zip(chunks) {
            let met = Met::new(cell, &array.chunk, &ranges);
            let (size, to) = met.place(target_axes, at);
            match chunk {
                Some(chunk) => met.copy(&chunk, &array.chunk, target_axes, (target, size, to)),
                None => target.fill(&Region::of_size(size).shift(to.0, to.1, to.2), fill),
            }
        }
    }
}

/// The cells that ranges meet, the last axis fastest.
struct Cells {
    bounds: Vec<Range<u64>>,
    next: Option<Cell>,
}

impl Cells {
    /// Of ranges that are not empty.
    fn new(ranges: &[Range<u64>], chunk: &[u64]) -> Self {
        let bounds: Vec<Range<u64>> =
            ranges.iter().zip(chunk).map(|(range, chunk)| range.start / chunk..range.end.div_ceil(*chunk)).collect();
        let next = Some(bounds.iter().map(|bound| bound.start).collect());
        Cells { bounds, next }
    }
}

impl Iterator for Cells {
    type Item = Cell;

    fn next(&mut self) -> Option<Cell> {
        let cell = self.next.take()?;
        let mut after = cell.clone();
        for (at, bound) in after.iter_mut().zip(&self.bounds).rev() {
            *at += 1;
            if *at < bound.end {
                self.next = Some(after);
                break;
            }
            *at = bound.start;
        }
        Some(cell)
    }
}

/// What ranges meet of one cell.
struct Met {
    /// Counted from the cell's first value.
    inside: Vec<Range<u64>>,
    /// Where that begins, counted from the beginning of the ranges.
    to: Vec<u64>,
}

impl Met {
    fn new(cell: &Cell, chunk: &[u64], ranges: &[Range<u64>]) -> Self {
        let axes = cell.iter().zip(chunk).zip(ranges);
        let (inside, to) = axes
            .map(|((at, chunk), range)| {
                // The range reaches into the cell, so its first value can be counted.
                let first = at * chunk;
                let (start, end) = (range.start.max(first), range.end.min(first.saturating_add(*chunk)));
                (start - first..end - first, start - range.start)
            })
            .unzip();
        Met { inside, to }
    }

    /// How large it is in the target, and where its first voxel comes to, when the target's x, y and z are these stored axes.
    fn place(&self, axes: [Option<usize>; 3], (x, y, z): (i64, i64, i64)) -> (Size, (i64, i64, i64)) {
        let [sx, sy, sz] = axes.map(|axis| axis.map_or(1, |axis| self.inside[axis].end - self.inside[axis].start));
        let [dx, dy, dz] = axes.map(|axis| axis.map_or(0, |axis| self.to[axis] as i64));
        (Size::new(sx, sy, sz), (x + dx, y + dy, z + dz))
    }

    fn copy(
        &self,
        from: &Block,
        chunk: &[u64],
        axes: [Option<usize>; 3],
        (target, size, (x, y, z)): (&mut Block, Size, (i64, i64, i64)),
    ) {
        let mut strides = vec![1usize; chunk.len()];
        for axis in (1..chunk.len()).rev() {
            strides[axis - 1] = strides[axis] * chunk[axis] as usize;
        }
        let first = self.inside.iter().zip(&strides).map(|(inside, stride)| inside.start as usize * stride).sum();
        let steps = axes.map(|axis| axis.map_or(0, |axis| strides[axis]));
        let (row, plane) = (target.size().x as usize, target.size().x as usize * target.size().y as usize);
        let rows = Rows {
            size: [size.x as usize, size.y as usize, size.z as usize],
            from: first,
            from_steps: steps,
            to: x as usize + y as usize * row + z as usize * plane,
            to_steps: [row, plane],
        };
        match target.dtype().size_bytes() {
            1 => rows.copy::<1>(from.as_bytes(), target.as_bytes_mut()),
            2 => rows.copy::<2>(from.as_bytes(), target.as_bytes_mut()),
            4 => rows.copy::<4>(from.as_bytes(), target.as_bytes_mut()),
            _ => rows.copy::<8>(from.as_bytes(), target.as_bytes_mut()),
        }
    }
}

/// A box that is copied row by row; all numbers count values.
struct Rows {
    /// Of the box, x, y, z.
    size: [usize; 3],
    from: usize,
    /// From a value to the next on x, y, z.
    from_steps: [usize; 3],
    to: usize,
    /// From a row to the next, and from a section.
    to_steps: [usize; 2],
}

impl Rows {
    fn copy<const BYTES: usize>(&self, from: &[u8], to: &mut [u8]) {
        let (from, to) = (from.as_chunks::<BYTES>().0, to.as_chunks_mut::<BYTES>().0);
        let [width, height, depth] = self.size;
        let [x_step, y_step, z_step] = self.from_steps;
        for z in 0..depth {
            for y in 0..height {
                let from = &from[self.from + z * z_step + y * y_step..];
                let to = &mut to[self.to + z * self.to_steps[1] + y * self.to_steps[0]..][..width];
                if x_step == 1 {
                    to.copy_from_slice(&from[..width]);
                } else {
                    let values = from.iter().step_by(x_step.max(1));
                    to.iter_mut().zip(values).for_each(|(to, value)| *to = *value);
                }
            }
        }
    }
}

/// The block that holds a chunk's values: rows of the last axis, sections of the last two, all others behind one another on z.
pub(super) fn block_size(chunk: &[u64]) -> Size {
    let mut axes = chunk.iter().rev().copied();
    let (x, y) = (axes.next().unwrap_or(1), axes.next().unwrap_or(1));
    Size::new(x, y, axes.product())
}

/// The place among the kept blocks: that on the last five axes, before which there is only one.
pub(super) fn key_cell(cell: &Cell) -> [u64; 5] {
    let mut key = [0; 5];
    key.iter_mut().zip(cell.iter().rev()).for_each(|(key, at)| *key = *at);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_those_that_the_ranges_meet() {
        let cells: Vec<Cell> = Cells::new(&[3..5, 0..1, 7..16], &[4, 4, 8]).collect();
        assert_eq!(cells, [[0, 0, 0], [0, 0, 1], [1, 0, 0], [1, 0, 1]]);
        let cells: Vec<Cell> = Cells::new(&[], &[]).collect();
        assert_eq!(cells, [[0u64; 0]]);
    }

    #[test]
    fn blocks_hold_all_axes() {
        for (chunk, size) in [
            (&[][..], Size::new(1, 1, 1)),
            (&[7][..], Size::new(7, 1, 1)),
            (&[5, 7][..], Size::new(7, 5, 1)),
            (&[2, 3, 4, 5][..], Size::new(5, 4, 6)),
        ] {
            assert_eq!(block_size(chunk), size);
        }
        assert_eq!(key_cell(&vec![1, 2, 3]), [3, 2, 1, 0, 0]);
        assert_eq!(key_cell(&vec![0, 1, 2, 3, 4, 5]), [5, 4, 3, 2, 1]);
    }
}
