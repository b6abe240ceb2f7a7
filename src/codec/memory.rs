//! Memory for sizes that come from outside.

use super::CodecError;

/// `bytes` zeros, or an error when that is more than `limit_bytes` or than the machine gives.
///
/// The zeros come from the operating system untouched, so a header that lies costs addresses, no memory.
pub(crate) fn zeros(format: &'static str, bytes: u64, limit_bytes: u64) -> Result<Vec<u8>, CodecError> {
    let exceeded = CodecError::LimitsExceeded { format, needed_bytes: bytes, limit_bytes };
    let len = match usize::try_from(bytes) {
        Ok(len) if bytes <= limit_bytes && len <= isize::MAX as usize => len,
        _ => return Err(exceeded),
    };
    // `vec!` would end the program where the machine has no such memory; this asks first and gives it back.
    if Vec::<u8>::new().try_reserve_exact(len).is_err() {
        return Err(exceeded);
    }
    Ok(vec![0; len])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_the_limit_is_refused_before_it_is_taken() {
        assert_eq!(zeros("png", 5, 5).unwrap(), [0; 5]);
        for bytes in [6, u64::MAX] {
            let error = zeros("png", bytes, 5).unwrap_err();
            assert!(matches!(error, CodecError::LimitsExceeded { needed_bytes, .. } if needed_bytes == bytes));
        }
        assert!(zeros("png", u64::MAX / 4, u64::MAX).is_err());
    }
}
