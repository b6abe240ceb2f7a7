//! Takes messages from SQS, deletes them, and sends others: the three calls that a job needs, in SQS's JSON protocol.
//!
//! Requests go to the service's root; the queue's URL travels in the body, word for word. Forms as in
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/>, protocol "AWS JSON".

mod attributes;
mod batch;
mod failure;
mod receive;

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::http::{Http, name_of};
use super::rest::read_json;
use super::{BossError, Endpoints, Service, SigningKeys};

pub use batch::{MAX_BATCH, MAX_MESSAGE_BYTES, groups};
pub use receive::Message;

/// A client of SQS. Clones share connections.
#[derive(Clone, Debug)]
pub struct Sqs {
    http: Http,
    endpoints: Endpoints,
}

impl Sqs {
    pub fn new(http: Http, endpoints: Endpoints) -> Self {
        Sqs { http, endpoints }
    }

    /// Sends one request for a queue.
    async fn call<T: DeserializeOwned>(
        &self,
        action: &'static str,
        queue_url: &str,
        body: &impl Serialize,
        keys: &SigningKeys,
    ) -> Result<T, BossError> {
        let body = serde_json::to_vec(body).expect("requests are plain JSON");
        let mut request = Request::new(Method::POST, self.endpoints.queue(queue_url)?);
        let target = HeaderValue::from_str(&format!("AmazonSQS.{action}")).expect("actions are words");
        request.headers_mut().insert("x-amz-target", target);
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.0"));
        *request.body_mut() = Some(Bytes::from(body).into());
        keys.sign(&mut request, Service::Sqs, self.http.time())?;
        let name = format!("{} {action}", name_of(&request));
        let answer = self.http.send(request).await?;
        if !answer.status.is_success() {
            return Err(self.http.set_clock(failure::read(name, queue_url, &answer), &answer));
        }
        read_json(&name, &answer.body)
    }
}

/// The MD5 by which SQS names a body: lower-case hex of its UTF-8 bytes.
fn md5_hex(text: &str) -> String {
    use md5::{Digest, Md5};
    Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::{Arc, Mutex};

    use axum::Router;
    use axum::http::{HeaderMap, StatusCode};
    use axum::response::{IntoResponse, Response};
    use serde_json::Value;

    use super::*;
    use crate::boss::Timeouts;
    use crate::boss::testing::{self, Serving};

    pub const QUEUE: &str = "https://queue.amazonaws.com/123456789012/boss-upload-7";

    /// An SQS that gives one answer and keeps the actions and bodies of requests.
    pub struct Played {
        pub sqs: Sqs,
        pub asked: Arc<Mutex<Vec<(String, Value)>>>,
        _server: Serving,
    }

    pub async fn play(status: u16, query_error: &'static str, body: &str) -> Played {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (keep, body) = (asked.clone(), body.to_owned());
        let answer = async move |headers: HeaderMap, request: String| -> Response {
            assert!(headers["authorization"].to_str().unwrap().contains("/us-east-1/sqs/aws4_request"));
            assert_eq!(headers["content-type"], "application/x-amz-json-1.0");
            let action = headers["x-amz-target"].to_str().unwrap().to_owned();
            keep.lock().unwrap().push((action, serde_json::from_str(&request).unwrap()));
            let query_error = [("x-amzn-query-error", query_error)];
            (StatusCode::from_u16(status).unwrap(), query_error, body).into_response()
        };
        let server = testing::serve(Router::new().fallback(answer)).await;
        let sqs = Sqs::new(Http::new(Timeouts::default()).unwrap(), Endpoints::local(&server.origin).unwrap());
        Played { sqs, asked, _server: server }
    }
}
