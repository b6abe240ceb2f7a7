//! What chunks may have gone through.

use rust_hdf5::H5Dataset;

use super::files::Trouble;

/// A filter by its registered number, what it is called, and whether `rust-hdf5` undoes it; each that it does is compared with
/// h5py (<https://github.com/HDFGroup/hdf5_plugins/blob/master/docs/RegisteredFilterPlugins.md>).
const FILTERS: [(u16, &str, bool); 14] = [
    (1, "deflate", true),
    (2, "shuffle", true),
    (3, "Fletcher-32", true),
    (4, "szip", true),
    (5, "n-bit", true),
    (6, "scale-offset", true),
    (307, "bzip2", true),
    (32000, "LZF", true),
    (32001, "Blosc", true),
    (32004, "LZ4", true),
    (32008, "bitshuffle", true),
    (32013, "ZFP", false),
    (32015, "Zstandard", true),
    (32026, "Blosc2", false),
];

/// Bitshuffle's number, and that of Zstandard among its last parameters, with which `rust-hdf5` does not know it.
const BITSHUFFLE_ZSTD: (u16, u32) = (32008, 3);

/// The filters that chunks went through, in their order.
///
/// # Errors
/// [`Trouble::Unsupported`], by name, for a filter that is not undone here.
pub(super) fn filters(dataset: &H5Dataset) -> Result<Vec<&'static str>, Trouble> {
    let mut names = Vec::new();
    for filter in dataset.filters()? {
        if (filter.id, filter.cd_values.get(4)) == (BITSHUFFLE_ZSTD.0, Some(&BITSHUFFLE_ZSTD.1)) {
            return Err(unsupported(filter.id, "bitshuffle with Zstandard"));
        }
        match FILTERS.iter().find(|(id, _, _)| *id == filter.id) {
            Some((_, name, true)) => names.push(*name),
            known => {
                return Err(unsupported(filter.id, known.map_or("a rare one", |(_, name, _)| *name)));
            }
        }
    }
    Ok(names)
}

fn unsupported(id: u16, name: &str) -> Trouble {
    Trouble::Unsupported(format!("chunks packed by filter {id}, {name},"))
}
