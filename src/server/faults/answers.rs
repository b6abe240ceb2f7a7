//! Failures as each service words them.

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use serde_json::json;

use super::rule::Failure;

/// The answer of the operation's service to a request that failed.
pub fn failure(operation: &str, failure: Failure) -> Response {
    match operation.split('.').next() {
        Some("s3") => s3(failure),
        Some("sqs") => sqs(failure),
        _ => rest(failure),
    }
}

fn s3(failure: Failure) -> Response {
    let (status, code, message) = match failure {
        Failure::InternalError => (500, "InternalError", "We encountered an internal error. Please try again."),
        Failure::Unavailable => (503, "ServiceUnavailable", "Service is unable to handle request."),
        Failure::Throttled => (503, "SlowDown", "Please reduce your request rate."),
    };
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    );
    answer(status, "application/xml", body, None)
}

fn sqs(failure: Failure) -> Response {
    let (status, kind, code) = match failure {
        Failure::InternalError => (500, "com.amazon.coral.service#InternalFailure", "InternalError;Receiver"),
        Failure::Unavailable => {
            (503, "com.amazon.coral.service#ServiceUnavailableException", "ServiceUnavailable;Receiver")
        }
        Failure::Throttled => (400, "com.amazonaws.sqs#RequestThrottled", "RequestThrottled;Sender"),
    };
    let body = json!({"__type": kind, "message": "The request could not be done now."}).to_string();
    answer(status, "application/x-amz-json-1.0", body, Some(code))
}

/// The Boss's own failures, those of the web server in front of it, and those of its framework.
fn rest(failure: Failure) -> Response {
    match failure {
        Failure::InternalError => {
            let body = json!({"status": 500, "code": 9002, "message": "An unhandled exception occurred."});
            answer(500, "application/json", body.to_string(), None)
        }
        Failure::Unavailable => {
            let body = "<html><head><title>503 Service Temporarily Unavailable</title></head></html>";
            answer(503, "text/html", body.to_owned(), None)
        }
        Failure::Throttled => {
            let body = json!({"detail": "Request was throttled. Expected available in 1 second."});
            answer(429, "application/json", body.to_string(), None)
        }
    }
}

/// For a connection on which nothing goes out any more.
pub fn never_seen() -> Response {
    Response::new(Body::empty())
}

fn answer(status: u16, media_type: &str, body: String, query_error: Option<&str>) -> Response {
    let mut response = Response::builder()
        .status(StatusCode::from_u16(status).expect("the tables hold HTTP statuses"))
        .header(CONTENT_TYPE, media_type);
    if let Some(code) = query_error {
        response = response.header("x-amzn-query-error", code);
    }
    response.body(Body::from(body)).expect("the reply's headers are well formed")
}
