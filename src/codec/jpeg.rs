//! JPEG images.
//!
//! **Reads** baseline and progressive grey images of 8 bits, as `uint8`. JPEG is lossy: other decoders may give values that
//! differ by one or two.
//! **Refuses** colours (three components, even where all of them are equal).
//! **Checks** that the compressed data goes on until the end marker, so a cut file is damaged. JPEG has no checksum: changed
//! bits inside the compressed data are found only where they break its grammar, and so is an end marker that comes too early.
//!
//! Specification: ITU-T T.81, <https://www.w3.org/Graphics/JPEG/itu-t81.pdf>.

use std::io::Cursor;

use image::codecs::jpeg::JpegDecoder;
use image::{ColorType, ImageDecoder, ImageError};

use super::{CodecError, Feature, Header, memory};
use crate::volume::{Block, Dtype, Size};

const FORMAT: &str = "jpeg";

/// Reads what the header says; no voxels. `bytes` is the whole file.
pub fn header(bytes: &[u8]) -> Result<Header, CodecError> {
    open(bytes).map(|(_, header)| header)
}

/// Decodes the whole image, one section deep.
///
/// # Errors
/// [`CodecError::Damaged`], [`CodecError::NotSupported`], and [`CodecError::LimitsExceeded`] when the voxels need more than
/// `limit_bytes`, which is found before memory is taken.
pub fn decode(bytes: &[u8], limit_bytes: u64) -> Result<(Header, Block), CodecError> {
    let (decoder, header) = open(bytes)?;
    if !has_end(bytes) {
        return Err(CodecError::damaged(FORMAT, "the data ends before the image does"));
    }
    let mut voxels = memory::zeros(FORMAT, header.decoded_bytes(), limit_bytes)?;
    decoder.read_image(&mut voxels).map_err(damaged)?;
    let block = Block::from_bytes(header.dtype, header.size, voxels);
    Ok((header, block.expect("the buffer was made for the header's size")))
}

type Decoder<'a> = JpegDecoder<Cursor<&'a [u8]>>;

fn open(bytes: &[u8]) -> Result<(Decoder<'_>, Header), CodecError> {
    let decoder = JpegDecoder::new(Cursor::new(bytes)).map_err(damaged)?;
    let color = decoder.color_type();
    if color != ColorType::L8 {
        return Err(CodecError::unsupported(FORMAT, Feature::Channels(u16::from(color.channel_count()))));
    }
    let (width, height) = decoder.dimensions();
    let size = Size::new(u64::from(width), u64::from(height), 1);
    Ok((decoder, Header { size, dtype: Dtype::Uint8, is_plain: true }))
}

/// Whether the segments and scans lead to the end marker. The library fills what is missing with grey in some places.
fn has_end(bytes: &[u8]) -> bool {
    let mut at = 2;
    while let Some(&[0xff, marker]) = bytes.get(at..at + 2).and_then(|pair| pair.first_chunk()) {
        at = match marker {
            0xd9 => return true,
            // Fill bytes before a marker, and markers without a segment.
            0xff => at + 1,
            0x01 | 0xd0..=0xd8 => at + 2,
            _ => match bytes.get(at + 2..at + 4) {
                Some(&[high, low]) => {
                    let after = at + 2 + usize::from(u16::from_be_bytes([high, low]));
                    if marker == 0xda { scan_end(bytes, after) } else { after }
                }
                _ => return false,
            },
        };
    }
    false
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
            assert_eq!(decode(whole, 1 << 20).unwrap().1.size(), Size::new(97, 61, 1));
            for len in 0..whole.len() {
                let outcome = decode(&whole[..len], 1 << 20);
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
                if let Ok((_, block)) = decode(&bad, 1 << 20) {
                    assert_eq!((block.dtype(), block.size().z), (Dtype::Uint8, 1));
                }
            }
        }
    }
}
