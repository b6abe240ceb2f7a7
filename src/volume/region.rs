//! Ranges and boxes of voxels.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A half-open range `start..stop` of voxels on one axis. May lie below zero: a region may reach outside its volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "[i64; 2]", into = "[i64; 2]")]
pub struct Span {
    pub start: i64,
    pub stop: i64,
}

impl Span {
    pub fn new(start: i64, stop: i64) -> Self {
        Span { start, stop }
    }

    /// The single position `at..at + 1`.
    pub fn one(at: i64) -> Self {
        Span::new(at, at.saturating_add(1))
    }

    /// The `index`-th of the steps of `step` voxels that start at 0.
    pub fn step(index: i64, step: u64) -> Self {
        let step = i64::try_from(step).unwrap_or(i64::MAX);
        let start = index.saturating_mul(step);
        Span::new(start, start.saturating_add(step))
    }

    /// Number of voxels; 0 when `stop` is not above `start`.
    pub fn len(self) -> u64 {
        if self.is_empty() { 0 } else { self.stop.abs_diff(self.start) }
    }

    pub fn is_empty(self) -> bool {
        self.stop <= self.start
    }

    pub fn contains(self, at: i64) -> bool {
        self.start <= at && at < self.stop
    }

    /// What both ranges cover; empty when they do not meet.
    pub fn intersect(self, other: Span) -> Span {
        let start = self.start.max(other.start);
        Span::new(start, self.stop.min(other.stop).max(start))
    }

    /// Whether every voxel of `other` is in this range.
    pub fn covers(self, other: Span) -> bool {
        self.start <= other.start && other.stop <= self.stop
    }

    /// The range moved by `by` voxels.
    pub fn shift(self, by: i64) -> Span {
        Span::new(self.start.saturating_add(by), self.stop.saturating_add(by))
    }
}

impl From<[i64; 2]> for Span {
    fn from([start, stop]: [i64; 2]) -> Self {
        Span::new(start, stop)
    }
}

impl From<Span> for [i64; 2] {
    fn from(span: Span) -> Self {
        [span.start, span.stop]
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.stop)
    }
}

/// A number of voxels on each image axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Size {
    pub x: u64,
    pub y: u64,
    pub z: u64,
}

impl Size {
    pub const fn new(x: u64, y: u64, z: u64) -> Self {
        Size { x, y, z }
    }

    /// Number of voxels; saturates instead of overflowing.
    pub fn voxels(self) -> u64 {
        self.x.saturating_mul(self.y).saturating_mul(self.z)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} × {} × {}", self.x, self.y, self.z)
    }
}

/// A box of voxels: a half-open range on each image axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Region {
    pub x: Span,
    pub y: Span,
    pub z: Span,
}

impl Region {
    pub fn new(x: Span, y: Span, z: Span) -> Self {
        Region { x, y, z }
    }

    /// The box of `size` whose first voxel is the origin.
    pub fn of_size(size: Size) -> Self {
        let span = |len: u64| Span::new(0, i64::try_from(len).unwrap_or(i64::MAX));
        Region::new(span(size.x), span(size.y), span(size.z))
    }

    pub fn size(&self) -> Size {
        Size::new(self.x.len(), self.y.len(), self.z.len())
    }

    pub fn is_empty(&self) -> bool {
        self.x.is_empty() || self.y.is_empty() || self.z.is_empty()
    }

    /// What both boxes cover; empty when they do not meet.
    pub fn intersect(&self, other: &Region) -> Region {
        Region::new(self.x.intersect(other.x), self.y.intersect(other.y), self.z.intersect(other.z))
    }

    /// Whether every voxel of `other` is in this box.
    pub fn covers(&self, other: &Region) -> bool {
        self.x.covers(other.x) && self.y.covers(other.y) && self.z.covers(other.z)
    }

    /// The smallest box that covers both.
    pub fn hull(&self, other: &Region) -> Region {
        let hull = |a: Span, b: Span| Span::new(a.start.min(b.start), a.stop.max(b.stop));
        Region::new(hull(self.x, other.x), hull(self.y, other.y), hull(self.z, other.z))
    }

    /// The boxes, apart from each other, that make up this one without `other`.
    pub fn without(&self, other: &Region) -> Vec<Region> {
        let both = self.intersect(other);
        if both.is_empty() {
            return vec![*self];
        }
        let sides = |all: Span, cut: Span| [Span::new(all.start, cut.start), Span::new(cut.stop, all.stop)];
        let z = sides(self.z, both.z).map(|z| Region { z, ..*self });
        let y = sides(self.y, both.y).map(|y| Region { y, z: both.z, ..*self });
        let x = sides(self.x, both.x).map(|x| Region { x, y: both.y, z: both.z });
        [z, y, x].into_iter().flatten().filter(|part| !part.is_empty()).collect()
    }

    /// The boxes, apart from each other, that make up this one without any of `others`. Boxes that lie on each other in z are
    /// taken as one, so that the sections of a stack leave few.
    pub fn without_all(&self, others: &[Region]) -> Vec<Region> {
        let mut others = others.to_vec();
        others.sort_by_key(|other| (other.x.start, other.x.stop, other.y.start, other.y.stop, other.z.start));
        others.dedup_by(|upper, lower| {
            let is_on_it = (upper.x, upper.y) == (lower.x, lower.y) && upper.z.start <= lower.z.stop;
            if is_on_it {
                lower.z.stop = lower.z.stop.max(upper.z.stop);
            }
            is_on_it
        });
        others.iter().fold(vec![*self], |rest, other| rest.iter().flat_map(|part| part.without(other)).collect())
    }

    /// The box moved by so many voxels.
    pub fn shift(&self, x: i64, y: i64, z: i64) -> Region {
        Region::new(self.x.shift(x), self.y.shift(y), self.z.shift(z))
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "x {}, y {}, z {}", self.x, self.y, self.z)
    }
}

/// The half-open range of voxels per axis that a job covers; `t` counts time samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Extent {
    pub x: Span,
    pub y: Span,
    pub z: Span,
    pub t: Span,
}

impl Extent {
    /// The image axes of the extent.
    pub fn region(&self) -> Region {
        Region::new(self.x, self.y, self.z)
    }

    /// Number of voxels over all time samples; saturates instead of overflowing.
    pub fn voxels(&self) -> u64 {
        self.region().size().voxels().saturating_mul(self.t.len())
    }
}

impl fmt::Display for Extent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, t {}", self.region(), self.t)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_do_not_meet_have_an_empty_intersection() {
        let cases =
            [((0, 5), (5, 9), 0), ((0, 5), (4, 9), 1), ((-3, 2), (-1, 1), 2), ((7, 9), (0, 3), 0), ((5, 2), (0, 9), 0)];
        for ((a, b), (c, d), len) in cases {
            let both = Span::new(a, b).intersect(Span::new(c, d));
            assert_eq!(both.len(), len, "{a}..{b} with {c}..{d}");
        }
    }

    #[test]
    fn extreme_ranges_do_not_overflow() {
        assert_eq!(Span::new(i64::MIN, i64::MAX).len(), u64::MAX);
        assert_eq!(Span::one(i64::MAX).len(), 0);
        assert_eq!(Span::step(i64::MAX, u64::MAX), Span::new(i64::MAX, i64::MAX));
        assert_eq!(Size::new(u64::MAX, 2, 2).voxels(), u64::MAX);
    }

    #[test]
    fn what_is_left_of_a_box_is_every_voxel_outside_the_other() {
        let span = Span::new;
        let all = Region::new(span(0, 5), span(-2, 3), span(1, 4));
        let others = [
            Region::new(span(1, 3), span(0, 2), span(2, 3)),
            Region::new(span(-9, 2), span(-9, 9), span(0, 9)),
            Region::new(span(9, 12), span(0, 1), span(2, 3)),
            all,
        ];
        for other in others {
            let rest = all.without(&other);
            for (x, y, z) in (0..5).flat_map(|x| (-2..3).flat_map(move |y| (1..4).map(move |z| (x, y, z)))) {
                let voxel = Region::new(Span::one(x), Span::one(y), Span::one(z));
                let holders = rest.iter().filter(|part| part.covers(&voxel)).count();
                assert_eq!(holders, usize::from(!other.covers(&voxel)), "{voxel} without {other}");
            }
        }
    }

    #[test]
    fn sections_of_a_stack_leave_one_box() {
        let section = |z| Region::new(Span::new(0, 5), Span::new(0, 4), Span::one(z));
        let all = Region::of_size(Size::new(5, 4, 9));
        let rest = all.without_all(&[4, 2, 3, 1, 0, 3].map(section));
        assert_eq!(rest, [Region { z: Span::new(5, 9), ..all }]);
        assert_eq!(all.without_all(&[]), [all]);
        assert_eq!(all.without_all(&[section(2), section(7)]).len(), 3);
    }

    #[test]
    fn a_region_reads_as_in_messages() {
        let region = Region::new(Span::new(3072, 4096), Span::new(0, 1024), Span::one(117));
        assert_eq!(region.to_string(), "x 3072..4096, y 0..1024, z 117..118");
        assert_eq!(serde_json::to_string(&region).unwrap(), r#"{"x":[3072,4096],"y":[0,1024],"z":[117,118]}"#);
    }
}
