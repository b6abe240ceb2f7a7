//! The encoding `compressed_segmentation`: blocks of voxels, each with a table of its few labels and short numbers into it.
//!
//! **Specification**:
//! <https://neuroglancer-docs.web.app/datasource/precomputed/volume.html#compressed-segmentation-chunk-encoding>. The data
//! is a sequence of little-endian words of 32 bits, and all places count words: one for each channel, from the first word;
//! at that place the headers of its blocks, x fastest, from which tables and numbers are counted.

use super::Flaw;
use crate::volume::Size;

/// Bytes of a word.
const WORD: u64 = 4;

/// The most bytes that data of this size may have: every voxel of every block with a label of its own.
pub(super) fn most_bytes(size: Size, block: Size, channels: u64, item: usize) -> u64 {
    let each = block.voxels().saturating_mul(item as u64 + WORD).saturating_add(2 * WORD);
    cells(size, block).voxels().saturating_mul(each).saturating_add(WORD).saturating_mul(channels)
}

fn cells(size: Size, block: Size) -> Size {
    Size::new(size.x.div_ceil(block.x), size.y.div_ceil(block.y), size.z.div_ceil(block.z))
}

/// Writes the labels of `item` bytes, 4 or 8, to `voxels`, which has room for `size`, x fastest, channel by channel.
pub(super) fn decode(
    bytes: &[u8],
    (size, block): (Size, Size),
    channels: u64,
    item: usize,
    voxels: &mut [u8],
) -> Result<(), Flaw> {
    let words = Words(bytes);
    let plane = (size.voxels() as usize * item).max(1);
    for (channel, voxels) in (0..channels).zip(voxels.chunks_exact_mut(plane)) {
        let words = words.skip(words.at(channel)?.into())?;
        let cells = cells(size, block);
        for cell in 0..cells.voxels() {
            let at = (cell % cells.x * block.x, cell / cells.x % cells.y * block.y, cell / cells.x / cells.y * block.z);
            let decode = if item == 4 { decode_block::<4> } else { decode_block::<8> };
            decode(words, cell, block, at, size, voxels)?;
        }
    }
    Ok(())
}

/// The block with the number `cell`, whose first voxel is at `(x, y, z)` of the chunk, with labels of `ITEM` bytes. It may
/// reach past the chunk's end.
fn decode_block<const ITEM: usize>(
    words: Words,
    cell: u64,
    block: Size,
    (x, y, z): (u64, u64, u64),
    size: Size,
    voxels: &mut [u8],
) -> Result<(), Flaw> {
    let (first, numbers) = (words.at(2 * cell)?, words.at(2 * cell + 1)?);
    let (table, bits) = (words.skip(u64::from(first & 0x00ff_ffff))?, u64::from(first >> 24));
    if !matches!(bits, 0 | 1 | 2 | 4 | 8 | 16 | 32) {
        return Err(format!("it has numbers of {bits} bits").into());
    }
    let (table, _) = table.0.as_chunks::<ITEM>();
    let numbers = words.skip(if bits == 0 { 0 } else { numbers.into() })?;
    let width = (block.x.min(size.x - x)) as usize;
    for voxel_z in z..(z + block.z).min(size.z) {
        for voxel_y in y..(y + block.y).min(size.y) {
            let row = (x + size.x * (voxel_y + size.y * voxel_z)) as usize * ITEM;
            let (row, _) = voxels[row..row + width * ITEM].as_chunks_mut::<ITEM>();
            if bits == 0 {
                row.fill(*table.first().ok_or_else(too_short)?);
                continue;
            }
            let first = (block.x * ((voxel_y - y) + block.y * (voxel_z - z))).wrapping_mul(bits);
            look_up(numbers, first, bits as u32, table, row)?;
        }
    }
    Ok(())
}

/// Writes the labels that a row of numbers of so many bits, the first of them at the bit `first`, have in the table.
fn look_up<const ITEM: usize>(
    numbers: Words,
    first: u64,
    bits: u32,
    table: &[[u8; ITEM]],
    row: &mut [[u8; ITEM]],
) -> Result<(), Flaw> {
    let (words, _) = numbers.skip(first / 32)?.0.as_chunks::<4>();
    let (mask, mut at, mut words) = (u32::MAX >> (32 - bits), (first % 32) as u32, words.iter());
    let mut next = || words.next().map(|word| u32::from_le_bytes(*word)).ok_or_else(too_short);
    let mut word = next()?;
    for voxel in row {
        if at == 32 {
            (word, at) = (next()?, 0);
        }
        *voxel = *table.get((word >> at & mask) as usize).ok_or_else(too_short)?;
        at += bits;
    }
    Ok(())
}

/// The words from some place on.
#[derive(Clone, Copy)]
struct Words<'a>(&'a [u8]);

impl<'a> Words<'a> {
    fn skip(self, first: u64) -> Result<Words<'a>, Flaw> {
        let from = usize::try_from(first.saturating_mul(WORD)).ok();
        from.and_then(|from| self.0.get(from..)).map(Words).ok_or_else(too_short)
    }

    fn at(self, index: u64) -> Result<u32, Flaw> {
        let word = self.skip(index)?.0.first_chunk().ok_or_else(too_short)?;
        Ok(u32::from_le_bytes(*word))
    }
}

fn too_short() -> Flaw {
    "it ends before its labels do".into()
}
