//! The title lines, and the column at the right: what was flagged, and how to read the picture.

use super::canvas::{Canvas, LINE, Rect, Text};
use super::layout::{MARGIN, WIDTH};
use super::raster::Blend;
use super::scene::{FAINT, GREEN, HATCH, INK, RED, Scene, flag_colour};
use crate::report::count;

/// Draws the channel's name and the facts below it.
pub fn draw_title(scene: &Scene, canvas: &mut Canvas) {
    let width = WIDTH - 2 * MARGIN;
    canvas.text(&Text::Title.fit(&scene.channel, width), MARGIN, 18, Text::Title, INK);
    for (line, fact) in scene.facts.iter().enumerate() {
        canvas.text(&Text::Plain.fit(fact, width), MARGIN, 48 + line * LINE, Text::Plain, FAINT);
    }
}

/// Draws flags, then the legend at the foot of the column.
pub fn draw_side(scene: &Scene, canvas: &mut Canvas) {
    let legend = legend(scene);
    let Rect { x, y, width, .. } = scene.layout.side;
    let legend_lines: usize = legend.iter().map(|(_, text)| wrap(text, width - 30).len()).sum();
    let room = (scene.layout.side.height / LINE).saturating_sub(legend_lines + 4);
    let mut line = y + draw_flags(scene, canvas, room) * LINE + LINE;
    canvas.text("How to read it", x, line, Text::Strong, INK);
    for (sign, text) in legend {
        line += 4;
        draw_sign(canvas, &sign, x, line + LINE);
        for part in wrap(&text, width - 30) {
            line += LINE;
            canvas.text(&part, x + 30, line, Text::Plain, FAINT);
        }
    }
}

/// Draws as many flags as there is room for, and gives the number of lines.
fn draw_flags(scene: &Scene, canvas: &mut Canvas, room: usize) -> usize {
    let Rect { x, y, width, .. } = scene.layout.side;
    let flags = scene.flags;
    if flags.is_empty() {
        canvas.text("Nothing is flagged", x, y, Text::Strong, GREEN);
        return 1;
    }
    canvas.text(&count(flags.len() as u64, "flag"), x, y, Text::Strong, INK);
    let shown = if flags.len() < room { flags.len() } else { room.saturating_sub(2) };
    for (line, flag) in flags.iter().take(shown).enumerate() {
        let at = match (flag.z, flag.task) {
            (Some(z), None) => format!("z {z}"),
            (Some(z), Some(task)) => format!("z {z}, x {}, y {}", task.x, task.y),
            (None, Some(task)) => format!("x {}, y {}", task.x, task.y),
            (None, None) => String::new(),
        };
        let (y, kind) = (y + (line + 1) * LINE, flag.trouble.kind);
        let at_width = width.saturating_sub(Text::Strong.width(kind.name()) + Text::Plain.advance());
        canvas.text(kind.name(), x, y, Text::Strong, flag_colour(kind));
        let left = x + Text::Strong.width("unreadable ");
        canvas.text(&Text::Plain.fit(&at, at_width), left, y, Text::Plain, FAINT);
    }
    if shown < flags.len() {
        let more = format!("and {} more", flags.len() - shown);
        canvas.text(&more, x, y + (shown + 1) * LINE, Text::Plain, FAINT);
    }
    1 + shown + usize::from(shown < flags.len())
}

/// What stands before a line of the legend.
enum Sign {
    Hatched,
    Crossed,
    None,
}

fn legend(scene: &Scene) -> Vec<(Sign, String)> {
    let extent = scene.sampling.grid.extent();
    let sections = scene.sampling.sections.len();
    let mut lines = vec![
        (Sign::None, "x runs to the right, y down; the first voxel is at the upper left".to_owned()),
        (Sign::None, super::cuts::section_note(sections, extent.z)),
        (Sign::None, z_scale(scene)),
    ];
    if scene.blend == Blend::First {
        lines.push((Sign::None, "ids: one colour each, 0 is black".to_owned()));
    }
    let read = scene.sampling.read_of_layer();
    if read < scene.sampling.layer_tasks {
        let noun = scene.sampling.grid.task_noun();
        let text = format!("not read: {read} of {} of each section are", count(scene.sampling.layer_tasks, noun));
        lines.push((Sign::Hatched, text));
    }
    if scene.gathered.sections.iter().any(|section| !section.troubles.is_empty()) {
        lines.push((Sign::Crossed, "could not be read".to_owned()));
    }
    lines
}

fn z_scale(scene: &Scene) -> String {
    let stretch = scene.layout.z_stretch;
    let shape = if scene.voxel_size.is_some() { "to scale" } else { "as if voxels were cubes" };
    match stretch {
        stretch if (stretch - 1.0).abs() < 0.02 => format!("z is drawn {shape}"),
        stretch if stretch > 1.0 => format!("z is stretched {} times", rounded(stretch)),
        stretch => format!("z is squeezed {} times", rounded(1.0 / stretch)),
    }
}

fn rounded(value: f64) -> String {
    if value >= 9.95 { format!("{value:.0}") } else { format!("{value:.1}") }
}

fn draw_sign(canvas: &mut Canvas, sign: &Sign, x: usize, y: usize) {
    let area = Rect::new(x, y + 2, 20, 14);
    match sign {
        Sign::Hatched => {
            canvas.hatch(area, FAINT);
            canvas.frame(area, 1, HATCH);
        }
        Sign::Crossed => {
            canvas.frame(area, 1, RED);
            canvas.cross(area, RED);
        }
        Sign::None => canvas.fill(Rect::new(x + 8, y + 8, 4, 4), FAINT),
    }
}

/// The text in lines of at most `width` pixels.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if Text::Plain.width(line) + Text::Plain.width(word) + Text::Plain.advance() <= width => {
                *line += &format!(" {word}");
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
