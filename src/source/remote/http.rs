//! HTTP as servers really speak it, below `object_store`.
//!
//! Servers that make their answers on the fly send no length, which `object_store` insists on; and of refusals it keeps for
//! itself what the server said.

use std::cell::RefCell;
use std::future::Future;

use async_trait::async_trait;
use futures_util::StreamExt;
use http::header::{CONTENT_LENGTH, HeaderValue};
use http::{Method, StatusCode};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody, HttpService,
    ReqwestConnector,
};

/// The most that is taken of an answer without a length, and of one that is an error, in bytes.
const MOST_UNKNOWN: usize = 256 << 20;
const MOST_ERROR: usize = 64 << 10;

/// What a server said when it last refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::source) struct Refusal {
    pub status: StatusCode,
    /// S3's and Azure's word for the reason, such as `AccessDenied`.
    pub code: Option<String>,
    /// Whether it is about a signature or token that has expired.
    pub is_expired: bool,
}

tokio::task_local! {
    static REFUSAL: RefCell<Option<Refusal>>;
}

/// Runs requests one after the other, of whose refusals the last is remembered.
pub(super) fn remembering<F: Future>(work: F) -> impl Future<Output = F::Output> {
    REFUSAL.scope(RefCell::new(None), work)
}

/// What the server said when it last refused one of these requests, once.
pub(super) fn take_refusal() -> Option<Refusal> {
    REFUSAL.try_with(RefCell::take).ok().flatten()
}

/// Makes the clients of all stores.
#[derive(Debug)]
pub(super) struct Connector;

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Careful(ReqwestConnector::default().connect(options)?)))
    }
}

#[derive(Debug)]
struct Careful(HttpClient);

#[async_trait]
impl HttpService for Careful {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let is_get = request.method() == Method::GET;
        let response = self.0.execute(request).await?;
        let status = response.status();
        if !status.is_success() {
            return refused(response).await;
        }
        if is_get && !response.headers().contains_key(CONTENT_LENGTH) {
            let (mut parts, body) = response.into_parts();
            let body = collected(body, MOST_UNKNOWN).await?;
            parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
            return Ok(HttpResponse::from_parts(parts, body.into()));
        }
        Ok(response)
    }
}

async fn refused(response: HttpResponse) -> Result<HttpResponse, HttpError> {
    let (parts, body) = response.into_parts();
    let body = collected(body, MOST_ERROR).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&body);
    let code = text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>")).map(|(code, _)| code);
    let code = code.filter(|code| code.len() < 64 && code.chars().all(|c| c.is_ascii_alphanumeric() || c == '.'));
    let is_expired = text.to_ascii_lowercase().contains("expired");
    let refusal = Refusal { status: parts.status, code: code.map(str::to_owned), is_expired };
    let _ = REFUSAL.try_with(|last| last.replace(Some(refusal)));
    Ok(HttpResponse::from_parts(parts, body.into()))
}

async fn collected(body: HttpResponseBody, most_bytes: usize) -> Result<Vec<u8>, HttpError> {
    let mut stream = body.bytes_stream();
    let mut bytes = Vec::new();
    while let Some(part) = stream.next().await {
        bytes.extend_from_slice(&part?);
        if bytes.len() > most_bytes {
            let error = std::io::Error::from(std::io::ErrorKind::FileTooLarge);
            return Err(HttpError::new(HttpErrorKind::Unknown, error));
        }
    }
    Ok(bytes)
}
