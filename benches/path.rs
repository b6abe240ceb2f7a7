//! How often a second one core asks a script which file holds a tile.
//!
//! `cargo bench --bench path` prints one line for each script: the least of several runs, by the time that the thread was on
//! a core, which other programs do not change much, and by the clock.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use boss_ingest::config::{self, Job};
use boss_ingest::lua::Scripts;
use boss_ingest::source::Sources;
use boss_ingest::volume::Index;

const CALLS: i64 = 300_000;
const RUNS: usize = 5;

fn main() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/em_stack/job.json");
    let example = config::load(&example).expect("the example is sound").job;
    measure("examples/em_stack/paths.lua", &example);
    let mut stack = example.clone();
    stack.path_processor.class = "z_stack".to_owned();
    let params = serde_json::json!({"root_dir": "sections", "base_filename": "s<o:1p:4>", "extension": "png"});
    stack.path_processor.params = params.as_object().expect("an object").clone();
    measure("z_stack", &stack);
    measure_plans("examples/em_stack, path and plan", &example);
}

fn measure(name: &str, job: &Job) {
    let mut host = host(job);
    report(name, || {
        for n in 0..CALLS {
            std::hint::black_box(host.path(Index::new(n % 100, n / 100, n % 2, 0)).expect("the script is sound"));
        }
    });
}

fn measure_plans(name: &str, job: &Job) {
    let mut host = host(job);
    report(name, || {
        for n in 0..CALLS {
            std::hint::black_box(host.plan(Index::new(n % 100, n / 100, n % 2, 0)).expect("the script is sound"));
        }
    });
}

fn host(job: &Job) -> boss_ingest::lua::Host {
    let sources = Arc::new(Sources::new(job.dir.clone(), 0));
    Scripts::load(job).and_then(|scripts| scripts.host(sources)).expect("the script is sound")
}

fn report(name: &str, mut run: impl FnMut()) {
    let times = (0..RUNS).map(|_| {
        let (began, on_core) = (Instant::now(), seconds_on_core());
        run();
        (seconds_on_core() - on_core, began.elapsed().as_secs_f64())
    });
    let least = times.fold((f64::INFINITY, f64::INFINITY), |least, run| (least.0.min(run.0), least.1.min(run.1)));
    let [core, clock] = [least.0, least.1].map(|seconds| CALLS as f64 / seconds);
    println!("{name}: {core:.0} calls/s on a core, {clock:.0} by the clock");
}

/// How long this thread has run, by Linux; 0 elsewhere.
fn seconds_on_core() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|nanoseconds| nanoseconds.parse::<f64>().ok()).unwrap_or(0.0) * 1e-9
}
