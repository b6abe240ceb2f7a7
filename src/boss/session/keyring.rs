//! The job's AWS keys: one set for all tasks, renewed by age or when refused, once for all who need it.
//!
//! Joining makes new keys, which some parts of AWS do not know for a while. So a refusal of new keys is waited out and
//! does not lead to newer ones, which would begin the wait again; those that they replace by age serve meanwhile. A refusal
//! of keys that had time to settle, or that worked before, renews them, once; when the new ones settle and are refused as
//! well, the job is given up. Nobody tells how long keys live: once some were refused that had worked, the next ones are
//! renewed in time.

use std::sync::atomic::{AtomicU64, Ordering};
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
const RENEWAL_WAIT: JoinWait = JoinWait { pause: Duration::from_secs(1), failures: 8 };

/// Codes that say that keys are over, and not that they are unknown yet.
const EXPIRED: [&str; 2] = ["ExpiredToken", "ExpiredTokenException"];

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
    life: RwLock<Life>,
}

/// What is known of how long keys live.
#[derive(Debug)]
struct Life {
    /// Older ones are renewed.
    renew_after: Duration,
    /// How long the last ones worked, when they ended with a refusal.
    ended_after: Option<Duration>,
}

/// The keys that one call to join gave.
#[derive(Debug)]
struct KeySet {
    keys: SigningKeys,
    generation: u64,
    since: Instant,
    /// Why these replace others.
    cause: Option<Cause>,
    /// Those that these replace by age, which still work for some time.
    older: Option<Arc<KeySet>>,
    /// When S3 and SQS last accepted them: milliseconds from the beginning, and one more; 0 when they never did.
    worked: [AtomicU64; 2],
}

impl Keyring {
    pub fn new(rest: Rest, job: u64, credentials: &Credentials, settings: SessionSettings) -> Self {
        let current = RwLock::new(Arc::new(KeySet::new(credentials, 0, None, None)));
        let life = Life { renew_after: settings.renew_after, ended_after: None };
        Keyring { rest, job, settings, current, renewal: Mutex::new(None), life: RwLock::new(life) }
    }

    /// Calls with keys that are not too old. When they are refused, sees to it that the next call has better ones.
    ///
    /// # Errors
    /// The call's own; `KeysRefused` in place of `Keys` when renewal did not help; `JobComplete` and `JobGone` when a
    /// renewal shows that the job is over.
    pub async fn with_keys<T, F>(&self, service: Service, call: impl Fn(SigningKeys) -> F) -> Result<T, BossError>
    where
        F: Future<Output = Result<T, BossError>>,
    {
        let used = self.not_too_old().await?;
        let (code, message) = match call(used.keys.clone()).await {
            Err(BossError::Keys { code, message, .. }) => (code, message),
            result => {
                if result.is_ok() {
                    used.works(service);
                }
                return result;
            }
        };
        if let Some(older) = used.older.as_ref().filter(|_| !used.has_worked(service)) {
            match call(older.keys.clone()).await {
                Err(BossError::Keys { .. }) => {}
                result => return result,
            }
        }
        Err(self.refused(&used, service, code, message).await)
    }

    fn current(&self) -> Arc<KeySet> {
        self.current.read().expect("no holder of this lock panics").clone()
    }

    fn renew_after(&self) -> Duration {
        self.life.read().expect("no holder of this lock panics").renew_after
    }

    /// Old keys are renewed by one task; the others go on with them, as they still work for some minutes.
    async fn not_too_old(&self) -> Result<Arc<KeySet>, BossError> {
        let keys = self.current();
        let too_old = keys.since.elapsed() >= self.renew_after();
        if let Some(turn) = too_old.then(|| self.renewal.try_lock().ok()).flatten() {
            self.renew(turn, &keys, Cause::Age).await?;
        }
        Ok(self.current())
    }

    /// The error to give for refused keys: final, or one that leads to another try.
    async fn refused(&self, used: &Arc<KeySet>, service: Service, code: String, message: String) -> BossError {
        let is_settled = used.since.elapsed() >= self.settings.settle;
        let is_over = EXPIRED.contains(&code.as_str()) || used.idle().is_some_and(|idle| idle >= self.settings.doubt);
        if self.current().generation == used.generation && (is_settled || is_over) {
            if is_settled && used.cause == Some(Cause::Refusal) && !used.has_worked(service) {
                return BossError::KeysRefused { service, code, message };
            }
            let turn = self.renewal.lock().await;
            if let Err(error) = self.renew(turn, used, Cause::Refusal).await {
                return error;
            }
        }
        BossError::Keys { service, code, message }
    }

    /// Learns from keys that worked for so long and were then refused. Once may have other reasons; twice in a row tells how
    /// long keys live.
    fn learn(&self, used: &KeySet, cause: Cause) {
        let worked_for = used.worked_for().filter(|_| cause == Cause::Refusal);
        let mut life = self.life.write().expect("no holder of this lock panics");
        if let (Some(before), Some(now)) = (life.ended_after, worked_for) {
            life.renew_after = life.renew_after.min(before.min(now) * 3 / 4);
            tracing::info!(job = self.job, renew_after = ?life.renew_after, "the job's keys live for less than an hour");
        }
        life.ended_after = worked_for;
    }

    /// Joins again unless somebody did since `used` was taken. Failures of the moment leave the keys as they are.
    async fn renew(
        &self,
        mut failed_at: MutexGuard<'_, Option<Instant>>,
        used: &Arc<KeySet>,
        cause: Cause,
    ) -> Result<(), BossError> {
        let gap = cause.gap().min(self.renew_after() / 4);
        let lately = failed_at.is_some_and(|at| at.elapsed() < gap);
        if lately || self.current().generation != used.generation {
            return Ok(());
        }
        match timeout(RENEWAL_TIME, self.rest.join_until_ready(self.job, RENEWAL_WAIT, |_| ())).await {
            Ok(Ok(joined)) => {
                let credentials = self.credentials(joined)?;
                self.learn(used, cause);
                let older = (cause == Cause::Age).then(|| used.without_older());
                let keys = KeySet::new(&credentials, used.generation + 1, Some(cause), older);
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
    fn new(credentials: &Credentials, generation: u64, cause: Option<Cause>, older: Option<Arc<KeySet>>) -> Self {
        let keys = SigningKeys::new(credentials);
        KeySet { keys, generation, since: Instant::now(), cause, older, worked: Default::default() }
    }

    /// The same, so that old keys do not keep still older ones.
    fn without_older(&self) -> Arc<Self> {
        let KeySet { keys, generation, since, cause, .. } = self;
        let (keys, worked) = (keys.clone(), Default::default());
        Arc::new(KeySet { keys, generation: *generation, since: *since, cause: *cause, older: None, worked })
    }

    fn works(&self, service: Service) {
        let millis = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX - 1);
        self.worked[service as usize].fetch_max(millis + 1, Ordering::Relaxed);
    }

    fn has_worked(&self, service: Service) -> bool {
        self.worked[service as usize].load(Ordering::Relaxed) > 0
    }

    /// From their making to when any service last accepted them.
    fn worked_for(&self) -> Option<Duration> {
        let last = self.worked.iter().map(|worked| worked.load(Ordering::Relaxed)).max()?;
        last.checked_sub(1).map(Duration::from_millis)
    }

    /// How long no service has accepted them, when one did before.
    fn idle(&self) -> Option<Duration> {
        Some(self.since.elapsed().saturating_sub(self.worked_for()?))
    }
}

/// Whether joining again later would fail as well. An answer that makes no sense may come from something in between.
fn is_final(error: &BossError) -> bool {
    error.stops_the_job() && !matches!(error, BossError::BadAnswer { .. } | BossError::Redirected { .. })
}
