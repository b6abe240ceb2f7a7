//! Stopping in two steps: drain, then stop at once.

use tokio_util::sync::CancellationToken;

/// Asks a run to end. Clones belong together; whoever owns the signals asks, the engine obeys.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    drain: CancellationToken,
    stop: CancellationToken,
}

impl Shutdown {
    pub fn new() -> Self {
        Shutdown::default()
    }

    /// The first call lets tasks that were taken end and takes no more; the second drops them where they are, which
    /// loses nothing: they come back from the queue.
    pub fn ask(&self) {
        if self.drain.is_cancelled() { self.stop.cancel() } else { self.drain.cancel() }
    }

    pub fn is_draining(&self) -> bool {
        self.drain.is_cancelled()
    }

    pub(super) async fn drained(&self) {
        self.drain.cancelled().await;
    }

    /// Waits until all is to be dropped at once.
    pub async fn stopped(&self) {
        self.stop.cancelled().await;
    }

    /// Takes no more tasks.
    pub(super) fn drain(&self) {
        self.drain.cancel();
    }
}
