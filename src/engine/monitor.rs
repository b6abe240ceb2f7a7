//! Asks the server from time to time how much of the whole job is left, for the progress line.

use std::sync::Arc;
use std::time::Duration;

use crate::boss::Session;
use crate::report::{News, Report};

/// Time between two questions.
const EVERY: Duration = Duration::from_secs(5);

/// Asks for ever; ends by being dropped. A question that fails is asked again later: nothing depends on it.
pub async fn watch(session: Arc<Session>, report: Arc<dyn Report>) {
    let mut retries = 0;
    loop {
        for _ in retries..session.counts().retries() {
            report.tell(News::Retried);
        }
        retries = session.counts().retries();
        match session.rest().status(session.job().id).await {
            Ok(status) => report.tell(News::Remaining { tasks: status.current_message_count }),
            Err(error) => tracing::debug!(%error, "the server did not tell the job's status"),
        }
        tokio::time::sleep(EVERY).await;
    }
}
