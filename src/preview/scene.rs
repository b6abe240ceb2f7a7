//! Everything that the picture shows, and how a value becomes a colour.

use super::canvas::{Canvas, Colour, Rect};
use super::contrast::Contrast;
use super::flags::Flag;
use super::gather::Gathered;
use super::layout::{Layout, Sheet, VoxelSize};
use super::raster::Blend;
use super::reduce::Frames;
use super::sampling::Sampling;
use super::trouble::Kind;

pub const BACKGROUND: Colour = [18, 20, 26];
pub const INK: Colour = [232, 234, 238];
pub const FAINT: Colour = [158, 164, 176];
pub const FRAME: Colour = [96, 102, 116];
pub const HATCH: Colour = [70, 76, 90];
pub const RED: Colour = [255, 92, 92];
const DARK_RED: Colour = [74, 20, 26];
pub const GREEN: Colour = [110, 214, 130];
/// The colour of each axis' cut: x, y, z.
pub const CUT: [Colour; 3] = [[255, 128, 128], [128, 224, 128], [120, 176, 255]];

/// What is drawn.
pub struct Scene<'a> {
    /// `collection/experiment/channel`.
    pub channel: String,
    /// Lines below the channel.
    pub facts: Vec<String>,
    pub sampling: &'a Sampling,
    pub frames: &'a Frames,
    pub layout: Layout,
    pub sheet: Sheet,
    pub gathered: &'a Gathered,
    pub blend: Blend,
    pub contrast: Contrast,
    pub flags: &'a [Flag],
    pub voxel_size: Option<VoxelSize>,
}

/// The colour of a flag's frame and label.
pub fn flag_colour(kind: Kind) -> Colour {
    match kind {
        Kind::Missing | Kind::Unreadable => RED,
        Kind::Empty => [255, 196, 64],
        Kind::Unlike | Kind::Swapped | Kind::Shifted | Kind::Mirrored => [255, 128, 255],
    }
}

impl Scene<'_> {
    /// The colour of a value that was read.
    fn colour(&self, value: f32) -> Colour {
        match self.blend {
            Blend::Mean => [self.contrast.grey(value.into()); 3],
            Blend::First => id_colour(value as u32),
        }
    }

    /// The colour of a pixel; where nothing was read, stripes: grey for what was left out, red for what failed.
    /// `place` is the section's, `x`, `y` the voxel, `at` the pixel on the picture.
    pub fn pixel(&self, value: Option<f32>, place: usize, [x, y]: [i64; 2], at: [usize; 2]) -> Colour {
        if let Some(value) = value {
            return self.colour(value);
        }
        let troubles = &self.gathered.sections[place].troubles;
        let is_troubled = troubles.iter().any(|(task, _)| {
            let inside = self.sampling.inside(*task);
            inside.x.contains(x) && inside.y.contains(y)
        });
        match (is_troubled, (at[0] + at[1]).is_multiple_of(8)) {
            (true, _) => DARK_RED,
            (false, true) => HATCH,
            (false, false) => BACKGROUND,
        }
    }

    /// Paints a box whose every pixel is asked for, by its place in the box.
    pub fn paint(&self, canvas: &mut Canvas, area: Rect, colour: impl Fn(usize, usize) -> Colour) {
        for y in 0..area.height {
            for x in 0..area.width {
                canvas.set(area.x + x, area.y + y, colour(x, y));
            }
        }
    }

    /// The first flag of the section at this place, those of the whole section first.
    pub fn flag_of(&self, place: usize) -> Option<&Flag> {
        let z = Some(self.sampling.sections[place]);
        self.flags.iter().filter(|flag| flag.z == z).min_by_key(|flag| flag.task.is_some())
    }
}

/// A bright colour for the number that stands for an id; black for 0.
fn id_colour(id: u32) -> Colour {
    if id == 0 {
        return [0; 3];
    }
    let (hue, value) = (id % 1536, 255 - (id / 1536 % 4) * 32);
    let (sixth, part) = (hue / 256, hue % 256);
    let [high, low] = [value, 40];
    let between = |part: u32| low + (high - low) * part / 255;
    let (up, down) = (between(part), between(255 - part));
    let rgb = match sixth {
        0 => [high, up, low],
        1 => [down, high, low],
        2 => [low, high, up],
        3 => [low, down, high],
        4 => [up, low, high],
        _ => [high, low, down],
    };
    rgb.map(|channel| channel as u8)
}
