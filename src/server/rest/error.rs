//! Errors of the REST services: the Boss's own codes, and those of the framework that it is built on.

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::response::Response;
use serde_json::{Value, json};

use crate::protocol::ErrorReply;
use crate::server::error::StoreError;

/// The Boss's error codes that this server gives (boss `bosscore/error.py`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    InvalidUrl,
    InvalidCutoutArgs,
    TypeError,
    InvalidPostArgument,
    UnableToValidate,
    BadRequest,
    RequestTooLarge,
    InvalidRequest,
    MissingRole,
    ResourceNotFound,
    ObjectNotFound,
    BossSystemError,
    UnhandledException,
    UnsupportedVersion,
}

impl Code {
    /// The code, and the HTTP status that the Boss gives with it.
    fn numbers(self) -> (u32, u16) {
        match self {
            Code::InvalidUrl => (1000, 400),
            Code::InvalidCutoutArgs => (1001, 400),
            Code::TypeError => (1002, 400),
            Code::InvalidPostArgument => (1003, 400),
            Code::UnableToValidate => (1004, 400),
            Code::BadRequest => (1006, 400),
            Code::RequestTooLarge => (2000, 413),
            Code::InvalidRequest => (2004, 404),
            Code::MissingRole => (3000, 403),
            Code::ResourceNotFound => (4000, 404),
            Code::ObjectNotFound => (4004, 404),
            Code::BossSystemError => (9001, 400),
            Code::UnhandledException => (9002, 500),
            Code::UnsupportedVersion => (9003, 400),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum RestError {
    #[error("{message}")]
    Boss { code: Code, message: String },
    /// A reply that is refused in a form of its own.
    #[error("{body}")]
    Refused { status: StatusCode, body: Value },
    #[error("Authentication credentials were not provided.")]
    NoCredentials,
    #[error("Invalid token.")]
    InvalidToken,
    #[error("Method \"{method}\" not allowed.")]
    Method { method: String },
    #[error("Could not satisfy the request Accept header.")]
    NotAcceptable,
    #[error("JSON parse error - {0}")]
    Json(serde_json::Error),
    #[error("the page does not exist")]
    NoSuchPage,
    #[error("the store failed")]
    Store(#[from] StoreError),
}

impl RestError {
    pub fn boss(code: Code, message: impl Into<String>) -> Self {
        RestError::Boss { code, message: message.into() }
    }

    pub fn response(&self) -> Response {
        match self {
            RestError::Boss { code, message } => boss_reply(*code, message.clone()),
            RestError::Refused { status, body } => json_reply(*status, body),
            RestError::NoCredentials | RestError::InvalidToken => self.detail(StatusCode::UNAUTHORIZED),
            RestError::Method { .. } => self.detail(StatusCode::METHOD_NOT_ALLOWED),
            RestError::NotAcceptable => self.detail(StatusCode::NOT_ACCEPTABLE),
            RestError::Json(_) => self.detail(StatusCode::BAD_REQUEST),
            RestError::NoSuchPage => page_not_found(),
            RestError::Store(cause) => {
                tracing::error!(error = cause as &dyn std::error::Error, "a request failed");
                boss_reply(Code::UnhandledException, "The server's store failed; see its log".to_owned())
            }
        }
    }

    /// The framework's shape of an error.
    fn detail(&self, status: StatusCode) -> Response {
        let mut response = json_reply(status, &json!({"detail": self.to_string()}));
        if status == StatusCode::UNAUTHORIZED {
            let scheme = axum::http::HeaderValue::from_static("Bearer realm=\"api\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

fn boss_reply(code: Code, message: String) -> Response {
    let (code, status) = code.numbers();
    let body = serde_json::to_value(ErrorReply { status, code, message }).expect("an error is JSON");
    json_reply(StatusCode::from_u16(status).expect("the table holds HTTP statuses"), &body)
}

pub fn json_reply(status: StatusCode, body: &Value) -> Response {
    Response::builder()
        .status(status)
        .header(CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_string()))
        .expect("the reply's headers are well formed")
}

pub fn empty_reply(status: StatusCode) -> Response {
    Response::builder().status(status).body(Body::empty()).expect("the reply has no headers")
}

fn page_not_found() -> Response {
    Response::builder()
        .status(StatusCode::NOT_FOUND)
        .header(CONTENT_TYPE, "text/html")
        .body(Body::from("<h1>Not Found</h1><p>The requested resource was not found on this server.</p>"))
        .expect("the reply's headers are well formed")
}
