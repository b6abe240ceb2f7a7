//! Scripts as people write them, run in real states. No data is read: plans are only looked at.

mod attacks;
mod builtins;
mod cases;
mod errors;
mod headers;
mod hooks;
mod limits;
mod page;
mod types;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::config::{Backend, Database, Job, Protocol, Schema, Slot};
use crate::protocol::JobKind;
use crate::source::{Number, Plan, ReadPlan, SourceInfo, SourceRef, Step, Target};
use crate::volume::{ChunkGrid, Dtype, Extent, Grid, Index, Region, Size, Span, TileGrid, TileSize};

/// A job in a folder of its own. Tiles are 100 × 80, chunks 100 × 80 × 16, in the extent x 0..250, y 0..160, z 0..20.
struct Workshop {
    dir: TempDir,
    job: Job,
}

impl Workshop {
    fn tiles(path: &str, tile: &str) -> Workshop {
        let extent = Extent { x: Span::new(0, 250), y: Span::new(0, 160), z: Span::new(0, 20), t: Span::new(0, 3) };
        let grid = Grid::Tiles(TileGrid { extent, tile_size: TileSize { x: 100, y: 80 } });
        Workshop::new(path, tile, "tile_processor", JobKind::Tile, grid)
    }

    fn chunks(path: &str, chunk: &str) -> Workshop {
        let extent = Extent { x: Span::new(0, 250), y: Span::new(0, 160), z: Span::new(0, 20), t: Span::new(0, 1) };
        let grid = Grid::Chunks(ChunkGrid { extent, chunk_size: Size::new(100, 80, 16) });
        Workshop::new(path, chunk, "chunk_processor", JobKind::Volumetric, grid)
    }

    /// A tile job whose two slots name one script, `s.lua`.
    fn script(text: &str) -> Workshop {
        Workshop::tiles("s.lua", "s.lua").with("s.lua", text)
    }

    fn new(path: &str, data: &str, data_slot: &'static str, kind: JobKind, grid: Grid) -> Workshop {
        let dir = tempfile::tempdir().unwrap();
        let slot = |name, class: &str| Slot { name, class: class.to_owned(), params: Default::default() };
        let job = Job {
            path: dir.path().join("job.json"),
            dir: dir.path().to_owned(),
            text: String::new(),
            schema: Schema::V02,
            backend: Backend { host: "localhost".to_owned(), protocol: Protocol::Http },
            path_processor: slot("path_processor", path),
            data_processor: slot(data_slot, data),
            database: Database { collection: "c".into(), experiment: "e".into(), channel: "ch".into() },
            resolution: 0,
            kind,
            grid,
        };
        Workshop { dir, job }
    }

    fn with(self, name: &str, text: &str) -> Workshop {
        let path = self.dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn path_params(mut self, params: Value) -> Workshop {
        self.job.path_processor.params = params.as_object().unwrap().clone();
        self
    }

    fn data_params(mut self, params: Value) -> Workshop {
        self.job.data_processor.params = params.as_object().unwrap().clone();
        self
    }

    fn host(&self) -> Result<Host, ScriptError> {
        Scripts::load(&self.job)?.host(Arc::new(OneTiff))
    }

    fn plan(&self, x: i64, y: i64, z: i64) -> Result<Answer, ScriptError> {
        self.host()?.plan(Index::new(x, y, z, 0))
    }

    /// The plan of a tile, which must be one read.
    fn read(&self, x: i64, y: i64, z: i64) -> ReadPlan {
        match self.plan(x, y, z).unwrap() {
            Answer::Plan(Plan::Read(plan)) => plan,
            other => panic!("{other:?}"),
        }
    }
}

/// Knows one file, `a.tif`.
struct OneTiff;

impl Lookup for OneTiff {
    fn info(&self, source: &SourceRef) -> Result<Arc<SourceInfo>, LookupError> {
        if source.path != "a.tif" {
            return Err("there is no such file".into());
        }
        let size = Size::new(100, 80, 7);
        Ok(Arc::new(SourceInfo {
            path: source.path.clone(),
            format: "tiff",
            axes: "zyx".to_owned(),
            origin: (0, 0, 0),
            size,
            dtype: Dtype::Uint16,
            block: size,
            channels: 1,
            decoded_channels: 1,
            pages: 7,
            file_bytes: 0,
            is_plain: false,
            others: Default::default(),
            is_paged: false,
            stack_axis: None,
            note: None,
        }))
    }

    fn exists(&self, path: &str) -> Result<bool, LookupError> {
        Ok(path == "a.tif")
    }

    fn list(&self, _dir: &str) -> Result<Vec<String>, LookupError> {
        Ok(["s2.tif", "notes.txt", "s1.tif"].map(String::from).to_vec())
    }

    fn text(&self, path: &str) -> Result<Arc<str>, LookupError> {
        Ok(format!("{{\"name\": \"{path}\", \"lost\": [3, 5], \"none\": null}}").into())
    }

    fn scalars(&self, source: &SourceRef) -> Result<Vec<Number>, LookupError> {
        Ok(vec![Number::Integer(7), Number::Real(source.dataset.as_ref().map_or(0.5, |_| 1.5))])
    }
}

fn region(x: (i64, i64), y: (i64, i64), z: (i64, i64)) -> Step {
    Step::Crop(Region::new(Span::new(x.0, x.1), Span::new(y.0, y.1), Span::new(z.0, z.1)))
}
