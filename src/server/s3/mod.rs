//! S3 as a job's credentials see it: they may put objects into their bucket, and nothing else.

mod checksum;
mod error;
mod put;

use std::sync::Arc;

use axum::extract::Request;
use axum::http::Method;
use axum::http::header::AUTHORIZATION;
use axum::response::Response;

use self::error::S3Error;
use super::http;
use super::sigv4::{Refusal, Service};
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
    let (parts, body) = request.into_parts();
    if !parts.headers.contains_key(AUTHORIZATION) {
        return Err(Refusal::NotSigned.into());
    }
    let payload = put::payload(&parts.headers)?;
    let job = site.signer(&parts, Service::S3, payload)?;
    let own_bucket = match job.kind() {
        JobKind::Tile => TILE_BUCKET,
        JobKind::Volumetric => INGEST_BUCKET,
    };
    if ![TILE_BUCKET, INGEST_BUCKET].contains(&bucket) {
        return Err(S3Error::NoSuchBucket);
    }
    // A query is part of another call than PutObject: tagging, ACLs, parts of an upload.
    let is_other_call = parts.uri.query().is_some_and(|query| query != "x-id=PutObject" && !query.is_empty());
    if bucket != own_bucket || parts.method != Method::PUT || key.is_empty() || is_other_call {
        return Err(S3Error::AccessDenied);
    }
    put::run(site, &job, key, &parts.headers, body).await
}
