//! What headers written as lines of text have in common.

use super::super::location::Located;
use super::{FlatFormat, SourceError, bytes};

/// Such headers are some hundred bytes long; those with notes some thousands.
const LARGEST_HEADER: usize = 64 << 10;

/// A header of lines.
pub(super) struct Text {
    pub lines: Vec<String>,
    /// Where the bytes behind it begin.
    pub end: u64,
}

impl Text {
    /// Reads lines up to and with the first that `is_last`, without their ends, or the whole file.
    pub fn read(located: &Located, format: FlatFormat, is_last: impl Fn(&str) -> bool) -> Result<Text, SourceError> {
        let (first, _) = bytes::first(located, LARGEST_HEADER)?;
        let mut text = Text { lines: Vec::new(), end: 0 };
        for line in first.split_inclusive(|byte| *byte == b'\n') {
            text.end += line.len() as u64;
            let line = String::from_utf8_lossy(line).trim_end().to_owned();
            let is_end = is_last(&line);
            text.lines.push(line);
            if is_end {
                return Ok(text);
            }
        }
        if first.len() == LARGEST_HEADER {
            return Err(format.damaged(&located.path, format!("its header does not end within {LARGEST_HEADER} bytes")));
        }
        Ok(text)
    }
}

/// Numbers with spaces between.
pub(super) fn lengths(text: &str) -> Option<Vec<u64>> {
    text.split_whitespace().map(|number| number.parse().ok()).collect()
}

/// The file that a header names, beside it.
///
/// # Errors
/// [`SourceError::NotSupported`] where it names several.
pub(super) fn data_file(located: &Located, name: &str) -> Result<Located, SourceError> {
    if name.contains('%') || name.starts_with("LIST") {
        return Err(super::unsupported(&located.path, "voxels in several files"));
    }
    located.beside(name)
}
