//! Whether a file goes on to the end of its image, found without decoding.
//!
//! A copy that was stopped leaves a file with a sound header and too few bytes. PNG and JPEG end with a marker, and the
//! directories of a TIFF file say where its strips and tiles lie. Bytes that were changed in between are not found here.

use std::io::{Read, Seek, SeekFrom};

use super::tiff::TiffFile;
use super::{CodecError, ImageFormat, bmp, jpeg};

/// The last chunk of every PNG file: no bytes, `IEND`, its CRC.
const PNG_END: [u8; 12] = *b"\0\0\0\0IEND\xae\x42\x60\x82";

/// The signature before a PNG file's first chunk.
const PNG_SIGNATURE_BYTES: u64 = 8;

/// Finds out whether the file goes on to the end of its image. Reads a few bytes, or the chunk headers where other bytes
/// follow the image; of a TIFF file the directories.
///
/// # Errors
/// [`CodecError::Damaged`] for a file that ends too early, [`CodecError::Unreadable`].
pub fn check_whole<R: Read + Seek>(mut stream: R, format: ImageFormat) -> Result<(), CodecError> {
    let length = stream.seek(SeekFrom::End(0)).map_err(|error| CodecError::io(format.name(), error))?;
    let is_whole = match format {
        ImageFormat::Png => png_is_whole(&mut stream, length).map_err(|error| CodecError::io(format.name(), error))?,
        ImageFormat::Jpeg => {
            jpeg_is_whole(&mut stream, length).map_err(|error| CodecError::io(format.name(), error))?
        }
        ImageFormat::Tiff => TiffFile::open(stream)?.is_whole()?,
        ImageFormat::Bmp => bmp_is_whole(&mut stream, length).map_err(|error| CodecError::io(format.name(), error))?,
    };
    if is_whole {
        return Ok(());
    }
    Err(CodecError::damaged(format.name(), "the file ends before the image does"))
}

fn png_is_whole(stream: &mut (impl Read + Seek), length: u64) -> std::io::Result<bool> {
    if last_bytes(stream, length)? == PNG_END {
        return Ok(true);
    }
    // Some programs append data of their own.
    let mut at = PNG_SIGNATURE_BYTES;
    while at + PNG_END.len() as u64 <= length {
        let mut chunk = [0; 8];
        stream.seek(SeekFrom::Start(at))?;
        stream.read_exact(&mut chunk)?;
        let [a, b, c, d, kind @ ..] = chunk;
        at += PNG_END.len() as u64 + u64::from(u32::from_be_bytes([a, b, c, d]));
        if kind == *b"IEND" {
            return Ok(at <= length);
        }
    }
    Ok(false)
}

fn jpeg_is_whole(stream: &mut (impl Read + Seek), length: u64) -> std::io::Result<bool> {
    if last_bytes::<2>(stream, length)? == [0xff, 0xd9] {
        return Ok(true);
    }
    let mut bytes = Vec::new();
    stream.rewind()?;
    stream.read_to_end(&mut bytes)?;
    Ok(jpeg::has_end(&bytes))
}

fn bmp_is_whole(stream: &mut (impl Read + Seek), length: u64) -> std::io::Result<bool> {
    let mut first = Vec::new();
    stream.rewind()?;
    stream.take(bmp::HEADER_BYTES).read_to_end(&mut first)?;
    Ok(bmp::is_whole(&first, length))
}

/// The last bytes of a file; zeros when it is shorter.
fn last_bytes<const N: usize>(stream: &mut (impl Read + Seek), length: u64) -> std::io::Result<[u8; N]> {
    let mut last = [0; N];
    if let Some(start) = length.checked_sub(N as u64) {
        stream.seek(SeekFrom::Start(start))?;
        stream.read_exact(&mut last)?;
    }
    Ok(last)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::path::Path;

    use super::*;

    fn foreign(name: &str) -> Vec<u8> {
        std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/images").join(name)).unwrap()
    }

    fn check(bytes: &[u8]) -> Result<(), CodecError> {
        check_whole(Cursor::new(bytes), ImageFormat::sniff(bytes).unwrap())
    }

    #[test]
    fn files_of_other_programs_are_whole_and_cut_ones_are_not() {
        let names = ["grey8.png", "interlaced16.png", "smooth.jpg", "smooth_progressive.jpg", "pages_8.tif"];
        for name in names.iter().chain(&["tiles_lzw_16_be.tif", "strips_deflate_8_le.tif", "big.tif"]) {
            let bytes = foreign(name);
            assert!(check(&bytes).is_ok(), "{name}");
            // The end of a TIFF file may be a directory or a tag's values, which the header needs, or a pad byte.
            for length in (16..bytes.len() - 2).step_by(bytes.len() / 50) {
                assert!(matches!(check(&bytes[..length]), Err(CodecError::Damaged { .. })), "{name} of {length} bytes");
            }
        }
    }

    #[test]
    fn bytes_behind_the_image_do_no_harm() {
        for name in ["grey8.png", "smooth.jpg", "pages_8.tif"] {
            let mut bytes = foreign(name);
            bytes.extend_from_slice(&[0; 4000]);
            assert!(check(&bytes).is_ok(), "{name}");
        }
        let zeros = [&foreign("grey8.png")[..200], &[0; 4000]].concat();
        assert!(check(&zeros).is_err());
    }
}
