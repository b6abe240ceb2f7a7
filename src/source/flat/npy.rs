//! NumPy's array files, `.npy`, of versions 1 to 3.
//!
//! **Reads** integers, floats of 16 bits (which become `float32`), 32 and 64 bits, and booleans, which are `uint8` 0 and 1, in
//! either byte order, in C order and Fortran order. **Axes** have no names in the file: they are called as those of HDF5, in the
//! order of the array's shape, however it is stored. **Specification**:
//! <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.

use super::super::location::Located;
use super::samples::Samples;
use super::{Array, FlatArray, FlatFormat, Offset, SourceError, bytes, unsupported};
use crate::volume::Dtype;

const MAGIC: &[u8] = b"\x93NUMPY";

/// Headers of arrays of numbers are some 100 bytes long.
const LARGEST_HEADER: usize = 64 << 10;

/// Whether these are the first bytes of an array file.
pub(super) fn is_npy(first: &[u8]) -> bool {
    first.starts_with(MAGIC)
}

/// Reads the header.
pub(super) fn describe(located: &Located) -> Result<FlatArray, SourceError> {
    let damaged = |cause: &str| FlatFormat::Npy.damaged(&located.path, cause);
    let (first, packing) = bytes::first(located, LARGEST_HEADER)?;
    let (text_at, text_bytes) = match first.strip_prefix(MAGIC) {
        Some([1, _, a, b, ..]) => (10, u32::from(u16::from_le_bytes([*a, *b]))),
        Some([2 | 3, _, a, b, c, d, ..]) => (12, u32::from_le_bytes([*a, *b, *c, *d])),
        Some([version, ..]) if *version > 3 => {
            return Err(unsupported(&located.path, format!("an array of version {version}")));
        }
        _ => return Err(damaged("it has no NumPy header")),
    };
    let end = text_at + text_bytes as usize;
    if end > LARGEST_HEADER {
        return Err(unsupported(&located.path, format!("a header of {text_bytes} bytes")));
    }
    let text = first.get(text_at..end).ok_or_else(|| damaged("the file ends inside its header"))?;
    let text = std::str::from_utf8(text).map_err(|_| damaged("its header is no text"))?;
    let header = Header::parse(text).ok_or_else(|| damaged("its header is no description of an array"))?;
    let descr = header.descr.ok_or_else(|| unsupported(&located.path, "records of several values"))?;
    let samples = samples(descr).map_err(|what| unsupported(&located.path, what))?;
    let axes = header.shape.len();
    let array =
        Array { name: String::new(), dtype: samples.dtype(), shape: header.shape, chunk: Vec::new(), axes: None };
    let order = if header.is_fortran { (0..axes).rev().collect() } else { (0..axes).collect() };
    let flat = FlatArray::new(located, FlatFormat::Npy, array, samples, Offset::Bytes(end as u64));
    Ok(FlatArray { order, packing, ..flat })
}

/// The voxel type of a name such as `<u2`.
fn samples(descr: &str) -> Result<Samples, String> {
    let unknown = || format!("values of the type `{descr}`");
    let (order, kind) = descr.split_at_checked(1).ok_or_else(unknown)?;
    let is_big_endian = match order {
        "<" | "|" => false,
        ">" => true,
        _ => return Err(unknown()),
    };
    let dtype = match kind {
        "b1" | "u1" => Dtype::Uint8,
        "i1" => Dtype::Int8,
        "u2" => Dtype::Uint16,
        "i2" => Dtype::Int16,
        "u4" => Dtype::Uint32,
        "i4" => Dtype::Int32,
        "u8" => Dtype::Uint64,
        "i8" => Dtype::Int64,
        "f2" => return Ok(Samples::half(is_big_endian)),
        "f4" => Dtype::Float32,
        "f8" => Dtype::Float64,
        _ => {
            return Err(match kind.chars().next() {
                Some('c') => "complex values".to_owned(),
                Some('O') => "Python objects".to_owned(),
                Some('S' | 'U' | 'a') => "strings".to_owned(),
                Some('M' | 'm') => "dates".to_owned(),
                Some('V') => "opaque bytes".to_owned(),
                _ => unknown(),
            });
        }
    };
    Ok(Samples::new(dtype, is_big_endian))
}

/// The three entries of the dictionary that a header is.
#[derive(Debug, PartialEq, Eq)]
struct Header<'a> {
    /// `None` for a list of fields.
    descr: Option<&'a str>,
    is_fortran: bool,
    shape: Vec<u64>,
}

impl<'a> Header<'a> {
    /// Reads a Python dictionary with the keys `descr`, `fortran_order` and `shape`, in any order.
    fn parse(text: &'a str) -> Option<Self> {
        let mut rest = text.trim().strip_prefix('{')?.strip_suffix('}')?.trim_start();
        let (mut descr, mut is_fortran, mut shape) = (None, None, None);
        while !rest.is_empty() {
            let (key, after) = quoted(rest)?;
            let value = after.trim_start().strip_prefix(':')?.trim_start();
            let after = match key {
                "descr" if value.starts_with('[') => {
                    descr = Some(None);
                    &value[end_of_list(value)?..]
                }
                "descr" => {
                    let (name, after) = quoted(value)?;
                    descr = Some(Some(name));
                    after
                }
                "fortran_order" => {
                    is_fortran = Some(value.starts_with("True"));
                    value.strip_prefix("True").or_else(|| value.strip_prefix("False"))?
                }
                "shape" => {
                    let (lengths, after) = value.strip_prefix('(')?.split_once(')')?;
                    shape = Some(numbers(lengths)?);
                    after
                }
                _ => return None,
            };
            let after = after.trim_start();
            rest = match after.strip_prefix(',') {
                Some(next) => next.trim_start(),
                None if after.is_empty() => after,
                None => return None,
            };
        }
        Some(Header { descr: descr?, is_fortran: is_fortran?, shape: shape? })
    }
}

/// The text in quotation marks, in which no others are, and what follows.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let mark = text.chars().next().filter(|mark| matches!(mark, '\'' | '"'))?;
    text[1..].split_once(mark)
}

/// The numbers of a tuple, without its brackets; Python 2 wrote long ones with an `L`.
fn numbers(text: &str) -> Option<Vec<u64>> {
    let text = text.trim();
    let text = text.strip_suffix(',').unwrap_or(text);
    if text.is_empty() {
        return Some(Vec::new());
    }
    text.split(',').map(|number| number.trim().trim_end_matches('L').parse().ok()).collect()
}

/// Behind the bracket that closes the first one.
fn end_of_list(text: &str) -> Option<usize> {
    let mut depth = 0;
    text.char_indices().find_map(|(at, letter)| {
        depth += i32::from(letter == '[') - i32::from(letter == ']');
        (depth == 0).then_some(at + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_in_any_order_and_spelling_are_read() {
        let header = |descr, is_fortran, shape: &[u64]| Some(Header { descr, is_fortran, shape: shape.to_vec() });
        let cases = [
            ("{'descr': '<u2', 'fortran_order': False, 'shape': (3, 4), }   \n", header(Some("<u2"), false, &[3, 4])),
            ("{\"shape\":(7L,),\"fortran_order\":True,\"descr\":\"|u1\"}", header(Some("|u1"), true, &[7])),
            ("{'descr': '>f8', 'fortran_order': False, 'shape': ()}", header(Some(">f8"), false, &[])),
            (
                "{'descr': [('a', '<f4'), ('b', '<i2', [2])], 'fortran_order': False, 'shape': (2,)}",
                header(None, false, &[2]),
            ),
            ("{'descr': '<u2', 'fortran_order': False}", None),
            ("{'descr': '<u2', 'fortran_order': False, 'shape': (3 4)}", None),
            ("{'descr': '<u2', 'fortran_order': 0, 'shape': (3,)}", None),
            ("{'descr': '<u2', 'fortran_order': False, 'shape': (-3,)}", None),
            ("{'descr': '<u2' 'fortran_order': False, 'shape': (3,)}", None),
            ("{'descr': [", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(Header::parse(text), expected, "{text}");
        }
    }
}
