//! Buffers of megabytes that are used again.
//!
//! Every chunk, cuboid and frame needs memory for a moment. Given back to the system and asked for again, its pages are
//! cleared each time, which costs a third of what compressing costs. So a few stay.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Buffers that nobody uses just now, of some bytes together at most; clones share them.
#[derive(Clone, Debug)]
pub struct Buffers {
    free: Arc<Mutex<Vec<Vec<u8>>>>,
    most_bytes: usize,
}

/// Some bytes, which go back to where they are from when they are dropped.
#[derive(Debug)]
pub struct Buffer {
    /// All of it was written at some time; only the first `len` bytes are meant.
    bytes: Vec<u8>,
    len: usize,
    home: Buffers,
}

impl Buffers {
    pub fn new(most_bytes: u64) -> Self {
        Buffers { free: Arc::default(), most_bytes: usize::try_from(most_bytes).unwrap_or(usize::MAX) }
    }

    /// A buffer of `len` bytes, whatever they are.
    pub fn take(&self, len: usize) -> Buffer {
        let home = self.clone();
        let bytes = {
            let mut free = self.free();
            // One that is much larger is worth keeping for what needs it.
            let fits = |bytes: &Vec<u8>| (len..=len.saturating_add(len / 2)).contains(&bytes.len());
            free.iter().rposition(fits).map(|at| free.remove(at))
        };
        Buffer { bytes: bytes.unwrap_or_else(|| vec![0; len]), len, home }
    }

    /// Keeps a buffer for others. The oldest go when there are too many.
    pub fn give(&self, bytes: Vec<u8>) {
        let mut free = self.free();
        free.push(bytes);
        let mut kept_bytes: usize = free.iter().map(Vec::len).sum();
        while kept_bytes > self.most_bytes {
            kept_bytes -= free.remove(0).len();
        }
    }

    fn free(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Buffer {
    /// Means only the first `len` bytes from now on.
    ///
    /// # Panics
    /// When there are fewer.
    pub fn truncate(&mut self, len: usize) {
        assert!(len <= self.len, "a buffer of {} bytes becomes no longer", self.len);
        self.len = len;
    }

    /// The bytes, which do not go back by themselves.
    pub fn into_vec(mut self) -> Vec<u8> {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.truncate(self.len);
        bytes
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.len]
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        if !bytes.is_empty() {
            self.home.give(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_for_the_next_of_its_size() {
        let buffers = Buffers::new(1000);
        let mut first = buffers.take(100);
        first.fill(7);
        first.truncate(60);
        assert_eq!(first.len(), 60);
        drop(first);
        assert_eq!(buffers.take(30)[0], 0, "one that is much larger stays");
        assert_eq!(buffers.take(90)[..], [7; 90]);
        let vec = buffers.take(100).into_vec();
        assert_eq!((vec.len(), buffers.free().len()), (100, 1), "taken for good");
        buffers.give(vec);
        assert_eq!(buffers.free().len(), 2);
    }

    #[test]
    fn no_more_is_kept_than_may_be() {
        let buffers = Buffers::new(250);
        let taken: Vec<Buffer> = (0..5).map(|_| buffers.take(100)).collect();
        drop(taken);
        assert_eq!(buffers.free().len(), 2);
        drop(buffers.take(300));
        assert_eq!(buffers.free().len(), 0);
    }
}
