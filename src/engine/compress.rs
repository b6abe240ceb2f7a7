//! The stage that makes the bytes of each object: a tile's image file, a cuboid's Blosc frame.

use std::sync::Arc;

use bytes::Bytes;
use tokio::task::JoinSet;

use super::cpu::Cpu;
use super::pipeline::Stage;
use super::task::{Compressed, Object, Packed, Parts};
use super::triage::{Failed, TaskError};
use crate::codec::{self, BloscSettings, CodecError, ImageFormat};
use crate::source::{Encode, TileBytes};
use crate::volume::{Block, Region};

/// Compresses on all CPU threads, each object on one.
pub struct CompressStage {
    pub cpu: Cpu,
    pub blosc: BloscSettings,
}

impl Stage for CompressStage {
    type In = Packed;
    type Out = Compressed;
    const NAME: &str = "compress";

    /// Afterwards the task holds memory for its objects alone.
    async fn process(&self, task: Packed) -> Result<Compressed, Failed> {
        let Packed { ticket, parts, voxel_bytes, mut permit } = task;
        let objects = match parts {
            Parts::Tile { key, voxels, encode } => self.tile(key, voxels, encode).await,
            Parts::Cuboids { chunk, cuboids } => self.cuboids(chunk, cuboids).await,
        };
        match objects {
            Ok(objects) => {
                permit.shrink_to(objects.iter().map(|object| object.body.len() as u64).sum());
                Ok(Compressed { ticket, objects, voxel_bytes, permit })
            }
            Err(error) => Err(Failed { ticket, error: TaskError::Codec(error) }),
        }
    }
}

impl CompressStage {
    async fn tile(&self, key: String, voxels: TileBytes, encode: Option<Encode>) -> Result<Vec<Object>, CodecError> {
        let body = match voxels {
            TileBytes::AsIs { bytes, .. } => bytes.into(),
            TileBytes::Voxels(block) => {
                let format = tile_format(&block, encode);
                self.cpu.run(move || codec::encode(&block, format)).await?.into()
            }
        };
        Ok(vec![Object { key, body }])
    }

    async fn cuboids(&self, chunk: Arc<Block>, cuboids: Vec<(String, Region)>) -> Result<Vec<Object>, CodecError> {
        let mut compressing = JoinSet::new();
        let mut objects: Vec<Object> = Vec::with_capacity(cuboids.len());
        for (at, (key, region)) in cuboids.into_iter().enumerate() {
            objects.push(Object { key, body: Bytes::new() });
            let (cpu, chunk, settings) = (self.cpu.clone(), chunk.clone(), self.blosc);
            compressing.spawn(async move {
                let frame = cpu.run(move || {
                    let cuboid = chunk.cut(&region);
                    codec::compress(cuboid.as_bytes(), cuboid.dtype(), &settings)
                });
                (at, frame.await)
            });
        }
        while let Some(compressed) = compressing.join_next().await {
            let (at, frame) = compressed.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
            objects[at].body = frame?.into();
        }
        Ok(objects)
    }
}

/// The format that a tile is encoded in: PNG holds up to 16 bits a voxel; the Boss reads 32 bits from TIFF.
pub fn tile_format(block: &Block, encode: Option<Encode>) -> ImageFormat {
    match encode {
        Some(Encode::Png) => ImageFormat::Png,
        Some(Encode::Tiff) => ImageFormat::Tiff,
        None if block.dtype().size_bytes() <= 2 => ImageFormat::Png,
        None => ImageFormat::Tiff,
    }
}
