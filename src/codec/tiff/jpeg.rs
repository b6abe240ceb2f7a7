//! JPEG strips and tiles of TIFF files.
//!
//! Specification: TIFF Technical Note 2, <https://www.alternatiff.com/resources/TIFFTechNote2.txt>.

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::super::{CodecError, jpeg};
use super::FORMAT;
use super::packed::too_short;

/// Fills `target` with samples of 8 bits, rows of `width` voxels with `samples` each.
///
/// # Errors
/// [`CodecError::Damaged`], [`CodecError::LimitsExceeded`] when the image inside needs more than `limit_bytes`.
pub(super) fn decode(
    packed: &[u8],
    tables: Option<&[u8]>,
    (width, samples): (u64, u16),
    target: &mut [u8],
    limit_bytes: u64,
) -> Result<(), CodecError> {
    let stream = joined(packed, tables)?;
    if !jpeg::has_end(&stream) {
        return Err(too_short());
    }
    let damaged = |error: &dyn std::fmt::Debug| CodecError::damaged(FORMAT, format!("{error:?}"));
    let mut decoder = JpegDecoder::new(ZCursor::new(&stream));
    decoder.decode_headers().map_err(|error| damaged(&error))?;
    // The directory says what the samples mean, so they are taken as they are.
    let (Some(info), Some(colours)) = (decoder.info(), decoder.input_colorspace()) else {
        return Err(CodecError::damaged(FORMAT, "a strip or tile has no JPEG header"));
    };
    if (u64::from(info.width), colours.num_components()) != (width, usize::from(samples)) {
        return Err(CodecError::damaged(FORMAT, "a strip or tile holds an image of other dimensions"));
    }
    // Progressive images keep 16-bit coefficients beside the samples.
    let needed_bytes = u64::from(info.width) * u64::from(info.height) * u64::from(samples) * 3;
    if needed_bytes > limit_bytes {
        return Err(CodecError::LimitsExceeded { format: FORMAT, needed_bytes, limit_bytes });
    }
    decoder.set_options(DecoderOptions::default().jpeg_set_out_colorspace(colours));
    let decoded = decoder.decode().map_err(|error| damaged(&error))?;
    target.copy_from_slice(decoded.get(..target.len()).ok_or_else(too_short)?);
    Ok(())
}

/// The tables without their end, and the image without its start, are one stream.
fn joined(packed: &[u8], tables: Option<&[u8]>) -> Result<Vec<u8>, CodecError> {
    const MARKER_BYTES: usize = 2;
    let Some(tables) = tables else { return Ok(packed.to_vec()) };
    let image = packed.get(MARKER_BYTES..).ok_or_else(too_short)?;
    let tables = tables.strip_suffix(&[0xff, 0xd9]).unwrap_or(tables);
    Ok([tables, image].concat())
}
