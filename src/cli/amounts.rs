//! Amounts of time and of bytes, as people write them.

use std::time::Duration;

/// Seconds, with or without a fraction.
pub fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| format!("`{text}` is not a number of seconds"))?;
    let sensible = (0.0..=43_200.0).contains(&seconds);
    sensible.then(|| Duration::from_secs_f64(seconds)).ok_or_else(|| "give 0 to 43200 seconds".to_owned())
}

/// The least memory that a run can work with.
const SMALLEST_MEMORY: u64 = 16 << 20;

/// Bytes with an optional decimal (`MB`) or binary (`MiB`) unit.
pub fn parse_size(text: &str) -> Result<u64, String> {
    match parse_bytes(text)? {
        bytes if bytes < SMALLEST_MEMORY => Err("give at least 16MiB".to_owned()),
        bytes => Ok(bytes),
    }
}

/// Bytes a second, of which none would be a run without end.
pub fn parse_rate(text: &str) -> Result<u64, String> {
    match parse_bytes(text)? {
        0 => Err("nothing would ever be sent".to_owned()),
        bytes => Ok(bytes),
    }
}

/// A number of bytes with a unit.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic() || letter == ' ');
    let unit: u64 = match text[digits.len()..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1000,
        "m" | "mb" => 1_000_000,
        "g" | "gb" => 1_000_000_000,
        "t" | "tb" => 1_000_000_000_000,
        "ki" | "kib" => 1 << 10,
        "mi" | "mib" => 1 << 20,
        "gi" | "gib" => 1 << 30,
        "ti" | "tib" => 1 << 40,
        _ => return Err("give bytes with a unit, such as 800MB or 2GiB".to_owned()),
    };
    let number: f64 = digits.trim().parse().map_err(|_| format!("`{text}` is not a number of bytes"))?;
    let bytes = number * unit as f64;
    if !bytes.is_finite() || bytes < 0.0 {
        return Err(format!("`{text}` is not a number of bytes"));
    }
    Ok(bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_decimal_and_binary_units() {
        let sizes =
            [("256MiB", 268_435_456), ("1.5 GB", 1_500_000_000), ("20000000", 20_000_000), ("1g", 1_000_000_000)];
        for (text, bytes) in sizes {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        assert_eq!((parse_bytes("0"), parse_bytes("1MiB")), (Ok(0), Ok(1 << 20)));
        for text in ["", "MB", "1MiB", "5 parsecs", "-1GB", "inf"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }
}
