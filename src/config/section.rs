//! Reading one object of the job file, with a finding for everything that is not as it should be.

use serde_json::{Map, Value};

use super::finding::Findings;
use super::nearest;
use crate::volume::Span;

/// One object of the document. Every reader returns `None` after it has reported why.
pub(super) struct Section<'a> {
    at: String,
    map: &'a Map<String, Value>,
    known: &'static [&'static str],
    findings: &'a Findings,
}

impl<'a> Section<'a> {
    /// The object `value` at the path `at`. Keys that are not `known` are reported as warnings: the schema allows them,
    /// but in these sections they are slips.
    pub fn new(
        at: String,
        value: &'a Value,
        known: &'static [&'static str],
        findings: &'a Findings,
    ) -> Option<Section<'a>> {
        let Some(map) = value.as_object() else {
            findings.error(at, format!("is {}; it must be an object", describe(value)), None);
            return None;
        };
        let section = Section { at, map, known, findings };
        section.warn_of_unknown_keys();
        Some(section)
    }

    pub fn has(&self, key: &str) -> bool {
        self.map.contains_key(key)
    }

    pub fn error(&self, key: &str, message: impl Into<String>, hint: Option<String>) {
        self.findings.error(self.path(key), message, hint);
    }

    /// A finding of tiles or chunks that do not lie on the Boss's grid.
    pub fn misaligned(&self, key: &str, message: impl Into<String>, hint: Option<String>) {
        self.findings.misaligned(self.path(key), message, hint);
    }

    pub fn warning(&self, key: &str, message: impl Into<String>, hint: Option<String>) {
        self.findings.warning(self.path(key), message, hint);
    }

    /// The path of a key of this section, such as `ingest_job.extent`.
    pub fn path(&self, key: &str) -> String {
        if self.at.is_empty() { key.to_owned() } else { format!("{}.{key}", self.at) }
    }

    /// A required object.
    pub fn section(&self, key: &str, known: &'static [&'static str]) -> Option<Section<'a>> {
        Section::new(self.path(key), self.required(key)?, known, self.findings)
    }

    /// A required object whose keys are free.
    pub fn object(&self, key: &str) -> Option<&'a Map<String, Value>> {
        let value = self.required(key)?;
        value.as_object().or_else(|| self.wrong_type(key, value, "an object"))
    }

    /// A required string that is not empty.
    pub fn string(&self, key: &str) -> Option<&'a str> {
        let value = self.required(key)?;
        let Some(text) = value.as_str() else { return self.wrong_type(key, value, "a string") };
        if text.trim().is_empty() {
            self.error(key, "is empty", None);
            return None;
        }
        Some(text)
    }

    /// A required string out of a fixed table.
    pub fn one_of<T: Copy>(&self, key: &str, table: &[(&'static str, T)]) -> Option<T> {
        let text = self.string(key)?;
        let found = table.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
        if found.is_none() {
            let names: Vec<_> = table.iter().map(|(name, _)| format!("`{name}`")).collect();
            let near = nearest(text, table.iter().map(|(name, _)| *name));
            let hint = near.map(|name| format!("did you mean `{name}`?"));
            self.error(key, format!("is `{text}`; it must be {}", names.join(" or ")), hint);
        }
        found
    }

    /// A required integer. As in the Boss's schema, `800.0` is none.
    pub fn integer(&self, key: &str) -> Option<i64> {
        self.integer_at(key, self.required(key)?)
    }

    /// A required integer above zero.
    pub fn size(&self, key: &str) -> Option<u64> {
        let value = self.integer(key)?;
        if value <= 0 {
            self.error(key, format!("is {value}; a size must be above 0"), None);
            return None;
        }
        Some(value.unsigned_abs())
    }

    /// A required half-open range `[start, stop]` of integers that is not empty and not below zero.
    pub fn span(&self, key: &str) -> Option<Span> {
        let value = self.required(key)?;
        let Some(array) = value.as_array() else { return self.wrong_type(key, value, "an array of two integers") };
        let numbers: Vec<Option<i64>> =
            array.iter().enumerate().map(|(nth, item)| self.integer_at(&format!("{key}[{nth}]"), item)).collect();
        let [start, stop] = numbers[..] else {
            self.error(key, format!("has {} entries; it must be `[start, stop]`", array.len()), None);
            return None;
        };
        self.check_span(key, Span::new(start?, stop?))
    }

    fn check_span(&self, key: &str, span: Span) -> Option<Span> {
        let Span { start, stop } = span;
        if start < 0 {
            self.error(&format!("{key}[0]"), format!("is {start}; the Boss has no voxels below 0"), None);
            return None;
        }
        if stop <= start {
            let hint = "the range is half-open: `[0, 1]` is one position";
            self.error(key, format!("is [{start}, {stop}], which is empty"), Some(hint.to_owned()));
            return None;
        }
        Some(span)
    }

    fn integer_at(&self, key: &str, value: &Value) -> Option<i64> {
        let found = value.as_i64();
        if found.is_none() {
            let hint = value.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < 9e15);
            let hint = hint.map(|number| format!("write {number:.0}, with no decimal point"));
            self.error(key, format!("is {}; it must be an integer", describe(value)), hint);
        }
        found
    }

    fn required(&self, key: &str) -> Option<&'a Value> {
        let found = self.map.get(key);
        if found.is_none() {
            let slip = self.unknown_keys().find(|unknown| nearest(unknown, self.known.iter().copied()) == Some(key));
            let hint = slip.map(|slip| format!("there is a `{slip}`; rename it to `{key}`"));
            self.error(key, "is missing", hint);
        }
        found
    }

    fn wrong_type<T>(&self, key: &str, value: &Value, expected: &str) -> Option<T> {
        self.error(key, format!("is {}; it must be {expected}", describe(value)), None);
        None
    }

    fn warn_of_unknown_keys(&self) {
        for key in self.unknown_keys() {
            let near = nearest(key, self.known.iter().copied());
            let hint = near.map(|near| format!("did you mean `{near}`?"));
            self.warning(key, "is not a known key and has no effect", hint);
        }
    }

    fn unknown_keys(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let known = self.known;
        self.map.keys().map(String::as_str).filter(move |key| !known.contains(key))
    }
}

/// A value as a message shows it: short values as they stand, others by their type.
fn describe(value: &Value) -> String {
    match value {
        Value::Object(_) => "an object".to_owned(),
        Value::Array(_) => "an array".to_owned(),
        Value::String(text) if text.chars().count() > 40 => "a string".to_owned(),
        short => format!("`{short}`"),
    }
}
