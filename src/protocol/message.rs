//! The messages of a job's upload queue: one tile, or one chunk with its cuboids.

use serde::{Deserialize, Serialize};

use super::python_json;
use super::{ChunkKey, KeyError, ProjectIds, TileKey, object_key};
use crate::volume::{CUBOID, CuboidIndex, Index, Size};

/// What an upload message asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UploadMessage {
    Tile(TileMessage),
    Chunk(ChunkMessage),
}

/// The message of a tile job. The queue fields hold URLs, whatever their names say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TileMessage {
    pub job_id: u64,
    pub upload_queue_arn: String,
    pub ingest_queue_arn: String,
    pub chunk_key: String,
    pub tile_key: String,
}

/// The message of a volumetric job: a chunk and all the cuboids of its grid, also those outside the extent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkMessage {
    pub chunk_key: String,
    pub cuboids: Vec<CuboidEntry>,
}

/// One cuboid of a chunk: its first voxel counted from the chunk's, and the key of its object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CuboidEntry {
    pub x: u64,
    pub y: u64,
    pub z: u64,
    pub key: String,
}

/// Why the body of an upload message cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    #[error("the message has neither a `tile_key` nor a list of `cuboids`")]
    Unknown,
    #[error("the message is not the JSON that the Boss sends")]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl UploadMessage {
    /// Reads the body of a message of either kind. Only the keys are needed; other fields may be absent.
    ///
    /// # Errors
    /// When the body is not JSON or has the fields of neither kind.
    pub fn parse(body: &str) -> Result<Self, MessageError> {
        #[derive(Deserialize)]
        struct Fields {
            chunk_key: String,
            tile_key: Option<String>,
            cuboids: Option<Vec<CuboidEntry>>,
            job_id: Option<u64>,
            upload_queue_arn: Option<String>,
            ingest_queue_arn: Option<String>,
        }
        let fields: Fields = serde_json::from_str(body)?;
        match (fields.tile_key, fields.cuboids) {
            (Some(tile_key), None) => Ok(UploadMessage::Tile(TileMessage {
                job_id: fields.job_id.unwrap_or_default(),
                upload_queue_arn: fields.upload_queue_arn.unwrap_or_default(),
                ingest_queue_arn: fields.ingest_queue_arn.unwrap_or_default(),
                chunk_key: fields.chunk_key,
                tile_key,
            })),
            (None, Some(cuboids)) => Ok(UploadMessage::Chunk(ChunkMessage { chunk_key: fields.chunk_key, cuboids })),
            _ => Err(MessageError::Unknown),
        }
    }

    /// The index of the tile or chunk that the message asks for.
    ///
    /// # Errors
    /// When its key cannot be read.
    pub fn index(&self) -> Result<Index, MessageError> {
        Ok(match self {
            UploadMessage::Tile(message) => message.tile_key.parse::<TileKey>()?.index,
            UploadMessage::Chunk(message) => message.chunk_key.parse::<ChunkKey>()?.index,
        })
    }

    /// The body as the Boss writes it.
    pub fn to_json(&self) -> String {
        match self {
            UploadMessage::Tile(message) => python_json::spaced(message),
            UploadMessage::Chunk(message) => python_json::spaced(message),
        }
    }
}

impl ChunkMessage {
    /// The message of a chunk whose first voxel is `origin` (x, y, z). Lists the whole grid of the chunk, x fastest.
    ///
    /// `None` when the chunk has voxels that no cuboid key can name.
    pub fn new(ids: ProjectIds, resolution: u64, chunk: Index, origin: (i64, i64, i64), size: Size) -> Option<Self> {
        let chunk_key = ChunkKey { num_tiles: 1, ids, resolution, index: chunk }.to_string();
        let mut cuboids = Vec::new();
        for z in (0..size.z).step_by(CUBOID.z as usize) {
            for y in (0..size.y).step_by(CUBOID.y as usize) {
                for x in (0..size.x).step_by(CUBOID.x as usize) {
                    let at = |start: i64, offset: u64| start.checked_add_unsigned(offset);
                    let cuboid = CuboidIndex::containing(at(origin.0, x)?, at(origin.1, y)?, at(origin.2, z)?)?;
                    cuboids.push(CuboidEntry { x, y, z, key: object_key(ids, resolution, 0, cuboid) });
                }
            }
        }
        Some(ChunkMessage { chunk_key, cuboids })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_needs_only_its_keys() {
        let tile = UploadMessage::parse(r#"{"chunk_key": "a&1&4&5&6&0&0&0&0&0", "tile_key": "b&4&5&6&0&3&1&117&2"}"#);
        assert_eq!(tile.unwrap().index().unwrap(), Index::new(3, 1, 117, 2));
        let chunk = r#"{"chunk_key":"a&1&4&5&6&0&1&2&3&0","cuboids":[{"x":0,"y":512,"z":16,"key":"k"}]}"#;
        assert_eq!(UploadMessage::parse(chunk).unwrap().index().unwrap(), Index::new(1, 2, 3, 0));
    }

    #[test]
    fn other_bodies_are_refused() {
        for body in ["", "[]", "{}", r#"{"chunk_key": "a"}"#, r#"{"chunk_key": 7, "tile_key": "b"}"#] {
            assert!(UploadMessage::parse(body).is_err(), "{body}");
        }
    }

    /// The bits of x, y and z written as text, z first, read as one binary number.
    fn morton_the_slow_way(x: u64, y: u64, z: u64) -> u64 {
        let bits: String =
            (0..21).rev().map(|bit| format!("{}{}{}", z >> bit & 1, y >> bit & 1, x >> bit & 1)).collect();
        u64::from_str_radix(&bits, 2).unwrap()
    }

    proptest::proptest! {
        #[test]
        fn chunk_messages_list_the_cuboids_of_the_slow_way(
            x in 0i64..100_000, y in 0i64..100_000, z in 0i64..5000, nx in 1u64..4, ny in 1u64..4, nz in 1u64..4,
        ) {
            let (ids, chunk) = (ProjectIds::new(12, 3, 456), Index::new(7, 8, 9, 0));
            let size = Size::new(nx * 512, ny * 512, nz * 16);
            let message = ChunkMessage::new(ids, 2, chunk, (x, y, z), size).unwrap();
            let mut slow = Vec::new();
            for cz in 0..nz {
                for cy in 0..ny {
                    for cx in 0..nx {
                        let at = |start: i64, voxels: u64, step: u64| (start as u64 + voxels) / step;
                        let morton =
                            morton_the_slow_way(at(x, cx * 512, 512), at(y, cy * 512, 512), at(z, cz * 16, 16));
                        slow.push((cx * 512, cy * 512, cz * 16, format!("&12&3&456&2&0&{morton}")));
                    }
                }
            }
            proptest::prop_assert_eq!(message.cuboids.len(), slow.len());
            for (cuboid, (x, y, z, fields)) in message.cuboids.iter().zip(slow) {
                proptest::prop_assert_eq!((cuboid.x, cuboid.y, cuboid.z), (x, y, z));
                proptest::prop_assert!(cuboid.key.ends_with(&fields) && cuboid.key.len() == 32 + fields.len());
            }
        }
    }
}
