//! Signatures for requests that no client of ours makes, by the signing library itself.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode,
    sign,
};
use aws_sigv4::sign::v4::SigningParams;
use reqwest::{Request, RequestBuilder};

/// The request with the headers that S3 or SQS want to see, for these keys. Bodies are signed for SQS alone.
pub fn signed(request: RequestBuilder, service: &str, access_key: &str, secret_key: &str) -> Request {
    let mut request = request.build().unwrap();
    let mut settings = SigningSettings::default();
    if service == "s3" {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    let identity = Credentials::new(access_key, secret_key, None, None, "test").into();
    let params = SigningParams::builder().identity(&identity).region("us-east-1").name(service);
    let params = params.time(SystemTime::now()).settings(settings).build().unwrap().into();
    let headers = request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
    let body = match service {
        "s3" => SignableBody::UnsignedPayload,
        _ => SignableBody::Bytes(request.body().and_then(|body| body.as_bytes()).unwrap_or_default()),
    };
    let signable = SignableRequest::new(request.method().as_str(), request.url().as_str(), headers, body).unwrap();
    let (instructions, _) = sign(signable, &params).unwrap().into_parts();
    for header in instructions.into_parts().0 {
        request.headers_mut().insert(header.name(), header.value().parse().unwrap());
    }
    request
}
