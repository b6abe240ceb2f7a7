//! The line of progress, cut to the width that there is: what matters least is left out first.

use super::units::{count_irregular, grouped};
use super::{Snapshot, count, human_bytes, human_duration};

/// `1 200 of 4 800 tiles, 41.5 tiles/s, 10.9 MB/s, 1 min 27 s left, 2 retries, 1 bad`, in at most `width` characters as
/// long as the count alone has room.
pub fn line(snapshot: &Snapshot, width: usize) -> String {
    let mut parts = parts(snapshot);
    while length(&parts) > width && parts.len() > 1 {
        let least = (0..parts.len()).max_by_key(|at| parts[*at].0).unwrap_or_default();
        parts.remove(least);
    }
    parts.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join(", ")
}

fn length(parts: &[(u8, String)]) -> usize {
    parts.iter().map(|(_, text)| text.chars().count() + 2).sum::<usize>().saturating_sub(2)
}

/// The parts in their order, each with its rank; 0 matters most.
fn parts(snapshot: &Snapshot) -> Vec<(u8, String)> {
    let Snapshot { noun, tasks, done, .. } = snapshot;
    let is_going = snapshot.tasks_per_second > 0.0;
    let bound = snapshot.pulse.as_ref().and_then(|pulse| pulse.bound);
    let sent = || format!("{} sent as {}", human_bytes(snapshot.voxel_bytes), human_bytes(snapshot.sent_bytes));
    let parts = [
        Some((0, format!("{} of {}", grouped(*done), count(*tasks, noun)))),
        is_going.then(|| (3, format!("{:.1} {noun}s/s", snapshot.tasks_per_second))),
        is_going.then(|| (4, format!("{}/s", human_bytes(snapshot.bytes_per_second as u64)))),
        (snapshot.voxel_bytes > 0).then(|| (7, sent())),
        snapshot.left.filter(|left| !left.is_zero()).map(|left| (1, format!("{} left", human_duration(left)))),
        (snapshot.retries > 0).then(|| (6, count_irregular(snapshot.retries, "retry", "retries"))),
        (snapshot.quarantined > 0).then(|| (2, format!("{} bad", snapshot.quarantined))),
        bound.filter(|_| done < tasks).map(|bound| (5, format!("bound by {bound}"))),
    ];
    parts.into_iter().flatten().collect()
}

/// A text of at most `width` characters; a longer one ends with `…`.
pub fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// A bar of `cells` characters.
pub fn bar(done: u64, tasks: u64, cells: usize) -> String {
    let full = if tasks == 0 { 0 } else { (done.min(tasks) as u128 * cells as u128 / u128::from(tasks)) as usize };
    "█".repeat(full) + &"░".repeat(cells - full)
}

/// `42 %`; 100 only when all is done.
pub fn percent(done: u64, tasks: u64) -> String {
    let share = if tasks == 0 { 0 } else { u128::from(done.min(tasks)) * 100 / u128::from(tasks) };
    format!("{share:>3} %")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::report::{Bound, Pulse};

    fn snapshot() -> Snapshot {
        Snapshot {
            job: 7,
            noun: "tile",
            tasks: 4800,
            done: 1200,
            stored: 1200,
            held: 20,
            free: Some(3580),
            voxel_bytes: 314_572_800,
            sent_bytes: 250_000_000,
            retries: 1,
            quarantined: 2,
            tasks_per_second: 41.46,
            bytes_per_second: 10_868_490.0,
            left: Some(Duration::from_secs(87)),
            pulse: Some(Arc::new(Pulse { bound: Some(Bound::Cpu), ..Pulse::default() })),
        }
    }

    #[test]
    fn the_line_tells_rate_time_left_bytes_retries_bad_tiles_and_the_bound() {
        assert_eq!(
            line(&snapshot(), usize::MAX),
            "1 200 of 4 800 tiles, 41.5 tiles/s, 10.9 MB/s, 314.6 MB sent as 250.0 MB, 1 min 27 s left, 1 retry, 2 bad, \
             bound by CPU"
        );
    }

    #[test]
    fn a_narrow_terminal_keeps_what_matters() {
        assert_eq!(line(&snapshot(), 62), "1 200 of 4 800 tiles, 41.5 tiles/s, 1 min 27 s left, 2 bad");
        assert_eq!(line(&snapshot(), 40), "1 200 of 4 800 tiles, 1 min 27 s left");
        assert_eq!(line(&snapshot(), 5), "1 200 of 4 800 tiles");
    }

    #[test]
    fn a_text_that_is_cut_says_so() {
        assert_eq!([cut("tiles", 5), cut("tiles", 4), cut("äöü", 2)], ["tiles", "til…", "ä…"]);
    }

    #[test]
    fn a_bar_is_full_only_at_the_end() {
        assert_eq!([bar(0, 0, 4), bar(1, 2, 4), bar(99, 100, 4), bar(100, 100, 4)], ["░░░░", "██░░", "███░", "████"]);
        assert_eq!([percent(999, 1000), percent(1000, 1000)], [" 99 %", "100 %"]);
    }
}
