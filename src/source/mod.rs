//! The user's data: one reader per format behind one trait, and the plans that say what to read of it.
//!
//! A script's plan names a file and a region. [`Sources`] opens the file (once for all workers), reads the region, pads and
//! casts it, and gives exactly the block that the task needs, or a [`SourceError`] that says what is wrong with which file.
//! Where voxels come to, and in which encoding, is others' business.

mod cache;
mod cast;
#[cfg(test)]
mod conformance;
mod decoded;
mod error;
mod format;
mod jpeg;
mod location;
mod number;
mod plan;
mod png;
mod read;
mod reader;
mod sources;
mod tiff;
mod tile;

pub use error::{Number, PlanMistake, SizeProblem, SourceError, Unsupported};
pub use plan::{Cast, Encode, MissingRule, Plan, PlanRegion, ReadPlan, Target};
pub use reader::{RegionReader, Selection, SourceInfo};
pub use sources::Sources;
pub use tile::TileBytes;
