//! Why a store did not give an object.

use std::error::Error;
use std::io;

use http::StatusCode;
use object_store::client::{HttpError, HttpErrorKind};

use super::address::shown;
use super::http::{Refusal, take_refusal};

/// Why a store did not give an object. Texts hold no URLs, and so no signatures.
#[derive(Clone, Debug, thiserror::Error)]
pub(in crate::source) enum Trouble {
    #[error("there is no such object")]
    Absent,
    #[error("the server refuses access: {}", said(.0))]
    Denied(Refusal),
    #[error("the Boss refuses the token: {}", said(.0))]
    BadToken(Refusal),
    #[error("the server answers {}", said(.0))]
    Refused(Refusal),
    #[error("the server does not answer in time")]
    TimedOut,
    #[error("no connection: {0}")]
    NoConnection(String),
    #[error("the connection was cut: {0}")]
    Cut(String),
    #[error("the object changes while it is read")]
    Changed,
    #[error("the object ends before byte {0}")]
    TooShort(u64),
    #[error("the object is larger than {0} bytes")]
    TooLarge(u64),
    #[error("the server gives no parts of objects")]
    NoParts,
    #[error("the server does not tell what lies in a folder")]
    NoList,
    #[error("the URL is not one that this program can ask for")]
    BadUrl,
    #[error("the URL names no channel of a Boss")]
    BadChannel,
    #[error("{0}")]
    Other(String),
    #[error("the program ends")]
    Stopped,
}

fn said(refusal: &Refusal) -> String {
    let code = refusal.code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default();
    format!("{}{code}", refusal.status)
}

/// S3's words for credentials that it does not accept. What they say nothing about is whether there is the object.
const BAD_CREDENTIALS: [&str; 7] = [
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "RequestTimeTooSkewed",
    "ExpiredToken",
    "InvalidToken",
    "TokenRefreshRequired",
    "AuthenticationFailed",
];

impl Trouble {
    /// Whether a server that does not tell what it has may mean that it does not have the object: CATMAID's tile servers and
    /// S3 without the right to list answer 403 for what is not there. Not where the credentials themselves are refused.
    pub fn may_mean_absent(&self) -> bool {
        match self {
            Trouble::Absent => true,
            Trouble::Denied(Refusal { status, code, is_expired }) => {
                let is_bad = code.as_ref().is_some_and(|code| BAD_CREDENTIALS.contains(&code.as_str()));
                *status == StatusCode::FORBIDDEN && !is_bad && !is_expired
            }
            _ => false,
        }
    }

    /// Whether a Boss does not know the token at all.
    pub(super) fn is_unknown_token(&self) -> bool {
        matches!(self, Trouble::BadToken(Refusal { status: StatusCode::UNAUTHORIZED, .. }))
    }

    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Trouble::Denied(Refusal { is_expired: true, .. }) => "get fresh credentials, or a fresh signed URL",
            Trouble::Denied(_) => {
                "look at the credentials (AWS_PROFILE, GOOGLE_APPLICATION_CREDENTIALS …) and the rights on the bucket; where \
                 sections may lack, `missing = \"fill\"` in the plan takes 403 for missing"
            }
            Trouble::BadToken(_) => {
                "look at your token (INTERN_TOKEN, ~/.intern/intern.cfg, ./token.json; `-a` of `create` and `join`), and \
                 whether you may read the channel"
            }
            Trouble::BadChannel => {
                "write `bossdb://collection/experiment/channel`, for another Boss with `?host=…&protocol=https` behind it"
            }
            Trouble::NoConnection(_) => "look at the host's name, the network, and the proxy (HTTPS_PROXY)",
            Trouble::Refused(Refusal { status, .. }) if status.is_redirection() => {
                "set AWS_REGION to the bucket's region"
            }
            Trouble::TimedOut | Trouble::Cut(_) | Trouble::Refused(_) => {
                "it was tried several times; look at the server and the network, then `join` the job again"
            }
            Trouble::Changed => "leave the object alone while it is read, then `join` the job again",
            Trouble::NoParts => "copy the file to disk, or to a server that answers requests with `Range`",
            Trouble::NoList => "folders can be listed on disks and in buckets (`s3://`, `gs://`, `az://`)",
            _ => "look at the URL",
        }
    }

    /// The trouble in an input or output error that was made from one.
    pub fn within(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

impl From<object_store::Error> for Trouble {
    fn from(error: object_store::Error) -> Self {
        let refusal = take_refusal();
        match (&error, refusal) {
            (object_store::Error::NotSupported { .. }, _) => return Trouble::NoParts,
            (object_store::Error::NotImplemented { .. }, _) => return Trouble::NoList,
            (object_store::Error::Precondition { .. }, _) => return Trouble::Changed,
            (_, Some(refusal)) if !is_transport(&error) => return Trouble::of(refusal),
            (object_store::Error::NotFound { .. }, _) => return Trouble::Absent,
            _ => {}
        }
        let text = shown_text(&innermost(&error).to_string());
        match http_error(&error).map(HttpError::kind) {
            Some(HttpErrorKind::Connect) => Trouble::NoConnection(text),
            Some(HttpErrorKind::Timeout) => Trouble::TimedOut,
            Some(HttpErrorKind::Request | HttpErrorKind::Interrupted | HttpErrorKind::Decode) => Trouble::Cut(text),
            _ => Trouble::Other(text),
        }
    }
}

impl Trouble {
    fn of(refusal: Refusal) -> Self {
        match refusal.status {
            StatusCode::NOT_FOUND | StatusCode::GONE => Trouble::Absent,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Trouble::Denied(refusal),
            _ => Trouble::Refused(refusal),
        }
    }
}

/// Kinds that no decoder takes for damage.
impl From<Trouble> for io::Error {
    fn from(trouble: Trouble) -> Self {
        let kind = match &trouble {
            Trouble::Absent => io::ErrorKind::NotFound,
            Trouble::Denied(_) | Trouble::BadToken(_) => io::ErrorKind::PermissionDenied,
            Trouble::TimedOut => io::ErrorKind::TimedOut,
            Trouble::NoConnection(_) => io::ErrorKind::NotConnected,
            Trouble::Cut(_) => io::ErrorKind::ConnectionAborted,
            Trouble::Changed => io::ErrorKind::StaleNetworkFileHandle,
            Trouble::TooShort(_) => io::ErrorKind::UnexpectedEof,
            Trouble::TooLarge(_) => io::ErrorKind::FileTooLarge,
            Trouble::NoParts | Trouble::NoList => io::ErrorKind::Unsupported,
            _ => io::ErrorKind::NetworkUnreachable,
        };
        io::Error::new(kind, trouble)
    }
}

fn chain(error: &object_store::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(Some(error as &(dyn Error + 'static)), |error| (*error).source())
}

fn innermost(error: &object_store::Error) -> &(dyn Error + 'static) {
    chain(error).last().unwrap_or(error)
}

fn http_error(error: &object_store::Error) -> Option<&HttpError> {
    chain(error).find_map(|error| error.downcast_ref())
}

fn is_transport(error: &object_store::Error) -> bool {
    http_error(error).is_some()
}

/// A text of others, without the secrets of URLs in it.
fn shown_text(text: &str) -> String {
    text.split(' ').map(shown).collect::<Vec<_>>().join(" ")
}
