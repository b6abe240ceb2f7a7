//! The file of faults: JSON, refused with every mistake that it has.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::rule::{Action, Failure, Rule, When, is_meant};
use crate::config::nearest;
use crate::server::keys::KeyTimes;
use crate::server::operation;

/// What is to go wrong, as it was read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Faults {
    seed: u64,
    keys: KeysSection,
    /// Seconds by which the server's clock is ahead; behind, when negative.
    clock_ahead_s: f64,
    pub(super) disk_full: Option<DiskFull>,
    rules: Vec<RuleSection>,
}

/// From when on and for how long keys are good.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct KeysSection {
    lifetime_s: Option<f64>,
    settle_s: Option<f64>,
}

/// When nothing more can be stored, and for how long.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct DiskFull {
    /// Bytes of objects that go in before.
    pub after_bytes: u64,
    /// Until somebody makes room; for good when absent.
    pub for_s: Option<f64>,
}

#[derive(Clone, Debug, Deserialize)]
struct RuleSection {
    on: String,
    probability: Option<f64>,
    nth: Option<Vec<u64>>,
    from_s: Option<f64>,
    to_s: Option<f64>,
    times: Option<u64>,
    fail: Option<Failure>,
    delay_ms: Option<u64>,
    answer_after_ms: Option<u64>,
    cut: Option<Cut>,
    duplicate: Option<bool>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Cut {
    Before,
    After,
}

const FILE: &[&str] = &["seed", "keys", "clock_ahead_s", "disk_full", "rules"];
const KEYS: &[&str] = &["lifetime_s", "settle_s"];
const DISK_FULL: &[&str] = &["after_bytes", "for_s"];
const RULE: &[&str] =
    &["on", "probability", "nth", "from_s", "to_s", "times", "fail", "delay_ms", "answer_after_ms", "cut", "duplicate"];
const PATTERNS: [&str; 4] = ["*", "s3.*", "sqs.*", "rest.*"];

/// Why a file of faults cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FaultsError {
    #[error("the faults in `{}` cannot be read", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("the faults in `{}` are no JSON", path.display())]
    Malformed { path: PathBuf, source: serde_json::Error },
    #[error("the faults in `{}` cannot be used{}", path.display(), wrong.iter().map(|line| format!("\n  {line}")).collect::<String>())]
    Invalid { path: PathBuf, wrong: Vec<String> },
}

impl Faults {
    /// Reads a file.
    ///
    /// # Errors
    /// [`FaultsError`], with all that is wrong.
    pub fn load(path: &Path) -> Result<Faults, FaultsError> {
        let own = || path.to_owned();
        let text = fs::read_to_string(path).map_err(|source| FaultsError::Unreadable { path: own(), source })?;
        let value: Value =
            serde_json::from_str(&text).map_err(|source| FaultsError::Malformed { path: own(), source })?;
        Faults::read(&value).map_err(|wrong| FaultsError::Invalid { path: own(), wrong })
    }

    fn read(value: &Value) -> Result<Faults, Vec<String>> {
        let wrong = unknown_fields(value);
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let faults: Faults = serde_json::from_value(value.clone()).map_err(|error| vec![error.to_string()])?;
        let wrong: Vec<_> = faults.rules.iter().enumerate().flat_map(|(at, rule)| rule.mistakes(at)).collect();
        if wrong.is_empty() { Ok(faults) } else { Err(wrong) }
    }

    /// The rules, each with a chance of its own and with nothing counted yet.
    pub(super) fn rules(&self) -> Vec<Rule> {
        let rules = self.rules.iter().zip(0_u64..);
        rules.filter_map(|(rule, at)| rule.rule(self.seed.wrapping_add(at << 32))).collect()
    }

    pub fn key_times(&self) -> KeyTimes {
        let KeyTimes { lifetime, settle } = KeyTimes::default();
        KeyTimes {
            lifetime: self.keys.lifetime_s.map_or(lifetime, seconds),
            settle: self.keys.settle_s.map_or(settle, seconds),
        }
    }

    pub fn clock_ahead_ms(&self) -> i64 {
        (self.clock_ahead_s * 1000.0) as i64
    }
}

impl RuleSection {
    fn rule(&self, seed: u64) -> Option<Rule> {
        let when = match (self.probability, &self.nth) {
            (Some(part), _) => When::Probability(part),
            (None, Some(numbers)) => When::Nth(numbers.clone()),
            (None, None) => When::Always,
        };
        let during = seconds(self.from_s.unwrap_or(0.0))..self.to_s.map_or(Duration::MAX, seconds);
        let action = *self.actions().first()?;
        Some(Rule::new(&self.on, when, during, self.times.unwrap_or(u64::MAX), action, seed))
    }

    fn actions(&self) -> Vec<Action> {
        let cut = self.cut.map(|cut| match cut {
            Cut::Before => Action::CutBefore,
            Cut::After => Action::CutAfter,
        });
        let actions = [
            self.fail.map(Action::Fail),
            self.delay_ms.map(|ms| Action::Delay(Duration::from_millis(ms))),
            self.answer_after_ms.map(|ms| Action::AnswerAfter(Duration::from_millis(ms))),
            cut,
            self.duplicate.filter(|duplicate| *duplicate).map(|_| Action::Duplicate),
        ];
        actions.into_iter().flatten().collect()
    }

    /// What is wrong with the rule at this place.
    fn mistakes(&self, at: usize) -> Vec<String> {
        let mut wrong = Vec::new();
        let known = || PATTERNS.into_iter().chain(operation::NAMES);
        if !known().any(|name| name == self.on) {
            let meant = nearest(&self.on, known()).map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
            wrong.push(format!("`rules[{at}].on`: no requests are called `{}`{meant}", self.on));
        }
        if self.actions().len() != 1 {
            let one = "one of `fail`, `delay_ms`, `answer_after_ms`, `cut` and `duplicate` says what goes wrong";
            wrong.push(format!("`rules[{at}]`: {one}, this rule has {}", self.actions().len()));
        }
        if self.probability.is_some_and(|part| !(0.0..=1.0).contains(&part)) {
            wrong.push(format!("`rules[{at}].probability`: from 0 to 1"));
        }
        if self.probability.is_some() && self.nth.is_some() {
            wrong.push(format!("`rules[{at}]`: `probability` or `nth`, not both"));
        }
        if self.duplicate == Some(true) && !is_meant(&self.on, "sqs.receive") {
            wrong.push(format!("`rules[{at}].duplicate`: only on `sqs.receive`"));
        }
        wrong
    }
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

/// Fields that mean nothing, each with the one that may have been meant.
fn unknown_fields(value: &Value) -> Vec<String> {
    let mut wrong = unknown(value, "", FILE);
    wrong.extend(unknown(&value["keys"], "keys.", KEYS));
    wrong.extend(unknown(&value["disk_full"], "disk_full.", DISK_FULL));
    for (at, rule) in value["rules"].as_array().into_iter().flatten().enumerate() {
        wrong.extend(unknown(rule, &format!("rules[{at}]."), RULE));
    }
    wrong
}

fn unknown(value: &Value, place: &str, known: &[&'static str]) -> Vec<String> {
    let names = value.as_object().into_iter().flat_map(Map::keys).filter(|name| !known.contains(&name.as_str()));
    let complain = |name: &String| {
        let meant = nearest(name, known.iter().copied());
        let meant =
            meant.map_or_else(|| format!("known are {}", known.join(", ")), |name| format!("did you mean `{name}`?"));
        format!("`{place}{name}`: there is no such field; {meant}")
    };
    names.map(complain).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_file_becomes_rules() {
        let faults = Faults::read(&json!({
            "seed": 7, "clock_ahead_s": -1.5, "keys": {"lifetime_s": 3}, "disk_full": {"after_bytes": 10},
            "rules": [
                {"on": "s3.put", "probability": 0.1, "fail": "throttled"},
                {"on": "*", "nth": [3, 5], "from_s": 1, "to_s": 2.5, "times": 1, "cut": "after"},
                {"on": "sqs.receive", "duplicate": true},
            ],
        }));
        let faults = faults.unwrap();
        let rules = faults.rules();
        assert_eq!((rules[0].action, &rules[0].when), (Action::Fail(Failure::Throttled), &When::Probability(0.1)));
        assert_eq!((rules[1].action, &rules[1].when), (Action::CutAfter, &When::Nth(vec![3, 5])));
        assert_eq!(rules[1].during, Duration::from_secs(1)..Duration::from_millis(2500));
        assert_eq!((rules[2].action, rules[2].times), (Action::Duplicate, u64::MAX));
        assert_eq!((faults.clock_ahead_ms(), faults.key_times().lifetime), (-1500, Duration::from_secs(3)));
    }

    #[test]
    fn every_mistake_is_told_with_what_was_meant() {
        let cases = [
            (
                json!({"sed": 7, "rules": [{"on": "*", "cutt": "after"}]}),
                "`sed`: there is no such field; did you mean `seed`?",
            ),
            (
                json!({"rules": [{"on": "*", "cutt": "after"}]}),
                "`rules[0].cutt`: there is no such field; did you mean `cut`?",
            ),
            (json!({"keys": {"lifetime": 3}}), "`keys.lifetime`: there is no such field; did you mean `lifetime_s`?"),
            (
                json!({"rules": [{"on": "s3.putt", "cut": "after"}]}),
                "`rules[0].on`: no requests are called `s3.putt`; did you mean `s3.put`?",
            ),
            (json!({"rules": [{"on": "*"}]}), "`rules[0]`: one of `fail`,"),
            (json!({"rules": [{"on": "*", "cut": "after", "delay_ms": 3}]}), "this rule has 2"),
            (json!({"rules": [{"on": "*", "cut": "after", "probability": 2}]}), "`rules[0].probability`: from 0 to 1"),
            (json!({"rules": [{"on": "s3.put", "duplicate": true}]}), "`rules[0].duplicate`: only on `sqs.receive`"),
            (json!({"rules": [{"on": "*", "cut": "later"}]}), "unknown variant `later`"),
            (json!({"rules": [{"cut": "after"}]}), "missing field `on`"),
        ];
        for (file, told) in cases {
            let wrong = Faults::read(&file).unwrap_err().join("\n");
            assert!(wrong.contains(told), "{file}: {wrong}");
        }
    }
}
