//! Numbers as people read them.

use std::time::Duration;

/// `3 tiles`, `1 tile`.
pub fn count(number: u64, noun: &str) -> String {
    count_irregular(number, noun, &format!("{noun}s"))
}

/// `1 retry`, `2 retries`.
pub(super) fn count_irregular(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// `1 234 567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// `999 B`, `1.5 MB`, `2.0 TB`: decimal units.
pub fn human_bytes(bytes: u64) -> String {
    const UNITS: [&str; 7] = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}

/// `4 s`, `3 min 20 s`, `2 h 5 min`, `3 days 4 h`.
pub fn human_duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64().round() as u64;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) if seconds == 0 => format!("{:.1} s", duration.as_secs_f64()),
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _) => format!("{hours} h {} min", minutes % 60),
        _ => format!("{} {} h", count(days, "day"), hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([count(1, "tile"), count(1_234_567, "tile")], ["1 tile", "1 234 567 tiles"]);
        let bytes = [0, 999, 1000, 999_949, 999_950, 2_000_000_000_000];
        assert_eq!(bytes.map(human_bytes), ["0 B", "999 B", "1.0 kB", "999.9 kB", "1.0 MB", "2.0 TB"]);
        let durations = [0.04, 0.4, 4.2, 200.0, 7500.0, 273_600.0].map(Duration::from_secs_f64);
        assert_eq!(durations.map(human_duration), ["0.0 s", "0.4 s", "4 s", "3 min 20 s", "2 h 5 min", "3 days 4 h"]);
    }
}
