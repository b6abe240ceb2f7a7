//! How many requests go to one service at once: found by trying.
//!
//! Places double while that makes the service faster, then stay, with one more tried from time to time. When the service
//! throttles or answers too late they are halved, once for all requests that were under way, and grow again one by one
//! ("additive increase, multiplicative decrease", as TCP does: Chiu and Jain, 1989). Whoever fixes the number gets that.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// Places at the beginning, and the most that are ever given.
const FIRST: usize = 16;
const MOST: usize = 256;
/// An epoch has as many answers as there are places, and lasts at least this long.
const EPOCH: Duration = Duration::from_millis(100);
/// More places are worth having when they make the service so much faster.
const WORTH: f64 = 1.05;
/// Epochs at full use after which one more place is tried.
const PATIENCE: u32 = 20;
/// A service that was cut back within this time is one that bounds us.
const LATELY: Duration = Duration::from_secs(10);

/// The places of one service.
#[derive(Debug)]
pub struct Pace {
    places: Arc<Semaphore>,
    state: Mutex<State>,
}

/// A request's place; ended when it is dropped.
#[derive(Debug)]
pub struct Place<'a> {
    pace: &'a Pace,
    permit: Option<OwnedSemaphorePermit>,
    began: Instant,
}

/// How a service is used at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PaceNow {
    /// Requests that may be in flight at once.
    pub limit: usize,
    pub in_flight: usize,
    /// Whether requests had to wait for a place in the last epoch.
    pub is_full: bool,
    /// Whether the service throttled, or answered too late, in the last ten seconds.
    pub is_congested: bool,
}

#[derive(Debug)]
struct State {
    limit: usize,
    /// Places that are to go as soon as they are free.
    surplus: usize,
    is_fixed: bool,
    /// Before the first cut, and while doubling helps.
    is_starting: bool,
    /// The places before one more was tried.
    tried_from: Option<usize>,
    epoch: Epoch,
    was_full: bool,
    /// Units each second, in the best epoch since the last cut; old ones count less and less.
    best: f64,
    patience: u32,
    cut: Option<Instant>,
}

/// What was done since the last decision.
#[derive(Clone, Copy, Debug)]
struct Epoch {
    began: Instant,
    answers: usize,
    units: u64,
    is_full: bool,
}

impl Epoch {
    fn new(began: Instant) -> Self {
        Epoch { began, answers: 0, units: 0, is_full: false }
    }
}

impl Pace {
    /// `fixed` places for good, or as many as turn out to be best.
    pub fn new(fixed: Option<usize>) -> Self {
        let limit = fixed.unwrap_or(FIRST).max(1);
        let state = State {
            limit,
            surplus: 0,
            is_fixed: fixed.is_some(),
            is_starting: true,
            tried_from: None,
            epoch: Epoch::new(Instant::now()),
            was_full: false,
            best: 0.0,
            patience: 0,
            cut: None,
        };
        Pace { places: Arc::new(Semaphore::new(limit)), state: Mutex::new(state) }
    }

    /// Waits for a place, first come first served.
    pub async fn place(&self) -> Place<'_> {
        let permit = match self.places.clone().try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => {
                self.state().epoch.is_full = true;
                self.places.clone().acquire_owned().await.expect("places are never closed")
            }
        };
        Place { pace: self, permit: Some(permit), began: Instant::now() }
    }

    /// How it is used now.
    pub fn look(&self) -> PaceNow {
        self.look_at(Instant::now())
    }

    fn look_at(&self, now: Instant) -> PaceNow {
        let state = self.state();
        PaceNow {
            limit: state.limit,
            in_flight: (state.limit + state.surplus).saturating_sub(self.places.available_permits()),
            is_full: state.was_full || state.epoch.is_full,
            is_congested: state.cut.is_some_and(|cut| now.duration_since(cut) < LATELY),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, state: &mut State, limit: usize) {
        let limit = limit.clamp(1, MOST.max(state.limit));
        if limit > state.limit {
            let kept = state.surplus.min(limit - state.limit);
            state.surplus -= kept;
            self.places.add_permits(limit - state.limit - kept);
        } else {
            let fewer = state.limit - limit;
            state.surplus += fewer - self.places.forget_permits(fewer);
        }
        state.limit = limit;
    }

    /// An answer came that moved so many units, bytes for example.
    fn answered(&self, units: u64, now: Instant) {
        let mut state = self.state();
        state.epoch.answers += 1;
        state.epoch.units += units;
        let elapsed = now.duration_since(state.epoch.began);
        if state.epoch.answers < state.limit || elapsed < EPOCH {
            return;
        }
        let speed = state.epoch.units as f64 / elapsed.as_secs_f64();
        state.was_full = std::mem::replace(&mut state.epoch, Epoch::new(now)).is_full;
        if state.was_full && !state.is_fixed {
            let limit = state.judge(speed);
            self.set(&mut state, limit);
        }
    }

    /// The service asks for fewer requests, of which this one began at `began`.
    fn congested(&self, began: Instant, now: Instant) {
        let mut state = self.state();
        if state.cut.is_some_and(|cut| began <= cut) {
            return;
        }
        state.cut = Some(now);
        state.epoch = Epoch::new(now);
        (state.is_starting, state.tried_from, state.best, state.patience) = (false, None, 0.0, 0);
        if !state.is_fixed {
            let half = state.limit / 2;
            self.set(&mut state, half);
        }
    }
}

impl State {
    /// The places after an epoch in which all were used.
    fn judge(&mut self, speed: f64) -> usize {
        let is_faster = speed > self.best * WORTH;
        let tried_from = self.tried_from.take();
        if is_faster {
            self.best = speed;
            self.patience = 0;
            return if self.is_starting { self.limit * 2 } else { self.limit + 1 };
        }
        self.is_starting = false;
        self.best = self.best * 0.9 + speed * 0.1;
        self.patience += 1;
        match tried_from {
            Some(before) => before,
            None if self.patience >= PATIENCE => {
                self.patience = 0;
                self.tried_from = Some(self.limit);
                self.limit + self.limit.div_ceil(8)
            }
            None => self.limit,
        }
    }
}

impl Place<'_> {
    /// The service answered in full; `units` are what the request moved, bytes for example.
    pub fn answered(self, units: u64) {
        self.pace.answered(units, Instant::now());
    }

    /// The service throttled, or did not answer in time.
    pub fn congested(self) {
        self.pace.congested(self.began, Instant::now());
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.pace.state();
        if state.surplus > 0
            && let Some(permit) = self.permit.take()
        {
            state.surplus -= 1;
            permit.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// A pace on a clock of its own.
    struct Given {
        pace: Pace,
        now: Instant,
    }

    impl Given {
        fn new(fixed: Option<usize>) -> Self {
            Given { pace: Pace::new(fixed), now: Instant::now() }
        }

        /// One epoch of a second, in which every place was used or not, and the service moved so many units.
        fn epoch(&mut self, units: u64, is_full: bool) -> usize {
            self.now += SECOND;
            self.pace.state().epoch.is_full = is_full;
            for nth in 0..self.pace.look().limit {
                self.pace.answered(if nth == 0 { units } else { 0 }, self.now);
            }
            self.pace.look().limit
        }

        fn cut(&mut self) -> usize {
            let began = self.now + SECOND / 2;
            self.now += SECOND;
            self.pace.congested(began, self.now);
            self.pace.look().limit
        }
    }

    #[test]
    fn places_double_while_that_helps_and_then_stay() {
        let mut given = Given::new(None);
        assert_eq!([given.epoch(1000, true), given.epoch(2000, true), given.epoch(2010, true)], [32, 64, 64]);
        let seen: Vec<usize> = (0..=PATIENCE).map(|_| given.epoch(2010, true)).collect();
        assert!(seen.contains(&72), "some more are tried: {seen:?}");
        assert_eq!(seen.last(), Some(&64), "and given up when they do not help");
    }

    #[test]
    fn an_epoch_with_places_to_spare_changes_nothing() {
        let mut given = Given::new(None);
        assert_eq!([given.epoch(1000, false), given.epoch(9000, false)], [FIRST; 2]);
        assert!(!given.pace.look().is_full);
    }

    #[tokio::test]
    async fn throttling_halves_once_for_all_requests_under_way() {
        let mut given = Given::new(None);
        let mut places = Vec::new();
        for _ in 0..FIRST {
            places.push(given.pace.place().await);
        }
        places.drain(..8).for_each(Place::congested);
        let PaceNow { limit, in_flight, is_congested, .. } = given.pace.look();
        assert_eq!((limit, in_flight, is_congested), (8, 8, true));
        drop(places);
        assert_eq!((given.pace.look().in_flight, given.pace.places.available_permits()), (0, 8));
        assert_eq!([given.epoch(10, true), given.epoch(20, true)], [9, 10], "then they grow one by one");
        assert!(!given.pace.look_at(Instant::now() + LATELY).is_congested);
    }

    #[test]
    fn there_is_always_one_place_and_a_fixed_number_stays() {
        let mut given = Given::new(None);
        let limits: Vec<usize> = (0..6).map(|_| given.cut()).collect();
        assert_eq!(limits, [8, 4, 2, 1, 1, 1]);
        assert_eq!(given.pace.places.available_permits(), 1);
        let mut fixed = Given::new(Some(500));
        assert_eq!([fixed.epoch(1000, true), fixed.cut()], [500, 500]);
    }
}
