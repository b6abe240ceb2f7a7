//! Reads the fields of a posted resource one by one and collects what is wrong with them.

use serde_json::{Map, Value};

use super::error::{Code, RestError};

const REQUIRED: &str = "This field is required.";

/// The fields of a posted body, and what has been read of them.
pub struct Fields<'a> {
    posted: &'a Map<String, Value>,
    read: Map<String, Value>,
    wrong: Vec<(String, String)>,
}

impl<'a> Fields<'a> {
    /// Begins with the resource's name, which the URL gives.
    pub fn of(name: &str, posted: &'a Value) -> Result<Self, RestError> {
        let posted = posted.as_object().ok_or_else(|| {
            RestError::boss(Code::InvalidPostArgument, "Invalid data. Expected a dictionary of fields.")
        })?;
        let mut fields = Fields { posted, read: Map::new(), wrong: Vec::new() };
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if name.is_empty() || name.len() > 255 || !name.bytes().all(is_name) {
            fields.complain("name", "Only letters, digits, `_` and `-`, at most 255 of them.");
        }
        fields.set("name", name.into());
        Ok(fields)
    }

    pub fn set(&mut self, name: &str, value: Value) {
        self.read.insert(name.to_owned(), value);
    }

    fn complain(&mut self, name: &str, what: &str) {
        self.wrong.push((name.to_owned(), what.to_owned()));
    }

    /// Takes over a field that passes `is_good`; `default` stands for one that is absent, if it may be.
    fn take(&mut self, name: &str, default: Option<Value>, is_good: impl Fn(&Value) -> bool, wanted: &str) {
        match (self.posted.get(name), default) {
            (Some(value), _) if is_good(value) => self.set(name, value.clone()),
            (None | Some(Value::Null), Some(default)) => self.set(name, default),
            (None | Some(Value::Null), None) => self.complain(name, REQUIRED),
            (Some(_), _) => self.complain(name, wanted),
        }
    }

    pub fn description(&mut self) {
        let is_good = |value: &Value| value.as_str().is_some_and(|text| text.len() <= 4096);
        self.take("description", Some("".into()), is_good, "A text of at most 4096 characters.");
    }

    pub fn flag(&mut self, name: &str) {
        self.take(name, Some(false.into()), Value::is_boolean, "Must be a valid boolean.");
    }

    pub fn integer(&mut self, name: &str, default: Option<Value>, least: i32) {
        let is_good = |value: &Value| {
            value.as_i64().is_some_and(|number| (i64::from(least)..=i64::from(i32::MAX)).contains(&number))
        };
        self.take(name, default, is_good, "A valid integer is required.");
    }

    pub fn positive_number(&mut self, name: &str) {
        self.take(name, None, |value| value.as_f64().is_some_and(|number| number > 0.0), "A valid number is required.");
        if let Some(number) = self.read.get(name).and_then(Value::as_f64) {
            // The Boss keeps floating point numbers and writes 4 as 4.0.
            self.set(name, number.into());
        }
    }

    pub fn choice(&mut self, name: &str, default: Option<&str>, choices: &[&str]) {
        let is_good = |value: &Value| value.as_str().is_some_and(|word| choices.contains(&word));
        self.take(name, default.map(Value::from), is_good, &format!("One of {}.", choices.join(", ")));
    }

    pub fn names(&mut self, name: &str, known: &[String]) {
        let is_known = |name: &Value| known.iter().any(|known| Some(known.as_str()) == name.as_str());
        let is_good = |value: &Value| value.as_array().is_some_and(|names| names.iter().all(is_known));
        self.take(name, Some(Value::Array(Vec::new())), is_good, "Names of channels of the same experiment.");
    }

    /// What was read.
    ///
    /// # Errors
    /// 400 / 1003 with all that is wrong, in the shape in which the Boss prints it.
    pub fn finish(self) -> Result<Value, RestError> {
        if self.wrong.is_empty() {
            return Ok(Value::Object(self.read));
        }
        let wrong: Vec<_> = self.wrong.iter().map(|(name, what)| format!("'{name}': ['{what}']")).collect();
        Err(RestError::boss(Code::InvalidPostArgument, format!("{{{}}}", wrong.join(", "))))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let posted = json!({"type": "movie", "x_start": 1.5, "x_voxel_size": 4});
        let mut fields = Fields::of("a b", &posted).unwrap();
        fields.choice("type", None, &["image", "annotation"]);
        fields.integer("x_start", None, i32::MIN);
        fields.integer("x_stop", None, i32::MIN);
        fields.positive_number("x_voxel_size");
        let message = fields.finish().unwrap_err().to_string();
        assert_eq!(
            message,
            "{'name': ['Only letters, digits, `_` and `-`, at most 255 of them.'], 'type': ['One of image, \
             annotation.'], 'x_start': ['A valid integer is required.'], 'x_stop': ['This field is required.']}"
        );
    }
}
