//! PutObject: a tile into the tile bucket, or a cuboid, which goes straight into the final store.
//!
//! The body is written to a temporary file while it arrives and gets its name when it is whole and its digests match.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, ETAG};
use axum::response::Response;
use serde_json::{Map, Value};
use tokio::time::timeout;

use super::checksum::{Expected, Running};
use super::error::S3Error;
use crate::protocol::{JobKind, MAX_METADATA_BYTES, META_JSON};
use crate::server::active::ActiveJob;
use crate::server::error::StoreError;
use crate::server::http::BODY_PATIENCE;
use crate::server::site::Site;
use crate::server::store::objects::{CuboidAddress, Objects, Unfinished};
use crate::server::store::tiles::{self, TileObject};
use crate::volume::CUBOID;

pub const MAX_OBJECT_BYTES: u64 = 2 << 30;
/// Bytes that are gathered before a blocking thread writes them.
const PART_BYTES: usize = 8 << 20;
/// Bytes of a Blosc header (c-blosc, `README_HEADER.rst`).
const BLOSC_HEADER: usize = 16;

/// Holds the hash of the body, or what stands for it in the signature.
pub const PAYLOAD: &str = "x-amz-content-sha256";

/// What the sender of an object says of its body: its SHA-256, or that it has none.
pub fn payload(headers: &HeaderMap) -> Result<&str, S3Error> {
    let payload = headers.get(PAYLOAD).and_then(|payload| payload.to_str().ok()).ok_or(S3Error::NoPayloadHash)?;
    if payload.starts_with("STREAMING-") { Err(S3Error::SignedChunks) } else { Ok(payload) }
}

pub async fn run(
    site: &Arc<Site>,
    job: &Arc<ActiveJob>,
    key: &str,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, S3Error> {
    let metadata = metadata(headers)?;
    let expected = Expected::read(headers)?;
    check_length(headers)?;
    let received = receive(site, body, expected.begin()).await?;
    let size_bytes = received.size_bytes;
    let etag = expected.check(received.running, size_bytes)?;
    let object = received.object.expect("the end of a body was written, if only that");
    match job.kind() {
        JobKind::Tile => keep_tile(site, job, key, object, TileObject { size_bytes, metadata }).await?,
        JobKind::Volumetric => {
            let at = cuboid_address(job, key, &metadata, &received.head)?;
            let path = site.objects.cuboid(&at);
            on_blocking_thread(move || object.keep(&path)).await?;
        }
    }
    tracing::debug!(job = job.id, key, size_bytes, "stored an object");
    let reply = expected.echo().fold(Response::builder(), |reply, (name, value)| reply.header(name, value));
    Ok(reply.header(ETAG, format!("\"{etag}\"")).body(Body::empty()).expect("the reply's headers are well formed"))
}

/// The user metadata, whose names and values together have a limit.
fn metadata(headers: &HeaderMap) -> Result<Value, S3Error> {
    let mut metadata = Map::new();
    let mut found = 0;
    for (name, value) in headers {
        let Some(name) = name.as_str().strip_prefix("x-amz-meta-") else { continue };
        let value = value.to_str().map_err(|_| S3Error::Metadata { name: name.to_owned() })?;
        found += name.len() + value.len();
        metadata.insert(name.to_owned(), value.into());
    }
    if found > MAX_METADATA_BYTES { Err(S3Error::MetadataTooLarge { found }) } else { Ok(Value::Object(metadata)) }
}

fn check_length(headers: &HeaderMap) -> Result<(), S3Error> {
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    match length.and_then(|length| length.parse::<u64>().ok()) {
        Some(length) if length > MAX_OBJECT_BYTES => Err(S3Error::TooLarge),
        _ => Ok(()),
    }
}

/// A body that has arrived.
struct Received {
    objects: Objects,
    /// `None` until something was written.
    object: Option<Unfinished>,
    running: Running,
    size_bytes: u64,
    /// Its first bytes.
    head: Vec<u8>,
}

/// Whole objects of the usual sizes are written in one go, as they lie in the buffers that they arrived in.
async fn receive(site: &Site, mut body: Body, running: Running) -> Result<Received, S3Error> {
    let mut received = Received::begin(&site.objects, running);
    let mut part = Vec::new();
    loop {
        let arrived = timeout(BODY_PATIENCE, next(&mut body)).await.map_err(|_| S3Error::Incomplete)?;
        let arrived = arrived.transpose().map_err(|_| S3Error::Incomplete)?;
        let is_last = arrived.is_none();
        part.extend(arrived);
        if part.iter().map(Bytes::len).sum::<usize>() >= PART_BYTES || is_last {
            received = received.append(std::mem::take(&mut part)).await?;
        }
        if is_last {
            return Ok(received);
        }
    }
}

/// The next bytes of a body; `None` at its end.
async fn next(body: &mut Body) -> Option<Result<Bytes, axum::Error>> {
    loop {
        match poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await? {
            Ok(frame) => match frame.into_data() {
                Ok(bytes) => return Some(Ok(bytes)),
                Err(_trailers) => continue,
            },
            Err(error) => return Some(Err(error)),
        }
    }
}

impl Received {
    fn begin(objects: &Objects, running: Running) -> Received {
        Received { objects: objects.clone(), object: None, running, size_bytes: 0, head: Vec::new() }
    }

    async fn append(mut self, part: Vec<Bytes>) -> Result<Received, S3Error> {
        self.size_bytes += part.iter().map(|bytes| bytes.len() as u64).sum::<u64>();
        if self.size_bytes > MAX_OBJECT_BYTES {
            return Err(S3Error::TooLarge);
        }
        let append = move || {
            let object = match &mut self.object {
                Some(object) => object,
                none => none.insert(self.objects.begin()?),
            };
            for bytes in part {
                let wanted = BLOSC_HEADER.saturating_sub(self.head.len()).min(bytes.len());
                self.head.extend_from_slice(&bytes[..wanted]);
                self.running.update(&bytes);
                object.write(&bytes)?;
            }
            Ok(self)
        };
        Ok(on_blocking_thread(append).await?)
    }
}

async fn keep_tile(
    site: &Site,
    job: &ActiveJob,
    key: &str,
    object: Unfinished,
    about: TileObject,
) -> Result<(), StoreError> {
    let path = site.objects.tile(job.id, key);
    on_blocking_thread(move || object.keep(&path)).await?;
    let (job, key) = (job.id, key.to_owned());
    site.store.write(move |connection| tiles::put(connection, job, &key, &about)).await
}

/// Where a cuboid belongs. The Boss copies whatever it is sent; here what no cutout could read is refused.
fn cuboid_address(job: &ActiveJob, key: &str, metadata: &Value, head: &[u8]) -> Result<CuboidAddress, S3Error> {
    let refuse = |reason| S3Error::NotACuboid { job: job.id, reason };
    let at = CuboidAddress::from_key(key).ok_or(refuse("its key is not that of a cuboid"))?;
    if (at.ids, at.resolution) != (job.ids, job.resolution) {
        return Err(refuse("its key is that of another channel or resolution"));
    }
    let about: Value = serde_json::from_str(metadata[META_JSON].as_str().unwrap_or_default()).unwrap_or_default();
    if about["ingest_job"].as_u64() != Some(job.id) {
        return Err(refuse("its metadata do not name the job"));
    }
    let expected = CUBOID.voxels() * job.dtype.size_bytes() as u64;
    let length = head.get(4..8).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes);
    if head.len() < BLOSC_HEADER || length.map(u64::from) != Some(expected) {
        return Err(refuse("its bytes are not one whole cuboid in Blosc"));
    }
    Ok(at)
}

async fn on_blocking_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| StoreError::Closed)?
}
