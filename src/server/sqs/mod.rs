//! SQS on the port's root: what a job's credentials may do with its queues, and nothing else.
//!
//! An [`Action`] is read from the wire by [`json`], judged by [`access`], run by the file of its name, and the [`Reply`] is
//! written back by [`json`]. Limits and messages are those of the Amazon SQS API Reference.

mod access;
mod attributes;
mod delete;
mod error;
mod json;
mod receive;
mod send;

use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;
use md5::{Digest, Md5};

use self::error::SqsError;
pub use self::receive::read_receipt;
use super::active::ActiveJob;
use super::http;
use super::site::Site;
use super::store::queue::QueueRole;

/// Bytes of one message, and of all messages of a batch (SQS's limit).
const MAX_MESSAGE_BYTES: usize = 262_144;
/// Entries of one batch, and messages of one receive (SQS's limit).
const MAX_BATCH: usize = 10;
/// A batch of the longest messages, with each byte escaped.
pub const MAX_BODY_BYTES: usize = 8 * MAX_MESSAGE_BYTES;

/// What a request asks of a queue.
#[derive(Clone, Debug, PartialEq)]
enum Action {
    Receive {
        limit: u32,
        wait_s: u64,
        visibility_s: Option<u64>,
    },
    Delete {
        receipt: String,
    },
    DeleteBatch(Vec<Entry>),
    Send {
        body: String,
    },
    SendBatch(Vec<Entry>),
    Attributes {
        names: Vec<String>,
    },
    /// One that exists in SQS and that no job's credentials allow.
    Forbidden,
}

/// One entry of a batch; `text` is the receipt or the message's body.
#[derive(Clone, Debug, PartialEq)]
struct Entry {
    id: String,
    text: String,
}

enum Reply {
    Messages(Vec<Message>),
    Deleted,
    DeletedBatch(Vec<(String, Result<(), SqsError>)>),
    Sent(Sent),
    SentBatch(Vec<(String, Sent)>),
    Attributes(Vec<(&'static str, String)>),
}

struct Message {
    id: String,
    receipt: String,
    body: String,
}

struct Sent {
    id: String,
    body_md5: String,
}

/// A queue that a request may use.
struct Target {
    job: Arc<ActiveJob>,
    role: QueueRole,
    queue: i64,
    /// The server's address as the client knows it.
    origin: String,
}

/// Answers a request of the JSON protocol.
pub async fn handle(site: &Arc<Site>, request: Request) -> Response {
    match run(site, request).await {
        Ok(reply) => json::reply(reply),
        Err(error) => json::error(&error),
    }
}

async fn run(site: &Arc<Site>, request: Request) -> Result<Reply, SqsError> {
    let (parts, body) = request.into_parts();
    let body = http::whole_body(body, MAX_BODY_BYTES).await.map_err(|_| SqsError::Unreadable)?;
    let (queue_name, action) = json::read(&parts, &body)?;
    let target = access::judge(site, &parts, &body, &queue_name, &action)?;
    match action {
        Action::Receive { limit, wait_s, visibility_s } => {
            receive::run(site, &target, limit, wait_s, visibility_s).await
        }
        Action::Delete { receipt } => delete::one(site, &target, &receipt).await,
        Action::DeleteBatch(entries) => delete::batch(site, &target, entries).await,
        Action::Send { body } => send::one(site, &target, body).await,
        Action::SendBatch(entries) => send::batch(site, &target, entries).await,
        Action::Attributes { names } => attributes::run(site, &target, &names).await,
        Action::Forbidden => Err(SqsError::AccessDenied),
    }
}

/// MD5 in lower-case hexadecimal, as SQS gives it for bodies.
fn md5_hex(text: &str) -> String {
    Md5::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Checks the rules that all batches share.
fn check_batch(entries: &[Entry]) -> Result<(), SqsError> {
    if entries.is_empty() {
        return Err(SqsError::EmptyBatch);
    }
    if entries.len() > MAX_BATCH {
        return Err(SqsError::TooManyEntries { found: entries.len() });
    }
    let repeated = entries.iter().enumerate().find(|(at, entry)| entries[..*at].iter().any(|e| e.id == entry.id));
    match repeated {
        Some((_, entry)) => Err(SqsError::RepeatedId { id: entry.id.clone() }),
        None => Ok(()),
    }
}
