//! AWS signatures (version 4) of requests to S3 and SQS.
//!
//! Bodies of S3 objects are not part of the signature: hashing them costs twenty times what all the rest does. They are
//! protected by a signed CRC32C header instead (see [`super::s3`]). Held to botocore's signatures of the same requests
//! (`tests/foreign/make_signatures.py`).

use std::time::SystemTime;

use aws_credential_types::Credentials as AwsCredentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode,
    sign,
};
use aws_sigv4::sign::v4;
use reqwest::Request;
use reqwest::header::{HeaderName, HeaderValue};

use super::{BossError, Service};
use crate::protocol::Credentials;

/// The Boss runs in one region only.
const REGION: &str = "us-east-1";

/// The AWS keys of a job, ready to sign with. `Debug` does not show the secrets.
#[derive(Clone)]
pub struct SigningKeys(AwsCredentials);

impl SigningKeys {
    pub fn new(credentials: &Credentials) -> Self {
        let Credentials { access_key, secret_key, security_token } = credentials;
        SigningKeys(AwsCredentials::new(access_key, secret_key, security_token.clone(), None, "join"))
    }

    /// Adds the signature's headers to a complete request.
    ///
    /// # Errors
    /// [`BossError::BadSignature`] when the request or the keys have characters that cannot be signed.
    pub(super) fn sign(&self, request: &mut Request, service: Service, time: SystemTime) -> Result<(), BossError> {
        let headers =
            self.signature(request, service, time).map_err(|message| BossError::BadSignature { service, message })?;
        request.headers_mut().extend(headers);
        Ok(())
    }

    fn signature(
        &self,
        request: &Request,
        service: Service,
        time: SystemTime,
    ) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
        let identity = self.0.clone().into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(REGION)
            .name(signing_name(service))
            .time(time)
            .settings(settings(service))
            .build()
            .expect("every parameter is set")
            .into();
        let mut signed = Vec::new();
        for (name, value) in request.headers() {
            signed.push((name.as_str(), value.to_str().map_err(|_| format!("header `{name}` is not ASCII"))?));
        }
        let url = request.url().as_str();
        let signable = SignableRequest::new(request.method().as_str(), url, signed.into_iter(), body(request, service))
            .map_err(|error| error.to_string())?;
        let (instructions, _) = sign(signable, &params).map_err(|error| error.to_string())?.into_parts();
        let (headers, _) = instructions.into_parts();
        headers.iter().map(|header| header_line(header.name(), header.value(), header.sensitive())).collect()
    }
}

impl std::fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKeys").field("access_key", &self.0.access_key_id()).finish_non_exhaustive()
    }
}

fn signing_name(service: Service) -> &'static str {
    match service {
        Service::S3 => "s3",
        Service::Sqs => "sqs",
    }
}

/// S3 signs the path as it is sent and wants the hash of the body, or its absence, in a header.
fn settings(service: Service) -> SigningSettings {
    let mut settings = SigningSettings::default();
    if service == Service::S3 {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    settings
}

fn body(request: &Request, service: Service) -> SignableBody<'_> {
    match service {
        Service::S3 => SignableBody::UnsignedPayload,
        Service::Sqs => {
            SignableBody::Bytes(request.body().and_then(reqwest::Body::as_bytes).expect("SQS bodies are in memory"))
        }
    }
}

fn header_line(name: &'static str, value: &str, sensitive: bool) -> Result<(HeaderName, HeaderValue), String> {
    let mut value = HeaderValue::from_str(value).map_err(|_| format!("header `{name}` cannot be sent"))?;
    value.set_sensitive(sensitive || name == "authorization");
    Ok((HeaderName::from_static(name), value))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::{Duration, UNIX_EPOCH};

    use reqwest::{Client, Method};
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Vectors {
        unix_time: u64,
        credentials: Keys,
        cases: Vec<Case>,
    }

    #[derive(Deserialize)]
    struct Keys {
        access_key: String,
        secret_key: String,
    }

    #[derive(Deserialize)]
    struct Case {
        name: String,
        service: String,
        method: String,
        url: String,
        headers: BTreeMap<String, String>,
        body: String,
        security_token: Option<String>,
        signed: BTreeMap<String, String>,
    }

    fn sign_case(case: &Case, keys: &Keys, time: SystemTime) -> Request {
        let mut request = Client::new()
            .request(Method::from_bytes(case.method.as_bytes()).unwrap(), &case.url)
            .body(case.body.clone())
            .build()
            .unwrap();
        for (name, value) in &case.headers {
            request.headers_mut().insert(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        let keys = SigningKeys::new(&Credentials {
            access_key: keys.access_key.clone(),
            secret_key: keys.secret_key.clone(),
            security_token: case.security_token.clone(),
        });
        let service = if case.service == "s3" { Service::S3 } else { Service::Sqs };
        keys.sign(&mut request, service, time).unwrap();
        request
    }

    #[test]
    fn requests_are_signed_as_botocore_signs_them() {
        let vectors: Vectors = serde_json::from_str(include_str!("../../tests/data/vectors/signatures.json")).unwrap();
        assert_eq!(vectors.cases.len(), 4);
        let time = UNIX_EPOCH + Duration::from_secs(vectors.unix_time);
        for case in &vectors.cases {
            let request = sign_case(case, &vectors.credentials, time);
            assert_eq!(request.url().as_str(), case.url, "{}", case.name);
            for (name, value) in &case.signed {
                assert_eq!(request.headers()[name], value, "{}: {name}", case.name);
            }
        }
    }

    #[test]
    fn neither_keys_nor_signatures_are_shown() {
        let keys = SigningKeys::new(&Credentials {
            access_key: "AKIA".to_owned(),
            secret_key: "s3cr3t".to_owned(),
            security_token: Some("t0ken".to_owned()),
        });
        let mut request = Request::new(Method::PUT, "http://h/b/k".parse().unwrap());
        keys.sign(&mut request, Service::S3, UNIX_EPOCH).unwrap();
        let shown = format!("{keys:?} {request:?}");
        assert!(shown.contains("AKIA") && !shown.contains("s3cr3t") && !shown.contains("t0ken"), "{shown}");
        assert!(!shown.contains("Signature="), "{shown}");
    }
}
