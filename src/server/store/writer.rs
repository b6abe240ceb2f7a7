//! The one thread that writes to the database.
//!
//! One writer beats a connection per request: SQLite lets only one write at a time, and waiting for its lock costs more
//! than the write. Whatever has queued up while a transaction was committed goes into the next one together.

use std::fs::File;
use std::sync::Arc;
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::StoreError;

/// Requests that may wait for the writer; more wait in their own tasks.
const WAITING: usize = 1024;
/// Requests that share a transaction at most.
const TOGETHER: usize = 256;

/// One request's statements; gives back how to answer it.
type Work = Box<dyn FnOnce(&Connection) -> Answer + Send>;
/// Answers a request, once it is known whether its transaction was committed.
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

pub struct Writer {
    waiting: mpsc::Sender<Work>,
}

impl Writer {
    /// Starts the thread. It ends, and lets go of `lock`, when the writer is dropped and its last work is done.
    pub fn start(connection: Connection, lock: File) -> (Writer, JoinHandle<()>) {
        let (waiting, work) = mpsc::channel(WAITING);
        let thread = std::thread::Builder::new()
            .name("boss-store".to_owned())
            .spawn(move || {
                write_all(&connection, work);
                drop(connection);
                drop(lock);
            })
            .expect("the system gives the store a thread");
        (Writer { waiting }, thread)
    }

    pub async fn run<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let work: Work = Box::new(move |connection| {
            let outcome = in_savepoint(connection, work);
            Box::new(move |committed| {
                // A caller that went away does not need its answer.
                let _ = reply.send(committed.map_err(E::from).and(outcome));
            })
        });
        self.waiting.send(work).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }
}

fn write_all(connection: &Connection, mut waiting: mpsc::Receiver<Work>) {
    while let Some(first) = waiting.blocking_recv() {
        let begun = connection.execute_batch("BEGIN IMMEDIATE");
        let mut answers = vec![first(connection)];
        while answers.len() < TOGETHER
            && let Ok(next) = waiting.try_recv()
        {
            answers.push(next(connection));
        }
        let committed = begun.and_then(|()| connection.execute_batch("COMMIT"));
        if committed.is_err() && !connection.is_autocommit() {
            let _ = connection.execute_batch("ROLLBACK");
        }
        let committed = committed.map_err(Arc::new);
        for answer in answers {
            answer(committed.clone().map_err(StoreError::Commit));
        }
    }
}

/// Runs one request's work so that its failure undoes nothing of its neighbours.
fn in_savepoint<T, E: From<StoreError>>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, E>,
) -> Result<T, E> {
    execute(connection, "SAVEPOINT request")?;
    let outcome = work(connection);
    if outcome.is_err() {
        execute(connection, "ROLLBACK TO request")?;
    }
    execute(connection, "RELEASE request")?;
    outcome
}

fn execute(connection: &Connection, statement: &str) -> Result<(), StoreError> {
    connection.prepare_cached(statement)?.execute([])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_failed_request_undoes_only_itself() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("test.sqlite");
        let connection = Connection::open(&file).unwrap();
        connection.execute_batch("CREATE TABLE t (n INTEGER)").unwrap();
        let (writer, thread) = Writer::start(connection, File::create(folder.path().join("lock")).unwrap());
        let insert = |number: i64, fails: bool| {
            writer.run(move |c| {
                c.execute("INSERT INTO t VALUES (?1)", [number])?;
                if fails { Err(StoreError::Damaged { what: "a test" }) } else { Ok(()) }
            })
        };
        let (a, b, c) = tokio::join!(insert(1, false), insert(2, true), insert(3, false));
        assert!(a.is_ok() && b.is_err() && c.is_ok());
        drop(writer);
        thread.join().unwrap();
        let sum: i64 =
            Connection::open(&file).unwrap().query_row("SELECT sum(n) FROM t", [], |row| row.get(0)).unwrap();
        assert_eq!(sum, 4);
    }
}
