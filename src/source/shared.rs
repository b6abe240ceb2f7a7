//! What all readers of a job share.

use super::blocks::Blocks;

/// What all readers of a job share.
pub(super) struct Shared {
    /// No single image, strip, tile or chunk that needs more bytes is decoded.
    pub limit_bytes: u64,
    pub blocks: Blocks,
}

impl Shared {
    /// Keeps decoded blocks of up to `block_bytes`.
    pub fn new(limit_bytes: u64, block_bytes: u64) -> Self {
        Shared { limit_bytes, blocks: Blocks::new(block_bytes) }
    }
}
