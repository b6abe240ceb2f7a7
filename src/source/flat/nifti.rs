//! NIfTI-1 and NIfTI-2: `.nii`, `.nii.gz`, and `.hdr` beside `.img`.
//!
//! **Reads** integers and floats in either byte order. **Axes** are the first of x, y, z, t, c, as many as there are: `zyx`,
//! `tzyx`, `ctzyx`. Values are those stored: `scl_slope` and `scl_inter` are not applied, nor is anything turned to the
//! patient's axes. **Specification**: <https://nifti.nimh.nih.gov/pub/dist/src/niftilib/nifti1.h> and
//! <https://nifti.nimh.nih.gov/pub/dist/doc/nifti2.h>.

use super::super::location::Located;
use super::fields::Fields;
use super::samples::Samples;
use super::{Array, FlatArray, FlatFormat, Offset, Packing, SourceError, bytes, unsupported};
use crate::volume::Dtype;

/// The letters of the axes, from the one that is stored fastest.
const LETTERS: [char; 5] = ['x', 'y', 'z', 't', 'c'];

/// Where a version's header has what.
struct Version {
    header_bytes: i32,
    magic_at: usize,
    /// The magic of a file of its own, and that of a header beside its voxels.
    magic: [&'static [u8]; 2],
    datatype_at: usize,
}

const ONE: Version = Version { header_bytes: 348, magic_at: 344, magic: [b"n+1\0", b"ni1\0"], datatype_at: 70 };
const TWO: Version = Version { header_bytes: 540, magic_at: 4, magic: [b"n+2\0", b"ni2\0"], datatype_at: 12 };

/// A header whose magic was seen.
struct Header<'a> {
    fields: Fields<'a>,
    version: &'static Version,
}

/// Whether these are the first bytes of a NIfTI file.
pub(super) fn is_nifti(first: &[u8]) -> bool {
    Header::find(first).is_some()
}

/// Reads the header.
pub(super) fn describe(located: &Located) -> Result<FlatArray, SourceError> {
    let (first, packing) = bytes::first(located, TWO.header_bytes as usize)?;
    let damaged = |cause: String| FlatFormat::Nifti.damaged(&located.path, cause);
    let header = Header::find(&first).ok_or_else(|| damaged("it has no NIfTI header".to_owned()))?;
    let samples = header.samples().map_err(|what| unsupported(&located.path, what))?;
    let lengths = header.lengths().map_err(&damaged)?;
    let surplus = lengths.iter().skip(LETTERS.len()).any(|length| *length > 1);
    if surplus {
        return Err(unsupported(&located.path, format!("an array of {} axes", lengths.len())));
    }
    let named = lengths.iter().zip(LETTERS).rev();
    let (shape, axes): (Vec<u64>, String) = named.map(|(length, letter)| (*length, letter)).unzip();
    let array = Array { name: String::new(), dtype: samples.dtype(), shape, chunk: Vec::new(), axes: Some(axes) };
    let offset = header.offset().ok_or_else(|| damaged("its voxels begin nowhere".to_owned()))?;
    let (file, packing) =
        if header.is_alone() { (located.clone(), packing) } else { (beside(located)?, Packing::None) };
    let flat = FlatArray::new(&file, FlatFormat::Nifti, array, samples, Offset::Bytes(offset));
    Ok(FlatArray { packing, ..flat })
}

/// The file of the voxels that belong to a header of its own.
fn beside(located: &Located) -> Result<Located, SourceError> {
    match located.file_name().strip_suffix(".hdr") {
        Some(stem) => located.beside(&format!("{stem}.img")),
        None => Err(unsupported(&located.path, "a header without voxels, whose name does not end in `.hdr`")),
    }
}

impl<'a> Header<'a> {
    fn find(first: &'a [u8]) -> Option<Self> {
        let version = [&ONE, &TWO].into_iter().find(|version| {
            let magic = first.get(version.magic_at..).unwrap_or_default();
            first.len() >= version.header_bytes as usize && version.magic.iter().any(|known| magic.starts_with(known))
        })?;
        let orders = [false, true].map(|is_big_endian| Fields { header: first, is_big_endian });
        let fields = orders.into_iter().find(|fields| fields.i32(0) == version.header_bytes)?;
        Some(Header { fields, version })
    }

    fn is_one(&self) -> bool {
        self.version.header_bytes == ONE.header_bytes
    }

    /// Whether the voxels are in the same file.
    fn is_alone(&self) -> bool {
        self.fields.header[self.version.magic_at..].starts_with(self.version.magic[0])
    }

    /// The axes' lengths, from the one that is stored fastest.
    fn lengths(&self) -> Result<Vec<u64>, String> {
        let number = |n: usize| match self.is_one() {
            true => i64::from(self.fields.i16(40 + 2 * n)),
            false => self.fields.i64(16 + 8 * n),
        };
        let axes = number(0);
        if !(1..=7).contains(&axes) {
            return Err(format!("an array of {axes} axes"));
        }
        let length = |n: usize| u64::try_from(number(n)).ok().filter(|length| *length > 0);
        (1..=axes as usize).map(|n| length(n).ok_or_else(|| format!("an axis of {} voxels", number(n)))).collect()
    }

    /// Where the voxels begin. Some programs leave it 0 for directly behind the header, whose end four more bytes mark.
    fn offset(&self) -> Option<u64> {
        let header_bytes = self.version.header_bytes as u64;
        let offset = if self.is_one() {
            let offset = self.fields.f32(108);
            (offset.fract() == 0.0 && (0.0..=i64::MAX as f32).contains(&offset)).then_some(offset as u64)
        } else {
            u64::try_from(self.fields.i64(168)).ok()
        };
        match offset? {
            0 if self.is_alone() => Some(header_bytes + 4),
            offset if self.is_alone() && offset < header_bytes => None,
            offset => Some(offset),
        }
    }

    fn samples(&self) -> Result<Samples, String> {
        let refused = |what: &str, number: i16| Err(format!("{what} (NIfTI datatype {number})"));
        let dtype = match self.fields.i16(self.version.datatype_at) {
            2 => Dtype::Uint8,
            4 => Dtype::Int16,
            8 => Dtype::Int32,
            16 => Dtype::Float32,
            64 => Dtype::Float64,
            256 => Dtype::Int8,
            512 => Dtype::Uint16,
            768 => Dtype::Uint32,
            1024 => Dtype::Int64,
            1280 => Dtype::Uint64,
            number @ 1 => return refused("single bits", number),
            number @ (32 | 1792 | 2048) => return refused("complex values", number),
            number @ (128 | 2304) => return refused("colours", number),
            number @ 1536 => return refused("128-bit floats", number),
            number => return refused("values of an unknown type", number),
        };
        Ok(Samples::new(dtype, self.fields.is_big_endian))
    }
}
