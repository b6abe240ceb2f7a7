//! A section as a picture in the terminal: two pixels in each character, grey by percentiles.

use std::io::IsTerminal;

use crate::source::reals;
use crate::volume::{Block, Region, Size, Span};

/// Rows of characters that a picture may take.
const MOST_ROWS: usize = 30;

/// Characters in a row that a picture may take, however wide the terminal is.
const MOST_COLUMNS: usize = 120;

/// The shares of voxels that may be darker than black and brighter than white.
const DARKEST: f64 = 0.01;
const BRIGHTEST: f64 = 0.99;

const INDENT: &str = "  ";
const GAP: usize = 2;

/// Where a picture is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Canvas {
    pub columns: usize,
    pub shades: Shades,
}

/// What a terminal has for grey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shades {
    /// 24-bit colours.
    True,
    /// The greys among 256 colours.
    Indexed,
    /// Characters, darker and lighter.
    Characters,
}

/// The terminal that standard output is; `None` when it is none.
pub fn canvas() -> Option<Canvas> {
    if !std::io::stdout().is_terminal() {
        return None;
    }
    let env = |name: &str| std::env::var(name).unwrap_or_default();
    let shades = match (env("NO_COLOR").is_empty(), env("TERM").as_str(), env("COLORTERM").as_str()) {
        (false, ..) | (_, "" | "dumb", _) => Shades::Characters,
        (_, _, "truecolor" | "24bit") => Shades::True,
        _ => Shades::Indexed,
    };
    let width = terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0));
    Some(Canvas { columns: width.min(MOST_COLUMNS), shades })
}

/// Draws the block's first section that has data; of several the middle one too, beside it. `required` is where data
/// must be.
pub fn draw(block: &Block, required: &Region, canvas: &Canvas) -> String {
    let all = Region::of_size(block.size());
    let within = if required.is_empty() { all } else { *required };
    let middle = (within.z.start + within.z.stop) / 2;
    let sections = if middle == within.z.start { vec![middle] } else { vec![within.z.start, middle] };
    let room = canvas.columns.saturating_sub(INDENT.len() + GAP * sections.len()) / sections.len();
    if all.is_empty() || room == 0 {
        return String::new();
    }
    let pictures: Vec<Vec<String>> =
        sections.iter().map(|z| picture(block, *z, &within, room, canvas.shades)).collect();
    let captions: Vec<String> = sections.iter().map(|z| format!("z {z}")).collect();
    let width = fitted(block.size(), room).0;
    let mut lines = vec![String::new()];
    if sections.len() > 1 {
        lines.push(format!("{:<pad$}{}", captions[0], captions[1], pad = width + GAP));
    }
    for row in 0..pictures[0].len() {
        let parts: Vec<&str> = pictures.iter().map(|picture| picture[row].as_str()).collect();
        lines.push(parts.join(&" ".repeat(GAP)));
    }
    lines.iter().map(|line| format!("{}\n", format!("{INDENT}{line}").trim_end())).collect()
}

/// Pixels across and down of a picture: square ones, and never more than there are voxels.
fn fitted(size: Size, room: usize) -> (usize, usize) {
    let (width, height) = (size.x as f64, size.y as f64);
    let step = (width / room as f64).max(height / (2 * MOST_ROWS) as f64).max(1.0);
    let pixels = |length: f64, most: usize| ((length / step).round() as usize).clamp(1, most);
    (pixels(width, room), pixels(height, 2 * MOST_ROWS))
}

/// The rows of characters of one section.
fn picture(block: &Block, z: i64, within: &Region, room: usize, shades: Shades) -> Vec<String> {
    let size = block.size();
    let section = block.cut(&Region { z: Span::one(z), ..Region::of_size(size) });
    let (low, high) = limits(&section.cut(&Region { z: Span::one(0), ..*within }));
    let values = reals(&section);
    let (across, down) = fitted(size, room);
    let grey = |column: usize, row: usize| {
        let mean = mean(&values, size, step(column, across, size.x), step(row, down, size.y));
        if high > low { ((mean - low) / (high - low)).clamp(0.0, 1.0) } else { f64::from(u8::from(mean != 0.0)) / 2.0 }
    };
    let rows = (0..down).step_by(2).map(|row| {
        let pairs = (0..across).map(|column| (grey(column, row), (row + 1 < down).then(|| grey(column, row + 1))));
        characters(pairs, shades)
    });
    rows.collect()
}

/// The values that become black and white.
fn limits(section: &Block) -> (f64, f64) {
    let mut values = reals(section);
    values.retain(|value| value.is_finite());
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values.get((share * values.len().saturating_sub(1) as f64).round() as usize).copied();
    (at(DARKEST).unwrap_or(0.0), at(BRIGHTEST).unwrap_or(0.0))
}

/// The voxels of pixel `at` out of `pixels`.
fn step(at: usize, pixels: usize, voxels: u64) -> std::ops::Range<usize> {
    let voxels = voxels as usize;
    let start = at * voxels / pixels;
    start..((at + 1) * voxels / pixels).max(start + 1)
}

fn mean(values: &[f64], size: Size, x: std::ops::Range<usize>, y: std::ops::Range<usize>) -> f64 {
    let count = (x.len() * y.len()) as f64;
    let row = |y: usize| &values[y * size.x as usize..][x.clone()];
    y.map(|y| row(y).iter().sum::<f64>()).sum::<f64>() / count
}

/// A row of characters, each with a pixel above and one below.
fn characters(pairs: impl Iterator<Item = (f64, Option<f64>)>, shades: Shades) -> String {
    const RAMP: [char; 5] = [' ', '░', '▒', '▓', '█'];
    if shades == Shades::Characters {
        let shade = |grey: f64| RAMP[((grey * RAMP.len() as f64) as usize).min(RAMP.len() - 1)];
        return pairs.map(|(upper, lower)| shade(lower.map_or(upper, |lower| (upper + lower) / 2.0))).collect();
    }
    let mut text = String::new();
    let mut last = None;
    for (upper, lower) in pairs {
        let colours = (colour(upper, shades), lower.map(|lower| colour(lower, shades)));
        if last.as_ref() != Some(&colours) {
            let below = colours.1.as_ref().map_or("49".to_owned(), |lower| format!("48;{lower}"));
            text += &format!("\x1b[38;{};{below}m", colours.0);
            last = Some(colours);
        }
        text.push('▀');
    }
    text + "\x1b[0m"
}

/// The grey as a terminal's colour, without its "foreground" or "background".
fn colour(grey: f64, shades: Shades) -> String {
    let of = |levels: f64| (grey * levels).round() as u8;
    match shades {
        Shades::True | Shades::Characters => {
            let value = of(255.0);
            format!("2;{value};{value};{value}")
        }
        // Black, 24 greys and white.
        Shades::Indexed => match of(25.0) {
            0 => "5;16".to_owned(),
            25 => "5;231".to_owned(),
            level => format!("5;{}", 231 + u16::from(level)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::volume::Dtype;

    /// Brighter to the right, with the lower half dark.
    fn ramp(width: u64, height: u64) -> Block {
        let voxels =
            (0..height).flat_map(|y| (0..width).map(move |x| if y * 2 < height { x * 255 / width } else { 0 }));
        Block::from_bytes(Dtype::Uint8, Size::new(width, height, 1), voxels.map(|value| value as u8).collect()).unwrap()
    }

    fn drawn(block: &Block, columns: usize, shades: Shades) -> String {
        draw(block, &Region::of_size(block.size()), &Canvas { columns, shades })
    }

    #[test]
    fn brightness_and_orientation_are_the_sections() {
        let picture = drawn(&ramp(40, 16), 24, Shades::Characters);
        assert_eq!(picture.trim_end(), "\n      ░░░░▒▒▒▒▓▓▓▓████\n      ░░░░▒▒▒▒▓▓▓▓████");
    }

    #[test]
    fn colours_are_set_once_for_neighbours_of_one_grey() {
        let block = Block::from_bytes(Dtype::Uint8, Size::new(3, 2, 1), vec![0, 0, 200, 0, 0, 0]).unwrap();
        assert_eq!(
            drawn(&block, 80, Shades::True),
            "\n  \x1b[38;2;0;0;0;48;2;0;0;0m▀▀\x1b[38;2;255;255;255;48;2;0;0;0m▀\x1b[0m\n"
        );
        assert!(drawn(&block, 80, Shades::Indexed).contains("\x1b[38;5;231;48;5;16m▀"));
    }

    #[test]
    fn pictures_fit_in_every_terminal() {
        for (width, height) in [(300, 300), (10, 900), (900, 3), (1, 1), (96, 64)] {
            let section = ramp(width, height);
            for columns in [0, 3, 7, 20, 80, 500] {
                let text = drawn(&section, columns, Shades::Characters);
                assert!(text.lines().count() <= MOST_ROWS + 1);
                assert!(text.lines().all(|line| line.chars().count() <= columns), "{width} × {height} in {columns}");
            }
        }
    }

    #[test]
    fn a_chunk_shows_its_first_and_its_middle_section_side_by_side() {
        let size = Size::new(4, 2, 16);
        let block = Block::filled(Dtype::Uint8, size, &[7]);
        let required = Region { z: Span::new(2, 4), ..Region::of_size(size) };
        let canvas = Canvas { columns: 40, shades: Shades::Characters };
        assert_eq!(draw(&block, &required, &canvas), "\n  z 2   z 3\n  ▒▒▒▒  ▒▒▒▒\n");
    }
}
