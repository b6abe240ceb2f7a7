//! Blosc-1 frames: how cuboids and cutouts go over the wire.
//!
//! A frame is a 16-byte header and compressed blocks. The header names the codec, the shuffle and the sizes, so a reader
//! needs no settings; ours are chosen for the Boss's data in [`BloscSettings::default`]. Blosc-2 frames are refused.
//!
//! Specification: <https://github.com/Blosc/c-blosc/blob/main/README_CHUNK_FORMAT.rst>.

use std::ffi::CStr;

use super::{CodecError, Feature, blosc_ffi, memory};
use crate::volume::Dtype;

/// The largest buffer that one frame can hold (`BLOSC_MAX_BUFFERSIZE`).
pub const BLOSC_MAX_BYTES: u64 = blosc_src::BLOSC_MAX_BUFFERSIZE as u64;

/// The first byte of every Blosc-1 frame (`BLOSC_VERSION_FORMAT`).
const VERSION: u8 = 2;

const FORMAT: &str = "blosc";

/// How frames are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BloscSettings {
    pub codec: BloscCodec,
    /// 0 (store) to 9 (smallest).
    pub level: u8,
    pub shuffle: Shuffle,
}

impl Default for BloscSettings {
    /// zstd at level 1: smaller than the Python client's blosclz 9 on images (0.87 to 0.90 of its size) and on labels (0.06 to
    /// 0.08), at 1 GB/s and more on one core.
    fn default() -> Self {
        BloscSettings::of(BloscCodec::Zstd)
    }
}

impl BloscSettings {
    /// What a codec is used with when nothing else is said.
    pub fn of(codec: BloscCodec) -> Self {
        let level = match codec {
            BloscCodec::Zstd => 1,
            _ => 5,
        };
        BloscSettings { codec, level, shuffle: Shuffle::Suited }
    }
}

/// Text that is no [`BloscSettings`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadBlosc {
    #[error("`{0}` is no codec; it is `zstd`, `lz4`, `blosclz`, `lz4hc` or `zlib`")]
    Codec(String),
    #[error("`{0}` is no level from 0 to 9")]
    Level(String),
    #[error("`{0}` is no shuffle; it is `none`, `bytes` or `bits`")]
    Shuffle(String),
    #[error("a codec is written as CODEC, CODEC:LEVEL or CODEC:LEVEL:SHUFFLE")]
    Parts,
}

/// `CODEC[:LEVEL[:SHUFFLE]]`, such as `zstd`, `lz4:5`, `zstd:3:bytes`.
impl std::str::FromStr for BloscSettings {
    type Err = BadBlosc;

    fn from_str(text: &str) -> Result<Self, BadBlosc> {
        let mut parts = text.split(':');
        let name = parts.next().unwrap_or_default();
        let codec = BloscCodec::ALL.into_iter().find(|codec| codec.name().to_bytes() == name.as_bytes());
        let mut settings = BloscSettings::of(codec.ok_or_else(|| BadBlosc::Codec(name.to_owned()))?);
        if let Some(level) = parts.next() {
            let number = level.parse().ok().filter(|level| *level <= 9);
            settings.level = number.ok_or_else(|| BadBlosc::Level(level.to_owned()))?;
        }
        if let Some(shuffle) = parts.next() {
            settings.shuffle = match shuffle {
                "none" => Shuffle::None,
                "bytes" => Shuffle::Bytes,
                "bits" => Shuffle::Bits,
                _ => return Err(BadBlosc::Shuffle(shuffle.to_owned())),
            };
        }
        if parts.next().is_some() { Err(BadBlosc::Parts) } else { Ok(settings) }
    }
}

/// The compressor inside a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BloscCodec {
    BloscLz,
    Lz4,
    Lz4Hc,
    Zlib,
    Zstd,
}

impl BloscCodec {
    pub const ALL: [BloscCodec; 5] =
        [BloscCodec::BloscLz, BloscCodec::Lz4, BloscCodec::Lz4Hc, BloscCodec::Zlib, BloscCodec::Zstd];

    fn name(self) -> &'static CStr {
        match self {
            BloscCodec::BloscLz => c"blosclz",
            BloscCodec::Lz4 => c"lz4",
            BloscCodec::Lz4Hc => c"lz4hc",
            BloscCodec::Zlib => c"zlib",
            BloscCodec::Zstd => c"zstd",
        }
    }
}

/// How bytes are reordered before compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shuffle {
    /// As suits the voxel type: [`Shuffle::Bytes`] for 16 bits, whose high bytes differ little from each other in images, and
    /// none for 8 bits and for labels, whose voxels repeat as a whole.
    Suited,
    None,
    Bytes,
    Bits,
}

impl Shuffle {
    /// The number that Blosc has for it.
    fn number(self, dtype: Dtype) -> u8 {
        match self {
            Shuffle::Suited if dtype.size_bytes() == 2 => 1,
            Shuffle::Suited | Shuffle::None => 0,
            Shuffle::Bytes => 1,
            Shuffle::Bits => 2,
        }
    }
}

/// Makes one frame of little-endian voxels.
///
/// # Errors
/// As [`compress_into`].
pub fn compress(voxels: &[u8], dtype: Dtype, settings: &BloscSettings) -> Result<Vec<u8>, CodecError> {
    let mut frame = vec![0; frame_bytes(voxels.len())];
    let len = compress_into(voxels, dtype, settings, &mut frame)?;
    frame.truncate(len);
    frame.shrink_to_fit();
    Ok(frame)
}

/// The most bytes that a frame of so many bytes of voxels may have.
pub fn frame_bytes(voxel_bytes: usize) -> usize {
    voxel_bytes.saturating_add(blosc_ffi::MAX_OVERHEAD)
}

/// Makes one frame of little-endian voxels at the beginning of `frame`, which has [`frame_bytes`], and gives its length.
///
/// # Errors
/// [`CodecError::LimitsExceeded`] above [`BLOSC_MAX_BYTES`]; [`CodecError::NotSupported`] when the library refuses the
/// settings, as it does levels above 9.
pub fn compress_into(
    voxels: &[u8],
    dtype: Dtype,
    settings: &BloscSettings,
    frame: &mut [u8],
) -> Result<usize, CodecError> {
    let (needed_bytes, limit_bytes) = (voxels.len() as u64, BLOSC_MAX_BYTES);
    if needed_bytes > limit_bytes {
        return Err(CodecError::LimitsExceeded { format: FORMAT, needed_bytes, limit_bytes });
    }
    let BloscSettings { codec, level, shuffle } = *settings;
    let refused = || CodecError::unsupported(FORMAT, Feature::Other(format!("{settings:?}")));
    if level > 9 {
        return Err(refused());
    }
    let how = (codec.name(), level, shuffle.number(dtype));
    blosc_ffi::compress(voxels, dtype.size_bytes(), how, frame).ok_or_else(refused)
}

/// The number of bytes that a frame holds, from its header.
///
/// # Errors
/// [`CodecError::Damaged`] when this is no Blosc-1 frame, or not all of one.
pub fn decompressed_bytes(frame: &[u8]) -> Result<u64, CodecError> {
    match frame.first() {
        None => Err(CodecError::damaged(FORMAT, "there are no bytes")),
        Some(&VERSION) => match blosc_ffi::validate(frame) {
            Some(bytes) => Ok(bytes as u64),
            None => Err(CodecError::damaged(FORMAT, "the frame's length is not what its header says")),
        },
        Some(_) => Err(CodecError::damaged(FORMAT, "this is no Blosc-1 frame")),
    }
}

/// The bytes that a frame holds, whatever codec, shuffle and type size it was made with.
///
/// # Errors
/// [`CodecError::Damaged`], or [`CodecError::LimitsExceeded`] when the header tells of more than `limit_bytes`; nothing is
/// taken from memory before.
pub fn decompress(frame: &[u8], limit_bytes: u64) -> Result<Vec<u8>, CodecError> {
    let bytes = decompressed_bytes(frame)?;
    let mut data = memory::zeros(FORMAT, bytes, limit_bytes)?;
    if blosc_ffi::decompress(frame, &mut data) || data.is_empty() {
        Ok(data)
    } else {
        Err(CodecError::damaged(FORMAT, "its blocks cannot be decompressed"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Voxel `n` is `7·n`, of any type.
    fn counted(dtype: Dtype, voxels: u64) -> Vec<u8> {
        (0..voxels).flat_map(|n| (7 * n).to_le_bytes().into_iter().take(dtype.size_bytes())).collect()
    }

    #[test]
    fn settings_are_read_as_people_write_them() {
        let settings = |codec, level, shuffle| Ok(BloscSettings { codec, level, shuffle });
        for (text, expected) in [
            ("zstd", Ok(BloscSettings::default())),
            ("lz4", settings(BloscCodec::Lz4, 5, Shuffle::Suited)),
            ("blosclz:9", settings(BloscCodec::BloscLz, 9, Shuffle::Suited)),
            ("zstd:3:bytes", settings(BloscCodec::Zstd, 3, Shuffle::Bytes)),
            ("gzip", Err(BadBlosc::Codec("gzip".to_owned()))),
            ("zstd:10", Err(BadBlosc::Level("10".to_owned()))),
            ("zstd:1:byte", Err(BadBlosc::Shuffle("byte".to_owned()))),
            ("zstd:1:bits:", Err(BadBlosc::Parts)),
        ] {
            assert_eq!(text.parse::<BloscSettings>(), expected, "{text}");
        }
    }

    #[test]
    fn every_codec_and_shuffle_gives_back_what_went_in() {
        for dtype in [Dtype::Uint8, Dtype::Uint16, Dtype::Uint64] {
            for codec in BloscCodec::ALL {
                for shuffle in [Shuffle::Suited, Shuffle::None, Shuffle::Bytes, Shuffle::Bits] {
                    let voxels = counted(dtype, 4099);
                    let frame = compress(&voxels, dtype, &BloscSettings { codec, level: 3, shuffle }).unwrap();
                    assert!(
                        decompress(&frame, voxels.len() as u64).unwrap() == voxels,
                        "{dtype} {codec:?} {shuffle:?}"
                    );
                }
            }
        }
    }

    /// Frames made by python-blosc; `tests/foreign/make_blosc.py` says how.
    #[test]
    fn frames_of_python_blosc_are_read() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/blosc");
        let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
        for dtype in [Dtype::Uint8, Dtype::Uint16, Dtype::Uint64] {
            let item = dtype.size_bytes();
            let values = (0..999u64).map(|n| 7 * n + n / 61 * 131);
            let expected: Vec<u8> = values.flat_map(|value| value.to_le_bytes().into_iter().take(item)).collect();
            for codec in ["blosclz", "lz4", "lz4hc", "zlib", "zstd"] {
                for (shuffle, typesize) in
                    ["none", "bytes", "bits"].into_iter().flat_map(|s| [(s, item), (s, item * 8)])
                {
                    let name = format!("{codec}_{shuffle}_{dtype}_{typesize}.blosc");
                    assert!(decompress(&read(&name), 1 << 20).unwrap() == expected, "{name}");
                }
            }
        }
        assert_eq!(decompress(&read("stored.blosc"), 1 << 20).unwrap(), read("stored.raw"));
    }

    #[test]
    fn nothing_is_a_frame_too() {
        let frame = compress(&[], Dtype::Uint8, &BloscSettings::default()).unwrap();
        assert!(decompress(&frame, 0).unwrap().is_empty());
    }

    #[test]
    fn a_frame_larger_than_the_limit_is_refused() {
        let frame = compress(&counted(Dtype::Uint8, 1000), Dtype::Uint8, &BloscSettings::default()).unwrap();
        assert!(matches!(decompress(&frame, 999), Err(CodecError::LimitsExceeded { needed_bytes: 1000, .. })));
    }

    #[test]
    fn a_cut_frame_is_damaged() {
        let frame = compress(&counted(Dtype::Uint16, 3000), Dtype::Uint16, &BloscSettings::default()).unwrap();
        for len in 0..frame.len() {
            assert!(matches!(decompress(&frame[..len], u64::MAX), Err(CodecError::Damaged { .. })), "{len} bytes");
        }
    }

    #[test]
    fn flipped_bits_never_panic_nor_take_more_than_the_limit() {
        let voxels = counted(Dtype::Uint64, 2000);
        let frame = compress(&voxels, Dtype::Uint64, &BloscSettings::default()).unwrap();
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..2000 {
            let mut bad = frame.clone();
            bad[random.usize(..frame.len())] ^= 1 << random.u8(..8);
            if let Ok(data) = decompress(&bad, voxels.len() as u64) {
                assert!(data.len() <= voxels.len());
            }
        }
    }

    #[test]
    fn a_level_above_9_is_refused() {
        let settings = BloscSettings { level: 10, ..BloscSettings::default() };
        assert!(matches!(compress(&[1, 2], Dtype::Uint8, &settings), Err(CodecError::NotSupported { .. })));
    }
}
