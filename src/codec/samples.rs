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

/// Makes one row of samples of 9 to 15 bits, which follow each other without gaps, highest bit first, samples of 16 bits.
pub(super) fn unpack_row(packed: &[u8], bits: u8, target: &mut [u8]) {
    let (mut bytes, mut buffer, mut count) = (packed.iter(), 0u32, 0);
    for sample in target.as_chunks_mut::<2>().0 {
        while count < bits {
            buffer = buffer << 8 | u32::from(bytes.next().copied().unwrap_or(0));
            count += 8;
        }
        count -= bits;
        *sample = ((buffer >> count) as u16 & ((1 << bits) - 1)).to_le_bytes();
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
    fn samples_of_12_bits_come_out_as_they_are() {
        let mut row = [0; 6];
        unpack_row(&[0xab, 0xc1, 0x23, 0xff, 0xf0], 12, &mut row);
        assert_eq!(row, [0xbc, 0x0a, 0x23, 0x01, 0xff, 0x0f]);
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
