//! A journal of what was asked and what changed, for tests and benches: one JSON line each, in the order in which they happened.
//!
//! ```text
//! {"effect":"asked","operation":"sqs.receive"}                          a request came
//! {"effect":"received","message":12,"keys":["3f…&4&5&6&0&1&2&37&0"]}    a task was handed out, with the objects that it asks for
//! {"effect":"stored","key":"3f…&4&5&6&0&1&2&37&0"}                      an object was stored
//! {"effect":"indexed","key":"3f…&4&5&6&0&1&2&37&0"}                     the index was told of a tile
//! {"effect":"deleted","message":12}                                     the task's message was deleted
//! ```
//!
//! Each line also has `at_ms`, milliseconds since 1970. A request that no fault refused is written down when its head has
//! come, an effect after it happened and before the answer leaves. So a client that deletes a message before it knows that
//! all of its objects are stored, shows.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use serde_json::{Value, json};

use super::http::{percent_decode, whole_body};
use super::operation;
use super::sqs::{MAX_BODY_BYTES, read_receipt};

/// The file, which several requests write to.
pub struct Journal(Mutex<File>);

impl Journal {
    /// Goes on with a file, or begins it.
    pub fn open(path: &Path) -> io::Result<Arc<Journal>> {
        let file = File::options().create(true).append(true).open(path)?;
        Ok(Arc::new(Journal(Mutex::new(file))))
    }

    fn write(&self, mut lines: Vec<Value>) {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        lines.iter_mut().for_each(|line| line["at_ms"] = json!(since.as_millis() as u64));
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        if let Err(error) = file.write_all(text.as_bytes()) {
            tracing::error!(%error, "the journal cannot be written");
        }
    }
}

/// Passes a request on and writes down what it asked for and what it changed.
pub async fn layer(State(journal): State<Arc<Journal>>, request: Request, next: Next) -> Response {
    let operation = operation::of(&request);
    journal.write(vec![json!({"effect": "asked", "operation": operation})]);
    match operation {
        "s3.put" => {
            let path = percent_decode(request.uri().path()).unwrap_or_default();
            let response = next.run(request).await;
            if response.status().is_success() {
                let key = path.splitn(3, '/').nth(2).unwrap_or_default();
                journal.write(vec![json!({"effect": "stored", "key": key})]);
            }
            response
        }
        "sqs.receive" | "sqs.delete" | "sqs.send" => {
            let (parts, body) = request.into_parts();
            let asked = whole_body(body, MAX_BODY_BYTES).await.unwrap_or_default();
            let response = next.run(Request::from_parts(parts, Body::from(asked.clone()))).await;
            let (parts, body) = response.into_parts();
            let answered = whole_body(body, usize::MAX).await.unwrap_or_default();
            if parts.status.is_success() {
                journal.write(effects(operation, &read(&asked), &read(&answered)));
            }
            Response::from_parts(parts, Body::from(answered))
        }
        _ => next.run(request).await,
    }
}

fn read(body: &Bytes) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}

fn effects(operation: &str, asked: &Value, answered: &Value) -> Vec<Value> {
    match operation {
        "sqs.receive" => list(&answered["Messages"]).iter().map(received).collect(),
        "sqs.delete" => entries(asked, "ReceiptHandle").map(|receipt| deleted(&receipt)).collect(),
        _ => entries(asked, "MessageBody")
            .map(|body| json!({"effect": "indexed", "key": text(&body)["tile_key"]}))
            .collect(),
    }
}

fn received(message: &Value) -> Value {
    let task = text(&message["Body"]);
    let cuboids = list(&task["cuboids"]).iter().map(|cuboid| cuboid["key"].clone());
    let keys: Vec<Value> = task.get("tile_key").cloned().into_iter().chain(cuboids).collect();
    json!({"effect": "received", "message": message_of(&message["ReceiptHandle"]), "keys": keys})
}

fn deleted(receipt: &Value) -> Value {
    json!({"effect": "deleted", "message": message_of(receipt)})
}

fn message_of(receipt: &Value) -> Option<i64> {
    read_receipt(receipt.as_str()?).ok().map(|receipt| receipt.message)
}

/// A field of a request, or of each entry of a batch.
fn entries(asked: &Value, field: &'static str) -> impl Iterator<Item = Value> {
    let batch = list(&asked["Entries"]).iter().filter_map(move |entry| entry.get(field));
    asked.get(field).into_iter().chain(batch).cloned().collect::<Vec<_>>().into_iter()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// JSON inside a JSON text.
fn text(value: &Value) -> Value {
    value.as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}
