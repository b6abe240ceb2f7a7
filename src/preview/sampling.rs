//! Which tasks and sections of a job are looked at. Pure arithmetic.

use crate::volume::{Grid, Index, Region, Span};

/// The most sections that are kept, whatever the number of tasks.
const MAX_SECTIONS: u64 = 512;

/// Layers that are worth more than whole sections: so many are read even where each can then be read in parts only.
const MIN_LAYERS: u64 = 12;

/// The voxel in which the three cuts meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    pub x: i64,
    pub y: i64,
    pub z: i64,
}

/// The tasks that are read: whole layers of tasks, or a coarse grid of each. A layer is one section of a tile job, or
/// one chunk deep.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampling {
    pub grid: Grid,
    pub at: Point,
    /// The time sample.
    pub t: i64,
    /// Task indices along each axis, ascending.
    columns: Vec<i64>,
    rows: Vec<i64>,
    layers: Vec<i64>,
    /// Tasks of one layer, read or not.
    pub layer_tasks: u64,
    /// The sections that are looked at, ascending.
    pub sections: Vec<i64>,
    /// `columns × rows` of all, read or not.
    all: (Vec<i64>, Vec<i64>),
}

impl Sampling {
    /// Spreads at most `max_tasks` tasks (at least 1) evenly over the job, the first, the last and those of the cuts
    /// among them.
    pub fn choose(grid: Grid, at: Point, t: i64, max_tasks: u64) -> Self {
        let (extent, size) = (grid.extent(), grid.task_size());
        let all = [(extent.x, size.x, at.x), (extent.y, size.y, at.y), (extent.z, size.z, at.z)].map(Axis::new);
        let [x, y, z] = &all;
        let layer_tasks = x.count.saturating_mul(y.count);
        let wanted = (max_tasks / layer_tasks).max(MIN_LAYERS).min(max_tasks).min(MAX_SECTIONS);
        let layers = z.spread(wanted);
        let (columns, rows) = coarse(x.count, y.count, (max_tasks / layers.len() as u64).max(1));
        let depth = |layer: &i64| Span::step(*layer, size.z).intersect(extent.z);
        let read: Vec<Span> = layers.iter().map(depth).collect();
        Sampling {
            grid,
            at,
            t,
            columns: x.spread(columns),
            rows: y.spread(rows),
            layers,
            layer_tasks,
            sections: sections(&read, at.z),
            all: (x.spread(x.count.min(MAX_DRAWN)), y.spread(y.count.min(MAX_DRAWN))),
        }
    }

    /// The tasks to read, layer by layer, so that a section's file is read by its tiles one after the other.
    pub fn tasks(&self) -> Vec<Index> {
        let mut tasks = Vec::new();
        for &z in &self.layers {
            for &y in &self.rows {
                tasks.extend(self.columns.iter().map(|&x| Index::new(x, y, z, self.t)));
            }
        }
        tasks
    }

    /// Tasks that are read of each layer.
    pub fn read_of_layer(&self) -> u64 {
        self.columns.len() as u64 * self.rows.len() as u64
    }

    /// The part of a task inside the job's extent.
    pub fn inside(&self, index: Index) -> Region {
        self.grid.region(index).intersect(&self.grid.extent().region())
    }

    /// Where in [`Sampling::sections`] the sections of a range of z are.
    pub fn sections_in(&self, z: Span) -> std::ops::Range<usize> {
        let first = |limit: i64| self.sections.partition_point(|section| *section < limit);
        first(z.start)..first(z.stop)
    }

    /// The section that is read nearest to `z`, as its place in [`Sampling::sections`].
    pub fn nearest(&self, z: i64) -> usize {
        let above = self.sections.partition_point(|section| *section < z).min(self.sections.len() - 1);
        let below = above.saturating_sub(1);
        if self.sections[above].abs_diff(z) <= self.sections[below].abs_diff(z) { above } else { below }
    }

    /// The x, y boxes of a layer's tasks that are not read; none where all are, and none where there are too many to
    /// draw.
    pub fn unread(&self) -> Vec<Region> {
        let read = |list: &[i64], at: &i64| list.binary_search(at).is_ok();
        let boxes = self.all.1.iter().flat_map(|y| self.all.0.iter().map(move |x| (x, y)));
        let unread = boxes.filter(|(x, y)| !(read(&self.columns, x) && read(&self.rows, y)));
        unread.map(|(&x, &y)| self.inside(Index::new(x, y, self.layers[0], self.t))).collect()
    }
}

/// Tasks along one axis of a layer that are told apart when the unread ones are drawn.
const MAX_DRAWN: u64 = 256;

/// The tasks along one axis, counted as the Boss does.
struct Axis {
    span: Span,
    size: u64,
    count: u64,
    /// The place of the cut's task.
    cut: u64,
}

impl Axis {
    fn new((span, size, at): (Span, u64, i64)) -> Self {
        let count = span.len().div_ceil(size).max(1);
        let first = span.start.div_euclid(size as i64);
        let cut = (at.div_euclid(size as i64) - first).clamp(0, count as i64 - 1) as u64;
        Axis { span, size, count, cut }
    }

    fn spread(&self, wanted: u64) -> Vec<i64> {
        let first = self.span.start.div_euclid(self.size as i64);
        spread(self.count, wanted, self.cut).into_iter().map(|place| first + place as i64).collect()
    }
}

/// `wanted` places out of `0..total`, evenly, with the first, the last and `must` (for that one first of all).
fn spread(total: u64, wanted: u64, must: u64) -> Vec<u64> {
    let wanted = wanted.clamp(1, total);
    if wanted == 1 {
        return vec![must];
    }
    let place = |n: u64| (u128::from(n) * u128::from(total - 1) / u128::from(wanted - 1)) as u64;
    let mut places: Vec<u64> = (0..wanted).map(place).collect();
    if places.binary_search(&must).is_err() {
        let inner = if wanted > 2 { 1..places.len() - 1 } else { 1..2 };
        let nearest = inner.min_by_key(|n| places[*n].abs_diff(must)).expect("the range has an item");
        places[nearest] = must;
    }
    places
}

/// How many columns and rows of `x × y` tasks are read when there may be `most` of them, in about the same proportion.
fn coarse(x: u64, y: u64, most: u64) -> (u64, u64) {
    if x.saturating_mul(y) <= most {
        return (x, y);
    }
    let columns = ((most as f64 * x as f64 / y as f64).sqrt() as u64).clamp(1, x.min(most));
    let rows = (most / columns).clamp(1, y);
    ((most / rows).clamp(1, x), rows)
}

/// The sections in the layers that are read: all, or evenly spread ones with `at` among them.
fn sections(layers: &[Span], at: i64) -> Vec<i64> {
    let total: u64 = layers.iter().map(|layer| layer.len()).sum();
    let nth = |mut place: u64| {
        let layer = layers.iter().find(|layer| {
            let inside = place < layer.len();
            if !inside {
                place -= layer.len();
            }
            inside
        });
        layer.expect("the place is below the total").start + place as i64
    };
    let before = |layer: &Span| layer.intersect(Span::new(layer.start, at.max(layer.start))).len();
    let must = layers.iter().map(before).sum::<u64>().min(total - 1);
    spread(total, MAX_SECTIONS, must).into_iter().map(nth).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::volume::{ChunkGrid, Extent, Size, TileGrid, TileSize};

    fn extent(x: i64, y: i64, z: i64) -> Extent {
        Extent { x: Span::new(0, x), y: Span::new(0, y), z: Span::new(0, z), t: Span::new(0, 1) }
    }

    fn tiles(x: i64, y: i64, z: i64, size: u64) -> Grid {
        Grid::Tiles(TileGrid { extent: extent(x, y, z), tile_size: TileSize { x: size, y: size } })
    }

    fn middle(grid: &Grid) -> Point {
        let Extent { x, y, z, .. } = grid.extent();
        Point { x: (x.start + x.stop) / 2, y: (y.start + y.stop) / 2, z: (z.start + z.stop) / 2 }
    }

    #[test]
    fn a_small_job_is_read_whole() {
        let grid = tiles(1500, 1100, 40, 512);
        let sampling = Sampling::choose(grid, middle(&grid), 0, 512);
        assert_eq!(sampling.tasks().len() as u64, grid.count());
        assert_eq!(sampling.sections, (0..40).collect::<Vec<_>>());
        assert_eq!(sampling.unread(), []);
    }

    #[test]
    fn a_huge_job_is_read_within_the_bound_with_its_ends_and_its_cuts() {
        let grid = tiles(100_000, 80_000, 10_000, 2048);
        for most in [1, 7, 100, 512, 4000] {
            let at = Point { x: 50_001, y: 7, z: 4321 };
            let sampling = Sampling::choose(grid, at, 0, most);
            let tasks = sampling.tasks();
            assert!(tasks.len() as u64 <= most && tasks.len() as u64 * 2 > most, "{most}: {}", tasks.len());
            assert!(tasks.iter().any(|task| grid.region(*task).x.contains(at.x)), "{most}: x of the cut");
            assert!(sampling.sections.contains(&4321), "{most}: z of the cut");
            if most >= 100 {
                assert_eq!((sampling.sections[0], *sampling.sections.last().unwrap()), (0, 9999));
                assert_eq!(sampling.unread().len() as u64, sampling.layer_tasks - sampling.read_of_layer());
            }
        }
    }

    #[test]
    fn chunks_give_all_their_sections() {
        let size = Size::new(512, 512, 16);
        let grid = Grid::Chunks(ChunkGrid { extent: extent(1024, 512, 40), chunk_size: size });
        let sampling = Sampling::choose(grid, middle(&grid), 0, 512);
        assert_eq!((sampling.tasks().len(), sampling.sections.len()), (6, 40));
        assert_eq!(sampling.sections_in(Span::new(32, 48)), 32..40);
        assert_eq!([-5, 17, 99].map(|z| sampling.nearest(z)), [0, 17, 39]);
    }

    #[test]
    fn places_are_even_and_hold_what_they_must() {
        assert_eq!(spread(100, 5, 49), [0, 24, 49, 74, 99]);
        assert_eq!(spread(100, 5, 60), [0, 24, 60, 74, 99]);
        assert_eq!(spread(10, 1, 3), [3]);
        assert_eq!(spread(3, 9, 1), [0, 1, 2]);
        assert_eq!(coarse(49, 40, 42), (7, 6));
    }
}
