//! JSON texts as Python's `json.dumps` writes them, which is how the Boss and its clients put them on the wire: ASCII
//! only, and in queue messages with a blank behind each `,` and `:`.

use std::io;

use serde::Serialize;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter, Serializer};

/// `json.dumps(value)`.
pub(super) fn spaced(value: &impl Serialize) -> String {
    write(value, Style { blank: " " })
}

/// `json.dumps(value, separators=(",", ":"))`.
pub(super) fn compact(value: &impl Serialize) -> String {
    write(value, Style { blank: "" })
}

fn write(value: &impl Serialize, style: Style) -> String {
    let mut text = Vec::new();
    value
        .serialize(&mut Serializer::with_formatter(&mut text, style))
        .expect("keys are texts and memory can be written");
    String::from_utf8(text).expect("JSON is UTF-8")
}

struct Style {
    blank: &'static str,
}

impl Formatter for Style {
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { write!(writer, ",{}", self.blank) }
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { write!(writer, ",{}", self.blank) }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        write!(writer, ":{}", self.blank)
    }

    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        for character in fragment.chars() {
            if matches!(character, ' '..='~') {
                writer.write_all(&[character as u8])?;
                continue;
            }
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }

    fn write_char_escape<W: ?Sized + io::Write>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()> {
        CompactFormatter.write_char_escape(writer, escape)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_are_those_of_python() {
        let value = json!({"a": [1, 2.0, null], "ü\n": "😀\u{7f}\"\\/", "e": {}, "l": []});
        assert_eq!(spaced(&value), r#"{"a": [1, 2.0, null], "\u00fc\n": "\ud83d\ude00\u007f\"\\/", "e": {}, "l": []}"#);
        assert_eq!(compact(&json!({"a": [1, 2], "b": true})), r#"{"a":[1,2],"b":true}"#);
    }
}
