//! ReceiveMessage: at once, or when a message comes within the wait.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::error::SqsError;
use super::{Message, Reply, Target};
use crate::server::site::Site;
use crate::server::store::now_ms;
use crate::server::store::queue::{self, Content, Delivery, Receipt, Received};
use crate::server::task_text;

/// A wait looks again at least so often: clocks and sleeps are not exact.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

pub async fn run(
    site: &Site,
    target: &Target,
    limit: u32,
    wait_s: u64,
    visibility_s: Option<u64>,
) -> Result<Reply, SqsError> {
    let hidden = visibility_s.map_or(site.visibility, Duration::from_secs);
    let give_up = Instant::now() + Duration::from_secs(wait_s);
    loop {
        let changed = site.queues_changed.notified();
        tokio::pin!(changed);
        changed.as_mut().enable();
        let Received { deliveries, next_ms } = take(site, target.queue, limit, hidden).await?;
        if !deliveries.is_empty() || Instant::now() >= give_up || site.stopping.is_cancelled() {
            return Ok(Reply::Messages(messages(target, deliveries)?));
        }
        if site.active.by_id(target.job.id).is_none() {
            return Err(SqsError::NoSuchQueue);
        }
        let next = next_ms.map_or(LOOK_AGAIN, |next| Duration::from_millis((next - now_ms()).max(1) as u64));
        let until = give_up.min(Instant::now() + next.min(LOOK_AGAIN));
        tokio::select! {
            _ = timeout_at(until, changed) => {}
            () = site.stopping.cancelled() => {}
        }
    }
}

async fn take(site: &Site, queue: i64, limit: u32, hidden: Duration) -> Result<Received, SqsError> {
    let hidden_ms = i64::try_from(hidden.as_millis()).unwrap_or(i64::MAX);
    let receive = move |connection: &rusqlite::Connection| {
        let now = now_ms();
        queue::receive(connection, queue, limit, now, now.saturating_add(hidden_ms))
    };
    Ok(site.store.write(receive).await?)
}

fn messages(target: &Target, deliveries: Vec<Delivery>) -> Result<Vec<Message>, SqsError> {
    let message = |Delivery { receipt, content }| {
        let body = match content {
            Content::Body(body) => Some(body),
            Content::Task(task) => task_text::message(&target.job, &task, &target.origin),
        };
        let body = body.ok_or(crate::server::StoreError::Damaged { what: "a task" })?;
        Ok(Message { id: message_id(target, receipt.message), receipt: write_receipt(receipt), body })
    };
    deliveries.into_iter().map(message).collect()
}

/// The same for each receive of a message, and no other message's: not of a Boss whose folder is deleted and made again
/// either, whose jobs have the same numbers at another time.
fn message_id(target: &Target, message: i64) -> String {
    use md5::{Digest, Md5};
    let digest: [u8; 16] = Md5::digest(format!("{} {} {message}", target.job.created_ms, target.queue)).into();
    uuid::Builder::from_md5_bytes(digest).into_uuid().to_string()
}

pub fn write_receipt(receipt: Receipt) -> String {
    format!("{:x}-{:016x}", receipt.message, receipt.secret)
}

pub fn read_receipt(text: &str) -> Result<Receipt, SqsError> {
    let parse = || {
        let (message, secret) = text.split_once('-')?;
        let secret = u64::from_str_radix(secret, 16).ok()?.cast_signed();
        Some(Receipt { message: i64::from_str_radix(message, 16).ok()?, secret })
    };
    parse().ok_or_else(|| SqsError::Receipt { receipt: text.chars().take(100).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receipts_read_back() {
        for receipt in [Receipt { message: 1, secret: -1 }, Receipt { message: 70_000, secret: i64::MAX }] {
            assert_eq!(read_receipt(&write_receipt(receipt)).unwrap(), receipt);
        }
        assert!(["", "-", "1-", "x-1", "1-11111111111111111"].iter().all(|text| read_receipt(text).is_err()));
    }
}
