//! The image formats together: which one bytes are in, and voxels to and from whole images.

use std::fmt;
use std::io::Cursor;

use super::{Channels, CodecError, Feature, bmp, jpeg, png, tiff, tiff_encode};
use crate::volume::{Block, Dtype, Size};

/// An image format that is read here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ImageFormat {
    Png,
    Jpeg,
    Tiff,
    Bmp,
}

impl ImageFormat {
    pub const ALL: [ImageFormat; 4] = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Tiff, ImageFormat::Bmp];

    /// Bytes that [`sniff`](ImageFormat::sniff) looks at.
    pub const SNIFF_BYTES: usize = 18;

    /// The format's name in plans and messages.
    pub fn name(self) -> &'static str {
        match self {
            ImageFormat::Png => "png",
            ImageFormat::Jpeg => "jpeg",
            ImageFormat::Tiff => "tiff",
            ImageFormat::Bmp => "bmp",
        }
    }

    /// The format of this name, in lower or upper case; `jpg` and `tif` are understood too.
    pub fn from_name(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "png" => Some(ImageFormat::Png),
            "jpeg" | "jpg" => Some(ImageFormat::Jpeg),
            "tiff" | "tif" => Some(ImageFormat::Tiff),
            "bmp" => Some(ImageFormat::Bmp),
            _ => None,
        }
    }

    /// Tells the format from the first bytes.
    pub fn sniff(first: &[u8]) -> Option<Self> {
        let starts = |magic: &[u8]| first.starts_with(magic);
        if starts(b"\x89PNG\r\n\x1a\n") {
            Some(ImageFormat::Png)
        } else if starts(b"\xff\xd8\xff") {
            Some(ImageFormat::Jpeg)
        } else if starts(b"II\x2a\0") || starts(b"MM\0\x2a") || starts(b"II\x2b\0") || starts(b"MM\0\x2b") {
            Some(ImageFormat::Tiff)
        } else if starts(b"BM") && first.get(14..18).is_some_and(is_bmp_header) {
            Some(ImageFormat::Bmp)
        } else {
            None
        }
    }
}

/// Whether this is the length of a BMP file's second header, of which there are a few; two letters alone tell too little.
fn is_bmp_header(length: &[u8]) -> bool {
    [12u32, 40, 52, 56, 64, 108, 124].iter().any(|known| known.to_le_bytes() == length)
}

impl fmt::Display for ImageFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What an image's header says of one page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// One section deep.
    pub size: Size,
    /// The type of the decoded voxels.
    pub dtype: Dtype,
    /// What is stored for each voxel. Decoding gives one value of it.
    pub channels: Channels,
    /// Whether the Boss's own decoder (Pillow) reads the same values from the same bytes. It does not where we spread 1-bit
    /// samples over the full scale, for example, nor where there are several channels; such images must be encoded anew
    /// before they are uploaded.
    pub is_plain: bool,
}

impl Header {
    /// Bytes of the decoded voxels.
    pub fn decoded_bytes(&self) -> u64 {
        self.size.voxels().saturating_mul(self.dtype.size_bytes() as u64)
    }

    /// Bytes of the stored values of all channels.
    pub fn stored_bytes(&self) -> u64 {
        self.decoded_bytes().saturating_mul(u64::from(self.channels.count()))
    }
}

/// Decodes an image in memory, one section deep; of a file with several pages the first.
///
/// # Errors
/// [`CodecError::NotSupported`] for other formats and for images that are not grey, [`CodecError::Damaged`], and
/// [`CodecError::LimitsExceeded`] when the voxels need more than `limit_bytes`.
pub fn decode(bytes: &[u8], limit_bytes: u64) -> Result<Block, CodecError> {
    match ImageFormat::sniff(bytes) {
        Some(ImageFormat::Png) => png::decode(Cursor::new(bytes), None, limit_bytes).map(|(_, block)| block),
        Some(ImageFormat::Jpeg) => jpeg::decode(bytes, None, limit_bytes).map(|(_, block)| block),
        Some(ImageFormat::Tiff) => tiff::decode(bytes, limit_bytes),
        Some(ImageFormat::Bmp) => bmp::decode(bytes, None, limit_bytes).map(|(_, block)| block),
        None => Err(CodecError::unsupported("image", Feature::Other("no format inside that is read here".to_owned()))),
    }
}

/// What the header of an image file says, once it is shown that the file is sound: by the checksums that its format has, else by
/// decoding it.
///
/// # Errors
/// As [`decode`].
pub fn prove(bytes: &[u8], limit_bytes: u64) -> Result<(Size, Dtype), CodecError> {
    if ImageFormat::sniff(bytes) == Some(ImageFormat::Png) {
        let header = png::intact(bytes)?;
        return Ok((header.size, header.dtype));
    }
    let block = decode(bytes, limit_bytes)?;
    Ok((block.size(), block.dtype()))
}

/// Encodes one section as an image: PNG for `uint8` and `uint16`, TIFF for every integer and float type.
///
/// # Errors
/// [`CodecError::NotSupported`] where the format has no such voxel type or the block several sections, and
/// [`CodecError::ValueTooLarge`] where a `uint64` voxel does not fit in the 32 bits that the Boss reads of a TIFF tile.
pub fn encode(block: &Block, format: ImageFormat) -> Result<Vec<u8>, CodecError> {
    if block.size().z != 1 {
        return Err(CodecError::unsupported(format.name(), Feature::Sections(block.size().z)));
    }
    match format {
        ImageFormat::Png => png::encode(block),
        ImageFormat::Tiff => tiff_encode::encode(block),
        ImageFormat::Jpeg | ImageFormat::Bmp => Err(CodecError::unsupported(format.name(), Feature::Writing)),
    }
}

/// An image's dimensions for a library that counts them in 32 bits.
pub(super) fn dimensions(format: &'static str, size: Size) -> Result<(u32, u32), CodecError> {
    match (u32::try_from(size.x), u32::try_from(size.y)) {
        (Ok(width), Ok(height)) if width > 0 && height > 0 => Ok((width, height)),
        _ => Err(CodecError::unsupported(format, Feature::Dimensions)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A section whose voxel at (x, y) is `3·x + 500·y`, in the type's low bits.
    fn counted(dtype: Dtype, size: Size) -> Block {
        let voxels = (0..size.y).flat_map(|y| (0..size.x).map(move |x| 3 * x + 500 * y));
        let bytes = voxels.flat_map(|value| value.to_le_bytes().into_iter().take(dtype.size_bytes())).collect();
        Block::from_bytes(dtype, size, bytes).unwrap()
    }

    #[test]
    fn encoded_tiles_come_back_voxel_for_voxel() {
        let cases = [
            (ImageFormat::Png, Dtype::Uint8, Dtype::Uint8),
            (ImageFormat::Png, Dtype::Uint16, Dtype::Uint16),
            (ImageFormat::Tiff, Dtype::Uint8, Dtype::Uint8),
            (ImageFormat::Tiff, Dtype::Int16, Dtype::Int16),
            (ImageFormat::Tiff, Dtype::Uint32, Dtype::Uint32),
            (ImageFormat::Tiff, Dtype::Int32, Dtype::Int32),
            (ImageFormat::Tiff, Dtype::Uint64, Dtype::Uint32),
            (ImageFormat::Tiff, Dtype::Float32, Dtype::Float32),
        ];
        for (format, dtype, stored) in cases {
            let size = Size::new(97, 61, 1);
            let encoded = encode(&counted(dtype, size), format).unwrap();
            assert_eq!(ImageFormat::sniff(&encoded), Some(format));
            assert!(decode(&encoded, 1 << 20).unwrap() == counted(stored, size), "{dtype} as {format}");
        }
    }

    #[test]
    fn what_a_format_cannot_hold_is_refused_by_name() {
        let cases = [
            (ImageFormat::Png, Dtype::Uint32, Size::new(2, 2, 1), "png data with uint32 voxels is not supported"),
            (ImageFormat::Png, Dtype::Uint8, Size::new(2, 2, 3), "png data with 3 sections is not supported"),
            (ImageFormat::Png, Dtype::Uint8, Size::new(0, 2, 1), "png data with these dimensions is not supported"),
            (ImageFormat::Tiff, Dtype::Int64, Size::new(2, 2, 1), "tiff data with int64 voxels is not supported"),
        ];
        for (format, dtype, size, expected) in cases {
            assert_eq!(encode(&Block::zeros(dtype, size), format).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn ids_that_the_boss_would_misread_are_refused() {
        for (id, fits) in [(0x7fff_ffffu64, true), (0x8000_0000, false), (1 << 40, false)] {
            let block = Block::filled(Dtype::Uint64, Size::new(3, 3, 1), &id.to_le_bytes());
            assert_eq!(encode(&block, ImageFormat::Tiff).is_ok(), fits, "{id}");
        }
    }

    #[test]
    fn other_bytes_are_not_supported() {
        for bytes in [&b""[..], b"BM\0\0\0\0\0\0\0", b"GIF89a", b"not an image at all"] {
            assert!(matches!(decode(bytes, 1 << 20), Err(CodecError::NotSupported { .. })));
        }
    }
}
