//! Whole checks of small jobs: what is counted, and that threads change nothing.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::codec::{self, ImageFormat};
use crate::config;
use crate::volume::{Block, Size};

/// A job of 4 × 2 tiles a section, 30 sections of 1100 × 800 voxels as PNG, in a folder of its own.
fn job(stop: i64) -> (TempDir, Job) {
    let folder = tempfile::tempdir().unwrap();
    for z in 0..30 {
        write(folder.path(), z, 1100);
    }
    let script =
        "return { path = function(at) return ('s%d.png'):format(at.z) end, tile = function(at) return {} end }";
    std::fs::write(folder.path().join("s.lua"), script).unwrap();
    let slot = json!({"class": "s.lua", "params": {}});
    let file = json!({
        "schema": {"name": "boss-v0.2-schema", "validator": "BossValidatorV02"},
        "client": {
            "backend": {"name": "boss", "class": "BossBackend", "host": "h", "protocol": "https"},
            "path_processor": slot, "tile_processor": slot,
        },
        "database": {"collection": "c", "experiment": "e", "channel": "ch"},
        "ingest_job": {
            "ingest_type": "tile", "resolution": 0, "tile_size": {"x": 512, "y": 512, "z": 1, "t": 1},
            "extent": {"x": [0, 1100], "y": [0, 800], "z": [0, stop], "t": [0, 1]},
        },
    });
    let loaded = config::parse(&folder.path().join("job.json"), file.to_string()).unwrap();
    (folder, loaded.job)
}

fn write(folder: &Path, z: i64, width: u64) {
    let block = Block::filled(Dtype::Uint8, Size::new(width, 800, 1), &[z as u8]);
    std::fs::write(folder.join(format!("s{z}.png")), codec::encode(&block, ImageFormat::Png).unwrap()).unwrap();
}

fn settings(threads: usize) -> Settings {
    Settings { sample: None, deep: false, dtype: None, threads, memory_bytes: 1 << 30 }
}

fn run(job: &Job, settings: &Settings) -> (Outcome, u64, u64) {
    let sources = Arc::new(Sources::new(job.dir.clone(), 0));
    let (scripts, told) = (Scripts::load(job).unwrap(), AtomicU64::new(0));
    let progress = |tasks| _ = told.fetch_add(tasks, Ordering::Relaxed);
    let outcome = check(job, &[], &scripts, &sources, settings, &progress).unwrap();
    (outcome, sources.headers_read.load(Ordering::Relaxed), told.into_inner())
}

#[test]
fn each_files_header_is_read_once_however_many_tiles_and_threads_there_are() {
    let (_folder, job) = job(30);
    for threads in [1, 4] {
        let (outcome, headers, told) = run(&job, &settings(threads));
        assert!(outcome.is_fine(), "{:?}", outcome.problems);
        assert_eq!((headers, outcome.files, outcome.looked_at, told), (30, 30, 180, 180));
        assert_eq!(outcome.verdict(), "180 tiles over 30 files: all there");
    }
}

#[test]
fn threads_change_nothing_in_what_is_found() {
    let (folder, job) = job(32);
    std::fs::remove_file(folder.path().join("s4.png")).unwrap();
    write(folder.path(), 9, 1000);
    write(folder.path(), 11, 1200);
    let cut = std::fs::read(folder.path().join("s20.png")).unwrap();
    std::fs::write(folder.path().join("s20.png"), &cut[..cut.len() - 20]).unwrap();
    let found = |threads| {
        let (outcome, ..) = run(&job, &settings(threads));
        let rows: Vec<_> = outcome.problems.into_iter().map(|row| (row.kind, row.task, row.file, row.tasks)).collect();
        (rows, outcome.coverage)
    };
    let (rows, coverage) = found(1);
    let kinds: Vec<_> = rows.iter().map(|(kind, _, file, tasks)| (*kind, file.as_deref().unwrap(), *tasks)).collect();
    let expected = [
        (Kind::Missing, "s4.png", 6),
        (Kind::Missing, "s30.png", 6),
        (Kind::Missing, "s31.png", 6),
        (Kind::Damaged, "s20.png", 6),
        (Kind::WrongSize, "s9.png", 4),
        (Kind::WrongSize, "s11.png", 6),
    ];
    assert_eq!(kinds, expected);
    assert_eq!(coverage.sentences.len(), 2);
    for threads in [2, 5] {
        assert_eq!(found(threads), (rows.clone(), coverage.clone()));
    }
}
