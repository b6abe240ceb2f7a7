//! NRRD: `.nrrd`, and `.nhdr` beside a file of voxels.
//!
//! **Reads** integers and floats in either byte order, in the encodings `raw` and `gzip`. **Axes** are stored fastest first, and
//! called x, y, z, t in this order; one whose `kinds` says that it holds colours, vectors or a list is called `c`.
//! **Specification**: <https://teem.sourceforge.net/nrrd/format.html>.

use std::collections::HashMap;

use super::super::location::Located;
use super::samples::Samples;
use super::text::{Text, data_file, lengths};
use super::{Array, FlatArray, FlatFormat, Offset, Packing, SourceError, unsupported};
use crate::volume::Dtype;

const MAGIC: &[u8] = b"NRRD000";

/// The kinds of axes along which a voxel has its neighbours.
const IMAGE_KINDS: [&str; 5] = ["domain", "space", "time", "none", "???"];

/// Whether these are the first bytes of an NRRD file or header.
pub(super) fn is_nrrd(first: &[u8]) -> bool {
    first.starts_with(MAGIC)
}

/// Reads the header.
pub(super) fn describe(located: &Located) -> Result<FlatArray, SourceError> {
    let damaged = |cause: String| FlatFormat::Nrrd.damaged(&located.path, cause);
    let text = Text::read(located, FlatFormat::Nrrd, str::is_empty)?;
    let fields = Fields::of(&text.lines);
    let need = |name: &str| fields.get(name).ok_or_else(|| damaged(format!("its header has no `{name}`")));
    let sizes = need("sizes")?;
    let lengths = lengths(sizes).ok_or_else(|| damaged(format!("its sizes are `{sizes}`")))?;
    let is_big_endian = fields.get("endian").is_some_and(|order| order.eq_ignore_ascii_case("big"));
    let kind = need("type")?;
    let dtype = dtype(kind).ok_or_else(|| unsupported(&located.path, format!("values of the type `{kind}`")))?;
    let axes = match fields.get("kinds") {
        Some(kinds) => Some(
            letters(kinds, lengths.len())
                .ok_or_else(|| unsupported(&located.path, format!("axes of the kinds `{kinds}`")))?,
        ),
        None => None,
    };
    if fields.get("line skip").is_some_and(|lines| lines != "0") {
        return Err(unsupported(&located.path, "lines of text before its voxels"));
    }
    let skip = fields.get("byte skip").unwrap_or("0");
    let wrong_skip = || damaged(format!("its byte skip is `{skip}`"));
    let (file, begin) = match fields.get("data file").or(fields.get("datafile")) {
        Some(name) => (data_file(located, name)?, 0),
        None => (located.clone(), text.end),
    };
    let (packing, begin) = match need("encoding")? {
        "raw" => (Packing::None, begin),
        "gzip" | "gz" => (Packing::Gzip(begin), 0),
        other => return Err(unsupported(&located.path, format!("values in the encoding `{other}`"))),
    };
    let offset = match skip {
        "-1" if packing == Packing::None => Offset::FromEnd,
        skip => Offset::Bytes(skip.parse::<u64>().map_err(|_| wrong_skip())?.saturating_add(begin)),
    };
    let shape = lengths.into_iter().rev().collect();
    let array = Array { name: String::new(), dtype, shape, chunk: Vec::new(), axes };
    let flat = FlatArray::new(&file, FlatFormat::Nrrd, array, Samples::new(dtype, is_big_endian), offset);
    Ok(FlatArray { packing, ..flat })
}

/// The fields of a header by their names in lower case.
struct Fields<'a>(HashMap<String, &'a str>);

impl<'a> Fields<'a> {
    /// Lines `name: value`. Others are comments (`#`) and the user's own keys (`:=`).
    fn of(lines: &'a [String]) -> Self {
        let fields = lines.iter().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(": "));
        Fields(fields.map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim())).collect())
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).copied()
    }
}

/// The axes' letters, slowest first; `None` where they have no names here.
fn letters(kinds: &str, axes: usize) -> Option<String> {
    let mut image = "xyzt".chars();
    let letters = kinds.split_whitespace().map(|kind| match kind.to_ascii_lowercase() {
        kind if IMAGE_KINDS.contains(&kind.as_str()) => image.next(),
        _ => Some('c'),
    });
    let letters = letters.collect::<Option<String>>()?;
    let is_known = letters.len() == axes && letters.matches('c').count() <= 1;
    is_known.then(|| letters.chars().rev().collect())
}

fn dtype(name: &str) -> Option<Dtype> {
    Some(match name.to_ascii_lowercase().as_str() {
        "signed char" | "int8" | "int8_t" => Dtype::Int8,
        "uchar" | "unsigned char" | "uint8" | "uint8_t" => Dtype::Uint8,
        "short" | "short int" | "signed short" | "signed short int" | "int16" | "int16_t" => Dtype::Int16,
        "ushort" | "unsigned short" | "unsigned short int" | "uint16" | "uint16_t" => Dtype::Uint16,
        "int" | "signed int" | "int32" | "int32_t" => Dtype::Int32,
        "uint" | "unsigned int" | "uint32" | "uint32_t" => Dtype::Uint32,
        "longlong"
        | "long long"
        | "long long int"
        | "signed long long"
        | "signed long long int"
        | "int64"
        | "int64_t" => Dtype::Int64,
        "ulonglong" | "unsigned long long" | "unsigned long long int" | "uint64" | "uint64_t" => Dtype::Uint64,
        "float" => Dtype::Float32,
        "double" => Dtype::Float64,
        _ => return None,
    })
}
