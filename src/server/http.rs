//! Small things that the REST, SQS and S3 sides of the port share.

use std::time::Duration;

use axum::body::{Body, Bytes};
use tokio::time::timeout;

/// A client that sends nothing of a body it promised for so long is given up.
pub const BODY_PATIENCE: Duration = Duration::from_secs(60);

/// Why a request's body was not taken.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    #[error("the request's body is longer than {limit} bytes")]
    TooLong { limit: usize },
    #[error("the request's body did not arrive")]
    Broken,
}

/// The whole body of a request that is small by its nature.
pub async fn whole_body(body: Body, limit: usize) -> Result<Bytes, BodyError> {
    match timeout(BODY_PATIENCE, axum::body::to_bytes(body, limit)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        // axum names this cause only by its text, "length limit exceeded".
        Ok(Err(error)) if std::error::Error::source(&error).is_some_and(|e| e.to_string().contains("limit")) => {
            Err(BodyError::TooLong { limit })
        }
        _ => Err(BodyError::Broken),
    }
}

/// A path with its `%XX` replaced; `None` when that gives no UTF-8 or is cut short.
pub fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first == b'%' {
            let [high, low, tail @ ..] = rest else { return None };
            let digit = |byte: &u8| char::from(*byte).to_digit(16);
            bytes.push((digit(high)? * 16 + digit(low)?) as u8);
            rest = tail;
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_decoded_as_s3_does() {
        let cases = [
            ("ab%264%261", Some("ab&4&1")),
            ("a+b", Some("a+b")),
            ("%e2%82%AC", Some("€")),
            ("%2", None),
            ("%zz", None),
            ("%ff", None),
        ];
        for (text, expected) in cases {
            assert_eq!(percent_decode(text).as_deref(), expected, "{text}");
        }
    }
}
