//! In which order a job's tasks are looked at, and by whom.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::volume::{Extent, Grid, Index};

/// The most tasks that a worker takes at once.
const LONGEST_RUN: u64 = 512;

/// The tasks of a job section by section, x fastest, so that workers look at few files at a time. Shared by the workers.
pub(super) struct Tour {
    first: Index,
    /// Tasks on x, y, z, t.
    counts: [u64; 4],
    picked: Option<Vec<u64>>,
    run: u64,
    next: AtomicU64,
    is_over: AtomicBool,
}

impl Tour {
    /// Over every task, or over `sample` of them for so many workers.
    pub fn new(grid: &Grid, sample: Option<u64>, workers: usize) -> Self {
        let (first, counts) = tasks(grid);
        let total = product(counts);
        let picked = sample.filter(|sample| *sample < total).map(|sample| spread(total, sample));
        let stops = picked.as_ref().map_or(total, |picked| picked.len() as u64);
        let run = (stops / (8 * workers.max(1) as u64)).clamp(1, LONGEST_RUN);
        Tour { first, counts, picked, run, next: AtomicU64::new(0), is_over: AtomicBool::new(false) }
    }

    /// The next tasks for one worker; `None` when all are given out.
    pub fn next_run(&self) -> Option<impl Iterator<Item = Index> + '_> {
        let start = self.next.fetch_add(self.run, Ordering::Relaxed);
        let stop = (start + self.run).min(self.stops());
        let ended = start >= stop || self.is_over.load(Ordering::Relaxed);
        (!ended).then(|| (start..stop).map(|stop| self.index(stop)))
    }

    /// Gives out no more tasks.
    pub fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    /// Tasks that the tour comes to.
    pub fn stops(&self) -> u64 {
        self.picked.as_ref().map_or_else(|| product(self.counts), |picked| picked.len() as u64)
    }

    /// Whether the tour comes to every task.
    pub fn is_full(&self) -> bool {
        self.picked.is_none()
    }

    fn index(&self, stop: u64) -> Index {
        let mut at = self.picked.as_ref().map_or(stop, |picked| picked[stop as usize]);
        let [x, y, z, t] = self.counts.map(|count| {
            let along = at % count;
            at /= count;
            along as i64
        });
        let Index { x: x0, y: y0, z: z0, t: t0 } = self.first;
        Index::new(x0 + x, y0 + y, z0 + z, t0 + t)
    }
}

fn product(counts: [u64; 4]) -> u64 {
    counts.into_iter().fold(1, u64::saturating_mul)
}

/// The first task, and the number of tasks on each axis, as the Boss counts them.
fn tasks(grid: &Grid) -> (Index, [u64; 4]) {
    let (Extent { x, y, z, t }, size) = (grid.extent(), grid.task_size());
    let first = |start: i64, step: u64| start.div_euclid(i64::try_from(step).unwrap_or(i64::MAX));
    let index = Index::new(first(x.start, size.x), first(y.start, size.y), first(z.start, size.z), t.start);
    (index, [x.len().div_ceil(size.x), y.len().div_ceil(size.y), z.len().div_ceil(size.z), t.len()])
}

/// `sample` positions of 0..total, in order, the first and the last among them: the first and last task of every axis. The
/// others follow the golden ratio, which keeps them apart and away from the job's own steps.
fn spread(total: u64, sample: u64) -> Vec<u64> {
    let mut picked = std::collections::BTreeSet::from([0, total - 1]);
    let mut fraction: f64 = 0.0;
    for _ in 0..sample.saturating_mul(4) {
        if picked.len() as u64 >= sample.max(2) {
            break;
        }
        fraction = (fraction + 0.618_033_988_749_895) % 1.0;
        picked.insert(((fraction * total as f64) as u64).min(total - 1));
    }
    picked.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::volume::{ChunkGrid, Size, Span, Task, TileGrid, TileSize};

    fn grids() -> [Grid; 2] {
        let extent = |t| Extent { x: Span::new(512, 2500), y: Span::new(0, 700), z: Span::new(16, 35), t };
        let tiles = TileGrid { extent: extent(Span::new(2, 4)), tile_size: TileSize { x: 512, y: 256 } };
        let chunks = ChunkGrid { extent: extent(Span::new(0, 1)), chunk_size: Size::new(512, 512, 16) };
        [Grid::Tiles(tiles), Grid::Chunks(chunks)]
    }

    fn visited(tour: &Tour) -> Vec<Index> {
        let mut visited = Vec::new();
        while let Some(run) = tour.next_run() {
            visited.extend(run);
        }
        visited
    }

    fn order(index: &Index) -> (i64, i64, i64, i64) {
        (index.t, index.z, index.y, index.x)
    }

    #[test]
    fn a_tour_comes_to_every_task_once_section_by_section() {
        for grid in grids() {
            let mut expected: Vec<Index> = grid
                .tasks()
                .map(|task| match task {
                    Task::Tile { tile, .. } => tile,
                    Task::Chunk { chunk, .. } => chunk,
                })
                .collect();
            expected.sort_by_key(order);
            let tour = Tour::new(&grid, None, 3);
            assert_eq!(visited(&tour), expected);
            assert_eq!(tour.stops(), grid.count());
        }
    }

    #[test]
    fn a_sample_has_both_ends_and_is_spread_over_every_axis() {
        let [grid, _] = grids();
        let tour = Tour::new(&grid, Some(20), 2);
        let (sample, all) = (visited(&tour), visited(&Tour::new(&grid, None, 2)));
        assert_eq!((sample.len(), tour.is_full()), (20, false));
        assert_eq!((sample.first(), sample.last()), (all.first(), all.last()));
        let columns: std::collections::BTreeSet<i64> = sample.iter().map(|index| index.x).collect();
        assert_eq!(columns.len(), 4);
        assert!(sample.windows(2).all(|pair| order(&pair[0]) < order(&pair[1])));
        assert!(Tour::new(&grid, Some(10_000), 2).is_full());
    }

    #[test]
    fn an_ended_tour_gives_out_nothing() {
        let [grid, _] = grids();
        let tour = Tour::new(&grid, None, 2);
        assert!(tour.next_run().is_some());
        tour.end();
        assert!(tour.next_run().is_none());
    }
}
