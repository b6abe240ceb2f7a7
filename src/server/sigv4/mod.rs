//! AWS signatures (version 4) in the `Authorization` header, as S3 and SQS check them.
//!
//! Written from AWS's description alone and held to signatures of botocore, and so independent of the client's signing: a mistake
//! would have to be made twice. Rules: "Signature Version 4 signing process" in the AWS IAM User Guide.

mod canonical;
mod refusal;

use std::time::UNIX_EPOCH;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

pub use self::refusal::Refusal;
use super::keys::Keys;

/// The Boss runs in one region only.
const REGION: &str = "us-east-1";
const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// A request may be so much older or newer than the server's clock.
const MOST_SKEW_MS: u64 = 15 * 60 * 1000;

/// Which service a request is for: they differ in how a path is written, and in which headers have to be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    S3,
    Sqs,
}

impl Service {
    /// As credentials and signing keys name it.
    pub fn name(self) -> &'static str {
        match self {
            Service::S3 => "s3",
            Service::Sqs => "sqs",
        }
    }
}

/// Who signed a request; gives the job whose key it was. `payload` is the hash of the body, or what stands for it; `ahead_ms` is how
/// much the clock is ahead that the request's own time is held against.
///
/// # Errors
/// A [`Refusal`], in AWS's order: the header, the key, the time, the signature.
pub fn verify(
    keys: &Keys,
    now_ms: i64,
    ahead_ms: i64,
    parts: &Parts,
    service: Service,
    payload: &str,
) -> Result<u64, Refusal> {
    let presented = Presented::read(&parts.headers, service)?;
    let time = header(&parts.headers, "x-amz-date").ok_or(Refusal::NoDate)?;
    if !time.starts_with(presented.date) {
        return Err(Refusal::Malformed { what: "the date of its credential is not that of the request" });
    }
    let key = keys.find(presented.access_key, now_ms)?;
    check_time(time, now_ms + ahead_ms)?;
    presented.check_headers(&parts.headers, service)?;
    let canonical = canonical::request(parts, &presented.signed_headers, service, payload);
    let text = format!("{ALGORITHM}\n{time}\n{}\n{}", presented.scope(), hex(&Sha256::digest(canonical)));
    let signing_key = key.signing_key(presented.date, service);
    if !presented.is_signature_of(&text, &signing_key) {
        tracing::debug!(text, "a signature is not that of its request");
        return Err(Refusal::Mismatch);
    }
    Ok(key.job)
}

/// SHA-256 of a body, as signatures hold it.
pub fn hash(body: &[u8]) -> String {
    hex(&Sha256::digest(body))
}

/// The key for one day and one service, made from a secret.
pub fn derive(secret: &str, date: &str, service: Service) -> [u8; 32] {
    let first = mac(format!("AWS4{secret}").as_bytes(), date);
    [REGION, service.name(), "aws4_request"].iter().fold(first, |key, part| mac(&key, part))
}

fn mac(key: &[u8], text: &str) -> [u8; 32] {
    keyed(key, text).finalize().into_bytes().into()
}

fn keyed(key: &[u8], text: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Times are written as `20210503T123456Z`.
fn check_time(time: &str, now_ms: i64) -> Result<(), Refusal> {
    let unreadable = Refusal::Malformed { what: "its `X-Amz-Date` is no time" };
    let at = |range: std::ops::Range<usize>| time.get(range).unwrap_or_default();
    let iso = format!("{}-{}-{}T{}:{}:{}Z", at(0..4), at(4..6), at(6..8), at(9..11), at(11..13), at(13..15));
    let sent = humantime::parse_rfc3339(&iso).ok().filter(|_| time.len() == 16).ok_or(unreadable)?;
    let sent_ms = sent.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
    if sent_ms.abs_diff(now_ms) > MOST_SKEW_MS {
        return Err(Refusal::Skewed { sent: time.to_owned(), sent_ms, now_ms });
    }
    Ok(())
}

/// What the `Authorization` header says:
/// `AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, SignedHeaders=a;b, Signature=HEX`.
struct Presented<'a> {
    access_key: &'a str,
    date: &'a str,
    service: Service,
    signed_headers: Vec<&'a str>,
    signature: &'a str,
}

impl<'a> Presented<'a> {
    fn read(headers: &'a HeaderMap, service: Service) -> Result<Self, Refusal> {
        let header = header(headers, AUTHORIZATION.as_str()).ok_or(Refusal::NotSigned)?;
        let fields = header.strip_prefix(ALGORITHM).ok_or(Refusal::Malformed { what: "it is not AWS4-HMAC-SHA256" })?;
        let field = |name: &str| {
            let mut found = fields.split(',').filter_map(|field| field.trim().split_once('='));
            found.find(|(key, _)| *key == name).map(|(_, value)| value)
        };
        let lacks = |what| move || Refusal::Malformed { what };
        let credential = field("Credential").ok_or_else(lacks("it has no `Credential`"))?;
        let signed_headers = field("SignedHeaders").ok_or_else(lacks("it has no `SignedHeaders`"))?;
        let signature = field("Signature").ok_or_else(lacks("it has no `Signature`"))?;
        let parts: Vec<&str> = credential.split('/').collect();
        let [access_key, date, region, name, "aws4_request"] = parts[..] else {
            return Err(Refusal::Malformed { what: "its credential is not KEY/DATE/REGION/SERVICE/aws4_request" });
        };
        if (region, name) != (REGION, service.name()) {
            return Err(Refusal::Malformed {
                what: "its credential is for another region than us-east-1 or another service",
            });
        }
        Ok(Presented { access_key, date, service, signed_headers: signed_headers.split(';').collect(), signature })
    }

    fn scope(&self) -> String {
        format!("{}/{REGION}/{}/aws4_request", self.date, self.service.name())
    }

    /// The host and all of Amazon's own headers have to be signed; S3 insists on the latter, whatever they say.
    fn check_headers(&self, headers: &HeaderMap, service: Service) -> Result<(), Refusal> {
        let is_signed = |name: &&str| self.signed_headers.contains(name);
        let amazons = headers.keys().map(|name| name.as_str()).filter(|name| name.starts_with("x-amz-"));
        let needed = ["host", "x-amz-date"].into_iter().chain(amazons.filter(|_| service == Service::S3));
        match needed.into_iter().find(|name| !is_signed(name)) {
            Some(name) => Err(Refusal::HeaderNotSigned { name: name.to_owned() }),
            None => Ok(()),
        }
    }

    fn is_signature_of(&self, text: &str, signing_key: &[u8]) -> bool {
        let digits = self.signature.as_bytes();
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let Some(signature) = digits.chunks(2).map(byte).collect::<Option<Vec<u8>>>() else { return false };
        // Compares in a time that does not tell how much was right.
        keyed(signing_key, text).verify_slice(&signature).is_ok()
    }
}

#[cfg(test)]
mod tests;
