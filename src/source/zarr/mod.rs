//! Zarr arrays of versions 2 and 3, and OME-Zarr: folders of chunks.
//!
//! **Reads** one array of a hierarchy, in chunks of their own files or many in a shard, packed with gzip, zlib, zstd, bzip2 or
//! Blosc. `zarrs` understands the metadata and undoes the codecs; which bytes are fetched, and what is kept, is ours.
//! **Axes** have the names of OME-Zarr's `axes`, `dimension_names` or `_ARRAY_DIMENSIONS` where these are t, c, z, y, x; else
//! `x`, `yx`, `zyx`, `tzyx`, `tczyx` by their number. **Regions**: the chunks that a region meets are decoded, of shards the
//! inner ones, and kept for the next; chunks that are not there are the array's fill value. `docs/sources/zarr.md` tells what
//! is not covered.
//! **Specification**: <https://zarr-specs.readthedocs.io>, <https://ngff.openmicroscopy.org>.

mod names;
mod opened;
mod pipeline;
mod reader;
mod shards;
mod store;
#[cfg(test)]
mod tests;

pub(super) use reader::Zarr;

use super::SourceError;
use super::error::Unsupported;
use crate::codec::CodecError;

/// The format's name.
const FORMAT: &str = "zarr";

/// What breaks the rules of the format, in words.
type Flaw = Box<dyn std::error::Error + Send + Sync>;

/// Why an array is not read.
enum Refusal {
    Damaged(Flaw),
    /// What it has.
    Unsupported(String),
}

impl From<Flaw> for Refusal {
    fn from(flaw: Flaw) -> Self {
        Refusal::Damaged(flaw)
    }
}

impl Refusal {
    /// The error about an array, `object` being its metadata or chunk.
    fn of(self, path: &str, dataset: &str, object: &str) -> SourceError {
        match self {
            Refusal::Damaged(flaw) => damaged(path, object, flaw),
            Refusal::Unsupported(what) => {
                let dataset = if dataset.is_empty() { "/" } else { dataset }.to_owned();
                let what = Unsupported::Array { dataset, what };
                SourceError::NotSupported { path: path.to_owned(), what }
            }
        }
    }
}

fn damaged(path: &str, object: &str, flaw: Flaw) -> SourceError {
    let source = CodecError::Damaged { format: FORMAT, source: format!("`{object}`: {flaw}").into() };
    SourceError::Damaged { path: path.to_owned(), source }
}
