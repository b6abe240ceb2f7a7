//! Reads a source of which nothing is known, on a thread that is watched.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use boss_ingest::source::{SourceError, SourceRef};
use boss_ingest::volume::Size;

use crate::memory::peak_of;
use crate::voxels::{LIMIT_BYTES, part, sources, voxels};

/// What a read may take beside: texts of errors, buffers of decoders and files.
pub const SLACK_BYTES: usize = 64 << 10;

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

/// As [`read`]; what takes more than `most_bytes` is read once more, so that what a process makes once, such as the tables of a
/// library, does not count.
pub fn read_within(source: &SourceRef, most_bytes: usize) -> Result<Read, String> {
    let first = read(source)?;
    if first.peak_bytes > most_bytes { read(source) } else { Ok(first) }
}

/// What reading a source takes at most by its header, in bytes: one block and the part that is read, packed, unpacked, between two
/// filters, in a library's cache and in the result. A block above the limit is not decoded, and takes nothing.
pub fn declared_bytes(source: &SourceRef) -> usize {
    let Ok(info) = sources().source_info(source) else { return 0 };
    let item = info.dtype.size_bytes() as u64;
    let bytes = |size: Size| size.voxels().saturating_mul(item);
    let block = bytes(info.block).saturating_mul(info.decoded_channels);
    let block = if block > LIMIT_BYTES { 0 } else { block };
    5 * (block + bytes(part(&info).size())) as usize
}

fn panic_of<T>(thread: thread::JoinHandle<T>) -> String {
    let Err(payload) = thread.join() else { return "without words".to_owned() };
    let text = payload.downcast_ref::<String>().cloned();
    text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}
