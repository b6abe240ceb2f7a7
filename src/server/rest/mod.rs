//! The REST services under `/v1` and `/latest`: ingest jobs, resources and cutouts.
//!
//! Trailing and doubled slashes mean nothing. Reading resources and cutouts is open to everybody; the rest wants the
//! folder's token. Every reply to a request with an `Origin` may be read by any page, as the Boss allows.

mod auth;
mod cutout;
mod error;
mod fields;
mod ingest;
mod join;
mod ranges;
mod resources;

use std::sync::Arc;

use axum::extract::Request;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE,
    ORIGIN,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use self::auth::User;
use self::error::{Code, RestError, empty_reply, json_reply};
use super::http;
use super::site::Site;

/// The longest configuration or description that is taken.
const MAX_BODY_BYTES: usize = 16 << 20;

/// One request, with what the services look at.
struct Call<'a> {
    site: &'a Arc<Site>,
    user: User,
    method: Method,
    headers: HeaderMap,
    /// The server's address as the client knows it.
    origin: String,
    body: axum::body::Bytes,
}

impl Call<'_> {
    /// The body as JSON; none at all is an empty object.
    fn json(&self) -> Result<Value, RestError> {
        if self.body.is_empty() { Ok(json!({})) } else { serde_json::from_slice(&self.body).map_err(RestError::Json) }
    }

    fn method_not_allowed(&self) -> RestError {
        RestError::Method { method: self.method.to_string() }
    }
}

/// Answers a request whose path is not that of SQS or S3. `segments` are the parts of its path.
pub async fn handle(site: &Arc<Site>, segments: &[String], request: Request) -> Response {
    let is_from_page = request.headers().contains_key(ORIGIN);
    let mut response = if request.method() == Method::OPTIONS {
        preflight()
    } else {
        run(site, segments, request).await.unwrap_or_else(|error| error.response())
    };
    if is_from_page {
        response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
    response
}

async fn run(site: &Arc<Site>, segments: &[String], request: Request) -> Result<Response, RestError> {
    let (parts, body) = request.into_parts();
    let path: Vec<&str> = segments.iter().map(String::as_str).filter(|segment| !segment.is_empty()).collect();
    let ["v1" | "latest", path @ ..] = path.as_slice() else { return without_version(site, &path) };
    let user = User::of(&parts.headers, &site.token)?;
    user.may(&parts.method)?;
    let body = http::whole_body(body, MAX_BODY_BYTES)
        .await
        .map_err(|error| RestError::boss(Code::RequestTooLarge, error.to_string()))?;
    let origin = site.origin_for(&parts.headers);
    let call = Call { site, user, method: parts.method, headers: parts.headers, origin, body };
    match path {
        ["ingest", rest @ ..] => ingest::handle(&call, rest).await,
        ["collection" | "coord", ..] => resources::handle(&call, path).await,
        ["cutout", rest @ ..] => cutout::handle(&call, rest).await,
        _ => Err(RestError::NoSuchPage),
    }
}

fn without_version(site: &Site, path: &[&str]) -> Result<Response, RestError> {
    match path {
        ["ping"] => {
            let address = site.origin.trim_start_matches("http://");
            let ip = address.rsplit_once(':').map_or(address, |(ip, _)| ip);
            Ok(json_reply(StatusCode::OK, &json!({"ip": ip})))
        }
        [version, ..] if version.starts_with("v0.") => {
            Err(RestError::boss(Code::UnsupportedVersion, "Unsupported API version. Update to version v1"))
        }
        _ => Err(RestError::NoSuchPage),
    }
}

/// The answer to a browser that asks what it may send.
fn preflight() -> Response {
    let mut response = empty_reply(StatusCode::OK);
    let allowed = "accept, accept-encoding, authorization, content-type, dnt, origin, user-agent, x-csrftoken, \
                   x-requested-with";
    for (name, value) in [
        (ACCESS_CONTROL_ALLOW_METHODS, "DELETE, GET, OPTIONS, PATCH, POST, PUT"),
        (ACCESS_CONTROL_ALLOW_HEADERS, allowed),
        (ACCESS_CONTROL_MAX_AGE, "86400"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
