//! What an array's axes are called, where its attributes say so.

use rust_hdf5::{H5Dataset, Hdf5Error};
use serde::Deserialize;

/// The names that axes may have.
const LETTERS: &str = "tczyx";

/// The axes of MATLAB's arrays by their number. MATLAB stores columns, and shows the first axis downwards, so in the file the
/// last axis is y, and x comes before it: `volume(y, x, z, c, t)` has the axes `tczxy`
/// (<https://www.mathworks.com/help/matlab/import_export/mat-file-versions.html>).
const MATLAB: [&str; 6] = ["", "y", "xy", "zxy", "tzxy", "tczxy"];

/// The letters of the axes, slowest first, as many as the array has; `None` where nothing says them, or it says something else.
/// Looked for are ilastik's `axistags`, an `axes` that is text, and MATLAB's `MATLAB_class`.
///
/// # Errors
/// Those of the file.
pub(super) fn of(dataset: &H5Dataset, rank: usize) -> Result<Option<String>, Hdf5Error> {
    let names = dataset.attr_names()?;
    let text = |name: &str| match names.iter().any(|had| had == name) {
        true => dataset.attr(name)?.read_string().map(Some),
        false => Ok(None),
    };
    if let Some(letters) = text("axistags")?.and_then(|tags| from_tags(&tags)) {
        return Ok(known(letters, rank));
    }
    if let Some(letters) = text("axes")? {
        return Ok(known(letters, rank));
    }
    let matlab = names.iter().any(|name| name == "MATLAB_class").then(|| MATLAB.get(rank)).flatten();
    Ok(matlab.filter(|letters| !letters.is_empty()).map(|letters| (*letters).to_owned()))
}

#[derive(Deserialize)]
struct Tags {
    axes: Vec<Tag>,
}

#[derive(Deserialize)]
struct Tag {
    key: String,
}

/// The keys of VIGRA's axis tags, slowest first, as its JSON has them.
fn from_tags(json: &str) -> Option<String> {
    let tags: Tags = serde_json::from_str(json).ok()?;
    Some(tags.axes.into_iter().map(|tag| tag.key).collect())
}

/// The letters, where each is one of ours and stands once.
fn known(letters: String, rank: usize) -> Option<String> {
    let is_known = |(at, letter): (usize, char)| LETTERS.contains(letter) && letters.find(letter) == Some(at);
    (letters.len() == rank && rank > 0 && letters.char_indices().all(is_known)).then_some(letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_letters_are_names() {
        let cases = [
            ("zyx", 3, true),
            ("xyzc", 4, true),
            ("zyx", 2, false),
            ("zyy", 3, false),
            ("ZYX", 3, false),
            ("", 0, false),
        ];
        for (letters, rank, is_known) in cases {
            assert_eq!(known(letters.to_owned(), rank).is_some(), is_known, "{letters}");
        }
        let tags = r#"{"axes": [{"key": "t", "typeFlags": 8, "resolution": 0}, {"key": "y"}, {"key": "x"}]}"#;
        assert_eq!(from_tags(tags).unwrap(), "tyx");
        assert_eq!(from_tags("zyx"), None);
    }
}
