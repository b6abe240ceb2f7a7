//! How much two sections look alike.

use super::raster::{Blend, Raster};

/// The likeness of sections that are read one after the other.
pub struct Likeness<'a> {
    rasters: Vec<&'a Raster>,
    blend: Blend,
}

/// A mirrored or moved section must look this much more like its neighbour once it is put right.
const CLEAR_GAIN: f64 = 0.1;

/// Pixels along the longer side of the rasters in which a shift is looked for.
const COARSE: usize = 64;

impl<'a> Likeness<'a> {
    pub fn new(rasters: Vec<&'a Raster>, blend: Blend) -> Self {
        Likeness { rasters, blend }
    }

    pub fn len(&self) -> usize {
        self.rasters.len()
    }

    pub fn raster(&self, n: usize) -> &'a Raster {
        self.rasters[n]
    }

    /// 1 for sections that are the same but for brightness and contrast, about 0 for those that have nothing in common.
    pub fn between(&self, a: usize, b: usize) -> f64 {
        let pairs = self.rasters[a].values.iter().zip(&self.rasters[b].values);
        of(self.blend, pairs.map(|(a, b)| (f64::from(*a), f64::from(*b))))
    }

    /// How section `a` is turned, when it looks much more like `b` once that is undone, and how much it does then.
    pub fn mirrored(&self, a: usize, b: usize) -> Option<(f64, &'static str)> {
        const TURNS: [(&str, bool, bool); 3] = [
            ("mirrored left to right", true, false),
            ("mirrored top to bottom", false, true),
            ("turned upside down", true, true),
        ];
        let (width, height) = (self.rasters[a].width, self.rasters[a].height());
        let turned = |x: bool, y: bool| {
            let at = move |n: usize| {
                let (column, row) = (n % width, n / width);
                (if y { height - 1 - row } else { row }) * width + if x { width - 1 - column } else { column }
            };
            let pair = move |n: usize| (f64::from(self.rasters[a].values[at(n)]), f64::from(self.rasters[b].values[n]));
            of(self.blend, (0..width * height).map(pair))
        };
        let found = TURNS.map(|(name, x, y)| (name, turned(x, y)));
        let best = found.into_iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
        (best.1 > self.between(a, b) + CLEAR_GAIN && best.1 > 0.5).then_some((best.1, best.0))
    }
}

/// The shift in pixels `[x, y]` that `here` has against `there`, when undoing it makes them much more alike than
/// `plain`, and how alike they are then. Shifts of up to a quarter of the section are tried.
pub fn offset_of(here: &Raster, there: &Raster, blend: Blend, plain: f64) -> Option<(f64, [i64; 2])> {
    let step = here.width.max(here.height()).div_ceil(COARSE).max(1);
    let (width, height) = (here.width as i64, here.height() as i64);
    let alike = |dx: i64, dy: i64, step: usize| {
        let pixels = (0..height).step_by(step).flat_map(move |y| (0..width).step_by(step).map(move |x| (x, y)));
        let inside = pixels.filter(|(x, y)| (0..width).contains(&(x + dx)) && (0..height).contains(&(y + dy)));
        let value = |raster: &Raster, x: i64, y: i64| f64::from(raster.values[(y * width + x) as usize]);
        of(blend, inside.map(|(x, y)| (value(here, x + dx, y + dy), value(there, x, y))))
    };
    let best = |xs: std::ops::RangeInclusive<i64>, ys: std::ops::RangeInclusive<i64>, by: usize, sampled: usize| {
        let tried = ys.step_by(by).flat_map(|y| xs.clone().step_by(by).map(move |x| [x, y]));
        tried.map(|[x, y]| (alike(x, y, sampled), [x, y])).max_by(|a, b| a.0.total_cmp(&b.0))
    };
    let reach = |size: i64| size / 4 / step as i64 * step as i64;
    let (x, y) = (reach(width), reach(height));
    let (_, [x, y]) = best(-x..=x, -y..=y, step, 2 * step)?;
    let around = |at: i64| at - step as i64..=at + step as i64;
    let (like, [x, y]) = best(around(x), around(y), 1, step)?;
    ((x, y) != (0, 0) && like > plain + CLEAR_GAIN && like > 0.5).then_some((like, [x, y]))
}

fn of(blend: Blend, pairs: impl Iterator<Item = (f64, f64)>) -> f64 {
    let pairs = pairs.filter(|(a, b)| !a.is_nan() && !b.is_nan());
    match blend {
        Blend::Mean => correlation(pairs),
        Blend::First => overlap(pairs),
    }
}

/// Pearson's correlation coefficient; 0 where one side has a single value.
fn correlation(pairs: impl Iterator<Item = (f64, f64)>) -> f64 {
    let [mut n, mut a, mut b, mut aa, mut bb, mut ab] = [0.0; 6];
    for (x, y) in pairs {
        n += 1.0;
        a += x;
        b += y;
        aa += x * x;
        bb += y * y;
        ab += x * y;
    }
    let spread = (n * aa - a * a) * (n * bb - b * b);
    if spread > 0.0 { (n * ab - a * b) / spread.sqrt() } else { 0.0 }
}

/// The share of pixels with the same id, of those where at least one has an id.
fn overlap(pairs: impl Iterator<Item = (f64, f64)>) -> f64 {
    let (mut same, mut all) = (0.0, 0.0);
    for (a, b) in pairs.filter(|pair| *pair != (0.0, 0.0)) {
        all += 1.0;
        same += f64::from(u8::from(a == b));
    }
    if all > 0.0 { same / all } else { 0.0 }
}
