//! The file `info`: what a volume is, and its scales.

use serde::Deserialize;

use super::Flaw;
use super::sharding::Sharding;
use crate::volume::{Dtype, Size};

/// No position lies further from 0, and no length is larger, so that sums of some of them never overflow.
const FARTHEST: u64 = 1 << 48;

/// The largest `info` that is read, in bytes.
pub(super) const MOST_BYTES: u64 = 16 << 20;

/// A volume.
#[derive(Debug)]
pub(super) struct Info {
    pub dtype: Dtype,
    pub channels: u64,
    /// By level, 0 the finest.
    pub scales: Vec<Scale>,
}

/// One level of detail. Voxels are counted at that level.
#[derive(Debug)]
pub(super) struct Scale {
    /// The path of the chunks' folder from the volume's, which may begin with `..`; empty for the volume's own.
    pub key: String,
    pub size: Size,
    /// The position `(x, y, z)` of the first voxel, which is that of the first chunk too.
    pub origin: (i64, i64, i64),
    /// Those at the far sides are cut at the volume's end.
    pub chunk: Size,
    /// What we do not read is known by its name.
    pub encoding: Result<Encoding, String>,
    pub sharding: Option<Sharding>,
}

/// How the voxels of a chunk are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Raw,
    Jpeg,
    Png,
    /// In blocks of this size.
    Segmentation(Size),
}

impl Encoding {
    /// As `info` calls it.
    pub fn name(self) -> &'static str {
        match self {
            Encoding::Raw => "raw",
            Encoding::Jpeg => "jpeg",
            Encoding::Png => "png",
            Encoding::Segmentation(_) => "compressed_segmentation",
        }
    }
}

/// Why there is no volume.
#[derive(Debug)]
pub(super) enum Refusal {
    Damaged(Flaw),
    Unsupported(String),
}

impl<T: Into<Flaw>> From<T> for Refusal {
    fn from(flaw: T) -> Self {
        Refusal::Damaged(flaw.into())
    }
}

#[derive(Deserialize)]
struct Written {
    data_type: String,
    num_channels: u64,
    scales: Vec<WrittenScale>,
}

#[derive(Deserialize)]
struct WrittenScale {
    key: String,
    size: [u64; 3],
    #[serde(default)]
    voxel_offset: [i64; 3],
    chunk_sizes: Vec<[u64; 3]>,
    encoding: String,
    compressed_segmentation_block_size: Option<[u64; 3]>,
    sharding: Option<Sharding>,
}

impl Info {
    pub fn parse(text: &[u8]) -> Result<Self, Refusal> {
        let known = ["neuroglancer_multiscale_volume", "neuroglancer_legacy_multiscale_volume"];
        let value: serde_json::Value = serde_json::from_slice(text)?;
        if let Some(kind) = value["@type"].as_str().filter(|kind| !known.contains(kind)) {
            return Err(Refusal::Unsupported(format!("`@type` `{kind}` in its `info`")));
        }
        let Written { data_type, num_channels, scales } = serde_json::from_value(value)?;
        let dtype = data_type.parse().map_err(|_| Refusal::Unsupported(format!("voxels of `{data_type}`")))?;
        if scales.is_empty() || !(1..=u64::from(u16::MAX)).contains(&num_channels) {
            return Err("it has no scales or no channels".into());
        }
        let scales = scales.into_iter().map(|scale| Scale::new(scale, dtype)).collect::<Result<_, _>>()?;
        Ok(Info { dtype, channels: num_channels, scales })
    }
}

impl Scale {
    fn new(written: WrittenScale, dtype: Dtype) -> Result<Self, Refusal> {
        let WrittenScale { key, voxel_offset: [x, y, z], sharding, .. } = written;
        let key =
            folder(&key).ok_or_else(|| Refusal::Unsupported(format!("a scale at `{key}`, outside of its folder")))?;
        let wrong = |what: &str| Refusal::from(format!("its scale `{key}` has {what}"));
        let size = length(written.size).ok_or_else(|| wrong("a `size` that is none"))?;
        let chunk = written.chunk_sizes.first().copied().and_then(length);
        let chunk = chunk.ok_or_else(|| wrong("no `chunk_sizes`"))?;
        if [x, y, z].iter().any(|at| at.unsigned_abs() > FARTHEST) {
            return Err(wrong("a `voxel_offset` that is too far"));
        }
        let encoding = match written.encoding.as_str() {
            "raw" => Ok(Encoding::Raw),
            "jpeg" if dtype == Dtype::Uint8 => Ok(Encoding::Jpeg),
            "png" if matches!(dtype, Dtype::Uint8 | Dtype::Uint16) => Ok(Encoding::Png),
            "compressed_segmentation" if matches!(dtype, Dtype::Uint32 | Dtype::Uint64) => {
                let block = written.compressed_segmentation_block_size.and_then(length);
                Ok(Encoding::Segmentation(block.ok_or_else(|| wrong("no `compressed_segmentation_block_size`"))?))
            }
            "jpeg" | "png" | "compressed_segmentation" => {
                return Err(wrong(&format!("{} of {dtype}", written.encoding)));
            }
            other => Err(other.to_owned()),
        };
        if let Some(sharding) = &sharding {
            sharding.check()?;
        }
        let chunk = Size::new(chunk.x.min(size.x), chunk.y.min(size.y), chunk.z.min(size.z));
        Ok(Scale { key, size, origin: (x, y, z), chunk, encoding, sharding })
    }
}

/// A relative path without detours. One from the root, or a URL, would lead away from where the volume was said to be.
fn folder(key: &str) -> Option<String> {
    if key.starts_with('/') || key.contains("://") || key.contains('\\') {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in key.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => _ = parts.pop(),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn length([x, y, z]: [u64; 3]) -> Option<Size> {
    let is_length = |length: u64| (1..=FARTHEST).contains(&length);
    (is_length(x) && is_length(y) && is_length(z)).then_some(Size::new(x, y, z))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_relative_paths() {
        let cases = [
            ("4_4_40", Some("4_4_40")),
            ("./a//b/", Some("a/b")),
            ("a/../b", Some("b")),
            ("../../other/./4_4_40", Some("../../other/4_4_40")),
            ("a/../../b", Some("../b")),
            ("", Some("")),
            (".", Some("")),
            ("/etc", None),
            ("gs://bucket/a", None),
            ("a\\b", None),
        ];
        for (key, expected) in cases {
            assert_eq!(folder(key).as_deref(), expected, "{key}");
        }
    }
}
