//! What a case must give: the Python client's answer where it is kept, what is wanted in its place where it is mended.

use boss_ingest::volume::{Block, CUBOID, Region};
use serde_json::Value;

use super::array::{self, Array, Voxels};
use super::case::{Case, Given};
use crate::support::first_difference;

/// What a case must give.
pub enum Expected {
    Path(String),
    /// A tile, of any values.
    Tile,
    Voxels {
        path: Option<String>,
        array: Array,
        tolerance: u64,
    },
    /// The array at a voxel of the chunk, and zeros.
    Chunk {
        array: Array,
        at: (i64, i64, i64),
        tolerance: u64,
    },
    /// Each cuboid of a chunk, with the SHA-256 of its bytes.
    Cuboids(Vec<(Region, String)>),
    /// No tile or chunk.
    Error,
    /// No path either.
    PathError,
}

/// Cases whose record asks for a mend without showing what it gives, and the mend: an error, the recorded output, or what
/// another case must give.
const MENDS: [(&str, Mend); 29] = [
    // 32 bits into 8, by a division that nobody asked for.
    ("stack-tif-f32", Mend::Error),
    ("stack-tif-i32", Mend::Error),
    // Colours into a channel of one value a voxel.
    ("stack-png-rgb", Mend::Error),
    ("stack-png-palette", Mend::Error),
    // Not encoded anew: the record's own 24 is less than what its second encoding changes.
    ("stack-jpg", Mend::Near(40)),
    // The recorded image is larger than the tile. Its path is what the case is about.
    ("stack-xyz-tokens", Mend::Path),
    // The image was not recorded.
    ("catmaid-file-tiff", Mend::Path),
    // The last tile of a row, which the Python client refuses; the pages end before it.
    ("tiff-single-partial-edge", Mend::Zeros),
    // The tile beyond the data, which the Python client cannot cut.
    ("hdf5-ts-beyond", Mend::Zeros),
    // The tile was not recorded.
    ("hdf5-ts-tif-format", Mend::Tile),
    ("catmaid-file-jpg-ext", Mend::As("catmaid-file-tif-ext")),
    // Kept by their records, which leave a token in the name that means nothing. That is an error here: such a slip would
    // name files that do not exist.
    ("stack-path-0", Mend::Error),
    ("stack-path-2", Mend::Error),
    // Three channels into one.
    ("cv-ch3", Mend::Error),
    // All three words for where files lie are taken everywhere.
    ("tiff-hyper-s3-copy-rejected", Mend::As("tiff-hyper-s3")),
    // Not there, as 403 is: by the class's rule for what is missing.
    ("catmaid-url-404", Mend::Zeros),
    // The offset is added, and the section there is in colour.
    ("catmaid-url-z-offset-ignored", Mend::Error),
    // A chunk that begins before the volume, and one behind it.
    ("cv-offset", Mend::As("cv-offset-fill")),
    ("cv-beyond", Mend::Zeros),
    // Big-endian voxels, which the Python client sends as they are.
    ("zarr-be16", Mend::Volume),
    // An array with an axis of length 1 before z, which the Python client cannot cut.
    ("zarr-4d", Mend::Volume),
    // A local volume.
    ("zarr-bad-scheme", Mend::As("zarr-u8-blosc")),
    // The Python client tells of a mistake of its own in place of the Boss's refusal.
    ("intern-tile-fail5", Mend::Error),
    // Their cuboids were not recorded.
    ("intern-chunk-first", Mend::Volume),
    ("intern-chunk-token", Mend::Volume),
    ("intern-chunk-first-master", Mend::Volume),
    ("intern-chunk-token-master", Mend::Volume),
    // What lies in the extent, at its place.
    ("intern-chunk-extent-offset", Mend::As("intern-chunk-extent-offset-master")),
    ("intern-chunk-extent-offset-master", Mend::Extent),
];

#[derive(Clone, Copy)]
enum Mend {
    Error,
    Path,
    Tile,
    Near(u64),
    Zeros,
    /// The recorded array, `[z, y, x]`.
    Volume,
    As(&'static str),
    /// The recorded array, `[z, y, x]`, at the first voxel of the extent.
    Extent,
}

/// The rule for a case.
pub fn expected(case: &Case, all: &[Case]) -> Expected {
    let entry = &case.entry;
    let mend = MENDS.iter().find(|(id, _)| *id == case.id).map(|(_, mend)| *mend);
    let fixed = if entry["recommend"] == "fix" { &entry["fixed"] } else { &Value::Null };
    match mend {
        Some(Mend::Error) => return error(case),
        Some(Mend::Path) => return Expected::Path(text(&entry["path"])),
        Some(Mend::Tile) => return Expected::Tile,
        Some(Mend::Near(tolerance)) => return voxels(case, &entry["output"], tolerance),
        Some(Mend::Zeros) => return Expected::Voxels { path: None, array: Array::zeros(case.size()), tolerance: 0 },
        Some(Mend::Volume) => {
            let array = Array::load_zyx(&entry["output"], case.size().z);
            return Expected::Chunk { array, at: (0, 0, 0), tolerance: 0 };
        }
        Some(Mend::Extent) => {
            let array = Array::load_zyx(&entry["output"], case.size().z);
            let start = |axis: &str| entry["ingest_job"]["extent"][axis][0].as_i64().unwrap();
            return Expected::Chunk { array, at: (start("x"), start("y"), start("z")), tolerance: 0 };
        }
        Some(Mend::As(other)) => return expected(all.iter().find(|case| case.id == other).unwrap(), all),
        None if fixed["error_expected"] == true => return Expected::Error,
        None if case.is_path() && fixed["path"].is_string() => return Expected::Path(text(&fixed["path"])),
        None if fixed["arr"].is_object() => return voxels(case, &fixed["arr"], 0),
        None => {}
    }
    assert!(entry["recommend"] == "keep" || case.is_path(), "{}: which mend?", case.id);
    match entry["status"].as_str() {
        Some("ok") if case.is_path() => Expected::Path(text(&entry["path"])),
        Some("ok") if !case.is_tile && entry["tolerance"].is_number() => chunk(entry),
        Some("ok") if !case.is_tile => cuboids(entry),
        Some("ok") => voxels(case, &entry["output"], entry["output"]["tolerance"].as_u64().unwrap_or(0)),
        _ => error(case),
    }
}

fn error(case: &Case) -> Expected {
    if case.is_path() || case.entry["error"]["stage"] == "path_process" { Expected::PathError } else { Expected::Error }
}

fn voxels(case: &Case, output: &Value, tolerance: u64) -> Expected {
    let path = [&case.entry["fixed"]["path"], &case.entry["path"]].into_iter().find_map(Value::as_str);
    Expected::Voxels { path: path.map(str::to_owned), array: Array::load(output), tolerance }
}

/// A chunk whose voxels are not exactly those recorded; zeros behind them.
fn chunk(entry: &Value) -> Expected {
    let (array, tolerance) = (Array::load_xyz(&entry["output"]), entry["tolerance"].as_u64().unwrap());
    Expected::Chunk { array, at: (0, 0, 0), tolerance }
}

fn cuboids(entry: &Value) -> Expected {
    let cuboid = |cuboid: &Value| {
        let at = |axis: &str| cuboid[axis].as_i64().unwrap();
        (Region::of_size(CUBOID).shift(at("x"), at("y"), at("z")), text(&cuboid["sha256"]))
    };
    Expected::Cuboids(entry["cuboids"].as_array().unwrap().iter().map(cuboid).collect())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

impl Expected {
    /// # Errors
    /// What differs.
    pub fn check(&self, given: &Given) -> Result<(), String> {
        match self {
            Expected::PathError if given.path.is_err() => Ok(()),
            Expected::Error if given.path.is_err() || given.voxels.is_err() => Ok(()),
            Expected::PathError | Expected::Error => Err("must be an error, but is none".to_owned()),
            Expected::Path(path) => same_path(path, given.path.as_ref().map_err(String::clone)?),
            Expected::Tile => given.voxels.as_ref().map(|_| ()).map_err(String::clone),
            Expected::Cuboids(cuboids) => {
                let chunk = given.voxels.as_ref().map_err(String::clone)?;
                let is_other =
                    |(region, digest): &&(Region, String)| array::sha256(chunk.cut(region).as_bytes()) != *digest;
                cuboids.iter().find(is_other).map_or(Ok(()), |(region, _)| Err(format!("another cuboid at {region}")))
            }
            Expected::Chunk { array, at: (x, y, z), tolerance } => {
                let found = given.voxels.as_ref().map_err(String::clone)?;
                let mut rest = found.clone();
                rest.paste(&Block::zeros(found.dtype(), array.size), (*x, *y, *z));
                if !rest.is_zero() {
                    return Err("voxels beside the array that are not 0".to_owned());
                }
                same_voxels(array, &found.cut(&Region::of_size(array.size).shift(*x, *y, *z)), *tolerance)
            }
            Expected::Voxels { path, array, tolerance } => {
                let found = given.path.as_ref().map_err(String::clone)?;
                path.as_ref().map_or(Ok(()), |path| same_path(path, found))?;
                same_voxels(array, given.voxels.as_ref().map_err(String::clone)?, *tolerance)
            }
        }
    }
}

fn same_path(expected: &str, found: &str) -> Result<(), String> {
    if expected == found { Ok(()) } else { Err(format!("path `{found}`, expected `{expected}`")) }
}

fn same_voxels(expected: &Array, found: &Block, tolerance: u64) -> Result<(), String> {
    let size = expected.size;
    if found.size() != size {
        return Err(format!("{} voxels, expected {size}", found.size()));
    }
    match &expected.voxels {
        Voxels::Digest(digest) if array::sha256(found.as_bytes()) == *digest => Ok(()),
        Voxels::Digest(_) => Err("other voxels than recorded".to_owned()),
        Voxels::Zeros if found.is_zero() => Ok(()),
        Voxels::Zeros => Err("voxels that are not 0".to_owned()),
        Voxels::Bytes(bytes) => {
            first_difference(bytes, found.as_bytes(), found.dtype(), size, tolerance).map_or(Ok(()), Err)
        }
    }
}
