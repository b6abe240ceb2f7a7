//! One recorded case: its job, and what this program makes of it.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use boss_ingest::config::Job;
use boss_ingest::engine;
use boss_ingest::lua::{Answer, Host, PathAnswer, Scripts};
use boss_ingest::source::Sources;
use boss_ingest::volume::{Block, ChunkGrid, Dtype, Extent, Grid, Index, Size, Span, TileGrid, TileSize};
use serde_json::Value;

use super::elsewhere;
use crate::support::offline::{self, ClassAndParams, chain};

/// A case of `index.json`.
pub struct Case {
    pub id: String,
    pub is_tile: bool,
    /// The whole entry.
    pub entry: Value,
    pub index: Index,
}

/// What this program gives, or why not.
pub struct Given {
    pub path: Result<String, String>,
    /// Of cases of a path processor alone, as good as none.
    pub voxels: Result<Block, String>,
}

impl Given {
    /// Why there is no path, or no tile where one was asked for.
    pub fn error(&self) -> Option<&str> {
        let voxels = self.voxels.as_ref().err().filter(|error| *error != PATH_ALONE);
        self.path.as_ref().err().or(voxels).map(String::as_str)
    }
}

/// What cases of a path processor alone have in place of voxels.
const PATH_ALONE: &str = "no tile was asked for";

/// The folder of the cases.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/golden")
}

/// `index.json`, with the folders that its places stand for.
pub fn index_file() -> Value {
    let text = std::fs::read_to_string(folder().join("index.json")).unwrap();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/em_stack/sections");
    let text = text.replace("${GOLDEN}/em/example_z_stack", examples.to_str().unwrap());
    let text = text.replace("s3://bkt/", "${GOLDEN}/inputs/zarr/");
    let text = text.replace("http://HOST", &elsewhere::origin());
    let text = text.replace("h.example", elsewhere::origin().trim_start_matches("http://"));
    let text = text.replace("file:///a.zarr", "file://${GOLDEN}/inputs/zarr/a.zarr");
    serde_json::from_str(&text.replace("${GOLDEN}", folder().to_str().unwrap())).unwrap()
}

pub fn all() -> Vec<Case> {
    let index = index_file();
    index["cases"].as_array().unwrap().iter().map(Case::new).collect()
}

impl Case {
    fn new(entry: &Value) -> Case {
        Case {
            id: entry["id"].as_str().unwrap().to_owned(),
            is_tile: entry["kind"] == "tile",
            index: serde_json::from_value(entry["index"].clone()).unwrap(),
            entry: entry.clone(),
        }
    }

    /// Whether the case asks for a path alone.
    pub fn is_path(&self) -> bool {
        self.is_tile && self.entry["tile_class"].is_null()
    }

    /// The size of a task.
    pub fn size(&self) -> Size {
        self.job().grid.task_size()
    }

    /// Runs the path slot, then the other, then reads the voxels, in the type of the expected array.
    pub fn run(&self) -> Given {
        let job = self.job();
        let sources = Arc::new(Sources::new(folder(), 64 << 20).with_remote(elsewhere::settings(&self.id)));
        let host = Scripts::load(&job).and_then(|scripts| scripts.host(sources.clone()));
        let mut host = match host {
            Ok(host) => host,
            Err(error) => return Given { path: Err(chain(&error)), voxels: Err(chain(&error)) },
        };
        let path = host.path(self.index).map_err(|error| chain(&error)).and_then(|answer| match answer {
            PathAnswer::Path(path) => Ok(path),
            PathAnswer::Missing { reason } => Err(reason),
        });
        if self.is_path() {
            return Given { path, voxels: Err(PATH_ALONE.to_owned()) };
        }
        let voxels = self.voxels(&job, &mut host, &sources).map_err(|error| chain(&*error));
        Given { path, voxels }
    }

    fn voxels(&self, job: &Job, host: &mut Host, sources: &Sources) -> Result<Block, Box<dyn Error>> {
        let plan = match host.plan(self.index)? {
            Answer::Plan(plan) => plan,
            Answer::Missing { reason } => return Err(reason.into()),
        };
        let target = engine::target(&job.grid, self.dtype(), self.index);
        Ok(sources.read(&plan, &target)?)
    }

    /// The voxel type of the expected array stands for the channel's.
    fn dtype(&self) -> Dtype {
        let arrays = [&self.entry["fixed"]["arr"], &self.entry["output"]];
        let named = arrays.into_iter().find_map(|array| array["dtype"].as_str());
        // Hyperstacks come as 16 bits, whatever they are.
        let is_hyperstack = self.entry["tile_class"].as_str().is_some_and(|class| class.contains("HyperStack"));
        named.unwrap_or(if is_hyperstack { "uint16" } else { "uint8" }).parse().unwrap()
    }

    /// The job as the case describes it.
    fn job(&self) -> Job {
        let given = &self.entry["ingest_job"];
        let span = |axis: &str| serde_json::from_value::<Span>(given["extent"][axis].clone()).unwrap();
        let extent = Extent { x: span("x"), y: span("y"), z: span("z"), t: span("t") };
        let size_key = if self.is_tile { "tile_size" } else { "chunk_size" };
        let size = |axis: &str| given[size_key][axis].as_u64().unwrap();
        let grid = if self.is_tile {
            Grid::Tiles(TileGrid { extent, tile_size: TileSize { x: size("x"), y: size("y") } })
        } else {
            Grid::Chunks(ChunkGrid { extent, chunk_size: Size::new(size("x"), size("y"), size("z")) })
        };
        let data = if self.is_tile { "tile" } else { "chunk" };
        let mut job = offline::job(&folder(), self.slot("path"), self.slot(data), grid);
        job.resolution = given["resolution"].as_u64().unwrap() as u8;
        job
    }

    /// Cases of a path alone have no class for the other slot; any will do.
    fn slot(&self, key: &str) -> ClassAndParams<'_> {
        (self.entry[format!("{key}_class")].as_str().unwrap_or("image"), &self.entry[format!("{key}_params")])
    }
}
