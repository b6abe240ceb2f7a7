//! Gathers single requests into batches: up to ten, none waiting longer than 200 ms. Chunks, of which there are few each
//! second, wait for nothing that would come.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::triage::TaskError;
use crate::boss::BossError;

/// Entries that one SQS batch may have.
pub const BATCH: usize = 10;
/// How long the first entry of a batch waits for more: of a tile, and of a chunk.
pub const LINGER: Duration = Duration::from_millis(200);
pub const SHORT_LINGER: Duration = Duration::from_millis(20);
/// Batches under way at once.
const IN_FLIGHT: usize = 8;

/// Takes entries one by one and hands them on in batches. Stops when it is dropped.
#[derive(Debug)]
pub struct Batcher<T, R> {
    entries: mpsc::Sender<(T, oneshot::Sender<R>)>,
}

impl<T: Send + 'static, R: Send + 'static> Batcher<T, R> {
    /// `send` gets 1 to [`BATCH`] entries and answers each, in their order. The first of them waits for more as long as
    /// `linger`.
    pub fn new<F>(linger: Duration, send: impl Fn(Vec<T>) -> F + Send + 'static) -> Self
    where
        F: Future<Output = Vec<R>> + Send + 'static,
    {
        let (entries, mut queue) = mpsc::channel::<(T, oneshot::Sender<R>)>(BATCH * IN_FLIGHT);
        tokio::spawn(async move {
            let places = Arc::new(tokio::sync::Semaphore::new(IN_FLIGHT));
            while let Some(first) = queue.recv().await {
                let place = places.clone().acquire_owned().await.expect("the places are never closed");
                let (batch, waiting): (Vec<T>, Vec<_>) = gather(first, &mut queue, linger).await.into_iter().unzip();
                let sending = send(batch);
                tokio::spawn(async move {
                    for (answer, to) in sending.await.into_iter().zip(waiting) {
                        // The one who asked may have gone away; what was sent stays sent.
                        let _ = to.send(answer);
                    }
                    drop(place);
                });
            }
        });
        Batcher { entries }
    }

    /// Sends one entry with the next batch; `None` when the batcher has stopped.
    pub async fn send(&self, entry: T) -> Option<R> {
        let (answer, answered) = oneshot::channel();
        self.entries.send((entry, answer)).await.ok()?;
        answered.await.ok()
    }
}

/// What became of an entry of a batch of requests to the Boss.
pub fn answered(answer: Option<Result<(), Arc<BossError>>>) -> Result<(), TaskError> {
    match answer {
        Some(answer) => answer.map_err(TaskError::Boss),
        None => Err(TaskError::Stopped),
    }
}

/// The outcome of each of `entries` messages: its own, or the error that all of them share.
pub fn each(outcome: Result<Vec<Result<(), BossError>>, BossError>, entries: usize) -> Vec<Result<(), Arc<BossError>>> {
    match outcome {
        Ok(outcomes) => outcomes.into_iter().map(|outcome| outcome.map_err(Arc::new)).collect(),
        Err(error) => vec![Err(Arc::new(error)); entries],
    }
}

async fn gather<T>(first: T, queue: &mut mpsc::Receiver<T>, linger: Duration) -> Vec<T> {
    let mut batch = vec![first];
    let until = tokio::time::Instant::now() + linger;
    while batch.len() < BATCH {
        match tokio::time::timeout_at(until, queue.recv()).await {
            Ok(Some(entry)) => batch.push(entry),
            Ok(None) | Err(_) => break,
        }
    }
    batch
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[tokio::test]
    async fn entries_travel_in_tens_and_each_gets_its_own_answer() {
        let sizes = Arc::new(Mutex::new(Vec::new()));
        let seen = sizes.clone();
        let batcher = Arc::new(Batcher::new(LINGER, move |batch: Vec<u64>| {
            seen.lock().unwrap().push(batch.len());
            async move { batch.into_iter().map(|entry| entry * 2).collect() }
        }));
        let asked = (0..25).map(|entry| {
            let batcher = batcher.clone();
            tokio::spawn(async move { (entry, batcher.send(entry).await) })
        });
        for asked in asked.collect::<Vec<_>>() {
            let (entry, answer) = asked.await.unwrap();
            assert_eq!(answer, Some(entry * 2));
        }
        assert_eq!(*sizes.lock().unwrap(), [10, 10, 5]);
    }
}
