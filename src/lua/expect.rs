//! A script's answer against what one of its test cases expects.

use serde_json::{Value, json};

use super::cases::Wanted;
use super::{Answer, ScriptError};
use crate::source::Plan;

/// Where an answer is not what was expected. Values are written as in Lua.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    /// Such as `path` or `plan.region.x`.
    pub field: String,
    pub expected: String,
    pub got: String,
}

impl Difference {
    pub fn new(field: impl Into<String>, expected: impl Into<String>, got: impl Into<String>) -> Self {
        Difference { field: field.into(), expected: expected.into(), got: got.into() }
    }
}

/// Every field in which the answer differs from what is wanted. Checksums are left to who reads voxels.
pub fn differences(wanted: &Wanted, answer: &Result<Answer, ScriptError>) -> Vec<Difference> {
    match (wanted, answer) {
        (Wanted::Error(text), Err(error)) if error.to_string().contains(text) => Vec::new(),
        (Wanted::Missing, Ok(Answer::Missing { .. })) => Vec::new(),
        (Wanted::Plan { path, plan, .. }, Ok(Answer::Plan(got))) => {
            let mut found = Vec::new();
            if let Some(path) = path {
                compare_path(path, got, &mut found);
            }
            if let Some(plan) = plan {
                compare("plan", plan, &fields(got, plan.is_string()), &mut found);
            }
            found
        }
        _ => vec![Difference::new("answer", describe_wanted(wanted), describe(answer))],
    }
}

/// A value as Lua writes it.
pub(super) fn lua_text(value: &Value) -> String {
    match value {
        Value::Null => "nil".to_owned(),
        Value::Array(items) if items.is_empty() => "{}".to_owned(),
        Value::Array(items) => format!("{{ {} }}", items.iter().map(lua_text).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) if fields.is_empty() => "{}".to_owned(),
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(_, value)| !value.is_null());
            let fields: Vec<String> = fields.map(|(key, value)| format!("{key} = {}", lua_text(value))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        other => other.to_string(),
    }
}

fn compare_path(path: &str, got: &Plan, found: &mut Vec<Difference>) {
    match got {
        Plan::Read(read) => compare("path", &json!(path), &json!(read.source.path), found),
        Plan::Stack { sections, .. } => {
            let got = format!("a stack of {} sections, each with its path", sections.len());
            found.push(Difference::new("path", lua_text(&json!(path)), got));
        }
    }
}

/// Of tables that have names only the expected keys are looked at; lists are compared as they are.
fn compare(field: &str, expected: &Value, got: &Value, found: &mut Vec<Difference>) {
    match (expected, got) {
        (Value::Object(expected), Value::Object(got)) => {
            for (key, value) in expected {
                compare(&format!("{field}.{key}"), value, got.get(key).unwrap_or(&Value::Null), found);
            }
        }
        (Value::Array(expected), Value::Array(got))
            if expected.len() == got.len() && expected.iter().any(Value::is_object) =>
        {
            for (nth, (expected, got)) in expected.iter().zip(got).enumerate() {
                compare(&format!("{field}[{}]", nth + 1), expected, got, found);
            }
        }
        _ if is_same(expected, got) => {}
        _ => found.push(Difference::new(field, lua_text(expected), lua_text(got))),
    }
}

/// As Lua compares: 1 is 1.0. An empty table is a list or not.
fn is_same(expected: &Value, got: &Value) -> bool {
    match (expected, got) {
        (Value::Number(expected), Value::Number(got)) => expected.as_f64() == got.as_f64(),
        (Value::Array(expected), Value::Array(got)) => {
            expected.len() == got.len() && expected.iter().zip(got).all(|(expected, got)| is_same(expected, got))
        }
        (Value::Array(list), Value::Object(fields)) | (Value::Object(fields), Value::Array(list)) => {
            list.is_empty() && fields.is_empty()
        }
        _ => expected == got,
    }
}

/// The plan's fields by their names in Lua, or the whole plan as text.
fn fields(plan: &Plan, as_text: bool) -> Value {
    if as_text {
        return json!(plan.to_string());
    }
    let mut fields = json!(plan);
    match fields.get_mut("sections").and_then(Value::as_array_mut) {
        Some(sections) => sections.iter_mut().for_each(add_defaults),
        None => add_defaults(&mut fields),
    }
    fields
}

/// What is not said of a plan because it is the default.
fn add_defaults(fields: &mut Value) {
    let Some(fields) = fields.as_object_mut() else { return };
    let defaults = [
        ("missing", json!("error")),
        ("cast", json!("exact")),
        ("scale", json!(1)),
        ("offset", json!(0)),
        ("gray", json!(false)),
    ];
    // A list of steps says by itself what is scaled.
    let has_steps = fields.contains_key("steps");
    for (name, value) in defaults.into_iter().filter(|(name, _)| !has_steps || !["scale", "offset"].contains(name)) {
        fields.entry(name).or_insert(value);
    }
}

fn describe_wanted(wanted: &Wanted) -> String {
    match wanted {
        Wanted::Plan { .. } => "a plan".to_owned(),
        Wanted::Missing => "nil and a reason".to_owned(),
        Wanted::Error(text) => format!("an error with `{text}` in it"),
    }
}

fn describe(answer: &Result<Answer, ScriptError>) -> String {
    match answer {
        Ok(Answer::Plan(Plan::Read(read))) => format!("a plan that reads {}", lua_text(&json!(read.source.path))),
        Ok(Answer::Plan(Plan::Stack { sections, .. })) => format!("a plan of {} sections", sections.len()),
        Ok(Answer::Missing { reason }) => format!("nil, {}", lua_text(&json!(reason))),
        Err(error) => format!("an error: {error}"),
    }
}
