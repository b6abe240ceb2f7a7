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
#[cfg(test)]
mod damage_tests;
mod grid;
mod info;
mod looked;
mod objects;
mod part;
mod pasting;
mod reader;
mod request;
mod segmentation;
mod sharding;
mod shards;
#[cfg(test)]
mod store_tests;
#[cfg(test)]
mod tests;

pub(super) use reader::Precomputed;

/// The format's name.
const FORMAT: &str = "precomputed";

/// The name of the file that says what a volume is.
const INFO: &str = "info";

/// What breaks the rules of the format, in words.
type Flaw = Box<dyn std::error::Error + Send + Sync>;
