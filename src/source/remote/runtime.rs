//! Where requests run, for readers that are synchronous.
//!
//! Readers run on threads of all kinds: tokio's for blocking work, plain ones, such without any runtime around. None of them
//! may drive a future of its own, so requests run on two threads of ours, and whoever wants an answer waits at a channel.

use std::future::Future;
use std::sync::OnceLock;
use std::sync::mpsc::sync_channel;

use tokio::runtime::{Builder, Runtime};

use super::Trouble;
use super::http::remembering;

/// Never dropped: a runtime must not be where another runs.
static RUNTIME: OnceLock<Option<Runtime>> = OnceLock::new();

fn runtime() -> Option<&'static Runtime> {
    let build = || Builder::new_multi_thread().worker_threads(2).thread_name("remote").enable_all().build().ok();
    RUNTIME.get_or_init(build).as_ref()
}

/// Waits for requests.
pub(super) fn wait<T: Send + 'static>(
    work: impl Future<Output = Result<T, Trouble>> + Send + 'static,
) -> Result<T, Trouble> {
    let (tell, told) = sync_channel(1);
    runtime().ok_or(Trouble::Stopped)?.spawn(remembering(async move {
        // Whoever wanted it may be gone.
        let _ = tell.send(work.await);
    }));
    told.recv().unwrap_or(Err(Trouble::Stopped))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_waited_for_on_every_kind_of_thread() {
        let work = || async {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            Ok(())
        };
        let ask = move || wait(work()).is_ok();
        assert!(ask());
        let runtime = Builder::new_multi_thread().build().unwrap();
        assert!(runtime.block_on(async move { tokio::task::spawn_blocking(ask).await.unwrap() }));
        assert!(runtime.block_on(async move { ask() }));
    }
}
