//! Threads for work that computes: decoding, cutting, compressing, scripts. Requests stay on the runtime.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::clock::Clock;
use crate::report::StageNow;

/// So many threads at once.
#[derive(Debug, Clone)]
pub struct Cpu {
    free: Arc<Semaphore>,
    threads: usize,
    clock: Arc<Clock>,
}

impl Cpu {
    pub fn new(threads: usize) -> Self {
        let threads = threads.max(1);
        Cpu { free: Arc::new(Semaphore::new(threads)), threads, clock: Clock::new("cpu") }
    }

    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Threads in use, and how long they were.
    pub fn look(&self) -> StageNow {
        self.clock.look()
    }

    /// Runs `work` on a thread as soon as one is free. When the caller goes away, work that has begun still ends.
    ///
    /// # Panics
    /// When `work` does.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let place = self.free.clone().acquire_owned().await.expect("the threads are never closed");
        let stay = self.clock.work();
        let running = tokio::task::spawn_blocking(move || {
            let result = work();
            stay.done();
            drop(place);
            result
        });
        match running.await {
            Ok(result) => result,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}

/// As many threads as the machine runs at once.
pub fn default_cpu_threads() -> usize {
    std::thread::available_parallelism().map_or(1, |threads| threads.get())
}
