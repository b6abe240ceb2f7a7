//! A picture in colours, on which rectangles, lines and text are drawn; written as PNG.

use std::io::Write;

use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};
use serde::Serialize;

/// Red, green, blue.
pub type Colour = [u8; 3];

/// A half-open box of pixels; `x`, `y` is its first, at the upper left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Rect {
    pub x: usize,
    pub y: usize,
    pub width: usize,
    pub height: usize,
}

impl Rect {
    pub fn new(x: usize, y: usize, width: usize, height: usize) -> Self {
        Rect { x, y, width, height }
    }

    pub fn right(&self) -> usize {
        self.x + self.width
    }

    pub fn bottom(&self) -> usize {
        self.y + self.height
    }

    /// The box with `by` more pixels on each side.
    pub fn grown(&self, by: usize) -> Rect {
        Rect::new(self.x.saturating_sub(by), self.y.saturating_sub(by), self.width + 2 * by, self.height + 2 * by)
    }
}

/// A weight and size of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text {
    Title,
    Strong,
    Plain,
}

/// The height of a line of plain text in pixels.
pub const LINE: usize = 22;

impl Text {
    fn font(self) -> (FontWeight, RasterHeight) {
        match self {
            Text::Title => (FontWeight::Bold, RasterHeight::Size24),
            Text::Strong => (FontWeight::Bold, RasterHeight::Size20),
            Text::Plain => (FontWeight::Regular, RasterHeight::Size20),
        }
    }

    /// Pixels from one letter to the next.
    pub fn advance(self) -> usize {
        let (weight, height) = self.font();
        get_raster_width(weight, height)
    }

    /// Pixels that the text takes from left to right.
    pub fn width(self, text: &str) -> usize {
        text.chars().count() * self.advance()
    }

    /// Pixels from top to bottom.
    pub fn height(self) -> usize {
        self.font().1.val()
    }

    /// The text, cut with three dots so that it takes at most `width` pixels.
    pub fn fit(self, text: &str, width: usize) -> String {
        let letters = width / self.advance();
        if text.chars().count() <= letters {
            return text.to_owned();
        }
        text.chars().take(letters.saturating_sub(3)).chain("...".chars()).collect()
    }
}

/// Pixels in rows from the top, three bytes each.
#[derive(Clone, Debug)]
pub struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Canvas {
    pub fn new(width: usize, height: usize, background: Colour) -> Self {
        Canvas { width, height, pixels: background.repeat(width * height) }
    }

    /// Sets a pixel; outside the picture nothing happens.
    pub fn set(&mut self, x: usize, y: usize, colour: Colour) {
        if x < self.width && y < self.height {
            self.pixels[(y * self.width + x) * 3..][..3].copy_from_slice(&colour);
        }
    }

    /// Lets a share of `opacity` out of 255 of the colour through.
    fn mix(&mut self, x: usize, y: usize, colour: Colour, opacity: u8) {
        if x < self.width && y < self.height {
            let pixel = &mut self.pixels[(y * self.width + x) * 3..][..3];
            for (under, over) in pixel.iter_mut().zip(colour) {
                let mixed = u32::from(*under) * u32::from(255 - opacity) + u32::from(over) * u32::from(opacity);
                *under = (mixed / 255) as u8;
            }
        }
    }

    pub fn fill(&mut self, area: Rect, colour: Colour) {
        self.shade(area, colour, 255);
    }

    /// Fills with a colour that lets what lies under it through.
    pub fn shade(&mut self, area: Rect, colour: Colour, opacity: u8) {
        for y in area.y..area.bottom() {
            for x in area.x..area.right() {
                self.mix(x, y, colour, opacity);
            }
        }
    }

    /// A frame just inside the box.
    pub fn frame(&mut self, area: Rect, thickness: usize, colour: Colour) {
        let Rect { x, y, width, height } = area;
        let (across, down) = (thickness.min(width), thickness.min(height));
        self.fill(Rect::new(x, y, width, down), colour);
        self.fill(Rect::new(x, area.bottom() - down, width, down), colour);
        self.fill(Rect::new(x, y, across, height), colour);
        self.fill(Rect::new(area.right() - across, y, across, height), colour);
    }

    /// Both diagonals of the box.
    pub fn cross(&mut self, area: Rect, colour: Colour) {
        let steps = area.width.max(area.height).max(2);
        for step in 0..steps {
            let x = step * area.width.saturating_sub(1) / (steps - 1);
            let y = area.y + step * area.height.saturating_sub(1) / (steps - 1);
            for thick in 0..2.min(area.width) {
                self.set(area.x + (x + thick).min(area.width - 1), y, colour);
                self.set(area.x + (area.width - 1 - x).saturating_sub(thick), y, colour);
            }
        }
    }

    /// Slanted lines, as one draws "nothing here".
    pub fn hatch(&mut self, area: Rect, colour: Colour) {
        for y in area.y..area.bottom() {
            for x in area.x..area.right() {
                if (x + y).is_multiple_of(8) {
                    self.set(x, y, colour);
                }
            }
        }
    }

    /// Writes a line whose upper left corner is `x`, `y`. Letters that the font lacks become `?`.
    pub fn text(&mut self, text: &str, x: usize, y: usize, style: Text, colour: Colour) {
        let (weight, height) = style.font();
        let letter = |letter: char| get_raster(letter, weight, height).or_else(|| get_raster('?', weight, height));
        for (place, letter) in text.chars().map(letter).enumerate() {
            let Some(letter) = letter else { continue };
            let left = x + place * style.advance();
            for (row, line) in letter.rows().enumerate() {
                for (column, opacity) in line.iter().enumerate().filter(|(_, opacity)| **opacity > 0) {
                    self.mix(left + column, y + row, colour, *opacity);
                }
            }
        }
    }

    /// Writes the picture as PNG.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn write_png(&self, out: impl Write) -> std::io::Result<()> {
        let side = |pixels: usize| u32::try_from(pixels).map_err(std::io::Error::other);
        let mut encoder = png::Encoder::new(out, side(self.width)?, side(self.height)?);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().map_err(io_error)?;
        writer.write_image_data(&self.pixels).map_err(io_error)?;
        writer.finish().map_err(io_error)
    }
}

fn io_error(error: png::EncodingError) -> std::io::Error {
    match error {
        png::EncodingError::IoError(error) => error,
        other => std::io::Error::other(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_outside_is_left_out() {
        let mut canvas = Canvas::new(4, 3, [1, 2, 3]);
        canvas.fill(Rect::new(2, 2, 9, 9), [9, 9, 9]);
        canvas.text("Xg", 3, 1, Text::Plain, [255; 3]);
        canvas.cross(Rect::new(0, 0, 0, 0), [0; 3]);
        assert_eq!(canvas.pixels[..3], [1, 2, 3]);
        assert_eq!(canvas.pixels[(2 * 4 + 2) * 3..][..3], [9, 9, 9]);
    }

    #[test]
    fn text_is_cut_where_it_does_not_fit() {
        let width = 8 * Text::Plain.advance();
        assert_eq!(Text::Plain.fit("12345678", width), "12345678");
        assert_eq!(Text::Plain.fit("123456789", width), "12345...");
    }

    #[test]
    fn letters_are_legible_at_full_size_and_those_of_the_units_are_there() {
        for letter in "xyzµ×0".chars() {
            let (weight, height) = Text::Plain.font();
            let raster = get_raster(letter, weight, height).unwrap_or_else(|| panic!("the font has {letter}"));
            let rows = raster.rows().filter(|row| row.iter().any(|opacity| *opacity > 60)).count();
            assert!(rows >= if letter == '0' { 10 } else { 6 }, "{letter}: {rows} rows");
        }
    }
}
