//! What all requests and background tasks of one server share.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::HOST;
use axum::http::request::Parts;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::active::{ActiveJob, ActiveJobs};
use super::background::BackgroundThreads;
use super::keys::{KeyTimes, Keys};
use super::sigv4::{self, Refusal, Service};
use super::store::objects::Objects;
use super::store::{Store, now_ms};

/// Memory for voxels of cutouts and of chunks that are assembled, each, in KiB. What is larger runs alone.
const CUTOUT_KIB: u32 = 768 * 1024;
const ASSEMBLY_KIB: u32 = 64 * 1024;

pub struct Site {
    pub store: Store,
    pub objects: Objects,
    pub active: ActiveJobs,
    pub keys: Keys,
    pub token: String,
    pub origin: String,
    pub completion_wait: Duration,
    pub visibility: Duration,
    pub key_times: KeyTimes,
    /// Milliseconds by which the clock that signatures are held against is ahead.
    pub clock_ahead_ms: i64,
    /// Messages may have become visible, or queues have ended.
    pub queues_changed: Notify,
    /// A chunk may be ready for its assembly.
    pub chunk_full: Notify,
    /// An ended queue has messages to be swept away.
    pub queue_ended: Notify,
    pub stopping: CancellationToken,
    pub cutout_memory: Budget,
    pub assembly_memory: Budget,
    /// Threads for what may take as long as it needs, while requests are answered.
    pub background_threads: BackgroundThreads,
    background: Mutex<JoinSet<()>>,
}

/// What differs between servers; the rest of a [`Site`] begins empty.
pub struct SiteParts {
    pub store: Store,
    pub objects: Objects,
    pub token: String,
    pub origin: String,
    pub completion_wait: Duration,
    pub visibility: Duration,
    pub key_times: KeyTimes,
    pub clock_ahead_ms: i64,
}

impl Site {
    pub fn new(parts: SiteParts) -> Arc<Site> {
        let SiteParts { store, objects, token, origin, completion_wait, visibility, key_times, clock_ahead_ms } = parts;
        Arc::new(Site {
            store,
            objects,
            active: ActiveJobs::default(),
            keys: Keys::default(),
            token,
            origin,
            completion_wait,
            visibility,
            key_times,
            clock_ahead_ms,
            queues_changed: Notify::new(),
            chunk_full: Notify::new(),
            queue_ended: Notify::new(),
            stopping: CancellationToken::new(),
            cutout_memory: Budget::new(CUTOUT_KIB),
            assembly_memory: Budget::new(ASSEMBLY_KIB),
            background_threads: BackgroundThreads::start(),
            background: Mutex::default(),
        })
    }

    /// Runs a task until the server stops; it has to watch `stopping` itself.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut background = self.background.lock().unwrap_or_else(PoisonError::into_inner);
        while background.try_join_next().is_some() {}
        background.spawn(task);
    }

    /// The job whose key signed a request. `payload` is the hash of its body, or what stands for it.
    ///
    /// # Errors
    /// [`Refusal`] when nobody's did.
    pub fn signer(&self, parts: &Parts, service: Service, payload: &str) -> Result<Arc<ActiveJob>, Refusal> {
        let job = sigv4::verify(&self.keys, now_ms(), self.clock_ahead_ms, parts, service, payload)?;
        self.active.by_id(job).ok_or(Refusal::UnknownKey)
    }

    /// Stops taking part in anything new and waits for what runs.
    pub async fn stop(&self) {
        self.stopping.cancel();
        let mut background = std::mem::take(&mut *self.background.lock().unwrap_or_else(PoisonError::into_inner));
        while background.join_next().await.is_some() {}
    }

    /// The server's address as the sender of a request knows it.
    pub fn origin_for(&self, headers: &HeaderMap) -> String {
        let is_host = |host: &&str| host.bytes().all(|b| b.is_ascii_alphanumeric() || b".:-[]_".contains(&b));
        match headers.get(HOST).and_then(|host| host.to_str().ok()).filter(is_host) {
            Some(host) if !host.is_empty() => format!("http://{host}"),
            _ => self.origin.clone(),
        }
    }
}

/// Memory that tasks share; a task that wants more than there is runs alone.
pub struct Budget {
    total_kib: u32,
    free: Semaphore,
}

impl Budget {
    fn new(total_kib: u32) -> Self {
        Budget { total_kib, free: Semaphore::new(total_kib as usize) }
    }

    pub async fn take(&self, bytes: u64) -> tokio::sync::SemaphorePermit<'_> {
        let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX).min(self.total_kib);
        self.free.acquire_many(kib).await.expect("the budget is never closed")
    }

    pub fn total_bytes(&self) -> u64 {
        u64::from(self.total_kib) * 1024
    }
}
