//! Objects that are packed as a whole, for the disk or for the way, and unpacking them up to a bound.

use std::borrow::Cow;
use std::io::{self, Read};

use flate2::bufread::MultiGzDecoder;

/// How the bytes of an object are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Gzip,
    Brotli,
    Zstd,
}

/// How gzip data begins (RFC 1952, 2.3.1).
const GZIP: [u8; 3] = [0x1f, 0x8b, 8];

/// How zstd data begins (RFC 8878, 3.1.1).
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The most bytes that gzip packs into one. The others may do better, seldom with voxels.
const MOST_IN_ONE: usize = 1032;

/// Bytes that a brotli decoder reads at once.
const BROTLI_BUFFER: usize = 1 << 16;

/// Windows of zstd that every decoder should have memory for (RFC 8878, 3.1.1.1.2), as a power of 2, and the largest of its
/// own encoder.
const ZSTD_WINDOWS: (u32, u32) = (23, 27);

impl Packing {
    /// The endings of the names of packed files, as CloudVolume writes them.
    pub const ENDINGS: [(&str, Packing); 3] =
        [(".gz", Packing::Gzip), (".br", Packing::Brotli), (".zstd", Packing::Zstd)];

    /// By its name as a content coding of HTTP (RFC 9110, 8.4.1).
    pub fn from_name(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Some(Packing::Gzip),
            "br" => Some(Packing::Brotli),
            "zstd" => Some(Packing::Zstd),
            _ => None,
        }
    }

    /// By the first bytes, where they tell.
    pub fn sniff(bytes: &[u8]) -> Option<Self> {
        match bytes {
            bytes if bytes.starts_with(&GZIP) => Some(Packing::Gzip),
            bytes if bytes.starts_with(&ZSTD) => Some(Packing::Zstd),
            _ => None,
        }
    }

    /// What packed bytes hold.
    ///
    /// # Errors
    /// Damaged data, and more than `most_bytes`, of which no more are unpacked.
    pub fn unpack(self, bytes: &[u8], most_bytes: u64) -> io::Result<Vec<u8>> {
        if bytes.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match self {
            Packing::Gzip => read(MultiGzDecoder::new(bytes), bytes.len(), most_bytes),
            Packing::Brotli => {
                read(brotli_decompressor::Decompressor::new(bytes, BROTLI_BUFFER), bytes.len(), most_bytes)
            }
            Packing::Zstd => {
                let mut decoder = zstd::Decoder::with_buffer(bytes)?;
                let needed = u64::BITS - most_bytes.leading_zeros();
                decoder.window_log_max(needed.clamp(ZSTD_WINDOWS.0, ZSTD_WINDOWS.1))?;
                read(decoder, bytes.len(), most_bytes)
            }
        }
    }
}

/// What the bytes hold, where they are packed; else they themselves.
///
/// # Errors
/// As [`Packing::unpack`]; bytes that are not packed have no bound here.
pub(super) fn unpacked(bytes: &[u8], packing: Option<Packing>, most_bytes: u64) -> io::Result<Cow<'_, [u8]>> {
    packing.map_or(Ok(Cow::Borrowed(bytes)), |packing| packing.unpack(bytes, most_bytes).map(Cow::Owned))
}

fn read(decoder: impl Read, packed_bytes: usize, most_bytes: u64) -> io::Result<Vec<u8>> {
    // Most objects are about as large as they may be; room for more than they can hold is never taken.
    let room = usize::try_from(most_bytes).unwrap_or(usize::MAX).min(packed_bytes.saturating_mul(MOST_IN_ONE));
    let mut unpacked = Vec::with_capacity(room);
    decoder.take(most_bytes.saturating_add(1)).read_to_end(&mut unpacked)?;
    if unpacked.len() as u64 > most_bytes {
        let message = format!("it unpacks to more than {most_bytes} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    Ok(unpacked)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packer = GzEncoder::new(Vec::new(), Compression::default());
        packer.write_all(bytes).unwrap();
        packer.finish().unwrap()
    }

    /// `brotli.compress(bytes([7]) * 100_000)` of Python's brotli 1.2.
    const BROTLI: [u8; 14] = [91, 159, 134, 129, 95, 226, 32, 30, 11, 4, 178, 252, 2, 0];

    #[test]
    fn data_is_unpacked_up_to_the_bound() {
        let bytes = [7; 100_000];
        let cases = [
            (Packing::Gzip, gzip(&bytes)),
            (Packing::Brotli, BROTLI.to_vec()),
            (Packing::Zstd, zstd::encode_all(&bytes[..], 3).unwrap()),
        ];
        for (packing, packed) in cases {
            assert_eq!(packing.unpack(&packed, 100_000).unwrap(), bytes, "{packing:?}");
            let error = packing.unpack(&packed, 99_999).unwrap_err();
            assert_eq!(error.to_string(), "it unpacks to more than 99999 bytes");
            for length in 0..packed.len() {
                assert!(packing.unpack(&packed[..length], 100_000).is_err(), "{packing:?} cut to {length}");
            }
        }
    }

    #[test]
    fn packings_are_known_by_name_and_by_their_first_bytes() {
        assert_eq!(Packing::from_name("GZIP"), Some(Packing::Gzip));
        assert_eq!(Packing::from_name("br"), Some(Packing::Brotli));
        assert_eq!(Packing::from_name("identity"), None);
        assert_eq!(Packing::sniff(&gzip(b"labels")), Some(Packing::Gzip));
        assert_eq!(Packing::sniff(&zstd::encode_all(&b"labels"[..], 3).unwrap()), Some(Packing::Zstd));
        assert_eq!(Packing::sniff(&[0x1f, 0x8b]), None);
        assert_eq!(*unpacked(b"as it is", None, 0).unwrap(), *b"as it is");
    }
}
