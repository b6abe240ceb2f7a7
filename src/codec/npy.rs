//! NumPy's array files, written.
//!
//! Format version 1.0, C order, little-endian (`<u2` and so on; `|u1` and `|i1` for single bytes).
//!
//! Specification: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.

use crate::volume::Dtype;

/// The data starts at a multiple of this.
const ALIGNMENT: usize = 64;

/// What stands before the voxels of an array of this shape, slowest axis first. The voxels follow as they lie in a block.
///
/// # Panics
/// When the shape has thousands of axes.
pub fn header(dtype: Dtype, shape: &[u64]) -> Vec<u8> {
    let lengths: String = shape.iter().map(|length| format!("{length}, ")).collect();
    let shape = if shape.len() == 1 { lengths.trim_end() } else { lengths.trim_end_matches(", ") };
    let text = format!("{{'descr': '{}', 'fortran_order': False, 'shape': ({shape}), }}", descr(dtype));
    let mut header = b"\x93NUMPY\x01\x00".to_vec();
    let padding = (header.len() + 2 + text.len() + 1).next_multiple_of(ALIGNMENT) - (header.len() + 2 + text.len() + 1);
    let length = u16::try_from(text.len() + padding + 1).expect("arrays have few axes");
    header.extend(length.to_le_bytes());
    header.extend(text.as_bytes());
    header.extend(std::iter::repeat_n(b' ', padding));
    header.push(b'\n');
    header
}

/// NumPy's name of a voxel type.
fn descr(dtype: Dtype) -> String {
    let kind = match dtype {
        Dtype::Uint8 | Dtype::Uint16 | Dtype::Uint32 | Dtype::Uint64 => 'u',
        Dtype::Int8 | Dtype::Int16 | Dtype::Int32 | Dtype::Int64 => 'i',
        Dtype::Float32 | Dtype::Float64 => 'f',
    };
    let order = if dtype.size_bytes() == 1 { '|' } else { '<' };
    format!("{order}{kind}{}", dtype.size_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `numpy.save` wrote before the data of such arrays.
    #[test]
    fn headers_are_those_of_numpy() {
        let cases: [(Dtype, &[u64], &str); 3] = [
            (Dtype::Uint16, &[64, 96], "{'descr': '<u2', 'fortran_order': False, 'shape': (64, 96), }"),
            (Dtype::Uint8, &[16, 512, 512], "{'descr': '|u1', 'fortran_order': False, 'shape': (16, 512, 512), }"),
            (Dtype::Float64, &[7], "{'descr': '<f8', 'fortran_order': False, 'shape': (7,), }"),
        ];
        for (dtype, shape, text) in cases {
            let header = header(dtype, shape);
            assert_eq!(header.len(), 128);
            assert_eq!(&header[..10], b"\x93NUMPY\x01\x00\x76\x00");
            assert_eq!(std::str::from_utf8(&header[10..]).unwrap(), format!("{text:117}\n"));
        }
    }
}
