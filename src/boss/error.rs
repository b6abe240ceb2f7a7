//! What can go wrong between us and the Boss, sorted by what the caller can do about it.

use std::path::PathBuf;
use std::time::Duration;

use super::token::Looked;

/// The AWS service that a request went to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    S3,
    Sqs,
}

impl Service {
    pub fn name(self) -> &'static str {
        match self {
            Service::S3 => "S3",
            Service::Sqs => "SQS",
        }
    }
}

impl std::fmt::Display for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Why the Boss, or a service behind it, did not do what was asked.
///
/// `request` is the method and URL without credentials; `message` is the server's own text, shortened, free of secrets.
#[derive(Debug, thiserror::Error)]
pub enum BossError {
    /// No place that may hold an API token has one.
    #[error("no API token was found; looked at {}", places(.looked))]
    NoToken { looked: Vec<Looked> },
    /// The token holds characters that no HTTP header may have.
    #[error("the API token from {place} has characters that cannot be sent")]
    BadToken { place: String },
    /// An address that we were told to talk to is no `http` or `https` URL.
    #[error("`{address}` is not an address to talk to: {reason}")]
    BadAddress { address: String, reason: String },
    /// The HTTP client could not be set up, for want of certificates for example.
    #[error("secure connections cannot be set up")]
    NoClient { source: reqwest::Error },
    /// `AWS_CA_BUNDLE` names a file that is not there, or holds no certificates.
    #[error("the certificates in `{}` cannot be used: {reason}", path.display())]
    BadBundle { path: PathBuf, reason: String },
    /// The server does not know the token (401).
    #[error("the API token was refused by `{request}`: {message}")]
    Refused { request: String, message: String },
    /// The user may not do this (403).
    #[error("`{request}` is not allowed: {message}")]
    Forbidden { request: String, code: Option<u32>, message: String },
    /// What the URL names does not exist (404).
    #[error("`{request}` does not exist: {message}")]
    NotFound { request: String, code: Option<u32>, message: String },
    /// The job was cancelled.
    #[error("ingest job {id} was cancelled")]
    JobGone { id: u64 },
    /// The job is over, so no more keys are given out for it.
    #[error("ingest job {id} is already complete")]
    JobComplete { id: u64 },
    /// The server could not make the job's upload messages, time after time.
    #[error("ingest job {id} could not be prepared by the server: {message}")]
    JobUnprepared { id: u64, message: String },
    /// The server found the request wrong (other 4xx).
    #[error("`{request}` was rejected with status {status}: {message}")]
    Rejected { request: String, status: u16, code: Option<u32>, message: String },
    /// The server failed (5xx).
    #[error("`{request}` failed at the server with status {status}: {message}")]
    Server { request: String, status: u16, message: String },
    /// The server asks us to slow down.
    #[error("`{request}` was throttled: {message}")]
    Throttled { request: String, message: String },
    /// No connection, or one that broke. `sent` tells whether the server may have got the request.
    #[error("`{request}` did not get through")]
    Unreachable { request: String, sent: bool, source: reqwest::Error },
    /// The server was silent for too long.
    #[error("`{request}` was not answered in time")]
    TimedOut { request: String, source: reqwest::Error },
    /// The server points elsewhere; requests with keys in them do not follow.
    #[error("`{request}` was redirected to `{to}`")]
    Redirected { request: String, to: String },
    /// The answer is not what this protocol says.
    #[error("the answer of `{request}` cannot be understood: {reason}")]
    BadAnswer { request: String, reason: String },
    /// The job's AWS keys do not work (yet, or any more); a session renews them.
    #[error("{service} does not accept the job's keys (`{code}`): {message}")]
    Keys { service: Service, code: String, message: String },
    /// The job's AWS keys do not work even after they were renewed and had time to spread.
    #[error("{service} does not accept the job's keys even after renewal (`{code}`): {message}")]
    KeysRefused { service: Service, code: String, message: String },
    /// The signature does not fit the request: a proxy changed it, or the service is not what it seems.
    #[error("{service} finds the request's signature wrong: {message}")]
    BadSignature { service: Service, message: String },
    /// The clock of this machine is too far off for signatures to be accepted.
    /// `is_set`: the service's own time was learnt from its answer, so that the next signature will do.
    #[error("{service} finds this machine's clock wrong: {message}")]
    WrongClock { service: Service, message: String, is_set: bool },
    /// The service has not answered any request for some time.
    #[error("{service} has not answered for {} s", .since.as_secs())]
    Away { service: Service, since: Duration },
    /// The queue does not exist: its job was completed or cancelled.
    #[error("queue `{queue}` does not exist any more")]
    QueueGone { queue: String },
    /// The bucket does not exist.
    #[error("bucket `{bucket}` does not exist")]
    NoSuchBucket { bucket: String },
    /// An object's metadata is more than S3 takes.
    #[error("the metadata of `{key}` has {size_bytes} bytes, more than the 2048 that S3 takes")]
    MetadataTooLarge { key: String, size_bytes: usize },
    /// A key or metadata value has characters that cannot be sent.
    #[error("the {field} of `{key}` has characters that cannot be sent")]
    BadCharacters { key: String, field: String },
    /// What S3 received is not what was sent.
    #[error("`{key}` was damaged on the way to S3: {message}")]
    Damaged { key: String, message: String },
    /// The queue did not take one entry of a batch.
    #[error("the queue did not take one message of a batch (`{code}`): {message}")]
    EntryFailed { code: String, message: String, our_fault: bool },
    /// A message is larger than a queue takes.
    #[error("a message of {size_bytes} bytes is more than the 262144 that a queue takes")]
    MessageTooLarge { size_bytes: usize },
}

/// What a failure means for what comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The same request may succeed at once.
    Temporary,
    /// The same request may succeed when there are fewer.
    Throttled,
    /// The keys are not known yet, or not any more; other keys come.
    Keys,
    /// Nobody has answered for some time.
    Away,
    /// The job is over.
    Gone,
    /// This request will never succeed.
    Fatal,
}

impl BossError {
    /// Sorts a failure by codes and states, never by words of a message.
    pub fn class(&self) -> Class {
        match self {
            BossError::Server { .. }
            | BossError::Unreachable { .. }
            | BossError::TimedOut { .. }
            | BossError::Damaged { .. }
            | BossError::WrongClock { is_set: true, .. }
            | BossError::EntryFailed { our_fault: false, .. } => Class::Temporary,
            BossError::Throttled { .. } => Class::Throttled,
            BossError::Keys { .. } => Class::Keys,
            BossError::Away { .. } => Class::Away,
            BossError::QueueGone { .. } | BossError::JobComplete { .. } | BossError::JobGone { .. } => Class::Gone,
            _ => Class::Fatal,
        }
    }

    /// Whether the same request may succeed later with nothing changed on our side.
    pub fn is_temporary(&self) -> bool {
        !matches!(self.class(), Class::Gone | Class::Fatal)
    }

    /// Whether fewer requests at once would help: the server throttles, is overloaded or answers too late.
    pub fn is_congestion(&self) -> bool {
        match self {
            BossError::Throttled { .. } | BossError::TimedOut { .. } => true,
            BossError::Server { status, .. } => *status == 503,
            _ => false,
        }
    }

    /// Whether nobody is there to answer: no connection, silence, or a gateway that says so.
    pub fn is_absence(&self) -> bool {
        match self {
            BossError::Unreachable { .. } | BossError::TimedOut { .. } => true,
            BossError::Server { status, .. } => matches!(status, 502 | 504),
            _ => false,
        }
    }

    /// Whether every other task of the job would fail in the same way, so that going on makes no sense.
    pub fn stops_the_job(&self) -> bool {
        !matches!(
            self,
            BossError::MetadataTooLarge { .. }
                | BossError::BadCharacters { .. }
                | BossError::Damaged { .. }
                | BossError::EntryFailed { .. }
                | BossError::MessageTooLarge { .. }
        ) && !self.is_temporary()
    }

    /// Whether the job was completed or cancelled elsewhere, so that its queues and keys are gone.
    pub fn job_is_over(&self) -> bool {
        self.class() == Class::Gone
    }

    /// What the user can do next, where there is something.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            BossError::NoToken { .. } => {
                "give the token with `-a`, in INTERN_TOKEN, or as `token` below `[Default]` in `~/.intern/intern.cfg`"
            }
            BossError::BadToken { .. } => "a token is one line of letters and digits; copy it again",
            BossError::BadAddress { .. } => {
                "compare `client.backend.protocol` and `client.backend.host` in the job file"
            }
            BossError::BadBundle { .. } => "let AWS_CA_BUNDLE name a file of certificates in PEM form, or unset it",
            BossError::NoClient { .. } => "install the system's certificates, such as the package `ca-certificates`",
            BossError::Refused { .. } => "get a new token from the Boss's web page, or see if it is for another host",
            BossError::Forbidden { code: Some(3003), .. } => {
                "use the token of the user who created the job; `boss-ingest list` shows your own jobs"
            }
            BossError::Forbidden { .. } => "ask the owner of the collection for the permission",
            BossError::NotFound { .. } => "check the names and the job id; `boss-ingest list` shows your jobs",
            BossError::JobGone { .. } | BossError::JobComplete { .. } => "create a new job to upload more",
            BossError::JobUnprepared { .. } => "cancel the job and create it again",
            BossError::Server { .. } | BossError::Throttled { .. } | BossError::TimedOut { .. } => {
                "nothing is lost; `join` the job again later"
            }
            BossError::Away { .. } => "nothing is lost; check the network, then `join` the job again",
            BossError::Unreachable { .. } => "check the host in the job file and the network",
            BossError::Redirected { .. } => "put the address it points to in the job file's `client.backend`",
            BossError::BadAnswer { .. } => "see whether the host in the job file is a Boss",
            BossError::Keys { .. } | BossError::KeysRefused { .. } => {
                "see with `status` whether the job still runs, then `join` it again"
            }
            BossError::BadSignature { .. } => "look for a proxy that changes requests",
            BossError::WrongClock { .. } => "set this machine's clock, such as with NTP",
            BossError::QueueGone { .. } => "the job was completed or cancelled; `boss-ingest list` tells which",
            BossError::NoSuchBucket { .. } => "check AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_S3",
            BossError::MetadataTooLarge { .. } => "shorten the names of collection, experiment and channel",
            BossError::Rejected { .. }
            | BossError::BadCharacters { .. }
            | BossError::Damaged { .. }
            | BossError::EntryFailed { .. }
            | BossError::MessageTooLarge { .. } => return None,
        })
    }

    /// Sorts what the HTTP client reports. The URL is taken out of the cause; `request` has it without credentials.
    pub(super) fn transport(request: &str, source: reqwest::Error) -> Self {
        let request = request.to_owned();
        let sent = !source.is_connect();
        let source = source.without_url();
        if source.is_timeout() && sent {
            return BossError::TimedOut { request, source };
        }
        BossError::Unreachable { request, sent, source }
    }
}

fn places(looked: &[Looked]) -> String {
    let places: Vec<_> = looked.iter().map(|looked| format!("{} ({})", looked.place, looked.found)).collect();
    places.join(", ")
}

/// Characters of a server's text that are kept.
const MESSAGE_CHARS: usize = 600;

/// A server's text fit for a message: one line, bounded, with `secret` blotted out.
pub(super) fn tidy(text: &str, secret: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line: String = words.join(" ").chars().filter(|char| !char.is_control()).collect();
    let line = if secret.is_empty() { line } else { line.replace(secret, "***") };
    match line.char_indices().nth(MESSAGE_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None if line.is_empty() => "no reason given".to_owned(),
        None => line,
    }
}

/// Seconds from a server, if they make a sensible pause: finite, not negative, at most an hour.
pub(super) fn sensible_pause(seconds: f64) -> Option<Duration> {
    (seconds.is_finite() && seconds >= 0.0).then(|| Duration::from_secs_f64(seconds.min(3600.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_text_becomes_one_bounded_line_without_secrets() {
        assert_eq!(tidy(" Invalid\n token s3cr3t.\u{7}", "s3cr3t"), "Invalid token ***.");
        assert_eq!(tidy("", "x"), "no reason given");
        assert_eq!(tidy(&"ä".repeat(5000), "").chars().count(), MESSAGE_CHARS + 1);
    }

    #[test]
    fn only_sensible_pauses_are_taken() {
        for (seconds, pause) in [(0.0, Some(0)), (89.5, Some(89_500)), (1e300, Some(3_600_000)), (-1.0, None)] {
            assert_eq!(sensible_pause(seconds), pause.map(Duration::from_millis), "{seconds}");
        }
        assert_eq!(sensible_pause(f64::NAN), None);
    }

    #[test]
    fn what_is_temporary_follows_from_the_variant() {
        let request = || "GET http://h/".to_owned();
        let message = || "m".to_owned();
        let code = None;
        // error, temporary, congestion, stops the job
        let table = [
            (BossError::Refused { request: request(), message: message() }, false, false, true),
            (BossError::Server { request: request(), status: 500, message: message() }, true, false, false),
            (BossError::Server { request: request(), status: 503, message: message() }, true, true, false),
            (BossError::Throttled { request: request(), message: message() }, true, true, false),
            (BossError::Rejected { request: request(), status: 400, code, message: message() }, false, false, true),
            (BossError::Keys { service: Service::S3, code: message(), message: message() }, true, false, false),
            (BossError::KeysRefused { service: Service::S3, code: message(), message: message() }, false, false, true),
            (BossError::MetadataTooLarge { key: message(), size_bytes: 3000 }, false, false, false),
            (BossError::EntryFailed { code: message(), message: message(), our_fault: true }, false, false, false),
            (BossError::EntryFailed { code: message(), message: message(), our_fault: false }, true, false, false),
            (BossError::QueueGone { queue: message() }, false, false, true),
        ];
        for (error, temporary, congestion, stops) in table {
            assert_eq!(error.is_temporary(), temporary, "{error}");
            assert_eq!(error.is_congestion(), congestion, "{error}");
            assert_eq!(error.stops_the_job(), stops, "{error}");
        }
    }
}
