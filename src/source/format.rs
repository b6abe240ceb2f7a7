//! Which reader a file or folder needs.

use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

use super::bossdb::Bossdb;
use super::error::Unsupported;
use super::flat::FlatFormat;
use super::hdf5::Hdf5Reader;
use super::location::Located;
use super::n5::N5;
use super::precomputed::Precomputed;
use super::remote::shown;
use super::tiff::TiffReader;
use super::zarr::Zarr;
use super::{RegionReader, Selection, Shared, SourceError, SourceInfo, SourceRef, bmp, jpeg, png};
use crate::codec::ImageFormat;

/// A format that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Format {
    Image(ImageFormat),
    Hdf5,
    Flat(FlatFormat),
    Precomputed,
    Zarr,
    N5,
    Bossdb,
}

/// The files that make a folder a volume, and of which format. The first that is there counts.
pub(super) const MARKERS: [(&str, Format); 7] = [
    ("zarr.json", Format::Zarr),
    (".zarray", Format::Zarr),
    (".zgroup", Format::Zarr),
    (".zattrs", Format::Zarr),
    (".zmetadata", Format::Zarr),
    ("attributes.json", Format::N5),
    ("info", Format::Precomputed),
];

/// What may stand before the path of a volume, as Neuroglancer writes it: `zarr2://file:///data/em`.
const SCHEMES: [&str; 5] = ["precomputed", "zarr", "zarr2", "zarr3", "n5"];

/// The path or URL behind a scheme that says that it is a volume.
pub(super) fn volume_path(path: &str) -> Option<&str> {
    let (scheme, rest) = path.split_once("://")?;
    SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme)).then_some(rest)
}

/// Whether a plan says that its source is a volume of many files.
pub(super) fn is_volume(source: &SourceRef) -> bool {
    let of_name =
        |name: &String| matches!(Format::from_name(name), Some(Format::Precomputed | Format::Zarr | Format::N5));
    source.format.as_ref().is_some_and(of_name) || volume_path(&source.path).is_some()
}

impl Format {
    /// The names that a plan's `format` may have.
    pub fn names() -> impl Iterator<Item = &'static str> {
        let volumes = [Hdf5Reader::FORMAT, Precomputed::FORMAT, Zarr::FORMAT, N5::FORMAT, Bossdb::FORMAT];
        let flat = FlatFormat::ALL.into_iter().map(FlatFormat::name);
        ImageFormat::ALL.into_iter().map(ImageFormat::name).chain(volumes).chain(flat)
    }

    fn from_name(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            Hdf5Reader::FORMAT | "h5" => Some(Format::Hdf5),
            Precomputed::FORMAT => Some(Format::Precomputed),
            Zarr::FORMAT => Some(Format::Zarr),
            N5::FORMAT => Some(Format::N5),
            Bossdb::FORMAT => Some(Format::Bossdb),
            other => match FlatFormat::from_name(other) {
                Some(format) => Some(Format::Flat(format)),
                None => ImageFormat::from_name(other).map(Format::Image),
            },
        }
    }
}

/// The format that a plan asks for, if it does.
pub(super) fn forced(source: &SourceRef) -> Result<Option<Format>, SourceError> {
    let unknown = |name: &String| SourceError::NotSupported {
        path: shown(&source.path).into_owned(),
        what: Unsupported::Format(name.clone()),
    };
    source.format.as_ref().map(|name| Format::from_name(name).ok_or_else(|| unknown(name))).transpose()
}

/// The format of a file: the forced one, or by its first bytes. Folders are volumes by their marker. A channel of a Boss is
/// nothing else, and nothing else is one.
pub(super) fn of(located: &Located, forced: Option<Format>) -> Result<Format, SourceError> {
    match (&located.channel, forced) {
        (Some(_), None | Some(Format::Bossdb)) => return Ok(Format::Bossdb),
        (Some(_), Some(_)) | (None, Some(Format::Bossdb)) => {
            return Err(SourceError::NotSupported { path: located.path.clone(), what: Unsupported::Content });
        }
        (None, _) => {}
    }
    if let Some(format) = forced {
        return Ok(format);
    }
    if let Some(marker) = located.marker {
        let format = MARKERS.iter().find(|(name, _)| *name == marker).map(|(_, format)| *format);
        return Ok(format.expect("markers are from this table"));
    }
    let mut file = located.open()?;
    let mut bytes_at = |at: u64, count: usize| {
        let mut bytes = Vec::with_capacity(count);
        let read = file.seek(SeekFrom::Start(at)).and_then(|_| (&mut file).take(count as u64).read_to_end(&mut bytes));
        read.map(|_| bytes).map_err(|error| SourceError::io(&located.path, error))
    };
    if let Some(format) = ImageFormat::sniff(&bytes_at(0, ImageFormat::SNIFF_BYTES)?) {
        return Ok(Format::Image(format));
    }
    for at in Hdf5Reader::signature_places(located.stamp.bytes) {
        if bytes_at(at, Hdf5Reader::SIGNATURE.len())? == Hdf5Reader::SIGNATURE {
            return Ok(Format::Hdf5);
        }
    }
    if let Some(format) = FlatFormat::sniff(located)? {
        return Ok(Format::Flat(format));
    }
    Err(SourceError::NotSupported { path: located.path.clone(), what: Unsupported::Content })
}

/// Whether the reader of a file is kept for a look at its headers, which are then read once for all selections.
pub(super) fn is_index_kept(format: Format, selection: &Selection) -> bool {
    match format {
        Format::Image(format) => selection.page.is_some() && format == ImageFormat::Tiff,
        Format::Hdf5 | Format::Zarr | Format::N5 | Format::Bossdb => true,
        Format::Precomputed | Format::Flat(_) => false,
    }
}

/// What a file is, decoding nothing.
pub(super) fn info(
    located: &Located,
    forced: Option<Format>,
    selection: &Selection,
    shared: &Arc<Shared>,
) -> Result<Arc<SourceInfo>, SourceError> {
    match of(located, forced)? {
        Format::Image(ImageFormat::Png) => png::info(located, selection).map(Arc::new),
        Format::Image(ImageFormat::Jpeg) => jpeg::info(located, selection, shared.limit_bytes).map(Arc::new),
        Format::Image(ImageFormat::Bmp) => bmp::info(located, selection, shared.limit_bytes).map(Arc::new),
        Format::Image(ImageFormat::Tiff) => TiffReader::open(located, shared)?.info(selection),
        Format::Hdf5 => Hdf5Reader::open(located, shared)?.info(selection),
        Format::Flat(format) => format.open(located, shared)?.info(selection),
        Format::Precomputed => Precomputed::open(located, shared)?.info(selection),
        Format::Zarr => Zarr::open(located, shared)?.info(selection),
        Format::N5 => N5::open(located, shared)?.info(selection),
        Format::Bossdb => Bossdb::open(located, shared)?.info(selection),
    }
}

/// Opens a file for reading, decoding nothing.
pub(super) fn open(
    located: &Located,
    forced: Option<Format>,
    shared: &Arc<Shared>,
) -> Result<Arc<dyn RegionReader>, SourceError> {
    Ok(match of(located, forced)? {
        Format::Image(ImageFormat::Png) => png::open(located, shared)?,
        Format::Image(ImageFormat::Jpeg) => jpeg::open(located, shared)?,
        Format::Image(ImageFormat::Bmp) => bmp::open(located, shared)?,
        Format::Image(ImageFormat::Tiff) => Arc::new(TiffReader::open(located, shared)?),
        Format::Hdf5 => Arc::new(Hdf5Reader::open(located, shared)?),
        Format::Flat(format) => Arc::new(format.open(located, shared)?),
        Format::Precomputed => Arc::new(Precomputed::open(located, shared)?),
        Format::Zarr => Arc::new(Zarr::open(located, shared)?),
        Format::N5 => Arc::new(N5::open(located, shared)?),
        Format::Bossdb => Arc::new(Bossdb::open(located, shared)?),
    })
}
