//! Which reader a file needs.

use std::io::Read;
use std::sync::Arc;

use super::error::Unsupported;
use super::location::Located;
use super::tiff::TiffReader;
use super::{ReadPlan, RegionReader, Selection, SourceError, SourceInfo, jpeg, png};
use crate::codec::ImageFormat;

/// The format that a plan asks for, if it does.
pub(super) fn forced(plan: &ReadPlan) -> Result<Option<ImageFormat>, SourceError> {
    let unknown =
        |name: &String| SourceError::NotSupported { path: plan.path.clone(), what: Unsupported::Format(name.clone()) };
    plan.format.as_ref().map(|name| ImageFormat::from_name(name).ok_or_else(|| unknown(name))).transpose()
}

/// The format of a file: the forced one, or by its first bytes.
fn of(located: &Located, forced: Option<ImageFormat>) -> Result<ImageFormat, SourceError> {
    if let Some(format) = forced {
        return Ok(format);
    }
    let mut first = Vec::with_capacity(ImageFormat::SNIFF_BYTES);
    let mut file = located.open()?.take(ImageFormat::SNIFF_BYTES as u64);
    file.read_to_end(&mut first).map_err(|error| SourceError::io(&located.path, error))?;
    ImageFormat::sniff(&first)
        .ok_or_else(|| SourceError::NotSupported { path: located.path.clone(), what: Unsupported::Content })
}

/// What a file is, decoding nothing.
pub(super) fn info(
    located: &Located,
    forced: Option<ImageFormat>,
    selection: &Selection,
    limit_bytes: u64,
) -> Result<Arc<SourceInfo>, SourceError> {
    match of(located, forced)? {
        ImageFormat::Png => png::info(located).map(Arc::new),
        ImageFormat::Jpeg => jpeg::info(located, limit_bytes).map(Arc::new),
        ImageFormat::Tiff => TiffReader::open(located, limit_bytes)?.info(selection),
    }
}

/// Opens a file for reading; formats without parts are decoded by that.
pub(super) fn open(
    located: &Located,
    forced: Option<ImageFormat>,
    limit_bytes: u64,
) -> Result<Arc<dyn RegionReader>, SourceError> {
    Ok(match of(located, forced)? {
        ImageFormat::Png => Arc::new(png::open(located, limit_bytes)?),
        ImageFormat::Jpeg => Arc::new(jpeg::open(located, limit_bytes)?),
        ImageFormat::Tiff => Arc::new(TiffReader::open(located, limit_bytes)?),
    })
}
