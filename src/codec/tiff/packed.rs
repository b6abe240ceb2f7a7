//! From the bytes of a strip or tile to the samples that were packed.

use std::io::Read;

use flate2::{Decompress, FlushDecompress, Status};

use super::super::CodecError;
use super::page::Compression;
use super::{FORMAT, lzw};

/// Fills `target` from packed bytes. What comes behind does not matter: some writers fill up the last strip, and tiles go on
/// beyond the image.
///
/// # Errors
/// [`CodecError::Damaged`] when the data breaks its rules, or is too short.
pub(super) fn unpack(compression: Compression, packed: &[u8], target: &mut [u8]) -> Result<(), CodecError> {
    match compression {
        Compression::None => match packed.get(..target.len()) {
            Some(stored) => target.copy_from_slice(stored),
            None => return Err(too_short()),
        },
        Compression::Lzw => lzw::unpack(packed, target)?,
        Compression::Deflate => inflate(packed, target)?,
        Compression::PackBits => unpack_bits(packed, target)?,
        Compression::Zstd => {
            let read = zstd::Decoder::with_buffer(packed).and_then(|mut decoder| decoder.read_exact(target));
            read.map_err(|error| CodecError::damaged(FORMAT, error))?;
        }
        Compression::Jpeg => unreachable!("JPEG has a decoder of its own"),
    }
    Ok(())
}

pub(super) fn too_short() -> CodecError {
    CodecError::damaged(FORMAT, "the data of a strip or tile is too short")
}

fn inflate(packed: &[u8], target: &mut [u8]) -> Result<(), CodecError> {
    let mut inflate = Decompress::new(true);
    loop {
        let (read, written) = (inflate.total_in() as usize, inflate.total_out() as usize);
        let status = inflate.decompress(&packed[read..], &mut target[written..], FlushDecompress::None);
        let status = status.map_err(|error| CodecError::damaged(FORMAT, error))?;
        if inflate.total_out() as usize == target.len() {
            return Ok(());
        }
        let is_stuck = (inflate.total_in() as usize, inflate.total_out() as usize) == (read, written);
        if is_stuck || status == Status::StreamEnd {
            return Err(too_short());
        }
    }
}

/// TIFF 6.0, section 9: a byte tells how many follow as they are, or how often the next is repeated.
fn unpack_bits(packed: &[u8], target: &mut [u8]) -> Result<(), CodecError> {
    let (mut packed, mut left) = (packed, target);
    while !left.is_empty() {
        let (&head, rest) = packed.split_first().ok_or_else(too_short)?;
        packed = rest;
        let count = match head {
            0..=127 => usize::from(head) + 1,
            128 => continue,
            129.. => 257 - usize::from(head),
        };
        let (run, behind) = left.split_at_mut(count.min(left.len()));
        if head < 128 {
            let (stored, rest) = packed.split_at_checked(run.len()).ok_or_else(too_short)?;
            run.copy_from_slice(stored);
            packed = rest;
        } else {
            let (&byte, rest) = packed.split_first().ok_or_else(too_short)?;
            run.fill(byte);
            packed = rest;
        }
        left = behind;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_and_literals_are_unpacked() {
        // The example of TIFF 6.0, section 9.
        let packed = [0xfe, 0xaa, 0x02, 0x80, 0x00, 0x2a, 0xfd, 0xaa, 0x80, 0x03, 0x80, 0x00, 0x2a, 0x22, 0xf7, 0xaa];
        let expected =
            [[0xaa; 3].as_slice(), &[0x80, 0, 0x2a], &[0xaa; 4], &[0x80, 0, 0x2a, 0x22], &[0xaa; 10]].concat();
        let mut target = vec![0; expected.len()];
        unpack_bits(&packed, &mut target).unwrap();
        assert_eq!(target, expected);
        for length in 0..packed.len() {
            assert!(unpack_bits(&packed[..length], &mut target).is_err(), "{length} bytes");
        }
        unpack_bits(&packed, &mut target[..5]).unwrap();
    }
}
