//! One rule: on which requests, when, and what goes wrong.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Deserialize;

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action {
    /// Nothing is done, and the client is told so.
    Fail(Failure),
    /// It is done later.
    Delay(Duration),
    /// It is done at once and answered later.
    AnswerAfter(Duration),
    /// The connection is cut before anything is done.
    CutBefore,
    /// It is done, and the connection is cut before the answer.
    CutAfter,
    /// What was received can be received again at once.
    Duplicate,
}

/// How a service says that it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    InternalError,
    Unavailable,
    Throttled,
}

/// Which of the requests that a rule is for it applies to.
#[derive(Clone, Debug, PartialEq)]
pub enum When {
    Always,
    /// To a part of them.
    Probability(f64),
    /// To these, counted from 1.
    Nth(Vec<u64>),
}

/// A rule of a running server, with its counts.
#[derive(Debug)]
pub struct Rule {
    /// An operation, `s3.*`, `sqs.*`, `rest.*`, or `*`.
    pub on: String,
    pub when: When,
    /// Since the server's start.
    pub during: Range<Duration>,
    /// How often it applies at most.
    pub times: u64,
    pub action: Action,
    pub seed: u64,
    seen: AtomicU64,
    applied: AtomicU64,
}

impl Rule {
    pub fn new(on: &str, when: When, during: Range<Duration>, times: u64, action: Action, seed: u64) -> Rule {
        let (seen, applied) = (AtomicU64::new(0), AtomicU64::new(0));
        Rule { on: on.to_owned(), when, during, times, action, seed, seen, applied }
    }

    /// What is to happen to a request at this time after the start; `None` when the rule does not apply to it.
    ///
    /// Chance depends on the seed and on the request's number alone, so requests that come in another order meet the same.
    pub fn decide(&self, operation: &str, now: Duration) -> Option<Action> {
        if !is_meant(&self.on, operation) {
            return None;
        }
        let number = self.seen.fetch_add(1, Ordering::Relaxed) + 1;
        let is_hit = match &self.when {
            When::Always => true,
            When::Probability(part) => chance(self.seed, number) < *part,
            When::Nth(numbers) => numbers.contains(&number),
        };
        let applies = is_hit && self.during.contains(&now) && self.applied.fetch_add(1, Ordering::Relaxed) < self.times;
        applies.then_some(self.action)
    }
}

/// Whether a pattern means an operation.
pub fn is_meant(pattern: &str, operation: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => operation.starts_with(start),
        None => pattern == operation,
    }
}

fn chance(seed: u64, number: u64) -> f64 {
    fastrand::Rng::with_seed(seed.wrapping_add(number.wrapping_mul(0x9E37_79B9_7F4A_7C15))).f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(on: &str, when: When, times: u64) -> Rule {
        Rule::new(on, when, Duration::from_secs(1)..Duration::from_secs(5), times, Action::CutAfter, 7)
    }

    /// The numbers of the requests to which a rule applies, of 1000 puts in its time.
    fn hits(rule: &Rule) -> Vec<u64> {
        (1..=1000).filter(|_| rule.decide("s3.put", Duration::from_secs(2)).is_some()).collect()
    }

    #[test]
    fn a_rule_applies_to_its_requests_alone() {
        assert_eq!(hits(&rule("s3.put", When::Nth(vec![3, 5]), 9)), [3, 5]);
        assert_eq!(hits(&rule("s3.*", When::Always, 2)), [1, 2]);
        assert_eq!(hits(&rule("sqs.*", When::Always, 9)), [0; 0]);
        let early = rule("*", When::Always, 9);
        assert_eq!(early.decide("s3.put", Duration::ZERO), None);
        assert_eq!(early.decide("s3.put", Duration::from_secs(5)), None);
        assert_eq!(early.decide("s3.put", Duration::from_secs(1)), Some(Action::CutAfter));
    }

    #[test]
    fn chance_is_the_same_for_the_same_seed() {
        let tenth = || rule("s3.put", When::Probability(0.1), u64::MAX);
        let found = hits(&tenth());
        assert!((70..130).contains(&found.len()), "{}", found.len());
        assert_eq!(found, hits(&tenth()));
        assert_ne!(found, hits(&Rule { seed: 8, ..tenth() }));
    }
}
