//! The AWS keys of jobs: each join gets new ones, and those of the same job made before stay good until they expire.
//!
//! Every SQS and S3 request looks here, so this is a map in memory; the store has the same, so that a restart of the server
//! takes no client's keys away.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use super::directory::random_hex;
use super::sigv4::{self, Refusal, Service};
use crate::protocol::Credentials;

/// An expired key is still told from one that never was, for so long.
const REMEMBERED_MS: i64 = 24 * 60 * 60 * 1000;

/// From when on and for how long keys are good.
#[derive(Clone, Copy, Debug)]
pub struct KeyTimes {
    /// How long a key is good after it was made.
    pub lifetime: Duration,
    /// How long a new key is not yet known, as real ones are not at once.
    pub settle: Duration,
}

impl Default for KeyTimes {
    /// An hour, and known at once.
    fn default() -> Self {
        KeyTimes { lifetime: Duration::from_secs(3600), settle: Duration::ZERO }
    }
}

/// One pair of keys. `Debug` does not show the secret.
pub struct Key {
    pub job: u64,
    pub access_key: String,
    pub secret_key: String,
    pub valid_from_ms: i64,
    pub expires_ms: i64,
    /// What was last derived from the secret for each service: the day, and the signing key.
    derived: Mutex<HashMap<&'static str, (String, [u8; 32])>>,
}

impl Key {
    /// Makes a new pair for a job.
    pub fn make(job: u64, now_ms: i64, times: KeyTimes) -> Key {
        let later = |duration: Duration| now_ms.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX));
        let access_key = format!("AKIA{}", random_hex()[..16].to_uppercase());
        Key::read(job, access_key, random_hex(), later(times.settle), later(times.lifetime))
    }

    pub fn read(job: u64, access_key: String, secret_key: String, valid_from_ms: i64, expires_ms: i64) -> Key {
        Key { job, access_key, secret_key, valid_from_ms, expires_ms, derived: Mutex::default() }
    }

    pub fn credentials(&self) -> Credentials {
        Credentials { access_key: self.access_key.clone(), secret_key: self.secret_key.clone(), security_token: None }
    }

    /// The key that signs on this day (`20210503`) for this service. Derived once for each day.
    pub fn signing_key(&self, date: &str, service: Service) -> [u8; 32] {
        let mut derived = self.derived.lock().unwrap_or_else(PoisonError::into_inner);
        match derived.get(service.name()) {
            Some((day, key)) if day == date => *key,
            _ => {
                let key = sigv4::derive(&self.secret_key, date, service);
                derived.insert(service.name(), (date.to_owned(), key));
                key
            }
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("job", &self.job).field("access_key", &self.access_key).finish_non_exhaustive()
    }
}

/// The keys of all jobs that run.
#[derive(Default)]
pub struct Keys {
    by_access_key: RwLock<HashMap<String, Arc<Key>>>,
}

impl Keys {
    /// Adds a key, and forgets those that expired long ago.
    pub fn insert(&self, key: Arc<Key>, now_ms: i64) {
        let mut keys = self.by_access_key.write().unwrap_or_else(PoisonError::into_inner);
        keys.retain(|_, key| key.expires_ms.saturating_add(REMEMBERED_MS) > now_ms);
        keys.insert(key.access_key.clone(), key);
    }

    /// Takes away a job's keys.
    pub fn remove(&self, job: u64) {
        self.by_access_key.write().unwrap_or_else(PoisonError::into_inner).retain(|_, key| key.job != job);
    }

    /// A key that is good now.
    pub fn find(&self, access_key: &str, now_ms: i64) -> Result<Arc<Key>, Refusal> {
        let keys = self.by_access_key.read().unwrap_or_else(PoisonError::into_inner);
        match keys.get(access_key) {
            Some(key) if now_ms >= key.expires_ms => Err(Refusal::Expired),
            Some(key) if now_ms >= key.valid_from_ms => Ok(key.clone()),
            _ => Err(Refusal::UnknownKey),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_good_from_when_it_is_known_until_it_expires() {
        let keys = Keys::default();
        let times = KeyTimes { lifetime: Duration::from_secs(10), settle: Duration::from_secs(1) };
        let key = Arc::new(Key::make(7, 1000, times));
        keys.insert(key.clone(), 1000);
        let found = |now_ms| keys.find(&key.access_key, now_ms).map(|key| key.job);
        let expected =
            [(1999, Err(Refusal::UnknownKey)), (2000, Ok(7)), (10_999, Ok(7)), (11_000, Err(Refusal::Expired))];
        for (now_ms, expected) in expected {
            assert_eq!(found(now_ms), expected, "{now_ms}");
        }
        keys.remove(7);
        assert_eq!(found(5000), Err(Refusal::UnknownKey));
    }

    #[test]
    fn keys_that_expired_long_ago_are_forgotten() {
        let keys = Keys::default();
        let old = Arc::new(Key::make(7, 0, KeyTimes::default()));
        keys.insert(old.clone(), 0);
        keys.insert(Arc::new(Key::make(7, 0, KeyTimes::default())), 2 * REMEMBERED_MS);
        assert_eq!(keys.find(&old.access_key, 2 * REMEMBERED_MS).unwrap_err(), Refusal::UnknownKey);
        assert!(!format!("{old:?}").contains(&old.secret_key));
    }
}
