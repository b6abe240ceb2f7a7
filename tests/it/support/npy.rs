//! Arrays as numpy writes them.

use std::fs;
use std::io::Read;
use std::path::Path;

use boss_ingest::volume::{Dtype, Size};
use flate2::read::GzDecoder;

/// What is behind the header of a numpy file, version 1 (numpy.lib.format), which may be packed as `.npy.gz`.
pub fn voxels_of(npy: &Path) -> Vec<u8> {
    let mut bytes = fs::read(npy).unwrap();
    if npy.extension().is_some_and(|extension| extension == "gz") {
        let mut unpacked = Vec::new();
        GzDecoder::new(&bytes[..]).read_to_end(&mut unpacked).unwrap();
        bytes = unpacked;
    }
    assert!(bytes.starts_with(b"\x93NUMPY\x01\x00"), "{}", npy.display());
    let header = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    bytes.split_off(10 + header)
}

/// The first voxel that differs by more than `tolerance`, in words. Voxels are `[z, y, x]`, little-endian.
pub fn first_difference(expected: &[u8], found: &[u8], dtype: Dtype, size: Size, tolerance: u64) -> Option<String> {
    let item = dtype.size_bytes();
    let voxels = expected.chunks_exact(item).zip(found.chunks_exact(item)).enumerate();
    let (nth, (expected, found)) = { voxels }.find(|(_, (expected, found))| {
        expected != found && (tolerance == 0 || i128::abs_diff(value(expected), value(found)) > u128::from(tolerance))
    })?;
    let nth = nth as u64;
    let (x, y, z) = (nth % size.x, nth / size.x % size.y, nth / size.x / size.y);
    Some(format!("{} at x {x}, y {y}, z {z}, expected {}, as {dtype}", value(found), value(expected)))
}

/// The bytes of one voxel as an unsigned integer.
fn value(bytes: &[u8]) -> i128 {
    bytes.iter().rev().fold(0, |value, byte| value << 8 | i128::from(*byte))
}
