//! A folder of its own for one test, in which the binary finds its home.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::program::{Ended, Running};

/// A folder with a job in it, and the binary to run on it.
pub struct Bench {
    folder: TempDir,
}

impl Bench {
    pub fn new() -> Self {
        Bench { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.file(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Writes `job.json` of a tile job, with the given path and tile processors.
    pub fn write_tile_job(&self, host: &str, extent: Value, tile: [u64; 2], path: Value, tile_processor: Value) {
        let client = json!({"path_processor": path, "tile_processor": tile_processor});
        let sizes = json!({"tile_size": {"x": tile[0], "y": tile[1], "z": 1, "t": 1}});
        self.write_job(host, "tile", extent, sizes, client);
    }

    /// Writes `job.json` of a volumetric job, with the given path and chunk processors.
    pub fn write_chunk_job(&self, host: &str, extent: Value, chunk: [u64; 3], path: Value, chunk_processor: Value) {
        let client = json!({"path_processor": path, "chunk_processor": chunk_processor});
        let sizes = json!({"chunk_size": {"x": chunk[0], "y": chunk[1], "z": chunk[2]}});
        self.write_job(host, "volumetric", extent, sizes, client);
    }

    fn write_job(&self, host: &str, kind: &str, extent: Value, sizes: Value, mut client: Value) {
        client["backend"] = json!({"name": "boss", "class": "BossBackend", "host": host, "protocol": "http"});
        let mut job = json!({"ingest_type": kind, "resolution": 0, "extent": extent});
        job.as_object_mut().unwrap().extend(sizes.as_object().unwrap().clone());
        let file = json!({
            "schema": {"name": "boss-v0.2-schema", "validator": "BossValidatorV02"},
            "client": client,
            "database": {"collection": "col", "experiment": "exp", "channel": "chan"},
            "ingest_job": job,
        });
        self.write("job.json", &serde_json::to_string_pretty(&file).unwrap());
    }

    /// Runs the binary in this folder to its end, with no answers on standard input.
    pub fn run(&self, args: &[&str]) -> Ended {
        self.start(args).finish()
    }

    /// Runs the binary to its end, with these lines as answers.
    pub fn run_answering(&self, args: &[&str], answers: &str) -> Ended {
        Running::start(self.path(), args, answers).finish()
    }

    /// Starts the binary in this folder.
    pub fn start(&self, args: &[&str]) -> Running {
        Running::start(self.path(), args, "")
    }
}
