//! Pictures of numbers: voxels are added one by one to the pixels that they fall on, and each pixel is their mean.

use std::ops::Range;

use crate::volume::Span;

/// How the voxels of one axis fall on pixels: evenly, each voxel on one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    pub span: Span,
    pub pixels: usize,
}

impl Scale {
    /// At most `pixels` pixels; no more than there are voxels.
    pub fn new(span: Span, pixels: usize) -> Self {
        let most = usize::try_from(span.len()).unwrap_or(usize::MAX);
        Scale { span, pixels: pixels.min(most).max(1) }
    }

    /// The pixel of a voxel inside the span.
    pub fn pixel(&self, voxel: i64) -> usize {
        let place = u128::from(voxel.abs_diff(self.span.start));
        (place * self.pixels as u128 / u128::from(self.span.len())) as usize
    }

    /// The pixels on which any of the voxels fall. They lie inside the span.
    pub fn range(&self, voxels: Span) -> Range<usize> {
        if voxels.is_empty() { 0..0 } else { self.pixel(voxels.start)..self.pixel(voxels.stop - 1) + 1 }
    }
}

/// What a voxel does to the pixel that it falls on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blend {
    /// Intensities: a pixel is the mean of its voxels. Sums are exact for integers.
    Mean,
    /// Numbers of things, such as segments: a pixel is its first voxel.
    First,
}

/// A part of a raster in the making; `x`, `y` is its first pixel in the whole.
#[derive(Clone, Debug)]
pub struct Accumulator {
    x: usize,
    y: usize,
    width: usize,
    sums: Vec<f64>,
    counts: Vec<u32>,
}

impl Accumulator {
    /// Nothing yet, for so many pixels. Both ranges are half-open.
    pub fn new(x: Range<usize>, y: Range<usize>) -> Self {
        let pixels = x.len() * y.len();
        Accumulator { x: x.start, y: y.start, width: x.len(), sums: vec![0.0; pixels], counts: vec![0; pixels] }
    }

    /// Adds a row of voxels, whose pixels are `columns`, to the row of pixels `y`. All are of the whole raster.
    pub fn add_row(&mut self, blend: Blend, columns: &[usize], y: usize, voxels: &[f64]) {
        let row = (y - self.y) * self.width;
        for (column, voxel) in columns.iter().zip(voxels) {
            self.add(blend, row + column - self.x, *voxel, 1);
        }
    }

    fn add(&mut self, blend: Blend, at: usize, value: f64, count: u32) {
        match blend {
            Blend::Mean => {
                self.sums[at] += value;
                self.counts[at] = self.counts[at].saturating_add(count);
            }
            Blend::First if self.counts[at] == 0 => {
                self.sums[at] = value;
                self.counts[at] = 1;
            }
            Blend::First => {}
        }
    }

    /// Adds what another part has; it lies inside this one.
    pub fn merge(&mut self, blend: Blend, part: &Accumulator) {
        for (row, (sums, counts)) in
            part.sums.chunks(part.width.max(1)).zip(part.counts.chunks(part.width.max(1))).enumerate()
        {
            let start = (part.y + row - self.y) * self.width + part.x - self.x;
            for (column, (sum, count)) in sums.iter().zip(counts).enumerate().filter(|(_, (_, count))| **count > 0) {
                self.add(blend, start + column, *sum, *count);
            }
        }
    }

    pub fn finish(&self) -> Raster {
        let mean = |(sum, count): (&f64, &u32)| if *count == 0 { f32::NAN } else { (sum / f64::from(*count)) as f32 };
        Raster { width: self.width, values: self.sums.iter().zip(&self.counts).map(mean).collect() }
    }
}

/// A finished picture of numbers, row by row from the top; pixels that no voxel fell on are not a number.
#[derive(Clone, Debug, Default)]
pub struct Raster {
    pub width: usize,
    pub values: Vec<f32>,
}

impl Raster {
    pub fn height(&self) -> usize {
        self.values.len() / self.width.max(1)
    }

    /// The value at a pixel, if any voxel fell on it.
    pub fn get(&self, x: usize, y: usize) -> Option<f32> {
        self.values.get(y * self.width + x).copied().filter(|value| !value.is_nan())
    }

    /// Takes the values of a box of pixels away.
    pub fn clear(&mut self, x: Range<usize>, y: Range<usize>) {
        y.for_each(|y| self.values[y * self.width..][x.clone()].fill(f32::NAN));
    }

    /// Mean and standard deviation of its pixels; 0 of none.
    pub fn statistics(&self) -> (f64, f64) {
        let values: Vec<f64> = self.values.iter().filter(|v| !v.is_nan()).map(|v| f64::from(*v)).collect();
        let count = values.len().max(1) as f64;
        let mean = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
        (mean, variance.sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pixel_is_the_mean_of_the_voxels_that_fall_on_it() {
        let scale = Scale::new(Span::new(100, 105), 2);
        let columns: Vec<usize> = (100..105).map(|x| scale.pixel(x)).collect();
        assert_eq!(columns, [0, 0, 0, 1, 1]);
        let mut whole = Accumulator::new(0..2, 0..1);
        let mut left = Accumulator::new(0..1, 0..1);
        left.add_row(Blend::Mean, &columns[..2], 0, &[1.0, 2.0]);
        let mut right = Accumulator::new(0..2, 0..1);
        right.add_row(Blend::Mean, &columns[2..], 0, &[6.0, 10.0, 20.0]);
        whole.merge(Blend::Mean, &left);
        whole.merge(Blend::Mean, &right);
        assert_eq!(whole.finish().values, [3.0, 15.0]);
    }

    #[test]
    fn ids_are_picked_and_never_mixed() {
        let mut ids = Accumulator::new(3..4, 7..8);
        ids.add_row(Blend::First, &[3, 3], 7, &[40.0, 2.0]);
        ids.add_row(Blend::First, &[3], 7, &[9.0]);
        assert_eq!(ids.finish().values, [40.0]);
    }

    #[test]
    fn pixels_without_voxels_have_no_value() {
        let raster = Accumulator::new(0..2, 0..2).finish();
        assert_eq!((raster.height(), raster.get(1, 1), raster.get(5, 9)), (2, None, None));
    }

    #[test]
    fn few_voxels_need_few_pixels() {
        assert_eq!(Scale::new(Span::new(-3, 4), 100).pixels, 7);
    }
}
