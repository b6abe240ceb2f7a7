//! What the stories are told with: a folder of its own for each test, the binary, a served Boss, volumes, cutouts.

mod bench;
mod boss;
mod cuboids;
mod journal;
mod link;
mod npy;
pub mod offline;
mod program;
mod python;
mod sign;
mod volume;
pub mod web;

pub use bench::Bench;
pub use boss::ServedBoss;
pub use cuboids::{cuboid_at, stored_cuboids};
pub use journal::{Effects, Journal};
pub use link::Link;
pub use npy::{first_difference, voxels_of};
pub use program::{Ended, command};
pub use python::{python, run};
pub use volume::{TestVolume, compare};

/// Replaces what differs from run to run: folders, ports, times, rates, process ids.
pub fn settings(bench: &Bench) -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    let folder = bench.path().display().to_string();
    settings.add_filter(&folder.replace('.', r"\."), "[folder]");
    settings.add_filter(r"127\.0\.0\.1:\d{4,5}", "127.0.0.1:[port]");
    settings.add_filter(r"ingest_log\d{8}-\d{6}_pid\d+\.log", "[log]");
    settings.add_filter(r"[\w.-]+_job\d+(?:_[\w.-]+)?\.(manifest\.json|certificate\.json|ledger)", "[$1]");
    settings.add_filter(r"_pid\d+", "_pid[pid]");
    settings.add_filter(r"in \d+(\.\d)? (s|min \d+ s), \d+(\.\d)? .?B/s", "in [time], [rate]");
    settings.add_filter(r"\d+(\.\d)? (tile|chunk)s/s, \d+(\.\d)? .?B/s", "[rate]");
    settings.add_filter(r"process \d+ on this host", "process [pid] on this host");
    settings.add_filter(r"took {6}.*", "took      [times]");
    settings.add_filter(r"memory {10}.*", "memory           [memory]");
    settings.add_filter(r"\(os error \d+\)", "(os error)");
    settings
}
