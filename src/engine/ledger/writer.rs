//! The one thread of a process that writes to the ledger.
//!
//! Whatever has queued up while a transaction was committed goes into the next one together, so that thousands of records
//! a second cost few commits. Requests of one transaction share its fate: when the disk is full, all of them fail.

use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::LedgerError;
use super::error::on;

/// Requests that may wait for the writer; more wait in their own tasks.
const WAITING: usize = 1024;
/// Requests that share a transaction at most.
const TOGETHER: usize = 512;

/// Hands requests to the thread. When it is dropped, what was asked is still written.
#[derive(Debug)]
pub struct Writer {
    requests: Option<mpsc::Sender<Box<dyn Request>>>,
    thread: Option<JoinHandle<()>>,
}

/// Statements of one caller.
trait Request: Send {
    fn execute(&mut self, connection: &Connection) -> rusqlite::Result<()>;
    /// Tells the caller, once it is known whether the transaction was committed.
    fn answer(self: Box<Self>, committed: Result<(), LedgerError>);
}

struct Statements<F, T> {
    work: Option<F>,
    outcome: Option<T>,
    reply: oneshot::Sender<Result<T, LedgerError>>,
}

impl<T, F> Request for Statements<F, T>
where
    T: Send,
    F: FnOnce(&Connection) -> rusqlite::Result<T> + Send,
{
    fn execute(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        if let Some(work) = self.work.take() {
            self.outcome = Some(work(connection)?);
        }
        Ok(())
    }

    fn answer(self: Box<Self>, committed: Result<(), LedgerError>) {
        let Statements { outcome, reply, .. } = *self;
        // A caller that went away does not need its answer.
        let _ = reply.send(committed.and_then(|()| outcome.ok_or(LedgerError::Closed)));
    }
}

impl Writer {
    pub fn start(connection: Connection, path: PathBuf) -> Self {
        let (requests, waiting) = mpsc::channel(WAITING);
        let thread = std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || write_all(&connection, &path, waiting))
            .expect("the system gives the ledger a thread");
        Writer { requests: Some(requests), thread: Some(thread) }
    }

    /// Runs `work` in a transaction and returns after its commit.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let (reply, answer) = oneshot::channel();
        let request = Box::new(Statements { work: Some(work), outcome: None, reply });
        let requests = self.requests.as_ref().ok_or(LedgerError::Closed)?;
        requests.send(request).await.map_err(|_| LedgerError::Closed)?;
        answer.await.map_err(|_| LedgerError::Closed)?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            // It panicked only if a statement did; there is nothing left to write then.
            let _ = thread.join();
        }
    }
}

fn write_all(connection: &Connection, path: &Path, mut waiting: mpsc::Receiver<Box<dyn Request>>) {
    while let Some(first) = waiting.blocking_recv() {
        let mut requests = vec![first];
        while requests.len() < TOGETHER
            && let Ok(next) = waiting.try_recv()
        {
            requests.push(next);
        }
        let committed = commit(connection, &mut requests).map_err(on(path));
        requests.into_iter().for_each(|request| request.answer(committed.clone()));
    }
}

fn commit(connection: &Connection, requests: &mut [Box<dyn Request>]) -> rusqlite::Result<()> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let executed = requests.iter_mut().try_for_each(|request| request.execute(connection));
    let committed = executed.and_then(|()| connection.execute_batch("COMMIT"));
    if committed.is_err() && !connection.is_autocommit() {
        // What cannot be undone either is undone when the file is opened again.
        let _ = connection.execute_batch("ROLLBACK");
    }
    committed
}
