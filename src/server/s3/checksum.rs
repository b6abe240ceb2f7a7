//! The digests that a client sends with an object, held against the bytes that arrived.

use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use sha2::Sha256;

use super::error::S3Error;
use super::put::PAYLOAD;

const CRC32C: &str = "x-amz-checksum-crc32c";
const CRC32: &str = "x-amz-checksum-crc32";
const MD5: &str = "content-md5";
/// Stands for the hash of a body that is not signed.
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// What the bytes have to give. Other digests than these four are not looked at.
#[derive(Debug, Default)]
pub struct Expected {
    crc32c: Option<[u8; 4]>,
    crc32: Option<[u8; 4]>,
    md5: Option<[u8; 16]>,
    /// Of the body that the signature covers, in hexadecimal; `None` when it covers none.
    sha256: Option<String>,
}

/// The digests of the bytes so far.
pub struct Running {
    md5: Option<Md5>,
    crc32c: Option<u32>,
    crc32: Option<crc32fast::Hasher>,
    sha256: Option<Sha256>,
}

impl Expected {
    pub fn read(headers: &HeaderMap) -> Result<Self, S3Error> {
        let payload = headers.get(PAYLOAD).and_then(|payload| payload.to_str().ok());
        Ok(Expected {
            crc32c: digest(headers, CRC32C)?,
            crc32: digest(headers, CRC32)?,
            md5: digest(headers, MD5)?,
            sha256: payload.filter(|payload| *payload != UNSIGNED).map(str::to_owned),
        })
    }

    /// Begins to compute what is expected.
    ///
    /// The MD5, dearer than all the rest of storing an object, is left out when a CRC was sent that proves the bytes.
    pub fn begin(&self) -> Running {
        Running {
            md5: (self.md5.is_some() || self.crc().is_none()).then(Md5::new),
            crc32c: self.crc32c.map(|_| 0),
            crc32: self.crc32.map(|_| Default::default()),
            sha256: self.sha256.as_ref().map(|_| Sha256::new()),
        }
    }

    /// The checksum headers that the reply repeats.
    pub fn echo(&self) -> impl Iterator<Item = (&'static str, String)> {
        let crc32c = self.crc32c.map(|sum| (CRC32C, STANDARD.encode(sum)));
        crc32c.into_iter().chain(self.crc32.map(|sum| (CRC32, STANDARD.encode(sum))))
    }

    /// The CRC that was sent.
    fn crc(&self) -> Option<[u8; 4]> {
        self.crc32c.or(self.crc32)
    }

    /// Compares; gives the object's ETag: its MD5 in hexadecimal, or, as of S3's encrypted buckets, something as long that
    /// follows from its bytes.
    pub fn check(&self, found: Running, size_bytes: u64) -> Result<String, S3Error> {
        let md5: Option<[u8; 16]> = found.md5.map(|hasher| hasher.finalize().into());
        let crc32 = found.crc32.map(|hasher| hasher.finalize().to_be_bytes());
        if found.crc32c.map(u32::to_be_bytes) != self.crc32c {
            return Err(S3Error::BadDigest { algorithm: "CRC32C" });
        }
        if crc32 != self.crc32 {
            return Err(S3Error::BadDigest { algorithm: "CRC32" });
        }
        if self.md5.is_some() && self.md5 != md5 {
            return Err(S3Error::BadDigest { algorithm: "Content-MD5" });
        }
        let sha256 = found.sha256.map(|hasher| hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
        if sha256 != self.sha256 {
            return Err(S3Error::PayloadMismatch);
        }
        Ok(match (md5, self.crc()) {
            (None, Some(crc)) => format!("{:08x}{size_bytes:024x}", u32::from_be_bytes(crc)),
            (md5, _) => md5.unwrap_or_default().iter().map(|byte| format!("{byte:02x}")).collect(),
        })
    }
}

impl Running {
    pub fn update(&mut self, bytes: &[u8]) {
        if let Some(hasher) = &mut self.md5 {
            hasher.update(bytes);
        }
        if let Some(sum) = &mut self.crc32c {
            *sum = crc32c::crc32c_append(*sum, bytes);
        }
        if let Some(hasher) = &mut self.crc32 {
            hasher.update(bytes);
        }
        if let Some(hasher) = &mut self.sha256 {
            hasher.update(bytes);
        }
    }
}

fn digest<const N: usize>(headers: &HeaderMap, header: &'static str) -> Result<Option<[u8; N]>, S3Error> {
    let Some(value) = headers.get(header) else { return Ok(None) };
    let bytes = STANDARD.decode(value).map_err(|_| S3Error::Header { header })?;
    Ok(Some(bytes.try_into().map_err(|_| S3Error::Header { header })?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA256: &str = "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225";

    /// The check values of the algorithms' catalogue entries for the text `123456789`.
    #[test]
    fn each_digest_is_compared() {
        let good = [(CRC32C, "4waSgw=="), (CRC32, "y/Q5Jg=="), (MD5, "JfnnlDI7RTiF9RgfG2JNCw=="), (PAYLOAD, SHA256)];
        for (header, value) in good {
            for (body, matches) in [("123456789", true), ("123456780", false)] {
                let headers = HeaderMap::from_iter([(header.parse().unwrap(), value.parse().unwrap())]);
                let expected = Expected::read(&headers).unwrap();
                let mut running = expected.begin();
                body.as_bytes().chunks(4).for_each(|part| running.update(part));
                assert_eq!(expected.check(running, 9).is_ok(), matches, "{header} of {body}");
            }
        }
    }

    #[test]
    fn a_digest_of_the_wrong_length_is_refused() {
        let headers = HeaderMap::from_iter([(CRC32.parse().unwrap(), "4waSg2==".parse().unwrap())]);
        assert!(Expected::read(&headers).is_err());
    }
}
