//! Which part of the extent the files really cover.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::volume::{CHUNK_TILES, Extent, Grid, Region, Span};

/// Sections shown of those that are missing.
const MOST_HOLES: usize = 8;

/// For each section the box that its sources reach; for each time sample whether there are any.
#[derive(Default)]
pub(super) struct Reach {
    sections: BTreeMap<i64, Option<Box2>>,
    times: BTreeMap<i64, bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Box2 {
    x: Span,
    y: Span,
}

/// What the files cover of the extent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// What the files cover on each axis, and what the job says.
    pub covered: Option<Extent>,
    pub extent: Option<Extent>,
    /// Sections inside what is covered that have no data.
    pub holes: Vec<Span>,
    /// One sentence for each way in which files and job disagree.
    pub sentences: Vec<String>,
}

impl Reach {
    /// A task needs the voxels `required` at time `t`, and its sources have those of `covered`, which may be empty.
    pub fn add(&mut self, t: i64, required: &Region, covered: &Region) {
        let covered = covered.intersect(required);
        let here = (!covered.is_empty()).then_some(Box2 { x: covered.x, y: covered.y });
        for z in required.z.start..required.z.stop {
            add_to(self.sections.entry(z).or_default(), here.filter(|_| covered.z.contains(z)));
        }
        *self.times.entry(t).or_default() |= here.is_some();
    }

    pub fn merge(&mut self, other: Reach) {
        for (z, reach) in other.sections {
            add_to(self.sections.entry(z).or_default(), reach);
        }
        for (t, is_there) in other.times {
            *self.times.entry(t).or_default() |= is_there;
        }
    }

    /// Compares with the job's extent, of which every task must have been looked at.
    pub fn compare(&self, grid: &Grid) -> Coverage {
        let extent = grid.extent();
        let there = |z: i64| self.sections.get(&z).copied().flatten();
        let present: Vec<i64> = (extent.z.start..extent.z.stop).filter(|z| there(*z).is_some()).collect();
        let (Some(first), Some(last)) = (present.first(), present.last()) else {
            return Coverage { extent: Some(extent), ..Coverage::default() };
        };
        let times = self.times.iter().filter(|(_, is_there)| **is_there).map(|(t, _)| *t);
        let t = hull(times).unwrap_or(extent.t);
        let mut covered = Extent { z: aligned(grid, extent.z, Span::new(*first, last + 1)), t, ..extent };
        let boxes: Vec<Box2> = present.iter().filter_map(|z| there(*z)).collect();
        covered.x = alike(&boxes, |reach| reach.x).map_or(extent.x, |x| Span::new(extent.x.start, x.stop));
        covered.y = alike(&boxes, |reach| reach.y).map_or(extent.y, |y| Span::new(extent.y.start, y.stop));
        let holes = ranges((covered.z.start..covered.z.stop).filter(|z| there(*z).is_none()));
        let sentences = sentences(&covered, &extent, &holes);
        Coverage { covered: Some(covered), extent: Some(extent), holes, sentences }
    }
}

fn add_to(reach: &mut Option<Box2>, more: Option<Box2>) {
    let hull = |a: Span, b: Span| Span::new(a.start.min(b.start), a.stop.max(b.stop));
    *reach = match (*reach, more) {
        (Some(a), Some(b)) => Some(Box2 { x: hull(a.x, b.x), y: hull(a.y, b.y) }),
        (a, b) => a.or(b),
    };
}

/// The shortest extent with these sections that starts where extents may: at whole cuboids, or at whole chunks.
fn aligned(grid: &Grid, extent: Span, covered: Span) -> Span {
    let step = match grid {
        Grid::Tiles(_) => CHUNK_TILES,
        Grid::Chunks(grid) => grid.chunk_size.z,
    };
    let start = covered.start - covered.start.rem_euclid(i64::try_from(step).unwrap_or(i64::MAX));
    Span::new(start.max(extent.start), covered.stop)
}

/// The range that every section has, if all are alike.
fn alike(boxes: &[Box2], axis: impl Fn(&Box2) -> Span) -> Option<Span> {
    let first = axis(boxes.first()?);
    boxes.iter().all(|reach| axis(reach) == first).then_some(first)
}

fn hull(positions: impl Iterator<Item = i64>) -> Option<Span> {
    positions.map(Span::one).reduce(|a, b| Span::new(a.start.min(b.start), a.stop.max(b.stop)))
}

/// Neighbours together.
fn ranges(positions: impl Iterator<Item = i64>) -> Vec<Span> {
    let mut ranges: Vec<Span> = Vec::new();
    for at in positions {
        match ranges.last_mut() {
            Some(range) if range.stop == at => range.stop += 1,
            _ => ranges.push(Span::one(at)),
        }
    }
    ranges
}

fn sentences(covered: &Extent, extent: &Extent, holes: &[Span]) -> Vec<String> {
    let axes = [
        ("x", covered.x, extent.x),
        ("y", covered.y, extent.y),
        ("z", covered.z, extent.z),
        ("t", covered.t, extent.t),
    ];
    let differ = axes.into_iter().filter(|(_, covered, extent)| covered != extent);
    let mut sentences: Vec<String> = differ
        .map(|(axis, Span { start, stop }, extent)| {
            format!(
                "the files cover {axis} {start}..{stop}, the job says {extent}: \
                 set `ingest_job.extent.{axis}` to [{start}, {stop}]"
            )
        })
        .collect();
    if !holes.is_empty() {
        let is_one = holes.len() == 1 && holes[0].len() == 1;
        let (noun, verb) = if is_one { ("section", "is") } else { ("sections", "are") };
        sentences.push(format!("{noun} z {} {verb} missing", list(holes)));
    }
    sentences
}

/// `17, 40..43`, and how many more.
fn list(ranges: &[Span]) -> String {
    let shown = ranges.iter().take(MOST_HOLES).map(|range| match range.len() {
        1 => range.start.to_string(),
        _ => range.to_string(),
    });
    let mut text = shown.collect::<Vec<_>>().join(", ");
    let more: u64 = ranges.iter().skip(MOST_HOLES).map(|range| range.len()).sum();
    if more > 0 {
        text += &format!(" and {more} more");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::volume::{TileGrid, TileSize};

    fn grid(x: i64, z: (i64, i64)) -> Grid {
        let extent = Extent { x: Span::new(0, x), y: Span::new(0, 80), z: Span::new(z.0, z.1), t: Span::new(0, 1) };
        Grid::Tiles(TileGrid { extent, tile_size: TileSize { x: 512, y: 512 } })
    }

    /// Sections that have so many voxels on x, looked at in two tiles.
    fn reach(grid: &Grid, width: impl Fn(i64) -> i64) -> Reach {
        let (mut all, mut half) = (Reach::default(), Reach::default());
        let extent = grid.extent();
        for z in extent.z.start..extent.z.stop {
            for (tile, reach) in [(Span::new(0, 512), &mut all), (Span::new(512, 1024), &mut half)] {
                let required = Region::new(tile.intersect(extent.x), extent.y, Span::one(z));
                let covered = Region { x: tile.intersect(Span::new(0, width(z))), ..required };
                reach.add(0, &required, &covered);
            }
        }
        all.merge(half);
        all
    }

    fn told(x: i64, z: (i64, i64), width: impl Fn(i64) -> i64) -> Vec<String> {
        let grid = grid(x, z);
        reach(&grid, width).compare(&grid).sentences
    }

    #[test]
    fn an_extent_that_is_too_long_is_told_with_the_one_to_write() {
        let none: Vec<String> = Vec::new();
        assert_eq!(told(700, (0, 100), |_| 700), none);
        let long = told(700, (0, 101), |z| if z < 100 { 700 } else { 0 });
        assert_eq!(long, ["the files cover z 0..100, the job says 0..101: set `ingest_job.extent.z` to [0, 100]"]);
        let wide = told(700, (0, 5), |_| 600);
        assert_eq!(wide, ["the files cover x 0..600, the job says 0..700: set `ingest_job.extent.x` to [0, 600]"]);
        let late = told(700, (0, 64), |z| if z < 35 { 0 } else { 700 });
        let expected = "the files cover z 32..64, the job says 0..64: set `ingest_job.extent.z` to [32, 64]";
        assert_eq!(late, [expected, "sections z 32..35 are missing"]);
    }

    #[test]
    fn one_section_that_is_too_small_is_no_matter_of_the_extent() {
        assert!(told(700, (0, 9), |z| if z == 3 { 600 } else { 700 }).is_empty());
    }

    #[test]
    fn holes_are_ranges() {
        let holes = told(700, (0, 60), |z| if z == 17 || (40..44).contains(&z) { 0 } else { 700 });
        assert_eq!(holes, ["sections z 17, 40..44 are missing"]);
        let many = told(700, (0, 60), |z| if z % 3 == 1 { 0 } else { 700 });
        assert_eq!(many, ["sections z 1, 4, 7, 10, 13, 16, 19, 22 and 12 more are missing"]);
    }

    #[test]
    fn where_there_is_nothing_there_is_nothing_to_set() {
        assert!(told(700, (0, 4), |_| 0).is_empty());
    }
}
