//! Which tiles and sections are empty, missing, or much unlike their neighbours.

use serde::Serialize;

use super::contrast::Contrast;
use super::gather::Section;
use super::likeness::{Likeness, offset_of};
use super::raster::{Blend, Raster, Scale};
use super::robust::{median, outliers};
use super::sampling::Sampling;
use super::trouble::{Kind, Trouble};
use crate::volume::Index;

/// Something to look at: a whole section, or one of its tiles.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Flag {
    /// The section; none for a tile that is the same in all of them.
    pub z: Option<i64>,
    /// The tile or chunk; none for a section as a whole.
    pub task: Option<Index>,
    #[serde(flatten)]
    pub trouble: Trouble,
}

/// Looks for what is odd.
pub struct Judge<'a> {
    sections: &'a [Section],
    /// The z of each section, ascending.
    z: &'a [i64],
    /// Each section without its tiles that are one value throughout: these have flags of their own.
    rasters: Vec<Raster>,
    blend: Blend,
    contrast: Contrast,
    /// Voxels of one pixel of a section's raster, x and y.
    pixel: [f64; 2],
}

/// What is so many robust standard deviations from the others is odd.
const FAR: f64 = 6.0;

/// Two sections that both fit better the other way round are odd sooner.
const FAR_SWAP: f64 = 3.0;

/// A section whose neighbours are more like each other than like it is odd somewhat sooner.
const FAR_STRANGER: f64 = 4.0;

/// Mean and standard deviation differ by at least this share of the contrast's range before they are told.
const LEAST_STEP: f64 = 0.08;

/// A section's neighbours are at least this much more like each other than like it before it is told.
const LEAST_GAIN: f64 = 0.03;

/// Two sections fit at least this much better the other way round before it is told. Small, as neighbours of neighbours
/// look much like neighbours.
const LEAST_SWAP: f64 = 0.004;

impl<'a> Judge<'a> {
    /// `scales` are those of the sections' rasters, x and y.
    pub fn new(
        sampling: &'a Sampling,
        sections: &'a [Section],
        scales: &[Scale; 2],
        blend: Blend,
        contrast: Contrast,
    ) -> Self {
        let masked = |section: &Section| {
            let mut raster = section.raster.clone();
            for (task, _) in &section.constants {
                let inside = sampling.inside(*task);
                raster.clear(scales[0].range(inside.x), scales[1].range(inside.y));
            }
            raster
        };
        let rasters = sections.iter().map(masked).collect();
        let pixel = scales.map(|scale| scale.span.len() as f64 / scale.pixels as f64);
        Judge { sections, z: &sampling.sections, rasters, blend, contrast, pixel }
    }

    /// Every flag, by section.
    pub fn flags(&self) -> Vec<Flag> {
        let mut flags = self.troubles();
        flags.extend(self.empty());
        let sound: Vec<usize> = (0..self.sections.len()).filter(|place| self.is_sound(*place)).collect();
        if self.blend == Blend::Mean {
            flags.extend(self.unlike(&sound));
        }
        flags.extend(self.misplaced(&sound));
        flags.sort_by_key(|flag| (flag.z, flag.task, flag.trouble.kind));
        flags
    }

    /// What could not be read. A section of which nothing could be read, for one reason, is one flag.
    fn troubles(&self) -> Vec<Flag> {
        let mut flags = Vec::new();
        for (section, &z) in self.sections.iter().zip(self.z) {
            let first = section.troubles.first().map(|(_, trouble)| trouble);
            match first {
                Some(first) if section.read == 0 && section.troubles.iter().all(|(_, other)| other == first) => {
                    flags.push(Flag { z: Some(z), task: None, trouble: first.clone() });
                }
                _ => flags.extend(section.troubles.iter().map(|(task, trouble)| Flag {
                    z: Some(z),
                    task: Some(*task),
                    trouble: trouble.clone(),
                })),
            }
        }
        flags
    }

    /// Sections and tiles that are one value throughout. A tile that is so in every section is told once.
    fn empty(&self) -> Vec<Flag> {
        let mut flags = Vec::new();
        let mut always = Vec::new();
        for (section, &z) in self.sections.iter().zip(self.z) {
            if is_empty(section) {
                let trouble = Trouble::new(Kind::Empty, value_text(section.constants[0].1));
                flags.push(Flag { z: Some(z), task: None, trouble });
                continue;
            }
            for (task, value) in &section.constants {
                let trouble = Trouble::new(Kind::Empty, value_text(*value));
                if !self.is_always_empty(*task) {
                    flags.push(Flag { z: Some(z), task: Some(*task), trouble });
                } else if !always.contains(&(task.x, task.y)) {
                    always.push((task.x, task.y));
                    flags.push(Flag { z: None, task: Some(*task), trouble });
                }
            }
        }
        flags
    }

    /// Whether the tile is empty in every section of which it was read, and there are several.
    fn is_always_empty(&self, task: Index) -> bool {
        let is_here = |at: &Index| (at.x, at.y) == (task.x, task.y);
        let empty = self.sections.iter().filter(|section| section.constants.iter().any(|(at, _)| is_here(at))).count();
        let failed = self.sections.iter().filter(|section| section.troubles.iter().any(|(at, _)| is_here(at))).count();
        empty > 1 && empty + failed == self.sections.len()
    }

    /// Whether a section can be compared with others.
    fn is_sound(&self, place: usize) -> bool {
        let section = &self.sections[place];
        section.read > 0 && !is_empty(section)
    }

    /// Sections whose brightness or contrast is not that of the sections around them.
    fn unlike(&self, sound: &[usize]) -> Vec<Flag> {
        let statistics: Vec<(f64, f64)> = sound.iter().map(|place| self.rasters[*place].statistics()).collect();
        let judged = |values: Vec<f64>, words: [&'static str; 2]| {
            let steps = steps(&values);
            let least = LEAST_STEP * self.contrast.range();
            let odd = outliers(&steps, FAR, least);
            odd.into_iter().map(move |n| (n, if steps[n] > 0.0 { words[0] } else { words[1] }.to_owned()))
        };
        let brightness = judged(statistics.iter().map(|(mean, _)| *mean).collect(), ["brighter", "darker"]);
        let richness =
            judged(statistics.iter().map(|(_, deviation)| *deviation).collect(), ["richer in contrast", "flatter"]);
        let mut words: Vec<(usize, String)> = brightness.collect();
        for (n, word) in richness {
            match words.iter_mut().find(|(other, _)| *other == n) {
                Some((_, words)) => *words += &format!(" and {word}"),
                None => words.push((n, word)),
            }
        }
        let flag = |(n, words): (usize, String)| {
            let (mean, deviation) = statistics[n];
            let reason = format!("{words} than its neighbours: mean {mean:.1}, standard deviation {deviation:.1}");
            Flag { z: Some(self.z[sound[n]]), task: None, trouble: Trouble::new(Kind::Unlike, reason) }
        };
        words.into_iter().map(flag).collect()
    }

    /// Sections that do not look like their neighbours, although these look like each other.
    fn misplaced(&self, sound: &[usize]) -> Vec<Flag> {
        if sound.len() < 4 {
            return Vec::new();
        }
        let likeness = Likeness::new(sound.iter().map(|place| &self.rasters[*place]).collect(), self.blend);
        let mut flags = Vec::new();
        for n in swapped(&likeness) {
            for (here, there) in [(n, n + 1), (n + 1, n)] {
                let reason = format!("looks as if it belongs at z {}", self.z[sound[there]]);
                let trouble = Trouble::new(Kind::Swapped, reason);
                flags.push(Flag { z: Some(self.z[sound[here]]), task: None, trouble });
            }
        }
        for n in strangers(&likeness) {
            let neighbour = if n + 1 < likeness.len() { n + 1 } else { n - 1 };
            let trouble = self.stranger(&likeness, n, neighbour);
            flags.push(Flag { z: Some(self.z[sound[n]]), task: None, trouble });
        }
        flags
    }

    /// What became of section `n` that does not look like `neighbour`.
    fn stranger(&self, likeness: &Likeness, n: usize, neighbour: usize) -> Trouble {
        let (here, there) = (likeness.raster(n), likeness.raster(neighbour));
        let plain = likeness.between(n, neighbour);
        let mirrored = likeness.mirrored(n, neighbour);
        let shifted = offset_of(here, there, self.blend, plain);
        let is_mirrored = mirrored.map(|(like, _)| like) > shifted.map(|(like, _)| like);
        if let Some((_, how)) = mirrored.filter(|_| is_mirrored) {
            return Trouble::new(Kind::Mirrored, format!("{how}, compared with its neighbours"));
        }
        if let Some((_, [x, y])) = shifted {
            let [x, y] = [x as f64 * self.pixel[0], y as f64 * self.pixel[1]].map(|by| by.round() as i64);
            return Trouble::new(Kind::Shifted, format!("by about x {x:+}, y {y:+} voxels against its neighbours"));
        }
        Trouble::new(Kind::Unlike, "does not look like its neighbours, which look like each other")
    }
}

fn is_empty(section: &Section) -> bool {
    let first = section.constants.first().map(|(_, value)| *value);
    section.read > 0 && section.constants.len() == section.read && section.constants.iter().all(|c| Some(c.1) == first)
}

fn value_text(value: f64) -> String {
    format!("every voxel is {value}")
}

/// How far each value is from the median of up to two before it and two behind it.
fn steps(values: &[f64]) -> Vec<f64> {
    let step = |n: usize| {
        let around = n.saturating_sub(2)..(n + 3).min(values.len());
        let others: Vec<f64> = around.filter(|other| *other != n).map(|other| values[other]).collect();
        if others.is_empty() { 0.0 } else { values[n] - median(others) }
    };
    (0..values.len()).map(step).collect()
}

/// The first of each pair of neighbours that would fit better the other way round.
fn swapped(likeness: &Likeness) -> Vec<usize> {
    let like = |a, b| likeness.between(a, b);
    let pairs: Vec<usize> = (1..likeness.len().saturating_sub(2)).collect();
    let gains = pairs.iter().map(|&n| {
        let [before, after] = [like(n - 1, n + 1) - like(n - 1, n), like(n, n + 2) - like(n + 1, n + 2)];
        before.min(after)
    });
    let gains: Vec<f64> = gains.collect();
    let mut found: Vec<usize> = Vec::new();
    for place in outliers(&gains, FAR_SWAP, LEAST_SWAP) {
        if gains[place] > 0.0 && found.last() != Some(&pairs[place].wrapping_sub(1)) {
            found.push(pairs[place]);
        }
    }
    found
}

/// Sections that are less like both neighbours than these are like each other.
fn strangers(likeness: &Likeness) -> Vec<usize> {
    let last = likeness.len() - 1;
    let gain = |n: usize| {
        let [a, b] = if n == 0 {
            [1, 2]
        } else if n == last {
            [last - 1, last - 2]
        } else {
            [n - 1, n + 1]
        };
        likeness.between(a, b) - likeness.between(n, a).max(likeness.between(n, b))
    };
    let gains: Vec<f64> = (0..likeness.len()).map(gain).collect();
    outliers(&gains, FAR_STRANGER, LEAST_GAIN).into_iter().filter(|n| gains[*n] > 0.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preview::Point;
    use crate::volume::{Extent, Grid, Span, TileGrid, TileSize};

    const SIDE: i64 = 48;

    /// The value of a section's pixel: a pattern that changes slowly with z and is like no mirror image of itself.
    fn value(x: i64, y: i64, z: i64) -> f32 {
        let [x, y, z] = [x, y, z].map(|at| at as f64);
        let waves = (x / 5.0 + z / 4.0).sin() + (y / 7.0 - z / 5.0).cos() + (x * y / 300.0).sin();
        (100.0 + 30.0 * waves + x / 2.0) as f32
    }

    fn section(z: i64, shown: impl Fn(i64, i64) -> f32) -> Section {
        let pixels = (0..SIDE * SIDE).map(|n| shown(n % SIDE, n / SIDE));
        let raster = Raster { width: SIDE as usize, values: pixels.collect() };
        let is_flat = raster.values.iter().all(|value| *value == raster.values[0]);
        let constants = is_flat.then(|| (Index::new(0, 0, z, 0), raster.values[0].into()));
        Section { raster, constants: constants.into_iter().collect(), troubles: vec![], read: 1 }
    }

    /// The flags of 24 sections, of which `change` makes others.
    fn flags(change: impl Fn(&mut Vec<Section>)) -> Vec<(i64, Kind, String)> {
        let span = |stop| Span::new(0, stop);
        let extent = Extent { x: span(SIDE), y: span(SIDE), z: span(24), t: span(1) };
        let grid = Grid::Tiles(TileGrid { extent, tile_size: TileSize { x: 512, y: 512 } });
        let sampling = Sampling::choose(grid, Point { x: 0, y: 0, z: 0 }, 0, 100);
        let mut sections: Vec<Section> = (0..24).map(|z| section(z, |x, y| value(x, y, z))).collect();
        change(&mut sections);
        let scales = [Scale::new(span(SIDE), SIDE as usize); 2];
        let contrast = Contrast { low: 0.0, high: 255.0, is_fixed: true };
        let flags = Judge::new(&sampling, &sections, &scales, Blend::Mean, contrast).flags();
        flags.into_iter().map(|flag| (flag.z.unwrap(), flag.trouble.kind, flag.trouble.reason)).collect()
    }

    #[test]
    fn a_sound_stack_has_no_flags() {
        assert_eq!(flags(|_| {}), []);
    }

    #[test]
    fn swapped_sections_are_told_with_their_places() {
        let found = flags(|sections| sections.swap(8, 9));
        let belongs = |z: i64, to: i64| (z, Kind::Swapped, format!("looks as if it belongs at z {to}"));
        assert_eq!(found, [belongs(8, 9), belongs(9, 8)]);
    }

    #[test]
    fn a_shifted_section_is_told_with_its_shift() {
        let found = flags(|sections| sections[12] = section(12, |x, y| value(x - 7, y + 5, 12)));
        let [(12, Kind::Shifted, reason)] = found.as_slice() else { panic!("{found:?}") };
        let numbers: Vec<i64> = reason.split([' ', ',']).filter_map(|word| word.parse().ok()).collect();
        assert!((numbers[0] - 7).abs() <= 1 && (numbers[1] + 5).abs() <= 1, "{reason}");
    }

    #[test]
    fn mirrored_and_turned_sections_are_told_apart() {
        let last = SIDE - 1;
        let found = flags(|sections| {
            sections[3] = section(3, |x, y| value(last - x, y, 3));
            sections[11] = section(11, |x, y| value(x, last - y, 11));
            sections[19] = section(19, |x, y| value(last - x, last - y, 19));
        });
        let told: Vec<(i64, &str)> = found.iter().map(|(z, _, why)| (*z, why.split(',').next().unwrap())).collect();
        assert_eq!(told, [(3, "mirrored left to right"), (11, "mirrored top to bottom"), (19, "turned upside down")]);
    }

    #[test]
    fn a_dark_section_and_an_empty_one_are_told() {
        let found = flags(|sections| {
            sections[5] = section(5, |x, y| value(x, y, 5) / 2.0);
            sections[0] = section(0, |_, _| 255.0);
        });
        assert_eq!(found[0], (0, Kind::Empty, "every voxel is 255".to_owned()));
        assert!(found[1].0 == 5 && found[1].2.starts_with("darker"), "{found:?}");
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn a_section_that_fails_as_a_whole_is_one_flag() {
        let trouble = |reason: &str| Trouble::new(Kind::Unreadable, reason);
        let failed = |troubles: Vec<(Index, Trouble)>| Section { read: 0, troubles, ..section(9, |_, _| f32::NAN) };
        let at = |x: i64| Index::new(x, 0, 9, 0);
        let same = flags(|all| all[9] = failed(vec![(at(0), trouble("damaged")), (at(1), trouble("damaged"))]));
        assert_eq!(same, [(9, Kind::Unreadable, "damaged".to_owned())]);
        let differing = flags(|all| all[9] = failed(vec![(at(0), trouble("damaged")), (at(1), trouble("gone"))]));
        assert_eq!(differing.len(), 2);
    }
}
