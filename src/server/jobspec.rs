//! What the server reads of a posted job configuration.
//!
//! The configuration is stored as it came. Read here: the fields that the Boss's two schemas require
//! (`boss-v0.1-schema`, `boss-v0.2-schema` with their validators), and what population and assembly need. Stricter than
//! the Boss: sizes and extents that it would accept and then store in wrong places are refused.

use serde::Deserialize;
use serde_json::Value;

use crate::protocol::JobKind;
use crate::volume::{CHUNK_TILES, CUBOID, ChunkGrid, Extent, Grid, Size, Span, TileGrid, TileSize};

/// A job may have so many tasks; more would fill the disk with messages.
const MAX_TASKS: u64 = 200_000_000;
/// Cuboids of one chunk: a message of more would pass SQS's 262144 bytes.
const MAX_CUBOIDS: u64 = 2900;
/// The largest tile, in voxels: the Boss's decoder refuses larger images.
const MAX_TILE_VOXELS: u64 = 178_956_970;

/// What the server needs of a job's configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct JobSpec {
    pub collection: String,
    pub experiment: String,
    pub channel: String,
    pub grid: Grid,
}

/// Why a configuration is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpecError {
    /// No such schema or validator.
    UnknownSchema(String),
    /// Everything that is wrong, one line each.
    Invalid(Vec<String>),
}

#[derive(Deserialize)]
struct Database {
    collection: String,
    experiment: String,
    channel: String,
}

#[derive(Deserialize)]
struct Ranges {
    x: [i64; 2],
    y: [i64; 2],
    z: [i64; 2],
    t: [i64; 2],
}

#[derive(Deserialize)]
struct Box3 {
    x: i64,
    y: i64,
    z: i64,
}

/// Reads a configuration part by part, and collects what is wrong.
struct Reading<'a> {
    config: &'a Value,
    wrong: Vec<String>,
}

impl JobSpec {
    /// # Errors
    /// [`SpecError`], with everything that is wrong.
    pub fn read(config: &Value) -> Result<JobSpec, SpecError> {
        let newer = is_newer_schema(config)?;
        let mut reading = Reading { config, wrong: Vec::new() };
        reading.require_texts("/client/backend", &["name", "class", "host", "protocol"]);
        reading.require_processor("path_processor");
        let database: Option<Database> = reading.part("/database");
        reading.require_integer("/ingest_job/resolution");
        let kind = if newer { reading.kind() } else { Some(JobKind::Tile) };
        let extent = reading.extent();
        let grid = match kind {
            Some(JobKind::Tile) => reading.tiles(extent),
            Some(JobKind::Volumetric) => reading.chunks(extent),
            None => None,
        };
        match (database, grid) {
            (Some(Database { collection, experiment, channel }), Some(grid)) if reading.wrong.is_empty() => {
                Ok(JobSpec { collection, experiment, channel, grid })
            }
            _ => Err(SpecError::Invalid(reading.wrong)),
        }
    }

    pub fn kind(&self) -> JobKind {
        match self.grid {
            Grid::Tiles(_) => JobKind::Tile,
            Grid::Chunks(_) => JobKind::Volumetric,
        }
    }
}

/// Whether the configuration is of the schema v0.2, which knows volumetric jobs.
fn is_newer_schema(config: &Value) -> Result<bool, SpecError> {
    let word = |name| config.pointer(name).and_then(Value::as_str).unwrap_or("nothing");
    match (word("/schema/name"), word("/schema/validator")) {
        ("boss-v0.1-schema", "BossValidatorV01") => Ok(false),
        ("boss-v0.2-schema", "BossValidatorV02") => Ok(true),
        (name, validator) => {
            Err(SpecError::UnknownSchema(format!("There is no schema `{name}` with the validator `{validator}`.")))
        }
    }
}

impl Reading<'_> {
    fn complain(&mut self, what: impl Into<String>) {
        self.wrong.push(what.into());
    }

    fn part<T: serde::de::DeserializeOwned>(&mut self, pointer: &str) -> Option<T> {
        let Some(value) = self.config.pointer(pointer) else {
            self.complain(format!("{}: required.", quoted(pointer)));
            return None;
        };
        T::deserialize(value).map_err(|error| self.complain(format!("{}: {error}.", quoted(pointer)))).ok()
    }

    fn require_texts(&mut self, pointer: &str, names: &[&str]) {
        for name in names {
            let _: Option<String> = self.part(&format!("{pointer}/{name}"));
        }
    }

    fn require_integer(&mut self, pointer: &str) {
        let _: Option<i64> = self.part(pointer);
    }

    fn require_processor(&mut self, name: &str) {
        let _: Option<String> = self.part(&format!("/client/{name}/class"));
        let _: Option<serde_json::Map<String, Value>> = self.part(&format!("/client/{name}/params"));
    }

    fn kind(&mut self) -> Option<JobKind> {
        let word: String = self.part("/ingest_job/ingest_type")?;
        let kind = [JobKind::Tile, JobKind::Volumetric].into_iter().find(|kind| kind.name() == word);
        if kind.is_none() {
            self.complain(format!("\"ingest_job\": \"ingest_type\": `{word}` is not `tile` or `volumetric`."));
        }
        kind
    }

    fn extent(&mut self) -> Option<Extent> {
        let Ranges { x, y, z, t } = self.part("/ingest_job/extent")?;
        let extent = Extent { x: Span::from(x), y: Span::from(y), z: Span::from(z), t: Span::from(t) };
        for (axis, span) in [("x", extent.x), ("y", extent.y), ("z", extent.z), ("t", extent.t)] {
            if span.is_empty() || span.start < 0 || span.stop > i64::from(i32::MAX) {
                self.complain(format!(
                    "\"ingest_job\": \"extent\": \"{axis}\" must be a range from 0 on whose start is below its stop."
                ));
            }
        }
        self.wrong.is_empty().then_some(extent)
    }

    fn tiles(&mut self, extent: Option<Extent>) -> Option<Grid> {
        if self.config.pointer("/client/tile_processor").is_none() {
            self.complain("\"client\": \"tile_processor\" required for tile ingest jobs.");
        } else {
            self.require_processor("tile_processor");
        }
        if self.config.pointer("/ingest_job/tile_size").is_none() {
            self.complain("\"ingest_job\": \"tile_size\" required for tile ingest jobs.");
            return None;
        }
        let Box3 { x, y, .. } = self.part("/ingest_job/tile_size")?;
        let t: i64 = self.part("/ingest_job/tile_size/t")?;
        let x = self.tile_side("x", x, extent.map(|extent| extent.x));
        let y = self.tile_side("y", y, extent.map(|extent| extent.y));
        if t != 1 {
            self.complain("\"ingest_job\": \"tile_size\": \"t\" must be 1.");
        }
        let (extent, tile_size) = (extent?, TileSize { x: x?, y: y? });
        if tile_size.size().voxels() > MAX_TILE_VOXELS {
            self.complain(format!("\"ingest_job\": \"tile_size\": more than {MAX_TILE_VOXELS} voxels."));
        }
        self.aligned(extent, Size::new(tile_size.x, tile_size.y, CHUNK_TILES));
        self.counted(Grid::Tiles(TileGrid { extent, tile_size }))
    }

    fn chunks(&mut self, extent: Option<Extent>) -> Option<Grid> {
        if self.config.pointer("/client/chunk_processor").is_none() {
            self.complain("\"client\": \"chunk_processor\" required for volumetric ingest jobs.");
        } else {
            self.require_processor("chunk_processor");
        }
        if self.config.pointer("/ingest_job/chunk_size").is_none() {
            self.complain("\"ingest_job\": \"chunk_size\" required for volumetric ingest jobs.");
            return None;
        }
        let Box3 { x, y, z } = self.part("/ingest_job/chunk_size")?;
        let x = self.multiple("chunk_size", "x", x, CUBOID.x);
        let y = self.multiple("chunk_size", "y", y, CUBOID.y);
        let z = self.multiple("chunk_size", "z", z, CUBOID.z);
        let (extent, chunk_size) = (extent?, Size::new(x?, y?, z?));
        if chunk_size.voxels() / CUBOID.voxels() > MAX_CUBOIDS {
            self.complain(format!("\"ingest_job\": \"chunk_size\": more than {MAX_CUBOIDS} cuboids."));
        }
        if extent.t != Span::new(0, 1) {
            self.complain("\"ingest_job\": \"extent\": \"t\" must be [0, 1] in volumetric ingest jobs.");
        }
        self.aligned(extent, chunk_size);
        self.counted(Grid::Chunks(ChunkGrid { extent, chunk_size }))
    }

    /// Tiles of any size are in their place when there is but one on the axis, at 0.
    fn tile_side(&mut self, axis: &str, size: i64, extent: Option<Span>) -> Option<u64> {
        if extent.is_some_and(|extent| Span::new(0, size).covers(extent)) {
            return u64::try_from(size).ok();
        }
        self.multiple("tile_size", axis, size, CUBOID.x)
    }

    fn multiple(&mut self, part: &str, axis: &str, value: i64, of: u64) -> Option<u64> {
        let value = u64::try_from(value).ok().filter(|value| *value > 0 && value.is_multiple_of(of));
        if value.is_none() {
            self.complain(format!("\"ingest_job\": \"{part}\": \"{axis}\" must be a multiple of {of}."));
        }
        value
    }

    /// The Boss finds a task's place by whole steps from 0, so the extent has to start on one.
    fn aligned(&mut self, extent: Extent, step: Size) {
        for (axis, start, step) in
            [("x", extent.x.start, step.x), ("y", extent.y.start, step.y), ("z", extent.z.start, step.z)]
        {
            if !start.unsigned_abs().is_multiple_of(step) {
                self.complain(format!("\"ingest_job\": \"extent\": \"{axis}\" must start at a multiple of {step}."));
            }
        }
    }

    fn counted(&mut self, grid: Grid) -> Option<Grid> {
        if grid.count() > MAX_TASKS {
            self.complain(format!("the job has {} {}s, more than {MAX_TASKS}.", grid.count(), grid.task_noun()));
        }
        Some(grid)
    }
}

/// A pointer as the Boss writes paths: `"ingest_job": "tile_size"`.
fn quoted(pointer: &str) -> String {
    pointer.split('/').skip(1).map(|part| format!("\"{part}\"")).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
pub mod tests {
    use serde_json::json;

    use super::*;

    pub fn tile_job() -> Value {
        let processor = json!({"class": "any", "params": {}});
        json!({
            "schema": {"name": "boss-v0.2-schema", "validator": "BossValidatorV02"},
            "client": {
                "backend": {"name": "boss", "class": "BossBackend", "host": "127.0.0.1", "protocol": "http"},
                "path_processor": processor, "tile_processor": processor, "chunk_processor": processor,
            },
            "database": {"collection": "c", "experiment": "e", "channel": "ch"},
            "ingest_job": {
                "ingest_type": "tile", "resolution": 0,
                "extent": {"x": [0, 2048], "y": [0, 1500], "z": [0, 20], "t": [0, 1]},
                "tile_size": {"x": 1024, "y": 1024, "z": 1, "t": 1},
                "chunk_size": {"x": 1024, "y": 1024, "z": 64},
            },
        })
    }

    #[test]
    fn a_job_is_read_by_its_schema_and_type() {
        let mut config = tile_job();
        assert_eq!(JobSpec::read(&config).unwrap().grid.count(), 80);
        config["ingest_job"]["ingest_type"] = json!("volumetric");
        let spec = JobSpec::read(&config).unwrap();
        assert_eq!((spec.kind(), spec.grid.count()), (JobKind::Volumetric, 4));
        config["schema"] = json!({"name": "boss-v0.1-schema", "validator": "BossValidatorV01"});
        assert_eq!(JobSpec::read(&config).unwrap().kind(), JobKind::Tile);
    }

    #[test]
    fn what_the_boss_would_store_wrongly_is_refused() {
        let cases = [
            ("/schema/name", json!("boss-v9"), "There is no schema `boss-v9`"),
            ("/client/backend/host", json!(7), "\"client\": \"backend\": \"host\": invalid type"),
            ("/database", json!({}), "\"database\": missing field `collection`."),
            ("/ingest_job/ingest_type", json!("cube"), "`cube` is not `tile` or `volumetric`"),
            ("/ingest_job/extent/x", json!([5, 5]), "\"x\" must be a range from 0 on"),
            ("/ingest_job/extent/z", json!([5, 40]), "\"z\" must start at a multiple of 16."),
            ("/ingest_job/extent/t", json!([0]), "\"extent\": invalid length 1"),
            ("/ingest_job/tile_size/x", json!(1000), "\"tile_size\": \"x\" must be a multiple of 512."),
            ("/ingest_job/tile_size/y", json!(-512), "\"tile_size\": \"y\" must be a multiple of 512."),
            ("/ingest_job/tile_size/t", json!(0), "\"t\" must be 1."),
            ("/ingest_job/tile_size", json!({"x": 131072, "y": 131072, "z": 1, "t": 1}), "more than 178956970 voxels"),
        ];
        for (pointer, value, expected) in cases {
            let mut config = tile_job();
            *config.pointer_mut(pointer).unwrap() = value;
            let found = match JobSpec::read(&config).unwrap_err() {
                SpecError::UnknownSchema(text) => text,
                SpecError::Invalid(lines) => lines.join("\n"),
            };
            assert!(found.contains(expected), "{pointer}: {found}");
        }
    }
}
