//! Who asks: the folder's user by its token, or anybody, who may only read.

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Method};

use super::error::{Code, RestError};

/// The name of the one user that a folder has.
pub const LOCAL_USER: &str = "local";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum User {
    /// No credentials, or the token `public`.
    Anybody {
        has_token: bool,
    },
    Local,
}

impl User {
    /// # Errors
    /// [`RestError::InvalidToken`] for credentials that are not this folder's.
    pub fn of(headers: &HeaderMap, token: &str) -> Result<User, RestError> {
        let Some(header) = headers.get(AUTHORIZATION) else { return Ok(User::Anybody { has_token: false }) };
        match header.to_str().ok().and_then(|header| header.split_once(' ')) {
            Some(("Token", "public")) => Ok(User::Anybody { has_token: true }),
            Some(("Token", given)) if is_same(given, token) => Ok(User::Local),
            _ => Err(RestError::InvalidToken),
        }
    }

    /// Refuses writing to anybody but the folder's user.
    pub fn may(self, method: &Method) -> Result<(), RestError> {
        if method == Method::GET || method == Method::HEAD { Ok(()) } else { self.is_local() }
    }

    pub fn is_local(self) -> Result<(), RestError> {
        match self {
            User::Local => Ok(()),
            User::Anybody { has_token: false } => Err(RestError::NoCredentials),
            User::Anybody { has_token: true } => {
                let message = "public does not have the required role resource-manager";
                Err(RestError::boss(Code::MissingRole, message))
            }
        }
    }
}

/// Compares in a time that does not tell how much was right.
fn is_same(given: &str, token: &str) -> bool {
    let differences = given.bytes().zip(token.bytes()).fold(0, |bits, (a, b)| bits | (a ^ b));
    given.len() == token.len() && differences == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_told_apart_by_their_token() {
        let cases = [
            (None, Some(User::Anybody { has_token: false })),
            (Some("Token public"), Some(User::Anybody { has_token: true })),
            (Some("Token secret"), Some(User::Local)),
            (Some("Token secreT"), None),
            (Some("Token secret2"), None),
            (Some("Bearer secret"), None),
            (Some("secret"), None),
        ];
        for (header, expected) in cases {
            let headers = header.map(|value| (AUTHORIZATION, value.parse().unwrap())).into_iter().collect();
            assert_eq!(User::of(&headers, "secret").ok(), expected, "{header:?}");
        }
    }
}
