//! The names under which CloudVolume keeps packed objects in a folder.

use std::io;
use std::ops::Range;

use crate::source::fetch::{Fetch, Object};

/// Names of other packings, as CloudVolume writes them.
const OTHER_PACKINGS: [&str; 4] = [".br", ".zstd", ".xz", ".bz2"];

/// An object by the name that the format gives it; CloudVolume adds `.gz` to the names of files that it packs.
///
/// # Errors
/// As [`Fetch::get`], and [`io::ErrorKind::Unsupported`] for a packing that is not read.
pub(super) fn get(
    fetch: &dyn Fetch,
    path: &str,
    range: Option<Range<u64>>,
    most_bytes: u64,
) -> io::Result<Option<Object>> {
    if let Some(object) = fetch.get(&format!("{path}.gz"), range.clone(), most_bytes)? {
        return Ok(Some(Object { is_gzip: true, ..object }));
    }
    if let Some(object) = fetch.get(path, range, most_bytes)? {
        return Ok(Some(object));
    }
    for ending in OTHER_PACKINGS {
        if fetch.length(&format!("{path}{ending}"))?.is_some() {
            let message = format!("`{path}{ending}` is not packed with gzip");
            return Err(io::Error::new(io::ErrorKind::Unsupported, message));
        }
    }
    Ok(None)
}
