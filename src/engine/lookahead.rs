//! How many tasks a process holds at once, and which of them it still begins.
//!
//! A task that is taken and not finished before its lease ends goes to another worker, and its work is done twice. So only
//! as many are taken as end within a part of a lease at the speed measured lately, and none is begun that would not end in
//! time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Tasks held before any speed is known, and the fewest and most ever held.
const FEWEST: usize = 10;
const MOST: usize = 4096;
/// The tasks taken ahead are those of so long a time, and of no larger part of a lease than this.
const AHEAD: Duration = Duration::from_secs(5);
const PART_OF_LEASE: u32 = 4;
/// Speed is that of so long a time.
const WINDOW: Duration = Duration::from_secs(20);

/// Places for tasks.
#[derive(Debug)]
pub struct Lookahead {
    places: Arc<Semaphore>,
    lease: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    places: usize,
    /// Where the window begins, and the tasks done since.
    since: Option<Instant>,
    done: f64,
    any_done: bool,
    /// How long a task takes from its script to its end; rises at once and falls slowly.
    work: Duration,
    has_told: bool,
}

impl Lookahead {
    pub fn new(lease: Duration) -> Self {
        let state = State { places: FEWEST, ..State::default() };
        Lookahead { places: Arc::new(Semaphore::new(FEWEST)), lease, state: Mutex::new(state) }
    }

    /// Waits for places and takes up to `most` that are free. It waits for several at once, so that one request is worth its
    /// while.
    pub async fn take(&self, most: usize) -> Vec<OwnedSemaphorePermit> {
        let least = (self.state().places / 2).clamp(1, most) as u32;
        let mut first = self.places.clone().acquire_many_owned(least).await.expect("places are never closed");
        let mut taken: Vec<_> = std::iter::from_fn(|| first.split(1)).take(least as usize).collect();
        while taken.len() < most
            && let Ok(place) = self.places.clone().try_acquire_owned()
        {
            taken.push(place);
        }
        taken
    }

    /// Whether nobody holds a place but those who hold `own`.
    pub fn is_idle_but(&self, own: usize) -> bool {
        let state = self.state();
        self.places.available_permits() + own >= state.places
    }

    /// Whether any task was done.
    pub fn any_done(&self) -> bool {
        self.state().any_done
    }

    /// Whether a task whose lease ends at `deadline` would not end in time. One whose lease has just begun is always begun:
    /// it is as early as can be.
    pub fn is_late(&self, deadline: Instant, now: Instant) -> bool {
        let left = deadline.saturating_duration_since(now);
        left < self.state().work.clamp(self.lease / 8, self.lease * 3 / 4)
    }

    /// A task that was taken at `taken` and begun at `begun` is done now. Gives the time that it took when that is longer than
    /// a lease, the first time.
    pub fn done(&self, taken: Instant, begun: Instant, now: Instant) -> Option<Duration> {
        let mut state = self.state();
        let work = now.saturating_duration_since(begun);
        state.work = work.max((state.work * 15 + work) / 16);
        let wanted = state.wanted(taken, now, AHEAD.min(self.lease / PART_OF_LEASE));
        if wanted > state.places {
            self.places.add_permits(wanted - state.places);
            state.places = wanted;
        } else if wanted < state.places / 2 {
            state.places -= self.places.forget_permits(state.places - wanted);
        }
        (work > self.lease && !std::mem::replace(&mut state.has_told, true)).then_some(work)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Counts a task, and gives the places for those of the time `ahead`.
    fn wanted(&mut self, taken: Instant, now: Instant, ahead: Duration) -> usize {
        self.any_done = true;
        self.done += 1.0;
        let since = *self.since.get_or_insert(taken);
        let mut elapsed = now.saturating_duration_since(since);
        if elapsed > WINDOW {
            // The older half of the window is forgotten.
            elapsed /= 2;
            self.done /= 2.0;
            self.since = now.checked_sub(elapsed);
        }
        let per_second = self.done / elapsed.as_secs_f64().max(0.001);
        ((per_second * ahead.as_secs_f64()) as usize).clamp(FEWEST, MOST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(120);

    #[tokio::test]
    async fn fast_tasks_are_taken_far_ahead_and_slow_ones_are_not() {
        let lookahead = Lookahead::new(LEASE);
        let start = Instant::now();
        assert_eq!(lookahead.take(100).await.len(), FEWEST);
        for task in 1..=1000 {
            let now = start + Duration::from_millis(10 * task);
            lookahead.done(start, now, now);
        }
        assert_eq!(lookahead.state().places, 500, "100 a second for 5 s");
        for task in 1..=100 {
            let now = start + Duration::from_secs(60 * task);
            lookahead.done(start, now, now);
        }
        assert!(lookahead.state().places < 2 * FEWEST);
    }

    #[tokio::test]
    async fn several_places_are_waited_for_at_once() {
        let lookahead = Arc::new(Lookahead::new(LEASE));
        let mut own = lookahead.take(10).await;
        own.truncate(6);
        assert_eq!(lookahead.take(3).await.len(), 3);
        let waiting = tokio::spawn({
            let lookahead = lookahead.clone();
            async move { lookahead.take(10).await.len() }
        });
        tokio::task::yield_now().await;
        own.truncate(5);
        assert!(waiting.await.unwrap() >= 5);
    }

    #[test]
    fn a_task_that_would_not_end_in_time_is_not_begun() {
        let (lookahead, now) = (Lookahead::new(LEASE), Instant::now());
        let late = |left: u64| lookahead.is_late(now + Duration::from_secs(left), now);
        assert_eq!([late(14), late(16)], [true, false], "an eighth before anything is known");
        assert_eq!(lookahead.done(now, now, now + Duration::from_secs(40)), None);
        assert_eq!([late(39), late(41)], [true, false]);
        let long = Duration::from_secs(500);
        assert_eq!(lookahead.done(now, now, now + long), Some(long));
        assert_eq!([late(89), late(91)], [true, false], "a fresh task is begun whatever it takes");
        assert_eq!(lookahead.done(now, now, now + long), None, "told once");
    }

    #[tokio::test]
    async fn idle_means_that_nobody_else_holds_a_place() {
        let lookahead = Lookahead::new(LEASE);
        let own = lookahead.take(3).await;
        assert!(lookahead.is_idle_but(own.len()));
        let mut other = lookahead.take(5).await;
        assert!(!lookahead.is_idle_but(own.len()));
        other.clear();
        assert!(lookahead.is_idle_but(own.len()));
    }
}
