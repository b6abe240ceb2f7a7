//! The one place that decides whether a failed request is tried again, and when.
//!
//! What may be repeated, and how soon, follows from the error's class ([`BossError::class`]). Pauses double, are cut to a
//! random part ("full jitter", so that many clients do not come back at once) and never exceed 15 s; after a total time the
//! last error is given up with. Dropping the future ends the trying.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{BossError, Class};

/// How long and how eagerly to try.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// The first pause is a random part of this.
    pub first_pause: Duration,
    /// No pause is longer.
    pub longest_pause: Duration,
    /// After this time from the first try no other is begun.
    pub give_up_after: Duration,
}

impl RetryPolicy {
    /// For a user who waits for the answer: some seconds.
    pub fn brisk() -> Self {
        RetryPolicy { give_up_after: Duration::from_secs(6), ..RetryPolicy::patient() }
    }

    /// For work that goes on by itself: a quarter of an hour, so that a restart of the server or of a router is outlived.
    pub fn patient() -> Self {
        RetryPolicy {
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(15),
            give_up_after: Duration::from_secs(900),
        }
    }

    /// Begins to try, ending at this policy's time or at `deadline`, whichever is first.
    pub fn start<'a>(&self, deadline: Option<Instant>, counts: &'a RetryCounts) -> Tries<'a> {
        let end = Instant::now() + self.give_up_after;
        Tries { policy: *self, end: deadline.map_or(end, |deadline| end.min(deadline)), failed: 0, counts }
    }

    /// The pause after the `failed`-th failure, counted from 0; `part` is random in `0..1`.
    fn pause(&self, class: Class, failed: u32, part: f64) -> Duration {
        // New keys work any moment, and a service that is away is waited for by its circuit.
        let doublings = match class {
            Class::Keys => failed.min(2),
            Class::Away => 0,
            _ => failed,
        };
        let doubled = self.first_pause.saturating_mul(2_u32.saturating_pow(doublings));
        doubled.min(self.longest_pause).mul_f64(part)
    }
}

/// How often something had to be repeated, for the progress line and for finding the right number of uploads.
#[derive(Debug, Default)]
pub struct RetryCounts {
    retries: AtomicU64,
    congestions: AtomicU64,
}

impl RetryCounts {
    /// Requests that were repeated.
    pub fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    /// Failures that ask for fewer requests at once ([`BossError::is_congestion`]), repeated or not.
    pub fn congestions(&self) -> u64 {
        self.congestions.load(Ordering::Relaxed)
    }
}

/// The tries of one request.
pub struct Tries<'a> {
    policy: RetryPolicy,
    end: Instant,
    failed: u32,
    counts: &'a RetryCounts,
}

impl Tries<'_> {
    /// Whether to try again after `error`. If so, returns when it is time to.
    pub async fn again_after(&mut self, error: &BossError) -> bool {
        if error.is_congestion() {
            self.counts.congestions.fetch_add(1, Ordering::Relaxed);
        }
        let pause = self.policy.pause(error.class(), self.failed, fastrand::f64());
        if !error.is_temporary() || Instant::now() + pause >= self.end {
            return false;
        }
        tracing::debug!(%error, ?pause, "trying again");
        self.failed += 1;
        self.counts.retries.fetch_add(1, Ordering::Relaxed);
        sleep(pause).await;
        true
    }
}

/// Calls until it succeeds, fails for good, or the time of `tries` is over.
pub async fn retry<T, F>(mut tries: Tries<'_>, mut call: impl FnMut() -> F) -> Result<T, BossError>
where
    F: Future<Output = Result<T, BossError>>,
{
    loop {
        match call().await {
            Err(error) if tries.again_after(&error).await => {}
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const QUICK: RetryPolicy = RetryPolicy {
        first_pause: Duration::from_millis(1),
        longest_pause: Duration::from_millis(4),
        give_up_after: Duration::from_millis(60),
    };

    fn busy() -> BossError {
        BossError::Throttled { request: "PUT /".to_owned(), message: "SlowDown".to_owned() }
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let policy = RetryPolicy::patient();
        for (failed, millis) in [(0, 500), (1, 1000), (4, 8000), (5, 15_000), (70, 15_000)] {
            assert_eq!(policy.pause(Class::Throttled, failed, 1.0), Duration::from_millis(millis), "{failed}");
        }
        assert_eq!(policy.pause(Class::Temporary, 3, 0.25), Duration::from_millis(1000));
        assert_eq!(policy.pause(Class::Temporary, 3, 0.0), Duration::ZERO);
        assert_eq!(policy.pause(Class::Keys, 70, 1.0), Duration::from_secs(2));
        assert_eq!(policy.pause(Class::Away, 70, 1.0), Duration::from_millis(500));
    }

    #[tokio::test]
    async fn temporary_failures_are_repeated_and_counted() {
        let counts = RetryCounts::default();
        let calls = Cell::new(0);
        let call = || async {
            calls.set(calls.get() + 1);
            if calls.get() < 4 { Err(busy()) } else { Ok(calls.get()) }
        };
        assert_eq!(retry(QUICK.start(None, &counts), call).await.unwrap(), 4);
        assert_eq!((counts.retries(), counts.congestions()), (3, 3));
    }

    #[tokio::test]
    async fn other_failures_are_final_at_once() {
        let counts = RetryCounts::default();
        let call = || async { Err::<(), _>(BossError::QueueGone { queue: "q".to_owned() }) };
        let error = retry(QUICK.start(None, &counts), call).await.unwrap_err();
        assert!(matches!(error, BossError::QueueGone { .. }));
        assert_eq!(counts.retries(), 0);
    }

    #[tokio::test]
    async fn the_last_error_is_given_when_time_is_over() {
        let counts = RetryCounts::default();
        let started = Instant::now();
        let error = retry(QUICK.start(None, &counts), || async { Err::<(), _>(busy()) }).await.unwrap_err();
        assert!(error.is_congestion());
        assert!(counts.retries() > 0);
        assert!(started.elapsed() >= Duration::from_millis(50));
    }

    #[tokio::test]
    async fn a_deadline_cuts_the_policy_short() {
        let counts = RetryCounts::default();
        let mut tries = RetryPolicy::patient().start(Some(Instant::now()), &counts);
        assert!(!tries.again_after(&busy()).await);
        assert_eq!((counts.retries(), counts.congestions()), (0, 1));
    }
}
