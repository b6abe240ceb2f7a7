//! Stores objects in S3, or what stands in for it: one signed PUT each.
//!
//! The body is protected by a CRC32C that is part of the signature; S3 compares it with what arrived before it stores
//! the object. Addresses are path style, as bucket names contain dots. Forms as in the Boss's `put_object` calls; limits
//! and codes as in the S3 API reference (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>).

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Request};

use super::error::tidy;
use super::http::{Answer, Http, name_of};
use super::{BossError, Endpoints, Service, SigningKeys};
use crate::protocol::MAX_METADATA_BYTES;

const CHECKSUM: &str = "x-amz-checksum-crc32c";
/// Makes a service that would ignore [`CHECKSUM`] look for it.
const CHECKSUM_KIND: &str = "x-amz-sdk-checksum-algorithm";

/// A client of S3. Clones share connections.
#[derive(Clone, Debug)]
pub struct S3 {
    http: Http,
    endpoints: Endpoints,
}

/// An object to store, checked and with its checksum, so that it can be sent several times.
#[derive(Clone, Debug)]
pub struct Object {
    bucket: String,
    key: String,
    body: Bytes,
    crc32c: u32,
    metadata: HeaderMap,
}

/// What S3 said of an object that it stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The object's tag without quotes; the MD5 of the body, unless the bucket encrypts.
    pub etag: Option<String>,
    /// The CRC32C of the body.
    pub crc32c: u32,
    /// Whether S3 named the same checksum in its answer.
    pub confirmed: bool,
}

impl Object {
    /// `metadata` are user metadata, names without `x-amz-meta-`.
    ///
    /// # Errors
    /// [`BossError::MetadataTooLarge`] when names and values have more than 2048 bytes together;
    /// [`BossError::BadCharacters`] for metadata that is not visible ASCII, or a key that no path can hold.
    pub fn new(bucket: &str, key: &str, body: Bytes, metadata: &[(&str, &str)]) -> Result<Self, BossError> {
        let size_bytes = metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
        if size_bytes > MAX_METADATA_BYTES {
            return Err(BossError::MetadataTooLarge { key: key.to_owned(), size_bytes });
        }
        let bad = |field: &str| BossError::BadCharacters { key: key.to_owned(), field: field.to_owned() };
        // Such parts would be taken out of the address, and the object stored somewhere else.
        if [bucket, key].iter().any(|name| name.split('/').any(|part| matches!(part, "" | "." | ".."))) {
            return Err(bad("name"));
        }
        let mut headers = HeaderMap::new();
        for (name, value) in metadata {
            let header = HeaderName::from_bytes(format!("x-amz-meta-{name}").as_bytes()).map_err(|_| bad(name))?;
            let ascii = value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
            let value = HeaderValue::from_str(value).ok().filter(|_| ascii).ok_or_else(|| bad(name))?;
            headers.insert(header, value);
        }
        let crc32c = crc32c::crc32c(&body);
        Ok(Object { bucket: bucket.to_owned(), key: key.to_owned(), body, crc32c, metadata: headers })
    }

    /// Bytes of the body.
    pub fn size_bytes(&self) -> u64 {
        self.body.len() as u64
    }

    /// The checksum as S3 writes it: base64 of the big-endian bytes.
    fn checksum(&self) -> String {
        BASE64_STANDARD.encode(self.crc32c.to_be_bytes())
    }
}

impl S3 {
    pub fn new(http: Http, endpoints: Endpoints) -> Self {
        S3 { http, endpoints }
    }

    /// Stores the object once, overwriting what had its key.
    ///
    /// # Errors
    /// `Keys`, `WrongClock`, `BadSignature`, `Throttled`, `MetadataTooLarge`, `NoSuchBucket`, `Damaged` when S3 got
    /// other bytes, `Server`, `Rejected`, and those of the network.
    pub async fn put(&self, object: &Object, keys: &SigningKeys) -> Result<Stored, BossError> {
        let request = self.request(object, keys)?;
        let name = name_of(&request);
        let answer = self.http.send(request).await?;
        if !answer.status.is_success() {
            return Err(self.http.set_clock(failure(name, object, &answer), &answer));
        }
        stored(object, &answer)
    }

    fn request(&self, object: &Object, keys: &SigningKeys) -> Result<Request, BossError> {
        let url = self.endpoints.object(&encode(&object.bucket), &encode(&object.key))?;
        let mut request = Request::new(Method::PUT, url);
        let headers = request.headers_mut();
        headers.extend(object.metadata.clone());
        headers.insert("x-amz-acl", HeaderValue::from_static("private"));
        headers.insert("x-amz-storage-class", HeaderValue::from_static("STANDARD"));
        headers.insert(CHECKSUM_KIND, HeaderValue::from_static("CRC32C"));
        headers.insert(CHECKSUM, HeaderValue::from_str(&object.checksum()).expect("base64 is ASCII"));
        keys.sign(&mut request, Service::S3, self.http.time())?;
        *request.body_mut() = Some(object.body.clone().into());
        Ok(request)
    }
}

/// Percent-encodes all but what RFC 3986 calls unreserved, and `/`. The `&` of keys becomes `%26`.
fn encode(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => encoded.push(byte.into()),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// The tag is not compared: of an encrypting bucket it looks like an MD5 and is none.
fn stored(object: &Object, answer: &Answer) -> Result<Stored, BossError> {
    let named = answer.header(CHECKSUM);
    if let Some(other) = named.filter(|named| *named != object.checksum()) {
        let message = format!("the checksum is {}, S3 has {}", object.checksum(), tidy(other, ""));
        return Err(BossError::Damaged { key: object.key.clone(), message });
    }
    let etag = answer.header("etag").map(|etag| etag.trim_matches('"').to_owned());
    Ok(Stored { etag, crc32c: object.crc32c, confirmed: named.is_some() })
}

fn failure(request: String, object: &Object, answer: &Answer) -> BossError {
    let text = answer.text();
    let code = element(&text, "Code").unwrap_or_default().to_owned();
    let message = tidy(element(&text, "Message").unwrap_or(&text), "");
    let service = Service::S3;
    let key = object.key.clone();
    match (code.as_str(), answer.status.as_u16()) {
        ("SignatureDoesNotMatch", _) => BossError::BadSignature { service, message },
        ("RequestTimeTooSkewed", _) => BossError::WrongClock { service, message, is_set: false },
        ("SlowDown" | "ServiceUnavailable" | "RequestLimitExceeded" | "Throttling" | "RequestTimeout", _) => {
            BossError::Throttled { request, message }
        }
        ("MetadataTooLarge", _) => {
            let size_bytes = object.metadata.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
            BossError::MetadataTooLarge { key, size_bytes }
        }
        ("NoSuchBucket", _) => BossError::NoSuchBucket { bucket: object.bucket.clone() },
        ("BadDigest" | "XAmzContentChecksumMismatch" | "InvalidDigest" | "IncompleteBody", _) => {
            BossError::Damaged { key, message }
        }
        ("AccessDenied" | "InvalidAccessKeyId" | "ExpiredToken" | "InvalidToken" | "TokenRefreshRequired", _) => {
            BossError::Keys { service, code, message }
        }
        (_, 403) => BossError::Forbidden { request, code: None, message },
        (_, 429 | 503) => BossError::Throttled { request, message },
        // 409: another writer of the same key; S3 asks to try again.
        (_, status @ (409 | 500..)) => BossError::Server { request, status, message },
        (_, status) => BossError::Rejected { request, status, code: None, message },
    }
}

/// The text of the first element of this name in S3's small error documents.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(text, _)| text)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use axum::Router;
    use axum::http::{HeaderMap, StatusCode, Uri};
    use axum::response::{IntoResponse, Response};

    use super::*;
    use crate::boss::testing::{self, Serving, keys};
    use crate::boss::{BossError, Timeouts};

    const KEY: &str = "5031ec41f1841439511b839ef6274548&4&5&6&0&1&2&37&0";

    type Got = Arc<Mutex<Option<(Uri, HeaderMap, Vec<u8>)>>>;

    /// An S3 that always gives this answer and keeps the last request.
    async fn s3(
        status: u16,
        headers: &'static [(&'static str, &'static str)],
        body: &'static str,
    ) -> (S3, Got, Serving) {
        let got: Got = Arc::default();
        let keep = got.clone();
        let answer = async move |uri: Uri, given: HeaderMap, bytes: axum::body::Bytes| -> Response {
            *keep.lock().unwrap() = Some((uri, given, bytes.to_vec()));
            let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
            for (name, value) in headers {
                response.headers_mut().insert(*name, HeaderValue::from_static(value));
            }
            response
        };
        let server = testing::serve(Router::new().fallback(answer)).await;
        let s3 = S3::new(Http::new(Timeouts::default()).unwrap(), Endpoints::local(&server.origin).unwrap());
        (s3, got, server)
    }

    fn object() -> Object {
        let metadata = [("message_id", "mid"), ("metadata", r#"{"a":"c&e"}"#)];
        Object::new("tiles.theboss.io", KEY, Bytes::from_static(b"123456789"), &metadata).unwrap()
    }

    #[tokio::test]
    async fn an_object_travels_with_key_metadata_checksum_and_signature() {
        let (s3, got, _server) = s3(200, &[("etag", "\"25f9e794323b453885f5181f1b624d0b\"")], "").await;
        let stored = s3.put(&object(), &keys()).await.unwrap();
        // The check value of CRC-32C for these nine digits.
        assert_eq!((stored.crc32c, stored.confirmed), (0xE306_9283, false));
        assert_eq!(stored.etag.as_deref(), Some("25f9e794323b453885f5181f1b624d0b"));
        let (uri, headers, body) = got.lock().unwrap().take().unwrap();
        assert_eq!(uri.path(), format!("/tiles.theboss.io/{}", KEY.replace('&', "%26")));
        assert_eq!(body, b"123456789");
        for (name, value) in [
            ("x-amz-checksum-crc32c", "4waSgw=="),
            ("x-amz-sdk-checksum-algorithm", "CRC32C"),
            ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
            ("x-amz-acl", "private"),
            ("x-amz-storage-class", "STANDARD"),
            ("x-amz-meta-message_id", "mid"),
            ("x-amz-meta-metadata", r#"{"a":"c&e"}"#),
            ("content-length", "9"),
        ] {
            assert_eq!(headers[name], value, "{name}");
        }
        let signature = headers["authorization"].to_str().unwrap();
        assert!(signature.contains("/us-east-1/s3/aws4_request") && signature.contains(CHECKSUM), "{signature}");
    }

    #[tokio::test]
    async fn another_checksum_in_the_answer_means_damage() {
        let (right, _, _server) = s3(200, &[(CHECKSUM, "4waSgw==")], "").await;
        assert!(right.put(&object(), &keys()).await.unwrap().confirmed);
        let (wrong, _, _server) = s3(200, &[(CHECKSUM, "AAAAAA==")], "").await;
        let error = wrong.put(&object(), &keys()).await.unwrap_err();
        assert!(matches!(error, BossError::Damaged { .. }) && error.is_temporary(), "{error:?}");
    }

    #[tokio::test]
    async fn each_code_of_s3_has_its_variant() {
        type Judge = fn(&BossError) -> bool;
        let table: [(u16, &str, Judge); 16] = [
            (403, "AccessDenied", |e| matches!(e, BossError::Keys { .. })),
            (403, "InvalidAccessKeyId", |e| matches!(e, BossError::Keys { code, .. } if code == "InvalidAccessKeyId")),
            (400, "ExpiredToken", |e| matches!(e, BossError::Keys { .. })),
            (403, "SignatureDoesNotMatch", |e| matches!(e, BossError::BadSignature { .. })),
            (403, "RequestTimeTooSkewed", |e| matches!(e, BossError::WrongClock { .. })),
            (403, "AllAccessDisabled", |e| matches!(e, BossError::Forbidden { .. })),
            (503, "SlowDown", |e| matches!(e, BossError::Throttled { .. })),
            (503, "", |e| matches!(e, BossError::Throttled { .. })),
            (400, "RequestTimeout", |e| matches!(e, BossError::Throttled { .. })),
            (500, "InternalError", |e| matches!(e, BossError::Server { status: 500, .. })),
            (409, "OperationAborted", |e| e.is_temporary()),
            (400, "MetadataTooLarge", |e| matches!(e, BossError::MetadataTooLarge { .. })),
            (404, "NoSuchBucket", |e| matches!(e, BossError::NoSuchBucket { .. })),
            (400, "BadDigest", |e| matches!(e, BossError::Damaged { .. })),
            (400, "EntityTooLarge", |e| matches!(e, BossError::Rejected { .. })),
            (301, "PermanentRedirect", |e| matches!(e, BossError::Redirected { .. })),
        ];
        for (status, code, judge) in table {
            let xml = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>told</Message></Error>");
            let (s3, _, _server) = s3(status, &[], if code.is_empty() { "<html>" } else { xml.leak() }).await;
            let error = s3.put(&object(), &keys()).await.unwrap_err();
            assert!(judge(&error), "{status} {code}: {error:?}");
        }
    }

    #[test]
    fn metadata_is_bounded_and_ascii_and_keys_stay_in_their_bucket() {
        let make = |key: &str, value: &str| Object::new("b", key, Bytes::new(), &[("metadata", value)]);
        assert!(make("k", &"x".repeat(2040)).is_ok());
        let error = make("k", &"x".repeat(2041)).unwrap_err();
        assert!(matches!(error, BossError::MetadataTooLarge { size_bytes: 2049, .. }));
        assert!(matches!(make("k", "ä").unwrap_err(), BossError::BadCharacters { .. }));
        assert!(matches!(make("k", "a\r\nx-evil: 1").unwrap_err(), BossError::BadCharacters { .. }));
        for key in ["", ".", "../other/k", "a//b", "/a"] {
            assert!(matches!(make(key, "").unwrap_err(), BossError::BadCharacters { .. }), "{key}");
        }
    }
}
