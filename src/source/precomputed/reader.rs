//! A volume that is open: its chunks are asked for in few requests, decoded once, and put together to regions.

use std::ops::Range;
use std::sync::{Arc, Mutex};

use super::chunk::{self, Shape};
use super::grid::Cell;
use super::info::{self, Encoding, Info, Refusal, Scale};
use super::looked::Looked;
use super::objects::Objects;
use super::part::Part;
use super::pasting::Pasting;
use super::request::{Read, Request};
use super::sharding::MOST_INDEX_BYTES;
use super::shards::{Shards, together};
use super::{FORMAT, INFO};
use crate::codec::CodecError;
use crate::source::blocks::Key;
use crate::source::decoded::check_read;
use crate::source::error::PlanMistake;
use crate::source::fetch::{Fetch, Lack, Object};
use crate::source::location::Located;
use crate::source::packing::unpacked;
use crate::source::parallel::{each, staggered};
use crate::source::{Contents, MissingRule, RegionReader, Selection, Shared, SourceError, SourceInfo};
use crate::volume::{Block, Region};

/// Chunks of a region that are looked up at once, so that a large region needs no large table.
const CELLS_AT_ONCE: usize = 4096;

/// A precomputed volume.
pub(in crate::source) struct Precomputed {
    info_bytes: u64,
    info: Info,
    objects: Objects,
    shared: Arc<Shared>,
    /// This volume's number among the kept blocks.
    reader: u64,
    /// What the kept indexes may take.
    index_bytes: u64,
    shards: Shards,
    looked: Looked,
}

impl Precomputed {
    pub const FORMAT: &'static str = FORMAT;

    /// Reads a volume's `info`.
    pub fn open(located: &Located, shared: &Arc<Shared>) -> Result<Self, SourceError> {
        Precomputed::of(&located.path, located.folder(), shared)
    }

    /// Reads the `info` of the volume of these objects, which messages call `path`.
    pub(super) fn of(path: &str, objects: Box<dyn Fetch>, shared: &Arc<Shared>) -> Result<Self, SourceError> {
        let objects = Objects::new(path.to_owned(), objects);
        let object = objects.get(INFO, None, info::MOST_BYTES)?;
        let Object { bytes, packing } =
            object.ok_or_else(|| SourceError::NotFound { path: format!("{path}/{INFO}") })?;
        let text = unpacked(&bytes, packing, info::MOST_BYTES);
        let info =
            text.map_err(Refusal::from).and_then(|text| Info::parse(&text)).map_err(|refusal| match refusal {
                Refusal::Damaged(flaw) => objects.damaged(INFO, flaw),
                Refusal::Unsupported(what) => objects.unsupported(what),
            })?;
        let index_bytes = (shared.blocks.most_bytes() / 8).min(MOST_INDEX_BYTES);
        Ok(Precomputed {
            info_bytes: bytes.len() as u64,
            info,
            objects,
            shared: Arc::clone(shared),
            reader: shared.blocks.reader(),
            index_bytes,
            shards: Shards::new(index_bytes),
            looked: Looked::default(),
        })
    }

    fn part(&self, selection: &Selection) -> Result<Part<'_>, SourceError> {
        Part::new(&self.objects.path, &self.info, selection)
    }

    fn key(&self, level: usize, (x, y, z): Cell) -> Key {
        Key { reader: self.reader, part: level as u64, cell: [x, y, z, 0, 0] }
    }

    fn encoding(&self, scale: &Scale) -> Result<Encoding, SourceError> {
        scale.encoding.clone().map_err(|name| self.objects.unsupported(format!("`{name}` chunks")))
    }

    /// What a chunk must be, which is not more than may be decoded.
    fn shape(&self, scale: &Scale, cell: Cell) -> Result<Shape, SourceError> {
        let shape = Shape::new(&self.info, scale.cell_region(cell).size());
        let (needed_bytes, limit_bytes) = (shape.bytes(), self.shared.limit_bytes);
        if needed_bytes > limit_bytes {
            return Err(SourceError::LimitsExceeded { path: self.objects.path.clone(), needed_bytes, limit_bytes });
        }
        Ok(shape)
    }

    /// What is to be read for some chunks, and those of which shards tell that the volume does not have them.
    fn requests(&self, part: &Part, cells: &[Cell]) -> Result<(Vec<Request>, Vec<Cell>), SourceError> {
        let Part { level, scale, .. } = *part;
        let encoding = self.encoding(scale)?;
        let most = |cell: Cell| Ok::<_, SourceError>(self.shape(scale, cell)?.most_object_bytes(encoding));
        let Some(sharding) = &scale.sharding else {
            let alone = |cell: &Cell| Ok(Request::alone(scale.file(*cell), *cell, most(*cell)?));
            return Ok((cells.iter().map(alone).collect::<Result<_, SourceError>>()?, Vec::new()));
        };
        let (mut found, mut absent) = (Vec::new(), Vec::new());
        for (cell, place) in self.shards.places(&self.objects, (level, scale, sharding), cells)? {
            let Some(place) = place else {
                absent.push(cell);
                continue;
            };
            let length = place.range.end - place.range.start;
            if !(1..=most(cell)?).contains(&length) {
                let flaw = format!("a chunk has {length} bytes").into();
                return Err(self.objects.damaged(&scale.path(&sharding.file(place.shard)), flaw));
            }
            found.push((cell, place));
        }
        let request = |together| Request::part(scale, sharding, together);
        Ok((together(found).into_iter().map(request).collect(), absent))
    }

    /// One chunk with all its channels, decoded; `place` is that of its bytes in what is read. One that `region` covers, and
    /// that lies on a disk as its plain voxels, is not kept: no other task wants it, and the system keeps the file.
    fn chunk(
        &self,
        part: &Part,
        (cell, place): (Cell, &Option<Range<usize>>),
        read: &mut Read,
        region: &Region,
    ) -> Result<Arc<Block>, Lack> {
        let is_plain = matches!(part.scale.encoding, Ok(Encoding::Raw)) && part.scale.sharding.is_none();
        if is_plain && self.objects.is_disk() && region.covers(&part.scale.cell_region(cell)) {
            return self.decoded(part, (cell, place), read).map(Arc::new);
        }
        self.shared.blocks.get(&self.key(part.level, cell), || self.decoded(part, (cell, place), read))
    }

    fn decoded(
        &self,
        part: &Part,
        (cell, place): (Cell, &Option<Range<usize>>),
        read: &mut Read,
    ) -> Result<Block, Lack> {
        let (encoding, shape) = (self.encoding(part.scale)?, self.shape(part.scale, cell)?);
        let (bytes, packing) = read.chunk(&self.objects, place)?.ok_or(Lack::Absent)?;
        chunk::decode(bytes, packing, encoding, shape).map_err(|error| {
            Lack::Failed(match error {
                CodecError::Damaged { source, .. } => self.objects.damaged(&part.scale.file(cell), source),
                error => SourceError::codec(&self.objects.path, error),
            })
        })
    }

    /// Copies what the chunks hold of a region.
    fn copy(&self, part: &Part, missing: MissingRule, pasting: &Pasting) -> Result<(), SourceError> {
        let turn = self.shared.blocks.turn();
        let mut cells = staggered(|| part.scale.met(pasting.region), turn);
        loop {
            let cells: Vec<Cell> = cells.by_ref().take(CELLS_AT_ONCE).collect();
            if cells.is_empty() {
                return Ok(());
            }
            let mut wanted = Vec::new();
            for cell in cells {
                match self.shared.blocks.find(&self.key(part.level, cell)) {
                    Some(chunk) => pasting.paste(part.scale, cell, &chunk),
                    None => wanted.push(cell),
                }
            }
            let (requests, absent) = self.requests(part, &wanted)?;
            for cell in absent {
                self.lack(part, cell, missing)?;
                pasting.clear(part.scale, cell);
            }
            each(requests, self.objects.width(), |request| {
                let mut read = Read::new(&request);
                for (cell, place) in &request.chunks {
                    match self.chunk(part, (*cell, place), &mut read, pasting.region) {
                        Ok(chunk) => pasting.paste(part.scale, *cell, &chunk),
                        Err(Lack::Absent) => {
                            self.lack(part, *cell, missing)?;
                            pasting.clear(part.scale, *cell);
                        }
                        Err(Lack::Failed(error)) => return Err(error),
                    }
                }
                Ok(())
            })?;
        }
    }

    /// A chunk that the volume does not have is an error, unless it may lack.
    fn lack(&self, part: &Part, cell: Cell, missing: MissingRule) -> Result<(), SourceError> {
        match missing {
            MissingRule::Fill => Ok(()),
            MissingRule::Error => {
                Err(SourceError::NoChunk { path: self.objects.path.clone(), chunk: part.scale.file(cell) })
            }
        }
    }

    /// Looks for the objects of some chunks.
    fn look(&self, part: &Part, missing: MissingRule, cells: &[Cell]) -> Result<(), SourceError> {
        let is_raw = self.encoding(part.scale)? == Encoding::Raw;
        let (requests, absent) = self.requests(part, cells)?;
        absent.into_iter().try_for_each(|cell| self.lack(part, cell, missing))?;
        each(requests, self.objects.width(), |request| {
            let (first, _) = request.chunks[0];
            let plain_bytes = if is_raw { Some(self.shape(part.scale, first)?.bytes()) } else { None };
            if request.is_there(&self.objects, plain_bytes)? { Ok(()) } else { self.lack(part, first, missing) }
        })?;
        Ok(())
    }
}

impl RegionReader for Precomputed {
    fn info(&self, selection: &Selection) -> Result<Arc<SourceInfo>, SourceError> {
        let part = self.part(selection)?;
        let info = part.info(&self.objects.path, &self.info, selection)?;
        self.encoding(part.scale)?;
        Ok(Arc::new(SourceInfo { file_bytes: self.info_bytes, ..info }))
    }

    fn read_into(
        &self,
        selection: &Selection,
        region: &Region,
        target: &mut Block,
        at: (i64, i64, i64),
    ) -> Result<(), SourceError> {
        let info = self.info(selection)?;
        check_read(&info, region, target, at)?;
        let part = self.part(selection)?;
        let several = || SourceError::mistake(&self.objects.path, PlanMistake::Select { axis: 'c' });
        let channel = part.channel.ok_or_else(several)? as i64;
        let pasting = Pasting { region: &part.whole(region), channel, target: Mutex::new(target), at };
        self.copy(&part, selection.missing, &pasting)
    }

    fn contents(&self, selection: &Selection) -> Result<Contents, SourceError> {
        let scale = self.part(selection)?.scale;
        let shards = if scale.sharding.is_some() { ", in shards" } else { "" };
        let compression = Some(format!("{}{shards}", self.encoding(scale)?.name()));
        Ok(Contents { arrays: Vec::new(), levels: self.info.scales.len() as u64, compression })
    }

    fn check_parts(&self, selection: &Selection, region: &Region) -> Result<(), SourceError> {
        let part = self.part(selection)?;
        let cells = part.scale.met(&part.whole(region));
        let cells = self.looked.wanted(part.level, cells, self.objects.is_disk());
        for cells in cells.chunks(CELLS_AT_ONCE) {
            self.look(&part, selection.missing, cells)?;
        }
        self.looked.found(part.level, cells);
        Ok(())
    }

    fn held_bytes(&self) -> u64 {
        self.info_bytes + self.index_bytes
    }
}
