//! Shards: files with many chunks each, and an index in two steps.
//!
//! **Specification**: <https://neuroglancer-docs.web.app/datasource/precomputed/sharded.html>,
//! `neuroglancer_uint64_sharded_v1`. A chunk's number is the compressed Morton code of its position in the grid; the low bits
//! of its hash name the minishard, the next ones the shard. A shard begins with the places of its minishards' indexes, which
//! hold number, place and length of each chunk. Places are counted from the end of that first index.

use std::collections::HashMap;
use std::ops::Range;

use serde::Deserialize;

use super::Flaw;
use super::info::Refusal;
use crate::source::packing::{Packing, unpacked};
use crate::volume::Size;

/// Bytes of an entry of the first index: where the minishard's index begins and ends.
pub(super) const ENTRY: u64 = 16;

/// Bytes of an entry of a minishard's index.
const CHUNK_ENTRY: usize = 24;

/// The largest index of a minishard that is read, in bytes.
pub(super) const MOST_INDEX_BYTES: u64 = 64 << 20;

/// The name of what is not packed.
const RAW: &str = "raw";

/// How a scale is sharded.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Sharding {
    #[serde(rename = "@type")]
    kind: String,
    preshift_bits: u32,
    hash: String,
    minishard_bits: u32,
    shard_bits: u32,
    minishard_index_encoding: Option<String>,
    data_encoding: Option<String>,
}

/// Where the index of a minishard is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Minishard {
    pub shard: u64,
    pub number: u64,
}

/// The bytes of each chunk in its shard's file, by number.
pub(super) type Index = HashMap<u64, Range<u64>>;

impl Sharding {
    pub fn check(&self) -> Result<(), Refusal> {
        if self.kind != "neuroglancer_uint64_sharded_v1" {
            return Err(Refusal::Unsupported(format!("`{}` shards", self.kind)));
        }
        if !["identity", "murmurhash3_x86_128"].contains(&self.hash.as_str()) {
            return Err(Refusal::Unsupported(format!("shards by `{}`", self.hash)));
        }
        for encoding in [&self.minishard_index_encoding, &self.data_encoding].into_iter().flatten() {
            if encoding != RAW && Packing::from_name(encoding).is_none() {
                return Err(Refusal::Unsupported(format!("shards packed as `{encoding}`")));
            }
        }
        let bits = [self.preshift_bits, self.minishard_bits, self.shard_bits];
        if bits.iter().any(|bits| *bits > 64) || self.minishard_bits + self.shard_bits > 64 || self.minishard_bits > 32
        {
            return Err("its shards have more bits than numbers".into());
        }
        Ok(())
    }

    /// How the bytes of chunks are packed.
    pub fn data_packing(&self) -> Option<Packing> {
        packing(&self.data_encoding)
    }

    pub fn minishard(&self, chunk: u64) -> Minishard {
        let shifted = chunk.checked_shr(self.preshift_bits).unwrap_or(0);
        let hash = if self.hash == "identity" { shifted } else { murmur(shifted) };
        let low = |value: u64, bits: u32| value & 1u64.checked_shl(bits).map_or(u64::MAX, |end| end - 1);
        let shard = low(hash.checked_shr(self.minishard_bits).unwrap_or(0), self.shard_bits);
        Minishard { shard, number: low(hash, self.minishard_bits) }
    }

    /// The name of a shard's file.
    pub fn file(&self, shard: u64) -> String {
        format!("{shard:0width$x}.shard", width = self.shard_bits.div_ceil(4) as usize)
    }

    /// Minishards of a shard.
    pub fn minishards(&self) -> u64 {
        1 << self.minishard_bits
    }

    /// The place of a minishard's index, out of entries of the first index of which it is the `nth`; empty where the minishard
    /// has no chunk.
    pub fn place(&self, entries: &[u8], nth: u64) -> Result<Range<u64>, Flaw> {
        let number = |at: u64| word(entries, at as usize).ok_or("its index is short");
        let (start, end) = (number(2 * nth)?, number(2 * nth + 1)?);
        self.after_first_index(start, end.checked_sub(start).ok_or("a minishard ends before it begins")?)
    }

    /// The index of a minishard, from its bytes.
    pub fn index(&self, bytes: &[u8]) -> Result<Index, Flaw> {
        let bytes = unpacked(bytes, packing(&self.minishard_index_encoding), MOST_INDEX_BYTES)?;
        let count = bytes.len() / CHUNK_ENTRY;
        if bytes.len() != count * CHUNK_ENTRY {
            return Err(format!("a minishard has an index of {} bytes", bytes.len()).into());
        }
        let (mut index, mut chunk, mut end) = (Index::with_capacity(count), 0u64, 0u64);
        for nth in 0..count {
            let row =
                |row: usize| word(&bytes, row * count + nth).expect("the index has three rows of `count` numbers");
            chunk = chunk.wrapping_add(row(0));
            let start = end.checked_add(row(1)).ok_or("a chunk begins past all places")?;
            let place = self.after_first_index(start, row(2))?;
            end = start.saturating_add(row(2));
            index.insert(chunk, place);
        }
        Ok(index)
    }

    fn after_first_index(&self, start: u64, length: u64) -> Result<Range<u64>, Flaw> {
        let first = (ENTRY << self.minishard_bits).checked_add(start);
        let range = first.and_then(|first| Some(first..first.checked_add(length)?));
        range.ok_or_else(|| "a place lies past all places".into())
    }
}

fn packing(encoding: &Option<String>) -> Option<Packing> {
    encoding.as_deref().and_then(Packing::from_name)
}

/// The number at an index of a sequence of little-endian numbers of 64 bits.
fn word(bytes: &[u8], index: usize) -> Option<u64> {
    let word = bytes.get(8 * index..8 * index + 8)?;
    Some(u64::from_le_bytes(word.try_into().expect("a word has eight bytes")))
}

/// The compressed Morton code of a chunk at `(x, y, z)` in a grid of `cells`: the bits of all axes in turn, the lowest first,
/// without those that the axis does not need. `None` when it needs more than 64 bits.
pub(super) fn morton(cells: Size, (x, y, z): (u64, u64, u64)) -> Option<u64> {
    let (mut code, mut place) = (0, 0);
    for bit in 0..u64::BITS {
        for (length, at) in [(cells.x, x), (cells.y, y), (cells.z, z)] {
            if 1 << bit < length {
                code |= (at >> bit & 1).checked_shl(place)?;
                place += 1;
            }
        }
    }
    (place <= u64::BITS).then_some(code)
}

/// The low 64 bits of MurmurHash3_x86_128 with seed 0 of the number's eight bytes (Austin Appleby, public domain,
/// <https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp>).
fn murmur(number: u64) -> u64 {
    const C: [u32; 3] = [0x239b_961b, 0xab0e_9789, 0x38b3_4ae5];
    const BYTES: u32 = 8;
    let (low, high) = (number as u32, (number >> 32) as u32);
    let mut h = [0; 4];
    h[1] ^= high.wrapping_mul(C[1]).rotate_left(16).wrapping_mul(C[2]);
    h[0] ^= low.wrapping_mul(C[0]).rotate_left(15).wrapping_mul(C[1]);
    h = mixed(h.map(|part: u32| part ^ BYTES)).map(finished);
    let [first, second, ..] = mixed(h);
    u64::from(second) << 32 | u64::from(first)
}

fn mixed([a, b, c, d]: [u32; 4]) -> [u32; 4] {
    let a = a.wrapping_add(b).wrapping_add(c).wrapping_add(d);
    [a, b.wrapping_add(a), c.wrapping_add(a), d.wrapping_add(a)]
}

fn finished(part: u32) -> u32 {
    let part = (part ^ part >> 16).wrapping_mul(0x85eb_ca6b);
    let part = (part ^ part >> 13).wrapping_mul(0xc2b2_ae35);
    part ^ part >> 16
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values are those of CloudVolume's `compressed_morton_code`.
    #[test]
    fn axes_that_need_fewer_bits_give_theirs_to_others() {
        let cells = Size::new(3, 2, 5);
        let cases = [((0, 0, 0), 0), ((1, 0, 0), 1), ((0, 1, 0), 2), ((0, 0, 1), 4), ((2, 1, 4), 42), ((2, 0, 3), 28)];
        for (at, code) in cases {
            assert_eq!(morton(cells, at), Some(code), "{at:?}");
        }
        let large = Size::new(1 << 30, 1 << 30, 1 << 30);
        assert_eq!(morton(large, (1 << 29, 0, 0)), None);
    }
}
