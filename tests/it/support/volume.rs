//! Volumes whose voxels follow from their coordinates, so that a swapped axis or an off-by-one shows.

use std::path::Path;

use boss_ingest::codec::{self, ImageFormat};
use boss_ingest::volume::{Block, Dtype, Size};

/// A volume with voxels at 0..x, 0..y, 0..z, 0..t, and zeros elsewhere.
#[derive(Clone, Copy)]
pub struct TestVolume {
    pub dtype: Dtype,
    pub x: i64,
    pub y: i64,
    pub z: i64,
    pub t: i64,
}

impl TestVolume {
    pub fn new(dtype: Dtype, x: i64, y: i64, z: i64) -> Self {
        TestVolume { dtype, x, y, z, t: 1 }
    }

    /// The value at a voxel: never 0 inside, so that padding shows as well.
    pub fn voxel(&self, x: i64, y: i64, z: i64, t: i64) -> u64 {
        let inside = (0..self.x).contains(&x) && (0..self.y).contains(&y) && (0..self.z).contains(&z);
        if !inside || !(0..self.t).contains(&t) {
            return 0;
        }
        let mixed = (x as u64 * 7 + y as u64 * 101 + z as u64 * 1009 + t as u64 * 52_391).wrapping_mul(2_654_435_761);
        let most = u64::MAX >> (64 - 8 * self.dtype.size_bytes());
        (mixed >> 16) % most + 1
    }

    /// The section as little-endian voxels.
    pub fn section(&self, z: i64, t: i64) -> Block {
        let bytes = self.bytes(0..self.x, 0..self.y, z..z + 1, t);
        Block::from_bytes(self.dtype, Size::new(self.x as u64, self.y as u64, 1), bytes).unwrap()
    }

    /// Voxels of a box as `[z, y, x]`, little-endian.
    pub fn bytes(&self, x: std::ops::Range<i64>, y: std::ops::Range<i64>, z: std::ops::Range<i64>, t: i64) -> Vec<u8> {
        let item = self.dtype.size_bytes();
        let mut bytes = Vec::new();
        for z in z {
            for y in y.clone() {
                for x in x.clone() {
                    bytes.extend_from_slice(&self.voxel(x, y, z, t).to_le_bytes()[..item]);
                }
            }
        }
        bytes
    }

    pub fn write_section(&self, path: &Path, z: i64, t: i64) {
        let format = match path.extension().unwrap().to_str().unwrap() {
            "png" => ImageFormat::Png,
            _ => ImageFormat::Tiff,
        };
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, codec::encode(&self.section(z, t), format).unwrap()).unwrap();
    }

    /// Writes every section of time sample 0 as `folder/s0000.png`, counted from 0.
    pub fn write_sections(&self, folder: &Path, extension: &str) {
        for z in 0..self.z {
            self.write_section(&folder.join(format!("s{z:04}.{extension}")), z, 0);
        }
    }
}

/// Fails at the first byte that differs.
#[track_caller]
pub fn compare(found: &[u8], expected: &[u8], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}: bytes");
    if let Some(at) = found.iter().zip(expected).position(|(a, b)| a != b) {
        panic!("{what}: byte {at} is {}, expected {}", found[at], expected[at]);
    }
}
