//! JSON documents that are left for people and programs: the manifest and the certificate.

use std::path::Path;

use serde_json::Value;

use super::error::CliError;

/// Writes a document so that there is never half a file.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, document: &Value) -> Result<(), CliError> {
    let unfinished = path.with_extension(format!("{}.part", std::process::id()));
    let written = std::fs::write(&unfinished, layout(document)).and_then(|()| std::fs::rename(&unfinished, path));
    written.map_err(|source| CliError::Write { path: path.to_owned(), source })
}

/// One line for each field, and for each item of a list of objects: a million blocks stay readable, and `diff` works.
fn layout(document: &Value) -> String {
    let Value::Object(fields) = document else { return format!("{document}\n") };
    let fields = fields.iter().map(|(name, value)| format!("  {}: {}", Value::from(name.as_str()), field(value)));
    format!("{{\n{}\n}}\n", fields.collect::<Vec<_>>().join(",\n"))
}

fn field(value: &Value) -> String {
    match value {
        Value::Array(items) if items.iter().any(Value::is_object) => {
            let items = items.iter().map(|item| format!("    {item}"));
            format!("[\n{}\n  ]", items.collect::<Vec<_>>().join(",\n"))
        }
        plain => plain.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_is_the_same_after_it_was_laid_out() {
        let document = json!({"a \"b\"": {"x": [0, 5]}, "list": [{"n": 1.5}, {"n": null}], "none": [], "t": true});
        let text = layout(&document);
        assert_eq!(
            text,
            "{\n  \"a \\\"b\\\"\": {\"x\":[0,5]},\n  \"list\": [\n    {\"n\":1.5},\n    {\"n\":null}\n  ],\n  \
             \"none\": [],\n  \"t\": true\n}\n"
        );
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), document);
    }
}
