//! The user's API token: where it is looked for, and how it is kept out of every message.
//!
//! The order is that of the Python client, so that its users change nothing: the command line, `INTERN_TOKEN`,
//! `~/.intern/intern.cfg`; after these, `token.json` in the working directory. A place without a token passes on to the
//! next. The Python client stopped at an empty `INTERN_TOKEN` and at a `Default` section without a token.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use reqwest::header::HeaderValue;

use super::BossError;

/// An API token. Neither `Debug` nor `Display` shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// Where a token may be. Tests hand in their own.
pub struct TokenPlaces<'a> {
    /// The value of `-a`.
    pub given: Option<&'a str>,
    /// Looks up an environment variable.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    pub home: Option<&'a Path>,
    pub working_dir: &'a Path,
}

/// A place that was looked at in vain, and what was found there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    pub place: String,
    pub found: String,
}

/// The sections of `intern.cfg` that may hold the token, in order, in any case.
const SECTIONS: [&str; 2] = ["default", "project service"];

/// Bytes read of a file that may hold a token.
const MAX_FILE_BYTES: u64 = 1 << 20;

impl Token {
    /// Takes a token from a named place.
    ///
    /// # Errors
    /// [`BossError::BadToken`] when it cannot be sent in a header.
    pub fn new(text: &str, place: &str) -> Result<Self, BossError> {
        let text = text.trim();
        if text.is_empty() || !text.chars().all(|char| char.is_ascii_graphic()) {
            return Err(BossError::BadToken { place: place.to_owned() });
        }
        Ok(Token(text.to_owned()))
    }

    /// Looks for the token: `-a`, `INTERN_TOKEN`, `~/.intern/intern.cfg`, `token.json`. Blank values count as absent.
    ///
    /// # Errors
    /// [`BossError::NoToken`] with every place looked at; [`BossError::BadToken`] when the first one found cannot be sent.
    pub fn find(places: &TokenPlaces) -> Result<Self, BossError> {
        type Search = fn(&TokenPlaces) -> (&'static str, Result<String, String>);
        let searches: [Search; 4] = [in_option, in_environment, in_intern_cfg, in_token_json];
        let mut looked = Vec::new();
        for search in searches {
            match search(places) {
                (place, Ok(text)) if !text.trim().is_empty() => return Token::new(&text, place),
                (place, Ok(_)) => looked.push(Looked { place: place.to_owned(), found: "empty".to_owned() }),
                (place, Err(found)) => looked.push(Looked { place: place.to_owned(), found }),
            }
        }
        Err(BossError::NoToken { looked })
    }

    /// The value of the `Authorization` header, marked as sensitive.
    pub fn header(&self) -> HeaderValue {
        let mut value = HeaderValue::from_str(&format!("Token {}", self.0)).expect("a token is visible ASCII");
        value.set_sensitive(true);
        value
    }

    /// The token itself, only to blot it out of texts.
    pub(super) fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(***)")
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

fn in_option(places: &TokenPlaces) -> (&'static str, Result<String, String>) {
    ("option `-a`", places.given.map(str::to_owned).ok_or_else(|| "not given".to_owned()))
}

fn in_environment(places: &TokenPlaces) -> (&'static str, Result<String, String>) {
    ("variable `INTERN_TOKEN`", (places.env)("INTERN_TOKEN").ok_or_else(|| "not set".to_owned()))
}

fn in_intern_cfg(places: &TokenPlaces) -> (&'static str, Result<String, String>) {
    let found = match places.home {
        Some(home) => read(&home.join(".intern").join("intern.cfg")),
        None => Err("no home directory".to_owned()),
    };
    let token = found.and_then(|text| {
        SECTIONS
            .iter()
            .find_map(|section| token_in_section(&text, section))
            .ok_or_else(|| "no `token` below `[Default]` or `[Project Service]`".to_owned())
    });
    ("file `~/.intern/intern.cfg`", token)
}

fn in_token_json(places: &TokenPlaces) -> (&'static str, Result<String, String>) {
    let token = read(&places.working_dir.join("token.json")).and_then(|text| {
        let json: serde_json::Value = serde_json::from_str(&text).map_err(|_| "not JSON".to_owned())?;
        json["token"].as_str().map(str::to_owned).ok_or_else(|| "no text named `token`".to_owned())
    });
    ("file `token.json`", token)
}

fn read(path: &Path) -> Result<String, String> {
    let bounded = |file: File| -> io::Result<String> {
        let mut bytes = Vec::new();
        file.take(MAX_FILE_BYTES).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    File::open(path).and_then(bounded).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => "no such file".to_owned(),
        kind => kind.to_string(),
    })
}

/// The value of `token` in a section of an INI file as Python's `configparser` reads it: `=` or `:`, names of options in
/// any case, comments in lines of their own. The section's name is matched in any case, too; blank values are skipped.
fn token_in_section(ini: &str, section: &str) -> Option<String> {
    let mut inside = false;
    for line in ini.trim_start_matches('\u{feff}').lines().map(str::trim) {
        if line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            inside = name.trim().eq_ignore_ascii_case(section);
        } else if let Some(token) = value_of_token(line).filter(|_| inside) {
            return Some(token.to_owned());
        }
    }
    None
}

fn value_of_token(line: &str) -> Option<&str> {
    let (name, value) = line.split_once(['=', ':'])?;
    let value = value.trim();
    (name.trim().eq_ignore_ascii_case("token") && !value.is_empty()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is in each place, and the token that is found.
    struct Case {
        name: &'static str,
        given: Option<&'static str>,
        env: Option<&'static str>,
        intern_cfg: Option<&'static str>,
        token_json: Option<&'static str>,
        token: Option<&'static str>,
    }

    const NOTHING: Case = Case { name: "", given: None, env: None, intern_cfg: None, token_json: None, token: None };

    fn find(case: &Case) -> Result<Token, BossError> {
        let home = tempfile::tempdir().unwrap();
        let working_dir = tempfile::tempdir().unwrap();
        if let Some(text) = case.intern_cfg {
            std::fs::create_dir(home.path().join(".intern")).unwrap();
            std::fs::write(home.path().join(".intern/intern.cfg"), text).unwrap();
        }
        if let Some(text) = case.token_json {
            std::fs::write(working_dir.path().join("token.json"), text).unwrap();
        }
        let env = |name: &str| (name == "INTERN_TOKEN").then_some(case.env).flatten().map(str::to_owned);
        let places =
            TokenPlaces { given: case.given, env: &env, home: Some(home.path()), working_dir: working_dir.path() };
        Token::find(&places)
    }

    #[test]
    fn the_first_place_with_a_token_wins() {
        let default = Some("[Default]\ntoken=D\n");
        // The first eleven are the Python client's recorded cases; `mended` ones gave an error or an empty token there.
        let table = [
            Case {
                name: "arg wins",
                given: Some("A"),
                env: Some("E"),
                intern_cfg: default,
                token: Some("A"),
                ..NOTHING
            },
            Case { name: "env", env: Some("E"), intern_cfg: default, token: Some("E"), ..NOTHING },
            Case { name: "env empty (mended)", env: Some(""), intern_cfg: default, token: Some("D"), ..NOTHING },
            Case {
                name: "default section",
                intern_cfg: Some("[Default]\ntoken = D\n[Project Service]\ntoken=P\n"),
                token: Some("D"),
                ..NOTHING
            },
            Case {
                name: "project service",
                intern_cfg: Some("[Project Service]\ntoken=P\n"),
                token: Some("P"),
                ..NOTHING
            },
            Case { name: "lower case (mended)", intern_cfg: Some("[default]\ntoken=P\n"), token: Some("P"), ..NOTHING },
            Case { name: "upper case (mended)", intern_cfg: Some("[DEFAULT]\ntoken=P\n"), token: Some("P"), ..NOTHING },
            Case { name: "no token option", intern_cfg: Some("[Default]\nhost=x\n"), ..NOTHING },
            Case { name: "no file", ..NOTHING },
            Case {
                name: "default lacks it (mended)",
                intern_cfg: Some("[Default]\nhost=x\n[Project Service]\ntoken=P\n"),
                token: Some("P"),
                ..NOTHING
            },
            Case { name: "empty arg", given: Some(""), env: Some("E"), token: Some("E"), ..NOTHING },
            Case { name: "json last", token_json: Some(r#"{"token": "J", "host": "h"}"#), token: Some("J"), ..NOTHING },
            Case {
                name: "json after cfg",
                intern_cfg: default,
                token_json: Some(r#"{"token": "J"}"#),
                token: Some("D"),
                ..NOTHING
            },
            Case { name: "json damaged", token_json: Some("{"), ..NOTHING },
            Case {
                name: "python's other spellings",
                intern_cfg: Some("\u{feff}# c\n[Default]\r\n; token = x\r\nToken : a:b=c \r\n"),
                token: Some("a:b=c"),
                ..NOTHING
            },
            Case { name: "line ends are cut", env: Some(" E\n"), token: Some("E"), ..NOTHING },
        ];
        for case in table {
            let found = find(&case).ok();
            assert_eq!(found.as_ref().map(Token::secret), case.token, "{}", case.name);
        }
    }

    #[test]
    fn the_error_lists_every_place() {
        let error = find(&Case { env: Some(""), intern_cfg: Some("[x]\ntoken=1\n"), ..NOTHING }).unwrap_err();
        assert_eq!(
            error.to_string(),
            "no API token was found; looked at option `-a` (not given), variable `INTERN_TOKEN` (empty), \
             file `~/.intern/intern.cfg` (no `token` below `[Default]` or `[Project Service]`), \
             file `token.json` (no such file)"
        );
    }

    #[test]
    fn a_token_that_no_header_takes_is_named_by_its_place_only() {
        let error = find(&Case { given: Some("two\nlines"), ..NOTHING }).unwrap_err();
        assert_eq!(error.to_string(), "the API token from option `-a` has characters that cannot be sent");
    }

    #[test]
    fn a_token_is_never_shown() {
        let token = Token::new("s3cr3t", "test").unwrap();
        let shown = format!("{token} {token:?} {:?}", token.header());
        assert!(!shown.contains("s3cr3t"), "{shown}");
    }
}
