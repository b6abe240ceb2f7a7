//! Image bytes to voxels and back, Blosc bytes to voxels and back.
//!
//! Everything here works on bytes in memory or on any seekable stream and knows no paths, scripts or queues. The readers
//! use it for the user's files, the engine to encode tiles and compress cuboids, the local Boss to decode what it
//! receives. What is said by a header is checked against a limit before memory is taken for it.
//!
//! Images are grey: one value per voxel. Colours, palettes and transparency are refused by name, since a channel of the
//! Boss has no place for them.

pub mod blosc;
mod blosc_ffi;
mod error;
mod image;
pub mod jpeg;
mod memory;
pub mod png;
mod samples;
pub mod tiff;
mod tiff_encode;
mod tiff_lzw;
mod tiff_page;

pub use blosc::{BLOSC_MAX_BYTES, BloscCodec, BloscSettings, Shuffle, compress, decompress, decompressed_bytes};
pub use error::{CodecError, Feature};
pub use image::{Header, ImageFormat, decode, encode};
