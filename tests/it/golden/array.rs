//! Recorded arrays: numpy files, some of them packed.

use std::fs;
use std::io::Read;

use boss_ingest::volume::{Dtype, Size};
use flate2::read::GzDecoder;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::case::folder;

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
        let bytes = voxels_of(npy);
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
        let bytes = voxels_of(output["npy"].as_str().unwrap());
        let place = |nth: usize| (nth % x * y + nth / x % y) * z + nth / x / y;
        let voxels = (0..x * y * z).map(|nth| bytes[place(nth)]).collect();
        Array { size: Size::new(x as u64, y as u64, z as u64), voxels: Voxels::Bytes(voxels) }
    }

    pub fn zeros(size: Size) -> Array {
        Array { size, voxels: Voxels::Zeros }
    }
}

pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is behind the header of a numpy file, version 1 (numpy.lib.format).
fn voxels_of(npy: &str) -> Vec<u8> {
    let mut bytes = fs::read(folder().join(npy)).unwrap();
    if npy.ends_with(".gz") {
        let mut unpacked = Vec::new();
        GzDecoder::new(&bytes[..]).read_to_end(&mut unpacked).unwrap();
        bytes = unpacked;
    }
    assert!(bytes.starts_with(b"\x93NUMPY\x01\x00"), "{npy}");
    let header = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    bytes.split_off(10 + header)
}

/// The first voxel that differs by more than `tolerance`, in words.
pub fn first_difference(expected: &[u8], found: &[u8], dtype: Dtype, size: Size, tolerance: u64) -> Option<String> {
    let item = dtype.size_bytes();
    let voxels = expected.chunks_exact(item).zip(found.chunks_exact(item)).enumerate();
    let (nth, (expected, found)) = { voxels }.find(|(_, (expected, found))| {
        expected != found && (tolerance == 0 || i128::abs_diff(value(expected), value(found)) > u128::from(tolerance))
    })?;
    let (x, y) = (nth as u64 % size.x, nth as u64 / size.x);
    Some(format!("{} at x {x}, y {y}, expected {}, as {dtype}", value(found), value(expected)))
}

/// The bytes of one voxel as an unsigned integer.
fn value(bytes: &[u8]) -> i128 {
    bytes.iter().rev().fold(0, |value, byte| value << 8 | i128::from(*byte))
}
