//! LZW strips and tiles of TIFF files.
//!
//! The tiff crate (0.11.3) takes the end of a sound LZW tile for damage when it reads it row by row, as it does at the right
//! edge of an image (<https://github.com/image-rs/image-tiff/issues/395>). So LZW data is unpacked here in one go, and what
//! follows, byte order and predictor, is undone here as well.
//!
//! Specification: TIFF 6.0, sections 13 and 14; Adobe Photoshop TIFF Technical Note 3 for the floating point predictor.

use weezl::BitOrder;
use weezl::decode::Configuration;

use super::samples::{packed_row_bytes, swap_bytes};
use super::tiff_page::FORMAT;
use super::{CodecError, memory};
use crate::volume::Size;

/// How the samples of a page's strips or tiles lie once they are unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LzwLayout {
    /// Samples in a stored row; tiles at the right edge have more than the image.
    pub chunk_width: u64,
    /// Samples side by side for each voxel.
    pub samples: usize,
    /// 1 none, 2 horizontal differences, 3 floating point.
    pub predictor: u16,
    pub is_inverted: bool,
    pub is_big_endian: bool,
}

impl LzwLayout {
    /// Decodes a strip or tile, of which the image has `size` voxels of samples of `bits` bits, into `target`.
    pub fn decode(
        &self,
        compressed: &[u8],
        bits: u8,
        size: Size,
        target: &mut [u8],
        limit_bytes: u64,
    ) -> Result<(), CodecError> {
        let samples = self.samples as u64;
        let stored_row = packed_row_bytes(self.chunk_width.saturating_mul(samples), bits);
        let row = packed_row_bytes(size.x.saturating_mul(samples), bits) as usize;
        if stored_row == row as u64 {
            unpack(compressed, target)?;
            target.chunks_exact_mut(row).for_each(|row| self.finish_row(row, bits));
            return Ok(());
        }
        let mut stored = memory::zeros(FORMAT, stored_row.saturating_mul(size.y), limit_bytes)?;
        unpack(compressed, &mut stored)?;
        for (target, stored) in target.chunks_exact_mut(row).zip(stored.chunks_exact_mut(stored_row as usize)) {
            self.finish_row(stored, bits);
            target.copy_from_slice(&stored[..row]);
        }
        Ok(())
    }

    /// Makes little-endian samples of a stored row.
    fn finish_row(&self, row: &mut [u8], bits: u8) {
        let item = usize::from(bits / 8).max(1);
        match self.predictor {
            3 => undo_floating_point(row, item, self.samples),
            predictor => {
                if self.is_big_endian {
                    swap_bytes(row, item);
                }
                if predictor == 2 {
                    undo_differences(row, item, self.samples);
                }
            }
        }
        if self.is_inverted {
            row.iter_mut().for_each(|byte| *byte = !*byte);
        }
    }
}

/// Fills `target` from LZW data. What comes behind it, the end code or none, does not matter: some writers forget it.
fn unpack(mut compressed: &[u8], target: &mut [u8]) -> Result<(), CodecError> {
    let mut decoder = Configuration::with_tiff_size_switch(BitOrder::Msb, 8).with_yield_on_full_buffer(true).build();
    let mut filled = 0;
    while filled < target.len() {
        let step = decoder.decode_bytes(compressed, &mut target[filled..]);
        compressed = &compressed[step.consumed_in..];
        filled += step.consumed_out;
        if filled == target.len() {
            break;
        }
        step.status.map_err(|error| CodecError::damaged(FORMAT, error))?;
        if step.consumed_in == 0 && step.consumed_out == 0 {
            return Err(CodecError::damaged(FORMAT, "the LZW data of a strip or tile is too short"));
        }
    }
    Ok(())
}

/// Each little-endian sample is the difference to the one before it of the same channel.
fn undo_differences(row: &mut [u8], item: usize, samples: usize) {
    macro_rules! add_up {
        ($type:ty) => {{
            if samples > 1 {
                let all = row.as_chunks_mut::<{ size_of::<$type>() }>().0;
                for n in samples..all.len() {
                    let sum = <$type>::from_le_bytes(all[n]).wrapping_add(<$type>::from_le_bytes(all[n - samples]));
                    all[n] = sum.to_le_bytes();
                }
                return;
            }
            let mut sum: $type = 0;
            for sample in row.as_chunks_mut::<{ size_of::<$type>() }>().0 {
                sum = sum.wrapping_add(<$type>::from_le_bytes(*sample));
                *sample = sum.to_le_bytes();
            }
        }};
    }
    match item {
        1 => add_up!(u8),
        2 => add_up!(u16),
        4 => add_up!(u32),
        8 => add_up!(u64),
        _ => unreachable!("samples have 1, 2, 4 or 8 bytes"),
    }
}

/// The row holds the highest bytes of all samples, then the next ones, whatever the file's byte order; each byte is the
/// difference to the one `samples` before it.
fn undo_floating_point(row: &mut [u8], item: usize, samples: usize) {
    undo_differences(row, 1, samples);
    let planes = row.to_vec();
    let width = row.len() / item;
    for (n, sample) in row.chunks_exact_mut(item).enumerate() {
        for (place, byte) in sample.iter_mut().rev().enumerate() {
            *byte = planes[place * width + n];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(samples: &[u8]) -> Vec<u8> {
        weezl::encode::Encoder::with_tiff_size_switch(BitOrder::Msb, 8).encode(samples).unwrap()
    }

    #[test]
    fn tiles_wider_than_the_image_are_cut() {
        let layout = LzwLayout { chunk_width: 4, samples: 1, predictor: 1, is_inverted: false, is_big_endian: false };
        let mut target = [0; 6];
        layout.decode(&packed(&[1, 2, 3, 9, 4, 5, 6, 9, 9, 9, 9, 9]), 8, Size::new(3, 2, 1), &mut target, 100).unwrap();
        assert_eq!(target, [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn differences_are_added_up_in_either_byte_order() {
        for (is_big_endian, stored) in [(false, [250, 0, 10, 0, 255, 255]), (true, [0, 250, 0, 10, 255, 255])] {
            let layout = LzwLayout { chunk_width: 3, samples: 1, predictor: 2, is_inverted: false, is_big_endian };
            let mut target = [0; 6];
            layout.decode(&packed(&stored), 16, Size::new(3, 1, 1), &mut target, 100).unwrap();
            assert_eq!(target, [250, 0, 4, 1, 3, 1]);
        }
    }

    #[test]
    fn floats_come_out_of_their_planes() {
        let samples = [1.5f32, -2.25];
        let planes: Vec<u8> = (0..4).flat_map(|place| samples.map(|sample| sample.to_be_bytes()[place])).collect();
        let mut stored = planes.clone();
        (1..8).for_each(|n| stored[n] = planes[n].wrapping_sub(planes[n - 1]));
        let layout = LzwLayout { chunk_width: 2, samples: 1, predictor: 3, is_inverted: false, is_big_endian: true };
        let mut target = [0; 8];
        layout.decode(&packed(&stored), 32, Size::new(2, 1, 1), &mut target, 100).unwrap();
        assert_eq!(target, [1.5f32.to_le_bytes(), (-2.25f32).to_le_bytes()].concat()[..]);
    }

    #[test]
    fn data_that_ends_early_is_damaged() {
        let data = packed(&(0..200).collect::<Vec<u8>>());
        for len in 0..data.len() - 3 {
            let mut target = [0; 200];
            assert!(unpack(&data[..len], &mut target).is_err(), "{len} bytes");
        }
        assert!(unpack(&data, &mut [0; 200]).is_ok());
    }
}
