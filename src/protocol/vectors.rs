//! Holds keys, messages, counts and metadata to vectors made by running the Boss's own functions.

use std::collections::BTreeMap;

use md5::{Digest, Md5};
use serde::Deserialize;
use serde_json::Value;

use super::*;
use crate::volume::{ChunkGrid, CuboidIndex, Extent, Grid, Index, Size, Span, Task, TileGrid, TileSize};

const VECTORS: &str = include_str!("../../tests/data/vectors/keys.json");

fn vectors<T: serde::de::DeserializeOwned>(name: &str) -> T {
    let all: Value = serde_json::from_str(VECTORS).unwrap();
    serde_json::from_value(all[name].clone()).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn ids(project: &[String]) -> ProjectIds {
    let id = |at: usize| project[at].parse().unwrap();
    ProjectIds::new(id(0), id(1), id(2))
}

#[test]
fn morton_numbers_are_those_of_the_boss() {
    #[derive(Deserialize)]
    struct Vector {
        xyz: [u64; 3],
        morton: String,
    }
    let vectors: Vec<Vector> = vectors("morton");
    assert_eq!(vectors.len(), 19);
    for Vector { xyz: [x, y, z], morton } in vectors {
        let cuboid = CuboidIndex::new(x, y, z);
        assert_eq!(cuboid.morton().to_string(), morton, "{cuboid:?}");
        assert_eq!(CuboidIndex::from_morton(cuboid.morton()), cuboid);
    }
}

#[test]
fn the_cuboid_of_a_voxel_is_that_of_the_boss() {
    #[derive(Deserialize)]
    struct Vector {
        voxel_xyz: [i64; 3],
        cuboid_xyz: [u64; 3],
        morton: String,
    }
    for Vector { voxel_xyz: [x, y, z], cuboid_xyz, morton } in vectors::<Vec<Vector>>("morton_from_voxel") {
        let cuboid = CuboidIndex::containing(x, y, z).unwrap();
        assert_eq!([cuboid.x, cuboid.y, cuboid.z], cuboid_xyz);
        assert_eq!(cuboid.morton().to_string(), morton);
    }
}

#[test]
fn tile_and_chunk_keys_are_those_of_the_boss() {
    #[derive(Deserialize)]
    struct Vector {
        project: Vec<String>,
        resolution: u64,
        x: i64,
        y: i64,
        z: i64,
        t: i64,
        num_tiles: Option<u64>,
        #[serde(alias = "tile_key", alias = "chunk_key")]
        key: String,
    }
    let (tiles, chunks): (Vec<Vector>, Vec<Vector>) = (vectors("tile_keys"), vectors("chunk_keys"));
    assert_eq!((tiles.len(), chunks.len()), (4, 5));
    for v in tiles.iter().chain(&chunks) {
        let (ids, resolution, index) = (ids(&v.project), v.resolution, Index::new(v.x, v.y, v.z, v.t));
        match v.num_tiles {
            None => {
                let key = TileKey { ids, resolution, index };
                assert_eq!(key.to_string(), v.key);
                assert_eq!(v.key.parse(), Ok(key));
            }
            Some(num_tiles) => {
                let key = ChunkKey { num_tiles, ids, resolution, index };
                assert_eq!(key.to_string(), v.key);
                assert_eq!(v.key.parse(), Ok(key));
            }
        }
    }
}

#[test]
fn object_keys_are_those_of_the_boss() {
    #[derive(Deserialize)]
    struct Vector {
        lookup_key: String,
        resolution: u64,
        t: i64,
        cuboid_xyz: [u64; 3],
        iso_requested: bool,
        isotropic_level: u64,
        hierarchy_method: HierarchyMethod,
        object_key: String,
        cuboid_bucket_key: String,
    }
    let vectors: Vec<Vector> = vectors("object_keys");
    assert_eq!(vectors.len(), 7);
    for vector in vectors {
        let project: Vec<String> = vector.lookup_key.split('&').map(str::to_owned).collect();
        let [x, y, z] = vector.cuboid_xyz;
        let (ids, resolution, t) = (ids(&project), vector.resolution, vector.t);
        let isotropic =
            vector.iso_requested && vector.hierarchy_method.has_isotropic_series(resolution, vector.isotropic_level);
        let key = if isotropic { isotropic_object_key } else { object_key };
        let key = key(ids, resolution, t, CuboidIndex::new(x, y, z));
        assert_eq!(key, vector.object_key);
        assert_eq!(format!("{key}&0"), vector.cuboid_bucket_key);
    }
}

#[test]
fn isotropic_levels_are_those_of_the_boss() {
    #[derive(Deserialize)]
    struct Vector {
        method: HierarchyMethod,
        voxel: [f64; 3],
        level: u64,
    }
    let vectors: Vec<Vector> = vectors("isotropic_level");
    assert_eq!(vectors.len(), 5);
    for Vector { method, voxel, level } in vectors {
        assert_eq!(method.isotropic_level(voxel), level, "{method:?} {voxel:?}");
    }
}

#[test]
fn levels_of_detail_are_those_of_the_boss() {
    #[derive(Deserialize)]
    struct Vector {
        num_hierarchy_levels: usize,
        method: HierarchyMethod,
        iso: bool,
        voxel: [f64; 3],
        stop: [u64; 3],
        voxel_size: BTreeMap<usize, [f64; 3]>,
        extent: BTreeMap<usize, [u64; 3]>,
    }
    let vectors: Vec<Vector> = vectors("downsample_status");
    assert_eq!(vectors.len(), 3);
    for vector in vectors {
        let levels: Vec<Level> =
            vector.method.levels(vector.voxel, vector.stop, vector.iso).take(vector.num_hierarchy_levels).collect();
        assert_eq!(levels.len(), vector.voxel_size.len());
        for (at, level) in levels.iter().enumerate() {
            assert_eq!(level.voxel_size, vector.voxel_size[&at]);
            assert_eq!(level.extent, vector.extent[&at]);
        }
    }
}

#[derive(Deserialize)]
struct MessageArgs {
    job_id: u64,
    upload_queue: String,
    ingest_queue: Option<String>,
    resolution: u64,
    project_info: Vec<String>,
    ingest_type: JobKind,
    t_start: i64,
    t_stop: i64,
    x_start: i64,
    x_stop: i64,
    x_tile_size: u64,
    y_start: i64,
    y_stop: i64,
    y_tile_size: u64,
    z_start: i64,
    z_stop: i64,
    z_chunk_size: u64,
}

impl MessageArgs {
    fn grid(&self) -> Grid {
        let extent = Extent {
            x: Span::new(self.x_start, self.x_stop),
            y: Span::new(self.y_start, self.y_stop),
            z: Span::new(self.z_start, self.z_stop),
            t: Span::new(self.t_start, self.t_stop),
        };
        match self.ingest_type {
            JobKind::Tile => {
                let tile_size = TileSize { x: self.x_tile_size, y: self.y_tile_size };
                Grid::Tiles(TileGrid { extent, tile_size })
            }
            JobKind::Volumetric => {
                let chunk_size = Size::new(self.x_tile_size, self.y_tile_size, self.z_chunk_size);
                Grid::Chunks(ChunkGrid { extent, chunk_size })
            }
        }
    }

    fn message(&self, task: Task) -> UploadMessage {
        let (ids, resolution) = (ids(&self.project_info), self.resolution);
        match task {
            Task::Tile { tile, chunk, num_tiles } => UploadMessage::Tile(TileMessage {
                job_id: self.job_id,
                upload_queue_arn: self.upload_queue.clone(),
                ingest_queue_arn: self.ingest_queue.clone().unwrap(),
                chunk_key: ChunkKey { num_tiles, ids, resolution, index: chunk }.to_string(),
                tile_key: TileKey { ids, resolution, index: tile }.to_string(),
            }),
            Task::Chunk { chunk, origin } => {
                let size = self.grid().task_size();
                UploadMessage::Chunk(ChunkMessage::new(ids, resolution, chunk, origin, size).unwrap())
            }
        }
    }
}

#[test]
fn upload_messages_are_those_of_the_boss_byte_for_byte_and_in_its_order() {
    #[derive(Deserialize)]
    struct Vector {
        name: String,
        args: MessageArgs,
        message_count: u64,
        ordered_keys_md5: String,
        messages: BTreeMap<usize, Value>,
    }
    let vectors: Vec<Vector> = vectors("upload_messages");
    assert_eq!(vectors.len(), 5);
    for Vector { name, args, message_count, ordered_keys_md5, messages } in vectors {
        let made: Vec<UploadMessage> = args.grid().tasks().map(|task| args.message(task)).collect();
        assert_eq!(made.len() as u64, message_count, "{name}");
        let keys: Vec<&str> = made
            .iter()
            .map(|message| match message {
                UploadMessage::Tile(message) => message.tile_key.as_str(),
                UploadMessage::Chunk(message) => message.chunk_key.as_str(),
            })
            .collect();
        assert_eq!(format!("{:x}", Md5::digest(keys.join("\n"))), ordered_keys_md5, "{name}");
        assert!(!messages.is_empty());
        for (at, expected) in messages {
            assert_eq!(made[at].to_json(), python_json::spaced(&expected), "{name}, message {at}");
            assert_eq!(UploadMessage::parse(&made[at].to_json()).unwrap(), made[at]);
        }
    }
}

#[test]
fn tile_counts_are_those_of_the_boss() {
    #[derive(Deserialize)]
    struct Vector {
        extent: [Span; 4],
        tile_size: [u64; 4],
        tile_count: u64,
    }
    let vectors: Vec<Vector> = vectors("tile_count");
    assert_eq!(vectors.len(), 4);
    for Vector { extent: [x, y, z, t], tile_size: [tx, ty, tz, _], tile_count } in vectors {
        let extent = Extent { x, y, z, t };
        let grid = match tz {
            1 => Grid::Tiles(TileGrid { extent, tile_size: TileSize { x: tx, y: ty } }),
            _ => Grid::Chunks(ChunkGrid { extent, chunk_size: Size::new(tx, ty, tz) }),
        };
        assert_eq!(grid.count(), tile_count, "{extent}");
    }
}

#[test]
fn metadata_is_that_of_the_python_client_byte_for_byte() {
    let index: Value = vectors("tile_index_message");
    let body = index["body"].as_str().unwrap();
    let fields: Value = serde_json::from_str(body).unwrap();
    let text = |name: &str| fields[name].as_str().unwrap();
    let parameters = JobParameters::new(&fields["parameters"]);
    let tile = TileMetadata {
        chunk_key: text("chunk_key"),
        tile_key: text("tile_key"),
        ingest_job: 7,
        parameters: &parameters,
        x_size: 1024,
        y_size: 1024,
    };
    assert_eq!(tile.to_json(), body);

    let cuboid: Value = vectors("cuboid_metadata");
    let body = cuboid["metadata"].as_str().unwrap();
    let fields: Value = serde_json::from_str(body).unwrap();
    let parameters = JobParameters::new(&fields["parameters"]);
    let cuboid =
        CuboidMetadata { ingest_job: 9, chunk_key: fields["chunk_key"].as_str().unwrap(), parameters: &parameters };
    assert_eq!(cuboid.to_json(), body);
}
