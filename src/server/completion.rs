//! How a job ends: the states between uploading and complete, the search for missing tiles, the clearing up.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;

use super::active::ActiveJob;
use super::error::StoreError;
use super::site::Site;
use super::store::index::{self, Chunk};
use super::store::queue::{self, Content, Counts, QueueRole};
use super::store::{jobs, keys, now_ms, tiles};
use super::task_text;
use crate::protocol::{JobKind, JobStatus};
use crate::volume::{Index, Task};

/// Somebody still works on a message that nobody else sees: ask again within this time.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// Unfinished chunks that one search takes; what is left is found by the next.
const SEARCHED: usize = 100_000;
/// Chunks whose missing tiles are put back in one transaction.
const BATCH: usize = 64;
/// How often the end of the assemblies is looked for.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// The answer to a request to complete a job.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Answer {
    StillPreparing,
    /// The wait has begun.
    WaitBegins {
        wait: Duration,
    },
    UploadsLeft,
    AssembliesLeft {
        wait: Duration,
    },
    Waiting {
        wait: Duration,
    },
    /// `begins`: it was this request that moved the job on.
    Completing {
        begins: bool,
    },
    Complete,
    Cancelled,
    Failed,
}

/// What a job's queues hold when it is asked to complete.
#[derive(Clone, Copy, Debug, Default)]
struct Work {
    visible: bool,
    /// Time until the last message that somebody holds comes back.
    held: Option<Duration>,
    assemblies: bool,
}

/// Decides what a request to complete does. `waited` is the time since the wait began.
///
/// As the Boss does, but for messages that somebody holds when the wait is over. The Boss relies on its wait being
/// longer than their time-out; here the wait may be short, so it lasts until nobody holds a message.
fn decide(status: JobStatus, work: Work, waited: Duration, wait: Duration) -> (Answer, JobStatus) {
    use JobStatus::{Completing, Uploading, WaitOnQueues};
    match status {
        JobStatus::Preparing => (Answer::StillPreparing, status),
        Uploading | WaitOnQueues if work.visible => (Answer::UploadsLeft, Uploading),
        Uploading | WaitOnQueues if work.assemblies => (Answer::AssembliesLeft { wait: wait.min(ASK_AGAIN) }, status),
        Uploading => (Answer::WaitBegins { wait }, WaitOnQueues),
        WaitOnQueues => {
            let held = work.held.map(|held| held.min(ASK_AGAIN)).unwrap_or_default();
            let left = wait.saturating_sub(waited).max(held);
            if left.is_zero() {
                (Answer::Completing { begins: true }, Completing)
            } else {
                (Answer::Waiting { wait: left }, WaitOnQueues)
            }
        }
        Completing => (Answer::Completing { begins: false }, status),
        JobStatus::Complete => (Answer::Complete, status),
        JobStatus::Deleted => (Answer::Cancelled, status),
        JobStatus::Failed => (Answer::Failed, status),
    }
}

/// Asks a job to complete; `None` when there is no such job.
pub async fn ask(site: &Arc<Site>, id: u64) -> Result<Option<Answer>, StoreError> {
    let wait = site.completion_wait;
    let answer = site.store.write(move |connection| ask_store(connection, id, wait)).await?;
    if answer == Some(Answer::Completing { begins: true })
        && let Some(job) = site.active.by_id(id)
    {
        site.spawn(finish(site.clone(), job));
    }
    Ok(answer)
}

fn ask_store(connection: &Connection, id: u64, wait: Duration) -> Result<Option<Answer>, StoreError> {
    let Some(job) = jobs::find(connection, id)? else { return Ok(None) };
    let now = now_ms();
    let work = work(connection, id, now)?;
    let waited = millis(now.saturating_sub(job.waiting_since_ms.unwrap_or(now)));
    let (answer, status) = decide(job.status, work, waited, wait);
    match status {
        JobStatus::WaitOnQueues if job.status != status => jobs::set_waiting(connection, id, now)?,
        _ if job.status != status => jobs::set_status(connection, id, status)?,
        _ => {}
    }
    Ok(Some(answer))
}

fn work(connection: &Connection, id: u64, now: i64) -> Result<Work, StoreError> {
    let Some(upload) = queue::find(connection, id, QueueRole::Upload)? else { return Ok(Work::default()) };
    let Counts { visible, last_back_ms, .. } = queue::counts(connection, upload, now)?;
    let held = last_back_ms.map(|back| millis(back - now));
    Ok(Work { visible: visible > 0, held, assemblies: index::count_full(connection, id)? > 0 })
}

fn millis(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or_default())
}

/// Ends a job in state completing, or finds that it is not finished after all.
pub async fn finish(site: Arc<Site>, job: Arc<ActiveJob>) {
    let outcome = match job.kind() {
        JobKind::Tile => search(&site, &job).await,
        JobKind::Volumetric => Ok(None),
    };
    let outcome = match outcome {
        Ok(None) => end(&site, job.id, JobStatus::Complete).await.map(|()| JobStatus::Complete),
        Ok(Some(status)) => go_on(&site, job.id, status).await.map(|()| status),
        Err(error) => Err(error),
    };
    match outcome {
        Ok(status) => tracing::info!(job = job.id, %status, "the job was checked"),
        Err(StoreError::Closed) => {}
        Err(error) => tracing::error!(job = job.id, %error, "the job could not be completed; a restart tries again"),
    }
}

/// Looks for chunks that were begun and not stored. Gives the state that the job goes back to; `None` when all is there.
async fn search(site: &Arc<Site>, job: &Arc<ActiveJob>) -> Result<Option<JobStatus>, StoreError> {
    let id = job.id;
    while site.store.read(move |connection| index::count_full(connection, id)).await? > 0 {
        if site.stopping.is_cancelled() {
            return Err(StoreError::Closed);
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    let chunks = site.store.read(move |connection| index::unfinished(connection, id, SEARCHED)).await?;
    let is_missing = |chunk: &Chunk| chunk.missing().next().is_some();
    let (missing, failed): (Vec<_>, Vec<_>) = chunks.into_iter().partition(is_missing);
    for chunks in missing.chunks(BATCH).map(<[Chunk]>::to_vec) {
        let upload = job.upload_queue();
        site.store.write(move |connection| put_back(connection, upload, &chunks)).await?;
    }
    let status = match (missing.is_empty(), failed.is_empty()) {
        (true, true) => return Ok(None),
        (true, false) => JobStatus::WaitOnQueues,
        (false, _) => JobStatus::Uploading,
    };
    let retry = move |connection: &Connection| failed.iter().try_for_each(|chunk| index::mark_full(connection, chunk));
    site.store.write(retry).await?;
    Ok(Some(status))
}

/// Puts the tiles that a chunk lacks back on the upload queue.
fn put_back(connection: &Connection, upload: i64, chunks: &[Chunk]) -> Result<(), StoreError> {
    let now = now_ms();
    for chunk in chunks {
        for z in chunk.missing() {
            let tile = Index { z, ..chunk.index };
            let task = Task::Tile { tile, chunk: chunk.index, num_tiles: chunk.num_tiles };
            queue::push(connection, upload, &Content::Task(task_text::write(&task)), now)?;
        }
    }
    Ok(())
}

async fn go_on(site: &Arc<Site>, id: u64, status: JobStatus) -> Result<(), StoreError> {
    let back = move |connection: &Connection| jobs::move_on(connection, id, JobStatus::Completing, status);
    site.store.write(back).await?;
    site.queues_changed.notify_waiters();
    site.chunk_full.notify_one();
    Ok(())
}

/// Ends a job: its queues and keys are gone, its tiles deleted. Its cuboids stay.
pub async fn end(site: &Arc<Site>, id: u64, status: JobStatus) -> Result<(), StoreError> {
    let end = move |connection: &Connection| {
        jobs::end(connection, id, status, now_ms())?;
        queue::end_queues(connection, id)?;
        index::remove_all(connection, id)?;
        keys::remove_all(connection, id)?;
        tiles::remove_all(connection, id)
    };
    site.store.write(end).await?;
    site.active.remove(id);
    site.keys.remove(id);
    site.queues_changed.notify_waiters();
    site.queue_ended.notify_one();
    let objects = site.objects.clone();
    tokio::task::spawn_blocking(move || objects.remove_tiles(id)).await.map_err(|_| StoreError::Closed)?
}

/// Sweeps away the messages of ended queues, a few at a time.
pub async fn sweep(site: Arc<Site>) {
    while !site.stopping.is_cancelled() {
        match site.store.write(|connection| queue::sweep(connection, 2000)).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => tracing::error!(%error, "old messages cannot be removed"),
        }
        tokio::select! {
            () = site.queue_ended.notified() => {}
            () = site.stopping.cancelled() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: Duration = Duration::from_secs(180);
    const NOTHING: Work = Work { visible: false, held: None, assemblies: false };

    #[test]
    fn a_job_completes_by_the_table_of_the_boss() {
        use JobStatus::{Complete, Completing, Deleted, Failed, Preparing, Uploading, WaitOnQueues};
        let seconds = Duration::from_secs;
        let visible = Work { visible: true, ..NOTHING };
        let assemblies = Work { assemblies: true, ..NOTHING };
        let held = Work { held: Some(seconds(100)), ..NOTHING };
        let soon = Answer::AssembliesLeft { wait: ASK_AGAIN };
        let cases = [
            (Preparing, NOTHING, 0, Answer::StillPreparing, Preparing),
            (Uploading, NOTHING, 0, Answer::WaitBegins { wait: WAIT }, WaitOnQueues),
            (Uploading, visible, 0, Answer::UploadsLeft, Uploading),
            (Uploading, assemblies, 0, soon, Uploading),
            (Uploading, held, 0, Answer::WaitBegins { wait: WAIT }, WaitOnQueues),
            (WaitOnQueues, visible, 200, Answer::UploadsLeft, Uploading),
            (WaitOnQueues, assemblies, 200, soon, WaitOnQueues),
            (WaitOnQueues, NOTHING, 90, Answer::Waiting { wait: seconds(90) }, WaitOnQueues),
            (WaitOnQueues, held, 200, Answer::Waiting { wait: ASK_AGAIN }, WaitOnQueues),
            (WaitOnQueues, NOTHING, 180, Answer::Completing { begins: true }, Completing),
            (Completing, visible, 0, Answer::Completing { begins: false }, Completing),
            (Complete, NOTHING, 0, Answer::Complete, Complete),
            (Deleted, NOTHING, 0, Answer::Cancelled, Deleted),
            (Failed, NOTHING, 0, Answer::Failed, Failed),
        ];
        for (status, work, waited, answer, next) in cases {
            let found = decide(status, work, seconds(waited), WAIT);
            assert_eq!(found, (answer, next), "{status} after {waited} s with {work:?}");
        }
    }
}
