//! The stage that makes the bytes of each object: a tile's image file, a cuboid's Blosc frame.

use std::sync::Arc;

use bytes::Bytes;
use tokio::task::JoinSet;

use super::buffers::Buffers;
use super::columns::Columns;
use super::cpu::Cpu;
use super::pipeline::Stage;
use super::task::{Compressed, Object, Packed, Parts};
use super::triage::{Failed, TaskError};
use crate::codec::{self, BloscSettings, CodecError, ImageFormat};
use crate::source::{Encode, TileBytes};
use crate::volume::{Block, CUBOID, Dtype, Region};

/// Compresses on all CPU threads, each object on one.
pub struct CompressStage {
    pub cpu: Cpu,
    pub blosc: BloscSettings,
    pub dtype: Dtype,
    pub buffers: Buffers,
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
                permit.shrink_to(objects.iter().map(|object| self.held_bytes(object)).sum());
                Ok(Compressed { ticket, objects, voxel_bytes, permit })
            }
            Err(error) => Err(Failed { ticket, error: TaskError::Codec(error) }),
        }
    }
}

impl CompressStage {
    /// What an object holds in memory: a frame that is nearly as long as its voxels lies in a buffer made for the longest.
    fn held_bytes(&self, object: &Object) -> u64 {
        let len = object.body.len();
        let longest = codec::frame_bytes(CUBOID.voxels() as usize * self.dtype.size_bytes());
        if is_long(len, longest) { longest.max(len) as u64 } else { len as u64 }
    }

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

    async fn cuboids(&self, chunk: Arc<Columns>, cuboids: Vec<(String, Region)>) -> Result<Vec<Object>, CodecError> {
        let mut compressing = JoinSet::new();
        let mut objects: Vec<Object> = Vec::with_capacity(cuboids.len());
        for (at, (key, region)) in cuboids.into_iter().enumerate() {
            objects.push(Object { key, body: Bytes::new() });
            let (cpu, chunk, buffers) = (self.cpu.clone(), chunk.clone(), self.buffers.clone());
            let (settings, dtype) = (self.blosc, self.dtype);
            let work = move || compress(chunk.cuboid(&region).expect("packed"), dtype, &settings, &buffers);
            compressing.spawn(async move { (at, cpu.run(work).await) });
        }
        while let Some(compressed) = compressing.join_next().await {
            let (at, frame) = compressed.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
            objects[at].body = frame?;
        }
        if let Some(chunk) = Arc::into_inner(chunk) {
            chunk.into_blocks().into_iter().for_each(|column| self.buffers.give(column.into_bytes()));
        }
        Ok(objects)
    }
}

/// The frame of a cuboid.
fn compress(voxels: &[u8], dtype: Dtype, settings: &BloscSettings, buffers: &Buffers) -> Result<Bytes, CodecError> {
    let mut frame = buffers.take(codec::frame_bytes(voxels.len()));
    let len = codec::compress_into(voxels, dtype, settings, &mut frame)?;
    // A short frame would hold a long buffer until it is uploaded.
    if !is_long(len, frame.len()) {
        return Ok(Bytes::copy_from_slice(&frame[..len]));
    }
    frame.truncate(len);
    Ok(Bytes::from_owner(frame))
}

/// Whether an object of `len` bytes may keep a buffer of `longest` bytes.
fn is_long(len: usize, longest: usize) -> bool {
    len >= longest / 4 * 3
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
