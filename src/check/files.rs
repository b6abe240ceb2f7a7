//! What is looked at once for each file: whether it goes on to its end, and, when asked, whether it can be decoded.

use std::sync::{Condvar, Mutex, PoisonError};

use super::faults;
use super::problem::Problem;
use super::seen::Fresh;
use crate::source::{SourceError, Sources};

/// Looks at files, within a bound of memory.
pub(super) struct Files<'a> {
    sources: &'a Sources,
    deep: bool,
    room: Room,
}

impl<'a> Files<'a> {
    pub fn new(sources: &'a Sources, deep: bool, memory_bytes: u64) -> Self {
        Files { sources, deep, room: Room { all: memory_bytes, free: Mutex::new(memory_bytes), freed: Condvar::new() } }
    }

    /// What is wrong with an image that nobody saw before. Its header was read already.
    pub fn problem(&self, image: &Fresh) -> Option<Problem> {
        let checked = if image.is_new_file { self.sources.sound(&image.source) } else { Ok(()) };
        let checked = checked.and_then(|()| if self.deep { self.decode(image) } else { Ok(()) });
        checked.err().map(|error| faults::source(&error, image.task))
    }

    fn decode(&self, image: &Fresh) -> Result<(), SourceError> {
        let _taken = self.room.take(self.sources.decode_all_cost(&image.source));
        self.sources.decode_all(&image.source)
    }
}

/// Bytes that may be taken; whoever wants more than are free waits.
struct Room {
    all: u64,
    free: Mutex<u64>,
    freed: Condvar,
}

struct Taken<'a> {
    room: &'a Room,
    bytes: u64,
}

impl Room {
    /// One who wants more than there is at all gets everything, alone.
    fn take(&self, bytes: u64) -> Taken<'_> {
        let bytes = bytes.min(self.all);
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.freed.wait_while(free, |free| *free < bytes);
        *waited.unwrap_or_else(PoisonError::into_inner) -= bytes;
        Taken { room: self, bytes }
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        *self.room.free.lock().unwrap_or_else(PoisonError::into_inner) += self.bytes;
        self.room.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn never_more_is_taken_than_there_is() {
        let room = Room { all: 100, free: Mutex::new(100), freed: Condvar::new() };
        let (now, most) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for thread in 0..6 {
                let (room, now, most) = (&room, &now, &most);
                scope.spawn(move || {
                    for bytes in [10, 60, 100, 4000, 0, 45] {
                        let taken = room.take(bytes + thread);
                        let held = now.fetch_add(taken.bytes, Ordering::SeqCst) + taken.bytes;
                        most.fetch_max(held, Ordering::SeqCst);
                        now.fetch_sub(taken.bytes, Ordering::SeqCst);
                    }
                });
            }
        });
        assert!(most.load(Ordering::SeqCst) <= 100);
        assert_eq!(*room.free.lock().unwrap(), 100);
    }
}
