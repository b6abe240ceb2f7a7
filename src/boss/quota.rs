//! Bounds that the user sets: bytes sent and requests made each second.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// A bound on how much of something happens each second.
#[derive(Debug)]
pub struct Quota {
    per_second: Option<f64>,
    /// When all that was granted so far is used up.
    used_until: Mutex<Instant>,
}

/// So much may be used at once after a pause, in seconds of the bound.
const BURST: Duration = Duration::from_millis(100);

impl Quota {
    /// No bound when there is none.
    pub fn new(per_second: Option<u64>) -> Self {
        let per_second = per_second.map(|most| (most as f64).max(1.0));
        Quota { per_second, used_until: Mutex::new(Instant::now()) }
    }

    /// Waits until `amount` may be used.
    pub async fn take(&self, amount: u64) {
        if let Some(begin) = self.grant(amount, Instant::now()) {
            sleep_until(begin).await;
        }
    }

    /// When it may be used.
    fn grant(&self, amount: u64, now: Instant) -> Option<Instant> {
        let cost = Duration::try_from_secs_f64(amount as f64 / self.per_second?).unwrap_or(Duration::MAX);
        let mut used_until = self.used_until.lock().unwrap_or_else(PoisonError::into_inner);
        let begin = (*used_until).max(now.checked_sub(BURST).unwrap_or(now));
        *used_until = begin.checked_add(cost).unwrap_or(begin);
        Some(begin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_spread_over_time() {
        let start = Instant::now();
        let quota = Quota::new(Some(1000));
        let granted: Vec<Instant> = (0..20).filter_map(|_| quota.grant(100, start)).collect();
        assert_eq!(granted.len(), 20);
        let last = granted[19].duration_since(start).as_secs_f64();
        assert!((1.7..1.95).contains(&last), "the last of 20 · 100 at 1000 a second begins after {last} s");
        assert_eq!(Quota::new(None).grant(u64::MAX, start), None);
    }
}
