//! Recorded arrays: numpy files, some of them packed.

use boss_ingest::volume::Size;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::case::folder;
use crate::support::voxels_of;

/// The array `[y, x]` of a tile.
pub struct Array {
    pub size: Size,
    pub voxels: Voxels,
}

/// What a recorded array holds.
pub enum Voxels {
    /// Little-endian.
    Bytes(Vec<u8>),
    /// The SHA-256 of the bytes, where they are not kept.
    Digest(String),
    Zeros,
}

impl Array {
    /// # Panics
    /// When the kept file is not the recorded array.
    pub fn load(output: &Value) -> Array {
        let length = |nth: usize| output["shape"][nth].as_u64().unwrap();
        let size = Size::new(length(1), length(0), 1);
        let digest = output["sha256"].as_str().unwrap().to_owned();
        let Some(npy) = output["npy"].as_str() else { return Array { size, voxels: Voxels::Digest(digest) } };
        let bytes = voxels_of(&folder().join(npy));
        assert_eq!(sha256(&bytes), digest, "{npy}");
        Array { size, voxels: Voxels::Bytes(bytes) }
    }

    /// The array `[x, y, z, 1]` of a chunk of `uint8`.
    ///
    /// # Panics
    /// When it is not kept, or is of another type.
    pub fn load_xyz(output: &Value) -> Array {
        assert_eq!((output["dtype"].as_str(), output["shape"][3].as_u64()), (Some("uint8"), Some(1)));
        let [x, y, z] = [0, 1, 2].map(|nth: usize| output["shape"][nth].as_u64().unwrap() as usize);
        let bytes = voxels_of(&folder().join(output["npy"].as_str().unwrap()));
        let place = |nth: usize| (nth % x * y + nth / x % y) * z + nth / x / y;
        let voxels = (0..x * y * z).map(|nth| bytes[place(nth)]).collect();
        Array { size: Size::new(x as u64, y as u64, z as u64), voxels: Voxels::Bytes(voxels) }
    }

    /// The first `depth` sections of an array `[z, y, x]`, or `[1, z, y, x]`.
    ///
    /// # Panics
    /// When it is not kept.
    pub fn load_zyx(output: &Value, depth: u64) -> Array {
        let shape: Vec<u64> =
            output["shape"].as_array().unwrap().iter().map(|length| length.as_u64().unwrap()).collect();
        let [.., z, y, x] = shape[..] else { panic!("an array of {shape:?}") };
        let mut bytes = voxels_of(&folder().join(output["npy"].as_str().unwrap()));
        bytes.truncate(bytes.len() / z as usize * z.min(depth) as usize);
        Array { size: Size::new(x, y, z.min(depth)), voxels: Voxels::Bytes(bytes) }
    }

    pub fn zeros(size: Size) -> Array {
        Array { size, voxels: Voxels::Zeros }
    }
}

pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
