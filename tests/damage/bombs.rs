//! Small files that would become large in the memory of a reader that trusts them; `tests/foreign/make_bombs.py` makes them.

use std::path::Path;

use boss_ingest::source::SourceError::{Damaged, LimitsExceeded};

use crate::reading::read;
use crate::voxels::{LIMIT_BYTES, readable};
use crate::{ALONE, data, entries, source};

/// The formats of which there are bombs, by the endings of their names.
const ENDINGS: [&str; 12] = ["bmp", "gz", "h5", "jpg", "mrc", "n5", "nii", "npy", "png", "precomputed", "tif", "zarr"];

/// A block at the limit may lie in memory packed, unpacked, between two filters and in the result.
const MOST_BYTES: usize = 4 * LIMIT_BYTES as usize;

#[test]
fn bombs_do_not_go_off() {
    let _alone = ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let mut failed = Vec::new();
    for path in entries(&data("bombs")).into_iter().filter(|path| is_read(path)) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        match read(&readable(source(&path))) {
            Err(failure) => failed.push(format!("{name} {failure}")),
            Ok(read) if read.peak_bytes > MOST_BYTES => failed.push(format!("{name} takes {} bytes", read.peak_bytes)),
            Ok(read) => match read.result {
                Err(Damaged { .. } | LimitsExceeded { .. }) => {}
                // What its header promises is there, and nobody looks at the rest.
                Ok(()) if !name.starts_with("declared") => {}
                other => failed.push(format!("{name} gives {other:?}")),
            },
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

fn is_read(path: &Path) -> bool {
    path.extension().is_some_and(|extension| ENDINGS.iter().any(|ending| extension == *ending))
}
