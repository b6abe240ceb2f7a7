use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::Request;
use serde::Deserialize;

use super::*;
use crate::server::keys::Key;

/// Requests signed by botocore (`tests/foreign/make_signatures.py`).
#[derive(Deserialize)]
struct Vectors {
    unix_time: i64,
    credentials: BTreeMap<String, String>,
    cases: Vec<Case>,
    other_cases: Vec<Case>,
}

#[derive(Clone, Deserialize)]
struct Case {
    name: String,
    service: String,
    method: String,
    url: String,
    headers: BTreeMap<String, String>,
    body: String,
    signed: BTreeMap<String, String>,
}

fn vectors() -> Vectors {
    let text = include_str!("../../../tests/data/vectors/signatures.json");
    let mut vectors: Vectors = serde_json::from_str(text).unwrap();
    let others = std::mem::take(&mut vectors.other_cases);
    vectors.cases.extend(others);
    vectors
}

impl Vectors {
    /// What becomes of a case at so many seconds after it was signed.
    fn verify(&self, case: &Case, seconds: i64) -> Result<u64, Refusal> {
        let keys = Keys::default();
        let credential = |name: &str| self.credentials[name].clone();
        let key = Key::read(7, credential("access_key"), credential("secret_key"), 0, i64::MAX);
        keys.insert(Arc::new(key), 0);
        let service = if case.service == "s3" { Service::S3 } else { Service::Sqs };
        let (parts, _) = case.request().into_parts();
        let payload = case.signed.get("x-amz-content-sha256").cloned().unwrap_or_else(|| hash(case.body.as_bytes()));
        verify(&keys, (self.unix_time + seconds) * 1000, 0, &parts, service, &payload)
    }
}

impl Case {
    /// As it arrives: with the path alone in its first line.
    fn request(&self) -> Request<()> {
        let (host, path) = self.url.split_once("://").unwrap().1.split_once('/').unwrap();
        let mut request = Request::builder().method(&*self.method).uri(format!("/{path}")).header("host", host);
        for (name, value) in self.headers.iter().chain(&self.signed) {
            request = request.header(name, value);
        }
        request.body(()).unwrap()
    }
}

#[test]
fn requests_signed_by_botocore_are_taken() {
    let vectors = vectors();
    assert_eq!(vectors.cases.len(), 8);
    for case in &vectors.cases {
        assert_eq!(vectors.verify(case, 0), Ok(7), "{}", case.name);
    }
}

#[test]
fn whatever_is_changed_the_signature_is_no_longer_right() {
    let vectors = vectors();
    for case in &vectors.cases {
        let changed = |change: &dyn Fn(&mut Case)| {
            let mut case = case.clone();
            change(&mut case);
            vectors.verify(&case, 0)
        };
        assert_eq!(changed(&|case| case.url.push('x')), Err(Refusal::Mismatch), "{}", case.name);
        assert_eq!(changed(&|case| case.method = "DELETE".to_owned()), Err(Refusal::Mismatch), "{}", case.name);
        for name in case.headers.keys() {
            let change = |case: &mut Case| case.headers.get_mut(name).unwrap().push('x');
            assert_eq!(changed(&change), Err(Refusal::Mismatch), "{}: {name}", case.name);
        }
        if case.service == "sqs" {
            assert_eq!(changed(&|case| case.body.push(' ')), Err(Refusal::Mismatch), "{}", case.name);
        }
        for (from, to) in
            [("Signature=", "Signature=00"), ("Signature=", "Signature=zz"), ("Signature=", "Signature=€")]
        {
            let change = |case: &mut Case| {
                let header = case.signed.get_mut("authorization").unwrap();
                *header = header.replace(from, to);
            };
            let found = changed(&change);
            assert!(matches!(found, Err(Refusal::Mismatch | Refusal::NotSigned)), "{}: {found:?}", case.name);
        }
    }
}

#[test]
fn a_header_that_is_wrong_is_named() {
    let vectors = vectors();
    let case = &vectors.cases[0];
    let with = |from: &str, to: &str| {
        let mut case = case.clone();
        let header = case.signed.get_mut("authorization").unwrap();
        assert!(header.contains(from), "{header}");
        *header = header.replace(from, to);
        vectors.verify(&case, 0).unwrap_err()
    };
    assert!(matches!(with("AWS4-HMAC-SHA256", "AWS"), Refusal::Malformed { .. }));
    assert!(matches!(with("Credential=", "Credentials="), Refusal::Malformed { .. }));
    assert!(matches!(with("/us-east-1/", "/us-west-2/"), Refusal::Malformed { .. }));
    assert!(matches!(with("/s3/", "/sqs/"), Refusal::Malformed { .. }));
    assert!(matches!(with("/20210503/", "/20210504/"), Refusal::Malformed { .. }));
    assert_eq!(with("AKIAIOSFODNN7EXAMPLE", "AKIAOTHER"), Refusal::UnknownKey);
    let unsigned = Refusal::HeaderNotSigned { name: "x-amz-storage-class".to_owned() };
    assert_eq!(with(";x-amz-storage-class", ""), unsigned);
    assert_eq!(with("host;", ""), Refusal::HeaderNotSigned { name: "host".to_owned() });
}

#[test]
fn a_clock_may_be_off_by_a_quarter_of_an_hour() {
    let vectors = vectors();
    for (seconds, is_good) in [(900, true), (-900, true), (901, false), (-901, false)] {
        let found = vectors.verify(&vectors.cases[0], seconds);
        assert_eq!(found.is_ok(), is_good, "{seconds}: {found:?}");
        assert!(is_good || matches!(found, Err(Refusal::Skewed { .. })), "{seconds}: {found:?}");
    }
}
