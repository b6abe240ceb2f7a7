//! Fills the upload queue of a new job, in the background and in the Boss's order.

use std::sync::Arc;

use super::active::ActiveJob;
use super::error::StoreError;
use super::site::Site;
use super::store::queue::Content;
use super::store::{jobs, now_ms, queue};
use super::task_text;

/// Messages of one transaction: few enough that other requests do not notice.
const BATCH: usize = 1000;

/// Makes the upload messages that a job does not have yet. Begins where an earlier process was stopped.
pub async fn populate(site: Arc<Site>, job: Arc<ActiveJob>, already: u64) {
    match push_tasks(&site, &job, already).await {
        Ok(()) => tracing::info!(job = job.id, messages = job.spec.grid.count(), "the upload queue is full"),
        Err(error) => tracing::error!(job = job.id, %error, "the upload queue could not be filled"),
    }
}

async fn push_tasks(site: &Site, job: &ActiveJob, already: u64) -> Result<(), StoreError> {
    let mut tasks = job.spec.grid.tasks().skip(usize::try_from(already).unwrap_or(usize::MAX));
    let mut made = already;
    while !site.stopping.is_cancelled() && site.active.by_id(job.id).is_some() {
        let batch: Vec<_> = tasks.by_ref().take(BATCH).map(|task| Content::Task(task_text::write(&task))).collect();
        if batch.is_empty() {
            break;
        }
        made += batch.len() as u64;
        let (id, upload_queue, populated) = (job.id, job.upload_queue(), made);
        let push = move |connection: &rusqlite::Connection| {
            let now = now_ms();
            for content in &batch {
                if !queue::push(connection, upload_queue, content, now)? {
                    return Ok(());
                }
            }
            jobs::set_populated(connection, id, populated)
        };
        site.store.write(push).await?;
    }
    site.queues_changed.notify_waiters();
    Ok(())
}
