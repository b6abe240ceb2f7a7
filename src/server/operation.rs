//! What a request asks for, by one name for each operation. Faults and the journal speak of requests by these names.

use axum::extract::Request;
use axum::http::Method;

/// The operations that a request may be told to be.
pub const NAMES: [&str; 15] = [
    "s3.put",
    "sqs.receive",
    "sqs.delete",
    "sqs.send",
    "sqs.attributes",
    "rest.create",
    "rest.list",
    "rest.join",
    "rest.cancel",
    "rest.status",
    "rest.complete",
    "rest.cutout",
    "rest.resource",
    "rest.ping",
    "other",
];

/// One of [`NAMES`].
pub fn of(request: &Request) -> &'static str {
    if let Some(target) = request.headers().get("x-amz-target") {
        return queue_operation(target.to_str().unwrap_or_default());
    }
    let segments: Vec<&str> = request.uri().path().split('/').filter(|segment| !segment.is_empty()).collect();
    let method = request.method();
    match segments[..] {
        ["ping"] => "rest.ping",
        ["v1" | "latest", ref rest @ ..] => rest_operation(method, rest),
        [_, _, ..] if method == Method::PUT => "s3.put",
        _ => "other",
    }
}

fn queue_operation(target: &str) -> &'static str {
    match target.strip_prefix("AmazonSQS.").unwrap_or_default() {
        "ReceiveMessage" => "sqs.receive",
        "DeleteMessage" | "DeleteMessageBatch" => "sqs.delete",
        "SendMessage" | "SendMessageBatch" => "sqs.send",
        "GetQueueAttributes" => "sqs.attributes",
        _ => "other",
    }
}

fn rest_operation(method: &Method, segments: &[&str]) -> &'static str {
    match segments {
        ["ingest"] if method == Method::POST => "rest.create",
        ["ingest"] => "rest.list",
        ["ingest", _] if method == Method::DELETE => "rest.cancel",
        ["ingest", _] => "rest.join",
        ["ingest", _, "status"] => "rest.status",
        ["ingest", _, "complete"] => "rest.complete",
        ["cutout", ..] => "rest.cutout",
        ["collection" | "coord", ..] => "rest.resource",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn every_request_has_a_name() {
        let cases = [
            ("PUT", "/tiles.boss-local/a%261", "", "s3.put"),
            ("GET", "/tiles.boss-local/a%261", "", "other"),
            ("POST", "/", "AmazonSQS.ReceiveMessage", "sqs.receive"),
            ("POST", "/000000000000/q", "AmazonSQS.DeleteMessageBatch", "sqs.delete"),
            ("POST", "/", "AmazonSQS.PurgeQueue", "other"),
            ("POST", "/latest/ingest/", "", "rest.create"),
            ("GET", "/v1/ingest/7", "", "rest.join"),
            ("DELETE", "/v1/ingest/7/", "", "rest.cancel"),
            ("GET", "/latest/ingest/7/status", "", "rest.status"),
            ("POST", "/latest/ingest/7/complete", "", "rest.complete"),
            ("GET", "/v1/cutout/c/e/ch/0/0:1/0:1/0:1/", "", "rest.cutout"),
            ("POST", "/v1//collection/c", "", "rest.resource"),
        ];
        for (method, path, target, expected) in cases {
            let mut request = Request::builder().method(method).uri(path);
            if !target.is_empty() {
                request = request.header("x-amz-target", target);
            }
            let found = of(&request.body(Body::empty()).unwrap());
            assert_eq!(found, expected, "{method} {path} {target}");
            assert!(NAMES.contains(&found));
        }
    }
}
