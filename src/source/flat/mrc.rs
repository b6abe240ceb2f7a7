//! MRC and CCP4 maps: `.mrc`, `.map`, `.ccp4`, `.st`, `.rec`, `.mrcs`, plain or packed with gzip.
//!
//! **Reads** modes 0 (8-bit), 1 (int16), 2 (float32), 6 (uint16) and 12 (16-bit floats, which become `float32`), in the byte
//! order that the machine stamp says, or in which the numbers make sense. **Axes** are `zyx`, or `yx` for one section, in
//! whatever order the map stores them. Where the map lies (`NXSTART`, `ORIGIN`) is not looked at: the first voxel is at 0.
//! **Specification**: MRC2014, <https://www.ccpem.ac.uk/mrc-format/mrc2014/>; for 8-bit values
//! <https://bio3d.colorado.edu/imod/doc/mrc_format.txt>.

use super::super::location::Located;
use super::bytes;
use super::fields::Fields;
use super::samples::Samples;
use super::{Array, FlatArray, FlatFormat, Offset, SourceError, unsupported};
use crate::volume::Dtype;

const HEADER_BYTES: usize = 1024;

/// Where the word `MAP` stands, since 1994.
const MAGIC_AT: usize = 208;

/// What IMOD stamps its files with, in field 39.
const IMOD_STAMP: i32 = 1_146_047_817;

/// The numbers of the map's columns, rows and sections.
const LENGTHS_AT: usize = 0;
const MODE_AT: usize = 12;
/// Which axes the columns, rows and sections are: 1, 2, 3 for x, y, z.
const AXES_AT: usize = 64;
const EXTENDED_BYTES_AT: usize = 92;
const IMOD_STAMP_AT: usize = 152;
const IMOD_FLAGS_AT: usize = 156;
const MACHINE_AT: usize = 212;

/// Whether these are the first bytes of a map. Files that are older than the word `MAP` are not told.
pub(super) fn is_mrc(first: &[u8]) -> bool {
    first.len() >= HEADER_BYTES && first[MAGIC_AT..].starts_with(b"MAP") && in_byte_order(first).is_some()
}

/// Reads the header.
pub(super) fn describe(located: &Located) -> Result<FlatArray, SourceError> {
    let damaged = |cause: String| FlatFormat::Mrc.damaged(&located.path, cause);
    let (header, packing) = bytes::first(located, HEADER_BYTES)?;
    if header.len() < HEADER_BYTES {
        return Err(damaged(format!("the file ends at {} of {HEADER_BYTES} bytes", header.len())));
    }
    let fields = in_byte_order(&header).ok_or_else(|| damaged("its header makes no sense".to_owned()))?;
    let lengths = [0, 4, 8].map(|at| fields.i32(LENGTHS_AT + at));
    let extended_bytes = u64::try_from(fields.i32(EXTENDED_BYTES_AT))
        .map_err(|_| damaged("an extended header of less than no bytes".to_owned()))?;
    let samples = samples(fields).map_err(|what| unsupported(&located.path, what))?;
    let (shape, order) = shape(lengths.map(|length| length as u64), axes(fields));
    let array = Array { name: String::new(), dtype: samples.dtype(), shape, chunk: Vec::new(), axes: None };
    let offset = Offset::Bytes(HEADER_BYTES as u64 + extended_bytes);
    let flat = FlatArray::new(located, FlatFormat::Mrc, array, samples, offset);
    Ok(FlatArray { order, packing, ..flat })
}

/// The header in the byte order that its machine stamp says, or else in the one in which it makes sense. Many programs wrote
/// wrong stamps.
fn in_byte_order(header: &[u8]) -> Option<Fields<'_>> {
    let stamped_big = header[MACHINE_AT..].starts_with(&[0x11, 0x11]);
    let orders = [stamped_big, !stamped_big].map(|is_big_endian| Fields { header, is_big_endian });
    orders.into_iter().find(|fields| {
        let are_lengths = [0, 4, 8].iter().all(|at| fields.i32(LENGTHS_AT + at) > 0);
        are_lengths && (0..=101).contains(&fields.i32(MODE_AT))
    })
}

fn samples(fields: Fields) -> Result<Samples, String> {
    let of = |dtype| Ok(Samples::new(dtype, fields.is_big_endian));
    match fields.i32(MODE_AT) {
        // Bytes are signed by the specification, but were not in IMOD before its flag for that.
        0 if fields.i32(IMOD_STAMP_AT) == IMOD_STAMP && fields.i32(IMOD_FLAGS_AT) & 1 == 0 => of(Dtype::Uint8),
        0 => of(Dtype::Int8),
        1 => of(Dtype::Int16),
        2 => of(Dtype::Float32),
        6 => of(Dtype::Uint16),
        12 => Ok(Samples::half(fields.is_big_endian)),
        mode @ 3..=4 => Err(format!("complex values (mode {mode})")),
        16 => Err("colours (mode 16)".to_owned()),
        101 => Err("4-bit values (mode 101)".to_owned()),
        mode => Err(format!("values of mode {mode}")),
    }
}

/// Which axis the columns, the rows and the sections are: 0, 1, 2 for x, y, z. Fields that are no three axes, which some
/// programs leave 0, mean x, y, z.
fn axes(fields: Fields) -> [usize; 3] {
    let axes = [0, 4, 8].map(|at| fields.i32(AXES_AT + at));
    if (1..=3).all(|axis| axes.contains(&axis)) { axes.map(|axis| axis as usize - 1) } else { [0, 1, 2] }
}

/// The lengths of z, y, x, and the order in which these are stored. One section stored as one is `yx`.
fn shape(lengths: [u64; 3], axes: [usize; 3]) -> (Vec<u64>, Vec<usize>) {
    let [columns, rows, sections] = lengths;
    if axes == [0, 1, 2] && sections == 1 {
        return (vec![rows, columns], vec![0, 1]);
    }
    let mut shape = vec![0; 3];
    for (axis, length) in axes.iter().zip(lengths) {
        shape[2 - axis] = length;
    }
    (shape, axes.iter().rev().map(|axis| 2 - axis).collect())
}
