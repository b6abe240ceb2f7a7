//! Image bytes to voxels and back, Blosc bytes to voxels and back.
//!
//! Everything here works on bytes in memory or on any seekable stream and knows no paths, scripts or queues. The readers
//! use it for the user's files, the engine to encode tiles and compress cuboids, the local Boss to decode what it
//! receives. What is said by a header is checked against a limit before memory is taken for it.
//!
//! Blocks are grey: one value per voxel, since a channel of the Boss has no place for more. Of an image with several, one
//! channel or the grey is decoded where the caller says which; otherwise it is refused by name. Palettes always are.

pub mod blosc;
mod blosc_ffi;
pub mod bmp;
mod colour;
mod error;
mod image;
pub mod jpeg;
mod memory;
pub mod npy;
pub mod png;
mod samples;
pub mod tiff;
mod tiff_encode;
mod tiff_stack;
mod whole;

pub use blosc::{
    BLOSC_MAX_BYTES, BloscCodec, BloscSettings, Shuffle, compress, compress_into, decompress, decompressed_bytes,
    frame_bytes,
};
pub use colour::{Channels, Pick};
pub use error::{CodecError, Feature};
pub use image::{Header, ImageFormat, decode, encode, prove};
pub(crate) use memory::zeros;
pub(crate) use samples::swap_bytes;
pub use tiff_stack::write_stack;
pub use whole::check_whole;
