//! Samples as they lie in image files: bytes in the other order, several in one byte.

/// Turns the bytes of each sample around.
pub(crate) fn swap_bytes(samples: &mut [u8], sample_bytes: usize) {
    match sample_bytes {
        1 => {}
        2 => samples.as_chunks_mut::<2>().0.iter_mut().for_each(|sample| sample.reverse()),
        4 => samples.as_chunks_mut::<4>().0.iter_mut().for_each(|sample| sample.reverse()),
        8 => samples.as_chunks_mut::<8>().0.iter_mut().for_each(|sample| sample.reverse()),
        _ => unreachable!("voxels have 1, 2, 4 or 8 bytes"),
    }
}

/// Makes samples of the machine's byte order little-endian.
pub(super) fn native_to_little(samples: &mut [u8], sample_bytes: usize) {
    if cfg!(target_endian = "big") {
        swap_bytes(samples, sample_bytes);
    }
}

/// Spreads one row of `bits`-bit samples (1, 2 or 4, first sample in the high bits) over one byte each, full scale: the
/// largest sample becomes 255.
///
/// `target` is as long as the row has samples; `packed` may end with a few unused bits.
pub(super) fn expand_row(packed: &[u8], bits: u8, target: &mut [u8]) {
    let per_byte = usize::from(8 / bits);
    let largest = (1u8 << bits) - 1;
    for (samples, byte) in target.chunks_mut(per_byte).zip(packed) {
        for (at, sample) in samples.iter_mut().enumerate() {
            let shift = 8 - bits * (at as u8 + 1);
            *sample = ((byte >> shift) & largest) * (255 / largest);
        }
    }
}

/// The bytes that a row of `width` samples of `bits` bits takes when packed.
pub(super) fn packed_row_bytes(width: u64, bits: u8) -> u64 {
    width.saturating_mul(u64::from(bits)).div_ceil(8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_samples_come_out_in_full_scale() {
        let cases: [(u8, &[u8], &[u8]); 3] = [
            (1, &[0b1010_0000, 0b1000_0000], &[255, 0, 255, 0, 0, 0, 0, 0, 255]),
            (2, &[0b0001_1011], &[0, 85, 170]),
            (4, &[0x0f, 0x80], &[0, 255, 136]),
        ];
        for (bits, packed, expected) in cases {
            let mut row = vec![7; expected.len()];
            expand_row(packed, bits, &mut row);
            assert_eq!(row, expected, "{bits} bits");
            assert_eq!(packed_row_bytes(expected.len() as u64, bits), packed.len() as u64);
        }
    }

    #[test]
    fn swapping_turns_each_sample_around() {
        let mut bytes = [1, 2, 3, 4, 5, 6, 7, 8];
        swap_bytes(&mut bytes, 2);
        assert_eq!(bytes, [2, 1, 4, 3, 6, 5, 8, 7]);
        swap_bytes(&mut bytes, 8);
        assert_eq!(bytes, [7, 8, 5, 6, 3, 4, 1, 2]);
    }
}
