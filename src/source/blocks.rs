//! Decoded blocks of all sources, shared by all workers: each is decoded once as long as there is room.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::cache::Cache;
use crate::volume::Block;

/// Decoded blocks, which together never take more than so many bytes.
pub(super) struct Blocks {
    kept: Cache<Key, Block>,
    readers: AtomicU64,
    most_bytes: u64,
}

/// Which block of which open source.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// From [`Blocks::reader`].
    pub reader: u64,
    /// Array, page, plane or level of a source with several.
    pub part: u64,
    /// The position in the grid of blocks, x first; 0 on axes that there are not.
    pub cell: [u64; 5],
}

impl Blocks {
    pub fn new(bytes: u64) -> Self {
        Blocks { kept: Cache::new(bytes, usize::MAX), readers: AtomicU64::new(0), most_bytes: bytes }
    }

    /// What all of them may take.
    pub fn most_bytes(&self) -> u64 {
        self.most_bytes
    }

    /// A number of its own for each open source. A mended file is opened anew, so blocks of the old one are not found.
    pub fn reader(&self) -> u64 {
        self.readers.fetch_add(1, Ordering::Relaxed)
    }

    /// The block, where it is kept.
    pub fn kept(&self, key: &Key) -> Option<Arc<Block>> {
        self.kept.kept(key)
    }

    /// The block, decoded by `decode` where nobody has it. Waits while another thread decodes it.
    pub fn get<E>(&self, key: &Key, decode: impl FnOnce() -> Result<Block, E>) -> Result<Arc<Block>, E> {
        self.kept.get(key, || {
            let block = decode()?;
            let bytes = block.as_bytes().len() as u64;
            Ok((Arc::new(block), bytes))
        })
    }
}
