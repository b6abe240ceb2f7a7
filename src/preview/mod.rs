//! A job as one picture, before anything is uploaded: a contact sheet over z, three orthogonal cuts, and flags for what is
//! empty, missing or unlike its neighbours.
//!
//! The job's own scripts and readers run over a sample of its tasks ([`Sampling`]), whose number is bounded. Of what they
//! read only pixels are kept ([`gather()`]), so memory does not grow with the job. [`Judge`] looks for oddities, and the
//! rest draws.

mod axis;
mod canvas;
mod contrast;
mod cuts;
mod flags;
mod gather;
mod layout;
mod likeness;
mod notes;
mod raster;
mod reduce;
mod robust;
mod sampling;
mod scene;
mod sheet;
mod trouble;
mod voxels;

use serde::Serialize;

pub use canvas::{Canvas, Rect};
pub use contrast::Contrast;
pub use flags::Flag;
pub use gather::Job;
pub use layout::{Layout, VoxelSize};
pub use sampling::{Point, Sampling};
pub use sheet::Cell;
pub use trouble::{Kind, Trouble};

use flags::Judge;
use gather::{Gathered, gather};
use layout::{Sheet, WIDTH};
use raster::Blend;
use scene::{BACKGROUND, Scene};

use crate::lua::ScriptError;
use crate::report::count;

/// What the user may decide.
#[derive(Clone, Copy, Debug, Default)]
pub struct Choices {
    /// Black and white, instead of percentiles.
    pub contrast: Option<(f64, f64)>,
    pub voxel_size: Option<VoxelSize>,
}

/// A picture, and what it shows in words.
pub struct Preview {
    pub canvas: Canvas,
    pub findings: Findings,
}

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct Findings {
    /// None for ids.
    pub contrast: Option<Contrast>,
    pub sections: Vec<SectionFindings>,
    pub flags: Vec<Flag>,
    /// Boxes in pixels of the picture.
    pub cuts: Layout,
    pub sheet: Vec<Cell>,
}

/// One section in numbers.
#[derive(Clone, Debug, Serialize)]
pub struct SectionFindings {
    pub z: i64,
    /// Tiles or chunks that were read, and that could not be.
    pub read: usize,
    pub failed: usize,
    /// Of the section's pixels; none of ids, and where nothing was read.
    pub mean: Option<f64>,
    pub standard_deviation: Option<f64>,
}

/// Reads the sampled tasks and draws them. `channel` is the title.
///
/// # Errors
/// When the scripts' `setup` fails. Tasks that cannot be read are flags.
pub fn preview(job: &Job, sampling: &Sampling, channel: &str, choices: &Choices) -> Result<Preview, ScriptError> {
    let extent = sampling.grid.extent();
    let layout = Layout::new(&extent, choices.voxel_size);
    let frames = layout.frames(&extent, sampling.sections.len());
    let gathered = gather(job, sampling, &frames)?;
    let (blend, contrast) = (reduce::blend(job.dtype), contrast(&gathered, choices));
    let flags = Judge::new(sampling, &gathered.sections, &frames.section, blend, contrast).flags();
    let scene = Scene {
        channel: channel.to_owned(),
        facts: facts(job, sampling, blend, &contrast),
        sampling,
        frames: &frames,
        layout,
        sheet: Sheet::new(&extent, sampling.sections.len(), layout.sheet_top),
        gathered: &gathered,
        blend,
        contrast,
        flags: &flags,
        voxel_size: choices.voxel_size,
    };
    let (canvas, sheet) = draw(&scene);
    let contrast = (blend == Blend::Mean).then_some(contrast);
    let sections = section_findings(sampling, &gathered, blend);
    Ok(Preview { canvas, findings: Findings { contrast, sections, flags, cuts: layout, sheet } })
}

fn contrast(gathered: &Gathered, choices: &Choices) -> Contrast {
    let histograms = gathered.histograms.clone();
    match choices.contrast {
        Some((low, high)) => Contrast { low, high, is_fixed: true },
        None if histograms.varied.is_empty() => histograms.constant.contrast(),
        None => histograms.varied.contrast(),
    }
}

/// The lines below the title.
fn facts(job: &Job, sampling: &Sampling, blend: Blend, contrast: &Contrast) -> Vec<String> {
    let (extent, noun) = (sampling.grid.extent(), sampling.grid.task_noun());
    let size = sampling.grid.task_size();
    let size = if size.z == 1 { format!("{} × {}", size.x, size.y) } else { size.to_string() };
    let time = if extent.t.len() > 1 { format!(", of which t {} is shown", sampling.t) } else { String::new() };
    let shown = match blend {
        Blend::Mean => format!("contrast {contrast}"),
        Blend::First => "ids in colours".to_owned(),
    };
    let read = format!("read {} of {}", sampling.tasks().len(), count(sampling.grid.count(), noun));
    let sections = format!("{} of {}", sampling.sections.len(), count(extent.z.len(), "section"));
    vec![format!("extent {extent}{time}"), format!("{noun}s of {size}, {}, {shown}; {read}, {sections}", job.dtype)]
}

fn draw(scene: &Scene) -> (Canvas, Vec<Cell>) {
    let mut canvas = Canvas::new(WIDTH, scene.sheet.bottom(), BACKGROUND);
    notes::draw_title(scene, &mut canvas);
    cuts::draw(scene, &mut canvas);
    notes::draw_side(scene, &mut canvas);
    let cells = sheet::draw(scene, &mut canvas);
    (canvas, cells)
}

fn section_findings(sampling: &Sampling, gathered: &Gathered, blend: Blend) -> Vec<SectionFindings> {
    let finding = |(z, section): (&i64, &gather::Section)| {
        let (mean, deviation) = section.raster.statistics();
        let has_statistics = section.read > 0 && blend == Blend::Mean;
        SectionFindings {
            z: *z,
            read: section.read,
            failed: section.troubles.len(),
            mean: has_statistics.then_some(mean),
            standard_deviation: has_statistics.then_some(deviation),
        }
    };
    sampling.sections.iter().zip(&gathered.sections).map(finding).collect()
}
