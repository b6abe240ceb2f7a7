//! PNG images.
//!
//! **Reads** grey images of 1, 2, 4, 8 and 16 bits, interlaced ones too; of an animation the still image. Up to 8 bits become
//! `uint8`, 16 bits `uint16`. Samples below 8 bits are spread over the full scale, so that black is 0 and white 255. Of images
//! with colours or transparency the channel that is picked, or their grey ([`super::Pick`]).
//! **Refuses** palettes. A transparent value (`tRNS`) is read as that value.
//! **Checks** every chunk's CRC and that the image ends with IEND, so a file cut anywhere is damaged.
//! **Writes** 8 and 16 bits, fast compression.
//!
//! Specification: <https://www.w3.org/TR/png-3/>.

use std::io::{BufRead, Seek, SeekFrom};

use ::png::{
    BitDepth, ColorType, Compression, Decoder, DecodingError, Encoder, Info, InterlaceInfo, Limits, Reader,
    expand_interlaced_row,
};

use super::colour::Mix;
use super::image::dimensions;
use super::samples::{expand_row, packed_row_bytes, swap_bytes};
use super::{Channels, CodecError, Feature, Header, Pick, memory};
use crate::volume::{Block, Dtype, Size};

const FORMAT: &str = "png";

/// Memory for the library's own buffers: rows, and chunks that we do not look at.
const WORK_BYTES: usize = 64 << 20;

/// No deflate stream unpacks to more than this many times its length (zlib's technical notes say 1032).
const MAX_RATIO: u64 = 1040;

/// Reads what the header says; no voxels.
pub fn header<R: BufRead + Seek>(stream: R) -> Result<Header, CodecError> {
    let mut decoder = Decoder::new(stream);
    let info = decoder.read_header_info().map_err(damaged)?;
    header_of(info)
}

/// Decodes the whole image, one section deep. Nothing needs to be picked of a grey one.
///
/// # Errors
/// [`CodecError::Damaged`], [`CodecError::NotSupported`], and [`CodecError::LimitsExceeded`] when the voxels need more than
/// `limit_bytes`, which is found before memory is taken.
pub fn decode<R: BufRead + Seek>(
    stream: R,
    pick: Option<Pick>,
    limit_bytes: u64,
) -> Result<(Header, Block), CodecError> {
    let image = Image::open(stream, pick)?;
    let header = image.header;
    let mut voxels = memory::zeros(FORMAT, header.decoded_bytes(), limit_bytes)?;
    image.decode_into(&mut voxels)?;
    let block = Block::from_bytes(header.dtype, header.size, voxels);
    Ok((header, block.expect("the buffer was made for the header's size")))
}

/// What the header says, once the checksum of every chunk was compared: the file is as its writer left it. Decodes nothing.
///
/// # Errors
/// [`CodecError::Damaged`] for a file that was cut or changed, and as [`header`].
pub fn intact(bytes: &[u8]) -> Result<Header, CodecError> {
    let cut = || CodecError::damaged(FORMAT, "the file ends before the image does");
    let header = header(std::io::Cursor::new(bytes))?;
    let mut rest = bytes.get(SIGNATURE_BYTES..).ok_or_else(cut)?;
    loop {
        let (length, after) = rest.split_first_chunk::<4>().ok_or_else(cut)?;
        let checked_bytes = (u32::from_be_bytes(*length) as usize).saturating_add(4);
        let (checked, after) = after.split_at_checked(checked_bytes).ok_or_else(cut)?;
        let (sum, after) = after.split_first_chunk::<4>().ok_or_else(cut)?;
        if crc32fast::hash(checked) != u32::from_be_bytes(*sum) {
            return Err(CodecError::damaged(FORMAT, "a chunk's checksum is not that of its bytes"));
        }
        if checked.starts_with(b"IEND") {
            return Ok(header);
        }
        rest = after;
    }
}

/// The signature before the first chunk.
const SIGNATURE_BYTES: usize = 8;

/// An image whose header was read.
pub struct Image<R: BufRead + Seek> {
    pub header: Header,
    mix: Option<Mix>,
    reader: Reader<R>,
}

impl<R: BufRead + Seek> Image<R> {
    /// Reads the header. Nothing needs to be picked of a grey image.
    ///
    /// # Errors
    /// [`CodecError::Damaged`] and [`CodecError::NotSupported`].
    pub fn open(mut stream: R, pick: Option<Pick>) -> Result<Self, CodecError> {
        let stream_bytes = stream.seek(SeekFrom::End(0)).and_then(|len| stream.rewind().map(|()| len));
        let stream_bytes = stream_bytes.map_err(|error| CodecError::io(FORMAT, error))?;
        let mut decoder = Decoder::new_with_limits(stream, Limits { bytes: WORK_BYTES });
        decoder.set_ignore_text_chunk(true);
        decoder.set_ignore_iccp_chunk(true);
        let reader = decoder.read_info().map_err(damaged)?;
        let header = header_of(reader.info())?;
        let mix = header.channels.mix(FORMAT, pick)?;
        if packed_bytes(reader.info()) > stream_bytes.saturating_mul(MAX_RATIO) {
            return Err(CodecError::damaged(FORMAT, "the file is too short for its dimensions"));
        }
        Ok(Image { header, mix, reader })
    }

    /// Decodes into `voxels`, row by row: no more memory is taken than for a few rows.
    ///
    /// # Errors
    /// [`CodecError::Damaged`], and [`CodecError::Unreadable`] when the stream fails.
    ///
    /// # Panics
    /// When `voxels` has not the length that the header says.
    pub fn decode_into(mut self, voxels: &mut [u8]) -> Result<(), CodecError> {
        assert_eq!(voxels.len() as u64, self.header.decoded_bytes(), "the buffer is made for the header's size");
        let item = self.header.dtype.size_bytes();
        let row_bytes = self.header.size.x as usize * item;
        let info = self.reader.info();
        if info.bit_depth as u8 >= 8 && self.mix.is_none() && !info.interlaced {
            for row in voxels.chunks_exact_mut(row_bytes) {
                self.reader.read_row(row).map_err(damaged)?.ok_or_else(wrong_rows)?;
                swap_bytes(row, item);
            }
            self.reader.read_row(&mut []).map_err(damaged)?.map_or(Ok(()), |_| Err(wrong_rows()))?;
        } else {
            self.make_rows(voxels, row_bytes)?;
        }
        self.reader.finish().map_err(damaged)
    }

    /// Decodes rows that hold several channels, whose samples share bytes, or that belong to the passes of an interlaced image.
    fn make_rows(&mut self, voxels: &mut [u8], row_bytes: usize) -> Result<(), CodecError> {
        let Header { dtype, channels, .. } = self.header;
        let (bits, is_interlaced) = (self.reader.info().bit_depth as u8, self.reader.info().interlaced);
        let mut values = vec![0; row_bytes * usize::from(channels.count())];
        let mut y = 0;
        while let Some(row) = self.reader.next_interlaced_row().map_err(damaged)? {
            let count = if bits < 8 {
                let count = row_bytes.min(row.data().len() * usize::from(8 / bits));
                expand_row(row.data(), bits, &mut values[..count]);
                count
            } else {
                let values = &mut values[..row.data().len()];
                values.copy_from_slice(row.data());
                swap_bytes(values, dtype.size_bytes());
                self.mix.map_or(values.len(), |mix| mix.apply_to(dtype, channels.count(), values))
            };
            if let InterlaceInfo::Adam7(pass) = row.interlace() {
                let bits = 8 * dtype.size_bytes() as u8;
                expand_interlaced_row(voxels, row_bytes, &values[..count], pass, bits);
            } else {
                let place = voxels.get_mut(y * row_bytes..(y + 1) * row_bytes).ok_or_else(wrong_rows)?;
                place.copy_from_slice(&values[..count]);
                y += 1;
            }
        }
        if is_interlaced || y * row_bytes == voxels.len() { Ok(()) } else { Err(wrong_rows()) }
    }
}

fn wrong_rows() -> CodecError {
    CodecError::damaged(FORMAT, "there are not as many rows as the header says")
}

/// Encodes a section of `uint8` or `uint16` voxels.
pub(super) fn encode(block: &Block) -> Result<Vec<u8>, CodecError> {
    let (width, height) = dimensions(FORMAT, block.size())?;
    let depth = match block.dtype() {
        Dtype::Uint8 => BitDepth::Eight,
        Dtype::Uint16 => BitDepth::Sixteen,
        other => return Err(CodecError::unsupported(FORMAT, Feature::Dtype(other))),
    };
    let mut image = Vec::with_capacity(block.as_bytes().len() / 2);
    let mut encoder = Encoder::new(&mut image, width, height);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(depth);
    encoder.set_compression(Compression::Fast);
    let mut writer = encoder.write_header().expect("a grey header goes into memory");
    let written = if depth == BitDepth::Sixteen {
        let mut samples = block.as_bytes().to_vec();
        swap_bytes(&mut samples, 2);
        writer.write_image_data(&samples)
    } else {
        writer.write_image_data(block.as_bytes())
    };
    written.and_then(|()| writer.finish()).expect("the voxels are as many as the header says");
    Ok(image)
}

fn header_of(info: &Info) -> Result<Header, CodecError> {
    let channels = match info.color_type {
        ColorType::Grayscale => Channels::Grey,
        ColorType::GrayscaleAlpha => Channels::GreyAlpha,
        ColorType::Rgb => Channels::Rgb(3),
        ColorType::Rgba => Channels::Rgb(4),
        ColorType::Indexed => return Err(CodecError::unsupported(FORMAT, Feature::Palette)),
    };
    let dtype = if info.bit_depth == BitDepth::Sixteen { Dtype::Uint16 } else { Dtype::Uint8 };
    let is_plain = channels == Channels::Grey && matches!(info.bit_depth, BitDepth::Eight | BitDepth::Sixteen);
    Ok(Header { size: Size::new(u64::from(info.width), u64::from(info.height), 1), dtype, channels, is_plain })
}

/// Bytes of the image as its compressed stream holds them, but for one byte a row.
fn packed_bytes(info: &Info) -> u64 {
    let row_samples = u64::from(info.width) * info.color_type.samples() as u64;
    packed_row_bytes(row_samples, info.bit_depth as u8).saturating_mul(u64::from(info.height))
}

fn damaged(error: DecodingError) -> CodecError {
    match error {
        DecodingError::IoError(error) => CodecError::io(FORMAT, error),
        DecodingError::LimitsExceeded => CodecError::LimitsExceeded {
            format: FORMAT,
            needed_bytes: WORK_BYTES as u64 + 1,
            limit_bytes: WORK_BYTES as u64,
        },
        other => CodecError::damaged(FORMAT, other),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// A 16-bit image whose rows compress differently.
    fn image() -> Vec<u8> {
        let voxels = (0..23u64).flat_map(|y| (0..37u64).map(move |x| (x * y * 37) as u16));
        let bytes = voxels.flat_map(u16::to_le_bytes).collect();
        encode(&Block::from_bytes(Dtype::Uint16, Size::new(37, 23, 1), bytes).unwrap()).unwrap()
    }

    #[test]
    fn an_image_cut_anywhere_is_damaged() {
        let whole = image();
        assert!(decode(Cursor::new(&whole), None, 1 << 20).is_ok());
        for len in 0..whole.len() {
            let error = decode(Cursor::new(&whole[..len]), None, 1 << 20).expect_err("a cut image is refused");
            assert!(matches!(error, CodecError::Damaged { .. }), "{len} of {} bytes: {error:?}", whole.len());
        }
    }

    #[test]
    fn a_flipped_bit_is_damage() {
        let whole = image();
        let mut random = fastrand::Rng::with_seed(11);
        for _ in 0..500 {
            let (at, bit) = (random.usize(8..whole.len()), random.u8(..8));
            let mut bad = whole.clone();
            bad[at] ^= 1 << bit;
            assert!(decode(Cursor::new(&bad), None, 1 << 20).is_err(), "byte {at}, bit {bit}");
        }
    }

    #[test]
    fn a_file_is_intact_by_its_checksums_alone() {
        let whole = image();
        assert_eq!(intact(&whole).unwrap().size, Size::new(37, 23, 1));
        let with_more = [&whole[..], b"something else"].concat();
        assert!(intact(&with_more).is_ok());
        assert!((0..whole.len()).all(|len| intact(&whole[..len]).is_err()));
        let mut random = fastrand::Rng::with_seed(11);
        for _ in 0..500 {
            let (at, bit) = (random.usize(8..whole.len()), random.u8(..8));
            let mut bad = whole.clone();
            bad[at] ^= 1 << bit;
            assert!(intact(&bad).is_err(), "byte {at}, bit {bit}");
        }
    }

    #[test]
    fn a_header_that_promises_too_much_takes_no_memory() {
        let mut lie = image();
        lie[16..24].copy_from_slice(&[0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff]);
        let crc = crc32(&lie[12..29]);
        lie[29..33].copy_from_slice(&crc.to_be_bytes());
        assert_eq!(header(Cursor::new(&lie)).unwrap().size.x, 65535);
        assert!(matches!(decode(Cursor::new(&lie), None, u64::MAX), Err(CodecError::Damaged { .. })));
        let limit = decode(Cursor::new(image()), None, 37 * 23 * 2 - 1);
        assert!(matches!(limit, Err(CodecError::LimitsExceeded { needed_bytes: 1702, .. })));
    }

    /// The CRC of PNG chunks, as the specification's annex D writes it.
    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
        })
    }
}
