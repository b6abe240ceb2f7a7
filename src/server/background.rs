//! Threads that do what nobody waits for: making cuboids of tiles.
//!
//! They have a lower priority than those that answer requests, so that uploads come first and tiles are assembled in what time
//! they leave. Only Linux gives a thread a priority of its own; elsewhere the system shares as it likes.

use std::num::NonZero;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use tokio::sync::oneshot;

use super::error::StoreError;

type Work = Box<dyn FnOnce() + Send>;

/// As many threads as the machine has cores. They end when this is dropped and their work is done.
pub struct BackgroundThreads {
    work: mpsc::Sender<Work>,
}

impl BackgroundThreads {
    pub fn start() -> Self {
        let (work, waiting) = mpsc::channel::<Work>();
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            let waiting = waiting.clone();
            let named = thread::Builder::new().name("boss-assembly".to_owned());
            named.spawn(move || work_off(&waiting)).expect("the system gives the assembly a thread");
        }
        BackgroundThreads { work }
    }

    /// Runs `work` as soon as a thread is free.
    ///
    /// # Errors
    /// [`StoreError::Closed`] when it panicked.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let work = Box::new(move || {
            // Nobody waits any more when the server was stopped.
            let _ = reply.send(work());
        });
        self.work.send(work).map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)
    }
}

fn work_off(waiting: &Mutex<mpsc::Receiver<Work>>) {
    lower_priority();
    loop {
        let work = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(work) = work else { return };
        // A panic has been told by the hook, and its caller learns of it as of a closed channel.
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
    }
}

/// Of this thread alone: Linux counts niceness by thread.
#[cfg(target_os = "linux")]
fn lower_priority() {
    if let Err(error) = rustix::process::nice(10) {
        tracing::debug!(%error, "assembly runs at the priority of requests");
    }
}

#[cfg(not(target_os = "linux"))]
fn lower_priority() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_is_done_elsewhere_and_a_panic_takes_no_thread_away() {
        let threads = BackgroundThreads::start();
        let name = || thread::current().name().map(str::to_owned);
        for _ in 0..16 {
            assert_eq!(threads.run(name).await.unwrap().as_deref(), Some("boss-assembly"));
            assert!(
                threads
                    .run(|| if true {
                        panic!("on purpose")
                    })
                    .await
                    .is_err()
            );
        }
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn the_threads_are_nicer_than_others() {
        let niceness = || {
            let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
            // Field 19 of proc_pid_stat(5); the name, which may hold blanks, ends with the last parenthesis.
            stat.rsplit_once(')').unwrap().1.split_whitespace().nth(16).unwrap().parse::<i32>().unwrap()
        };
        assert_eq!(BackgroundThreads::start().run(niceness).await.unwrap(), (niceness() + 10).min(19));
    }
}
