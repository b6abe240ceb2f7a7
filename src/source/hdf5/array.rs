//! One array of an HDF5 file: what its header says, and its values.

use std::ops::Range;

use rust_hdf5::{DatatypeMessage, H5Dataset, H5File, H5Type, Hdf5Error, StorageLayout};

use super::files::Trouble;
use super::filters::filters;
use super::layout::sized_group;
use super::letters;
use super::values::Values;
use crate::source::array::Array;

/// The least that is decoded at once, in bytes: smaller chunks are read together with their neighbours, and rows of arrays that
/// are not chunked. The index of an array's chunks is walked for each read. The arrays of tests are small, and are to be read in
/// pieces as well.
const LEAST_BYTES: u64 = if cfg!(test) { 1 } else { 256 << 10 };

/// Values on x and rows that are read at once of an array that is not chunked.
const PIECE: [u64; 2] = if cfg!(test) { [10, 6] } else { [1024, 128] };

/// An array as it is stored.
#[derive(Clone, Debug)]
pub(super) struct Header {
    /// Its shape is that of what is meant, its chunk what is decoded at once.
    pub array: Array,
    pub values: Values,
    /// What is decoded at once, in bytes, also of chunks that reach past the array's end.
    pub decoded_bytes: u64,
    /// What its chunks went through, in order.
    pub filters: Vec<&'static str>,
    /// Its shape in the file, which is larger where it is padded.
    stored: Vec<usize>,
}

impl Header {
    /// Reads what the file says of an array; `None` where there is none of this name.
    ///
    /// # Errors
    /// [`Trouble::Unsupported`] for values and storage that we do not read.
    pub fn read(file: &H5File, name: &str) -> Result<Option<Self>, Trouble> {
        let dataset = match file.dataset(name) {
            Ok(dataset) => dataset,
            Err(Hdf5Error::NotFound(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let mut header = Header::of(name, &dataset)?;
        if let Some(size) = true_size(file, name)? {
            header.crop(&size);
        }
        Ok(Some(header))
    }

    fn of(name: &str, dataset: &H5Dataset) -> Result<Self, Trouble> {
        if dataset.is_null() {
            return Err(Trouble::Unsupported("no values".to_owned()));
        }
        let values = Values::of(&dataset.datatype()?)?;
        let layout = dataset.storage_layout()?;
        if layout == StorageLayout::Virtual || !dataset.external_files()?.is_empty() {
            return Err(Trouble::Unsupported("values that lie in other files".to_owned()));
        }
        let stored = dataset.shape();
        let shape: Vec<u64> = stored.iter().map(|length| *length as u64).collect();
        let chunks = dataset.chunk_dims();
        let filters = if chunks.is_some() { filters(dataset)? } else { Vec::new() };
        let chunk = match chunks {
            Some(chunk) if chunk.len() != shape.len() => {
                let cause = format!("an array of {} axes in chunks of {}", shape.len(), chunk.len());
                return Err(Trouble::Damaged(cause));
            }
            Some(chunk) if chunk.contains(&0) => return Err(Trouble::Damaged("chunks of no size".to_owned())),
            Some(chunk) => chunk.into_iter().map(|length| length as u64).collect(),
            None => piece(shape.len()),
        };
        let axes = letters::of(dataset, shape.len())?;
        let array = Array { name: name.to_owned(), dtype: values.dtype(), shape, chunk, axes };
        let mut header = Header { array, values, decoded_bytes: 0, filters, stored };
        header.grow();
        Ok(header)
    }

    /// Leaves out what lies behind the true size.
    fn crop(&mut self, size: &[u64]) {
        for (length, size) in self.array.shape.iter_mut().zip(size) {
            *length = (*length).min(*size);
        }
    }

    /// Makes chunks no larger than the array, and small ones larger by their neighbours on the last three axes.
    fn grow(&mut self) {
        let mut bytes = self.array.chunk_bytes();
        let Array { shape, chunk, .. } = &mut self.array;
        for (chunk, length) in chunk.iter_mut().zip(shape.iter()) {
            *chunk = (*chunk).min((*length).max(1));
        }
        for (chunk, length) in chunk.iter_mut().zip(shape.iter()).rev().take(3) {
            while bytes < LEAST_BYTES && *chunk < *length {
                (*chunk, bytes) = (*chunk * 2, bytes * 2);
            }
        }
        self.decoded_bytes = bytes;
    }

    /// Whether it may stand for another array of the same volume.
    pub fn is_like(&self, other: &Header) -> bool {
        self.array.shape == other.array.shape && self.values == other.values
    }

    /// The values of a cell of the grid of what is decoded at once, little-endian, the last axis fastest; those past the
    /// array's end are 0.
    ///
    /// # Errors
    /// What the file is found to be, [`Trouble::Damaged`] also where the array is not as it was.
    pub fn decode(&self, dataset: &H5Dataset, cell: &[u64]) -> Result<Vec<u8>, Trouble> {
        let Array { shape, chunk, .. } = &self.array;
        if dataset.shape() != self.stored {
            return Err(Trouble::Damaged("it changes while it is read".to_owned()));
        }
        let range = |((at, chunk), length): ((&u64, &u64), &u64)| {
            let start = at.saturating_mul(*chunk).min(*length);
            start..start.saturating_add(*chunk).min(*length)
        };
        let ranges: Vec<Range<u64>> = cell.iter().zip(chunk).zip(shape).map(range).collect();
        let bytes = self.values.decoded(match self.values.stored_bytes() {
            1 => read_raw::<1>(dataset, &ranges),
            2 => read_raw::<2>(dataset, &ranges),
            4 => read_raw::<4>(dataset, &ranges),
            _ => read_raw::<8>(dataset, &ranges),
        }?);
        let lengths: Vec<u64> = ranges.iter().map(|range| range.end - range.start).collect();
        Ok(padded(bytes, &lengths, chunk, self.array.dtype.size_bytes()))
    }
}

/// The true size of an array that its layout pads, in the order of its axes.
fn true_size(file: &H5File, name: &str) -> Result<Option<[u64; 3]>, Trouble> {
    let Some(group) = sized_group(name) else { return Ok(None) };
    let group = file.root_group().group(group)?;
    let names = group.attr_names()?;
    let mut size = [u64::MAX; 3];
    for (length, axis) in size.iter_mut().zip(["ImageSizeZ", "ImageSizeY", "ImageSizeX"]) {
        if names.iter().any(|name| name == axis) {
            let text = group.attr_string(axis)?;
            *length = text.trim().parse().map_err(|_| Trouble::Damaged(format!("`{axis}` is `{text}`")))?;
        }
    }
    Ok(Some(size))
}

/// What is read at once of an array that is not chunked.
fn piece(rank: usize) -> Vec<u64> {
    let [x, y] = PIECE;
    let mut piece = vec![1; rank];
    piece.iter_mut().rev().zip([x, y]).for_each(|(length, most)| *length = most);
    piece
}

/// Values of so many on each axis, laid into a box of `chunk` whose others are 0.
fn padded(bytes: Vec<u8>, lengths: &[u64], chunk: &[u64], item: usize) -> Vec<u8> {
    let Some(first) = (0..chunk.len()).rev().find(|at| lengths[*at] < chunk[*at]) else { return bytes };
    // On the axes behind it nothing is cut, or no longer.
    let inner = chunk[first + 1..].iter().product::<u64>() as usize * item;
    let (from, to) = (lengths[first] as usize * inner, chunk[first] as usize * inner);
    let outer: u64 = lengths[..first].iter().product();
    let mut wider = vec![0; outer as usize * to];
    if from > 0 {
        for (to, from) in wider.chunks_exact_mut(to).zip(bytes.chunks_exact(from)) {
            to[..from.len()].copy_from_slice(from);
        }
    }
    let mut now = lengths.to_vec();
    now[first] = chunk[first];
    padded(wider, &now, chunk, item)
}

/// A value of any type with so many bytes; `rust-hdf5` asks for the size alone and gives them in the machine's order, which is
/// little-endian on all that it builds for.
#[derive(Clone, Copy)]
struct Raw<const BYTES: usize>([u8; BYTES]);

impl<const BYTES: usize> H5Type for Raw<BYTES> {
    fn hdf5_type() -> DatatypeMessage {
        DatatypeMessage::Opaque { size: BYTES as u32, tag: String::new() }
    }

    fn element_size() -> usize {
        BYTES
    }
}

fn read_raw<const BYTES: usize>(dataset: &H5Dataset, ranges: &[Range<u64>]) -> Result<Vec<u8>, Trouble> {
    let values: Vec<Raw<BYTES>> = if ranges.is_empty() {
        dataset.read_raw()?
    } else {
        let starts: Vec<usize> = ranges.iter().map(|range| range.start as usize).collect();
        let counts: Vec<usize> = ranges.iter().map(|range| (range.end - range.start) as usize).collect();
        dataset.read_slice(&starts, &counts)?
    };
    let count: u64 = ranges.iter().map(|range| range.end - range.start).product();
    if values.len() as u64 != count {
        return Err(Trouble::Damaged(format!("{} values in place of {count}", values.len())));
    }
    let mut bytes = vec![0; values.len() * BYTES];
    for (to, value) in bytes.chunks_exact_mut(BYTES).zip(&values) {
        to.copy_from_slice(&value.0);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cut_chunks_are_padded_on_every_axis() {
        assert_eq!(padded(vec![1, 2, 3, 4], &[2, 2], &[2, 2], 1), [1, 2, 3, 4]);
        assert_eq!(padded(vec![1, 2, 3, 4], &[2, 2], &[3, 4], 1), [1, 2, 0, 0, 3, 4, 0, 0, 0, 0, 0, 0]);
        assert_eq!(
            padded(vec![1, 2, 3, 4], &[1, 2, 1], &[2, 2, 2], 2),
            [1, 2, 0, 0, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        );
        assert_eq!(padded(vec![7], &[], &[], 1), [7]);
        assert_eq!(padded(vec![], &[0, 2], &[1, 2], 1), [0, 0]);
    }
}
