//! Arrays of HDF5 files: `.h5`, `.hdf5`, MATLAB 7.3, Imaris, ilastik.
//!
//! **Reads** arrays of integers and floats, and of enumerations of integers. **Axes** are called `x`, `yx`, `zyx`, `tzyx`,
//! `tczyx` by their number; a plan's `axes` says which is which, and `select` where those are that are no image axes.
//! **Regions**: the chunks that a region touches are decoded; of arrays that are not chunked, its rows are read. The file's
//! groups are read once, when it is opened. `docs/sources/hdf5.md` tells what is not covered.

mod array;
mod files;
mod superblock;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rust_hdf5::Hdf5Error;

use self::files::{Files, Trouble};
use super::array::{Array, Selected};
use super::decoded::check_room;
use super::error::{PlanMistake, Unsupported};
use super::location::Located;
use super::{RegionReader, Selection, Shared, SourceError, SourceInfo};
use crate::volume::{Block, Region, Size, Span};

/// About what the description of one array takes.
const ARRAY_BYTES: u64 = 2 << 10;

/// The most that is decoded at once, in bytes, unless a chunk is larger: `rust-hdf5` keeps all chunks of a read until its end.
/// The arrays of tests are small, and are to be read in pieces as well.
pub(super) const BATCH_BYTES: u64 = if cfg!(test) { 5 << 10 } else { 8 << 20 };

/// An HDF5 file and the names of its arrays.
pub(super) struct Hdf5Reader {
    files: Files,
    /// Paths from the root group, without a leading `/`, in order.
    names: Vec<String>,
    /// Arrays that were looked at, by the names that plans use.
    arrays: Mutex<HashMap<String, Arc<Array>>>,
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
    pub fn open(located: &Located, shared: &Shared) -> Result<Self, SourceError> {
        let files = Files::new(located, shared.limit_bytes)?;
        let mut names = files.run("", |file| Ok(file.dataset_names()))?;
        names.sort();
        Ok(Hdf5Reader { files, names, arrays: Mutex::default() })
    }

    /// The array that a selection names, or the only one.
    fn array(&self, selection: &Selection) -> Result<Arc<Array>, SourceError> {
        let name = match (&selection.dataset, self.names.as_slice()) {
            (Some(name), _) => name.trim_matches('/'),
            (None, [only]) => only,
            (None, []) => return Err(self.not_supported(Unsupported::NoArray)),
            (None, several) => return Err(self.mistake(PlanMistake::WhichArray { arrays: several.to_vec() })),
        };
        let arrays = || self.arrays.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(array) = arrays().get(name) {
            return Ok(Arc::clone(array));
        }
        let found = self.files.run(name, |file| match file.dataset(name) {
            Ok(dataset) => array::describe(name, &dataset).map(Some),
            Err(Hdf5Error::NotFound(_)) => Ok(None),
            Err(error) => Err(Trouble::from(error)),
        })?;
        let no_such = || PlanMistake::NoSuchArray { dataset: name.to_owned(), arrays: self.names.clone() };
        let array = Arc::new(found.ok_or_else(|| self.mistake(no_such()))?);
        self.files.check_chunk(&array)?;
        arrays().insert(name.to_owned(), Arc::clone(&array));
        Ok(array)
    }

    fn selected(&self, selection: &Selection) -> Result<Selected, SourceError> {
        let array = self.array(selection)?;
        Selected::new(array, (self.files.located(), Self::FORMAT), selection)
    }

    fn mistake(&self, mistake: PlanMistake) -> SourceError {
        SourceError::mistake(&self.files.located().path, mistake)
    }

    fn not_supported(&self, what: Unsupported) -> SourceError {
        SourceError::NotSupported { path: self.files.located().path.clone(), what }
    }
}

impl RegionReader for Hdf5Reader {
    fn info(&self, selection: &Selection) -> Result<Arc<SourceInfo>, SourceError> {
        Ok(Arc::new(self.selected(selection)?.info))
    }

    fn read_into(
        &self,
        selection: &Selection,
        region: &Region,
        target: &mut Block,
        (x, y, z): (i64, i64, i64),
    ) -> Result<(), SourceError> {
        let selected = self.selected(selection)?;
        selected.info.check_bounds(region)?;
        check_room(&selected.info, region, target, (x, y, z));
        if let Some(axis) = selected.info.others.keys().next() {
            return Err(self.mistake(PlanMistake::Select { axis: *axis }));
        }
        if region.is_empty() {
            return Ok(());
        }
        let (of, dtype) = (&selected.array, selected.info.dtype);
        self.files.run(&of.name, |file| {
            let dataset = file.dataset(&of.name)?;
            for piece in pieces(region, selected.info.block, BATCH_BYTES / of.chunk_bytes().max(1)) {
                let bytes = array::read(of, &dataset, &selected.ranges(&piece))?;
                // An array's order is that of a block: x fastest.
                let block = Block::from_bytes(dtype, piece.size(), bytes).expect("as many voxels as asked for");
                target.paste(
                    &block,
                    (
                        x + piece.x.start - region.x.start,
                        y + piece.y.start - region.y.start,
                        z + piece.z.start - region.z.start,
                    ),
                );
            }
            Ok(())
        })
    }

    fn held_bytes(&self) -> u64 {
        Files::held_bytes(self.files.located()) + self.names.len() as u64 * ARRAY_BYTES
    }
}

/// A region cut where chunks meet: each piece touches at most `most` chunks, or one, which are `block` voxels large.
fn pieces(region: &Region, block: Size, most: u64) -> impl Iterator<Item = Region> + use<> {
    let mut most = most;
    let [x, y, z] = [(region.x, block.x), (region.y, block.y), (region.z, block.z)].map(|(span, block)| {
        let parts = Parts::new(span, block.max(1), most);
        most /= parts.chunks;
        parts
    });
    z.spans().flat_map(move |z| y.spans().flat_map(move |y| x.spans().map(move |x| Region { x, y, z })))
}

/// A span that is not empty, cut into parts of so many chunks.
#[derive(Clone, Copy)]
struct Parts {
    span: Span,
    chunk: u64,
    /// From the chunk that holds the span's first voxel to behind the one that holds its last.
    first: u64,
    stop: u64,
    chunks: u64,
}

impl Parts {
    fn new(span: Span, chunk: u64, most: u64) -> Self {
        let (first, stop) = (span.start as u64 / chunk, (span.stop as u64).div_ceil(chunk));
        Parts { span, chunk, first, stop, chunks: most.clamp(1, stop - first) }
    }

    fn spans(self) -> impl Iterator<Item = Span> {
        let of = move |nth: u64| i64::try_from(nth.saturating_mul(self.chunk)).unwrap_or(i64::MAX);
        let parts = (self.first..self.stop).step_by(usize::try_from(self.chunks).unwrap_or(usize::MAX));
        parts.map(move |nth| Span::new(of(nth), of(nth + self.chunks)).intersect(self.span))
    }
}

#[cfg(test)]
mod tests;
