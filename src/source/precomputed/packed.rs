//! Unpacking with gzip, up to a bound.

use std::borrow::Cow;
use std::io::{Cursor, Read};

use flate2::read::MultiGzDecoder;

use super::Flaw;

/// How gzip data begins (RFC 1952, 2.3.1).
const MAGIC: [u8; 3] = [0x1f, 0x8b, 8];

pub(super) fn looks_packed(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC)
}

/// What gzip data unpacks to.
///
/// # Errors
/// Damaged data, and more than `most_bytes`, of which no more are unpacked.
pub(super) fn unpacked(bytes: &[u8], most_bytes: u64) -> Result<Vec<u8>, Flaw> {
    let mut unpacked = Vec::new();
    MultiGzDecoder::new(Cursor::new(bytes)).take(most_bytes.saturating_add(1)).read_to_end(&mut unpacked)?;
    if unpacked.len() as u64 > most_bytes {
        return Err(format!("it unpacks to more than {most_bytes} bytes").into());
    }
    Ok(unpacked)
}

/// The same where the data is packed, else the data.
pub(super) fn maybe_unpacked(bytes: &[u8], is_packed: bool, most_bytes: u64) -> Result<Cow<'_, [u8]>, Flaw> {
    if is_packed { unpacked(bytes, most_bytes).map(Cow::Owned) } else { Ok(Cow::Borrowed(bytes)) }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn data_is_unpacked_up_to_the_bound() {
        let mut packer = GzEncoder::new(Vec::new(), Compression::default());
        packer.write_all(&[7; 100_000]).unwrap();
        let packed = packer.finish().unwrap();
        assert!(looks_packed(&packed));
        assert_eq!(unpacked(&packed, 100_000).unwrap(), [7; 100_000]);
        assert_eq!(unpacked(&packed, 99_999).unwrap_err().to_string(), "it unpacks to more than 99999 bytes");
        assert!(unpacked(&packed[..packed.len() - 9], 100_000).is_err());
        assert_eq!(*maybe_unpacked(b"as it is", false, 0).unwrap(), *b"as it is");
    }
}
