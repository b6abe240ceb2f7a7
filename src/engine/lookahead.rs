//! How many tasks a process holds at once.
//!
//! A task that is taken and not finished before its lease ends goes to another worker, and its work is done twice. So
//! only as many are taken as end well within a lease at the speed measured so far.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Tasks held before any speed is known, and the fewest and most ever held.
const FEWEST: usize = 10;
const MOST: usize = 640;
/// The part of a lease that the tasks taken ahead may fill.
const SHARE_OF_LEASE: f64 = 0.25;

/// Places for tasks.
#[derive(Debug)]
pub struct Lookahead {
    places: Arc<Semaphore>,
    lease: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    start: Option<Instant>,
    done: u64,
    places: usize,
}

impl Lookahead {
    pub fn new(lease: Duration) -> Self {
        let state = Mutex::new(State { start: None, done: 0, places: FEWEST });
        Lookahead { places: Arc::new(Semaphore::new(FEWEST)), lease, state }
    }

    /// Waits for one place and takes up to `most` that are free.
    pub async fn take(&self, most: usize) -> Vec<OwnedSemaphorePermit> {
        let first = self.places.clone().acquire_owned().await.expect("places are never closed");
        let mut taken = vec![first];
        while taken.len() < most
            && let Ok(place) = self.places.clone().try_acquire_owned()
        {
            taken.push(place);
        }
        taken
    }

    /// Whether nobody holds a place but those who hold `own`.
    pub fn is_idle_but(&self, own: usize) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.places.available_permits() + own >= state.places
    }

    /// Whether any task was done.
    pub fn any_done(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).done > 0
    }

    /// A task that was taken at `taken` is done now.
    pub fn done(&self, taken: Instant, now: Instant) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let start = *state.start.get_or_insert(taken);
        state.done += 1;
        let per_second = state.done as f64 / now.duration_since(start).as_secs_f64().max(0.001);
        let wanted = (per_second * self.lease.as_secs_f64() * SHARE_OF_LEASE) as usize;
        let wanted = wanted.clamp(FEWEST, MOST);
        if wanted > state.places {
            self.places.add_permits(wanted - state.places);
            state.places = wanted;
        } else if wanted < state.places / 2 {
            state.places -= self.places.forget_permits(state.places - wanted);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn fast_tasks_are_taken_far_ahead_and_slow_ones_are_not() {
        let lookahead = Lookahead::new(Duration::from_secs(120));
        let start = Instant::now();
        assert_eq!(lookahead.take(100).await.len(), FEWEST);
        for task in 1..=20 {
            lookahead.done(start, start + Duration::from_millis(100 * task));
        }
        assert_eq!(lookahead.take(1000).await.len(), 300, "10 a second for a quarter of 120 s");
        for task in 1..=200 {
            lookahead.done(start, start + Duration::from_secs(60 * task));
        }
        assert_eq!(lookahead.take(1000).await.len(), FEWEST);
    }

    #[tokio::test]
    async fn idle_means_that_nobody_else_holds_a_place() {
        let lookahead = Lookahead::new(Duration::from_secs(120));
        let own = lookahead.take(3).await;
        assert!(lookahead.is_idle_but(own.len()));
        let other = lookahead.take(1).await;
        assert!(!lookahead.is_idle_but(own.len()));
        drop(other);
        assert!(lookahead.is_idle_but(own.len()));
    }
}
