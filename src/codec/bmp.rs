//! BMP images.
//!
//! **Reads** palettes of 1 to 8 bits that hold nothing but greys, run-length coded ones too, as the `uint8` greys that they
//! stand for. Of colours of 16, 24 and 32 bits, which become 8 bits a channel, the channel that is picked, or their grey
//! ([`super::Pick`]).
//! **Refuses** palettes with colours.
//! **Checks** that the file is as long as its dimensions need. BMP has no checksum.
//!
//! Specification: <https://learn.microsoft.com/en-us/windows/win32/gdi/bitmap-storage>.

use std::io::Cursor;

use image::codecs::bmp::BmpDecoder;
use image::{ColorType, ImageDecoder, ImageError};

use super::colour::Mix;
use super::{Channels, CodecError, Feature, Header, Pick, memory};
use crate::volume::{Block, Dtype, Size};

const FORMAT: &str = "bmp";

/// The part of a file that [`is_whole`] looks at.
pub(super) const HEADER_BYTES: u64 = 38;

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
    let mut voxels = memory::zeros(FORMAT, image.buffer_bytes(), limit_bytes)?;
    let length = image.decode_into(&mut voxels)?;
    voxels.truncate(length);
    voxels.shrink_to_fit();
    let block = Block::from_bytes(header.dtype, header.size, voxels);
    Ok((header, block.expect("the buffer was made for the header's size")))
}

/// What the decoder needs for the voxels of an image. `bytes` is the whole file.
pub fn buffer_bytes(bytes: &[u8]) -> Result<u64, CodecError> {
    open(bytes).map(|(decoder, _)| decoder.total_bytes())
}

/// An image whose header was read.
pub struct Image<'a> {
    pub header: Header,
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
        if !is_whole(bytes, bytes.len() as u64) {
            return Err(CodecError::damaged(FORMAT, "the file ends before the image does"));
        }
        Ok(Image { header, mix, decoder })
    }

    /// The length of the buffer that decoding needs.
    pub fn buffer_bytes(&self) -> u64 {
        self.decoder.total_bytes()
    }

    /// Decodes into a buffer; the voxels are at its front, in as many bytes as comes back.
    ///
    /// # Errors
    /// [`CodecError::Damaged`].
    ///
    /// # Panics
    /// When the buffer has another length than [`Image::buffer_bytes`].
    pub fn decode_into(self, buffer: &mut [u8]) -> Result<usize, CodecError> {
        let Image { header, mix, decoder } = self;
        assert_eq!(buffer.len() as u64, decoder.total_bytes(), "the buffer is made for the image");
        let greys = decoder.get_palette().map(|palette| palette.iter().map(|[grey, ..]| *grey).collect::<Vec<u8>>());
        let is_indexed = decoder.color_type() == ColorType::L8;
        decoder.read_image(buffer).map_err(damaged)?;
        Ok(match (greys, mix) {
            (Some(greys), _) if is_indexed => {
                buffer.iter_mut().for_each(|voxel| *voxel = greys.get(usize::from(*voxel)).copied().unwrap_or(0));
                buffer.len()
            }
            (Some(_), _) => Mix::One(0).apply_to(header.dtype, 3, buffer),
            (None, Some(mix)) => mix.apply_to(header.dtype, header.channels.count(), buffer),
            (None, None) => buffer.len(),
        })
    }
}

type Decoder<'a> = BmpDecoder<Cursor<&'a [u8]>>;

fn open(bytes: &[u8]) -> Result<(Decoder<'_>, Header), CodecError> {
    let mut decoder = BmpDecoder::new(Cursor::new(bytes)).map_err(damaged)?;
    // The library gives numbers of a palette where each has a byte of its own, and fails on others and on run-length coded ones.
    let has_bytes = bits(bytes) == Some(8) && (is_core(bytes) == Some(true) || long(bytes, 30) == Some(0));
    let is_indexed = decoder.get_palette().is_some() && has_bytes;
    decoder.set_indexed_color(is_indexed);
    let channels = match (decoder.get_palette(), decoder.color_type()) {
        (Some(palette), _) if palette.iter().all(|[red, green, blue]| red == green && green == blue) => Channels::Grey,
        (Some(_), _) => return Err(CodecError::unsupported(FORMAT, Feature::Palette)),
        (None, ColorType::Rgba8) => Channels::Rgb(4),
        (None, _) => Channels::Rgb(3),
    };
    let (width, height) = decoder.dimensions();
    let size = Size::new(u64::from(width), u64::from(height), 1);
    Ok((decoder, Header { size, dtype: Dtype::Uint8, channels, is_plain: false }))
}

/// Whether a file of this length, which begins so, has room for its image; of run-length coded images for as many bytes as the
/// header names.
pub(super) fn is_whole(first: &[u8], file_bytes: u64) -> bool {
    end(first).is_some_and(|end| end <= file_bytes)
}

/// Where the image ends.
fn end(first: &[u8]) -> Option<u64> {
    let begin = u64::from(long(first, 10)?);
    let (width, height) = match is_core(first)? {
        true => (u64::from(short(first, 18)?), u64::from(short(first, 20)?)),
        false if matches!(long(first, 30)?, 1 | 2) => return Some(begin + u64::from(long(first, 34)?)),
        // The height is negative where rows go from the top down.
        false => (u64::from(long(first, 18)?), u64::from((long(first, 22)? as i32).unsigned_abs())),
    };
    let row_bytes = (width * u64::from(bits(first)?)).div_ceil(32) * 4;
    Some(begin.saturating_add(row_bytes.saturating_mul(height)))
}

/// Bits of a voxel.
fn bits(first: &[u8]) -> Option<u16> {
    short(first, if is_core(first)? { 24 } else { 28 })
}

/// Whether it has the short header of OS/2.
fn is_core(first: &[u8]) -> Option<bool> {
    Some(long(first, 14)? == 12)
}

fn short(first: &[u8], at: usize) -> Option<u16> {
    first.get(at..)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes))
}

fn long(first: &[u8], at: usize) -> Option<u32> {
    first.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

fn damaged(error: ImageError) -> CodecError {
    match error {
        ImageError::Unsupported(error) => CodecError::unsupported(FORMAT, Feature::Other(error.to_string())),
        error => CodecError::damaged(FORMAT, error),
    }
}
