//! What the directory of one TIFF page says, as far as reading voxels needs it.

use std::io::{Read, Seek};
use std::sync::Arc;

use super::super::colour::{Mix, Pick};
use super::super::samples::packed_row_bytes;
use super::super::{Channels, CodecError, Feature, Header};
use super::directory::{Directory, Layout, Window};
use super::{BATCH_BYTES, Chunks, FORMAT};
use crate::volume::{Dtype, Region, Size, Span};

/// One page of a TIFF file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub header: Header,
    /// The size of its strips or tiles, as far as they lie inside the image: the smallest box that can be decoded alone.
    pub block: Size,
    /// Whether the file calls it a smaller version of another page.
    pub is_reduced: bool,
    /// Whether it tells of another page's voxels which are to be seen.
    pub is_mask: bool,
    /// Voxels in a stored row; tiles at the right edge have more than the image.
    pub(super) stored_width: u64,
    pub(super) compression: Compression,
    /// 1 none, 2 horizontal differences, 3 floating point.
    pub(super) predictor: u16,
    /// Bits of one stored sample.
    pub(super) bits: u8,
    pub(super) is_big_endian: bool,
    pub(super) is_inverted: bool,
    /// Whether the first sample stands in the lowest bits of a byte.
    pub(super) is_reversed: bool,
    /// Whether each channel has strips or tiles of its own.
    pub(super) is_planar: bool,
    /// Whether the stored colours are YCbCr and have to become RGB.
    pub(super) is_ycbcr: bool,
    /// What all JPEG strips or tiles have in common.
    pub(super) jpeg_tables: Option<Arc<[u8]>>,
}

/// How strips and tiles are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Lzw,
    Deflate,
    PackBits,
    Zstd,
    Jpeg,
}

impl Compression {
    fn name(self) -> &'static str {
        match self {
            Compression::None => "none",
            Compression::Lzw => "lzw",
            Compression::Deflate => "deflate",
            Compression::PackBits => "packbits",
            Compression::Zstd => "zstd",
            Compression::Jpeg => "jpeg",
        }
    }
}

/// One strip or tile.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    /// Its place in the grid of strips or tiles.
    pub column: u64,
    pub row: u64,
    /// The voxels of the page that it holds.
    pub whole: Region,
    /// Those of them that are wanted.
    pub part: Region,
}

impl Page {
    /// How its strips or tiles are packed, in a word.
    pub fn compression(&self) -> &'static str {
        self.compression.name()
    }

    /// What a directory says. The inner error is a page that is sound but not for us; others may follow it.
    pub(super) fn read<R: Read + Seek>(
        layout: Layout,
        window: &mut Window<R>,
        directory: &Directory,
    ) -> Result<Result<Self, Feature>, CodecError> {
        let tags = Tags::read(layout, window, directory)?;
        let jpeg_tables = match tags.compression {
            7 => layout.bytes(window, directory, JPEG_TABLES)?.map(Arc::from),
            _ => None,
        };
        let is_grey = tags.samples == 1;
        let size = Size::new(tags.width, tags.height, 1);
        if size.x == 0 || size.y == 0 || tags.chunk_width == 0 || tags.chunk_height == 0 || tags.samples == 0 {
            return Err(CodecError::damaged(FORMAT, "a page, strip or tile has no voxels"));
        }
        if size.x.max(size.y).max(tags.chunk_width) > u64::from(u32::MAX) {
            return Err(CodecError::damaged(FORMAT, "a page has more than 4294967295 voxels in a row"));
        }
        Ok(tags.compression().and_then(|compression| {
            let (dtype, channels) = tags.voxels()?;
            tags.check(dtype)?;
            let is_plain = is_grey && !layout.is_big && tags.is_plain(dtype, layout.is_big_endian);
            Ok(Page {
                header: Header { size, dtype, channels, is_plain },
                block: Size::new(tags.chunk_width.min(size.x), tags.chunk_height.min(size.y), 1),
                is_reduced: tags.subfile & 1 != 0,
                is_mask: tags.subfile & 4 != 0,
                stored_width: tags.chunk_width,
                compression,
                predictor: tags.predictor,
                bits: tags.bits as u8,
                is_big_endian: layout.is_big_endian,
                is_inverted: tags.is_inverted(),
                is_reversed: tags.fill_order == 2,
                is_planar: !is_grey && tags.is_planar,
                is_ycbcr: tags.photometric == YCBCR,
                jpeg_tables,
            })
        }))
    }

    /// The box that is read at once: a strip or tile, of large ones that are not packed some rows.
    pub fn read_at_once(&self) -> Size {
        let rows = (BATCH_BYTES / self.stored_row().max(1)).max(1);
        if self.is_grey_rows() { Size { y: self.block.y.min(rows), ..self.block } } else { self.block }
    }

    fn is_grey_rows(&self) -> bool {
        self.header.channels == Channels::Grey && self.has_rows(None)
    }

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

    /// The strips or tiles that a region of the page touches, row by row; its z is not looked at.
    pub fn cells(&self, region: &Region) -> impl Iterator<Item = Cell> + use<> {
        let (size, block) = (Region::of_size(self.header.size), self.block);
        let wanted = Region { z: Span::one(0), ..*region };
        let (columns, rows) = (touched(region.x, block.x), touched(region.y, block.y));
        rows.flat_map(move |row| {
            columns.clone().map(move |column| {
                let (x, y) = (Span::step(column as i64, block.x), Span::step(row as i64, block.y));
                let whole = Region::new(x, y, Span::one(0)).intersect(&size);
                Cell { column, row, whole, part: whole.intersect(&wanted) }
            })
        })
    }

    /// Where what is needed of a cell lies in the file: one place, or one for each plane.
    ///
    /// # Errors
    /// [`CodecError::Damaged`] where the page has no such strip or tile.
    pub fn parts(&self, cell: &Cell, pick: Option<Pick>, chunks: &Chunks) -> Result<Vec<(u64, u64)>, CodecError> {
        let number = cell.row.saturating_mul(self.columns()).saturating_add(cell.column);
        let planes = match self.header.channels.mix(FORMAT, pick)? {
            Some(Mix::One(channel)) if self.is_planar => channel as u64..channel as u64 + 1,
            Some(Mix::Luma) if self.is_planar => 0..3,
            _ => 0..1,
        };
        let rows = cell.whole.y.len();
        let part = |plane: u64| {
            let number = plane.saturating_mul(self.chunks_per_plane()).saturating_add(number);
            let (at, count) = usize::try_from(number).ok().and_then(|number| chunks.get(number)).copied()?;
            // Of what is stored as it is, nobody needs more than the voxels.
            let most =
                if self.compression == Compression::None { self.stored_row().saturating_mul(rows) } else { count };
            Some((at, count.min(most)))
        };
        let parts: Option<Vec<_>> = planes.map(part).collect();
        parts.ok_or_else(|| CodecError::damaged(FORMAT, "a strip or tile is not there"))
    }

    /// Sections that lie in the file from the page's own on, one right behind the other, as ImageJ writes them above 4 GB; 0
    /// where the page's strips do not lie that way.
    pub fn sections_behind(&self, chunks: &Chunks, file_bytes: u64) -> u64 {
        let Some(&(first, _)) = chunks.first() else { return 0 };
        let is_plain = self.compression == Compression::None && self.block.x == self.header.size.x;
        let strip = self.stored_row().saturating_mul(self.block.y);
        let mut starts = chunks.iter().zip(0u64..);
        if !is_plain
            || !starts.all(|((at, _), n)| Some(*at) == n.checked_mul(strip).and_then(|far| first.checked_add(far)))
        {
            return 0;
        }
        file_bytes.saturating_sub(first) / self.section_bytes().max(1)
    }

    /// Bytes of all samples as they are stored when nothing is packed.
    pub fn section_bytes(&self) -> u64 {
        let planes = if self.is_planar { u64::from(self.header.channels.count()) } else { 1 };
        self.stored_row().saturating_mul(self.header.size.y).saturating_mul(planes)
    }

    /// Whether the rows of a strip or tile lie in the file as voxels, but for the order of their bytes.
    pub fn has_rows(&self, pick: Option<Pick>) -> bool {
        let is_whole = usize::from(self.bits) == 8 * self.header.dtype.size_bytes();
        self.compression == Compression::None
            && is_whole
            && self.predictor == 1
            && !self.is_reversed
            && self.samples() == 1
            && pick != Some(Pick::Gray)
    }

    /// Bytes of a stored row of a strip or tile.
    pub fn stored_row(&self) -> u64 {
        packed_row_bytes(self.stored_width.saturating_mul(u64::from(self.samples())), self.bits)
    }

    /// Samples that lie side by side for each voxel of a strip or tile.
    pub(super) fn samples(&self) -> u16 {
        if self.is_planar { 1 } else { self.header.channels.count() }
    }

    /// Strips or tiles that the page must have.
    pub fn chunks(&self) -> u64 {
        let planes = if self.is_planar { u64::from(self.header.channels.count()) } else { 1 };
        self.chunks_per_plane().saturating_mul(planes)
    }

    fn columns(&self) -> u64 {
        self.header.size.x.div_ceil(self.block.x)
    }

    fn chunks_per_plane(&self) -> u64 {
        self.columns().saturating_mul(self.header.size.y.div_ceil(self.block.y))
    }
}

/// The numbers of the steps of `step` voxels that `span` touches; the span is not below zero.
fn touched(span: Span, step: u64) -> std::ops::Range<u64> {
    span.start as u64 / step..(span.stop as u64).div_ceil(step)
}

const JPEG_TABLES: u16 = 347;

/// Values of `PhotometricInterpretation`.
const WHITE_IS_ZERO: u64 = 0;
const BLACK_IS_ZERO: u64 = 1;
const RGB: u64 = 2;
const PALETTE: u64 = 3;
const CMYK: u64 = 5;
const YCBCR: u64 = 6;

/// The tags that decide whether and how samples become voxels.
struct Tags {
    width: u64,
    height: u64,
    chunk_width: u64,
    chunk_height: u64,
    bits: u64,
    has_equal_bits: bool,
    photometric: u64,
    compression: u64,
    sample_format: u64,
    samples: u64,
    is_planar: bool,
    /// Whether the first sample behind those of the colours is alpha.
    has_alpha: bool,
    orientation: u64,
    fill_order: u64,
    predictor: u16,
    /// Bit 0 a smaller version, bit 2 a mask.
    subfile: u64,
}

impl Tags {
    fn read<R: Read + Seek>(layout: Layout, window: &mut Window<R>, directory: &Directory) -> Result<Self, CodecError> {
        let bits = layout.numbers(window, directory, 258)?;
        let mut tag = |tag, default| Ok(layout.number_of(window, directory, tag)?.unwrap_or(default));
        let (width, height) = (tag(256, 0)?, tag(257, 0)?);
        let (tile_width, tile_height) = (tag(322, 0)?, tag(323, 0)?);
        let is_tiled = tile_width > 0 && tile_height > 0;
        Ok(Tags {
            width,
            height,
            chunk_width: if is_tiled { tile_width } else { width },
            chunk_height: if is_tiled { tile_height } else { tag(278, height)?.min(height) },
            bits: bits.first().copied().unwrap_or(1),
            has_equal_bits: bits.windows(2).all(|pair| pair[0] == pair[1]),
            photometric: tag(262, BLACK_IS_ZERO)?,
            compression: tag(259, 1)?,
            samples: tag(277, 1)?,
            is_planar: tag(284, 1)? == 2,
            orientation: tag(274, 1)?,
            fill_order: tag(266, 1)?,
            predictor: u16::try_from(tag(317, 1)?).unwrap_or(u16::MAX),
            // An alpha, multiplied into the colours or not.
            has_alpha: matches!(tag(338, 0)?, 1 | 2),
            sample_format: tag(339, 1)?,
            subfile: tag(254, 0)?,
        })
    }

    fn compression(&self) -> Result<Compression, Feature> {
        let name = match self.compression {
            1 => return Ok(Compression::None),
            5 => return Ok(Compression::Lzw),
            8 | 32946 => return Ok(Compression::Deflate),
            32773 => return Ok(Compression::PackBits),
            50000 => return Ok(Compression::Zstd),
            7 if self.bits == 8 => return Ok(Compression::Jpeg),
            7 => "JPEG (not of 8 bits)",
            2..=4 | 32771 => "fax",
            6 => "old JPEG",
            33003 | 33004 | 33005 | 34712 => "JPEG 2000",
            34887 => "LERC",
            34925 => "LZMA",
            34926 | 50001 => "WebP",
            22610 | 34934 | 48124 => "JPEG XR",
            50002 | 52546 => "JPEG XL",
            other => return Err(Feature::Compression(other.to_string())),
        };
        Err(Feature::Compression(name.to_owned()))
    }

    /// The voxel type, and what the samples of a voxel are.
    fn voxels(&self) -> Result<(Dtype, Channels), Feature> {
        let samples = u16::try_from(self.samples).map_err(|_| Feature::Channels(u16::MAX))?;
        let channels = match (self.photometric, samples) {
            (PALETTE, _) => return Err(Feature::Palette),
            (WHITE_IS_ZERO | BLACK_IS_ZERO, 1) => Channels::Grey,
            (meaning, 2..) => self.channels(meaning, samples)?,
            (other, _) => return Err(Feature::Photometric(photometric_name(other))),
        };
        let kind = kind_name(self.sample_format);
        let bits = u16::try_from(self.bits).unwrap_or(u16::MAX);
        if !self.has_equal_bits {
            return Err(Feature::Other("channels of different bits".to_owned()));
        }
        let dtype = match (self.sample_format, bits) {
            // Whoever does not say what the samples are means numbers.
            (1 | 4, 1 | 2 | 4 | 9..=15) if channels != Channels::Grey => {
                return Err(Feature::Samples { bits, kind: "colour" });
            }
            (1 | 4, 1 | 2 | 4 | 8) => Dtype::Uint8,
            (1 | 4, 9..=16) => Dtype::Uint16,
            (1 | 4, 32) => Dtype::Uint32,
            (1 | 4, 64) => Dtype::Uint64,
            (2, 8) => Dtype::Int8,
            (2, 16) => Dtype::Int16,
            (2, 32) => Dtype::Int32,
            (2, 64) => Dtype::Int64,
            (3, 16 | 32) => Dtype::Float32,
            (3, 64) => Dtype::Float64,
            _ => return Err(Feature::Samples { bits, kind }),
        };
        Ok((dtype, channels))
    }

    /// What several samples are.
    fn channels(&self, meaning: u64, samples: u16) -> Result<Channels, Feature> {
        let is_jpeg = self.compression == 7;
        if is_jpeg && !self.is_planar && samples != 3 {
            return Err(Feature::Other(format!("{samples} channels in JPEG compression")));
        }
        match meaning {
            RGB if samples >= 3 => Ok(Channels::Rgb(samples)),
            YCBCR if is_jpeg && !self.is_planar => Ok(Channels::Rgb(samples)),
            BLACK_IS_ZERO if samples == 2 && self.has_alpha => Ok(Channels::GreyAlpha),
            BLACK_IS_ZERO => Ok(Channels::Several(samples)),
            CMYK if !is_jpeg => Ok(Channels::Several(samples)),
            other => Err(Feature::Photometric(photometric_name(other))),
        }
    }

    fn check(&self, dtype: Dtype) -> Result<(), Feature> {
        let is_byte = matches!(self.bits, 8 | 16 | 32 | 64);
        let is_known = match self.predictor {
            1 => true,
            2 => is_byte,
            3 => dtype.is_float(),
            _ => false,
        };
        if !is_known {
            return Err(Feature::Other(format!("predictor {} for {dtype}", self.predictor)));
        }
        if self.is_inverted() && self.sample_format != 1 {
            return Err(Feature::InvertedSigned);
        }
        if self.fill_order == 2 && self.compression == 7 {
            return Err(Feature::Other("the bits of each byte reversed in JPEG compression".to_owned()));
        }
        Ok(())
    }

    fn is_inverted(&self) -> bool {
        self.photometric == WHITE_IS_ZERO
    }

    /// Whether Pillow, with or without libtiff's newer codecs, reads the same values.
    fn is_plain(&self, dtype: Dtype, is_big_endian: bool) -> bool {
        matches!(self.compression, 1 | 5 | 8 | 32946 | 32773)
            && !self.is_inverted()
            && self.orientation == 1
            && self.fill_order == 1
            && self.sample_format == 1
            && match dtype {
                Dtype::Uint8 => self.bits == 8,
                Dtype::Uint16 => self.bits == 16,
                Dtype::Uint32 => !is_big_endian,
                _ => false,
            }
    }
}

fn kind_name(sample_format: u64) -> &'static str {
    match sample_format {
        1 => "unsigned",
        2 => "signed",
        3 => "float",
        5 | 6 => "complex",
        _ => "untyped",
    }
}

fn photometric_name(meaning: u64) -> String {
    match meaning {
        WHITE_IS_ZERO => "WhiteIsZero".to_owned(),
        RGB => "RGB".to_owned(),
        CMYK => "CMYK".to_owned(),
        YCBCR => "YCbCr".to_owned(),
        4 => "TransparencyMask".to_owned(),
        8..=10 => "CIELab".to_owned(),
        32803 => "ColorFilterArray".to_owned(),
        other => other.to_string(),
    }
}
