//! A volume that is open: which part is meant, and which chunks hold it.

use std::ops::Range;
use std::sync::Arc;

use super::chunk::{self, Shape};
use super::info::{self, Info, Refusal, Scale};
use super::sharding::{Index, MOST_INDEX_BYTES, Minishard, Sharding, morton};
use super::{FORMAT, Flaw, named};
use crate::codec::{CodecError, Feature};
use crate::source::blocks::Key;
use crate::source::cache::Cache;
use crate::source::decoded::{check_room, check_selection};
use crate::source::error::{PlanMistake, Unsupported};
use crate::source::fetch::{Fetch, Object};
use crate::source::location::Located;
use crate::source::packing::unpacked;
use crate::source::parallel::each;
use crate::source::{Axis, Colour, MissingRule, RegionReader, Selection, Shared, SourceError, SourceInfo};
use crate::volume::{Block, Region, Size, Span};

/// The name of the file that says what the volume is.
const INFO: &str = "info";

/// Indexes of minishards that are kept.
const MOST_KEPT: usize = 4096;

/// A precomputed volume.
pub(in crate::source) struct Precomputed {
    path: String,
    info_bytes: u64,
    info: Info,
    fetch: Box<dyn Fetch>,
    shared: Arc<Shared>,
    /// This volume's number among the kept blocks.
    reader: u64,
    /// What the kept indexes may take.
    index_bytes: u64,
    indexes: Cache<(usize, Minishard), Index>,
}

/// The position of a chunk in its scale's grid.
type Cell = (u64, u64, u64);

/// Why there are no voxels of a chunk.
enum Lack {
    /// The volume does not have the chunk.
    Absent,
    Failed(SourceError),
}

impl From<SourceError> for Lack {
    fn from(error: SourceError) -> Self {
        Lack::Failed(error)
    }
}

/// What a selection leaves of a volume.
struct Part<'a> {
    level: usize,
    scale: &'a Scale,
    /// `None` where there are several and none is selected.
    channel: Option<u64>,
    /// The position of each axis x, y, z that is no axis any more.
    fixed: [Option<i64>; 3],
}

impl Precomputed {
    pub const FORMAT: &'static str = FORMAT;

    /// What may stand before a volume's path.
    pub const SCHEME: &'static str = "precomputed://";

    /// Reads a volume's `info`.
    pub fn open(located: &Located, shared: &Arc<Shared>) -> Result<Self, SourceError> {
        let (path, fetch) = (&located.path, located.folder());
        let object = named::get(&*fetch, INFO, None, info::MOST_BYTES).map_err(|error| SourceError::io(path, error))?;
        let Object { bytes, packing } =
            object.ok_or_else(|| SourceError::NotFound { path: format!("{path}/{INFO}") })?;
        let text = unpacked(&bytes, packing, info::MOST_BYTES);
        let info =
            text.map_err(Refusal::from).and_then(|text| Info::parse(&text)).map_err(|refusal| match refusal {
                Refusal::Damaged(flaw) => damaged(path, INFO, flaw),
                Refusal::Unsupported(what) => unsupported(path, what),
            })?;
        let index_bytes = (shared.blocks.most_bytes() / 8).min(MOST_INDEX_BYTES);
        Ok(Precomputed {
            path: path.to_owned(),
            info_bytes: bytes.len() as u64,
            info,
            fetch,
            shared: Arc::clone(shared),
            reader: shared.blocks.reader(),
            index_bytes,
            indexes: Cache::new(index_bytes, MOST_KEPT),
        })
    }

    fn part(&self, selection: &Selection) -> Result<Part<'_>, SourceError> {
        let mistake = |mistake| SourceError::mistake(&self.path, mistake);
        let (wanted, levels) = (selection.level.unwrap_or(0), self.info.scales.len() as u64);
        let level = usize::try_from(wanted).unwrap_or(usize::MAX);
        let no_level = || mistake(PlanMistake::NoSuchLevel { level: wanted, levels });
        let scale = self.info.scales.get(level).ok_or_else(no_level)?;
        let mut fixed = [None; 3];
        for (axis, at) in &selection.select {
            match Axis::from_letter(*axis) {
                Some(image) => fixed[image as usize] = Some(self.position(scale, image, *at)?),
                None if *axis == 'c' => {}
                None => return Err(mistake(PlanMistake::Select { axis: *axis })),
            }
        }
        Ok(Part { level, scale, channel: self.channel(selection)?, fixed })
    }

    fn position(&self, scale: &Scale, axis: Axis, at: u64) -> Result<i64, SourceError> {
        let at = i64::try_from(at).unwrap_or(i64::MAX);
        let mut region = scale.region();
        let span = match axis {
            Axis::X => &mut region.x,
            Axis::Y => &mut region.y,
            Axis::Z => &mut region.z,
        };
        if span.contains(at) {
            return Ok(at);
        }
        *span = Span::one(at);
        Err(SourceError::OutOfBounds { path: self.path.clone(), region, has: scale.size })
    }

    fn channel(&self, selection: &Selection) -> Result<Option<u64>, SourceError> {
        let channels = self.info.channels;
        let chosen = match (selection.colour, selection.select.get(&'c')) {
            (Colour::Channel(channel), _) | (Colour::None, Some(&channel)) => channel,
            (Colour::None | Colour::Gray, _) if channels == 1 => 0,
            (Colour::None, None) => return Ok(None),
            (Colour::Gray, _) => {
                let feature = Feature::NoGray(u16::try_from(channels).unwrap_or(u16::MAX));
                let what = Unsupported::Image { format: FORMAT, feature };
                return Err(SourceError::NotSupported { path: self.path.clone(), what });
            }
        };
        if chosen >= channels {
            return Err(SourceError::mistake(&self.path, PlanMistake::NoSuchChannel { channel: chosen, channels }));
        }
        Ok(Some(chosen))
    }

    /// One chunk with all its channels, decoded.
    fn chunk(&self, level: usize, scale: &Scale, cell: Cell) -> Result<Arc<Block>, Lack> {
        let key = Key { reader: self.reader, part: level as u64, cell: [cell.0, cell.1, cell.2, 0, 0] };
        self.shared.blocks.get(&key, || {
            let region = cell_region(scale, cell);
            let name = chunk::file(scale, &region);
            let shape = Shape::new(&self.info, region.size());
            let encoding =
                scale.encoding.clone().map_err(|name| unsupported(&self.path, format!("`{name}` chunks")))?;
            if shape.bytes() > self.shared.limit_bytes {
                let (path, needed_bytes, limit_bytes) = (self.path.clone(), shape.bytes(), self.shared.limit_bytes);
                return Err(SourceError::LimitsExceeded { path, needed_bytes, limit_bytes }.into());
            }
            let most_bytes = most_packed_bytes(shape.most_encoded_bytes(encoding));
            let Object { bytes, packing } = match &scale.sharding {
                None => self.object(&name, None, most_bytes)?,
                Some(sharding) => self.sharded((level, scale, sharding), cell, most_bytes)?,
            }
            .ok_or(Lack::Absent)?;
            let block = chunk::decode(&bytes, packing, encoding, shape).map_err(|error| match error {
                CodecError::Damaged { source, .. } => damaged(&self.path, &name, source),
                error => SourceError::codec(&self.path, error),
            })?;
            Ok(block)
        })
    }

    fn object(&self, name: &str, range: Option<Range<u64>>, most_bytes: u64) -> Result<Option<Object>, SourceError> {
        named::get(&*self.fetch, name, range, most_bytes).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => damaged(&self.path, name, error.into()),
            std::io::ErrorKind::FileTooLarge => damaged(&self.path, name, "it is larger than it can be".into()),
            std::io::ErrorKind::Unsupported => unsupported(&self.path, format!("a chunk that is not read: {error}")),
            _ => SourceError::io(&self.path, error),
        })
    }

    /// A chunk out of its shard.
    fn sharded(
        &self,
        (level, scale, sharding): (usize, &Scale, &Sharding),
        cell: Cell,
        most_bytes: u64,
    ) -> Result<Option<Object>, SourceError> {
        let too_many = || damaged(&self.path, INFO, "it has more chunks than shards can hold".into());
        let number = morton(scale.cells(), cell).ok_or_else(too_many)?;
        let minishard = sharding.minishard(number);
        let file = format!("{}/{}", scale.key, sharding.file(minishard.shard));
        let index = self.indexes.get(&(level, minishard), || {
            let index = self.minishard_index(sharding, minishard, &file)?;
            let weight = index.len() as u64 * size_of::<(u64, Range<u64>)>() as u64;
            Ok::<_, SourceError>((Arc::new(index), weight))
        })?;
        let Some(place) = index.get(&number) else { return Ok(None) };
        let object = self.object(&file, Some(place.clone()), most_bytes)?;
        Ok(object.map(|object| Object { packing: sharding.data_packing(), ..object }))
    }

    /// The chunks of a minishard; none where there is no shard.
    fn minishard_index(&self, sharding: &Sharding, minishard: Minishard, file: &str) -> Result<Index, SourceError> {
        let flaw = |flaw| damaged(&self.path, file, flaw);
        let entry = self.object(file, Some(sharding.entry(minishard)), super::sharding::ENTRY)?;
        let Some(entry) = entry else { return Ok(Index::new()) };
        let place = sharding.place(&entry.bytes).map_err(flaw)?;
        if place.is_empty() {
            return Ok(Index::new());
        }
        let index = self.object(file, Some(place), MOST_INDEX_BYTES)?;
        index.map_or(Ok(Index::new()), |index| sharding.index(&index.bytes).map_err(flaw))
    }

    /// Copies what the chunks hold of a region of the whole volume.
    fn copy(
        &self,
        (part, missing): (&Part, MissingRule),
        region: &Region,
        target: &mut Block,
        (x, y, z): (i64, i64, i64),
    ) -> Result<(), SourceError> {
        let Part { level, scale, channel, .. } = *part;
        let several = || SourceError::mistake(&self.path, PlanMistake::Select { axis: 'c' });
        let channel = channel.ok_or_else(several)? as i64;
        let cells: Vec<Cell> = cells(scale, region).collect();
        let width = self.fetch.width();
        for cells in cells.chunks(width) {
            let chunks = each(cells, width, |cell| match self.chunk(level, scale, *cell) {
                Ok(chunk) => Ok(Some(chunk)),
                Err(Lack::Absent) if missing == MissingRule::Fill => Ok(None),
                Err(Lack::Absent) => {
                    let chunk = chunk::file(scale, &cell_region(scale, *cell));
                    Err(SourceError::NoChunk { path: self.path.clone(), chunk })
                }
                Err(Lack::Failed(error)) => Err(error),
            })?;
            for (cell, chunk) in cells.iter().zip(chunks) {
                let whole = cell_region(scale, *cell);
                let met = whole.intersect(region);
                let shift = (x - region.x.start, y - region.y.start, z - region.z.start);
                let to = (shift.0 + met.x.start, shift.1 + met.y.start, shift.2 + met.z.start);
                match chunk {
                    Some(chunk) => {
                        let layer = channel * whole.z.len() as i64;
                        let inside = met.shift(-whole.x.start, -whole.y.start, layer - whole.z.start);
                        target.paste_part(&chunk, &inside, to);
                    }
                    None => target.paste(&Block::zeros(target.dtype(), met.size()), to),
                }
            }
        }
        Ok(())
    }
}

impl Part<'_> {
    /// The axes that are left, slowest first.
    fn axes(&self) -> String {
        let channel = self.channel.is_none().then_some('c');
        let image = Axis::ALL.into_iter().rev().filter(|axis| self.fixed[*axis as usize].is_none());
        channel.into_iter().chain(image.map(Axis::letter)).collect()
    }

    /// The box in the whole volume of one in the axes that are left.
    fn whole(&self, region: &Region) -> Region {
        let span = |axis: Axis, span| self.fixed[axis as usize].map_or(span, Span::one);
        Region::new(span(Axis::X, region.x), span(Axis::Y, region.y), span(Axis::Z, region.z))
    }
}

impl RegionReader for Precomputed {
    fn info(&self, selection: &Selection) -> Result<Arc<SourceInfo>, SourceError> {
        let part = self.part(selection)?;
        let Scale { size, origin, chunk, .. } = *part.scale;
        let left = |axis: Axis, length| if part.fixed[axis as usize].is_some() { 1 } else { length };
        let lengths = |size: Size| Size::new(left(Axis::X, size.x), left(Axis::Y, size.y), left(Axis::Z, size.z));
        let start = |axis: Axis, at| if part.fixed[axis as usize].is_some() { 0 } else { at };
        let info = SourceInfo {
            axes: part.axes(),
            channels: self.info.channels,
            origin: (start(Axis::X, origin.0), start(Axis::Y, origin.1), start(Axis::Z, origin.2)),
            block: lengths(chunk),
            decoded_channels: self.info.channels,
            file_bytes: self.info_bytes,
            ..SourceInfo::new(&self.path, FORMAT, lengths(size), self.info.dtype)
        };
        let rest = Selection { level: None, select: Default::default(), ..selection.clone() };
        check_selection(&info, &rest)?;
        if let Err(name) = &part.scale.encoding {
            return Err(unsupported(&self.path, format!("`{name}` chunks")));
        }
        Ok(Arc::new(info))
    }

    fn read_into(
        &self,
        selection: &Selection,
        region: &Region,
        target: &mut Block,
        at: (i64, i64, i64),
    ) -> Result<(), SourceError> {
        let info = self.info(selection)?;
        info.check_bounds(region)?;
        check_room(&info, region, target, at);
        let part = self.part(selection)?;
        self.copy((&part, selection.missing), &part.whole(region), target, at)
    }

    fn held_bytes(&self) -> u64 {
        self.info_bytes + self.index_bytes
    }
}

/// The chunks that a region of the volume meets, x fastest.
fn cells(scale: &Scale, region: &Region) -> impl Iterator<Item = Cell> + use<> {
    let range = |span: Span, origin: i64, chunk: u64| {
        let first = span.start.abs_diff(origin) / chunk;
        first..if span.is_empty() { first } else { (span.stop - 1).abs_diff(origin) / chunk + 1 }
    };
    let ((x, y, z), chunk) = (scale.origin, scale.chunk);
    let (x, y, z) = (range(region.x, x, chunk.x), range(region.y, y, chunk.y), range(region.z, z, chunk.z));
    z.flat_map(move |z| {
        let x = x.clone();
        y.clone().flat_map(move |y| x.clone().map(move |x| (x, y, z)))
    })
}

/// The box of a chunk, which ends where the volume does.
fn cell_region(scale: &Scale, (x, y, z): Cell) -> Region {
    let Scale { chunk, origin, .. } = scale;
    let at = |cell: u64, chunk: u64, origin: i64| origin + (cell * chunk) as i64;
    let (x, y, z) = (at(x, chunk.x, origin.0), at(y, chunk.y, origin.1), at(z, chunk.z, origin.2));
    Region::of_size(*chunk).shift(x, y, z).intersect(&scale.region())
}

/// The most bytes that gzip makes of so many: five for each block of at most 64 KiB (RFC 1951, 3.2.4), and a header.
fn most_packed_bytes(bytes: u64) -> u64 {
    bytes.saturating_add(bytes / 1000).saturating_add(1 << 16)
}

fn damaged(path: &str, object: &str, flaw: Flaw) -> SourceError {
    let source = CodecError::Damaged { format: FORMAT, source: format!("`{object}`: {flaw}").into() };
    SourceError::Damaged { path: path.to_owned(), source }
}

fn unsupported(path: &str, what: String) -> SourceError {
    SourceError::NotSupported { path: path.to_owned(), what: Unsupported::Precomputed(what) }
}
