//! N5 arrays, as n5-java, Paintera, BigDataViewer and TensorStore write them: folders of blocks.
//!
//! **Reads** one dataset of a container in blocks that are plain or packed with gzip, zlib, bzip2, Blosc or zstd. **Axes**: N5
//! names the fastest first, so that an array of `dimensions` x, y, z is a volume `zyx`, as everywhere here. **Regions**: the
//! blocks that a region meets are decoded, and kept for the next; blocks that are not there, and what lacks of those that are
//! smaller than `blockSize`, are 0. `docs/sources/n5.md` tells what is not covered.
//! **Specification**: <https://github.com/saalfeldlab/n5#file-system-specification>.

mod attributes;
mod block;
mod reader;
#[cfg(test)]
mod tests;

pub(super) use reader::N5;

/// The format's name.
const FORMAT: &str = "n5";

/// What breaks the rules of the format, in words.
type Flaw = Box<dyn std::error::Error + Send + Sync>;

/// Why a dataset is not read.
enum Refusal {
    Damaged(Flaw),
    /// What it has.
    Unsupported(String),
    /// So many bytes are needed.
    TooLarge(u64),
}

impl<T: Into<Flaw>> From<T> for Refusal {
    fn from(flaw: T) -> Self {
        Refusal::Damaged(flaw.into())
    }
}
