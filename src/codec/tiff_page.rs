//! What the directory of one TIFF page says, as far as reading voxels needs it.

use std::io::{Read, Seek};

use ::tiff::decoder::Decoder;
use ::tiff::tags::{ByteOrder, CompressionMethod, PhotometricInterpretation, Tag};
use ::tiff::{ColorType, TiffError};

use super::colour::Pick;
use super::tiff_lzw::LzwLayout;
use super::{Channels, CodecError, Feature, Header};
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
    /// Whether each channel has strips or tiles of its own.
    pub(super) is_planar: bool,
    /// Whether the stored colours are YCbCr and have to become RGB.
    pub(super) is_ycbcr: bool,
    /// How LZW data lies; `None` for other compressions.
    pub(super) lzw: Option<LzwLayout>,
}

impl Page {
    /// Channels that are decoded to get the picked one: all, or its plane alone.
    pub fn decoded_channels(&self, pick: Option<Pick>) -> u16 {
        match pick {
            Some(Pick::Channel(_)) if self.is_planar => 1,
            Some(Pick::Gray) if self.is_planar && self.header.channels.has_gray() => {
                self.header.channels.count().min(3)
            }
            _ => self.header.channels.count(),
        }
    }

    /// Samples that lie side by side for each voxel of a strip or tile.
    pub(super) fn samples(&self) -> u16 {
        if self.is_planar { 1 } else { self.header.channels.count() }
    }

    /// Strips or tiles of one plane.
    pub(super) fn chunks_per_plane(&self) -> u64 {
        let Size { x, y, .. } = self.header.size;
        x.div_ceil(self.block.x).saturating_mul(y.div_ceil(self.block.y))
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
    Ok(tags.samples(decoder.colortype()).and_then(|(dtype, bits, channels)| {
        tags.check(dtype, bits)?;
        let is_grey = channels == Channels::Grey;
        let is_planar = !is_grey && tags.is_planar;
        let is_plain = is_grey && !is_big && tags.is_plain(dtype, bits, decoder.byte_order());
        let lzw = (tags.compression == CompressionMethod::LZW).then(|| LzwLayout {
            chunk_width: u64::from(block_width),
            samples: if is_planar { 1 } else { usize::from(channels.count()) },
            predictor: tags.predictor,
            is_inverted: tags.is_inverted(),
            is_big_endian: decoder.byte_order() == ByteOrder::BigEndian,
        });
        let header = Header { size, dtype, channels, is_plain };
        Ok(Page { header, block, bits, is_planar, is_ycbcr: tags.is_ycbcr(), lzw })
    }))
}

/// The tags that decide whether and how samples become voxels.
struct Tags {
    photometric: u16,
    compression: CompressionMethod,
    sample_format: u16,
    samples: u16,
    is_planar: bool,
    /// Whether the first sample behind those of the colours is alpha.
    has_alpha: bool,
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
            is_planar: tag(Tag::PlanarConfiguration, 1)? == 2,
            orientation: tag(Tag::Orientation, 1)?,
            fill_order: tag(Tag::FillOrder, 1)?,
            predictor: tag(Tag::Predictor, 1)?,
            has_alpha: matches!(first(decoder, Tag::ExtraSamples)?, Some(1 | 2)),
            sample_format: first(decoder, Tag::SampleFormat)?.unwrap_or(1),
            has_gaps: has_gaps(decoder)?,
        })
    }

    /// The voxel type, the bits of a sample, and what the samples of a voxel are.
    fn samples(&self, color: Result<ColorType, TiffError>) -> Result<(Dtype, u8, Channels), Feature> {
        let photometric = PhotometricInterpretation::from_u16(self.photometric);
        let (bits, channels) = match (photometric, color) {
            (Some(PhotometricInterpretation::RGBPalette), _) => return Err(Feature::Palette),
            (_, Ok(ColorType::Gray(bits))) => (bits, Channels::Grey),
            (Some(meaning), Ok(color)) if self.samples > 1 => (color.bit_depth(), self.channels(meaning, color)?),
            (Some(other), _) => return Err(Feature::Photometric(format!("{other:?}"))),
            (None, _) => return Err(Feature::Photometric(self.photometric.to_string())),
        };
        let dtype = match (self.sample_format, bits) {
            (1, 1 | 2 | 4) if channels != Channels::Grey => {
                return Err(Feature::Samples { bits: u16::from(bits), kind: "colour" });
            }
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
        Ok((dtype, bits, channels))
    }

    /// What several samples are.
    fn channels(&self, meaning: PhotometricInterpretation, color: ColorType) -> Result<Channels, Feature> {
        use PhotometricInterpretation::{BlackIsZero, CMYK, RGB, YCbCr};
        let is_jpeg = self.compression == CompressionMethod::ModernJPEG;
        if is_jpeg && !self.is_planar && self.samples != 3 {
            return Err(Feature::Other(format!("{} channels in JPEG compression", self.samples)));
        }
        // What the library takes for no colour, it leaves out; it is right where we unpack ourselves.
        let is_whole = color.num_samples() == self.samples || self.is_planar;
        if !(is_whole || self.compression == CompressionMethod::LZW) {
            return Err(Feature::Other(format!("{} channels of which some are no colours", self.samples)));
        }
        match meaning {
            RGB => Ok(Channels::Rgb(self.samples)),
            YCbCr if is_jpeg && !self.is_planar => Ok(Channels::Rgb(self.samples)),
            BlackIsZero if self.samples == 2 && self.has_alpha => Ok(Channels::GreyAlpha),
            BlackIsZero => Ok(Channels::Several(self.samples)),
            CMYK if !is_jpeg => Ok(Channels::Several(self.samples)),
            other => Err(Feature::Photometric(format!("{other:?}"))),
        }
    }

    fn is_ycbcr(&self) -> bool {
        self.photometric == PhotometricInterpretation::YCbCr.to_u16()
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
