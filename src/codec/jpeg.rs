//! JPEG images.
//!
//! **Reads** baseline and progressive grey images of 8 bits, as `uint8`. JPEG is lossy: other decoders may give values that
//! differ by one or two. Of colour images, whose YCbCr becomes RGB first, the channel that is picked, or their grey
//! ([`super::Pick`]).
//! **Refuses** the four inks of printing (CMYK).
//! **Checks** that the compressed data goes on until the end marker, so a cut file is damaged. JPEG has no checksum: changed
//! bits inside the compressed data are found only where they break its grammar, and so is an end marker that comes too early.
//!
//! Specification: ITU-T T.81, <https://www.w3.org/Graphics/JPEG/itu-t81.pdf>.

use std::io::Cursor;

use image::codecs::jpeg::JpegDecoder;
use image::{ColorType, ImageDecoder, ImageError};

use super::colour::Mix;
use super::{Channels, CodecError, Feature, Header, Pick, memory};
use crate::volume::{Block, Dtype, Size};

const FORMAT: &str = "jpeg";

/// Reads what the header says; no voxels. `bytes` is the whole file.
pub fn header(bytes: &[u8]) -> Result<Header, CodecError> {
    open(bytes).map(|(_, header)| header)
}

/// Decodes the whole image, one section deep. Nothing needs to be picked of a grey one.
///
/// # Errors
/// [`CodecError::Damaged`], [`CodecError::NotSupported`], and [`CodecError::LimitsExceeded`] when the values of all channels
/// need more than `limit_bytes`, which is found before memory is taken.
pub fn decode(bytes: &[u8], pick: Option<Pick>, limit_bytes: u64) -> Result<(Header, Block), CodecError> {
    let image = Image::open(bytes, pick)?;
    let header = image.header;
    let mut voxels = memory::zeros(FORMAT, header.stored_bytes(), limit_bytes)?;
    let length = image.decode_into(&mut voxels, u64::MAX)?;
    voxels.truncate(length);
    voxels.shrink_to_fit();
    let block = Block::from_bytes(header.dtype, header.size, voxels);
    Ok((header, block.expect("the buffer was made for the header's size")))
}

/// An image whose header was read.
pub struct Image<'a> {
    pub header: Header,
    bytes: &'a [u8],
    mix: Option<Mix>,
    decoder: Decoder<'a>,
}

impl<'a> Image<'a> {
    /// Reads the header. `bytes` is the whole file; nothing needs to be picked of a grey image.
    ///
    /// # Errors
    /// [`CodecError::Damaged`] and [`CodecError::NotSupported`].
    pub fn open(bytes: &'a [u8], pick: Option<Pick>) -> Result<Self, CodecError> {
        let (decoder, header) = open(bytes)?;
        let mix = header.channels.mix(FORMAT, pick)?;
        if !has_end(bytes) {
            return Err(CodecError::damaged(FORMAT, "the data ends before the image does"));
        }
        Ok(Image { header, bytes, mix, decoder })
    }

    /// Decodes into `buffer`, which has room for the values of all channels; the voxels are at its front, in as many bytes as
    /// comes back.
    ///
    /// # Errors
    /// [`CodecError::Damaged`], and [`CodecError::LimitsExceeded`] for a progressive image, of which the decoder keeps two
    /// bytes for each value, when these need more than `limit_bytes`.
    ///
    /// # Panics
    /// When `buffer` has not the length that the header says.
    pub fn decode_into(self, buffer: &mut [u8], limit_bytes: u64) -> Result<usize, CodecError> {
        let Header { dtype, channels, .. } = self.header;
        let stored_bytes = self.header.stored_bytes();
        assert_eq!(buffer.len() as u64, stored_bytes, "the buffer is made for the header's size");
        let needed_bytes = if is_progressive(self.bytes) { stored_bytes.saturating_mul(2) } else { 0 };
        if needed_bytes > limit_bytes {
            return Err(CodecError::LimitsExceeded { format: FORMAT, needed_bytes, limit_bytes });
        }
        self.decoder.read_image(buffer).map_err(damaged)?;
        Ok(self.mix.map_or(buffer.len(), |mix| mix.apply_to(dtype, channels.count(), buffer)))
    }
}

type Decoder<'a> = JpegDecoder<Cursor<&'a [u8]>>;

fn open(bytes: &[u8]) -> Result<(Decoder<'_>, Header), CodecError> {
    let decoder = JpegDecoder::new(Cursor::new(bytes)).map_err(damaged)?;
    let channels = match (decoder.color_type(), components(bytes)) {
        (ColorType::L8, _) => Channels::Grey,
        // The library turns these into RGB too, where everybody else gives the inks.
        (_, Some(4)) => return Err(CodecError::unsupported(FORMAT, Feature::Photometric("CMYK".to_owned()))),
        (ColorType::Rgb8, _) => Channels::Rgb(3),
        (other, _) => {
            return Err(CodecError::unsupported(FORMAT, Feature::Channels(u16::from(other.channel_count()))));
        }
    };
    let (width, height) = decoder.dimensions();
    let size = Size::new(u64::from(width), u64::from(height), 1);
    Ok((decoder, Header { size, dtype: Dtype::Uint8, channels, is_plain: channels == Channels::Grey }))
}

/// Whether the segments and scans lead to the end marker. The library fills what is missing with grey in some places.
pub(super) fn has_end(bytes: &[u8]) -> bool {
    find_marker(bytes, |marker| marker == 0xd9).is_some()
}

/// The components of a voxel that the frame header names (T.81, B.2.2).
fn components(bytes: &[u8]) -> Option<u8> {
    bytes.get(frame(bytes)? + 9).copied()
}

/// Whether the image comes in several scans, each of which makes all of it finer (SOF2).
fn is_progressive(bytes: &[u8]) -> bool {
    frame(bytes).is_some_and(|at| bytes[at + 1] == 0xc2)
}

/// Where the frame header stands (T.81, B.1.1.3).
fn frame(bytes: &[u8]) -> Option<usize> {
    find_marker(bytes, |marker| matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc))
}

/// Where the first such marker stands, behind whatever segments and scans.
fn find_marker(bytes: &[u8], is_wanted: impl Fn(u8) -> bool) -> Option<usize> {
    let mut at = 2;
    while let Some(&[0xff, marker]) = bytes.get(at..at + 2).and_then(|pair| pair.first_chunk()) {
        at = match marker {
            _ if is_wanted(marker) => return Some(at),
            // The end, which no segment follows.
            0xd9 => return None,
            // Fill bytes before a marker, and markers without a segment.
            0xff => at + 1,
            0x01 | 0xd0..=0xd8 => at + 2,
            _ => match bytes.get(at + 2..at + 4) {
                Some(&[high, low]) => {
                    let after = at + 2 + usize::from(u16::from_be_bytes([high, low]));
                    if marker == 0xda { scan_end(bytes, after) } else { after }
                }
                _ => return None,
            },
        };
    }
    None
}

/// The first marker behind the compressed data at `at`; restarts and escaped `0xff` bytes belong to the data.
fn scan_end(bytes: &[u8], at: usize) -> usize {
    let data = bytes.get(at..).unwrap_or_default();
    let marker = data.windows(2).position(|pair| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0xd0..=0xd7));
    marker.map_or(bytes.len(), |offset| at + offset)
}

fn damaged(error: ImageError) -> CodecError {
    match error {
        ImageError::Unsupported(error) => CodecError::unsupported(FORMAT, Feature::Other(error.to_string())),
        other => CodecError::damaged(FORMAT, other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GREY: &[u8] = include_bytes!("../../tests/data/images/smooth.jpg");
    const PROGRESSIVE: &[u8] = include_bytes!("../../tests/data/images/smooth_progressive.jpg");

    #[test]
    fn an_image_cut_anywhere_is_damaged() {
        for (name, whole) in [("baseline", GREY), ("progressive", PROGRESSIVE)] {
            assert_eq!(decode(whole, None, 1 << 20).unwrap().1.size(), Size::new(97, 61, 1));
            for len in 0..whole.len() {
                let outcome = decode(&whole[..len], None, 1 << 20);
                assert!(matches!(outcome, Err(CodecError::Damaged { .. })), "{name}: {len} of {} bytes", whole.len());
            }
        }
    }

    #[test]
    fn flipped_bits_never_panic() {
        let mut random = fastrand::Rng::with_seed(5);
        for _ in 0..1000 {
            for whole in [GREY, PROGRESSIVE] {
                let mut bad = whole.to_vec();
                bad[random.usize(..whole.len())] ^= 1 << random.u8(..8);
                if let Ok((_, block)) = decode(&bad, None, 1 << 20) {
                    assert_eq!((block.dtype(), block.size().z), (Dtype::Uint8, 1));
                }
            }
        }
    }
}
