//! A Zarr volume that is open: which array is meant, and which objects hold what of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::names::{self, Multiscale};
use super::opened::{Chunks, Opened, guarded};
use super::pipeline::Pipeline;
use super::shards::{Index, Shards};
use super::store::{Node, Store, unpacked};
use super::{FORMAT, Flaw, Refusal, damaged};
use crate::source::array::Selected;
use crate::source::blocks::Key;
use crate::source::cache::Cache;
use crate::source::cells::{self, Cell};
use crate::source::decoded::check_read;
use crate::source::error::{PlanMistake, Unsupported};
use crate::source::fetch::{Lack, Object};
use crate::source::hierarchy::{join, plain};
use crate::source::location::Located;
use crate::source::{Contents, RegionReader, Selection, Shared, SourceError, SourceInfo};
use crate::volume::{Block, Region};

/// Indexes of shards that are kept, and the most bytes of one.
const MOST_KEPT: usize = 4096;
const MOST_INDEX_BYTES: u64 = 64 << 20;

/// About what an array that is open takes.
const ARRAY_BYTES: u64 = 8 << 10;

/// A Zarr array, or a group of them.
pub(in crate::source) struct Zarr {
    located: Located,
    store: Store,
    shared: Arc<Shared>,
    /// This volume's number among the kept blocks.
    reader: u64,
    /// Arrays that were looked at, by path and level, with a number for each.
    arrays: Mutex<HashMap<(String, u64), Arc<Numbered>>>,
    indexes: Cache<(u64, Cell), Index>,
}

struct Numbered {
    number: u64,
    opened: Opened,
}

impl Zarr {
    pub const FORMAT: &'static str = FORMAT;

    /// Looks at nothing yet: arrays are opened when they are asked for.
    pub fn open(located: &Located, shared: &Arc<Shared>) -> Result<Self, SourceError> {
        let index_bytes = (shared.blocks.most_bytes() / 8).min(MOST_INDEX_BYTES);
        Ok(Zarr {
            located: located.clone(),
            store: Store::new(located),
            shared: Arc::clone(shared),
            reader: shared.blocks.reader(),
            arrays: Mutex::default(),
            indexes: Cache::new(index_bytes, MOST_KEPT),
        })
    }

    /// The array that a selection means.
    fn array(&self, selection: &Selection) -> Result<Arc<Numbered>, SourceError> {
        let named = selection.dataset.as_deref().unwrap_or_default();
        let path = plain(named).ok_or_else(|| self.no_such(named))?;
        let key = (path, selection.level.unwrap_or(0));
        let arrays = || self.arrays.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(array) = arrays().get(&key) {
            return Ok(Arc::clone(array));
        }
        let opened = self.find(&key.0, key.1)?;
        let mut arrays = arrays();
        let number = arrays.len() as u64;
        Ok(Arc::clone(arrays.entry(key).or_insert_with(|| Arc::new(Numbered { number, opened }))))
    }

    fn find(&self, path: &str, level: u64) -> Result<Opened, SourceError> {
        let Some(node) = self.store.node(path)? else { return Err(self.no_such(path)) };
        if node.array.is_some() {
            return self.open_level(path, &node, level);
        }
        if let Some(multiscale) = self.multiscale(path, &node)? {
            return self.open_multiscale(path, &multiscale, level);
        }
        let images = self.store.images(path)?;
        let [only] = images.as_deref().unwrap_or_default() else {
            return Err(match images {
                Some(images) if images.is_empty() => {
                    let path = self.located.path.clone();
                    SourceError::NotSupported { path, what: Unsupported::NoArray }
                }
                images => self.mistake(PlanMistake::WhichArray { arrays: images.unwrap_or_default() }),
            });
        };
        match self.store.node(only)? {
            Some(node) if node.array.is_some() => self.open_level(only, &node, level),
            Some(node) => match self.multiscale(only, &node)? {
                Some(multiscale) => self.open_multiscale(only, &multiscale, level),
                None => Err(self.no_such(only)),
            },
            None => Err(self.no_such(only)),
        }
    }

    /// An array that is its own and only level.
    fn open_level(&self, path: &str, node: &Node, level: u64) -> Result<Opened, SourceError> {
        if level > 0 {
            return Err(self.mistake(PlanMistake::NoSuchLevel { level, levels: 1 }));
        }
        // The group above knows the axes of the levels of its image.
        let (group, name) = path.rsplit_once('/').unwrap_or(("", path));
        let above = if path.is_empty() { None } else { self.store.node(group)? };
        let image = above.and_then(|above| names::multiscale(&above.attributes).ok().flatten());
        let image = image.filter(|image| image.levels.iter().any(|level| plain(level).as_deref() == Some(name)));
        self.open_array(path, node, image.and_then(|image| image.axes))
    }

    fn open_multiscale(&self, path: &str, image: &Multiscale, level: u64) -> Result<Opened, SourceError> {
        let levels = image.levels.len() as u64;
        let name = usize::try_from(level).ok().and_then(|level| image.levels.get(level));
        let name = name.ok_or_else(|| self.mistake(PlanMistake::NoSuchLevel { level, levels }))?;
        let lacking = || damaged(&self.located.path, path, format!("its level `{name}` is not there").into());
        let array = join(path, &plain(name).ok_or_else(lacking)?);
        let node = self.store.node(&array)?.ok_or_else(lacking)?;
        self.open_array(&array, &node, image.axes.clone())
    }

    fn open_array(&self, path: &str, node: &Node, axes: Option<String>) -> Result<Opened, SourceError> {
        let Some(metadata) = &node.array else { return Err(self.no_such(path)) };
        let opened = Opened::new(path, node, metadata, axes);
        let opened = opened.map_err(|refusal| refusal.of(&self.located.path, path, &metadata.file))?;
        let index_bytes = match &opened.chunks {
            Chunks::Single(_) => 0,
            Chunks::Sharded(shards) => shards.index_bytes(),
        };
        let limit_bytes = self.shared.limit_bytes;
        let needed_bytes = opened.array.chunk_bytes().max(index_bytes);
        if needed_bytes > limit_bytes {
            let path = self.located.path.clone();
            return Err(SourceError::LimitsExceeded { path, needed_bytes, limit_bytes });
        }
        Ok(opened)
    }

    fn multiscale(&self, path: &str, node: &Node) -> Result<Option<Multiscale>, SourceError> {
        names::multiscale(&node.attributes).map_err(|flaw| damaged(&self.located.path, path, flaw))
    }

    fn selected(&self, selection: &Selection) -> Result<(Arc<Numbered>, Selected), SourceError> {
        let array = self.array(selection)?;
        let rest = Selection { level: None, ..selection.clone() };
        let selected = Selected::new(Arc::clone(&array.opened.array), (&self.located, FORMAT), &rest)?;
        Ok((array, selected))
    }

    /// One chunk, decoded.
    fn chunk(&self, array: &Numbered, cell: &Cell) -> Result<Arc<Block>, Lack> {
        let key = Key { reader: self.reader, part: array.number, cell: cells::key_cell(cell) };
        self.shared.blocks.get(&key, || {
            let opened = &array.opened;
            let (file, object, pipeline) = match &opened.chunks {
                Chunks::Single(pipeline) => {
                    let file = opened.object(cell);
                    let object = self.store.object(&file, None, pipeline.most_encoded)?;
                    (file, object, pipeline)
                }
                Chunks::Sharded(shards) => {
                    let (file, object) = self.sharded(array, shards, cell)?;
                    (file, object, &shards.chunks)
                }
            };
            let object = object.ok_or(Lack::Absent)?;
            Ok(self.decoded(opened, &file, object, pipeline)?)
        })
    }

    fn decoded(&self, of: &Opened, file: &str, object: Object, pipeline: &Pipeline) -> Result<Block, SourceError> {
        let array = &of.array;
        let decoded = guarded(|| {
            let values = pipeline.decode(unpacked(object, pipeline.most_encoded)?)?;
            let block = Block::from_bytes(array.dtype, cells::block_size(&array.chunk), values);
            block.map_err(|wrong| Refusal::Damaged(wrong.into()))
        });
        decoded.map_err(|refusal| refusal.of(&self.located.path, &array.name, file))
    }

    /// A chunk out of its shard, and the shard's object.
    fn sharded(&self, array: &Numbered, shards: &Shards, cell: &Cell) -> Result<(String, Option<Object>), SourceError> {
        let (shard, number) = shards.place(cell);
        let file = array.opened.object(&shard);
        let flaw = |flaw| damaged(&self.located.path, &file, flaw);
        let index = self.indexes.get(&(array.number, shard), || {
            let index = self.index(shards, &file)?;
            let weight = size_of_val(index.as_slice()) as u64;
            Ok::<_, SourceError>((Arc::new(index), weight))
        })?;
        let Some(range) = Shards::range(&index, number).map_err(flaw)? else { return Ok((file, None)) };
        let object = self.store.object(&file, Some(range), shards.chunks.most_encoded)?;
        Ok((file, object))
    }

    /// Where the chunks of a shard lie; nowhere when there is no shard.
    fn index(&self, shards: &Shards, file: &str) -> Result<Index, SourceError> {
        let flaw = |flaw: Flaw| damaged(&self.located.path, file, flaw);
        let length = self.store.fetch.length(file).map_err(|error| SourceError::io(&self.located.path, error))?;
        let Some(length) = length else { return Ok(Index::new()) };
        let range = shards.index_range(length).map_err(flaw)?;
        let Some(object) = self.store.object(file, Some(range), shards.index_bytes())? else { return Ok(Index::new()) };
        let index = guarded(|| Ok(shards.index(object.bytes)?));
        index.map_err(|refusal| refusal.of(&self.located.path, "", file))
    }

    fn no_such(&self, dataset: &str) -> SourceError {
        match (dataset, self.store.images("")) {
            ("", _) => SourceError::NotFound { path: self.located.path.clone() },
            (_, Err(error)) => error,
            (dataset, Ok(arrays)) => {
                let arrays = arrays.unwrap_or_default();
                self.mistake(PlanMistake::NoSuchArray { dataset: dataset.to_owned(), arrays })
            }
        }
    }

    fn mistake(&self, mistake: PlanMistake) -> SourceError {
        SourceError::mistake(&self.located.path, mistake)
    }
}

impl RegionReader for Zarr {
    fn contents(&self, selection: &Selection) -> Result<Contents, SourceError> {
        let opened = &self.array(selection)?.opened;
        let group = plain(selection.dataset.as_deref().unwrap_or_default()).unwrap_or_default();
        let image = match self.store.node(&group)? {
            Some(node) if node.array.is_none() => self.multiscale(&group, &node)?,
            _ => None,
        };
        let levels = image.map_or(1, |image| image.levels.len() as u64);
        let arrays = self.store.images(&group)?.unwrap_or_default();
        Ok(Contents { arrays, levels, compression: opened.compression.clone() })
    }

    fn info(&self, selection: &Selection) -> Result<Arc<SourceInfo>, SourceError> {
        Ok(Arc::new(self.selected(selection)?.1.info))
    }

    fn read_into(
        &self,
        selection: &Selection,
        region: &Region,
        target: &mut Block,
        at: (i64, i64, i64),
    ) -> Result<(), SourceError> {
        let (array, selected) = self.selected(selection)?;
        check_read(&selected.info, region, target, at)?;
        let (width, turn, fill) = (self.store.fetch.width(), self.shared.blocks.turn(), &array.opened.fill);
        cells::read(&selected, region, (target, at), (width, turn, fill), |cell| match self.chunk(&array, cell) {
            Ok(chunk) => Ok(Some(chunk)),
            Err(Lack::Absent) => Ok(None),
            Err(Lack::Failed(error)) => Err(error),
        })
    }

    fn held_bytes(&self) -> u64 {
        ARRAY_BYTES
    }
}
