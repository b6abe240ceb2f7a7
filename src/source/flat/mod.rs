//! Formats that are a header and voxels in a row: MRC, NIfTI, NumPy, NRRD, MetaImage, and raw voxels with a sidecar.
//!
//! Each has a file that reads its header into a [`FlatArray`]: where the voxels begin, of which type and byte order they are,
//! how long the axes are and in which order they are stored. One reader reads them all. **Regions**: nothing is decoded, so
//! only the bytes of a region are read, in runs as long as the region allows, straight into the target. What is packed with
//! gzip as a whole has no parts: it is unpacked once and kept as decoded images are. Pages in `docs/sources` tell what is not
//! covered.

mod bytes;
mod fields;
mod layout;
mod metaimage;
mod mrc;
mod nifti;
mod npy;
mod nrrd;
mod reader;
mod samples;
mod sidecar;
mod text;

pub(super) use self::bytes::BUFFER_BYTES;
pub(super) use self::reader::FlatReader;

use std::sync::Arc;

use self::samples::Samples;
use super::array::Array;
use super::error::Unsupported;
use super::location::Located;
use super::{Shared, SourceError};
use crate::codec::CodecError;

/// A format whose voxels lie in a row behind a header, or beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum FlatFormat {
    Mrc,
    Nifti,
    Npy,
    Nrrd,
    MetaImage,
    Raw,
}

/// What a header says of its voxels.
struct FlatArray {
    /// The file that holds the voxels.
    file: Located,
    format: FlatFormat,
    /// Axes in the order in which readers name them, slowest first; `chunk` is made by the reader.
    array: Array,
    /// The same axes by their numbers, from the one that is stored slowest to the fastest.
    order: Vec<usize>,
    samples: Samples,
    packing: Packing,
    /// Where the first voxel begins, in bytes, in the file or in what it unpacks to.
    offset: Offset,
}

/// Where voxels begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Offset {
    Bytes(u64),
    /// The file ends with the voxels.
    FromEnd,
}

/// How a file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    None,
    /// From this byte on.
    Gzip(u64),
}

impl FlatFormat {
    pub const ALL: [FlatFormat; 6] =
        [FlatFormat::Mrc, FlatFormat::Nifti, FlatFormat::Npy, FlatFormat::Nrrd, FlatFormat::MetaImage, FlatFormat::Raw];

    /// Bytes that [`sniff`](FlatFormat::sniff) looks at.
    const SNIFF_BYTES: usize = 1024;

    /// The format's name in plans and messages.
    pub fn name(self) -> &'static str {
        match self {
            FlatFormat::Mrc => "mrc",
            FlatFormat::Nifti => "nifti",
            FlatFormat::Npy => "npy",
            FlatFormat::Nrrd => "nrrd",
            FlatFormat::MetaImage => "metaimage",
            FlatFormat::Raw => "raw",
        }
    }

    /// The format of this name, in lower case; common endings of file names are understood too.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "ccp4" | "map" => Some(FlatFormat::Mrc),
            "nii" => Some(FlatFormat::Nifti),
            "mhd" | "mha" => Some(FlatFormat::MetaImage),
            name => FlatFormat::ALL.into_iter().find(|format| format.name() == name),
        }
    }

    /// Tells the format from the content, also inside of gzip; raw voxels from a sidecar.
    pub fn sniff(located: &Located) -> Result<Option<Self>, SourceError> {
        let (first, packing) = bytes::first(located, Self::SNIFF_BYTES)?;
        let told = match packing {
            _ if mrc::is_mrc(&first) => Some(FlatFormat::Mrc),
            _ if nifti::is_nifti(&first) => Some(FlatFormat::Nifti),
            Packing::None if npy::is_npy(&first) => Some(FlatFormat::Npy),
            Packing::None if nrrd::is_nrrd(&first) => Some(FlatFormat::Nrrd),
            Packing::None if metaimage::is_metaimage(&first) => Some(FlatFormat::MetaImage),
            _ if sidecar::is_there(located)? => Some(FlatFormat::Raw),
            _ => None,
        };
        Ok(told)
    }

    /// Reads the header.
    pub fn open(self, located: &Located, shared: &Arc<Shared>) -> Result<FlatReader, SourceError> {
        let array = match self {
            FlatFormat::Mrc => mrc::describe(located),
            FlatFormat::Nifti => nifti::describe(located),
            FlatFormat::Npy => npy::describe(located),
            FlatFormat::Nrrd => nrrd::describe(located),
            FlatFormat::MetaImage => metaimage::describe(located),
            FlatFormat::Raw => sidecar::describe(located),
        }?;
        FlatReader::new(located, array, shared)
    }

    fn damaged(self, path: &str, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> SourceError {
        let source = CodecError::Damaged { format: self.name(), source: cause.into() };
        SourceError::Damaged { path: path.to_owned(), source }
    }
}

/// A file that holds values, or is packed in a way, that we do not read.
fn unsupported(path: &str, what: impl Into<String>) -> SourceError {
    let what = Unsupported::Array { dataset: String::new(), what: what.into() };
    SourceError::NotSupported { path: path.to_owned(), what }
}

/// A header written by hand that says what we do not understand.
fn misread(path: &str, what: impl Into<String>, hint: Option<String>) -> SourceError {
    SourceError::NotSupported { path: path.to_owned(), what: Unsupported::Header { what: what.into(), hint } }
}

impl FlatArray {
    /// An array in C order, its last axis stored fastest.
    fn new(file: &Located, format: FlatFormat, array: Array, samples: Samples, offset: Offset) -> Self {
        let order = (0..array.shape.len()).collect();
        FlatArray { file: file.clone(), format, array, order, samples, packing: Packing::None, offset }
    }
}

#[cfg(test)]
mod tests;
