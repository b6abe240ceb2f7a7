//! Whether a service can be reached: when it cannot, one request finds out and the others wait.
//!
//! A server that is down or a link that is cut fails every request. Without this each task would try by itself, hundreds
//! of times, and the log would tell it as often. An open circuit is told once, and once more when it closes.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use super::{BossError, Service};

/// A circuit opens after so many failures in a row, over so long a time.
const FAILURES: u32 = 5;
const OPENS_AFTER: Duration = Duration::from_secs(1);
/// The first and the longest pause between two requests that find out.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// After this time a request that waits fails, so that whoever sent it can look at its own deadline.
const PATIENCE: Duration = Duration::from_secs(5);

/// The way to one service.
#[derive(Debug)]
pub struct Circuit {
    service: Service,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    /// The first of the failures in a row.
    since: Option<Instant>,
    is_open: bool,
    is_probed: bool,
    /// When the next request may find out.
    next: Option<Instant>,
    pause: Duration,
}

/// The right to send one request.
#[derive(Debug)]
pub struct Pass<'a> {
    circuit: &'a Circuit,
    is_probe: bool,
}

impl Circuit {
    pub fn new(service: Service) -> Self {
        Circuit { service, state: Mutex::default(), changed: Notify::new() }
    }

    /// Waits while the service is known to be away and another request finds out.
    ///
    /// # Errors
    /// [`BossError::Away`] after some seconds of waiting.
    pub async fn pass(&self) -> Result<Pass<'_>, BossError> {
        let away = |since: Duration| BossError::Away { service: self.service, since };
        let waiting = async {
            loop {
                let changed = self.changed.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                match self.try_pass(Instant::now()) {
                    Ok(is_probe) => return Pass { circuit: self, is_probe },
                    Err(Some(next)) => drop(tokio::time::timeout_at(next, changed).await),
                    Err(None) => changed.await,
                }
            }
        };
        timeout(PATIENCE, waiting).await.map_err(|_| away(self.away_since().unwrap_or_default()))
    }

    /// How long the service has been away; `None` when it is there as far as is known.
    pub fn away_since(&self) -> Option<Duration> {
        let state = self.state();
        state.since.filter(|_| state.is_open).map(|since| since.elapsed())
    }

    /// Whether the request is one that finds out; or until when to wait, unless it is for an answer.
    fn try_pass(&self, now: Instant) -> Result<bool, Option<Instant>> {
        let mut state = self.state();
        match state.next {
            _ if !state.is_open => Ok(false),
            _ if state.is_probed => Err(None),
            Some(next) if now < next => Err(Some(next)),
            _ => {
                state.is_probed = true;
                Ok(true)
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reached(&self) {
        let mut state = self.state();
        if state.is_open {
            let away = state.since.map(|since| since.elapsed()).unwrap_or_default();
            tracing::warn!(service = %self.service, ?away, "the service is there again");
            self.changed.notify_waiters();
        }
        *state = State::default();
    }

    fn missed(&self, now: Instant) {
        let mut state = self.state();
        state.failures += 1;
        let since = *state.since.get_or_insert(now);
        if !state.is_open && state.failures >= FAILURES && now.duration_since(since) >= OPENS_AFTER {
            tracing::warn!(service = %self.service, "the service cannot be reached; waiting for it");
            (state.is_open, state.pause) = (true, FIRST_PAUSE);
        }
        if state.is_open {
            state.next = Some(now + state.pause);
            state.pause = (state.pause * 2).min(LONGEST_PAUSE);
        }
    }
}

impl Pass<'_> {
    /// Tells how the request went. An answer of whatever kind means that the service is there.
    pub fn went<T>(self, result: &Result<T, BossError>) {
        match result {
            Err(error) if error.is_absence() => self.circuit.missed(Instant::now()),
            _ => self.circuit.reached(),
        }
    }
}

impl Drop for Pass<'_> {
    /// A request that found out, or was given up, makes room for the next one.
    fn drop(&mut self) {
        if self.is_probe {
            self.circuit.state().is_probed = false;
            self.circuit.changed.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// A circuit that has just opened, and the time of its clock.
    fn open() -> (Arc<Circuit>, Instant) {
        let (circuit, mut now) = (Circuit::new(Service::S3), Instant::now());
        for _ in 0..FAILURES {
            assert_eq!(circuit.away_since(), None);
            circuit.missed(now);
            now += OPENS_AFTER / 2;
        }
        assert!(circuit.away_since().is_some());
        (Arc::new(circuit), now)
    }

    #[test]
    fn one_request_finds_out_at_a_time_and_an_answer_closes_it() {
        let (circuit, now) = open();
        assert_eq!(circuit.try_pass(now + LONGEST_PAUSE), Ok(true));
        assert_eq!(circuit.try_pass(now + LONGEST_PAUSE), Err(None));
        Pass { circuit: &circuit, is_probe: true }.went(&Ok(()));
        assert_eq!(circuit.away_since(), None);
        assert_eq!(circuit.try_pass(now), Ok(false));
    }

    #[test]
    fn pauses_between_two_that_find_out_double() {
        let (circuit, mut now) = open();
        let mut pauses = Vec::new();
        for _ in 0..8 {
            circuit.missed(now);
            let next = circuit.try_pass(now).unwrap_err().unwrap();
            pauses.push(next.duration_since(now));
            now = next;
        }
        assert_eq!((pauses[0], pauses[7]), (FIRST_PAUSE * 2, LONGEST_PAUSE));
    }

    #[test]
    fn refusals_are_answers_and_absences_are_not() {
        let circuit = Circuit::new(Service::Sqs);
        let request = || "POST /".to_owned();
        let message = || "m".to_owned();
        let throttled = || Err::<(), _>(BossError::Throttled { request: request(), message: message() });
        let absent = || Err::<(), _>(BossError::Server { request: request(), status: 502, message: message() });
        for _ in 0..FAILURES - 1 {
            Pass { circuit: &circuit, is_probe: false }.went(&absent());
        }
        assert_eq!(circuit.state().failures, FAILURES - 1);
        Pass { circuit: &circuit, is_probe: false }.went(&throttled());
        assert_eq!(circuit.state().failures, 0);
    }

    #[tokio::test]
    async fn all_who_wait_go_on_when_it_closes() {
        let (circuit, now) = open();
        assert_eq!(circuit.try_pass(now + LONGEST_PAUSE), Ok(true));
        let waiting: Vec<_> = (0..10)
            .map(|_| {
                let circuit = circuit.clone();
                tokio::spawn(async move { circuit.pass().await.map(|pass| pass.is_probe).ok() })
            })
            .collect();
        tokio::task::yield_now().await;
        Pass { circuit: &circuit, is_probe: true }.went(&Ok(()));
        for waiting in waiting {
            assert_eq!(waiting.await.unwrap(), Some(false));
        }
    }

    #[tokio::test]
    async fn a_probe_that_is_dropped_lets_another_go() {
        let (circuit, _) = open();
        circuit.state().next = Some(Instant::now());
        let probe = circuit.pass().await.unwrap();
        assert!(probe.is_probe);
        drop(probe);
        assert!(circuit.pass().await.unwrap().is_probe);
    }
}
