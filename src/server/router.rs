//! One port for three services: SQS by its header, REST by the version in its path, the rest is S3.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};

use super::site::Site;
use super::{http, rest, s3, sqs};

pub async fn route(State(site): State<Arc<Site>>, request: Request) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = dispatch(&site, &path, request).await;
    tracing::debug!(%method, path, status = response.status().as_u16(), "answered");
    response
}

async fn dispatch(site: &Arc<Site>, path: &str, request: Request) -> Response {
    if request.headers().contains_key("x-amz-target") {
        return sqs::handle(site, request).await;
    }
    let segments: Option<Vec<String>> =
        path.split('/').filter(|segment| !segment.is_empty()).map(http::percent_decode).collect();
    let Some(segments) = segments else { return StatusCode::BAD_REQUEST.into_response() };
    match segments.first().map(String::as_str) {
        None if request.method() == Method::POST => sqs::handle(site, request).await,
        None | Some("v1" | "latest" | "ping") => rest::handle(site, &segments, request).await,
        Some(version) if version.starts_with("v0.") => rest::handle(site, &segments, request).await,
        Some(_) => s3::handle(site, request).await,
    }
}
