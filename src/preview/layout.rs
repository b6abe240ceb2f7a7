//! Where everything goes on the picture.

use serde::Serialize;

use super::axis::Axis;
use super::canvas::{LINE, Rect};
use super::raster::Scale;
use super::reduce::Frames;
use crate::volume::{Extent, Span};

pub const WIDTH: usize = 1600;
pub const MARGIN: usize = 28;

/// Left of a panel: the numbers of its vertical axis.
const LEFT: usize = 76;
/// Above a panel: its title.
const ABOVE: usize = 36;
/// The longest title of a panel.
const TITLE: usize = 170;
/// Below a panel: the numbers of its horizontal axis.
const BELOW: usize = 34;
/// Title lines at the top of the picture.
const HEAD: usize = 104;
/// What is kept at the right for flags and legend.
const SIDE: usize = 320;

/// The most pixels of the xy panel, x and y.
const MOST_XY: [f64; 2] = [760.0, 640.0];
/// Pixels along z, at least and at most, where it cannot be drawn true to scale.
const LEAST_Z: f64 = 110.0;
const MOST_Z: f64 = 240.0;
/// No panel is narrower, so that its title has room.
const LEAST_SIDE: usize = 60;
/// True to scale, z may be this thin.
const THIN_Z: f64 = 24.0;

/// The size of a voxel in nanometres.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct VoxelSize {
    pub x: f64,
    pub y: f64,
    pub z: f64,
}

/// Boxes of the three cuts and of the text beside them, in pixels of the picture.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Layout {
    pub xy: Rect,
    pub xz: Rect,
    pub yz: Rect,
    #[serde(skip)]
    pub side: Rect,
    /// How much longer z is drawn than true to scale; for voxels of unknown size, than for cubes.
    pub z_stretch: f64,
    /// The first row below the cuts.
    #[serde(skip)]
    pub sheet_top: usize,
}

impl Layout {
    pub fn new(extent: &Extent, voxel_size: Option<VoxelSize>) -> Self {
        let size = voxel_size.unwrap_or(VoxelSize { x: 1.0, y: 1.0, z: 1.0 });
        let [x, y, z] = [(extent.x, size.x), (extent.y, size.y), (extent.z, size.z)].map(|(s, nm)| s.len() as f64 * nm);
        let alone = (MOST_XY[0] / x).min(MOST_XY[1] / y);
        let (across, down) = ((WIDTH - 2 * MARGIN - 2 * LEFT - SIDE - 64) as f64, 940.0);
        let shared = alone.min(across / (x + z)).min(down / (y + z));
        let is_cramped = shared < alone / 3.0;
        let scale = if is_cramped { alone } else { shared };
        let least = if voxel_size.is_some() { THIN_Z } else { LEAST_Z };
        let depth = match z * scale {
            depth if depth < least => LEAST_Z,
            _ if is_cramped => MOST_Z,
            depth => depth,
        };
        let pixels = |length: f64| (length.round() as usize).max(1);
        let [width, height, depth_pixels] = [pixels(x * scale), pixels(y * scale), pixels(depth)];
        let [width, height] = [width, height].map(|side| side.max(LEAST_SIDE));
        let xy = Rect::new(MARGIN + LEFT, HEAD + ABOVE, width, height);
        let yz = Rect::new(xy.right() + LEFT + 44, xy.y, depth_pixels, height);
        let xz = Rect::new(xy.x, xy.bottom() + BELOW + ABOVE + 14, width, depth_pixels);
        let side_x = (yz.right() + 44).max(yz.x + TITLE);
        let bottom = xz.bottom() + BELOW + 10;
        let side = Rect::new(side_x, xy.y - ABOVE, WIDTH - MARGIN - side_x.min(WIDTH - MARGIN), bottom - xy.y + ABOVE);
        Layout { xy, xz, yz, side, z_stretch: depth / (z * scale), sheet_top: bottom.max(HEAD + 320) }
    }

    pub fn axes(&self, extent: &Extent) -> [Axis; 3] {
        let axis = |name, span, pixels| Axis { name, span, pixels };
        let Layout { xy, yz, .. } = self;
        [axis('x', extent.x, xy.width), axis('y', extent.y, xy.height), axis('z', extent.z, yz.width)]
    }

    /// How voxels fall on the pixels that are kept, when `sections` sections are read.
    pub fn frames(&self, extent: &Extent, sections: usize) -> Frames {
        let Sheet { width, height, .. } = Sheet::new(extent, sections, self.sheet_top);
        Frames {
            section: [Scale::new(extent.x, width), Scale::new(extent.y, height)],
            cut: [Scale::new(extent.x, self.xy.width), Scale::new(extent.y, self.xy.height)],
        }
    }
}

/// The contact sheet: rows of small sections below the cuts.
#[derive(Clone, Copy, Debug)]
pub struct Sheet {
    /// The row of the sheet's heading.
    pub top: usize,
    pub columns: usize,
    /// How many sections have a place.
    pub places: usize,
    /// Of one small section, in pixels.
    pub width: usize,
    pub height: usize,
}

/// The most sections on the sheet.
const MOST_PLACES: usize = 60;
const GAP: usize = 14;
/// The width of the picture without its margins.
const INNER: usize = WIDTH - 2 * MARGIN;
/// The height of a small section, in widths of its place.
const HIGHEST: f64 = 1.3;
/// A place is so wide at least, for its caption.
const NARROWEST: usize = 130;
/// Below each section: its z, and its flag.
const CAPTION: usize = 2 * LINE + 6;

impl Sheet {
    pub fn new(extent: &Extent, sections: usize, top: usize) -> Self {
        let places = sections.min(MOST_PLACES);
        let across = [4, 6, 8].into_iter().find(|columns| places <= columns * 2).unwrap_or(10);
        let cell = (INNER + GAP) / across - GAP;
        let [x, y] = [extent.x, extent.y].map(|span: Span| span.len() as f64);
        let scale = (cell as f64 / x).min(cell as f64 * HIGHEST / y);
        let pixels = |length: f64| ((length * scale).round() as usize).max(1);
        let (width, height) = (pixels(x), pixels(y));
        // Narrow sections leave room for more of them in a row.
        let columns = (INNER + GAP) / (width.max(NARROWEST).min(cell) + GAP);
        Sheet { top, columns, places, width, height }
    }

    /// The box of the small section at a place, counted from 0.
    pub fn cell(&self, place: usize) -> Rect {
        let across = (INNER + GAP) / self.columns;
        let x = MARGIN + place % self.columns * across;
        let y = self.top + LINE + 12 + place / self.columns * (self.height + CAPTION + GAP);
        Rect::new(x, y, self.width, self.height)
    }

    /// Pixels that a caption may take from left to right.
    pub fn caption_width(&self) -> usize {
        (INNER + GAP) / self.columns - 4
    }

    /// The height of the whole picture.
    pub fn bottom(&self) -> usize {
        self.cell(self.places.saturating_sub(1)).bottom() + CAPTION + MARGIN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent(x: i64, y: i64, z: i64) -> Extent {
        Extent { x: Span::new(0, x), y: Span::new(0, y), z: Span::new(0, z), t: Span::new(0, 1) }
    }

    /// Extents of every shape, with and without a voxel size.
    fn layouts() -> impl Iterator<Item = (Extent, Layout)> {
        let sides = [1, 64, 1500, 100_000];
        let extents = sides
            .into_iter()
            .flat_map(move |x| sides.into_iter().flat_map(move |y| sides.into_iter().map(move |z| extent(x, y, z))));
        let size = VoxelSize { x: 4.0, y: 4.0, z: 40.0 };
        extents.flat_map(move |extent| [None, Some(size)].map(|size| (extent, Layout::new(&extent, size))))
    }

    #[test]
    fn nothing_overlaps_or_leaves_the_picture() {
        for (extent, Layout { xy, xz, yz, side, sheet_top, .. }) in layouts() {
            let what = format!("{extent}: {xy:?} {xz:?} {yz:?} {side:?}");
            assert!(xy.right() + LEFT <= yz.x && xy.bottom() + BELOW + ABOVE <= xz.y, "{what}");
            assert!(yz.right() < side.x && side.right() <= WIDTH - MARGIN && side.width >= 280, "{what}");
            assert!(xz.bottom() + BELOW <= sheet_top && yz.bottom() + BELOW <= sheet_top, "{what}");
            assert!(yz.width == xz.height && yz.width >= 24 && sheet_top <= 1300, "{what}");
        }
    }

    #[test]
    fn cuts_of_known_voxels_are_true_to_scale() {
        let layout = Layout::new(&extent(1000, 500, 200), Some(VoxelSize { x: 4.0, y: 4.0, z: 8.0 }));
        assert_eq!(layout.z_stretch, 1.0);
        let shape = layout.xy.width as f64 / layout.yz.width as f64;
        assert!((shape - 1000.0 * 4.0 / (200.0 * 8.0)).abs() < 0.02, "{shape}");
        let thin = Layout::new(&extent(512, 512, 2), None);
        assert!(thin.z_stretch > 1.0 && thin.yz.width == 110);
    }

    #[test]
    fn the_sheet_has_room_for_each_section() {
        for sections in [1, 2, 12, 40, 500] {
            let sheet = Sheet::new(&extent(1500, 1100, 500), sections, 900);
            assert_eq!(sheet.places, sections.min(60));
            let last = sheet.cell(sheet.places - 1);
            assert!(last.right() <= WIDTH - MARGIN + 1 && last.bottom() < sheet.bottom(), "{sections}: {last:?}");
        }
    }
}
