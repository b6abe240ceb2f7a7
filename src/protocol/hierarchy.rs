//! Levels of detail: which voxel size and extent each has, and where the isotropic series begins.
//!
//! As in boss-manage's downsample service and spdb's `project.resource`.

use serde::{Deserialize, Serialize};

/// How an experiment's levels shrink: x and y alone, or z as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HierarchyMethod {
    Anisotropic,
    Isotropic,
}

/// One level of detail; axes in the order x, y, z.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// In the coordinate frame's unit.
    pub voxel_size: [f64; 3],
    /// The frame's last voxels at this level; its start is not subtracted, as in the Boss.
    pub extent: [u64; 3],
}

/// The Boss looks for the isotropic level among this many.
const LEVELS_LOOKED_AT: u64 = 30;

impl HierarchyMethod {
    /// The level at which voxels are nearest to cubes; 0 when every level is isotropic. `voxel` is its size in x, y, z.
    pub fn isotropic_level(self, [x, _, z]: [f64; 3]) -> u64 {
        if self == HierarchyMethod::Isotropic {
            return 0;
        }
        let distance = |level: u64| (z / (x * (level as f64).exp2()) - 1.0).abs();
        (0..LEVELS_LOOKED_AT)
            .reduce(|best, level| if distance(level) < distance(best) { level } else { best })
            .unwrap_or(0)
    }

    /// Whether a level of detail has an isotropic series beside the plain one.
    pub fn has_isotropic_series(self, resolution: u64, isotropic_level: u64) -> bool {
        self == HierarchyMethod::Anisotropic && resolution > isotropic_level
    }

    /// The levels from the finest on: plain ones, or those of the isotropic series where there is one.
    pub fn levels(self, voxel: [f64; 3], stop: [u64; 3], isotropic: bool) -> impl Iterator<Item = Level> {
        let isotropic_level = self.isotropic_level(voxel);
        let finest = Level { voxel_size: voxel, extent: stop };
        (0u64..).scan(finest, move |level, resolution| {
            if resolution > 0 {
                let shrinks_z = match self {
                    HierarchyMethod::Isotropic => true,
                    HierarchyMethod::Anisotropic => isotropic && self.has_isotropic_series(resolution, isotropic_level),
                };
                for axis in [Some(0), Some(1), shrinks_z.then_some(2)].into_iter().flatten() {
                    level.voxel_size[axis] *= 2.0;
                    level.extent[axis] = level.extent[axis].div_ceil(2);
                }
            }
            Some(*level)
        })
    }
}
