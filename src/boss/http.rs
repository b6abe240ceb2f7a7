//! The one HTTP client below REST, SQS and S3: its time limits, its connections, and bounded reading of answers.

use std::path::Path;
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use reqwest::header::{HeaderMap, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, Request, Response, StatusCode, Url};

use super::BossError;
use super::clock::Clock;

/// Bytes that an answer may have: an error's text, and what was asked for.
const MAX_ERROR_BYTES: usize = 1 << 20;
const MAX_ANSWER_BYTES: usize = 64 << 20;

/// Idle connections are closed by us before servers do it at a bad moment.
const IDLE: Duration = Duration::from_secs(15);

/// The time limits of every request.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// For making a connection.
    pub connect: Duration,
    /// Between two signs of life, the first of which is the beginning of the answer.
    pub read: Duration,
    /// For request and answer together. Shorter than the 120 s after which a queue hands a message to somebody else.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Timeouts { connect: Duration::from_secs(10), read: Duration::from_secs(60), total: Duration::from_secs(110) }
    }
}

/// A shared HTTP client; clones use the same connections.
#[derive(Clone, Debug)]
pub struct Http {
    client: Client,
    clock: Clock,
}

/// A complete answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Http {
    /// Trusts the authorities that this machine knows, and those of the file that `AWS_CA_BUNDLE` names. Without any, as in a bare
    /// container, only `http` addresses work.
    ///
    /// # Errors
    /// [`BossError::BadBundle`]; [`BossError::NoClient`] when the system gives no TLS or name look-up at all.
    pub fn new(timeouts: Timeouts) -> Result<Self, BossError> {
        let own = std::env::var_os("AWS_CA_BUNDLE").filter(|path| !path.is_empty());
        let own = own.map_or_else(|| Ok(Vec::new()), |path| authorities(Path::new(&path)))?;
        let client = builder(timeouts)
            .tls_certs_merge(own.clone())
            .build()
            .or_else(|error| {
                tracing::warn!(%error, "this machine has no certificates; most `https` addresses will not work");
                builder(timeouts).tls_certs_only(own).build()
            })
            .map_err(|source| BossError::NoClient { source })?;
        Ok(Http { client, clock: Clock::default() })
    }

    /// For a Boss on this machine: goes past the proxies that the environment names.
    ///
    /// # Errors
    /// As [`Http::new`].
    pub fn local(timeouts: Timeouts) -> Result<Self, BossError> {
        let client = builder(timeouts).no_proxy().tls_certs_only([]).build();
        let client = client.map_err(|source| BossError::NoClient { source })?;
        Ok(Http { client, clock: Clock::default() })
    }

    /// The time to sign with.
    pub(super) fn time(&self) -> SystemTime {
        self.clock.now()
    }

    /// An answer's error; where it is the clock that is wrong, this sets it by the answer.
    pub(super) fn set_clock(&self, error: BossError, answer: &Answer) -> BossError {
        match error {
            BossError::WrongClock { service, message, .. } => {
                BossError::WrongClock { service, message, is_set: self.clock.learn(answer.header("date")) }
            }
            error => error,
        }
    }

    /// Sends once and reads the whole answer, whatever its status.
    ///
    /// # Errors
    /// `Unreachable`, `TimedOut`, `Redirected`, and `BadAnswer` for an answer beyond all bounds.
    pub(super) async fn send(&self, request: Request) -> Result<Answer, BossError> {
        let name = name_of(&request);
        let response = self.client.execute(request).await.map_err(|source| BossError::transport(&name, source))?;
        tracing::debug!(request = name, status = response.status().as_u16(), "answered");
        if response.status().is_redirection() {
            return Err(redirected(name, &response));
        }
        let (status, headers) = (response.status(), response.headers().clone());
        let bound = if status.is_success() { MAX_ANSWER_BYTES } else { MAX_ERROR_BYTES };
        let body = read_bounded(&name, response, bound).await?;
        Ok(Answer { status, headers, body })
    }
}

/// The certificates of a file in PEM form.
fn authorities(path: &Path) -> Result<Vec<Certificate>, BossError> {
    let bad = |reason: String| BossError::BadBundle { path: path.to_owned(), reason };
    let pem = std::fs::read(path).map_err(|error| bad(error.to_string()))?;
    let found = Certificate::from_pem_bundle(&pem).map_err(|error| bad(error.to_string()))?;
    if found.is_empty() { Err(bad("it holds no certificate".to_owned())) } else { Ok(found) }
}

fn builder(timeouts: Timeouts) -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("boss-ingest/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(timeouts.connect)
        .read_timeout(timeouts.read)
        .timeout(timeouts.total)
        .pool_idle_timeout(IDLE)
        // A redirect would take tokens and signatures elsewhere, and turn POST into GET.
        .redirect(Policy::none())
}

impl Answer {
    pub(super) fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// A request's method and URL, as errors and logs show them: without user, password and query.
pub(super) fn name_of(request: &Request) -> String {
    let mut url = request.url().clone();
    url.set_query(None);
    let _ = url.set_username("");
    let _ = url.set_password(None);
    format!("{} {url}", request.method())
}

/// Reads an address from the job file or the environment: `http` or `https`, a host, no user, password or query.
///
/// # Errors
/// [`BossError::BadAddress`], which shows the address only when it can hold no password.
pub(super) fn parse_address(address: &str) -> Result<Url, BossError> {
    let shown = if address.contains('@') { "…" } else { address };
    let bad = |reason: &str| BossError::BadAddress { address: shown.to_owned(), reason: reason.to_owned() };
    let url = Url::parse(address).map_err(|error| bad(&error.to_string()))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad("it holds a user name or password"));
    }
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad("it does not begin with `http://` or `https://`"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(bad("it has a `?` or `#` part"));
    }
    Ok(url)
}

fn redirected(request: String, response: &Response) -> BossError {
    let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or("nowhere");
    BossError::Redirected { request, to: super::error::tidy(to.split(['?', '#']).next().unwrap_or(to), "") }
}

async fn read_bounded(name: &str, mut response: Response, bound: usize) -> Result<Bytes, BossError> {
    let mut body = BytesMut::new();
    while let Some(part) = response.chunk().await.map_err(|source| BossError::transport(name, source))? {
        if body.len() + part.len() > bound {
            let reason = format!("it is longer than {bound} bytes");
            return Err(BossError::BadAnswer { request: name.to_owned(), reason });
        }
        body.extend_from_slice(&part);
    }
    Ok(body.freeze())
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::response::Redirect;
    use axum::routing::get;

    use super::*;
    use crate::boss::testing::{self, Serving};

    async fn fetch(server: &Serving, path: &str) -> Result<Answer, BossError> {
        let millis = Duration::from_millis;
        let http = Http::new(Timeouts { connect: millis(500), read: millis(150), total: millis(400) }).unwrap();
        let url = Url::parse(&format!("{}{path}", server.origin)).unwrap();
        http.send(Request::new(reqwest::Method::GET, url)).await
    }

    #[tokio::test]
    async fn redirects_are_not_followed() {
        let server = testing::serve(Router::new().route("/a", get(|| async { Redirect::permanent("/b?key=1") }))).await;
        let error = fetch(&server, "/a").await.unwrap_err();
        assert!(matches!(error, BossError::Redirected { to, .. } if to == "/b"));
    }

    #[tokio::test]
    async fn a_silent_server_times_out() {
        let slow = get(|| async { tokio::time::sleep(Duration::from_secs(30)).await });
        let server = testing::serve(Router::new().route("/a", slow)).await;
        let error = fetch(&server, "/a?token=s3cr3t").await.unwrap_err();
        assert!(matches!(error, BossError::TimedOut { .. }), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("s3cr3t"));
    }

    #[tokio::test]
    async fn a_cut_connection_and_a_closed_port_are_unreachable() {
        let server = testing::serve_raw(|_| b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf".to_vec()).await;
        let error = fetch(&server, "/").await.unwrap_err();
        assert!(matches!(error, BossError::Unreachable { sent: true, .. }), "{error:?}");
        let closed = Serving { origin: testing::closed_origin().await, ..server };
        let error = fetch(&closed, "/").await.unwrap_err();
        assert!(matches!(error, BossError::Unreachable { sent: false, .. }), "{error:?}");
    }

    #[tokio::test]
    async fn an_endless_error_is_cut() {
        let endless = get(|| async { (StatusCode::BAD_REQUEST, vec![b'x'; MAX_ERROR_BYTES + 1]) });
        let server = testing::serve(Router::new().route("/a", endless)).await;
        assert!(matches!(fetch(&server, "/a").await.unwrap_err(), BossError::BadAnswer { .. }));
    }

    #[test]
    fn a_bundle_without_certificates_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("empty.pem");
        std::fs::write(&empty, "no certificate").unwrap();
        for path in [empty, folder.path().join("absent.pem")] {
            let error = authorities(&path).unwrap_err();
            assert!(matches!(&error, BossError::BadBundle { path: told, .. } if *told == path), "{error:?}");
        }
    }

    #[test]
    fn addresses_with_secrets_or_other_schemes_are_refused() {
        for good in ["http://127.0.0.1:8090", "https://api.bossdb.io", "https://h/prefix/"] {
            assert!(parse_address(good).is_ok(), "{good}");
        }
        for bad in ["", "api.bossdb.io", "ftp://h", "http://u:s3cr3t@h", "u:s3cr3t@h", "http://h?a=b", "http://"] {
            let error = parse_address(bad).unwrap_err();
            assert!(!format!("{error}{error:?}").contains("s3cr3t"), "{error}");
        }
    }
}
