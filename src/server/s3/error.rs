//! Errors of S3, with the codes that the AWS programs look for.

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;

use super::put::MAX_OBJECT_BYTES;
use crate::protocol::MAX_METADATA_BYTES;
use crate::server::error::StoreError;

#[derive(Debug, thiserror::Error)]
pub enum S3Error {
    #[error("Access Denied")]
    AccessDenied,
    #[error("The AWS Access Key Id you provided does not exist in our records.")]
    UnknownKey,
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
    #[error("Bodies that are signed in chunks are not understood here.")]
    SignedChunks,
    #[error("The object is not a cuboid of job {job}: {reason}")]
    NotACuboid { job: u64, reason: &'static str },
    #[error("We encountered an internal error. Please try again.")]
    Store(#[from] StoreError),
}

impl S3Error {
    fn code(&self) -> (StatusCode, &'static str) {
        match self {
            S3Error::AccessDenied => (StatusCode::FORBIDDEN, "AccessDenied"),
            S3Error::UnknownKey => (StatusCode::FORBIDDEN, "InvalidAccessKeyId"),
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
