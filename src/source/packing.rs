//! Objects that are packed as a whole, for the disk or for the way, and unpacking them up to a bound.

use std::borrow::Cow;
use std::io::{self, Read};

use flate2::{Decompress, FlushDecompress, Status};

/// How the bytes of an object are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Gzip,
    Brotli,
    Zstd,
}

/// How gzip data begins (RFC 1952, 2.3.1).
const GZIP: [u8; 3] = [0x1f, 0x8b, 8];

/// The largest window of gzip, as a power of 2.
const GZIP_WINDOW: u8 = 15;

/// The least room that is made at once, in bytes.
const LEAST_ROOM: usize = 1 << 15;

/// How zstd data begins (RFC 8878, 3.1.1).
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Bytes of voxels that are seldom packed into fewer than one; for more, room is made as they come.
const MOST_IN_ONE: usize = 256;

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
            Packing::Gzip => gunzip(bytes, most_bytes),
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

/// Unpacks the members of gzip data straight to where they stay: flate2's readers go through a window of 32 KiB, again and
/// again.
fn gunzip(mut bytes: &[u8], most_bytes: u64) -> io::Result<Vec<u8>> {
    let mut unpacked = Vec::with_capacity(room(bytes.len(), most_bytes));
    while !bytes.is_empty() {
        let mut member = Decompress::new_gzip(GZIP_WINDOW);
        loop {
            let before = member.total_in();
            let status = member.decompress_vec(bytes, &mut unpacked, FlushDecompress::Finish)?;
            bytes = &bytes[(member.total_in() - before) as usize..];
            check_bound(&unpacked, most_bytes)?;
            if status == Status::StreamEnd {
                break;
            }
            if unpacked.len() < unpacked.capacity() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let left = usize::try_from(most_bytes - unpacked.len() as u64).unwrap_or(usize::MAX);
            unpacked.reserve_exact(unpacked.len().max(LEAST_ROOM).min(left.saturating_add(1)));
        }
    }
    Ok(unpacked)
}

fn read(decoder: impl Read, packed_bytes: usize, most_bytes: u64) -> io::Result<Vec<u8>> {
    let mut unpacked = Vec::with_capacity(room(packed_bytes, most_bytes));
    decoder.take(most_bytes.saturating_add(1)).read_to_end(&mut unpacked)?;
    check_bound(&unpacked, most_bytes)?;
    Ok(unpacked)
}

/// Room to begin with: most objects are about as large as they may be. Not more than so many packed bytes reasonably hold.
pub(super) fn room(packed_bytes: usize, most_bytes: u64) -> usize {
    let reasonable = packed_bytes.saturating_mul(MOST_IN_ONE).max(LEAST_ROOM);
    usize::try_from(most_bytes).unwrap_or(usize::MAX).min(reasonable)
}

fn check_bound(unpacked: &[u8], most_bytes: u64) -> io::Result<()> {
    if unpacked.len() as u64 <= most_bytes {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, format!("it unpacks to more than {most_bytes} bytes")))
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
    fn no_more_room_is_made_than_packed_bytes_reasonably_fill() {
        assert_eq!(room(1000, 200_000), 200_000);
        assert_eq!(room(1000, 1 << 40), 256_000);
        assert_eq!(room(3, 1 << 40), LEAST_ROOM);
        assert_eq!(room(usize::MAX, u64::MAX), usize::MAX);
    }

    #[test]
    fn members_of_gzip_data_follow_one_another() {
        let packed = [gzip(&[1; 70_000]), gzip(&[]), gzip(&[2; 9])].concat();
        let unpacked = [vec![1; 70_000], vec![2; 9]].concat();
        assert_eq!(Packing::Gzip.unpack(&packed, 70_009).unwrap(), unpacked);
        assert_eq!(Packing::Gzip.unpack(&packed, 1 << 40).unwrap(), unpacked);
        assert!(Packing::Gzip.unpack(&packed, 70_008).is_err());
        assert!(Packing::Gzip.unpack(&[&packed[..], &[0]].concat(), 1 << 20).is_err());
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
