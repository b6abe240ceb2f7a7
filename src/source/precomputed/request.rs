//! What is asked of the store at once: an object, or a part of one, and the chunks in it.

use std::borrow::Cow;
use std::ops::Range;

use super::grid::Cell;
use super::info::Scale;
use super::objects::Objects;
use super::sharding::Sharding;
use super::shards::Together;
use crate::source::SourceError;
use crate::source::fetch::Object;
use crate::source::packing::Packing;

/// Bytes of the length at the end of gzip data; those at the beginning tell how data is packed.
const WORD: u64 = 4;

/// What is asked of the store at once.
pub(super) struct Request {
    pub name: String,
    range: Option<Range<u64>>,
    /// The chunks, and where their bytes lie in what is read; `None`: they are all of it.
    pub chunks: Vec<(Cell, Option<Range<usize>>)>,
    /// How each chunk is packed, where the volume says that.
    packing: Option<Packing>,
    most_bytes: u64,
}

/// A request that is made when its first chunk is wanted.
pub(super) struct Read<'a> {
    request: &'a Request,
    object: Option<Option<Object>>,
}

/// Bytes as they are stored, and how they are packed.
pub(super) type Stored<'a> = (Cow<'a, [u8]>, Option<Packing>);

impl Request {
    /// A chunk in an object of its own.
    pub fn alone(name: String, cell: Cell, most_bytes: u64) -> Self {
        Request { name, range: None, chunks: vec![(cell, None)], packing: None, most_bytes }
    }

    /// Chunks that lie together in a shard.
    pub fn part(scale: &Scale, sharding: &Sharding, Together { shard, range, chunks }: Together) -> Self {
        let inside = |place: Range<u64>| (place.start - range.start) as usize..(place.end - range.start) as usize;
        Request {
            name: scale.path(&sharding.file(shard)),
            chunks: chunks.into_iter().map(|(cell, place)| (cell, Some(inside(place)))).collect(),
            packing: sharding.data_packing(),
            most_bytes: range.end - range.start,
            range: Some(range),
        }
    }

    /// Looks whether the object is there and long enough for its chunks, which take `plain_bytes` unpacked where that is known.
    ///
    /// # Errors
    /// [`SourceError::Damaged`] for an object that is too short, or too long, and as [`Objects::get`].
    pub fn is_there(&self, objects: &Objects, plain_bytes: Option<u64>) -> Result<bool, SourceError> {
        let Some((length, packing)) = objects.length(&self.name)? else { return Ok(false) };
        let flaw = |flaw: String| Err(objects.damaged(&self.name, flaw.into()));
        if let Some(range) = &self.range {
            return match length {
                length if length < range.end => flaw(format!("it has {length} bytes, its chunks end at {}", range.end)),
                _ => Ok(true),
            };
        }
        if !(1..=self.most_bytes).contains(&length) {
            return flaw(format!("it has {length} bytes"));
        }
        let Some(plain_bytes) = plain_bytes.filter(|bytes| *bytes != length) else { return Ok(true) };
        let read = |range| Ok::<_, SourceError>(objects.part(&self.name, Some(range), WORD)?.map(|part| part.bytes));
        match packing {
            // Stores tell packings when they give an object, and a file may be packed though its name does not say so.
            None if objects.is_disk() => {
                let first = read(0..length.min(WORD))?.unwrap_or_default();
                if Packing::sniff(&first).is_none() {
                    return flaw(format!("it has {length} bytes instead of {plain_bytes}"));
                }
            }
            // The last word tells what a file unpacks to (RFC 1952, 2.3.1), and no other four bytes are likely to.
            Some(Packing::Gzip) => {
                let last = read(length.saturating_sub(WORD)..length)?.unwrap_or_default();
                if last != (plain_bytes as u32).to_le_bytes() {
                    return flaw("it ends before its voxels do".to_owned());
                }
            }
            None | Some(Packing::Brotli | Packing::Zstd) => {}
        }
        Ok(true)
    }
}

impl<'a> Read<'a> {
    pub fn new(request: &'a Request) -> Self {
        Read { request, object: None }
    }

    /// The bytes of one of the request's chunks, as they are stored, and how they are packed; `None` where there is no such
    /// object. A chunk in an object of its own takes it along.
    pub fn chunk(
        &mut self,
        objects: &Objects,
        place: &Option<Range<usize>>,
    ) -> Result<Option<Stored<'_>>, SourceError> {
        let found = match place {
            None => self.object(objects)?.map(|_| ()).and(self.object.take().flatten()).map(|object| {
                let Object { bytes, packing } = object;
                (Cow::Owned(bytes), packing)
            }),
            Some(place) => {
                self.object(objects)?.map(|object| (Cow::Borrowed(&object.bytes[place.clone()]), object.packing))
            }
        };
        Ok(found)
    }

    /// What the request gives; `None` where there is no such object.
    fn object(&mut self, objects: &Objects) -> Result<Option<&Object>, SourceError> {
        if self.object.is_none() {
            let Request { name, range, packing, most_bytes, .. } = self.request;
            let object = objects.part(name, range.clone(), *most_bytes)?;
            self.object = Some(object.map(|object| Object { packing: packing.or(object.packing), ..object }));
        }
        Ok(self.object.as_ref().and_then(Option::as_ref))
    }
}
