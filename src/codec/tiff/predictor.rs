//! Undoes what was done to samples so that they pack better.
//!
//! Specification: TIFF 6.0, section 14; Adobe Photoshop TIFF Technical Note 3 for the floating point predictor.

/// Each little-endian sample is the difference to the one before it of the same channel.
pub(super) fn undo_differences(row: &mut [u8], item: usize, samples: usize) {
    macro_rules! add_up {
        ($type:ty) => {{
            let all = row.as_chunks_mut::<{ size_of::<$type>() }>().0;
            if samples > 1 {
                for n in samples..all.len() {
                    let sum = <$type>::from_le_bytes(all[n]).wrapping_add(<$type>::from_le_bytes(all[n - samples]));
                    all[n] = sum.to_le_bytes();
                }
                return;
            }
            let mut sum: $type = 0;
            for sample in all {
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
pub(super) fn undo_floating_point(row: &mut [u8], item: usize, samples: usize) {
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

    #[test]
    fn differences_are_added_up_by_channel() {
        let mut row = [250, 0, 10, 0, 255, 255];
        undo_differences(&mut row, 2, 1);
        assert_eq!(row, [250, 0, 4, 1, 3, 1]);
        let mut row = [1, 10, 1, 10, 255, 0];
        undo_differences(&mut row, 1, 2);
        assert_eq!(row, [1, 10, 2, 20, 1, 20]);
    }

    #[test]
    fn floats_come_out_of_their_planes() {
        let samples = [1.5f32, -2.25];
        let planes: Vec<u8> = (0..4).flat_map(|place| samples.map(|sample| sample.to_be_bytes()[place])).collect();
        let mut stored = planes.clone();
        (1..8).for_each(|n| stored[n] = planes[n].wrapping_sub(planes[n - 1]));
        undo_floating_point(&mut stored, 4, 1);
        assert_eq!(stored, [1.5f32.to_le_bytes(), (-2.25f32).to_le_bytes()].concat()[..]);
    }
}
