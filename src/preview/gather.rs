//! Runs the job's own scripts and readers over the tasks that are sampled, on many threads, and keeps only pixels.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::raster::{Accumulator, Blend, Raster};
use super::reduce::{Cuts, Frames, Histograms, Part, blend, reduce};
use super::sampling::Sampling;
use super::trouble::{Kind, Trouble};
use crate::engine;
use crate::lua::{Answer, Host, ScriptError, Scripts};
use crate::source::Sources;
use crate::volume::{Dtype, Index};

/// The values of types above 16 bits that are kept for the percentiles.
const SAMPLE: u64 = 1 << 21;

/// What reads a job.
#[derive(Clone)]
pub struct Job<'a> {
    pub scripts: &'a Scripts,
    pub sources: &'a Arc<Sources>,
    pub dtype: Dtype,
    pub threads: usize,
    /// Told after each task: how many are done.
    pub progress: &'a (dyn Fn(u64) + Sync),
}

/// The pixels of everything that was read.
pub struct Gathered {
    /// By place in [`Sampling::sections`].
    pub sections: Vec<Section>,
    pub xy: Raster,
    pub xz: Raster,
    pub yz: Raster,
    pub histograms: Histograms,
}

/// One section that is looked at.
pub struct Section {
    pub raster: Raster,
    /// Its tasks that are one value throughout.
    pub constants: Vec<(Index, f64)>,
    /// Its tasks that could not be read.
    pub troubles: Vec<(Index, Trouble)>,
    /// Tasks that were read.
    pub read: usize,
}

/// Reads every task of `sampling`, at most one on each thread at a time.
///
/// # Errors
/// When the scripts' `setup` fails. A task that fails is a [`Trouble`] of its sections.
pub fn gather(job: &Job, sampling: &Sampling, frames: &Frames) -> Result<Gathered, ScriptError> {
    let tasks = sampling.tasks();
    let every = (tasks.len() as u64).saturating_mul(sampling.grid.task_size().voxels()).div_ceil(SAMPLE);
    let every = usize::try_from(every).unwrap_or(usize::MAX);
    let whole = Mutex::new(Whole::new(sampling, frames, blend(job.dtype)));
    let (next, done, is_broken) = (AtomicUsize::new(0), AtomicU64::new(0), AtomicBool::new(false));
    let work = || {
        let mut histograms = Histograms::new(job.dtype, every);
        let mut host =
            job.scripts.host(job.sources.clone()).inspect_err(|_| is_broken.store(true, Ordering::Relaxed))?;
        while let Some(index) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
            if is_broken.load(Ordering::Relaxed) {
                break;
            }
            let part = read(job, &mut host, sampling, frames, *index, &mut histograms);
            whole.lock().unwrap_or_else(PoisonError::into_inner).add(sampling, *index, part);
            (job.progress)(done.fetch_add(1, Ordering::Relaxed) + 1);
        }
        Ok(histograms)
    };
    let ended: Result<Vec<Histograms>, ScriptError> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..job.threads.clamp(1, tasks.len().max(1))).map(|_| scope.spawn(work)).collect();
        let ended =
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(|why| std::panic::resume_unwind(why)));
        ended.collect()
    });
    let mut histograms = Histograms::new(job.dtype, every);
    for more in ended? {
        histograms.varied.merge(more.varied);
        histograms.constant.merge(more.constant);
    }
    Ok(whole.into_inner().unwrap_or_else(PoisonError::into_inner).finish(histograms))
}

fn read(
    job: &Job,
    host: &mut Host,
    sampling: &Sampling,
    frames: &Frames,
    index: Index,
    histograms: &mut Histograms,
) -> Result<Part, Trouble> {
    let plan = match host.plan(index).map_err(|error| Trouble::of_script(&error))? {
        Answer::Plan(plan) => plan,
        Answer::Missing { reason } => return Err(Trouble { kind: Kind::Missing, reason, hint: None }),
    };
    let target = engine::target(&sampling.grid, job.dtype, index);
    let block = job.sources.read(&plan, &target).map_err(|error| Trouble::of_source(&error))?;
    Ok(reduce(&block, index, sampling, frames, histograms))
}

/// The rasters in the making.
struct Whole {
    blend: Blend,
    /// The size of a section's raster.
    size: [usize; 2],
    sections: Vec<Growing>,
    cuts: Cuts,
    /// Tasks of each section.
    tasks: usize,
}

/// A section in the making: pixels are taken for it when its first task comes, and most are given back after its last.
struct Growing {
    pixels: Option<Accumulator>,
    section: Section,
}

impl Whole {
    fn new(sampling: &Sampling, frames: &Frames, blend: Blend) -> Self {
        let [x, y] = frames.cut.map(|scale| scale.pixels);
        let places = sampling.sections.len();
        let cut = |width, height| Some(Accumulator::new(0..width, 0..height));
        let section = || Section { raster: Raster::default(), constants: vec![], troubles: vec![], read: 0 };
        Whole {
            blend,
            size: frames.section.map(|scale| scale.pixels),
            sections: (0..places).map(|_| Growing { pixels: None, section: section() }).collect(),
            cuts: Cuts { xy: cut(x, y), xz: cut(x, places), yz: cut(places, y) },
            tasks: sampling.read_of_layer() as usize,
        }
    }

    fn add(&mut self, sampling: &Sampling, index: Index, part: Result<Part, Trouble>) {
        match part {
            Ok(part) => {
                for (place, pixels, constant) in &part.sections {
                    self.add_section(*place, index, pixels, *constant);
                }
                let Cuts { xy, xz, yz } = &mut self.cuts;
                for (whole, part) in [(xy, part.cuts.xy), (xz, part.cuts.xz), (yz, part.cuts.yz)] {
                    if let (Some(whole), Some(part)) = (whole, part) {
                        whole.merge(self.blend, &part);
                    }
                }
            }
            Err(trouble) => {
                for place in sampling.sections_in(sampling.inside(index).z) {
                    self.sections[place].section.troubles.push((index, trouble.clone()));
                    self.sections[place].finish_after(self.tasks, self.size);
                }
            }
        }
    }

    fn add_section(&mut self, place: usize, index: Index, pixels: &Accumulator, constant: Option<f64>) {
        let growing = &mut self.sections[place];
        let [width, height] = self.size;
        let whole = growing.pixels.get_or_insert_with(|| Accumulator::new(0..width, 0..height));
        whole.merge(self.blend, pixels);
        growing.section.read += 1;
        growing.section.constants.extend(constant.map(|value| (index, value)));
        growing.finish_after(self.tasks, self.size);
    }

    fn finish(self, histograms: Histograms) -> Gathered {
        let cut = |cut: Option<Accumulator>| cut.map(|cut| cut.finish()).unwrap_or_default();
        let mut sections: Vec<Section> = self.sections.into_iter().map(|growing| growing.section).collect();
        for section in &mut sections {
            section.constants.sort_by_key(|(index, _)| *index);
            section.troubles.sort_by_key(|(index, _)| *index);
        }
        Gathered { sections, xy: cut(self.cuts.xy), xz: cut(self.cuts.xz), yz: cut(self.cuts.yz), histograms }
    }
}

impl Growing {
    fn finish_after(&mut self, tasks: usize, [width, height]: [usize; 2]) {
        if self.section.read + self.section.troubles.len() == tasks {
            let pixels = self.pixels.take().unwrap_or_else(|| Accumulator::new(0..width, 0..height));
            self.section.raster = pixels.finish();
        }
    }
}
