//! Arrays of HDF5 files: `.h5`, `.hdf5`, MATLAB 7.3, Imaris, BigDataViewer, ilastik.
//!
//! **Reads** arrays of integers and floats, and of enumerations of integers; the arrays of a BigDataViewer or Imaris file are
//! one volume with levels, times and channels. **Axes** are called `x`, `yx`, `zyx`, `tzyx`, `tczyx` by their number, unless an
//! attribute says their letters; a plan's `axes` says which is which, and `select` where those are that are no image axes.
//! **Regions**: the chunks that a region touches are decoded, each once as long as there is room; of arrays that are not
//! chunked, pieces are read. The file's groups are read once, when it is opened. `docs/sources/hdf5.md` tells what is not
//! covered.

mod array;
mod files;
mod filters;
mod layout;
mod letters;
mod superblock;
mod values;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use self::array::Header;
use self::files::{Files, Trouble};
use self::layout::{Place, Pyramid};
use super::array::{Array, Selected};
use super::blocks::Key;
use super::cells::{self, Cell};
use super::decoded::check_read;
use super::error::{PlanMistake, Unsupported};
use super::location::Located;
use super::{Contents, RegionReader, Selection, Shared, SourceError, SourceInfo};
use crate::volume::{Block, Region};

/// About what the description of one array takes.
const ARRAY_BYTES: u64 = 2 << 10;

/// What times and channels of a volume of many arrays are called, in front of the axes of each.
const PYRAMID_AXES: &str = "tczyx";

/// An HDF5 file and the names of its arrays.
pub(super) struct Hdf5Reader {
    files: Files,
    shared: Arc<Shared>,
    /// This file among those whose blocks are kept.
    number: u64,
    /// Paths from the root group, without a leading `/`, in order.
    names: Vec<String>,
    /// What a plan means that names no array, where the file is such a volume.
    pyramid: Option<Pyramid>,
    /// Arrays that were looked at, by their names, and their numbers.
    headers: Mutex<HashMap<String, (u64, Arc<Header>)>>,
}

/// What a selection means.
struct Chosen {
    selected: Selected,
    /// Of the array, or of one that stands for all of its level.
    header: Arc<Header>,
    /// The volume that it is a level of, and which.
    level: Option<(Pyramid, u64)>,
}

impl Hdf5Reader {
    pub const FORMAT: &str = "hdf5";

    /// What an HDF5 file begins with, behind a block of the user's own.
    pub const SIGNATURE: &[u8] = b"\x89HDF\r\n\x1a\n";

    /// Where the signature may stand in a file of this length: at 0, 512, 1024, 2048 and so on.
    pub fn signature_places(file_bytes: u64) -> impl Iterator<Item = u64> {
        let after_user_block = std::iter::successors(Some(512u64), |at| at.checked_mul(2));
        std::iter::once(0).chain(after_user_block).take_while(move |at| *at < file_bytes)
    }

    /// Opens the file and reads its groups.
    pub fn open(located: &Located, shared: &Arc<Shared>) -> Result<Self, SourceError> {
        let files = Files::new(located, shared.limit_bytes)?;
        let mut names = files.run("", |file| Ok(file.dataset_names()))?;
        names.sort();
        let (pyramid, number) = (Pyramid::of(&names), shared.blocks.reader());
        Ok(Hdf5Reader { files, shared: Arc::clone(shared), number, names, pyramid, headers: Mutex::default() })
    }

    fn chosen(&self, selection: &Selection) -> Result<Chosen, SourceError> {
        match (self.pyramid, &selection.dataset) {
            (Some(pyramid), None) => self.level(pyramid, selection),
            (_, name) => {
                let name = name.as_deref().map_or_else(|| self.only(), |name| Ok(name.trim_matches('/')))?;
                let (_, header) = self.header(name)?;
                let selected = self.selected(header.array.clone(), selection)?;
                Ok(Chosen { selected, header, level: None })
            }
        }
    }

    /// A level of a pyramid is one array, whose first axes are times and channels.
    fn level(&self, pyramid: Pyramid, selection: &Selection) -> Result<Chosen, SourceError> {
        let level = selection.level.unwrap_or(0);
        let Some(example) = pyramid.example(level, &self.names) else {
            return Err(self.mistake(PlanMistake::NoSuchLevel { level, levels: pyramid.levels }));
        };
        let (_, header) = self.header(example)?;
        let Array { name, dtype, shape, chunk, .. } = &header.array;
        if shape.len() != 3 {
            return Err(self.array_problem(example, format!("a level of {} axes", shape.len())));
        }
        let array = Array {
            name: name.clone(),
            dtype: *dtype,
            shape: [&[pyramid.times, pyramid.channels], shape.as_slice()].concat(),
            chunk: [&[1, 1], chunk.as_slice()].concat(),
            axes: Some(PYRAMID_AXES.to_owned()),
        };
        let selected = self.selected(array, &Selection { level: None, ..selection.clone() })?;
        Ok(Chosen { selected, header, level: Some((pyramid, level)) })
    }

    fn selected(&self, array: Array, selection: &Selection) -> Result<Selected, SourceError> {
        Selected::new(Arc::new(array), (self.files.located(), Self::FORMAT), selection)
    }

    /// The name of the only array. MATLAB keeps what its variables refer to in groups of its own, such as `#refs#`; of several
    /// arrays, `exported_data` is what ilastik wrote.
    fn only(&self) -> Result<&str, SourceError> {
        let names: Vec<&String> = self.names.iter().filter(|name| !name.starts_with('#')).collect();
        let exported = names.iter().find(|name| name.as_str() == "exported_data");
        match (names.as_slice(), exported) {
            ([only], _) => Ok(only),
            ([], _) => Err(self.not_supported(Unsupported::NoArray)),
            (_, Some(exported)) => Ok(exported),
            (several, None) => {
                let arrays = several.iter().map(|name| (*name).clone()).collect();
                Err(self.mistake(PlanMistake::WhichArray { arrays }))
            }
        }
    }

    /// What the file says of an array, and the array's number.
    fn header(&self, name: &str) -> Result<(u64, Arc<Header>), SourceError> {
        let headers = || self.headers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(header) = headers().get(name) {
            return Ok(header.clone());
        }
        let found = self.files.run(name, |file| Header::read(file, name))?;
        let no_such = || PlanMistake::NoSuchArray { dataset: name.to_owned(), arrays: self.names.clone() };
        let header = Arc::new(found.ok_or_else(|| self.mistake(no_such()))?);
        self.files.check_limit(header.decoded_bytes)?;
        let mut headers = headers();
        let number = headers.len() as u64;
        Ok(headers.entry(name.to_owned()).or_insert((number, header)).clone())
    }

    /// What is decoded at once, at a place of the grid of the array that was chosen.
    fn block(&self, chosen: &Chosen, cell: &Cell) -> Result<Arc<Block>, SourceError> {
        let (name, inner) = match (&chosen.level, cell.as_slice()) {
            (Some((pyramid, level)), &[time, channel, ref inner @ ..]) => {
                (pyramid.name(Place { level: *level, time, channel }), inner)
            }
            (_, inner) => (chosen.header.array.name.clone(), inner),
        };
        let (part, header) = self.header(&name)?;
        if !header.is_like(&chosen.header) {
            let example = &chosen.header.array.name;
            return Err(self.array_problem(&name, format!("an array of another size or type than `{example}`")));
        }
        let Array { dtype, chunk, .. } = &header.array;
        let key = Key { reader: self.number, part, cell: cells::key_cell(&inner.to_vec()) };
        self.shared.blocks.get(&key, || {
            self.files.run(&name, |file| {
                let bytes = header.decode(&file.dataset(&name)?, inner)?;
                Block::from_bytes(*dtype, cells::block_size(chunk), bytes)
                    .map_err(|_| Trouble::Damaged("a chunk of another length".to_owned()))
            })
        })
    }

    fn mistake(&self, mistake: PlanMistake) -> SourceError {
        SourceError::mistake(&self.files.located().path, mistake)
    }

    fn array_problem(&self, name: &str, what: String) -> SourceError {
        self.not_supported(Unsupported::Array { dataset: name.to_owned(), what })
    }

    fn not_supported(&self, what: Unsupported) -> SourceError {
        SourceError::NotSupported { path: self.files.located().path.clone(), what }
    }
}

impl RegionReader for Hdf5Reader {
    fn contents(&self, selection: &Selection) -> Result<Contents, SourceError> {
        let chosen = self.chosen(selection)?;
        let filters = &chosen.header.filters;
        let compression = (!filters.is_empty()).then(|| filters.join(", "));
        let levels = chosen.level.map_or(1, |(pyramid, _)| pyramid.levels);
        Ok(Contents { arrays: self.names.clone(), levels, compression })
    }

    fn info(&self, selection: &Selection) -> Result<Arc<SourceInfo>, SourceError> {
        Ok(Arc::new(self.chosen(selection)?.selected.info))
    }

    fn read_into(
        &self,
        selection: &Selection,
        region: &Region,
        target: &mut Block,
        at: (i64, i64, i64),
    ) -> Result<(), SourceError> {
        let chosen = self.chosen(selection)?;
        let info = &chosen.selected.info;
        check_read(info, region, target, at)?;
        if region.is_empty() {
            return Ok(());
        }
        // Threads decode side by side where they read for different tasks. What was never written is decoded as its fill value.
        cells::read(&chosen.selected, region, (target, at), (1, self.shared.blocks.turn(), &[]), |cell| {
            self.block(&chosen, cell).map(Some)
        })
    }

    fn held_bytes(&self) -> u64 {
        Files::held_bytes(self.files.located()) + self.names.len() as u64 * ARRAY_BYTES
    }
}

#[cfg(test)]
mod layout_tests;
#[cfg(test)]
mod tests;
