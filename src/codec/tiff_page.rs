//! What the directory of one TIFF page says, as far as reading voxels needs it.

use std::io::{Read, Seek};

use ::tiff::decoder::Decoder;
use ::tiff::tags::{ByteOrder, CompressionMethod, PhotometricInterpretation, Tag};
use ::tiff::{ColorType, TiffError};

use super::tiff_lzw::LzwLayout;
use super::{CodecError, Feature, Header};
use crate::volume::{Dtype, Size};

pub(super) const FORMAT: &str = "tiff";

/// One page of a TIFF file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    pub header: Header,
    /// The size of its strips or tiles: the smallest box that can be decoded alone.
    pub block: Size,
    /// Bits of one stored sample.
    pub(super) bits: u8,
    /// How LZW data lies; `None` for other compressions.
    pub(super) lzw: Option<LzwLayout>,
}

impl Page {
    /// Bytes that one decoded strip or tile takes.
    pub fn block_bytes(&self) -> u64 {
        self.block.voxels().saturating_mul(self.header.dtype.size_bytes() as u64)
    }
}

/// The page that the decoder stands at. The inner error is a page that is sound but not for us; others may follow it.
pub(super) fn current_page<R: Read + Seek>(
    decoder: &mut Decoder<R>,
    is_big: bool,
) -> Result<Result<Page, Feature>, CodecError> {
    let (width, height) = decoder.dimensions().map_err(damaged)?;
    let size = Size::new(u64::from(width), u64::from(height), 1);
    let (block_width, block_height) = decoder.chunk_dimensions();
    let block = Size::new(u64::from(block_width).min(size.x), u64::from(block_height).min(size.y), 1);
    let tags = Tags::read(decoder)?;
    Ok(tags.samples(decoder.colortype()).and_then(|(dtype, bits)| {
        tags.check(dtype, bits)?;
        let is_plain = !is_big && tags.is_plain(dtype, bits, decoder.byte_order());
        let lzw = (tags.compression == CompressionMethod::LZW).then(|| LzwLayout {
            chunk_width: u64::from(block_width),
            predictor: tags.predictor,
            is_inverted: tags.is_inverted(),
            is_big_endian: decoder.byte_order() == ByteOrder::BigEndian,
        });
        Ok(Page { header: Header { size, dtype, is_plain }, block, bits, lzw })
    }))
}

/// The tags that decide whether and how samples become voxels.
struct Tags {
    photometric: u16,
    compression: CompressionMethod,
    sample_format: u16,
    samples: u16,
    orientation: u16,
    fill_order: u16,
    predictor: u16,
    has_gaps: bool,
}

impl Tags {
    fn read<R: Read + Seek>(decoder: &mut Decoder<R>) -> Result<Self, CodecError> {
        let mut tag = |tag, default| Ok(decoder.find_tag_unsigned(tag).map_err(damaged)?.unwrap_or(default));
        Ok(Tags {
            photometric: tag(Tag::PhotometricInterpretation, 1)?,
            compression: CompressionMethod::from_u16_exhaustive(tag(Tag::Compression, 1)?),
            samples: tag(Tag::SamplesPerPixel, 1)?,
            orientation: tag(Tag::Orientation, 1)?,
            fill_order: tag(Tag::FillOrder, 1)?,
            predictor: tag(Tag::Predictor, 1)?,
            sample_format: first(decoder, Tag::SampleFormat)?.unwrap_or(1),
            has_gaps: has_gaps(decoder)?,
        })
    }

    /// The voxel type and the bits of a sample.
    fn samples(&self, color: Result<ColorType, TiffError>) -> Result<(Dtype, u8), Feature> {
        let photometric = PhotometricInterpretation::from_u16(self.photometric);
        let bits = match (photometric, color) {
            (Some(PhotometricInterpretation::RGBPalette), _) => return Err(Feature::Palette),
            _ if self.samples > 1 => return Err(Feature::Channels(self.samples)),
            (_, Ok(ColorType::Gray(bits))) => bits,
            (Some(other), _) => return Err(Feature::Photometric(format!("{other:?}"))),
            (None, _) => return Err(Feature::Photometric(self.photometric.to_string())),
        };
        let dtype = match (self.sample_format, bits) {
            (1, 1 | 2 | 4 | 8) => Dtype::Uint8,
            (1, 16) => Dtype::Uint16,
            (1, 32) => Dtype::Uint32,
            (1, 64) => Dtype::Uint64,
            (2, 8) => Dtype::Int8,
            (2, 16) => Dtype::Int16,
            (2, 32) => Dtype::Int32,
            (2, 64) => Dtype::Int64,
            (3, 32) => Dtype::Float32,
            (3, 64) => Dtype::Float64,
            (kind, _) => return Err(Feature::Samples { bits: u16::from(bits), kind: kind_name(kind) }),
        };
        Ok((dtype, bits))
    }

    fn check(&self, dtype: Dtype, bits: u8) -> Result<(), Feature> {
        use CompressionMethod::{Deflate, LZW, ModernJPEG, None, OldDeflate, PackBits, ZSTD};
        if !matches!(self.compression, None | LZW | Deflate | OldDeflate | PackBits | ZSTD | ModernJPEG) {
            return Err(Feature::Compression(format!("{:?}", self.compression)));
        }
        if !(self.predictor == 1 || (self.predictor == 2 && bits >= 8) || (self.predictor == 3 && dtype.is_float())) {
            return Err(Feature::Other(format!("predictor {} for {dtype}", self.predictor)));
        }
        if self.is_inverted() && self.sample_format != 1 {
            return Err(Feature::InvertedSigned);
        }
        if self.fill_order != 1 {
            return Err(Feature::Other("the bits of each byte reversed (fill order 2)".to_owned()));
        }
        if self.has_gaps {
            return Err(Feature::Other("strips or tiles left out".to_owned()));
        }
        Ok(())
    }

    fn is_inverted(&self) -> bool {
        self.photometric == 0
    }

    /// Whether Pillow, with or without libtiff's newer codecs, reads the same values.
    fn is_plain(&self, dtype: Dtype, bits: u8, order: ByteOrder) -> bool {
        use CompressionMethod::{Deflate, LZW, None, OldDeflate, PackBits};
        matches!(self.compression, None | LZW | Deflate | OldDeflate | PackBits)
            && !self.is_inverted()
            && self.orientation == 1
            && match dtype {
                Dtype::Uint8 => bits == 8,
                Dtype::Uint16 => true,
                Dtype::Uint32 => order == ByteOrder::LittleEndian,
                _ => false,
            }
    }
}

fn first<R: Read + Seek>(decoder: &mut Decoder<R>, tag: Tag) -> Result<Option<u16>, CodecError> {
    let values = decoder.find_tag_unsigned_vec::<u16>(tag).map_err(damaged)?;
    Ok(values.and_then(|values| values.first().copied()))
}

/// Whether one of several strips or tiles has no bytes, as sparse files say "nothing here". A lone strip without a length is
/// only an old writer's carelessness.
fn has_gaps<R: Read + Seek>(decoder: &mut Decoder<R>) -> Result<bool, CodecError> {
    for tag in [Tag::StripByteCounts, Tag::TileByteCounts] {
        if let Some(counts) = decoder.find_tag_unsigned_vec::<u64>(tag).map_err(damaged)? {
            return Ok(counts.len() > 1 && counts.contains(&0));
        }
    }
    Ok(false)
}

fn kind_name(sample_format: u16) -> &'static str {
    match sample_format {
        1 => "unsigned",
        2 => "signed",
        3 => "float",
        5 | 6 => "complex",
        _ => "untyped",
    }
}

/// Sorts the library's errors by what the caller can do.
pub(super) fn damaged(error: TiffError) -> CodecError {
    match error {
        TiffError::IoError(error) => CodecError::io(FORMAT, error),
        TiffError::UnsupportedError(what) => CodecError::unsupported(FORMAT, Feature::Other(what.to_string())),
        other => CodecError::damaged(FORMAT, other),
    }
}
