//! The job's AWS keys: one set for all tasks, renewed by age or when refused, once for all who need it.
//!
//! Joining makes new keys, which some parts of AWS do not know for a while. So a refusal of new keys is waited out and
//! does not lead to newer ones, which would begin the wait again. A refusal of keys that had time to settle renews them,
//! once; when the new ones settle and are refused as well, the job is given up.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, timeout};

use super::SessionSettings;
use crate::boss::{BossError, JoinWait, Joined, Rest, Service, SigningKeys};
use crate::protocol::Credentials;

/// A renewal that takes longer is broken off.
const RENEWAL_TIME: Duration = Duration::from_secs(60);

/// How a renewal looks for keys that are not there for a moment.
const RENEWAL_WAIT: JoinWait = JoinWait { pause: Duration::from_secs(1), failures: 5 };

/// Why keys are renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    Age,
    Refusal,
}

/// The keys of one job.
#[derive(Debug)]
pub(super) struct Keyring {
    rest: Rest,
    job: u64,
    settings: SessionSettings,
    current: RwLock<Arc<KeySet>>,
    /// Held while renewing; the time of the last failure.
    renewal: Mutex<Option<Instant>>,
}

/// The keys that one call to join gave.
#[derive(Debug)]
struct KeySet {
    keys: SigningKeys,
    generation: u64,
    since: Instant,
    /// Why these replace others.
    cause: Option<Cause>,
    /// Whether S3 and SQS have accepted them.
    worked: [AtomicBool; 2],
}

impl Keyring {
    pub fn new(rest: Rest, job: u64, credentials: &Credentials, settings: SessionSettings) -> Self {
        let current = RwLock::new(Arc::new(KeySet::new(credentials, 0, None)));
        Keyring { rest, job, settings, current, renewal: Mutex::new(None) }
    }

    /// Calls once with keys that are not too old. When they are refused, sees to it that the next call has better ones.
    ///
    /// # Errors
    /// The call's own; `KeysRefused` in place of `Keys` when renewal did not help; `JobComplete` and `JobGone` when a
    /// renewal shows that the job is over.
    pub async fn with_keys<T, F>(&self, service: Service, call: impl Fn(SigningKeys) -> F) -> Result<T, BossError>
    where
        F: Future<Output = Result<T, BossError>>,
    {
        let used = self.not_too_old().await?;
        match call(used.keys.clone()).await {
            Err(BossError::Keys { service, code, message }) => Err(self.refused(&used, service, code, message).await),
            Ok(value) => {
                used.worked[service as usize].store(true, Ordering::Relaxed);
                Ok(value)
            }
            Err(error) => Err(error),
        }
    }

    fn current(&self) -> Arc<KeySet> {
        self.current.read().expect("no holder of this lock panics").clone()
    }

    /// Old keys are renewed by one task; the others go on with them, as they still work for some minutes.
    async fn not_too_old(&self) -> Result<Arc<KeySet>, BossError> {
        let keys = self.current();
        let too_old = keys.since.elapsed() >= self.settings.renew_after;
        if let Some(turn) = too_old.then(|| self.renewal.try_lock().ok()).flatten() {
            self.renew(turn, &keys, Cause::Age).await?;
        }
        Ok(self.current())
    }

    /// The error to give for refused keys: final, or one that leads to another try.
    async fn refused(&self, used: &KeySet, service: Service, code: String, message: String) -> BossError {
        if self.current().generation == used.generation && used.since.elapsed() >= self.settings.settle {
            if used.cause == Some(Cause::Refusal) && !used.worked[service as usize].load(Ordering::Relaxed) {
                return BossError::KeysRefused { service, code, message };
            }
            let turn = self.renewal.lock().await;
            if let Err(error) = self.renew(turn, used, Cause::Refusal).await {
                return error;
            }
        }
        BossError::Keys { service, code, message }
    }

    /// Joins again unless somebody did since `used` was taken. Failures of the moment leave the keys as they are.
    async fn renew(
        &self,
        mut failed_at: MutexGuard<'_, Option<Instant>>,
        used: &KeySet,
        cause: Cause,
    ) -> Result<(), BossError> {
        let lately = failed_at.is_some_and(|at| at.elapsed() < cause.gap());
        if lately || self.current().generation != used.generation {
            return Ok(());
        }
        match timeout(RENEWAL_TIME, self.rest.join_until_ready(self.job, RENEWAL_WAIT, |_| ())).await {
            Ok(Ok(joined)) => {
                let credentials = self.credentials(joined)?;
                let keys = KeySet::new(&credentials, used.generation + 1, Some(cause));
                *self.current.write().expect("no holder of this lock panics") = Arc::new(keys);
                *failed_at = None;
                tracing::info!(job = self.job, ?cause, "the job's keys were renewed");
                Ok(())
            }
            Ok(Err(error)) if is_final(&error) => Err(error),
            failure => {
                let reason = failure.map_or_else(|late| late.to_string(), |result| format!("{:?}", result.err()));
                tracing::warn!(job = self.job, reason, "the job's keys could not be renewed for the moment");
                *failed_at = Some(Instant::now());
                Ok(())
            }
        }
    }

    fn credentials(&self, joined: Joined) -> Result<Credentials, BossError> {
        let id = self.job;
        match joined {
            Joined::Ready(reply) => reply.credentials.ok_or_else(|| self.rest.no_keys(id)),
            Joined::Complete => Err(BossError::JobComplete { id }),
            Joined::Deleted => Err(BossError::JobGone { id }),
            Joined::Failed => Err(BossError::JobUnprepared { id, message: "the job has failed".to_owned() }),
        }
    }
}

impl Cause {
    /// After a renewal that failed for the moment, none is tried for this long.
    fn gap(self) -> Duration {
        match self {
            Cause::Age => Duration::from_secs(30),
            Cause::Refusal => Duration::from_secs(1),
        }
    }
}

impl KeySet {
    fn new(credentials: &Credentials, generation: u64, cause: Option<Cause>) -> Self {
        let keys = SigningKeys::new(credentials);
        KeySet { keys, generation, since: Instant::now(), cause, worked: Default::default() }
    }
}

/// Whether joining again later would fail as well. An answer that makes no sense may come from something in between.
fn is_final(error: &BossError) -> bool {
    error.stops_the_job() && !matches!(error, BossError::BadAnswer { .. } | BossError::Redirected { .. })
}
