//! The time by which requests are signed: this machine's, set right by what the services tell.
//!
//! AWS refuses signatures that are more than 15 minutes off, and machines at microscopes are. Its answers carry the time,
//! so a refused clock is set by the answer that refused it, and the request is signed again.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A difference that no answer's way explains.
const WORTH: i64 = 60;

/// A clock; clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// Seconds by which the services are ahead of this machine.
    ahead: Arc<AtomicI64>,
}

impl Clock {
    /// The time as the services have it.
    pub fn now(&self) -> SystemTime {
        shift(SystemTime::now(), self.ahead.load(Ordering::Relaxed))
    }

    /// Takes the time of an answer's `Date` header. `true` when that changes by more than a minute what is signed with.
    pub fn learn(&self, date: Option<&str>) -> bool {
        let Some(theirs) = date.and_then(|date| httpdate::parse_http_date(date).ok()) else { return false };
        let ahead = seconds(theirs) - seconds(SystemTime::now());
        let before = self.ahead.load(Ordering::Relaxed);
        if (ahead - before).abs() <= WORTH {
            return false;
        }
        self.ahead.store(ahead, Ordering::Relaxed);
        tracing::warn!(seconds = ahead, "this machine's clock is off; requests are signed with the services' time");
        true
    }
}

fn seconds(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

fn shift(time: SystemTime, seconds: i64) -> SystemTime {
    let by = Duration::from_secs(seconds.unsigned_abs());
    let shifted = if seconds < 0 { time.checked_sub(by) } else { time.checked_add(by) };
    shifted.unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_services_time_is_taken_when_it_is_far_off() {
        let clock = Clock::default();
        let date = |ahead: i64| httpdate::fmt_http_date(shift(SystemTime::now(), ahead));
        for (ahead, taken) in [(20, false), (-3600, true), (-3590, false), (86_400, true), (0, true)] {
            assert_eq!(clock.learn(Some(&date(ahead))), taken, "{ahead}");
        }
        assert!(clock.learn(Some(&date(7200))));
        let off = seconds(clock.now()) - seconds(SystemTime::now());
        assert!((7199..=7201).contains(&off), "{off}");
        assert!(!clock.learn(None) && !clock.learn(Some("yesterday")));
    }
}
