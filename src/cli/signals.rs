//! Ctrl-C: the first drains, the second stops.

use std::sync::Arc;

use crate::engine::Shutdown;
use crate::report::{News, Report};

/// Hands Ctrl-C (and a polite `kill`) on to the run, and says so.
pub fn listen(shutdown: Shutdown, report: Arc<dyn Report>) {
    tokio::spawn(async move {
        while interrupted().await.is_ok() {
            let text = match shutdown.is_draining() {
                true => "stopping now",
                false => "finishing what has begun; press Ctrl-C again to stop at once (nothing is lost either way)",
            };
            report.tell(News::Phase(text.to_owned()));
            shutdown.ask();
        }
    });
}

/// Waits for Ctrl-C or a polite `kill`.
///
/// # Errors
/// When the system does not hand out signals.
pub async fn interrupted() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminated = signal(SignalKind::terminate())?;
        tokio::select! {
            pressed = tokio::signal::ctrl_c() => pressed,
            _ = terminated.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
