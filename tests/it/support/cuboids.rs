//! The cuboids of a local Boss as files, to be changed behind its back.

use std::path::{Path, PathBuf};

use boss_ingest::codec::{self, BloscSettings};
use boss_ingest::volume::{Block, CUBOID, CuboidIndex, Dtype, Region, Span};

/// A cuboid in the folder of a local Boss.
pub struct StoredCuboid {
    pub path: PathBuf,
    pub t: i64,
    pub region: Region,
}

/// All cuboids below the folder of a local Boss, in the order of their times and places.
pub fn stored_cuboids(boss: &Path) -> Vec<StoredCuboid> {
    let mut found = Vec::new();
    collect(&boss.join("cuboids"), &mut found);
    found.sort_by_key(|cuboid| (cuboid.t, cuboid.region.z.start, cuboid.region.y.start, cuboid.region.x.start));
    found
}

fn collect(folder: &Path, found: &mut Vec<StoredCuboid>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
            continue;
        }
        // HASH_collection_experiment_channel_resolution_t_morton_0
        let name = path.file_name().unwrap().to_str().unwrap();
        let mut numbers = name.rsplit('_').skip(1).map(|number| number.parse::<u64>().unwrap());
        let region = CuboidIndex::from_morton(numbers.next().unwrap()).region();
        let t = numbers.next().unwrap() as i64;
        found.push(StoredCuboid { path, t, region });
    }
}

/// The cuboid that holds a voxel.
pub fn cuboid_at(boss: &Path, [x, y, z, t]: [i64; 4]) -> StoredCuboid {
    let voxel = Region::new(Span::one(x), Span::one(y), Span::one(z));
    stored_cuboids(boss).into_iter().find(|cuboid| cuboid.t == t && cuboid.region.covers(&voxel)).expect("it is stored")
}

impl StoredCuboid {
    /// Changes one voxel by the lowest bit, and gives what it is then.
    pub fn flip(&self, dtype: Dtype, [x, y, z, _]: [i64; 4]) -> u64 {
        let frame = std::fs::read(&self.path).unwrap();
        let limit_bytes = CUBOID.voxels() * dtype.size_bytes() as u64;
        let mut block = Block::from_bytes(dtype, CUBOID, codec::decompress(&frame, limit_bytes).unwrap()).unwrap();
        let [x, y, z] = [x - self.region.x.start, y - self.region.y.start, z - self.region.z.start].map(|at| at as u64);
        let at = ((z * CUBOID.y + y) * CUBOID.x + x) as usize * dtype.size_bytes();
        block.as_bytes_mut()[at] ^= 1;
        let frame = codec::compress(block.as_bytes(), dtype, &BloscSettings::default()).unwrap();
        std::fs::write(&self.path, frame).unwrap();
        let voxel = &block.as_bytes()[at..at + dtype.size_bytes()];
        voxel.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
    }
}
