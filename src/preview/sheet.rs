//! The contact sheet: sections in the order of z, flagged ones framed.

use std::collections::BTreeSet;

use serde::Serialize;

use super::axis::Axis;
use super::canvas::{Canvas, LINE, Rect, Text};
use super::layout::MARGIN;
use super::scene::{FAINT, FRAME, INK, RED, Scene, flag_colour};
use crate::report::count;

/// Where a section is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Cell {
    pub z: i64,
    #[serde(flatten)]
    pub area: Rect,
}

/// Draws the sections, and says where each one is.
pub fn draw(scene: &Scene, canvas: &mut Canvas) -> Vec<Cell> {
    let (sheet, sections) = (&scene.sheet, &scene.sampling.sections);
    let chosen = choose(sections.len(), sheet.places, |place| scene.flag_of(place).is_some());
    let (shown, read, all) = (chosen.len(), sections.len(), scene.sampling.grid.extent().z.len());
    let heading = match (shown == read, read as u64 == all) {
        (true, true) => count(all, "section"),
        (true, false) => format!("{read} of {}: those that were read", count(all, "section")),
        (false, _) => format!("{shown} of the {read} sections that were read, flagged ones first"),
    };
    canvas.text(&heading, MARGIN, sheet.top, Text::Strong, INK);
    let mut cells = Vec::new();
    for (cell, place) in chosen.into_iter().enumerate() {
        let area = sheet.cell(cell);
        draw_section(scene, canvas, place, area);
        cells.push(Cell { z: sections[place], area });
    }
    cells
}

fn draw_section(scene: &Scene, canvas: &mut Canvas, place: usize, area: Rect) {
    let extent = scene.sampling.grid.extent();
    let x = Axis { name: 'x', span: extent.x, pixels: area.width };
    let y = Axis { name: 'y', span: extent.y, pixels: area.height };
    let [columns, rows] = &scene.frames.section;
    let section = &scene.gathered.sections[place];
    scene.paint(canvas, area, |px, py| {
        let (vx, vy) = (x.voxel(px), y.voxel(py));
        let value = section.raster.get(columns.pixel(vx), rows.pixel(vy));
        scene.pixel(value, place, [vx, vy], [px, py])
    });
    canvas.frame(area.grown(1), 1, FRAME);
    if section.read == 0 {
        canvas.cross(area, RED);
    } else {
        for (task, _) in &section.troubles {
            let inside = scene.sampling.inside(*task);
            let ((left, right), (top, bottom)) = (x.range(inside.x), y.range(inside.y));
            let failed = Rect::new(area.x + left, area.y + top, right - left, bottom - top);
            canvas.frame(failed, 2, RED);
            canvas.cross(failed, RED);
        }
    }
    let z = format!("z {}", scene.sampling.sections[place]);
    canvas.text(&z, area.x, area.bottom() + 5, Text::Plain, FAINT);
    if let Some(flag) = scene.flag_of(place) {
        let kind = flag.trouble.kind;
        canvas.frame(area.grown(3), 3, flag_colour(kind));
        let name = if flag.task.is_some() { format!("{} in part", kind.name()) } else { kind.name().to_owned() };
        let name = Text::Strong.fit(&name, scene.sheet.caption_width());
        canvas.text(&name, area.x, area.bottom() + 3 + LINE, Text::Strong, flag_colour(kind));
    }
}

/// At most `most` of `sections` sections, in their order: the first, the last, as many flagged ones as there is room
/// for, and evenly spread ones.
fn choose(sections: usize, most: usize, is_flagged: impl Fn(usize) -> bool) -> Vec<usize> {
    let mut chosen: BTreeSet<usize> = [0, sections - 1].into_iter().take(most).collect();
    let flagged = (0..sections).filter(|place| is_flagged(*place));
    let others: Vec<usize> = (0..sections).filter(|place| !is_flagged(*place)).collect();
    for place in flagged {
        if chosen.len() < most {
            chosen.insert(place);
        }
    }
    let free = most.saturating_sub(chosen.len());
    for nth in 0..free.min(others.len()) {
        chosen.insert(others[nth * others.len() / free.min(others.len())]);
    }
    // The first and the last may have been among the even ones.
    let rest: Vec<usize> = others.into_iter().filter(|place| !chosen.contains(place)).collect();
    chosen.extend(rest.into_iter().take(most.saturating_sub(chosen.len())).collect::<Vec<_>>());
    chosen.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_sections_are_shown_where_there_is_room() {
        assert_eq!(choose(5, 60, |_| false), [0, 1, 2, 3, 4]);
        assert_eq!(choose(1, 60, |_| true), [0]);
    }

    #[test]
    fn flagged_sections_have_a_place_before_others() {
        let chosen = choose(400, 60, |place| place == 77 || place == 78);
        assert_eq!(chosen.len(), 60);
        assert!([0, 77, 78, 399].iter().all(|place| chosen.contains(place)), "{chosen:?}");
        assert!(chosen.windows(2).all(|pair| pair[1] - pair[0] < 20), "evenly: {chosen:?}");
        assert_eq!(choose(400, 60, |_| true).len(), 60);
    }
}
