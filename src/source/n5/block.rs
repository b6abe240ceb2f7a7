//! From the bytes of one block to its values.
//!
//! A block begins with big-endian numbers: mode (16 bits; 0, or 1 for a number of values of its own), number of axes (16),
//! length of each axis (32), of mode 1 the number of values (32). Values are big-endian, packed as the dataset says.

use super::attributes::{Dataset, Packing};
use super::{Flaw, Refusal};
use crate::source::cells::block_size;
use crate::volume::{Block, Region, Size, Span};

/// The most bytes that a block reasonably has, packed, when it has so many bytes of values.
pub(super) fn most_bytes(values: u64) -> u64 {
    values.saturating_add(values / 4).saturating_add(1 << 16)
}

/// The values of a block, as many as the dataset's blocks have: what a smaller one lacks is 0, what a larger one has besides is
/// left out. None is larger than `limit_bytes`.
pub(super) fn decode(bytes: &[u8], dataset: &Dataset, limit_bytes: u64) -> Result<Block, Refusal> {
    let array = &dataset.array;
    let (lengths, packed) = header(bytes, array.chunk.len())?;
    let item = array.dtype.size_bytes();
    let needed = lengths.iter().fold(item as u64, |bytes, length| bytes.saturating_mul(*length));
    if needed > limit_bytes {
        return Err(Refusal::TooLarge(needed));
    }
    let mut values = dataset.packing.unpack(packed, needed)?;
    // A plain block may be longer, as those that are written over.
    if dataset.packing == Packing::Raw {
        values.truncate(needed as usize);
    }
    if values.len() as u64 != needed {
        return Err(format!("it holds {} bytes of values in place of {needed}", values.len()).into());
    }
    to_little_endian(&mut values, item);
    let found = Block::from_bytes(array.dtype, block_size(&lengths), values)?;
    Ok(if lengths == array.chunk { found } else { fitted(&found, &lengths, &array.chunk) })
}

/// The lengths of a block's axes, slowest first, and what comes behind its header.
fn header(bytes: &[u8], axes: usize) -> Result<(Vec<u64>, &[u8]), Flaw> {
    let short = "it ends inside its header";
    let (mode, rest) = bytes.split_first_chunk().ok_or(short)?;
    let (count, mut rest) = rest.split_first_chunk().ok_or(short)?;
    let mode = u16::from_be_bytes(*mode);
    if mode > 1 {
        return Err(format!("it holds no numbers: its mode is {mode}").into());
    }
    if usize::from(u16::from_be_bytes(*count)) != axes {
        return Err(format!("it has {} axes in place of {axes}", u16::from_be_bytes(*count)).into());
    }
    let mut next = || {
        let (number, after) = rest.split_first_chunk().ok_or(short)?;
        rest = after;
        Ok::<_, Flaw>(u64::from(u32::from_be_bytes(*number)))
    };
    let mut lengths = (0..axes).map(|_| next()).collect::<Result<Vec<u64>, _>>()?;
    lengths.reverse();
    if mode == 1 {
        let (values, all) = (next()?, lengths.iter().fold(1u64, |all, length| all.saturating_mul(*length)));
        if values != all {
            return Err(format!("it has {values} values in place of {all}").into());
        }
    }
    Ok((lengths, rest))
}

fn to_little_endian(values: &mut [u8], item: usize) {
    match item {
        1 => {}
        2 => values.as_chunks_mut::<2>().0.iter_mut().for_each(|value| value.reverse()),
        4 => values.as_chunks_mut::<4>().0.iter_mut().for_each(|value| value.reverse()),
        _ => values.as_chunks_mut::<8>().0.iter_mut().for_each(|value| value.reverse()),
    }
}

/// The block with axes of other lengths.
fn fitted(block: &Block, from: &[u64], to: &[u64]) -> Block {
    let mut fitted = Block::zeros(block.dtype(), block_size(to));
    let (size, planes) = (fitted.size(), planes(from, to));
    let part = Region::of_size(Size::new(block.size().x.min(size.x), block.size().y.min(size.y), 1));
    for (from, to) in planes {
        let plane = Region { z: Span::one(from), ..part };
        fitted.paste_part(block, &plane, (0, 0, to));
    }
    fitted
}

/// The planes of the last two axes that both have: the number of each among all, by the axes before.
fn planes(from: &[u64], to: &[u64]) -> Vec<(i64, i64)> {
    let outer = |lengths: &[u64]| lengths[..lengths.len().saturating_sub(2)].to_vec();
    let mut planes = vec![(0, 0)];
    for (from, to) in outer(from).into_iter().zip(outer(to)) {
        let next = |(a, b): &(i64, i64)| {
            let (a, b) = (a * from as i64, b * to as i64);
            (0..from.min(to) as i64).map(move |at| (a + at, b + at)).collect::<Vec<_>>()
        };
        planes = planes.iter().flat_map(next).collect();
    }
    planes
}

#[cfg(test)]
mod tests {
    use super::super::attributes::dataset;
    use super::*;
    use crate::volume::Dtype;

    fn bytes(mode: u16, lengths: &[u32], values: Option<u32>, data: &[u8]) -> Vec<u8> {
        let mut bytes = [mode.to_be_bytes(), (lengths.len() as u16).to_be_bytes()].concat();
        lengths.iter().chain(&values).for_each(|number| bytes.extend(number.to_be_bytes()));
        [&bytes, data].concat()
    }

    fn decoded(bytes: &[u8], chunk: &[u64]) -> Result<Vec<u8>, String> {
        let dataset = dataset(Dtype::Uint16, chunk, Packing::Raw);
        match decode(bytes, &dataset, 1000) {
            Ok(block) => Ok(block.as_bytes().to_vec()),
            Err(Refusal::Damaged(flaw)) => Err(flaw.to_string()),
            Err(Refusal::Unsupported(what)) => Err(what),
            Err(Refusal::TooLarge(bytes)) => Err(format!("{bytes} bytes")),
        }
    }

    #[test]
    fn blocks_of_any_size_come_to_that_of_the_dataset() {
        let data = [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6];
        assert_eq!(decoded(&bytes(0, &[3, 2], None, &data), &[2, 3]).unwrap(), [1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0]);
        assert_eq!(decoded(&bytes(1, &[3, 2], Some(6), &data), &[2, 3]).unwrap(), [1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0]);
        assert_eq!(decoded(&bytes(0, &[3, 2], None, &data), &[1, 4]).unwrap(), [1, 0, 2, 0, 3, 0, 0, 0]);
        assert_eq!(decoded(&bytes(0, &[3, 2], None, &data), &[3, 2]).unwrap(), [1, 0, 2, 0, 4, 0, 5, 0, 0, 0, 0, 0],);
        // Two planes of one row become one plane of two.
        assert_eq!(decoded(&bytes(0, &[3, 1, 2], None, &data), &[1, 2, 2]).unwrap(), [1, 0, 2, 0, 0, 0, 0, 0]);
        assert_eq!(
            decoded(&bytes(0, &[1, 1, 2, 3], None, &data), &[2, 3, 1, 1]).unwrap(),
            [1, 0, 2, 0, 0, 0, 3, 0, 4, 0, 0, 0],
        );
    }

    #[test]
    fn wrong_headers_are_told() {
        for (bytes, expected) in [
            (vec![0, 0, 0], "it ends inside its header"),
            (bytes(0, &[3], None, &[]), "it has 1 axes in place of 2"),
            (bytes(2, &[3, 2], None, &[]), "it holds no numbers: its mode is 2"),
            (bytes(0, &[3, 2], None, &[0; 11]), "it holds 11 bytes of values in place of 12"),
            (bytes(1, &[3, 2], Some(5), &[0; 10]), "it has 5 values in place of 6"),
            (bytes(0, &[u32::MAX, u32::MAX], None, &[]), "18446744073709551615 bytes"),
        ] {
            assert_eq!(decoded(&bytes, &[2, 3]).unwrap_err(), expected);
        }
    }
}
