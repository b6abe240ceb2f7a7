//! Scripts and readers without a Boss: the voxels of one task of a job that no Boss need take.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use boss_ingest::config::{Backend, Database, Job, Protocol, Schema, Slot};
use boss_ingest::engine;
use boss_ingest::lua::{Answer, Scripts};
use boss_ingest::protocol::JobKind;
use boss_ingest::source::Sources;
use boss_ingest::volume::{Block, Dtype, Grid, Index};
use serde_json::Value;

/// A class and its parameters.
pub type ClassAndParams<'a> = (&'a str, &'a Value);

/// A job in the folder `dir`, not through a job file: tiles and chunks may have any size.
pub fn job(dir: &Path, path: ClassAndParams, data: ClassAndParams, grid: Grid) -> Job {
    let (kind, data_slot) = match grid {
        Grid::Tiles(_) => (JobKind::Tile, "tile_processor"),
        Grid::Chunks(_) => (JobKind::Volumetric, "chunk_processor"),
    };
    let slot = |name, (class, params): ClassAndParams| {
        let params = params.as_object().cloned().unwrap_or_default();
        Slot { name, class: class.to_owned(), params }
    };
    Job {
        path: dir.join("job.json"),
        dir: dir.to_owned(),
        text: String::new(),
        schema: Schema::V02,
        backend: Backend { host: "localhost".to_owned(), protocol: Protocol::Http },
        path_processor: slot("path_processor", path),
        data_processor: slot(data_slot, data),
        database: Database { collection: "c".into(), experiment: "e".into(), channel: "ch".into() },
        resolution: 0,
        kind,
        grid,
    }
}

/// What would be uploaded for a task, or why not, with all causes.
pub fn voxels(job: &Job, dtype: Dtype, index: Index) -> Result<Block, String> {
    let sources = Arc::new(Sources::new(job.dir.clone(), 16 << 20));
    let host = Scripts::load(job).and_then(|scripts| scripts.host(sources.clone()));
    match host.and_then(|mut host| host.plan(index)).map_err(|error| chain(&error))? {
        Answer::Plan(plan) => {
            sources.read(&plan, &engine::target(&job.grid, dtype, index)).map_err(|error| chain(&error))
        }
        Answer::Missing { reason } => Err(reason),
    }
}

/// An error and its causes.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
