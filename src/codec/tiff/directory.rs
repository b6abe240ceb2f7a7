//! The bytes of a TIFF file in pieces: its header, directories, and the values of their tags.
//!
//! The tiff crate reads a directory byte by byte and keeps all of it; a file of many pages is opened faster and in less memory
//! when each is read in one go and only what the page says is kept.
//!
//! Specification: TIFF 6.0, section 2; BigTIFF, <https://www.awaresystems.be/imaging/tiff/bigtiff.html>.

use std::io::{self, Read, Seek, SeekFrom};

use super::super::CodecError;
use super::FORMAT;

/// Directories and the values of their tags lie close together, so they are read in pieces of so many bytes.
const WINDOW_BYTES: usize = 8 << 10;

/// A stream of which the piece that was read last is kept.
pub(super) struct Window<R> {
    stream: R,
    pub length: u64,
    start: u64,
    bytes: Vec<u8>,
}

impl<R: Read + Seek> Window<R> {
    pub fn new(mut stream: R) -> io::Result<Self> {
        let length = stream.seek(SeekFrom::End(0))?;
        Ok(Window { stream, length, start: 0, bytes: Vec::new() })
    }

    /// Fills `target` with the bytes from `at` on.
    pub fn read(&mut self, at: u64, target: &mut [u8]) -> Result<(), CodecError> {
        self.check(at, target.len() as u64)?;
        let read = if target.len() >= WINDOW_BYTES { self.read_past(at, target) } else { self.read_near(at, target) };
        read.map_err(|error| CodecError::io(FORMAT, error))
    }

    /// The same for voxels, of which nobody wants those that lie beside them.
    pub fn read_apart(&mut self, at: u64, target: &mut [u8]) -> Result<(), CodecError> {
        self.check(at, target.len() as u64)?;
        self.read_past(at, target).map_err(|error| CodecError::io(FORMAT, error))
    }

    /// The `count` bytes from `at` on.
    pub fn bytes(&mut self, at: u64, count: u64) -> Result<Vec<u8>, CodecError> {
        self.check(at, count)?;
        let mut bytes = vec![0; count as usize];
        self.read(at, &mut bytes)?;
        Ok(bytes)
    }

    /// What lies outside of the file is not asked for, and no memory taken for it.
    fn check(&self, at: u64, count: u64) -> Result<(), CodecError> {
        let is_inside = at.checked_add(count).is_some_and(|end| end <= self.length);
        if is_inside { Ok(()) } else { Err(CodecError::damaged(FORMAT, "the file ends too early")) }
    }

    fn read_near(&mut self, at: u64, target: &mut [u8]) -> io::Result<()> {
        let kept = |window: &Self| {
            let first = usize::try_from(at.checked_sub(window.start)?).ok()?;
            Some(first..first.checked_add(target.len())?).filter(|range| range.end <= window.bytes.len())
        };
        let range = match kept(self) {
            Some(range) => range,
            None => {
                self.bytes.clear();
                self.stream.seek(SeekFrom::Start(at))?;
                (&mut self.stream).take(WINDOW_BYTES as u64).read_to_end(&mut self.bytes)?;
                self.start = at;
                kept(self).ok_or(io::ErrorKind::UnexpectedEof)?
            }
        };
        target.copy_from_slice(&self.bytes[range]);
        Ok(())
    }

    fn read_past(&mut self, at: u64, target: &mut [u8]) -> io::Result<()> {
        self.stream.seek(SeekFrom::Start(at))?;
        self.stream.read_exact(target)
    }
}

/// How numbers lie in a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub is_big_endian: bool,
    /// Whether positions have 64 bits.
    pub is_big: bool,
}

impl Layout {
    /// Reads a file's header: the layout, and where the first directory lies.
    pub fn open<R: Read + Seek>(window: &mut Window<R>) -> Result<(Self, u64), CodecError> {
        let mut header = [0; 16];
        window.read(0, &mut header[..8])?;
        let is_big_endian = header.starts_with(b"MM");
        let layout = Layout { is_big_endian, is_big: header[2..4].contains(&43) };
        let is_tiff = (is_big_endian || header.starts_with(b"II")) && matches!(layout.number(&header[2..4]), 42 | 43);
        if !is_tiff {
            return Err(CodecError::damaged(FORMAT, "the file does not begin as a TIFF file"));
        }
        if !layout.is_big {
            return Ok((layout, layout.number(&header[4..8])));
        }
        window.read(8, &mut header[8..])?;
        if layout.number(&header[4..6]) != 8 {
            return Err(CodecError::damaged(FORMAT, "the positions of a BigTIFF file have 8 bytes"));
        }
        Ok((layout, layout.number(&header[8..])))
    }

    /// Reads the directory at a position.
    pub fn directory<R: Read + Seek>(self, window: &mut Window<R>, at: u64) -> Result<Directory, CodecError> {
        let (count_bytes, entry_bytes, position_bytes) = if self.is_big { (8, 20, 8) } else { (2, 12, 4) };
        let mut count = [0; 8];
        window.read(at, &mut count[..count_bytes])?;
        let entries_bytes = self.number(&count[..count_bytes]).saturating_mul(entry_bytes);
        let length = entries_bytes.saturating_add(position_bytes);
        let bytes = window.bytes(at.saturating_add(count_bytes as u64), length)?;
        let (entries, next) = bytes.split_at(entries_bytes as usize);
        let entry = |bytes: &[u8]| {
            let (count, value) = bytes[4..].split_at(position_bytes as usize);
            let mut inline = [0; 8];
            inline[..value.len()].copy_from_slice(value);
            let [tag, kind] = [&bytes[..2], &bytes[2..4]].map(|bytes| self.number(bytes) as u16);
            Entry { tag, kind, count: self.number(count), inline }
        };
        let entries = entries.chunks_exact(entry_bytes as usize).map(entry).collect();
        Ok(Directory { entries, next: self.number(next) })
    }

    /// The numbers of a tag; none where the directory does not have it, or has something else there.
    pub fn numbers<R: Read + Seek>(
        self,
        window: &mut Window<R>,
        directory: &Directory,
        tag: u16,
    ) -> Result<Vec<u64>, CodecError> {
        let Some(entry) = directory.find(tag) else { return Ok(Vec::new()) };
        let Some(bytes) = entry.kind_bytes() else { return Ok(Vec::new()) };
        let values = self.value(window, entry, bytes)?;
        Ok(values.chunks_exact(bytes as usize).map(|bytes| self.number(bytes)).collect())
    }

    /// The first number of a tag.
    pub fn number_of<R: Read + Seek>(
        self,
        window: &mut Window<R>,
        directory: &Directory,
        tag: u16,
    ) -> Result<Option<u64>, CodecError> {
        // Most have one number, which stands in the directory itself.
        match directory.find(tag) {
            Some(entry) if entry.count == 1 && entry.kind_bytes().is_some_and(|bytes| bytes <= self.inline_bytes()) => {
                let bytes = entry.kind_bytes().unwrap_or_default() as usize;
                Ok(Some(self.number(&entry.inline[..bytes])))
            }
            _ => Ok(self.numbers(window, directory, tag)?.first().copied()),
        }
    }

    /// The bytes of a tag, such as text.
    pub fn bytes<R: Read + Seek>(
        self,
        window: &mut Window<R>,
        directory: &Directory,
        tag: u16,
    ) -> Result<Option<Vec<u8>>, CodecError> {
        match directory.find(tag) {
            Some(entry) if entry.kind_bytes() == Some(1) => self.value(window, entry, 1).map(Some),
            _ => Ok(None),
        }
    }

    fn value<R: Read + Seek>(self, window: &mut Window<R>, entry: &Entry, bytes: u64) -> Result<Vec<u8>, CodecError> {
        let length = entry.count.saturating_mul(bytes);
        let inline = self.inline_bytes();
        if length <= inline {
            return Ok(entry.inline[..length as usize].to_vec());
        }
        window.bytes(self.number(&entry.inline[..inline as usize]), length)
    }

    fn inline_bytes(self) -> u64 {
        if self.is_big { 8 } else { 4 }
    }

    /// A number of up to 8 bytes.
    fn number(self, bytes: &[u8]) -> u64 {
        let join = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        if self.is_big_endian { bytes.iter().fold(0, join) } else { bytes.iter().rev().fold(0, join) }
    }
}

/// The tags of one page.
pub(super) struct Directory {
    entries: Vec<Entry>,
    /// Where the next page's directory lies; 0 for the last.
    pub next: u64,
}

struct Entry {
    tag: u16,
    kind: u16,
    count: u64,
    /// The values themselves where they have room here, else their position.
    inline: [u8; 8],
}

impl Directory {
    fn find(&self, tag: u16) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.tag == tag)
    }
}

impl Entry {
    /// Bytes of one value: of texts and unsigned integers, which is what the tags hold that are read here.
    fn kind_bytes(&self) -> Option<u64> {
        match self.kind {
            // Bytes, ASCII and untyped; short; long and positions of directories; the same of BigTIFF.
            1 | 2 | 7 => Some(1),
            3 => Some(2),
            4 | 13 => Some(4),
            16 | 18 => Some(8),
            _ => None,
        }
    }
}
