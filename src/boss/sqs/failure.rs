//! What SQS's error answers mean.
//!
//! The code is in the body (`__type`), and in a header under its older name; services that stand in for SQS have one,
//! the other, or both.

use serde::Deserialize;

use crate::boss::error::tidy;
use crate::boss::http::Answer;
use crate::boss::{BossError, Service};

#[derive(Default, Deserialize)]
struct Body {
    #[serde(rename = "__type")]
    kind: Option<String>,
    #[serde(alias = "Message")]
    message: Option<String>,
}

/// What a code stands for.
enum Meaning {
    QueueGone,
    Keys,
    Clock,
    Signature,
    Throttled,
}

pub(super) fn read(request: String, queue_url: &str, answer: &Answer) -> BossError {
    let body: Body = serde_json::from_slice(&answer.body).unwrap_or_default();
    let message = tidy(body.message.as_deref().unwrap_or(&answer.text()), "");
    let codes = [
        body.kind.as_deref().and_then(|kind| kind.rsplit('#').next()).unwrap_or_default(),
        answer.header("x-amzn-query-error").and_then(|error| error.split(';').next()).unwrap_or_default(),
    ];
    let service = Service::Sqs;
    match codes.iter().find_map(|code| meaning(code, &message)) {
        Some(Meaning::QueueGone) => BossError::QueueGone { queue: queue_url.to_owned() },
        Some(Meaning::Keys) => BossError::Keys { service, code: first(codes), message },
        Some(Meaning::Clock) => BossError::WrongClock { service, message, is_set: false },
        Some(Meaning::Signature) => BossError::BadSignature { service, message },
        Some(Meaning::Throttled) => BossError::Throttled { request, message },
        None => by_status(request, answer.status.as_u16(), message),
    }
}

fn meaning(code: &str, message: &str) -> Option<Meaning> {
    Some(match code {
        "QueueDoesNotExist" | "AWS.SimpleQueueService.NonExistentQueue" => Meaning::QueueGone,
        "AccessDenied"
        | "AccessDeniedException"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidAccessKeyId"
        | "InvalidClientTokenId"
        | "InvalidSecurity"
        | "UnrecognizedClientException" => Meaning::Keys,
        "RequestExpired" | "RequestTimeTooSkewed" => Meaning::Clock,
        // AWS has no code of its own for a clock that is off.
        "InvalidSignatureException" | "SignatureDoesNotMatch"
            if message.contains("Signature expired") || message.contains("not yet current") =>
        {
            Meaning::Clock
        }
        "InvalidSignatureException" | "SignatureDoesNotMatch" | "IncompleteSignature" => Meaning::Signature,
        "OverLimit" | "RequestThrottled" | "SlowDown" | "Throttling" | "ThrottlingException" => Meaning::Throttled,
        _ => return None,
    })
}

fn by_status(request: String, status: u16, message: String) -> BossError {
    match status {
        403 => BossError::Forbidden { request, code: None, message },
        429 | 503 => BossError::Throttled { request, message },
        500.. => BossError::Server { request, status, message },
        _ => BossError::Rejected { request, status, code: None, message },
    }
}

fn first(codes: [&str; 2]) -> String {
    tidy(codes.into_iter().find(|code| !code.is_empty()).unwrap_or_default(), "")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::tests::{QUEUE, play};
    use super::*;
    use crate::boss::testing::keys;

    #[tokio::test]
    async fn codes_are_read_from_body_and_header() {
        type Judge = fn(&BossError) -> bool;
        let table: [(u16, &str, &str, Judge); 10] = [
            (
                400,
                "com.amazonaws.sqs#QueueDoesNotExist",
                "",
                |e| matches!(e, BossError::QueueGone { queue } if queue == QUEUE),
            ),
            (400, "", "AWS.SimpleQueueService.NonExistentQueue;Sender", |e| matches!(e, BossError::QueueGone { .. })),
            (
                403,
                "com.amazon.coral.service#AccessDeniedException",
                "AccessDenied;Sender",
                |e| matches!(e, BossError::Keys { code, .. } if code == "AccessDeniedException"),
            ),
            (
                403,
                "",
                "InvalidClientTokenId;Sender",
                |e| matches!(e, BossError::Keys { code, .. } if code == "InvalidClientTokenId"),
            ),
            (403, "com.amazon.coral.service#UnrecognizedClientException", "", |e| matches!(e, BossError::Keys { .. })),
            (403, "com.amazon.coral.service#InvalidSignatureException", "", |e| {
                matches!(e, BossError::BadSignature { .. })
            }),
            (400, "com.amazonaws.sqs#RequestThrottled", "", |e| matches!(e, BossError::Throttled { .. })),
            (503, "", "", |e| matches!(e, BossError::Throttled { .. })),
            (500, "", "", |e| matches!(e, BossError::Server { .. })),
            (400, "com.amazonaws.sqs#ReceiptHandleIsInvalid", "", |e| matches!(e, BossError::Rejected { .. })),
        ];
        for (status, kind, query_error, judge) in table {
            let body = format!(r#"{{"__type": "{kind}", "message": "told"}}"#);
            let queue = play(status, query_error, &body).await;
            let error = queue.sqs.receive(QUEUE, 1, Duration::ZERO, &keys()).await.unwrap_err();
            assert!(judge(&error), "{status} {kind} {query_error}: {error:?}");
        }
    }

    #[tokio::test]
    async fn a_wrong_clock_is_told_by_the_text() {
        let body = r#"{"__type": "com.amazon.coral.service#InvalidSignatureException",
            "message": "Signature expired: 20210503T123456Z is now earlier than 20210503T130000Z"}"#;
        let queue = play(403, "", body).await;
        let error = queue.sqs.receive(QUEUE, 1, Duration::ZERO, &keys()).await.unwrap_err();
        assert!(matches!(error, BossError::WrongClock { .. }), "{error:?}");
    }
}
