//! The user's data: one reader per format behind one trait, and the plans that say what to read of it.
//!
//! A script's plan names a file and a region. [`Sources`] opens the file (once for all workers), reads the region, pads and
//! casts it, and gives exactly the block that the task needs, or a [`SourceError`] that says what is wrong with which file.
//! Where voxels come to, and in which encoding, is others' business.

mod array;
mod axes;
mod blocks;
mod bmp;
mod bossdb;
mod cache;
mod cast;
mod cells;
mod checksum;
mod colour;
#[cfg(test)]
mod conformance;
mod decoded;
mod error;
mod fetch;
mod files;
mod flat;
mod format;
mod generated;
mod hdf5;
mod hierarchy;
mod inspect;
mod jpeg;
mod location;
mod lut;
mod n5;
mod number;
mod packing;
mod parallel;
mod placement;
mod plan;
mod png;
mod pool;
mod precomputed;
mod read;
mod reader;
mod remote;
mod resolve;
mod scratch;
mod shared;
mod show;
mod sound;
mod sources;
mod statistics;
mod survey;
mod tiff;
mod tile;
mod unpack;
mod whole;
mod zarr;

pub use checksum::checksum;
pub use error::{Number, PageKind, PlanMistake, SizeProblem, SourceError, Unsupported};
pub use files::SourceFile;
pub use inspect::{Inspection, Part, Sample};
pub use lut::Lut;
pub use number::reals;
pub use plan::{Axis, Cast, Encode, MissingRule, Plan, ReadPlan, SourceRef, Step, Target};
pub use read::Traced;
pub use reader::{Colour, Contents, Held, RegionReader, Selection, SourceInfo};
pub use remote::{BossSettings, RemoteSettings};
pub use scratch::Scratch;
use shared::Shared;
pub use sources::{Kept, Sources};
pub use statistics::Statistics;
pub use survey::{SourceRead, Survey};
pub use tile::TileBytes;
