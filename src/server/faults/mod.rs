//! Faults on request: what a network and a cloud do to a client, done on purpose and again in the same way.
//!
//! A [`Faults`] is read from a file ([`mod@file`]); its [`rule`]s decide for each request what is to go wrong. All of it happens in
//! one [`layer`] around the router, so that the services behind it know nothing of it; only a connection that is cut needs a hand
//! on the wire ([`wire`]). A server without faults has neither. The user's page is `docs/faults.md`.

mod answers;
mod file;
mod rule;
mod wire;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, UNIX_EPOCH};

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_LENGTH, DATE};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::StreamExt;
use serde_json::Value;
use tokio::time::sleep;

use self::file::DiskFull;
pub use self::file::{Faults, FaultsError};
use self::rule::{Action, Failure, Rule};
pub use self::wire::{CuttableListener, Wire};
use super::http::whole_body;
use super::operation;
use super::site::Site;
use super::sqs::read_receipt;
use super::store::{now_ms, queue};

/// The faults of a running server.
pub struct Running {
    site: Arc<Site>,
    rules: Vec<Rule>,
    disk: Option<DiskFull>,
    begun: Instant,
    /// Bytes of objects that were to be stored so far.
    put_bytes: AtomicU64,
    /// When the disk became full.
    full_since: OnceLock<Instant>,
    is_database_full: AtomicBool,
}

impl Running {
    pub fn new(faults: &Faults, site: Arc<Site>) -> Arc<Running> {
        Arc::new(Running {
            site,
            rules: faults.rules(),
            disk: faults.disk_full,
            begun: Instant::now(),
            put_bytes: AtomicU64::new(0),
            full_since: OnceLock::new(),
            is_database_full: AtomicBool::new(false),
        })
    }

    /// The first rule that applies says what goes wrong; all of them count the request.
    fn decide(&self, operation: &str) -> Option<Action> {
        let now = self.begun.elapsed();
        let mut actions: Vec<_> = self.rules.iter().filter_map(|rule| rule.decide(operation, now)).collect();
        if actions.is_empty() { None } else { Some(actions.swap_remove(0)) }
    }

    /// Whether a request finds the disk full that brings so many bytes.
    async fn is_full(&self, operation: &str, length: Option<u64>) -> bool {
        let Some(disk) = self.disk else { return false };
        let bytes = if operation == "s3.put" { length.unwrap_or(0) } else { 0 };
        if self.put_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes > disk.after_bytes {
            self.full_since.get_or_init(Instant::now);
        }
        let Some(since) = self.full_since.get() else { return false };
        let is_full = disk.for_s.is_none_or(|seconds| since.elapsed() < Duration::from_secs_f64(seconds));
        if self.is_database_full.swap(is_full, Ordering::Relaxed) != is_full {
            self.limit_database(is_full).await;
        }
        is_full && operation == "s3.put"
    }

    /// SQLite refuses to grow beyond the pages that it has, as on a full disk.
    async fn limit_database(&self, is_full: bool) {
        let pages = if is_full { 1 } else { u32::MAX - 1 };
        let limit = move |connection: &rusqlite::Connection| {
            connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?;
            Ok::<_, super::StoreError>(())
        };
        if let Err(error) = self.site.store.write(limit).await {
            tracing::error!(%error, "the database could not be limited");
        }
    }

    /// The time that the server takes it to be, as HTTP writes it (RFC 9110, "Date/Time Formats").
    fn date(&self) -> HeaderValue {
        let ms = now_ms().saturating_add(self.site.clock_ahead_ms);
        let time = UNIX_EPOCH + Duration::from_millis(ms.try_into().unwrap_or_default());
        HeaderValue::from_str(&httpdate::fmt_http_date(time)).expect("a date is ASCII")
    }

    /// Lets messages that were just handed out be handed out again.
    async fn free(&self, response: Response) -> Response {
        let (parts, body) = response.into_parts();
        let bytes = whole_body(body, usize::MAX).await.unwrap_or_default();
        let reply: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let messages = reply["Messages"].as_array().into_iter().flatten();
        let receipts: Vec<_> =
            messages.filter_map(|message| read_receipt(message["ReceiptHandle"].as_str()?).ok()).collect();
        let free = move |connection: &rusqlite::Connection| {
            receipts.iter().try_for_each(|receipt| queue::free(connection, *receipt))
        };
        if let Err(error) = self.site.store.write(free).await {
            tracing::error!(%error, "messages could not be freed");
        }
        self.site.queues_changed.notify_waiters();
        Response::from_parts(parts, Body::from(bytes))
    }
}

/// Passes a request on, and does to it what the rules say.
pub async fn layer(
    State(running): State<Arc<Running>>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    request: Request,
    next: Next,
) -> Response {
    let operation = operation::of(&request);
    let length = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let action = match running.is_full(operation, length).await {
        true => Some(Action::Fail(Failure::InternalError)),
        false => running.decide(operation),
    };
    if let Some(action) = action {
        tracing::info!(operation, ?action, path = request.uri().path(), "a fault");
    }
    let mut response = match action {
        None => next.run(request).await,
        Some(Action::Fail(failure)) => {
            // A client that is answered while it still sends may see its connection break instead of the answer.
            swallow(request.into_body()).await;
            answers::failure(operation, failure)
        }
        Some(Action::Delay(delay)) => {
            sleep(delay).await;
            next.run(request).await
        }
        Some(Action::AnswerAfter(delay)) => {
            let response = next.run(request).await;
            sleep(delay).await;
            response
        }
        Some(Action::CutBefore) => {
            wire.cut();
            answers::never_seen()
        }
        Some(Action::CutAfter) => {
            let response = next.run(request).await;
            wire.cut();
            response
        }
        Some(Action::Duplicate) => running.free(next.run(request).await).await,
    };
    if running.site.clock_ahead_ms != 0 {
        response.headers_mut().insert(DATE, running.date());
    }
    response
}

async fn swallow(body: Body) {
    let mut parts = body.into_data_stream();
    while let Some(Ok(_)) = parts.next().await {}
}
