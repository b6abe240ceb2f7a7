//! From a region to the runs of bytes that are read for it.

use std::io;

use super::bytes::{BUFFER_BYTES, Open};
use super::samples::Samples;

/// Runs that are at least so long go straight to their place, one read each, in bytes.
const LONG_RUN_BYTES: u64 = if cfg!(test) { 100 } else { 64 << 10 };

/// Between runs that are not, up to so many bytes are read and thrown away: reading them costs less than another seek.
const GAP_BYTES: u64 = if cfg!(test) { 24 } else { 8 << 10 };

/// One axis of a box of values: how many, and how far apart, counted in values, in the file and in the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Steps {
    pub count: u64,
    pub from: u64,
    pub to: u64,
}

/// A box of values in a file and its place in a target.
#[derive(Debug)]
pub(super) struct Layout {
    samples: Samples,
    /// Where value 0 of the array lies in the file, in bytes.
    offset: u64,
    /// The first value of the box, counted in values.
    from: u64,
    to: u64,
    /// From the axis that is fastest in the file to the slowest; none is 1 long.
    axes: Vec<Steps>,
}

impl Layout {
    /// `axes` in any order, none of them empty.
    pub fn new(samples: Samples, offset: u64, (from, to): (u64, u64), axes: impl Iterator<Item = Steps>) -> Self {
        let mut axes: Vec<Steps> = axes.filter(|steps| steps.count > 1).collect();
        axes.sort_unstable_by_key(|steps| steps.from);
        let mut joined: Vec<Steps> = Vec::with_capacity(axes.len());
        for next in axes {
            match joined.last_mut() {
                Some(last) if next.from == last.count * last.from && next.to == last.count * last.to => {
                    last.count *= next.count;
                }
                _ => joined.push(next),
            }
        }
        Layout { samples, offset, from, to, axes: joined }
    }

    /// Reads the box into the target.
    pub fn read(&self, mut bytes: Open, target: &mut [u8]) -> io::Result<()> {
        self.read_box(&self.axes, (self.from, self.to), &mut bytes, target)
    }

    /// Reads a part of the box that has these axes and begins there.
    fn read_box(&self, axes: &[Steps], (from, to): (u64, u64), bytes: &mut Open, target: &mut [u8]) -> io::Result<()> {
        if bytes.is_memory() {
            return self.gather(axes, (from, to), bytes, target);
        }
        let Some((slowest, faster)) = axes.split_last().filter(|_| !self.is_straight(axes)) else {
            return self.read_straight(axes.first().map_or(1, |run| run.count), (from, to), bytes, target);
        };
        let at_once = self.at_once(*slowest, faster).unwrap_or(1);
        let mut done = 0;
        while done < slowest.count {
            let count = at_once.min(slowest.count - done);
            let begin = (from + done * slowest.from, to + done * slowest.to);
            if count > 1 {
                let mut part = axes.to_vec();
                part[faster.len()].count = count;
                self.gather(&part, begin, bytes, target)?;
            } else {
                self.read_box(faster, begin, bytes, target)?;
            }
            done += count;
        }
        Ok(())
    }

    /// Whether the box is one run, in the file as in the target.
    fn is_straight(&self, axes: &[Steps]) -> bool {
        self.samples.are_plain() && matches!(axes, [Steps { from: 1, to: 1, .. }])
    }

    /// How many positions of the slowest axis are read at once, with what lies between the values that are wanted; `None` where
    /// that would be too much.
    fn at_once(&self, slowest: Steps, faster: &[Steps]) -> Option<u64> {
        let item = self.samples.stored_bytes() as u64;
        let most = BUFFER_BYTES / item;
        let is_apart = |span: u64, next: Steps| {
            let is_long = span * item >= LONG_RUN_BYTES && self.samples.are_plain();
            is_long || span > most || next.from.saturating_sub(span).saturating_mul(item) > GAP_BYTES
        };
        let mut span = 1;
        for steps in faster {
            if is_apart(span, *steps) {
                return None;
            }
            span += (steps.count - 1) * steps.from;
        }
        (!is_apart(span, slowest)).then(|| 1 + (most - span) / slowest.from)
    }

    fn read_straight(&self, count: u64, (from, to): (u64, u64), bytes: &mut Open, target: &mut [u8]) -> io::Result<()> {
        let item = self.samples.stored_bytes() as u64;
        if !self.samples.are_plain() {
            return self.gather(&[], (from, to), bytes, target);
        }
        let run = &mut target[(to * item) as usize..((to + count) * item) as usize];
        bytes.fill(self.offset + from * item, run)?;
        self.samples.turn(run);
        Ok(())
    }

    /// Reads from the first value of a box to its last, and copies the values that are wanted to their places.
    fn gather(&self, axes: &[Steps], (from, to): (u64, u64), bytes: &mut Open, target: &mut [u8]) -> io::Result<()> {
        let span = 1 + axes.iter().map(|steps| (steps.count - 1) * steps.from).sum::<u64>();
        let item = self.samples.stored_bytes() as u64;
        let part = bytes.part(self.offset + from * item, span * item)?;
        let voxel = self.samples.dtype().size_bytes();
        self.place(axes, part, &mut target[to as usize * voxel..]);
        Ok(())
    }

    fn place(&self, axes: &[Steps], from: &[u8], to: &mut [u8]) {
        let (item, voxel) = (self.samples.stored_bytes(), self.samples.dtype().size_bytes());
        match axes {
            [] => self.samples.copy(from, 1, to, 1, 1),
            [run] => self.samples.copy(from, run.from as usize, to, run.to as usize, run.count as usize),
            [faster @ .., slowest] => {
                for n in 0..slowest.count as usize {
                    let (from_at, to_at) = (n * slowest.from as usize * item, n * slowest.to as usize * voxel);
                    self.place(faster, &from[from_at..], &mut to[to_at..]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::volume::Dtype;

    fn layout(axes: &[(u64, u64, u64)]) -> Layout {
        let steps = axes.iter().map(|&(count, from, to)| Steps { count, from, to });
        Layout::new(Samples::new(Dtype::Uint8, false), 0, (0, 0), steps)
    }

    #[test]
    fn axes_that_follow_each_other_without_a_gap_are_one_run() {
        // Whole sections of 10 × 5 into a block of the same size: one run.
        assert_eq!(layout(&[(4, 50, 50), (5, 10, 10), (10, 1, 1)]).axes, [Steps { count: 200, from: 1, to: 1 }]);
        // Whole rows of some: one run for each section.
        let rows = layout(&[(4, 50, 30), (3, 10, 10), (10, 1, 1)]).axes;
        assert_eq!(rows, [Steps { count: 30, from: 1, to: 1 }, Steps { count: 4, from: 50, to: 30 }]);
        // Parts of rows.
        assert_eq!(layout(&[(4, 50, 9), (3, 10, 3), (3, 1, 1)]).axes.len(), 3);
        // One section: no axis z.
        assert_eq!(layout(&[(1, 50, 9), (3, 10, 3), (3, 1, 1)]).axes.len(), 2);
        assert!(layout(&[(1, 50, 9)]).axes.is_empty());
    }

    #[test]
    fn short_runs_are_read_together_and_long_ones_alone() {
        let at_once = |axes: &[(u64, u64, u64)]| {
            let layout = layout(axes);
            let (slowest, faster) = layout.axes.split_last().unwrap();
            layout.at_once(*slowest, faster)
        };
        // 10 of 30 bytes, with gaps of 20.
        assert_eq!(at_once(&[(100, 30, 10), (10, 1, 1)]), Some(1 + (BUFFER_BYTES - 10) / 30));
        // Gaps of 30.
        assert_eq!(at_once(&[(100, 40, 10), (10, 1, 1)]), None);
        // Rows of 100 bytes go straight to their places.
        assert_eq!(at_once(&[(100, 120, 100), (100, 1, 1)]), None);
        // A column.
        assert_eq!(at_once(&[(100, 20, 1)]), Some(1 + (BUFFER_BYTES - 1) / 20));
    }
}
