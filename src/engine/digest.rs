//! Digests of texts, and JSON in the one form that has a digest.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// The SHA-256 of a text in 64 hex digits.
pub fn sha256_of(text: &str) -> String {
    format!("{:x}", Sha256::digest(text.as_bytes()))
}

/// The SHA-256 of several texts in 64 hex digits. The length of each goes in as well, so that no two lists have one digest.
pub fn sha256(parts: impl IntoIterator<Item = String>) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part.as_bytes());
    }
    format!("{:x}", digest.finalize())
}

/// JSON without spaces and with the keys of each object in the order of their letters: the same for two documents that
/// mean the same. Numbers are written as `serde_json` does.
pub fn canonical_json(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            let field =
                |(name, value): (&String, &Value)| format!("{}:{}", Value::from(name.as_str()), canonical_json(value));
            format!("{{{}}}", fields.into_iter().map(field).collect::<Vec<_>>().join(","))
        }
        Value::Array(values) => format!("[{}]", values.iter().map(canonical_json).collect::<Vec<_>>().join(",")),
        plain => plain.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_order_of_keys_does_not_matter() {
        let (one, other) = (
            json!({"b": [1, {"d": 1.5, "c": null}], "a": "x\""}),
            json!({"a": "x\"", "b": [1, {"c": null, "d": 1.5}]}),
        );
        assert_eq!(canonical_json(&one), canonical_json(&other));
        assert_eq!(canonical_json(&one), r#"{"a":"x\"","b":[1,{"c":null,"d":1.5}]}"#);
    }

    #[test]
    fn two_lists_of_texts_have_two_digests() {
        let digest = |parts: &[&str]| sha256(parts.iter().map(|part| (*part).to_owned()));
        assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
        assert_eq!(digest(&[]), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
