//! A task as one JSON object, for programs.

use serde_json::{Map, Value, json};

use super::Attempt;
use super::trial::{Chosen, ChosenBy, Header, PathSaid, Reading, Trial};
use crate::lua::PathAnswer;
use crate::volume::Size;

/// Everything that was found, and the error that ended it, if one did.
pub fn object(attempt: &Attempt) -> Value {
    let mut object = attempt.trial.as_ref().map(found).unwrap_or_default();
    if let Err(error) = &attempt.ended {
        object.extend(error.json());
    }
    Value::Object(object)
}

fn found(trial: &Trial) -> Map<String, Value> {
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| _ = object.insert(name.to_owned(), value);
    put("job", json!(trial.job.path));
    put("kind", json!(trial.job.grid.task_noun()));
    put("at", json!(trial.index));
    put("region", json!(trial.region));
    put("required", json!((!trial.required.is_empty()).then_some(trial.required)));
    put("warnings", trial.warnings.iter().map(|one| json!({"message": one.message, "hint": one.hint})).collect());
    if let Some(path) = &trial.path {
        put("path", said(path));
    }
    if let Some(reason) = &trial.missing {
        put("missing", json!(reason));
    }
    if let Some(plan) = &trial.plan {
        put("plan", json!(plan));
        put("sources", trial.sources.iter().map(source).collect());
    }
    if let (Some(dtype), Some(result)) = (trial.dtype, &trial.result) {
        result_of(result, dtype).into_iter().for_each(|(name, value)| put(name, value));
    }
    if let Some(upload) = &trial.upload {
        put("upload", json!({"as_is": upload.as_is, "format": upload.format.name(), "bytes": upload.bytes}));
    }
    put("output", json!(trial.output));
    let seconds = trial.seconds.iter().map(|(step, seconds)| ((*step).to_owned(), json!(seconds)));
    put("seconds", Value::Object(seconds.collect()));
    object
}

/// The path slot's answer: a text, or `null` where it has none.
fn said(path: &PathSaid) -> Value {
    match path {
        PathSaid::Answer(PathAnswer::Path(path)) => json!(path),
        PathSaid::Answer(PathAnswer::Missing { .. }) | PathSaid::Failed(_) => Value::Null,
    }
}

fn source(header: &Header) -> Value {
    match &header.info {
        Ok(info) => json!(**info),
        Err(error) => json!({"path": header.path, "error": error.to_string(), "hint": error.hint()}),
    }
}

fn result_of(result: &Reading, dtype: Chosen) -> [(&'static str, Value); 7] {
    let Size { x, y, z } = result.traced.block.size();
    let by = match dtype.by {
        ChosenBy::User => "--dtype",
        ChosenBy::FirstSource => "first source",
        ChosenBy::Nobody => "default",
    };
    [
        ("shape", json!([z, y, x])),
        ("dtype", json!(dtype.dtype)),
        ("dtype_from", json!(by)),
        ("padded", json!(result.traced.padded())),
        ("filled", json!(result.traced.filled())),
        ("statistics", json!(result.statistics)),
        ("checksum", json!(result.checksum)),
    ]
}
