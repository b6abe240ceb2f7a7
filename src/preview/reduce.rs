//! One task's voxels, added up to what the picture shows of them.

use std::ops::Range;

use super::contrast::Histogram;
use super::raster::{Accumulator, Blend, Scale};
use super::sampling::Sampling;
use super::voxels::{Voxels, has_ids};
use crate::volume::{Block, Dtype, Index, Region, Span};

/// How voxels fall on the pixels of each raster.
#[derive(Clone, Copy, Debug)]
pub struct Frames {
    /// Each section, small: x and y.
    pub section: [Scale; 2],
    /// The section of the cut, large: x and y. The other two cuts have the x or the y of it, and one row (xz) or one
    /// column (yz) for each section that is read.
    pub cut: [Scale; 2],
}

/// What one task adds to the picture.
pub struct Part {
    /// For each section of the task: its place in [`Sampling::sections`], its pixels, and the value that every voxel
    /// has, where that is one.
    pub sections: Vec<(usize, Accumulator, Option<f64>)>,
    pub cuts: Cuts,
}

/// The three cuts; of a task, those that go through it.
#[derive(Default)]
pub struct Cuts {
    pub xy: Option<Accumulator>,
    pub xz: Option<Accumulator>,
    pub yz: Option<Accumulator>,
}

/// Histograms of what varies, and of tiles that are one value throughout: these say little of the contrast.
#[derive(Clone, Debug)]
pub struct Histograms {
    pub varied: Histogram,
    pub constant: Histogram,
}

impl Histograms {
    pub fn new(dtype: Dtype, every: usize) -> Self {
        Histograms { varied: Histogram::new(dtype, every), constant: Histogram::new(dtype, every) }
    }
}

/// How voxels of this type become pixels.
pub fn blend(dtype: Dtype) -> Blend {
    if has_ids(dtype) { Blend::First } else { Blend::Mean }
}

/// Adds up a task's `block`. Only voxels inside the job's extent count.
pub fn reduce(block: &Block, index: Index, sampling: &Sampling, frames: &Frames, histograms: &mut Histograms) -> Part {
    let inside = sampling.inside(index);
    let voxels = Voxels::new(block, &sampling.grid.region(index), &inside);
    let places = sampling.sections_in(inside.z);
    let task = Task { sampling, inside, blend: blend(block.dtype()), voxels };
    let (small, large) = (Pixels::new(&frames.section, &inside), Pixels::new(&frames.cut, &inside));

    let xz = inside.y.contains(sampling.at.y).then(|| task.xz(&large, places.clone()));
    let yz = inside.x.contains(sampling.at.x).then(|| task.yz(&large, places.clone()));
    let xy = inside.z.contains(sampling.at.z).then(|| task.plane(&large, sampling.at.z, |_| {}));
    let sections = places.map(|place| {
        let z = sampling.sections[place];
        let constant = task.voxels.constant(task.below(z));
        let histogram = if constant.is_some() { &mut histograms.constant } else { &mut histograms.varied };
        (place, task.plane(&small, z, |row| histogram.add_row(row)), constant)
    });
    Part { sections: sections.collect(), cuts: Cuts { xy, xz, yz } }
}

/// A task's voxels and where they lie.
struct Task<'a> {
    sampling: &'a Sampling,
    inside: Region,
    blend: Blend,
    voxels: Voxels<'a>,
}

/// The pixels of a task's columns and rows in one raster.
struct Pixels {
    columns: Vec<usize>,
    rows: Vec<usize>,
}

impl Pixels {
    fn new([x, y]: &[Scale; 2], inside: &Region) -> Self {
        let pixels = |scale: &Scale, span: Span| (span.start..span.stop).map(|voxel| scale.pixel(voxel)).collect();
        Pixels { columns: pixels(x, inside.x), rows: pixels(y, inside.y) }
    }
}

/// From the first to the last of pixels in ascending order.
fn range(pixels: &[usize]) -> Range<usize> {
    pixels.first().map_or(0..0, |first| *first..pixels[pixels.len() - 1] + 1)
}

impl Task<'_> {
    /// Section `z` as pixels. `look` is shown every row.
    fn plane(&self, pixels: &Pixels, z: i64, mut look: impl FnMut(&[f64])) -> Accumulator {
        let mut plane = Accumulator::new(range(&pixels.columns), range(&pixels.rows));
        let mut row = Vec::new();
        for (y, pixel) in (0..).zip(&pixels.rows) {
            self.voxels.row(y, self.below(z), &mut row);
            look(&row);
            plane.add_row(self.blend, &pixels.columns, *pixel, &row);
        }
        plane
    }

    /// The row of voxels at the cut's y, of each section.
    fn xz(&self, pixels: &Pixels, places: Range<usize>) -> Accumulator {
        let mut cut = Accumulator::new(range(&pixels.columns), places.clone());
        let (mut row, y) = (Vec::new(), self.sampling.at.y.abs_diff(self.inside.y.start));
        for place in places {
            self.voxels.row(y, self.below(self.sampling.sections[place]), &mut row);
            cut.add_row(self.blend, &pixels.columns, place, &row);
        }
        cut
    }

    /// The column of voxels at the cut's x, of each section.
    fn yz(&self, pixels: &Pixels, places: Range<usize>) -> Accumulator {
        let mut cut = Accumulator::new(places.clone(), range(&pixels.rows));
        let (mut row, x) = (Vec::new(), self.sampling.at.x.abs_diff(self.inside.x.start) as usize);
        for place in places {
            for (y, pixel) in (0..).zip(&pixels.rows) {
                self.voxels.row(y, self.below(self.sampling.sections[place]), &mut row);
                cut.add_row(self.blend, &[place], *pixel, &row[x..=x]);
            }
        }
        cut
    }

    /// How many sections `z` lies below the task's first inside the extent.
    fn below(&self, z: i64) -> u64 {
        z.abs_diff(self.inside.z.start)
    }
}

#[cfg(test)]
mod tests {
    use super::super::sampling::Point;
    use super::*;
    use crate::volume::{ChunkGrid, Extent, Grid, Size};

    /// One chunk of 4 × 4 × 2 voxels, its last column and row outside the extent: a voxel is `x + 10·y + 100·z`.
    #[test]
    fn a_chunk_gives_its_sections_and_its_share_of_each_cut() {
        let extent = Extent { x: Span::new(0, 3), y: Span::new(0, 3), z: Span::new(0, 2), t: Span::new(0, 1) };
        let grid = Grid::Chunks(ChunkGrid { extent, chunk_size: Size::new(4, 4, 2) });
        let sampling = Sampling::choose(grid, Point { x: 2, y: 1, z: 1 }, 0, 10);
        let voxels = (0..32).map(|n| n % 4 + n / 4 % 4 * 10 + n / 16 * 100).collect();
        let block = Block::from_bytes(Dtype::Uint8, Size::new(4, 4, 2), voxels).unwrap();
        let scale = |pixels| Scale::new(Span::new(0, 3), pixels);
        let frames = Frames { section: [scale(1), scale(1)], cut: [scale(3), scale(3)] };
        let mut histograms = Histograms::new(Dtype::Uint8, 1);

        let part = reduce(&block, Index::new(0, 0, 0, 0), &sampling, &frames, &mut histograms);

        let values = |cut: &Option<Accumulator>| cut.as_ref().unwrap().finish().values;
        assert_eq!(values(&part.cuts.xy), [100.0, 101.0, 102.0, 110.0, 111.0, 112.0, 120.0, 121.0, 122.0]);
        assert_eq!(values(&part.cuts.xz), [10.0, 11.0, 12.0, 110.0, 111.0, 112.0], "y 1: x to the right, z down");
        assert_eq!(values(&part.cuts.yz), [2.0, 102.0, 12.0, 112.0, 22.0, 122.0], "x 2: z to the right, y down");
        let means: Vec<f32> = part.sections.iter().map(|(_, pixels, _)| pixels.finish().values[0]).collect();
        assert_eq!(means, [11.0, 111.0]);
        let contrast = histograms.varied.contrast();
        assert_eq!((contrast.low, contrast.high), (0.0, 122.0), "padding would have been up to 133");
    }
}
