//! Neuroglancer precomputed volumes: folders of chunks, as CloudVolume and Igneous write them.
//!
//! **Reads** the folder's `info` and chunks that are [`raw`](chunk), `jpeg`, `png` or
//! [`compressed_segmentation`](segmentation), plain or packed with gzip, brotli or zstd, each in a file of its own or many in
//! a [shard](sharding). **Data types**: those of `info`. **Regions**: positions are the volume's own, its `voxel_offset`
//! included; a region is put together from the chunks that it meets, and decoded chunks are kept for the next.
//! **Does not cover** `compresso`, `crackle`, `fpzip`, `kempressed`, `zfpc`, `jxl`, objects packed with anything else,
//! meshes and skeletons.
//! **Specification**: <https://neuroglancer-docs.web.app/datasource/precomputed/volume.html>.

mod chunk;
mod info;
mod named;
mod reader;
mod segmentation;
mod sharding;
#[cfg(test)]
mod tests;

pub(super) use reader::Precomputed;

/// The format's name.
const FORMAT: &str = "precomputed";

/// What breaks the rules of the format, in words.
type Flaw = Box<dyn std::error::Error + Send + Sync>;
