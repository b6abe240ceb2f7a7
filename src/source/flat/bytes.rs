//! The bytes of an array: read from its file, or unpacked.

use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::sync::Arc;

use flate2::bufread::MultiGzDecoder;

use super::super::Shared;
use super::super::blocks::Key;
use super::super::location::{Located, Stream};
use super::super::pool::Pool;
use super::super::whole::Wanted;
use super::{FlatFormat, Packing, SourceError};
use crate::volume::{Dtype, Size};

/// Open files that wait for the next read. More threads than these may read at once; their files are then closed.
const IDLE_FILES: usize = 4;

/// The most that is read at once where it does not go straight to its place, in bytes. The arrays of tests are small, and are
/// to be read in pieces as well.
pub(in super::super) const BUFFER_BYTES: u64 = if cfg!(test) { 600 } else { 4 << 20 };

const GZIP_MAGIC: &[u8] = b"\x1f\x8b\x08";

/// No deflate stream unpacks to more than this many times its length (zlib's technical notes say 1032).
const MAX_RATIO: u64 = 1040;

/// Where an array's bytes come from.
pub(super) struct Bytes {
    file: Located,
    format: FlatFormat,
    source: Source,
}

enum Source {
    Files(Pool<OpenFile>),
    /// From this byte of the file on, so many bytes, which are kept as decoded images are.
    Gzip {
        from: u64,
        unpacked_bytes: u64,
        number: u64,
        shared: Arc<Shared>,
    },
}

/// Bytes for one thread.
pub(super) enum Open<'a> {
    File(&'a mut OpenFile),
    Memory(&'a [u8]),
}

/// A file and a buffer for it.
pub(super) struct OpenFile {
    stream: Stream,
    buffer: Vec<u8>,
}

impl Bytes {
    /// The first `needed_bytes` of a file or of what it unpacks to.
    ///
    /// # Errors
    /// [`SourceError::Damaged`] for a file that is shorter, or too short to unpack to as many, and
    /// [`SourceError::LimitsExceeded`] where they would be unpacked to more than memory and scratch may hold.
    pub fn new(
        file: &Located,
        format: FlatFormat,
        packing: Packing,
        needed_bytes: u64,
        shared: &Arc<Shared>,
    ) -> Result<Self, SourceError> {
        let has_bytes = file.stamp.bytes;
        let source = match packing {
            Packing::None if has_bytes < needed_bytes => {
                return Err(format.damaged(&file.path, ends_early(has_bytes, needed_bytes)));
            }
            Packing::None => Source::Files(Pool::new(IDLE_FILES)),
            Packing::Gzip(from) => {
                if has_bytes.saturating_sub(from).saturating_mul(MAX_RATIO) < needed_bytes {
                    let cause = format!("the file is too short to unpack to {needed_bytes} bytes");
                    return Err(format.damaged(&file.path, cause));
                }
                let limit_bytes = shared.limit_bytes;
                if needed_bytes > limit_bytes && !shared.scratch_takes(needed_bytes) {
                    let path = file.path.clone();
                    return Err(SourceError::LimitsExceeded { path, needed_bytes, limit_bytes });
                }
                let number = shared.blocks.file(file);
                Source::Gzip { from, unpacked_bytes: needed_bytes, number, shared: Arc::clone(shared) }
            }
        };
        Ok(Bytes { file: file.clone(), format, source })
    }

    /// What is kept in memory as long as the array is open.
    pub fn held_bytes(&self) -> u64 {
        match &self.source {
            Source::Files(_) => IDLE_FILES as u64 * BUFFER_BYTES.min(self.file.stamp.bytes),
            Source::Gzip { .. } => 0,
        }
    }

    /// Runs `read` with the bytes, of which those that are packed are unpacked once; others wait meanwhile.
    pub fn with(&self, read: impl FnOnce(Open) -> io::Result<()>) -> Result<(), SourceError> {
        match &self.source {
            Source::Files(pool) => pool.with(
                || Ok(OpenFile { stream: self.file.open()?, buffer: Vec::new() }),
                |file| read(Open::File(file)).map_err(|error| self.error(error)),
            ),
            Source::Gzip { from, unpacked_bytes, number, shared } => {
                let wanted = Wanted {
                    path: &self.file.path,
                    key: Key { reader: *number, part: *from, cell: [0; 5] },
                    size: Size::new(*unpacked_bytes, 1, 1),
                    dtype: Dtype::Uint8,
                    buffer_bytes: *unpacked_bytes,
                    is_once: false,
                };
                let unpacked = shared.whole(&wanted, |buffer| self.unpack(*from, buffer))?;
                read(Open::Memory(unpacked.as_bytes())).map_err(|error| self.error(error))
            }
        }
    }

    fn unpack(&self, from: u64, unpacked: &mut [u8]) -> Result<(), SourceError> {
        let mut stream = self.file.open()?;
        let mut filled = 0;
        let read = stream.seek(SeekFrom::Start(from)).and_then(|_| {
            let mut decoder = MultiGzDecoder::new(BufReader::with_capacity(256 << 10, stream));
            loop {
                match decoder.read(&mut unpacked[filled..])? {
                    0 => break,
                    bytes => filled += bytes,
                }
            }
            // The checksum is looked at when the end is reached.
            decoder.read(&mut [0])
        });
        read.map_err(|error| self.error(error))?;
        if filled < unpacked.len() {
            return Err(self.format.damaged(&self.file.path, ends_early(filled as u64, unpacked.len() as u64)));
        }
        Ok(())
    }

    fn error(&self, error: io::Error) -> SourceError {
        if is_damage(&error) {
            return self.format.damaged(&self.file.path, error);
        }
        SourceError::io(&self.file.path, error)
    }
}

impl Open<'_> {
    /// Whether any part costs the same, however it is cut.
    pub fn is_memory(&self) -> bool {
        matches!(self, Open::Memory(_))
    }

    /// Some bytes, which are at most [`BUFFER_BYTES`] of a file.
    pub fn part(&mut self, at: u64, length: u64) -> io::Result<&[u8]> {
        match self {
            Open::Memory(bytes) => Ok(&bytes[at as usize..(at + length) as usize]),
            Open::File(OpenFile { stream, buffer }) => {
                if buffer.len() < length as usize {
                    buffer.resize(length as usize, 0);
                }
                let part = &mut buffer[..length as usize];
                stream.seek(SeekFrom::Start(at))?;
                stream.read_exact(part)?;
                Ok(part)
            }
        }
    }

    /// Fills `target` with the bytes from `at` on.
    pub fn fill(&mut self, at: u64, target: &mut [u8]) -> io::Result<()> {
        match self {
            Open::Memory(bytes) => target.copy_from_slice(&bytes[at as usize..][..target.len()]),
            Open::File(OpenFile { stream, .. }) => {
                stream.seek(SeekFrom::Start(at))?;
                stream.read_exact(target)?;
            }
        }
        Ok(())
    }
}

/// The first bytes of a file, at most `count`, or of what it unpacks to.
pub(super) fn first(located: &Located, count: usize) -> Result<(Vec<u8>, Packing), SourceError> {
    let error = |error| SourceError::io(&located.path, error);
    let mut stream = located.open()?;
    let mut bytes = Vec::with_capacity(count);
    (&mut stream).take(count as u64).read_to_end(&mut bytes).map_err(error)?;
    if !bytes.starts_with(GZIP_MAGIC) {
        return Ok((bytes, Packing::None));
    }
    stream.rewind().map_err(error)?;
    bytes.clear();
    let read = MultiGzDecoder::new(BufReader::new(stream)).take(count as u64).read_to_end(&mut bytes);
    match read {
        // What was unpacked so far may be enough to tell what it is; whoever reads on finds the damage.
        Err(trouble) if !is_damage(&trouble) => Err(error(trouble)),
        _ => Ok((bytes, Packing::Gzip(0))),
    }
}

fn is_damage(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    matches!(error.kind(), UnexpectedEof | InvalidData | InvalidInput)
}

fn ends_early(has_bytes: u64, needed_bytes: u64) -> String {
    format!("the file ends at {has_bytes} of {needed_bytes} bytes")
}
