//! An N5 container that is open: which dataset is meant, and which blocks hold what of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};

use super::attributes::{Dataset, is_dataset};
use super::{FORMAT, Refusal, block};
use crate::codec::CodecError;
use crate::source::array::{Array, Selected};
use crate::source::blocks::Key;
use crate::source::cells::{self, Cell};
use crate::source::decoded::check_read;
use crate::source::error::{PlanMistake, Unsupported};
use crate::source::fetch::{Fetch, Lack, Object};
use crate::source::hierarchy::{self, Folder, join, plain};
use crate::source::location::Located;
use crate::source::{Contents, RegionReader, Selection, Shared, SourceError, SourceInfo};
use crate::volume::{Block, Region};

/// The most that a file of attributes may be long.
const MOST_BYTES: u64 = 16 << 20;

/// About what a dataset that is open takes.
const DATASET_BYTES: u64 = 2 << 10;

/// An N5 container, a group or a dataset.
pub(in crate::source) struct N5 {
    located: Located,
    fetch: Box<dyn Fetch>,
    shared: Arc<Shared>,
    /// This container's number among the kept blocks.
    reader: u64,
    /// Datasets that were looked at, by path and level.
    datasets: Mutex<HashMap<(String, u64), Arc<Opened>>>,
}

struct Opened {
    /// Among the container's.
    number: u64,
    dataset: Dataset,
    array: Arc<Array>,
}

impl N5 {
    pub const FORMAT: &'static str = FORMAT;

    /// Looks at nothing yet: datasets are opened when they are asked for.
    pub fn open(located: &Located, shared: &Arc<Shared>) -> Result<Self, SourceError> {
        Ok(N5 {
            located: located.clone(),
            fetch: located.folder(),
            shared: Arc::clone(shared),
            reader: shared.blocks.reader(),
            datasets: Mutex::default(),
        })
    }

    /// The dataset that a selection means.
    fn dataset(&self, selection: &Selection) -> Result<Arc<Opened>, SourceError> {
        let named = selection.dataset.as_deref().unwrap_or_default();
        let path = plain(named).ok_or_else(|| self.no_such(named))?;
        let key = (path, selection.level.unwrap_or(0));
        let datasets = || self.datasets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(opened) = datasets().get(&key) {
            return Ok(Arc::clone(opened));
        }
        let dataset = self.find(&key.0, key.1)?;
        let array = Arc::new(dataset.array.clone());
        let mut datasets = datasets();
        let number = datasets.len() as u64;
        Ok(Arc::clone(datasets.entry(key).or_insert_with(|| Arc::new(Opened { number, dataset, array }))))
    }

    fn find(&self, path: &str, level: u64) -> Result<Dataset, SourceError> {
        if let Some(dataset) = self.image(path, level)? {
            return Ok(dataset);
        }
        // Paintera keeps the voxels beside other datasets.
        let voxels = join(path, "data");
        if self.attributes(path)?.is_some_and(|attributes| attributes.contains_key("painteraData"))
            && let Some(dataset) = self.image(&voxels, level)?
        {
            return Ok(dataset);
        }
        let images = self.images(path)?.unwrap_or_default();
        match images.as_slice() {
            [only] => self.image(only, level)?.ok_or_else(|| self.no_such(only)),
            [] if path.is_empty() => {
                let path = self.located.path.clone();
                Err(SourceError::NotSupported { path, what: Unsupported::NoArray })
            }
            [] => Err(self.no_such(path)),
            _ => Err(self.mistake(PlanMistake::WhichArray { arrays: images })),
        }
    }

    /// The dataset at a path, or a level of several that are one image there; `None` where there is neither.
    fn image(&self, path: &str, level: u64) -> Result<Option<Dataset>, SourceError> {
        if let Some(attributes) = self.dataset_attributes(path)? {
            return match level {
                0 => self.describe(path, &attributes).map(Some),
                level => Err(self.mistake(PlanMistake::NoSuchLevel { level, levels: 1 })),
            };
        }
        let of_level = join(path, &format!("s{level}"));
        if let Some(attributes) = self.dataset_attributes(&of_level)? {
            return self.describe(&of_level, &attributes).map(Some);
        }
        let mut levels = 0;
        while levels < level && self.dataset_attributes(&join(path, &format!("s{levels}")))?.is_some() {
            levels += 1;
        }
        if levels > 0 { Err(self.mistake(PlanMistake::NoSuchLevel { level, levels })) } else { Ok(None) }
    }

    /// The datasets inside the group `under`; those that are levels of one image count as one.
    fn images(&self, under: &str) -> Result<Option<Vec<String>>, SourceError> {
        hierarchy::images((&self.located.path, &*self.fetch), under, |path| {
            let is_dataset = |path: &str| self.dataset_attributes(path).map(|found| found.is_some());
            let is_image = is_dataset(path)? || is_dataset(&join(path, "s0"))?;
            Ok(if is_image { Folder::Image } else { Folder::Other })
        })
    }

    fn describe(&self, path: &str, attributes: &Map<String, Value>) -> Result<Dataset, SourceError> {
        let refused = |refusal| self.refused(refusal, path, &join(path, "attributes.json"));
        let dataset = Dataset::new(path, attributes).map_err(refused)?;
        let (needed_bytes, limit_bytes) = (dataset.array.chunk_bytes(), self.shared.limit_bytes.min(1 << 44));
        if needed_bytes > limit_bytes { Err(refused(Refusal::TooLarge(needed_bytes))) } else { Ok(dataset) }
    }

    fn dataset_attributes(&self, path: &str) -> Result<Option<Map<String, Value>>, SourceError> {
        Ok(self.attributes(path)?.filter(is_dataset))
    }

    fn attributes(&self, path: &str) -> Result<Option<Map<String, Value>>, SourceError> {
        let file = join(path, "attributes.json");
        let Some(object) = self.object(&file, MOST_BYTES)? else { return Ok(None) };
        let text = unpacked(object, MOST_BYTES);
        let value = text.and_then(|text| Ok(serde_json::from_slice(&text)?));
        value.map(Some).map_err(|refusal| self.refused(refusal, path, &file))
    }

    fn object(&self, file: &str, most_bytes: u64) -> Result<Option<Object>, SourceError> {
        self.fetch.get(file, None, most_bytes).map_err(|error| match error.kind() {
            std::io::ErrorKind::FileTooLarge => {
                self.refused(format!("it has more than {most_bytes} bytes").into(), "", file)
            }
            std::io::ErrorKind::IsADirectory => self.refused("it is a folder".into(), "", file),
            _ => SourceError::io(&self.located.path, error),
        })
    }

    /// One block, decoded.
    fn block(&self, opened: &Opened, cell: &Cell) -> Result<Arc<Block>, Lack> {
        let key = Key { reader: self.reader, part: opened.number, cell: cells::key_cell(cell) };
        self.shared.blocks.get(&key, || {
            let (dataset, array) = (&opened.dataset, &opened.array);
            let place = cell.iter().rev().map(u64::to_string).collect::<Vec<_>>().join("/");
            let file = join(&array.name, &place);
            let most_bytes = block::most_bytes(array.chunk_bytes());
            let object = self.object(&file, most_bytes)?.ok_or(Lack::Absent)?;
            let decoded =
                unpacked(object, most_bytes).and_then(|bytes| block::decode(&bytes, dataset, self.shared.limit_bytes));
            Ok(decoded.map_err(|refusal| self.refused(refusal, &array.name, &file))?)
        })
    }

    fn refused(&self, refusal: Refusal, dataset: &str, file: &str) -> SourceError {
        let path = self.located.path.clone();
        match refusal {
            Refusal::Damaged(flaw) => {
                let source = CodecError::Damaged { format: FORMAT, source: format!("`{file}`: {flaw}").into() };
                SourceError::Damaged { path, source }
            }
            Refusal::Unsupported(what) => {
                let dataset = if dataset.is_empty() { "/" } else { dataset }.to_owned();
                SourceError::NotSupported { path, what: Unsupported::Array { dataset, what } }
            }
            Refusal::TooLarge(needed_bytes) => {
                let limit_bytes = self.shared.limit_bytes;
                SourceError::LimitsExceeded { path, needed_bytes, limit_bytes }
            }
        }
    }

    fn no_such(&self, dataset: &str) -> SourceError {
        match self.images("") {
            Err(error) => error,
            Ok(arrays) => {
                let arrays = arrays.unwrap_or_default();
                self.mistake(PlanMistake::NoSuchArray { dataset: dataset.to_owned(), arrays })
            }
        }
    }

    fn mistake(&self, mistake: PlanMistake) -> SourceError {
        SourceError::mistake(&self.located.path, mistake)
    }

    fn selected(&self, selection: &Selection) -> Result<(Arc<Opened>, Selected), SourceError> {
        let opened = self.dataset(selection)?;
        let rest = Selection { level: None, ..selection.clone() };
        let selected = Selected::new(Arc::clone(&opened.array), (&self.located, FORMAT), &rest)?;
        Ok((opened, selected))
    }
}

/// An object's bytes, without what its store packed it with.
fn unpacked(object: Object, most_bytes: u64) -> Result<Vec<u8>, Refusal> {
    match object.packing {
        Some(packing) => Ok(packing.unpack(&object.bytes, most_bytes)?),
        None => Ok(object.bytes),
    }
}

impl RegionReader for N5 {
    fn contents(&self, selection: &Selection) -> Result<Contents, SourceError> {
        let opened = self.dataset(selection)?;
        // A level of several is called `s0`, `s1` and so on, below its image.
        let mut levels = 0;
        if let Some(image) = opened.array.name.strip_suffix(&format!("s{}", selection.level.unwrap_or(0))) {
            while self.dataset_attributes(&format!("{image}s{levels}"))?.is_some() {
                levels += 1;
            }
        }
        let group = plain(selection.dataset.as_deref().unwrap_or_default()).unwrap_or_default();
        let arrays = self.images(&group)?.unwrap_or_default();
        let compression = Some(opened.dataset.packing.name().to_owned());
        Ok(Contents { arrays, levels: levels.max(1), compression })
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
        let (opened, selected) = self.selected(selection)?;
        check_read(&selected.info, region, target, at)?;
        let zero = [0; 8];
        let fill = &zero[..target.dtype().size_bytes()];
        cells::read(&selected, region, (target, at), (self.fetch.width(), self.shared.blocks.turn(), fill), |cell| {
            match self.block(&opened, cell) {
                Ok(block) => Ok(Some(block)),
                Err(Lack::Absent) => Ok(None),
                Err(Lack::Failed(error)) => Err(error),
            }
        })
    }

    fn held_bytes(&self) -> u64 {
        DATASET_BYTES
    }
}
