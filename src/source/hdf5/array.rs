//! One array of an HDF5 file: what it is, and its values.

use std::ops::Range;

use rust_hdf5::format::messages::datatype::IeeeFormat;
use rust_hdf5::{DatatypeMessage, H5Dataset, H5Type, StorageLayout};

use super::files::Trouble;
use crate::source::array::Array;
use crate::volume::Dtype;

/// The filters that chunks may have gone through, by their registered numbers: deflate, shuffle, Fletcher-32, LZF
/// (<https://github.com/HDFGroup/hdf5_plugins/blob/master/docs/RegisteredFilterPlugins.md>).
const FILTERS: [u16; 4] = [1, 2, 3, 32000];

/// What other filters are called that are often met.
const OTHER_FILTERS: [(u16, &str); 9] = [
    (4, "szip"),
    (5, "n-bit"),
    (6, "scale-offset"),
    (307, "bzip2"),
    (32001, "Blosc"),
    (32004, "LZ4"),
    (32008, "bitshuffle"),
    (32015, "Zstandard"),
    (32026, "Blosc2"),
];

/// Reads what the array's header says.
///
/// # Errors
/// [`Trouble::Unsupported`] for values and storage that we do not read.
pub(super) fn describe(name: &str, dataset: &H5Dataset) -> Result<Array, Trouble> {
    if dataset.is_null() {
        return Err(Trouble::Unsupported("no values".to_owned()));
    }
    let dtype = dtype_of(&dataset.datatype()?)?;
    let layout = dataset.storage_layout()?;
    if layout == StorageLayout::Virtual || !dataset.external_files()?.is_empty() {
        return Err(Trouble::Unsupported("values that lie in other files".to_owned()));
    }
    let shape: Vec<u64> = dataset.shape().into_iter().map(|length| length as u64).collect();
    let chunk = match dataset.chunk_dims() {
        Some(chunk) if chunk.len() != shape.len() => {
            return Err(Trouble::Damaged(format!("an array of {} axes in chunks of {}", shape.len(), chunk.len())));
        }
        Some(chunk) if chunk.contains(&0) => return Err(Trouble::Damaged("chunks of no size".to_owned())),
        Some(chunk) => {
            check_filters(dataset)?;
            chunk.into_iter().map(|length| length as u64).collect()
        }
        None => row(&shape),
    };
    Ok(Array { name: name.to_owned(), dtype, shape, chunk, axes: None })
}

/// The values of a box that lies inside the array: one range for each axis, last axis fastest, little-endian.
pub(super) fn read(array: &Array, dataset: &H5Dataset, ranges: &[Range<u64>]) -> Result<Vec<u8>, Trouble> {
    match array.dtype.size_bytes() {
        1 => read_raw::<1>(dataset, ranges),
        2 => read_raw::<2>(dataset, ranges),
        4 => read_raw::<4>(dataset, ranges),
        _ => read_raw::<8>(dataset, ranges),
    }
}

/// What is read at once of an array that is not chunked.
fn row(shape: &[u64]) -> Vec<u64> {
    let last = shape.len().saturating_sub(1);
    shape.iter().enumerate().map(|(axis, length)| if axis == last { *length } else { 1 }).collect()
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

/// The voxel type of an array's values; enumerations, such as booleans, are their numbers.
fn dtype_of(datatype: &DatatypeMessage) -> Result<Dtype, Trouble> {
    let unsupported = |what: String| Err(Trouble::Unsupported(what));
    match datatype {
        DatatypeMessage::FixedPoint { size, signed, bit_precision, .. } => {
            match (signed, size, u32::from(*bit_precision) == size.saturating_mul(8)) {
                (false, 1, true) => Ok(Dtype::Uint8),
                (true, 1, true) => Ok(Dtype::Int8),
                (false, 2, true) => Ok(Dtype::Uint16),
                (true, 2, true) => Ok(Dtype::Int16),
                (false, 4, true) => Ok(Dtype::Uint32),
                (true, 4, true) => Ok(Dtype::Int32),
                (false, 8, true) => Ok(Dtype::Uint64),
                (true, 8, true) => Ok(Dtype::Int64),
                _ => unsupported(format!("integers of {bit_precision} bits in {size} bytes")),
            }
        }
        DatatypeMessage::FloatingPoint { size, .. } => match datatype.ieee_format() {
            Some(IeeeFormat::Binary32) => Ok(Dtype::Float32),
            Some(IeeeFormat::Binary64) => Ok(Dtype::Float64),
            Some(IeeeFormat::Binary16) => unsupported("16-bit floats".to_owned()),
            _ => unsupported(format!("floats of a kind of their own in {size} bytes")),
        },
        DatatypeMessage::Enum { base, .. } => dtype_of(base),
        DatatypeMessage::BitField { .. } => unsupported("bit fields".to_owned()),
        DatatypeMessage::Opaque { .. } => unsupported("opaque bytes".to_owned()),
        DatatypeMessage::FixedString { .. } | DatatypeMessage::VarLenString { .. } => unsupported("strings".to_owned()),
        DatatypeMessage::Compound { .. } => unsupported("compound values".to_owned()),
        DatatypeMessage::VarLenSequence { .. } => unsupported("lists of any length".to_owned()),
        DatatypeMessage::Array { .. } => unsupported("arrays as values".to_owned()),
        DatatypeMessage::Reference { .. } => unsupported("references".to_owned()),
    }
}

fn check_filters(dataset: &H5Dataset) -> Result<(), Trouble> {
    let Some(filter) = dataset.filters()?.into_iter().find(|filter| !FILTERS.contains(&filter.id)) else {
        return Ok(());
    };
    let name = OTHER_FILTERS.iter().find(|(id, _)| *id == filter.id).map_or("a rare one", |(_, name)| *name);
    Err(Trouble::Unsupported(format!("chunks packed by filter {}, {name},", filter.id)))
}
