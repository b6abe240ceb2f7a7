//! Unpacking what a chunk was packed with, up to a bound.
//!
//! Each function gives at most `most_bytes`, of which memory is taken as they come: a damaged or hostile chunk unpacks to no
//! more than its array says that a chunk holds.

use std::io::{self, Read};

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::ZlibDecoder;

use super::packing::{self, Packing};
use crate::codec;

/// What is wrong with packed data, in words.
type Flaw = Box<dyn std::error::Error + Send + Sync>;

pub(super) fn gzip(bytes: &[u8], most_bytes: u64) -> Result<Vec<u8>, Flaw> {
    Ok(Packing::Gzip.unpack(bytes, most_bytes)?)
}

pub(super) fn zlib(bytes: &[u8], most_bytes: u64) -> Result<Vec<u8>, Flaw> {
    read(ZlibDecoder::new(bytes), bytes.len(), most_bytes)
}

pub(super) fn bzip2(bytes: &[u8], most_bytes: u64) -> Result<Vec<u8>, Flaw> {
    read(MultiBzDecoder::new(bytes), bytes.len(), most_bytes)
}

pub(super) fn zstd(bytes: &[u8], most_bytes: u64) -> Result<Vec<u8>, Flaw> {
    let room = packing::room(bytes.len(), most_bytes);
    if (room as u64) < most_bytes {
        return read(zstd::Decoder::with_buffer(bytes)?, bytes.len(), most_bytes);
    }
    // Into room for all of it is faster.
    let mut unpacked = reserved(room)?;
    zstd::bulk::Decompressor::new()?.decompress_to_buffer(bytes, &mut unpacked)?;
    Ok(unpacked)
}

pub(super) fn blosc(bytes: &[u8], most_bytes: u64) -> Result<Vec<u8>, Flaw> {
    Ok(codec::blosc::decompress(bytes, most_bytes)?)
}

fn read(unpacker: impl Read, packed_bytes: usize, most_bytes: u64) -> Result<Vec<u8>, Flaw> {
    let mut unpacked = reserved(packing::room(packed_bytes, most_bytes))?;
    unpacker.take(most_bytes.saturating_add(1)).read_to_end(&mut unpacked)?;
    if unpacked.len() as u64 > most_bytes {
        return Err(format!("it unpacks to more than {most_bytes} bytes").into());
    }
    Ok(unpacked)
}

fn reserved(bytes: usize) -> Result<Vec<u8>, io::Error> {
    let mut room = Vec::new();
    room.try_reserve_exact(bytes).map_err(|_| io::ErrorKind::OutOfMemory)?;
    Ok(room)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn packed(name: &str, bytes: &[u8]) -> Vec<u8> {
        use crate::codec::{BloscSettings, blosc};
        use crate::volume::Dtype;
        match name {
            "gzip" => {
                let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                packer.write_all(bytes).unwrap();
                packer.finish().unwrap()
            }
            "zlib" => {
                let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
                packer.write_all(bytes).unwrap();
                packer.finish().unwrap()
            }
            "bzip2" => {
                let mut packer = ::bzip2::write::BzEncoder::new(Vec::new(), ::bzip2::Compression::fast());
                packer.write_all(bytes).unwrap();
                packer.finish().unwrap()
            }
            "zstd" => ::zstd::bulk::compress(bytes, 1).unwrap(),
            _ => blosc::compress(bytes, Dtype::Uint8, &BloscSettings::default()).unwrap(),
        }
    }

    #[test]
    fn data_is_unpacked_up_to_the_bound() {
        type Unpack = fn(&[u8], u64) -> Result<Vec<u8>, Flaw>;
        let all: [(&str, Unpack); 5] =
            [("gzip", gzip), ("zlib", zlib), ("bzip2", bzip2), ("zstd", zstd), ("blosc", blosc)];
        let bytes = vec![7; 100_000];
        for (name, unpack) in all {
            let packed = packed(name, &bytes);
            assert_eq!(unpack(&packed, 100_000).unwrap(), bytes, "{name}");
            assert_eq!(unpack(&packed, 200_000).unwrap(), bytes, "{name}");
            assert!(unpack(&packed, 99_999).is_err(), "{name}");
            assert!(unpack(&packed[..packed.len() / 2], 100_000).is_err(), "{name}");
        }
    }
}
