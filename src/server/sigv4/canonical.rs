//! The canonical form of a request: what both sides write down before it is hashed and signed.

use axum::http::HeaderMap;
use axum::http::request::Parts;

use super::Service;
use crate::server::http::percent_decode;

/// The canonical request. `payload` is the hash of the body, or what stands for it.
pub fn request(parts: &Parts, signed_headers: &[&str], service: Service, payload: &str) -> String {
    let mut text = format!(
        "{}\n{}\n{}\n",
        parts.method,
        path(parts.uri.path(), service),
        query(parts.uri.query().unwrap_or_default())
    );
    for name in signed_headers {
        text += &format!("{name}:{}\n", values(&parts.headers, name));
    }
    text + &format!("\n{}\n{payload}", signed_headers.join(";"))
}

/// S3 encodes the path once, other services what is already encoded, once more.
fn path(sent: &str, service: Service) -> String {
    match service {
        Service::S3 => encode(&percent_decode(sent).unwrap_or_else(|| sent.to_owned()), "/"),
        Service::Sqs => encode(sent, "/"),
    }
}

/// Parameters in the order of their encoded names and values.
fn query(sent: &str) -> String {
    let encoded = |text: &str| encode(&percent_decode(text).unwrap_or_else(|| text.to_owned()), "");
    let pairs = sent.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let mut pairs: Vec<_> = pairs.map(|(name, value)| (encoded(name), encoded(value))).collect();
    pairs.sort();
    let pairs: Vec<_> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// All values of a header, with single blanks inside and none outside.
fn values(headers: &HeaderMap, name: &str) -> String {
    let tidy = |value: &[u8]| String::from_utf8_lossy(value).split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    let values: Vec<_> = headers.get_all(name).iter().map(|value| tidy(value.as_bytes())).collect();
    values.join(",")
}

/// Percent-encodes all but what RFC 3986 calls unreserved, and the characters to be `kept`.
fn encode(text: &str, kept: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(byte.into()),
            _ if kept.as_bytes().contains(&byte) => encoded.push(byte.into()),
            _ => encoded += &format!("%{byte:02X}"),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_encoded_once_for_s3_and_twice_for_others() {
        let cases = [
            ("/tiles.boss/ab%264%26", Service::S3, "/tiles.boss/ab%264%26"),
            ("/tiles.boss/ab&4", Service::S3, "/tiles.boss/ab%264"),
            ("/", Service::Sqs, "/"),
            ("/0/a%20b", Service::Sqs, "/0/a%2520b"),
        ];
        for (sent, service, expected) in cases {
            assert_eq!(path(sent, service), expected, "{sent}");
        }
    }

    #[test]
    fn parameters_are_sorted_and_have_a_value() {
        assert_eq!(query("x-id=PutObject"), "x-id=PutObject");
        assert_eq!(query("b=2&acl&b=1&a=x%2fy"), "a=x%2Fy&acl=&b=1&b=2");
        assert_eq!(query(""), "");
    }

    #[test]
    fn blanks_of_header_values_do_not_count() {
        let headers = HeaderMap::from_iter([("a".parse().unwrap(), "  { \"two  blanks\" :  1 } ".parse().unwrap())]);
        assert_eq!(values(&headers, "a"), "{ \"two blanks\" : 1 }");
        assert_eq!(values(&headers, "b"), "");
    }
}
