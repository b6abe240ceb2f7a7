//! What all readers of a job share.

use std::sync::atomic::AtomicU64;

use super::blocks::{Blocks, Key};
use super::cache::Cache;
use super::scratch::Scratch;
use super::whole::Whole;

/// What all readers of a job share.
pub(super) struct Shared {
    /// No single image, strip, tile or chunk that needs more bytes is decoded.
    pub limit_bytes: u64,
    pub blocks: Blocks,
    /// Where images go that memory has no room for.
    pub scratch: Option<Scratch>,
    /// Images that are decoded whole, as long as somebody reads them.
    pub wholes: Cache<Key, Whole>,
    /// How often an image was decoded as a whole.
    pub images_decoded: AtomicU64,
}

impl Shared {
    /// Keeps decoded blocks of up to `block_bytes`.
    pub fn new(limit_bytes: u64, block_bytes: u64) -> Self {
        Shared {
            limit_bytes,
            blocks: Blocks::new(block_bytes),
            scratch: None,
            wholes: Cache::new(0, 0),
            images_decoded: AtomicU64::new(0),
        }
    }
}
