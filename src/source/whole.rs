//! Images that can only be decoded as a whole: where their voxels are kept.
//!
//! An image of at most an eighth of the cache is kept in memory beside the blocks of other formats, as long as nothing has to
//! go for it that was used in the last 1024 look-ups. Any other is decoded straight into a file of the [scratch
//! directory](super::scratch). Without such a directory, or where it has no room, the cache keeps what was used last, and an
//! image that is larger than the cache lies in memory only as long as somebody reads it. An image that one task reads as a
//! whole will hardly be wanted again: it drives nothing out and is not written to the disk, unless it is too large for memory.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::blocks::Key;
use super::cache::Room;
use super::scratch::Mapped;
use super::{Shared, SourceError};
use crate::codec;
use crate::volume::{Block, Dtype, Size};

/// An image that takes more than one part in so many of the cache goes to the scratch directory.
const LARGE_SHARE: u64 = 8;

/// Nothing that was used in the last so many look-ups goes for an image that has room in the scratch directory.
const SPARED: u64 = 1024;

/// The voxels of an image.
pub(super) enum Whole {
    Memory(Arc<Block>),
    Scratch(Arc<Mapped>),
}

/// An image that is wanted.
pub(super) struct Wanted<'a> {
    pub path: &'a str,
    pub key: Key,
    pub size: Size,
    pub dtype: Dtype,
    /// Bytes that the decoder needs for the voxels, which lie at their front when it is done.
    pub buffer_bytes: u64,
    /// Whether the whole image is read at once, and so hardly again.
    pub is_once: bool,
}

impl Whole {
    /// The voxels as little-endian bytes, `[z, y, x]`.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Whole::Memory(block) => block.as_bytes(),
            Whole::Scratch(mapped) => mapped.as_bytes(),
        }
    }
}

impl Shared {
    /// The voxels of an image, decoded by `decode` into zeros where nobody has them. Waits while another thread decodes them.
    ///
    /// # Errors
    /// Those of `decode`, and [`SourceError::LimitsExceeded`] where there is room for the image neither in memory nor in the
    /// scratch directory.
    pub fn whole(
        &self,
        wanted: &Wanted,
        decode: impl FnOnce(&mut [u8]) -> Result<(), SourceError>,
    ) -> Result<Arc<Whole>, SourceError> {
        self.wholes.get(&wanted.key, || {
            let whole = match self.blocks.find(&wanted.key) {
                Some(block) => Whole::Memory(block),
                None => match self.scratch.as_ref().and_then(|scratch| scratch.find(&wanted.key)) {
                    Some(mapped) => Whole::Scratch(mapped),
                    None => self.decode(wanted, decode)?,
                },
            };
            Ok((Arc::new(whole), 1))
        })
    }

    /// Whether an image takes no memory but the decoder's own, since it goes to the scratch directory.
    pub fn is_for_scratch(&self, bytes: u64, buffer_bytes: u64, is_once: bool) -> bool {
        let is_large = if is_once { buffer_bytes > self.limit_bytes } else { bytes > self.large_bytes() };
        is_large && self.scratch_takes(buffer_bytes)
    }

    fn large_bytes(&self) -> u64 {
        self.blocks.most_bytes() / LARGE_SHARE
    }

    /// Whether the scratch directory may hold so many bytes.
    pub fn scratch_takes(&self, bytes: u64) -> bool {
        self.scratch.as_ref().is_some_and(|scratch| bytes <= scratch.most_bytes())
    }

    fn decode(
        &self,
        wanted: &Wanted,
        decode: impl FnOnce(&mut [u8]) -> Result<(), SourceError>,
    ) -> Result<Whole, SourceError> {
        self.images_decoded.fetch_add(1, Ordering::Relaxed);
        let Wanted { key, buffer_bytes, is_once, .. } = wanted;
        let bytes = wanted.size.voxels().saturating_mul(wanted.dtype.size_bytes() as u64);
        if bytes <= self.large_bytes()
            && let Some(room) = self.blocks.room(bytes, SPARED)
        {
            return self.in_cache(wanted, room, decode);
        }
        if (!is_once || *buffer_bytes > self.limit_bytes)
            && let Some((room, mut file)) = self.scratch.as_ref().and_then(|scratch| scratch.file(*buffer_bytes))
        {
            decode(file.as_bytes_mut())?;
            let mapped = file.finish(bytes).map_err(|error| SourceError::io(wanted.path, error))?;
            let mapped = Arc::new(mapped);
            room.keep(key, &mapped, bytes);
            return Ok(Whole::Scratch(mapped));
        }
        if !is_once && let Some(room) = self.blocks.room(bytes, 0) {
            return self.in_cache(wanted, room, decode);
        }
        Ok(Whole::Memory(Arc::new(self.in_memory(wanted, decode)?)))
    }

    fn in_cache(
        &self,
        wanted: &Wanted,
        room: Room<'_, Key, Block>,
        decode: impl FnOnce(&mut [u8]) -> Result<(), SourceError>,
    ) -> Result<Whole, SourceError> {
        let block = Arc::new(self.in_memory(wanted, decode)?);
        room.keep(&wanted.key, &block, block.as_bytes().len() as u64);
        Ok(Whole::Memory(block))
    }

    fn in_memory(
        &self,
        wanted: &Wanted,
        decode: impl FnOnce(&mut [u8]) -> Result<(), SourceError>,
    ) -> Result<Block, SourceError> {
        let voxels = codec::zeros("image", wanted.buffer_bytes, self.limit_bytes);
        let mut voxels = voxels.map_err(|error| SourceError::codec(wanted.path, error))?;
        decode(&mut voxels)?;
        voxels.truncate(wanted.size.voxels() as usize * wanted.dtype.size_bytes());
        voxels.shrink_to_fit();
        Ok(Block::from_bytes(wanted.dtype, wanted.size, voxels).expect("the buffer has room for the image"))
    }
}

#[cfg(test)]
#[path = "whole_tests.rs"]
mod tests;
