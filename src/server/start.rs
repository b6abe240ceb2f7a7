//! Starts and stops a server.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::serve::ListenerExt;
use rusqlite::Connection;
use tokio::net::TcpListener;
use tokio::task::JoinHandle as TaskHandle;
use tokio::time::timeout;
use tokio_util::sync::DropGuard;

use super::active::{ActiveJob, JobQueues};
use super::directory::Directory;
use super::error::{ServerError, StoreError};
use super::faults::{self, CuttableListener, Faults, Wire};
use super::journal::{self, Journal};
use super::keys::KeyTimes;
use super::site::{Site, SiteParts};
use super::store::jobs::{self, Job};
use super::store::keys;
use super::store::objects::Objects;
use super::store::queue::{self, QueueRole};
use super::store::{Store, now_ms};
use super::{assembler, completion, population, router};
use crate::protocol::JobStatus;

/// Requests that are being answered when the server stops get this long.
const LAST_REQUESTS: Duration = Duration::from_secs(5);

/// How a local Boss runs.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// Where its data are; made if need be.
    pub dir: PathBuf,
    /// Port 0 takes a free one.
    pub listen: SocketAddr,
    /// How long a job waits between the request to complete it and its completion.
    pub completion_wait: Duration,
    /// How long a received upload message is hidden from others.
    pub visibility: Duration,
    /// From when on and for how long the keys of a join are good.
    pub key_times: KeyTimes,
    /// Milliseconds by which the server's clock is ahead, as far as signatures go.
    pub clock_ahead_ms: i64,
    /// What goes wrong on purpose.
    pub faults: Option<Faults>,
    /// Where effects are written down, in their order.
    pub journal: Option<PathBuf>,
}

impl ServerOptions {
    /// With these faults, which also say how long keys are good and what the server's clock shows.
    pub fn with_faults(self, faults: Faults) -> Self {
        let (key_times, clock_ahead_ms) = (faults.key_times(), faults.clock_ahead_ms());
        ServerOptions { key_times, clock_ahead_ms, faults: Some(faults), ..self }
    }

    /// Serves `dir` on a free port of the loopback interface, with the times of the Boss.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        ServerOptions {
            dir: dir.into(),
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            completion_wait: Duration::from_secs(180),
            visibility: Duration::from_secs(120),
            key_times: KeyTimes::default(),
            clock_ahead_ms: 0,
            faults: None,
            journal: None,
        }
    }
}

/// A running local Boss. Dropped without [`Server::shutdown`], it stops soon, with nothing lost.
pub struct Server {
    site: Arc<Site>,
    serving: TaskHandle<()>,
    store_thread: JoinHandle<()>,
    _stop_on_drop: DropGuard,
}

impl Server {
    /// Opens the folder, takes up what an earlier process left undone, and serves.
    ///
    /// # Errors
    /// [`ServerError::AlreadyServed`] with the address of the process that serves the folder, and the other variants for
    /// folders and ports that cannot be used.
    pub async fn start(options: ServerOptions) -> Result<Server, ServerError> {
        let open = options.dir.clone();
        let directory = tokio::task::spawn_blocking(move || Directory::open(&open)).await.expect("opening ends")?;
        let listener = listen(options.listen).await?;
        let address = listener.local_addr().map_err(|source| listen_error(options.listen, source))?;
        let origin = format!("http://{}", reachable(address));
        let token = directory.token()?;
        let dir = directory.path().to_owned();
        let objects = Objects::open(&dir).map_err(|source| ServerError::Directory { dir: dir.clone(), source })?;
        directory.tell_origin(&origin)?;
        let (store, store_thread) =
            Store::open(&directory.database(), directory.into_lock()).map_err(|error| store_error(&dir, error))?;
        let ServerOptions { completion_wait, visibility, key_times, clock_ahead_ms, faults, journal, .. } = options;
        let journal = journal.map(open_journal).transpose()?;
        let site = Site::new(SiteParts {
            store,
            objects,
            token,
            origin,
            completion_wait,
            visibility,
            key_times,
            clock_ahead_ms,
        });
        take_up(&site).await.map_err(|error| store_error(&dir, error))?;
        let serving = tokio::spawn(serve(site.clone(), listener, faults, journal));
        tracing::info!(origin = site.origin, dir = %dir.display(), "serving a local Boss");
        let _stop_on_drop = site.stopping.clone().drop_guard();
        Ok(Server { site, serving, store_thread, _stop_on_drop })
    }

    /// The address for clients, such as `http://127.0.0.1:4711`.
    pub fn origin(&self) -> String {
        self.site.origin.clone()
    }

    /// The API token of the folder's user, for `Authorization: Token …`. Not to be logged.
    pub fn token(&self) -> &str {
        &self.site.token
    }

    /// Stops: requests that run are answered, the store is closed, the folder is free for another process.
    pub async fn shutdown(self) {
        let Server { site, mut serving, store_thread, _stop_on_drop } = self;
        site.stopping.cancel();
        if timeout(LAST_REQUESTS, &mut serving).await.is_err() {
            serving.abort();
        }
        site.stop().await;
        drop(site);
        // The store's thread ends with the last owner of the site, which a request that was given up may still be.
        let joined = tokio::task::spawn_blocking(move || store_thread.join());
        let _ = timeout(LAST_REQUESTS, joined).await;
    }
}

async fn serve(site: Arc<Site>, listener: TcpListener, faults: Option<Faults>, journal: Option<Arc<Journal>>) {
    let stopping = site.stopping.clone().cancelled_owned();
    let mut router = Router::new().fallback(router::route).with_state(site.clone());
    if let Some(journal) = journal {
        router = router.layer(from_fn_with_state(journal, journal::layer));
    }
    let served = match faults {
        None => {
            let listener = listener.tap_io(|stream| {
                // Replies are small and are waited for.
                let _ = stream.set_nodelay(true);
            });
            axum::serve(listener, router).with_graceful_shutdown(stopping).await
        }
        Some(faults) => {
            let router = router.layer(from_fn_with_state(faults::Running::new(&faults, site), faults::layer));
            let service = router.into_make_service_with_connect_info::<Wire>();
            axum::serve(CuttableListener(listener), service).with_graceful_shutdown(stopping).await
        }
    };
    if let Err(error) = served {
        tracing::error!(%error, "the server stopped");
    }
}

fn open_journal(path: PathBuf) -> Result<Arc<Journal>, ServerError> {
    Journal::open(&path).map_err(|source| ServerError::Journal { path, source })
}

async fn listen(address: SocketAddr) -> Result<TcpListener, ServerError> {
    TcpListener::bind(address).await.map_err(|source| listen_error(address, source))
}

fn listen_error(address: SocketAddr, source: std::io::Error) -> ServerError {
    match source.kind() {
        ErrorKind::AddrInUse => ServerError::PortInUse { address },
        _ => ServerError::Listen { address, source },
    }
}

/// The address for clients of this machine: a server that listens everywhere is on the loopback interface too.
fn reachable(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => (Ipv4Addr::LOCALHOST, v4.port()).into(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => (Ipv6Addr::LOCALHOST, v6.port()).into(),
        other => other,
    }
}

fn store_error(dir: &Path, error: StoreError) -> ServerError {
    match error {
        StoreError::Newer { found, known } => ServerError::NewerDirectory { dir: dir.to_owned(), found, known },
        source => ServerError::Store { dir: dir.to_owned(), source },
    }
}

/// Takes up what an earlier process left: its jobs, queues that were being filled, jobs that were being completed.
///
/// Whoever held messages lost its connection with the server before this one: the messages are free at once, so that a
/// job does not wait for leases of the dead. One that lives and comes back does some work twice, which changes nothing.
async fn take_up(site: &Arc<Site>) -> Result<(), StoreError> {
    site.store.write(|connection| queue::free_all(connection, now_ms())).await?;
    for (job, queues) in site.store.read(running_jobs).await? {
        let active = Arc::new(ActiveJob::new(&job, queues)?);
        site.active.insert(active.clone());
        if !job.is_populated() {
            site.spawn(population::populate(site.clone(), active.clone(), job.populated));
        }
        if job.status == JobStatus::Completing {
            site.spawn(completion::finish(site.clone(), active));
        }
    }
    for key in site.store.read(keys::list).await? {
        site.keys.insert(Arc::new(key), now_ms());
    }
    let (objects, is_active) = (site.objects.clone(), site.clone());
    let remove = move || objects.remove_tiles_unless(|job| is_active.active.by_id(job).is_some());
    tokio::task::spawn_blocking(remove).await.map_err(|_| StoreError::Closed)??;
    site.spawn(assembler::run(site.clone()));
    site.spawn(completion::sweep(site.clone()));
    Ok(())
}

/// Jobs that run, each with its queues.
fn running_jobs(connection: &Connection) -> Result<Vec<(Job, JobQueues)>, StoreError> {
    let with_queues = |job: Job| {
        let queues =
            QueueRole::ALL.iter().map(|role| Ok(queue::find(connection, job.id, *role)?.map(|id| (*role, id))));
        let queues = queues.filter_map(Result::transpose).collect::<Result<_, StoreError>>()?;
        Ok((job, queues))
    };
    jobs::running(connection)?.into_iter().map(with_queues).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_folder_or_a_port_is_served_once() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let server = Server::start(ServerOptions::new(one.path())).await.unwrap();
        match Server::start(ServerOptions::new(one.path())).await {
            Err(ServerError::AlreadyServed { origin, .. }) => assert_eq!(origin, server.origin()),
            _ => panic!("served twice"),
        }
        let listen = server.origin().trim_start_matches("http://").parse().unwrap();
        let taken = Server::start(ServerOptions { listen, ..ServerOptions::new(other.path()) }).await;
        assert!(matches!(taken, Err(ServerError::PortInUse { address }) if address == listen));
        server.shutdown().await;
        Server::start(ServerOptions::new(one.path())).await.unwrap().shutdown().await;
    }
}
