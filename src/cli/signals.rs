//! Ctrl-C: the first drains, the second stops.

use crate::engine::Shutdown;

/// Hands Ctrl-C (and a polite `kill`) on to the run.
pub fn listen(shutdown: Shutdown) {
    tokio::spawn(async move {
        while interrupted().await.is_ok() {
            if shutdown.is_draining() {
                eprintln!("stopping now");
            } else {
                eprintln!("finishing what has begun; press Ctrl-C again to stop at once (nothing is lost either way)");
            }
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
