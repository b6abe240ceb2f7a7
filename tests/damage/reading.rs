//! Reads a source of which nothing is known, on a thread that is watched.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use boss_ingest::source::{SourceError, SourceRef};

use crate::memory::peak_of;
use crate::voxels::{LIMIT_BYTES, voxels};

/// What a read may take whatever the file: a block at the limit lies in memory packed, unpacked, between two filters and in
/// the result.
pub const SLACK_BYTES: usize = 4 * LIMIT_BYTES as usize;

/// The longest that a read of a small file may take; the sound ones take milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// How a read ended.
pub struct Read {
    /// The voxels had the size and type that were promised, or what was said instead.
    pub result: Result<(), SourceError>,
    pub peak_bytes: usize,
}

/// Reads all of a source, or its far corner where it is large.
///
/// # Errors
/// In words: a panic, a hang, other voxels than promised.
pub fn read(source: &SourceRef) -> Result<Read, String> {
    let source = source.clone();
    let (send, receive) = mpsc::channel();
    let (ended, peak_bytes) = peak_of(|| {
        let reading = thread::spawn(move || send.send(voxels(&source)));
        match receive.recv_timeout(PATIENCE) {
            Ok(result) => {
                let _ = reading.join();
                Ok(result)
            }
            Err(RecvTimeoutError::Timeout) => Err(format!("hangs for more than {PATIENCE:?}")),
            Err(RecvTimeoutError::Disconnected) => Err(format!("panics: {}", panic_of(reading))),
        }
    });
    Ok(Read { result: ended??, peak_bytes })
}

fn panic_of<T>(thread: thread::JoinHandle<T>) -> String {
    let Err(payload) = thread.join() else { return "without words".to_owned() };
    let text = payload.downcast_ref::<String>().cloned();
    text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}
