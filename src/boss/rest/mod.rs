//! The Boss's REST service: one request at a time, with the token, retries, and errors read from either kind of body.
//!
//! `jobs` creates, lists and cancels ingest jobs and asks for their state, `join` joins one, `complete` brings one to its
//! end; `resources` has collections, coordinate frames, experiments and channels.

mod complete;
mod jobs;
mod join;
mod resources;

use std::sync::Arc;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::tidy;
use super::http::{Answer, Http, Timeouts, name_of, parse_address};
use super::{BossError, RetryCounts, RetryPolicy, Token, retry};

pub use complete::Completion;
pub use jobs::Cancelled;
pub use join::{JoinWait, Joined};
pub use resources::{Channel, ChannelKind, Collection, CoordinateFrame, Experiment};

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A client of one Boss for one user. Clones share connections and counts.
#[derive(Clone, Debug)]
pub struct Rest {
    http: Http,
    base: Url,
    token: Token,
    policy: RetryPolicy,
    counts: Arc<RetryCounts>,
}

/// One request.
struct Call<'a> {
    method: Method,
    /// What follows the base address; names are encoded.
    path: Vec<&'a str>,
    body: Option<String>,
    /// A status beside 2xx whose answer the caller reads itself.
    also: Option<u16>,
    /// Whether sending it twice does no harm.
    repeatable: bool,
}

impl Rest {
    /// A client of the Boss at `base_url`, such as `https://api.bossdb.io`, with the usual time limits.
    ///
    /// # Errors
    /// [`BossError::BadAddress`], [`BossError::NoClient`].
    pub fn new(base_url: &str, token: Token) -> Result<Self, BossError> {
        Self::with_http(base_url, token, Http::new(Timeouts::default())?)
    }

    /// The same with an HTTP client that is shared or has other time limits.
    ///
    /// # Errors
    /// [`BossError::BadAddress`].
    pub fn with_http(base_url: &str, token: Token, http: Http) -> Result<Self, BossError> {
        let base = parse_address(base_url)?;
        Ok(Rest { http, base, token, policy: RetryPolicy::brisk(), counts: Arc::default() })
    }

    /// Tries longer or shorter than [`RetryPolicy::brisk`].
    pub fn with_policy(self, policy: RetryPolicy) -> Self {
        Rest { policy, ..self }
    }

    /// The address of the Boss, without a slash at its end.
    pub fn base_url(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// The HTTP client, to share it.
    pub fn http(&self) -> &Http {
        &self.http
    }

    /// What had to be repeated so far.
    pub fn counts(&self) -> &Arc<RetryCounts> {
        &self.counts
    }

    /// Sends until there is an answer of status 2xx or `also`.
    async fn call(&self, call: &Call<'_>) -> Result<Answer, BossError> {
        if !call.repeatable {
            return self.call_once(call).await;
        }
        retry(self.policy.start(None, &self.counts), || self.call_once(call)).await
    }

    async fn call_once(&self, call: &Call<'_>) -> Result<Answer, BossError> {
        let request = self.request(call);
        let name = name_of(&request);
        let answer = self.http.send(request).await?;
        if answer.status.is_success() || Some(answer.status.as_u16()) == call.also {
            return Ok(answer);
        }
        Err(self.failure(name, &answer))
    }

    fn request(&self, call: &Call) -> Request {
        let mut url = self.base.clone();
        url.path_segments_mut().expect("http addresses have paths").pop_if_empty().extend(&call.path);
        let mut request = Request::new(call.method.clone(), url);
        request.headers_mut().insert(AUTHORIZATION, self.token.header());
        request.headers_mut().insert(ACCEPT, JSON);
        if let Some(body) = &call.body {
            request.headers_mut().insert(CONTENT_TYPE, JSON);
            *request.body_mut() = Some(body.clone().into());
        }
        request
    }

    /// The error that an answer stands for. The text is `detail` (of the web framework) or `message` (of the Boss).
    fn failure(&self, request: String, answer: &Answer) -> BossError {
        let body: ErrorBody = serde_json::from_slice(&answer.body).unwrap_or_default();
        let text = body.detail.or(body.message).unwrap_or_else(|| answer.text().into_owned());
        let (message, code) = (tidy(&text, self.token.secret()), body.code);
        match answer.status.as_u16() {
            401 => BossError::Refused { request, message },
            403 => BossError::Forbidden { request, code, message },
            404 => BossError::NotFound { request, code, message },
            408 | 429 => BossError::Throttled { request, message },
            // The Boss's "system error" has status 400, also when AWS throttles the Boss itself.
            400 if speaks_of_throttling(&message) => BossError::Throttled { request, message },
            status @ 500.. => BossError::Server { request, status, message },
            status => BossError::Rejected { request, status, code, message },
        }
    }

    /// The name of a call in messages.
    fn name(&self, call: &Call) -> String {
        name_of(&self.request(call))
    }

    fn read<T: DeserializeOwned>(&self, call: &Call, answer: &Answer) -> Result<T, BossError> {
        read_json(&self.name(call), &answer.body)
    }
}

impl<'a> Call<'a> {
    fn get(path: impl IntoIterator<Item = &'a str>) -> Self {
        Call { method: Method::GET, path: path.into_iter().collect(), body: None, also: None, repeatable: true }
    }

    fn post(path: impl IntoIterator<Item = &'a str>, body: Option<String>) -> Self {
        Call { method: Method::POST, body, ..Call::get(path) }
    }
}

#[derive(Default, Deserialize)]
struct ErrorBody {
    detail: Option<String>,
    message: Option<String>,
    code: Option<u32>,
}

/// Reads a JSON answer. The error says where the JSON is wrong but quotes no values, as they may be keys.
pub(super) fn read_json<T: DeserializeOwned>(request: &str, body: &[u8]) -> Result<T, BossError> {
    serde_json::from_slice(body).map_err(|error| {
        let text = error.to_string();
        let reason = if text.starts_with("missing field") {
            text
        } else {
            format!("not the expected JSON at line {} column {}", error.line(), error.column())
        };
        BossError::BadAnswer { request: request.to_owned(), reason }
    })
}

fn speaks_of_throttling(message: &str) -> bool {
    let message = message.to_lowercase();
    ["throttl", "rate exceeded", "slow down", "too many requests"].iter().any(|words| message.contains(words))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    pub use crate::boss::testing::play;
    use crate::boss::testing::{self, QUICK};

    #[tokio::test]
    async fn each_failure_has_its_variant_and_the_servers_text() {
        type Judge = fn(&BossError) -> bool;
        let table: [(u16, &str, Judge, &str); 9] = [
            (
                401,
                r#"{"detail": "Invalid token s3cr3t."}"#,
                |e| matches!(e, BossError::Refused { .. }),
                "Invalid token ***.",
            ),
            (
                403,
                r#"{"status": 403, "code": 3003, "message": "Only the creator or admin can join an ingest job"}"#,
                |e| matches!(e, BossError::Forbidden { code: Some(3003), .. }),
                "Only the creator or admin can join an ingest job",
            ),
            (
                404,
                r#"{"status": 404, "code": 4004, "message": "The ingest job with id 7 does not exist"}"#,
                |e| matches!(e, BossError::NotFound { code: Some(4004), .. }),
                "The ingest job with id 7 does not exist",
            ),
            (404, "<h1>Not Found</h1>", |e| matches!(e, BossError::NotFound { code: None, .. }), "<h1>Not Found</h1>"),
            (400, r#"{"detail": "D", "message": "M"}"#, |e| matches!(e, BossError::Rejected { .. }), ": D"),
            (
                400,
                r#"{"status": 400, "code": 9001, "message": "An error occurred (Throttling): Rate exceeded"}"#,
                |e| matches!(e, BossError::Throttled { .. }),
                "Rate exceeded",
            ),
            (413, "", |e| matches!(e, BossError::Rejected { status: 413, code: None, .. }), "no reason given"),
            (500, "<html>", |e| matches!(e, BossError::Server { status: 500, .. }), "<html>"),
            (
                429,
                r#"{"detail": "Request was throttled."}"#,
                |e| matches!(e, BossError::Throttled { .. }),
                "was throttled",
            ),
        ];
        let policy = RetryPolicy { give_up_after: std::time::Duration::ZERO, ..QUICK };
        for (status, body, judge, text) in table {
            let boss = play(&[(status, body)]).await;
            let error = boss.rest.clone().with_policy(policy).status(7).await.unwrap_err();
            assert!(judge(&error), "{status} {body}: {error:?}");
            assert!(error.to_string().contains(text), "{error}");
            assert!(error.to_string().contains("/latest/ingest/7/status"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_failing_server_is_asked_again() {
        let status = r#"{"id": 7, "status": 1, "total_message_count": 80, "current_message_count": 12}"#;
        let boss = play(&[(503, ""), (502, "<html>"), (200, status)]).await;
        assert_eq!(boss.rest.status(7).await.unwrap().current_message_count, 12);
        assert_eq!((boss.rest.counts().retries(), boss.rest.counts().congestions()), (2, 1));
    }

    #[tokio::test]
    async fn wrong_json_is_an_error_that_quotes_nothing() {
        for body in ["", "[]", "{", r#"{"id": "s3cr3t"}"#, r#"{"id": 7, "status": 99}"#] {
            let boss = play(&[(200, body)]).await;
            let error = boss.rest.status(7).await.unwrap_err();
            assert!(matches!(error, BossError::BadAnswer { .. }), "{error:?}");
            assert!(!format!("{error:?}").contains("s3cr3t"), "{error:?}");
        }
    }

    #[tokio::test]
    async fn an_unreachable_host_is_reported_within_the_policys_time() {
        let rest = Rest::new(&testing::closed_origin().await, Token::new("t", "test").unwrap()).unwrap();
        let policy = RetryPolicy { give_up_after: std::time::Duration::from_millis(100), ..QUICK };
        let error = rest.with_policy(policy).list().await.unwrap_err();
        assert!(matches!(error, BossError::Unreachable { sent: false, .. }));
    }

    #[tokio::test]
    async fn the_token_is_not_shown() {
        let boss = play(&[(200, "")]).await;
        assert!(!format!("{:?}", boss.rest).contains("s3cr3t"));
    }
}
