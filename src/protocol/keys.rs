//! Keys of tiles, chunks and cuboids: fields joined by `&`, led by the MD5 of the rest.
//!
//! Tile and chunk keys as in ndingest and the Python client's `BossBackend.encode_*`, object keys as in spdb's
//! `AWSObjectStore.generate_object_key`. Fields are decimal integers; ids, never names.

use std::fmt;
use std::str::FromStr;

use md5::{Digest, Md5};

use super::ProjectIds;
use crate::volume::{CuboidIndex, Index};

/// The key of one tile: `md5&collection&experiment&channel&resolution&x&y&z&t`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TileKey {
    pub ids: ProjectIds,
    pub resolution: u64,
    pub index: Index,
}

/// The key of one chunk: `md5&num_tiles&collection&experiment&channel&resolution&x&y&z&t`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChunkKey {
    /// Tiles of the chunk along z, at most 16; 1 in a volumetric job.
    pub num_tiles: u64,
    pub ids: ProjectIds,
    pub resolution: u64,
    pub index: Index,
}

/// The text is not a key of that kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {kind} key, which has {parts} fields joined by `&`")]
pub struct KeyError {
    pub kind: &'static str,
    pub parts: usize,
    pub text: String,
}

/// The key of a cuboid in the ingest bucket: `md5&collection&experiment&channel&resolution&t&morton`.
///
/// The store's own objects carry `&0`, the version, behind it, which the hash does not cover.
pub fn object_key(ids: ProjectIds, resolution: u64, t: i64, cuboid: CuboidIndex) -> String {
    with_hash(object_fields(ids, resolution, t, cuboid))
}

/// The key of a cuboid of the isotropic series, which exists beside the plain one above a channel's isotropic level.
pub fn isotropic_object_key(ids: ProjectIds, resolution: u64, t: i64, cuboid: CuboidIndex) -> String {
    with_hash(format!("ISO&{}", object_fields(ids, resolution, t, cuboid)))
}

fn object_fields(ids: ProjectIds, resolution: u64, t: i64, cuboid: CuboidIndex) -> String {
    let ProjectIds { collection, experiment, channel } = ids;
    format!("{collection}&{experiment}&{channel}&{resolution}&{t}&{}", cuboid.morton())
}

impl fmt::Display for TileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&with_hash(fields(self.ids, self.resolution, self.index)))
    }
}

impl fmt::Display for ChunkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = fields(self.ids, self.resolution, self.index);
        f.write_str(&with_hash(format!("{}&{fields}", self.num_tiles)))
    }
}

impl FromStr for TileKey {
    type Err = KeyError;

    /// Reads the fields. The hash is not looked at, as in every program of the Boss.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let parse = || {
            let (ids, resolution, index) = parse_fields(text.split_once('&')?.1)?;
            Some(TileKey { ids, resolution, index })
        };
        parse().ok_or_else(|| KeyError { kind: "tile", parts: 9, text: text.to_owned() })
    }
}

impl FromStr for ChunkKey {
    type Err = KeyError;

    /// Reads the fields. The hash is not looked at, as in every program of the Boss.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let parse = || {
            let (num_tiles, rest) = text.split_once('&')?.1.split_once('&')?;
            let (ids, resolution, index) = parse_fields(rest)?;
            Some(ChunkKey { num_tiles: num_tiles.parse().ok()?, ids, resolution, index })
        };
        parse().ok_or_else(|| KeyError { kind: "chunk", parts: 10, text: text.to_owned() })
    }
}

fn fields(ids: ProjectIds, resolution: u64, index: Index) -> String {
    let ProjectIds { collection, experiment, channel } = ids;
    let Index { x, y, z, t } = index;
    format!("{collection}&{experiment}&{channel}&{resolution}&{x}&{y}&{z}&{t}")
}

fn parse_fields(text: &str) -> Option<(ProjectIds, u64, Index)> {
    let fields: Vec<i64> = text.split('&').map(str::parse).collect::<Result<_, _>>().ok()?;
    let [collection, experiment, channel, resolution, x, y, z, t] = fields.try_into().ok()?;
    let unsigned = |value: i64| u64::try_from(value).ok();
    let ids = ProjectIds::new(unsigned(collection)?, unsigned(experiment)?, unsigned(channel)?);
    Some((ids, unsigned(resolution)?, Index::new(x, y, z, t)))
}

fn with_hash(fields: String) -> String {
    let mut key = String::with_capacity(33 + fields.len());
    for byte in Md5::digest(&fields) {
        key.push(char::from(b"0123456789abcdef"[usize::from(byte >> 4)]));
        key.push(char::from(b"0123456789abcdef"[usize::from(byte & 15)]));
    }
    key.push('&');
    key.push_str(&fields);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_parse_back() {
        let ids = ProjectIds::new(4, 5, 6);
        let tile = TileKey { ids, resolution: 2, index: Index::new(12, 9, 1024, 0) };
        assert_eq!(tile.to_string(), "a475faa8377a7e751d3100bc67cc11e5&4&5&6&2&12&9&1024&0");
        assert_eq!(tile.to_string().parse(), Ok(tile));
        let chunk = ChunkKey { num_tiles: 3, ids, resolution: 1, index: Index::new(2, 0, 2, 5) };
        assert_eq!(chunk.to_string(), "fc5cdb73b9a5f34a29e63fca78f1be2f&3&4&5&6&1&2&0&2&5");
        assert_eq!(chunk.to_string().parse(), Ok(chunk));
    }

    #[test]
    fn other_texts_are_no_keys() {
        for text in ["", "&", "a&1&2&3&0&1&2&3", "a&1&2&3&0&1&2&3&4&5", "a&1&2&3&0&1&x&3&4", "a&-1&2&3&0&1&2&3&4"] {
            assert!(text.parse::<TileKey>().is_err(), "{text}");
        }
        let error = "nonsense".parse::<ChunkKey>().unwrap_err();
        assert_eq!(error.to_string(), "`nonsense` is not a chunk key, which has 10 fields joined by `&`");
    }
}
