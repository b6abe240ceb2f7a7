//! Decoded blocks of all sources, and whole images, shared by all workers: each is decoded once as long as there is room.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::cache::{Cache, Room};
use super::location::Located;
use crate::volume::Block;

/// Files whose numbers are remembered.
const MAX_FILES: usize = 65536;

/// Decoded blocks, which together never take more than so many bytes.
pub(super) struct Blocks {
    kept: Cache<Key, Block>,
    numbers: Cache<Located, u64>,
    readers: AtomicU64,
    turns: AtomicU64,
    most_bytes: u64,
}

/// Which block of which open source.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// From [`Blocks::reader`] or [`Blocks::file`].
    pub reader: u64,
    /// Array, page, plane or level of a source with several.
    pub part: u64,
    /// The position in the grid of blocks, x first; 0 on axes that there are not.
    pub cell: [u64; 5],
}

impl Blocks {
    pub fn new(bytes: u64) -> Self {
        Blocks {
            kept: Cache::new(bytes, usize::MAX),
            numbers: Cache::new(u64::MAX, MAX_FILES),
            readers: AtomicU64::new(0),
            turns: AtomicU64::new(0),
            most_bytes: bytes,
        }
    }

    /// What all of them may take.
    pub fn most_bytes(&self) -> u64 {
        self.most_bytes
    }

    /// Which of all reads this is, for [`staggered`](super::parallel::staggered).
    pub fn turn(&self) -> u64 {
        self.turns.fetch_add(1, Ordering::Relaxed)
    }

    /// A number of its own for each open source. A mended file is opened anew, so blocks of the old one are not found.
    pub fn reader(&self) -> u64 {
        self.readers.fetch_add(1, Ordering::Relaxed)
    }

    /// The same number for a file that is opened again, as long as it is not mended.
    pub fn file(&self, located: &Located) -> u64 {
        let number = self.numbers.get(located, || Ok::<_, Infallible>((Arc::new(self.reader()), 1)));
        let Ok(number) = number;
        *number
    }

    /// The block, if it is kept.
    pub fn find(&self, key: &Key) -> Option<Arc<Block>> {
        self.kept.find(key)
    }

    /// Room for a block that is still to be decoded; nothing goes for it that was used in the last `spared` look-ups.
    pub fn room(&self, bytes: u64, spared: u64) -> Option<Room<'_, Key, Block>> {
        self.kept.room(bytes, spared)
    }

    /// What all of them take.
    pub fn bytes(&self) -> u64 {
        self.kept.weight()
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
