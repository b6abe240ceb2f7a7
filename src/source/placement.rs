//! Where the voxels of one image lie in another: axes exchanged, mirrored, moved.

use ndarray::{ArrayView4, ArrayViewMut4, Axis as Dimension};

use super::Axis;
use crate::volume::{Block, Region, Size, Span};

/// A map from the voxels of one image to those of another, both counted on (x, y, z): `to[a] = sign[a] · from[axis[a]] +
/// shift[a]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Placement {
    axis: [usize; 3],
    sign: [i64; 3],
    shift: [i64; 3],
}

impl Placement {
    /// Each voxel moves by so many voxels on x, y, z.
    pub fn shift(shift: [i64; 3]) -> Self {
        Placement { axis: [0, 1, 2], sign: [1; 3], shift }
    }

    /// Axis `n` of the new image is axis `axes[n]` of the old one.
    pub fn exchange(axes: [Axis; 3]) -> Self {
        Placement { axis: axes.map(|axis| axis as usize), ..Placement::shift([0; 3]) }
    }

    /// Mirrors an axis of an image with these bounds; they stay the same.
    pub fn flip(axis: Axis, bounds: &Region) -> Self {
        let span = spans(bounds)[axis as usize];
        let mut flip = Placement::shift([0; 3]);
        flip.sign[axis as usize] = -1;
        flip.shift[axis as usize] = span.start.saturating_add(span.stop).saturating_sub(1);
        flip
    }

    /// A quarter clockwise: what was below is left, and the new image starts at x 0, y 0.
    pub fn quarter_turn(bounds: &Region) -> Self {
        let shift = [bounds.y.stop.saturating_sub(1), -bounds.x.start, 0];
        Placement { axis: [1, 0, 2], sign: [-1, 1, 1], shift }
    }

    /// First the other, then this.
    #[must_use]
    pub fn after(&self, first: &Placement) -> Self {
        let mut both = *self;
        for to in 0..3 {
            let middle = self.axis[to];
            both.axis[to] = first.axis[middle];
            both.sign[to] = self.sign[to] * first.sign[middle];
            both.shift[to] = self.sign[to].saturating_mul(first.shift[middle]).saturating_add(self.shift[to]);
        }
        both
    }

    #[must_use]
    pub fn inverse(&self) -> Self {
        let mut inverse = *self;
        for to in 0..3 {
            let from = self.axis[to];
            inverse.axis[from] = to;
            inverse.sign[from] = self.sign[to];
            inverse.shift[from] = (-self.sign[to]).saturating_mul(self.shift[to]);
        }
        inverse
    }

    /// Where a box comes to lie.
    pub fn map(&self, region: &Region) -> Region {
        let from = spans(region);
        let to = [0, 1, 2].map(|to| {
            let Span { start, stop } = from[self.axis[to]];
            if self.sign[to] > 0 {
                Span::new(start, stop).shift(self.shift[to])
            } else {
                let last = self.shift[to].saturating_add(1);
                Span::new(last.saturating_sub(stop), last.saturating_sub(start))
            }
        });
        Region::new(to[0], to[1], to[2])
    }

    /// Where a voxel comes to lie.
    pub fn map_voxel(&self, (x, y, z): (i64, i64, i64)) -> (i64, i64, i64) {
        let to = self.map(&Region::new(Span::one(x), Span::one(y), Span::one(z)));
        (to.x.start, to.y.start, to.z.start)
    }

    /// Whether voxels are moved and nothing else.
    pub fn is_shift(&self) -> bool {
        self.axis == [0, 1, 2] && self.sign == [1; 3]
    }

    /// The block with its axes exchanged and mirrored.
    pub fn turn(&self, block: &Block) -> Block {
        let item = block.dtype().size_bytes();
        let mut turned = Block::zeros(block.dtype(), self.map(&Region::of_size(block.size())).size());
        // Array axes are z, y, x: axis `a` of the image is axis `2 - a` of the array.
        let mut from = voxels(block.as_bytes(), block.size(), item);
        from = from.permuted_axes([2, 1, 0, 3].map(|n| if n == 3 { 3 } else { 2 - self.axis[n] }));
        for (to, sign) in self.sign.iter().enumerate() {
            if *sign < 0 {
                from.invert_axis(Dimension(2 - to));
            }
        }
        let size = turned.size();
        voxels_mut(turned.as_bytes_mut(), size, item).assign(&from);
        turned
    }
}

fn spans(region: &Region) -> [Span; 3] {
    [region.x, region.y, region.z]
}

fn voxels(bytes: &[u8], size: Size, item: usize) -> ArrayView4<'_, u8> {
    ArrayView4::from_shape(shape(size, item), bytes).expect("a block has as many bytes as its size says")
}

fn voxels_mut(bytes: &mut [u8], size: Size, item: usize) -> ArrayViewMut4<'_, u8> {
    ArrayViewMut4::from_shape(shape(size, item), bytes).expect("a block has as many bytes as its size says")
}

fn shape(size: Size, item: usize) -> (usize, usize, usize, usize) {
    (size.z as usize, size.y as usize, size.x as usize, item)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::volume::Dtype;

    /// Two rows of three: 0 1 2, 3 4 5.
    fn six() -> Block {
        Block::from_bytes(Dtype::Uint16, Size::new(3, 2, 1), (0..6u16).flat_map(u16::to_le_bytes).collect()).unwrap()
    }

    fn values(block: &Block) -> Vec<u8> {
        block.as_bytes().chunks(2).map(|voxel| voxel[0]).collect()
    }

    #[test]
    fn images_are_mirrored_turned_and_exchanged() {
        let bounds = Region::of_size(Size::new(3, 2, 1));
        let quarter = Placement::quarter_turn(&bounds);
        let half = Placement::quarter_turn(&quarter.map(&bounds)).after(&quarter);
        let cases = [
            (Placement::shift([5, 6, 7]), vec![0, 1, 2, 3, 4, 5]),
            (Placement::flip(Axis::X, &bounds), vec![2, 1, 0, 5, 4, 3]),
            (Placement::flip(Axis::Y, &bounds), vec![3, 4, 5, 0, 1, 2]),
            (quarter, vec![3, 0, 4, 1, 5, 2]),
            (half, vec![5, 4, 3, 2, 1, 0]),
            (Placement::exchange([Axis::Y, Axis::X, Axis::Z]), vec![0, 3, 1, 4, 2, 5]),
        ];
        for (placement, expected) in cases {
            assert_eq!(values(&placement.turn(&six())), expected, "{placement:?}");
        }
    }

    #[test]
    fn every_placement_has_its_inverse_and_boxes_follow_voxels() {
        let bounds = Region::new(Span::new(2, 9), Span::new(-4, 1), Span::new(3, 5));
        let quarter = Placement::quarter_turn(&bounds);
        let steps = [
            Placement::shift([3, -5, 11]),
            Placement::flip(Axis::X, &bounds),
            Placement::flip(Axis::Z, &bounds),
            quarter,
            Placement::exchange([Axis::Z, Axis::X, Axis::Y]),
        ];
        for a in steps {
            for b in steps {
                let both = a.after(&b);
                assert_eq!(both.inverse().after(&both), Placement::shift([0; 3]), "{a:?} after {b:?}");
                let voxel = (4, -2, 3);
                assert_eq!(both.map_voxel(voxel), a.map_voxel(b.map_voxel(voxel)));
                assert_eq!(both.map(&bounds), a.map(&b.map(&bounds)));
            }
        }
        assert_eq!(quarter.map(&bounds), Region::new(Span::new(0, 5), Span::new(0, 7), bounds.z));
    }
}
