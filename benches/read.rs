//! How fast a whole volume is read, as chunk tasks of 512 × 512 × 16 voxels by several workers.
//!
//! `cargo bench --bench read -- FORMAT PATH [WORKERS]` prints one line for scripts: the seconds of one read by the clock, from
//! the opening on, the bytes of all voxels, and the sum of their bytes, which tells whether they are right. The volume is read
//! once before, so that its files lie in memory. `benches/against_the_field/run.py` runs this beside the field's own programs.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use boss_ingest::source::{Plan, ReadPlan, SourceRef, Sources, Step, Target};
use boss_ingest::volume::{Block, Region, Size, Span};

const TASK: Size = Size::new(512, 512, 16);

/// As much as `create` gives its sources on a small machine.
const CACHE_BYTES: u64 = 512 << 20;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let [format, path, workers @ ..] = &args[..] else {
        // `cargo bench` without names runs every bench.
        return println!("read: give a format and a path");
    };
    let source = SourceRef { format: Some(format.clone()), ..SourceRef::new(path) };
    let workers = workers.first().map_or(2, |workers| workers.parse().expect("workers are a number"));
    let sum: u64 = read(&source, workers, |block| block.as_bytes().iter().map(|byte| u64::from(*byte)).sum::<u64>());
    let began = Instant::now();
    let bytes = read(&source, workers, |block| block.as_bytes().len() as u64);
    let seconds = began.elapsed().as_secs_f64();
    println!("{{\"seconds\": {seconds}, \"bytes\": {bytes}, \"sum\": {sum}}}");
}

/// Reads every task, and adds up what `measure` says of its voxels.
fn read(source: &SourceRef, workers: usize, measure: impl Fn(&Block) -> u64 + Sync) -> u64 {
    let sources = Sources::new(Path::new("").to_owned(), CACHE_BYTES);
    let info = sources.source_info(source).expect("the volume is sound");
    let tasks = tasks(&info.region());
    let next = AtomicUsize::new(0);
    let work = || {
        let mut total = 0;
        while let Some(region) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
            let plan = ReadPlan { source: source.clone(), ..ReadPlan::new("") }.with(Step::Crop(*region));
            let size = region.size();
            let target = Target { size, dtype: info.dtype, required: Region::of_size(size) };
            total += measure(&sources.read(&Plan::Read(plan), &target).expect("the volume is sound"));
        }
        total
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().expect("a worker ends well")).sum()
    })
}

/// The boxes of the tasks of a volume, cut off at its far sides, section by section.
fn tasks(all: &Region) -> Vec<Region> {
    let steps = |span: Span, step: u64| {
        let starts = (span.start..span.stop).step_by(step as usize);
        starts.map(move |start| Span::new(start, (start + step as i64).min(span.stop)))
    };
    let mut tasks = Vec::new();
    for z in steps(all.z, TASK.z) {
        for y in steps(all.y, TASK.y) {
            tasks.extend(steps(all.x, TASK.x).map(|x| Region::new(x, y, z)));
        }
    }
    tasks
}
