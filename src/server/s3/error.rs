//! Errors of S3, with the codes that the AWS programs look for.

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;

use super::put::{MAX_OBJECT_BYTES, PAYLOAD};
use crate::protocol::MAX_METADATA_BYTES;
use crate::server::error::StoreError;
use crate::server::sigv4::Refusal;

#[derive(Debug, thiserror::Error)]
pub enum S3Error {
    #[error("Access Denied")]
    AccessDenied,
    #[error("{}", told(.0))]
    Refused(#[from] Refusal),
    #[error("The specified bucket does not exist")]
    NoSuchBucket,
    #[error("The specified key is not valid.")]
    Key,
    #[error("Your metadata headers exceed the maximum allowed metadata size of {MAX_METADATA_BYTES} bytes: {found}")]
    MetadataTooLarge { found: usize },
    #[error("The metadata `{name}` is not ASCII text.")]
    Metadata { name: String },
    #[error("The {algorithm} you specified did not match the calculated checksum.")]
    BadDigest { algorithm: &'static str },
    #[error("Value for {header} header is invalid.")]
    Header { header: &'static str },
    #[error("Your proposed upload exceeds the maximum allowed size of {MAX_OBJECT_BYTES} bytes")]
    TooLarge,
    #[error("You did not provide the number of bytes specified by the Content-Length HTTP header.")]
    Incomplete,
    #[error("Missing required header for this request: {PAYLOAD}")]
    NoPayloadHash,
    #[error("The provided 'x-amz-content-sha256' header does not match what was computed.")]
    PayloadMismatch,
    #[error("Bodies that are signed in chunks are not understood here.")]
    SignedChunks,
    #[error("The object is not a cuboid of job {job}: {reason}")]
    NotACuboid { job: u64, reason: &'static str },
    #[error("We encountered an internal error. Please try again.")]
    Store(#[from] StoreError),
}

/// S3's words, where they are not those of all services.
fn told(refusal: &Refusal) -> String {
    match refusal {
        Refusal::UnknownKey => "The AWS Access Key Id you provided does not exist in our records.".to_owned(),
        Refusal::Skewed { .. } => {
            "The difference between the request time and the current time is too large.".to_owned()
        }
        other => other.to_string(),
    }
}

fn refusal_code(refusal: &Refusal) -> (StatusCode, &'static str) {
    match refusal {
        Refusal::NotSigned | Refusal::NoDate | Refusal::HeaderNotSigned { .. } => {
            (StatusCode::FORBIDDEN, "AccessDenied")
        }
        Refusal::Malformed { .. } => (StatusCode::BAD_REQUEST, "AuthorizationHeaderMalformed"),
        Refusal::UnknownKey => (StatusCode::FORBIDDEN, "InvalidAccessKeyId"),
        Refusal::Expired => (StatusCode::BAD_REQUEST, "ExpiredToken"),
        Refusal::Skewed { .. } => (StatusCode::FORBIDDEN, "RequestTimeTooSkewed"),
        Refusal::Mismatch => (StatusCode::FORBIDDEN, "SignatureDoesNotMatch"),
    }
}

impl S3Error {
    fn code(&self) -> (StatusCode, &'static str) {
        match self {
            S3Error::AccessDenied => (StatusCode::FORBIDDEN, "AccessDenied"),
            S3Error::Refused(refusal) => refusal_code(refusal),
            S3Error::NoPayloadHash => (StatusCode::BAD_REQUEST, "InvalidRequest"),
            S3Error::PayloadMismatch => (StatusCode::BAD_REQUEST, "XAmzContentSHA256Mismatch"),
            S3Error::NoSuchBucket => (StatusCode::NOT_FOUND, "NoSuchBucket"),
            S3Error::Key => (StatusCode::BAD_REQUEST, "InvalidURI"),
            S3Error::MetadataTooLarge { .. } => (StatusCode::BAD_REQUEST, "MetadataTooLarge"),
            S3Error::Metadata { .. } | S3Error::NotACuboid { .. } => (StatusCode::BAD_REQUEST, "InvalidArgument"),
            S3Error::BadDigest { .. } => (StatusCode::BAD_REQUEST, "BadDigest"),
            S3Error::Header { .. } => (StatusCode::BAD_REQUEST, "InvalidRequest"),
            S3Error::TooLarge => (StatusCode::BAD_REQUEST, "EntityTooLarge"),
            S3Error::Incomplete => (StatusCode::BAD_REQUEST, "IncompleteBody"),
            S3Error::SignedChunks => (StatusCode::NOT_IMPLEMENTED, "NotImplemented"),
            S3Error::Store(_) => (StatusCode::INTERNAL_SERVER_ERROR, "InternalError"),
        }
    }

    pub fn response(&self) -> Response {
        if let S3Error::Store(cause) = self {
            tracing::error!(%cause, "an object could not be stored");
        }
        let (status, code) = self.code();
        let message = self.to_string().replace('&', "&amp;").replace('<', "&lt;");
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        );
        Response::builder()
            .status(status)
            .header(CONTENT_TYPE, "application/xml")
            .body(Body::from(body))
            .expect("the reply's headers are well formed")
    }
}
