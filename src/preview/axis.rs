//! Numbers along an axis, and the bar that says how large things are.

use crate::volume::Span;

/// One axis of a panel: the voxels `span` over `pixels` pixels.
#[derive(Clone, Copy, Debug)]
pub struct Axis {
    pub name: char,
    pub span: Span,
    pub pixels: usize,
}

impl Axis {
    /// The pixel of a voxel's middle, counted from the panel's first.
    pub fn middle(&self, voxel: i64) -> usize {
        let place = (voxel - self.span.start) as f64 + 0.5;
        ((place * self.pixels as f64 / self.span.len() as f64) as usize).min(self.pixels.saturating_sub(1))
    }

    /// Where the range of voxels begins and ends, in pixels from the panel's first; at least one pixel.
    pub fn range(&self, voxels: Span) -> (usize, usize) {
        let pixel = |voxel: i64| {
            let place = (voxel - self.span.start) as f64 / self.span.len() as f64;
            ((place * self.pixels as f64).round().max(0.0) as usize).min(self.pixels)
        };
        let (start, stop) = (pixel(voxels.start), pixel(voxels.stop));
        let start = start.min(self.pixels.saturating_sub(1));
        (start, stop.max(start + 1))
    }

    /// The voxel under a pixel.
    pub fn voxel(&self, pixel: usize) -> i64 {
        let place = pixel as u128 * u128::from(self.span.len()) / self.pixels.max(1) as u128;
        self.span.start + place as i64
    }

    /// Round numbers of voxels, at least `gap` pixels apart.
    pub fn ticks(&self, gap: usize) -> Vec<i64> {
        let least = self.span.len() as f64 * gap as f64 / self.pixels.max(1) as f64;
        let step = (round_up(least) as i64).max(1);
        let first = self.span.start.div_euclid(step) * step;
        let all = (0..).map(|n| first + n * step).take_while(|voxel| *voxel < self.span.stop);
        all.filter(|voxel| *voxel >= self.span.start).collect()
    }
}

/// The smallest of 1, 2, 5, 10, 20, 50, … that is not below `value`; 1 at least.
fn round_up(value: f64) -> f64 {
    let mut unit = 1.0;
    loop {
        for step in [1.0, 2.0, 5.0] {
            if unit * step >= value {
                return unit * step;
            }
        }
        unit *= 10.0;
    }
}

/// A length to draw, and what to write beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct ScaleBar {
    pub pixels: usize,
    pub label: String,
}

impl ScaleBar {
    /// The longest bar of a round length that is at most `most` pixels. One pixel is `voxels` voxels, a voxel `nm`
    /// nanometres where that is known.
    pub fn new(most: usize, voxels: f64, nm: Option<f64>) -> Self {
        let pixel = voxels * nm.unwrap_or(1.0);
        let longest = most as f64 * pixel;
        // Finer than one voxel or nanometre a bar needs no more than thousandths.
        let unit = if longest < 1.0 { 0.001 } else { 1.0 };
        let mut length = round_up(longest / unit + f64::EPSILON);
        while length * unit > longest {
            length = below(length);
        }
        let length = length * unit;
        let label = match nm {
            None if length == 1.0 => "1 voxel".to_owned(),
            None => format!("{length} voxels"),
            Some(_) if length >= 1e6 => format!("{} mm", length / 1e6),
            Some(_) if length >= 1e3 => format!("{} µm", length / 1e3),
            Some(_) => format!("{length} nm"),
        };
        ScaleBar { pixels: (length / pixel).round() as usize, label }
    }
}

/// The number before one of 1, 2, 5, 10, 20, 50, …
fn below(value: f64) -> f64 {
    let mantissa = value / 10f64.powf(value.log10().floor());
    if mantissa.round() == 5.0 { value / 2.5 } else { value / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_numbers_in_the_extent_and_not_crowded() {
        let axis = |start, stop, pixels| Axis { name: 'x', span: Span::new(start, stop), pixels };
        assert_eq!(axis(0, 1500, 760).ticks(70), [0, 200, 400, 600, 800, 1000, 1200, 1400]);
        assert_eq!(axis(0, 2, 110).ticks(40), [0, 1]);
        assert_eq!(axis(-130, 70, 400).ticks(70), [-100, -50, 0, 50]);
        assert_eq!(axis(7, 8, 200).ticks(40), [7]);
        for ticks in [axis(0, 100_000, 700).ticks(70), axis(123, 999_999, 320).ticks(40)] {
            assert!((2..12).contains(&ticks.len()), "{ticks:?}");
        }
    }

    #[test]
    fn pixels_and_voxels_meet() {
        let axis = Axis { name: 'z', span: Span::new(10, 14), pixels: 100 };
        assert_eq!([10, 11, 13].map(|z| axis.middle(z)), [12, 37, 87]);
        assert_eq!(axis.range(Span::new(11, 12)), (25, 50));
        assert_eq!([0, 24, 25, 99].map(|pixel| axis.voxel(pixel)), [10, 10, 11, 13]);
        let dense = Axis { name: 'z', span: Span::new(0, 1000), pixels: 100 };
        assert_eq!(dense.range(Span::one(999)), (99, 100));
    }

    #[test]
    fn a_bar_is_round_in_voxels_or_in_micrometres() {
        let bar = |most, voxels, nm| ScaleBar::new(most, voxels, nm);
        assert_eq!(bar(200, 2.0, None), ScaleBar { pixels: 100, label: "200 voxels".to_owned() });
        assert_eq!(bar(200, 2.0, Some(4.0)), ScaleBar { pixels: 125, label: "1 µm".to_owned() });
        assert_eq!(bar(200, 0.1, Some(4.0)), ScaleBar { pixels: 125, label: "50 nm".to_owned() });
        assert_eq!(bar(200, 100.0, Some(400.0)).label, "5 mm");
        assert_eq!(bar(120, 0.01, None), ScaleBar { pixels: 100, label: "1 voxel".to_owned() });
        assert_eq!(bar(90, 0.01, None), ScaleBar { pixels: 50, label: "0.5 voxels".to_owned() });
    }
}
