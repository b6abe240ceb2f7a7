//! A small web server over a folder, which counts, waits, and fails as it is told.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{
    ACCEPT_RANGES, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, ETAG, LAST_MODIFIED, LOCATION, RANGE,
};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use futures_util::stream;
use tokio::runtime::Runtime;

/// What goes wrong with a request.
#[derive(Clone, Debug)]
pub enum Fault {
    Status(u16),
    /// The connection ends in the middle of the answer.
    Cut,
    Redirect(String),
    /// No answer ever.
    Silent,
    /// `HEAD` is not allowed.
    NoHead,
    /// `Range` is not understood.
    NoParts,
    /// The answer has no length.
    NoLength,
    /// An S3 error with this code.
    Code(u16, &'static str),
    /// The answer says that it is packed so.
    Packed(&'static str),
}

/// What a server was asked.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Methods and paths, in their order.
    pub requests: Vec<String>,
    /// What they said of who asks, in the same order; empty where they said nothing.
    pub authorizations: Vec<String>,
    /// The most requests that were answered at once.
    pub peak: usize,
    now: usize,
}

#[derive(Default)]
struct Inner {
    root: PathBuf,
    delay: Duration,
    asked: Mutex<Asked>,
    /// By the path's ending, with how often they happen.
    faults: Mutex<HashMap<String, (Fault, usize)>>,
}

/// A server on a free port, until it is dropped.
pub struct Web {
    pub origin: String,
    inner: Arc<Inner>,
    runtime: Option<Runtime>,
}

impl Web {
    /// Serves a folder; each answer takes `delay`.
    pub fn serve(root: &Path, delay: Duration) -> Web {
        let inner = Arc::new(Inner { root: root.to_owned(), delay, ..Inner::default() });
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let app = Router::new().fallback(answer).with_state(inner.clone());
        let address = runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
            let address = listener.local_addr().unwrap();
            tokio::spawn(async move { axum::serve(listener, app).await });
            address
        });
        Web { origin: format!("http://{address}"), inner, runtime: Some(runtime) }
    }

    /// Lets requests whose path ends so fail, that many times.
    pub fn fail(&self, ending: &str, fault: Fault, times: usize) {
        self.inner.faults.lock().unwrap().insert(ending.to_owned(), (fault, times));
    }

    /// What was asked since the last time.
    pub fn take_asked(&self) -> Asked {
        std::mem::take(&mut *self.inner.asked.lock().unwrap())
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn answer(State(inner): State<Arc<Inner>>, request: Request) -> Response {
    let (request, _) = request.into_parts();
    let path = request.uri.path().to_owned();
    {
        let mut asked = inner.asked.lock().unwrap();
        asked.requests.push(format!("{} {path}", request.method));
        let authorization = request.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        asked.authorizations.push(authorization.unwrap_or_default().to_owned());
        asked.now += 1;
        asked.peak = asked.peak.max(asked.now);
    }
    tokio::time::sleep(inner.delay).await;
    let fault = take_fault(&inner, &path);
    let response = respond(&inner, &request, &path, fault).await;
    let mut asked = inner.asked.lock().unwrap();
    asked.now = asked.now.saturating_sub(1);
    response
}

fn take_fault(inner: &Inner, path: &str) -> Option<Fault> {
    let mut faults = inner.faults.lock().unwrap();
    let (fault, times) = faults.iter_mut().find(|(ending, _)| path.ends_with(ending.as_str()))?.1;
    if *times == 0 {
        return None;
    }
    *times -= 1;
    Some(fault.clone())
}

async fn respond(inner: &Inner, request: &Parts, path: &str, fault: Option<Fault>) -> Response {
    let is_head = request.method == Method::HEAD;
    if !is_head && request.method != Method::GET {
        return status_only(405);
    }
    match &fault {
        Some(Fault::Silent) => std::future::pending().await,
        Some(Fault::Status(status)) => return status_only(*status),
        Some(Fault::Code(status, code)) => {
            let mut response = status_only(*status);
            *response.body_mut() = Body::from(format!("<Error><Code>{code}</Code></Error>"));
            return response;
        }
        Some(Fault::NoHead) if is_head => return status_only(403),
        Some(Fault::Redirect(to)) => {
            let mut response = status_only(302);
            response.headers_mut().insert(LOCATION, HeaderValue::from_str(to).unwrap());
            return response;
        }
        _ => {}
    }
    if let Some(query) = request.uri.query().filter(|query| query.contains("list-type=2")) {
        return list(&inner.root.join(path.trim_matches('/')), query);
    }
    let name = path.trim_start_matches('/').replace("%20", " ");
    // A path may be that of something and of something below it.
    let file = inner.root.join(name);
    let Ok(bytes) = std::fs::read(&file).or_else(|_| std::fs::read(file.join("index.json"))) else {
        return status_only(404);
    };
    let etag = format!("\"{:x}\"", crc32fast::hash(&bytes));
    let length = bytes.len();
    let range = request.headers.get(RANGE).and_then(|range| parse_range(range.to_str().ok()?));
    let range = range.filter(|_| !matches!(fault, Some(Fault::NoParts)));
    let mut response = Response::new(Body::empty());
    let body = match range {
        Some((start, _)) if start >= length => return status_only(416),
        Some((start, stop)) => {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let stop = stop.min(length);
            let content = format!("bytes {start}-{}/{length}", stop - 1);
            response.headers_mut().insert(CONTENT_RANGE, content.parse().unwrap());
            bytes[start..stop].to_vec()
        }
        None => bytes,
    };
    let headers = response.headers_mut();
    headers.insert(ETAG, etag.parse().unwrap());
    headers.insert(LAST_MODIFIED, HeaderValue::from_static("Tue, 01 Jul 2025 10:00:00 GMT"));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if !matches!(fault, Some(Fault::NoLength)) {
        headers.insert(CONTENT_LENGTH, body.len().into());
    }
    if let Some(Fault::Packed(packing)) = fault {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(packing));
    }
    *response.body_mut() = match fault {
        _ if is_head => Body::empty(),
        Some(Fault::Cut) => {
            let half = Bytes::from(body[..body.len() / 2].to_vec());
            Body::from_stream(stream::iter([Ok(half), Err(io::Error::other("cut"))]))
        }
        Some(Fault::NoLength) => Body::from_stream(stream::iter([Ok::<_, io::Error>(Bytes::from(body))])),
        _ => Body::from(body),
    };
    response
}

fn status_only(status: u16) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

/// `bytes=0-99` as 0 and 100.
fn parse_range(text: &str) -> Option<(usize, usize)> {
    let (start, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    Some((start.parse().ok()?, last.parse::<usize>().ok()? + 1))
}

/// What lies in a folder of a bucket, as S3's `ListObjectsV2` tells it.
fn list(bucket: &Path, query: &str) -> Response {
    let prefix = query.split('&').find_map(|pair| pair.strip_prefix("prefix=")).unwrap_or("").replace("%2F", "/");
    let mut text = String::new();
    for entry in std::fs::read_dir(bucket.join(&prefix)).into_iter().flatten().flatten() {
        let key = format!("{prefix}{}", entry.file_name().into_string().unwrap());
        text += &if entry.path().is_dir() {
            format!("<CommonPrefixes><Prefix>{key}/</Prefix></CommonPrefixes>")
        } else {
            let time = "2025-07-01T10:00:00.000Z";
            format!("<Contents><Key>{key}</Key><LastModified>{time}</LastModified><Size>1</Size></Contents>")
        };
    }
    Response::new(Body::from(format!(
        "<?xml version=\"1.0\"?><ListBucketResult><IsTruncated>false</IsTruncated>{text}</ListBucketResult>"
    )))
}
