//! The three orthogonal cuts with their axes, and the scale bar.

use super::axis::{Axis, ScaleBar};
use super::canvas::{Canvas, Colour, Rect, Text};
use super::scene::{BACKGROUND, CUT, FAINT, FRAME, INK, RED, Scene};
use crate::volume::{Index, Span};

/// Pixels between numbers at a vertical axis; at a horizontal one, between the end of one and the start of the next.
const GAPS: [usize; 2] = [36, 30];

/// One cut: where it is drawn and what runs along it.
struct Panel<'a> {
    area: Rect,
    across: &'a Axis,
    down: &'a Axis,
    title: String,
    colour: Colour,
}

/// Draws all three.
pub fn draw(scene: &Scene, canvas: &mut Canvas) {
    let Scene { sampling, layout, .. } = scene;
    let [x, y, z] = &layout.axes(&sampling.grid.extent());
    let at = sampling.at;
    let place = sampling.nearest(at.z);
    let [columns, rows] = &scene.frames.cut;

    let title = format!("xy at z {}", at.z);
    let xy = Panel { area: layout.xy, across: x, down: y, title, colour: CUT[2] };
    scene.paint(canvas, xy.area, |px, py| {
        let (vx, vy) = (x.voxel(px), y.voxel(py));
        let value = scene.gathered.xy.get(columns.pixel(vx), rows.pixel(vy));
        scene.pixel(value, place, [vx, vy], [px, py])
    });
    let troubled: Vec<Index> = scene.gathered.sections[place].troubles.iter().map(|(task, _)| *task).collect();
    troubled.into_iter().for_each(|task| cross(scene, canvas, &xy, task));

    let xz = Panel { area: layout.xz, across: x, down: z, title: format!("xz at y {}", at.y), colour: CUT[1] };
    scene.paint(canvas, xz.area, |px, pz| {
        let (vx, place) = (x.voxel(px), sampling.nearest(z.voxel(pz)));
        scene.pixel(scene.gathered.xz.get(columns.pixel(vx), place), place, [vx, at.y], [px, pz])
    });

    let yz = Panel { area: layout.yz, across: z, down: y, title: format!("yz at x {}", at.x), colour: CUT[0] };
    scene.paint(canvas, yz.area, |pz, py| {
        let (vy, place) = (y.voxel(py), sampling.nearest(z.voxel(pz)));
        scene.pixel(scene.gathered.yz.get(place, rows.pixel(vy)), place, [at.x, vy], [pz, py])
    });

    for panel in [&xy, &xz, &yz] {
        panel.draw_axes(canvas);
    }
    xy.mark(canvas, at.x, at.y, [CUT[0], CUT[1]]);
    xz.mark(canvas, at.x, at.z, [CUT[0], CUT[2]]);
    yz.mark(canvas, at.z, at.y, [CUT[2], CUT[1]]);
    draw_scale_bar(scene, canvas, &xy);
}

/// A crossed box over a task that could not be read.
fn cross(scene: &Scene, canvas: &mut Canvas, panel: &Panel, task: Index) {
    let inside = scene.sampling.inside(task);
    let ((left, right), (top, bottom)) = (panel.across.range(inside.x), panel.down.range(inside.y));
    let area = Rect::new(panel.area.x + left, panel.area.y + top, right - left, bottom - top);
    canvas.frame(area, 2, RED);
    canvas.cross(area, RED);
}

impl Panel<'_> {
    fn draw_axes(&self, canvas: &mut Canvas) {
        let Rect { x, y, .. } = self.area;
        canvas.frame(self.area.grown(1), 1, FRAME);
        canvas.text(&self.title, x, y - 34, Text::Strong, self.colour);
        self.draw_across(canvas);
        self.draw_down(canvas);
    }

    /// Numbers below, then the axis' name at the right end.
    fn draw_across(&self, canvas: &mut Canvas) {
        let (axis, below) = (self.across, self.area.bottom() + 2);
        let name_x = self.area.right() + 10;
        let longest = axis.span.start.to_string().len().max((axis.span.stop - 1).to_string().len());
        for voxel in axis.ticks(longest * Text::Plain.advance() + GAPS[1]) {
            let (middle, text) = (self.area.x + axis.middle(voxel), voxel.to_string());
            canvas.fill(Rect::new(middle, below, 1, 6), FAINT);
            let left = middle.saturating_sub(Text::Plain.width(&text) / 2);
            if left + Text::Plain.width(&text) < name_x {
                canvas.text(&text, left, below + 8, Text::Plain, FAINT);
            }
        }
        canvas.text(&axis.name.to_string(), name_x, below + 7, Text::Strong, INK);
        arrow(canvas, name_x + 12, below + 15, true);
    }

    /// Numbers at the left, then the axis' name below them.
    fn draw_down(&self, canvas: &mut Canvas) {
        let (axis, left) = (self.down, self.area.x - 2);
        for voxel in axis.ticks(GAPS[0]) {
            let (middle, text) = (self.area.y + axis.middle(voxel), voxel.to_string());
            canvas.fill(Rect::new(left - 6, middle, 6, 1), FAINT);
            let text_x = (left - 10).saturating_sub(Text::Plain.width(&text));
            canvas.text(&text, text_x, middle - Text::Plain.height() / 2, Text::Plain, FAINT);
        }
        let below = self.area.bottom() + 9;
        canvas.text(&axis.name.to_string(), left - 66, below, Text::Strong, INK);
        arrow(canvas, left - 49, below + 5, false);
    }

    /// Where the other two cuts go through this one: a small wedge at each edge, in the colour of their titles.
    fn mark(&self, canvas: &mut Canvas, across: i64, down: i64, [vertical, horizontal]: [Colour; 2]) {
        let Rect { x, y, .. } = self.area;
        let (column, row) = (x + self.across.middle(across), y + self.down.middle(down));
        for step in 0..7 {
            let (width, half) = (2 * (6 - step) + 1, 6 - step);
            canvas.fill(Rect::new(column - half, y - 7 + step, width, 1), vertical);
            canvas.fill(Rect::new(self.area.right() + 6 - step, row - (6 - half), 1, 2 * (6 - half) + 1), horizontal);
        }
    }
}

/// An arrow of 12 pixels, to the right or down.
fn arrow(canvas: &mut Canvas, x: usize, y: usize, is_right: bool) {
    for along in 0..13_usize {
        let half = if along >= 8 { 12 - along } else { 0 };
        let area = match is_right {
            true => Rect::new(x + along, y - half, 1, 2 * half + 1),
            false => Rect::new(x - half, y + along, 2 * half + 1, 1),
        };
        canvas.fill(area, INK);
    }
}

/// A white bar in the lower right corner of the panel, on dark ground.
fn draw_scale_bar(scene: &Scene, canvas: &mut Canvas, panel: &Panel) {
    let voxels = panel.across.span.len() as f64 / panel.area.width as f64;
    let bar = ScaleBar::new(panel.area.width / 4, voxels, scene.voxel_size.map(|size| size.x));
    let text_width = Text::Strong.width(&bar.label);
    let width = bar.pixels.max(text_width) + 20;
    let area = Rect::new(panel.area.right().saturating_sub(width + 8), panel.area.bottom() - 46, width, 38);
    if width + 16 > panel.area.width || panel.area.height < 60 {
        return;
    }
    canvas.shade(area, BACKGROUND, 190);
    canvas.text(&bar.label, area.x + (width - text_width) / 2, area.y + 4, Text::Strong, INK);
    canvas.fill(Rect::new(area.x + (width - bar.pixels) / 2, area.bottom() - 12, bar.pixels, 5), INK);
}

/// The whole z of a panel is drawn from the sections that were read; this says from how many.
pub fn section_note(read: usize, z: Span) -> String {
    format!("z from {read} of {} sections", z.len())
}
