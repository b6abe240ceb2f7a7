//! S3 as a job's credentials see it: they may put objects into their bucket, and nothing else.

mod checksum;
mod error;
mod put;

use std::sync::Arc;

use axum::extract::Request;
use axum::http::Method;
use axum::response::Response;

use self::error::S3Error;
use super::active::ActiveJob;
use super::http;
use super::site::Site;
use crate::protocol::JobKind;

/// Where tile jobs put their tiles.
pub const TILE_BUCKET: &str = "tiles.boss-local";
/// Where volumetric jobs put their cuboids.
pub const INGEST_BUCKET: &str = "ingest.boss-local";

/// Answers `METHOD /BUCKET/KEY`.
pub async fn handle(site: &Arc<Site>, request: Request) -> Response {
    run(site, request).await.unwrap_or_else(|error| error.response())
}

async fn run(site: &Arc<Site>, request: Request) -> Result<Response, S3Error> {
    let path = http::percent_decode(request.uri().path()).ok_or(S3Error::Key)?;
    let (bucket, key) = path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), ""));
    let job = sender(site, &request)?;
    let own_bucket = match job.kind() {
        JobKind::Tile => TILE_BUCKET,
        JobKind::Volumetric => INGEST_BUCKET,
    };
    if ![TILE_BUCKET, INGEST_BUCKET].contains(&bucket) {
        return Err(S3Error::NoSuchBucket);
    }
    // A query is part of another call than PutObject: tagging, ACLs, parts of an upload.
    if bucket != own_bucket || request.method() != Method::PUT || key.is_empty() || is_other_call(&request) {
        return Err(S3Error::AccessDenied);
    }
    let key = key.to_owned();
    put::run(site, &job, &key, request).await
}

fn sender(site: &Site, request: &Request) -> Result<Arc<ActiveJob>, S3Error> {
    let key = http::access_key(request.headers()).ok_or(S3Error::AccessDenied)?;
    site.active.by_access_key(key).ok_or(S3Error::UnknownKey)
}

fn is_other_call(request: &Request) -> bool {
    request.uri().query().is_some_and(|query| query != "x-id=PutObject" && !query.is_empty())
}
