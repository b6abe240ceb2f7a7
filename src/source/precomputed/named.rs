//! The names under which CloudVolume keeps packed objects in a folder.

use std::io;
use std::ops::Range;

use crate::source::fetch::{Fetch, Object};
use crate::source::packing::Packing;

/// The endings of packings that are not read.
const OTHER_PACKINGS: [&str; 2] = [".xz", ".bz2"];

/// An object by the name that the format gives it. To the names of files CloudVolume adds how it packs them; of several the
/// packed one counts.
///
/// # Errors
/// As [`Fetch::get`], and [`io::ErrorKind::Unsupported`] for a packing that is not read.
pub(super) fn get(
    fetch: &dyn Fetch,
    path: &str,
    range: Option<Range<u64>>,
    most_bytes: u64,
) -> io::Result<Option<Object>> {
    if !fetch.is_disk() {
        return fetch.get(path, range, most_bytes);
    }
    for (ending, packing) in Packing::ENDINGS {
        if let Some(object) = fetch.get(&format!("{path}{ending}"), range.clone(), most_bytes)? {
            return Ok(Some(Object { packing: Some(packing), ..object }));
        }
    }
    if let Some(object) = fetch.get(path, range, most_bytes)? {
        return Ok(Some(object));
    }
    for ending in OTHER_PACKINGS {
        if fetch.length(&format!("{path}{ending}"))?.is_some() {
            let message = format!("`{path}{ending}` is packed as `{ending}`");
            return Err(io::Error::new(io::ErrorKind::Unsupported, message));
        }
    }
    Ok(None)
}
