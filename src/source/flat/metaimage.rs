//! MetaImage: `.mhd` beside a file of voxels, and `.mha`.
//!
//! **Reads** integers and floats in either byte order, not packed. **Axes** are stored fastest first, and called x, y, z, t in
//! this order; several channels lie side by side and are `c`. **Specification**:
//! <https://itk.org/Wiki/ITK/MetaIO/Documentation>.

use super::super::location::Located;
use super::samples::Samples;
use super::text::{Text, data_file, lengths};
use super::{Array, FlatArray, FlatFormat, Offset, SourceError, unsupported};
use crate::volume::Dtype;

/// The field that is the last one; voxels in the same file begin behind its line.
const LAST: &str = "ElementDataFile";

/// The letters of the axes, slowest first.
const LETTERS: &str = "tzyx";

/// Whether these are the first bytes of a header, which nearly always begins with either field.
pub(super) fn is_metaimage(first: &[u8]) -> bool {
    first.starts_with(b"ObjectType") || first.starts_with(b"NDims")
}

/// Reads the header.
pub(super) fn describe(located: &Located) -> Result<FlatArray, SourceError> {
    let damaged = |cause: String| FlatFormat::MetaImage.damaged(&located.path, cause);
    let text = Text::read(located, FlatFormat::MetaImage, |line| field(line).is_some_and(|(name, _)| name == LAST))?;
    let get = |name: &str| text.lines.iter().filter_map(|line| field(line)).find(|(is, _)| *is == name);
    let need = |name: &str| match get(name) {
        Some((_, value)) => Ok(value),
        None => Err(damaged(format!("its header has no `{name}`"))),
    };
    let number = |name: &str, otherwise: i64| match get(name) {
        Some((_, value)) => value.parse().map_err(|_| damaged(format!("its `{name}` is `{value}`"))),
        None => Ok(otherwise),
    };
    let is_true = |name: &str| get(name).is_some_and(|(_, value)| value.eq_ignore_ascii_case("true"));
    if is_true("CompressedData") {
        return Err(unsupported(&located.path, "packed values (`CompressedData`)"));
    }
    if get("BinaryData").is_some_and(|(_, value)| value.eq_ignore_ascii_case("false")) {
        return Err(unsupported(&located.path, "values written as text (`BinaryData = False`)"));
    }
    let sizes = need("DimSize")?;
    let lengths = lengths(sizes).ok_or_else(|| damaged(format!("its `DimSize` is `{sizes}`")))?;
    let kind = need("ElementType")?;
    let dtype = dtype(kind).ok_or_else(|| unsupported(&located.path, format!("values of the type `{kind}`")))?;
    let is_big_endian = is_true("BinaryDataByteOrderMSB") || is_true("ElementByteOrderMSB");
    let mut shape: Vec<u64> = lengths.into_iter().rev().collect();
    let mut axes = None;
    match number("ElementNumberOfChannels", 1)? {
        1 => {}
        channels @ 2.. if shape.len() <= LETTERS.len() => {
            axes = Some(format!("{}c", &LETTERS[LETTERS.len() - shape.len()..]));
            shape.push(channels as u64);
        }
        channels => return Err(unsupported(&located.path, format!("{channels} channels on {} axes", shape.len()))),
    }
    let array = Array { name: String::new(), dtype, shape, chunk: Vec::new(), axes };
    let (file, offset) = match need(LAST)? {
        name if name.eq_ignore_ascii_case("local") => (located.clone(), Offset::Bytes(text.end)),
        name => {
            let header_bytes = number("HeaderSize", 0)?;
            let offset = u64::try_from(header_bytes).map_or(Offset::FromEnd, Offset::Bytes);
            (data_file(located, name)?, offset)
        }
    };
    Ok(FlatArray::new(&file, FlatFormat::MetaImage, array, Samples::new(dtype, is_big_endian), offset))
}

/// The name and the value of a line `name = value`.
fn field(line: &str) -> Option<(&str, &str)> {
    line.split_once('=').map(|(name, value)| (name.trim(), value.trim()))
}

fn dtype(name: &str) -> Option<Dtype> {
    Some(match name {
        "MET_UCHAR" => Dtype::Uint8,
        "MET_CHAR" => Dtype::Int8,
        "MET_USHORT" => Dtype::Uint16,
        "MET_SHORT" => Dtype::Int16,
        "MET_UINT" => Dtype::Uint32,
        "MET_INT" => Dtype::Int32,
        "MET_ULONG_LONG" => Dtype::Uint64,
        "MET_LONG_LONG" => Dtype::Int64,
        "MET_FLOAT" => Dtype::Float32,
        "MET_DOUBLE" => Dtype::Float64,
        _ => return None,
    })
}
