//! Volumes of several arrays in folders of folders: paths in them, and which arrays there are.

use std::collections::VecDeque;

use super::SourceError;
use super::fetch::Fetch;

/// The most folders that are looked into.
const MOST_FOLDERS: usize = 2000;

/// What a folder of a hierarchy is.
pub(super) enum Folder {
    /// An array, or several that are one image in levels of detail. Folders inside are not looked into.
    Image,
    Other,
}

/// A path in a hierarchy, whose root is the empty path.
pub(super) fn join(path: &str, name: &str) -> String {
    match (path, name) {
        ("", only) | (only, "") => only.to_owned(),
        (path, name) => format!("{path}/{name}"),
    }
}

/// A path as plans and metadata write it, such as `/volumes/raw/` or `./0`; `None` for one that leads out of the hierarchy.
pub(super) fn plain(path: &str) -> Option<String> {
    let parts = path.split('/').filter(|part| !part.is_empty() && *part != ".");
    let parts: Vec<&str> = parts.collect();
    (!parts.contains(&"..")).then(|| parts.join("/"))
}

/// The images inside the folder `under`, in order; `None` where the store does not list folders.
///
/// # Errors
/// Trouble of the store, and that of `what_is`.
pub(super) fn images(
    (path, fetch): (&str, &dyn Fetch),
    under: &str,
    what_is: impl Fn(&str) -> Result<Folder, SourceError>,
) -> Result<Option<Vec<String>>, SourceError> {
    let mut waiting = VecDeque::from([under.to_owned()]);
    let mut images = Vec::new();
    for _ in 0..MOST_FOLDERS {
        let Some(folder) = waiting.pop_front() else { break };
        let Some(inside) = fetch.folders(&folder).map_err(|error| SourceError::io(path, error))? else {
            return Ok(None);
        };
        for name in inside {
            let inner = join(&folder, &name);
            match what_is(&inner)? {
                Folder::Image => images.push(inner),
                Folder::Other => waiting.push_back(inner),
            }
        }
    }
    images.sort();
    Ok(Some(images))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_made_plain() {
        for (path, expected) in [("/volumes/raw/", "volumes/raw"), ("./0", "0"), ("", ""), ("a//b", "a/b")] {
            assert_eq!(plain(path).unwrap(), expected);
        }
        assert_eq!(plain("a/../../b"), None);
        assert_eq!([join("", "a"), join("a", ""), join("a", "b")], ["a", "a", "a/b"]);
    }
}
