//! What an array's values are, and which voxels they become.

use half::f16;
use rust_hdf5::DatatypeMessage;
use rust_hdf5::format::messages::datatype::IeeeFormat;

use super::files::Trouble;
use crate::volume::Dtype;

/// The stored type of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Values {
    Voxels(Dtype),
    /// 16-bit floats, which are read as 32-bit ones.
    Half,
}

impl Values {
    /// Those of an HDF5 type; enumerations, such as booleans, are their numbers.
    ///
    /// # Errors
    /// [`Trouble::Unsupported`] for what is no number that we read.
    pub fn of(datatype: &DatatypeMessage) -> Result<Self, Trouble> {
        let unsupported = |what: String| Err(Trouble::Unsupported(what));
        let integer = |dtype| Ok(Values::Voxels(dtype));
        match datatype {
            DatatypeMessage::FixedPoint { size, signed, bit_precision, .. } => {
                match (signed, size, u32::from(*bit_precision) == size.saturating_mul(8)) {
                    (false, 1, true) => integer(Dtype::Uint8),
                    (true, 1, true) => integer(Dtype::Int8),
                    (false, 2, true) => integer(Dtype::Uint16),
                    (true, 2, true) => integer(Dtype::Int16),
                    (false, 4, true) => integer(Dtype::Uint32),
                    (true, 4, true) => integer(Dtype::Int32),
                    (false, 8, true) => integer(Dtype::Uint64),
                    (true, 8, true) => integer(Dtype::Int64),
                    _ => unsupported(format!("integers of {bit_precision} bits in {size} bytes")),
                }
            }
            DatatypeMessage::FloatingPoint { size, .. } => match datatype.ieee_format() {
                Some(IeeeFormat::Binary16) => Ok(Values::Half),
                Some(IeeeFormat::Binary32) => Ok(Values::Voxels(Dtype::Float32)),
                Some(IeeeFormat::Binary64) => Ok(Values::Voxels(Dtype::Float64)),
                _ => unsupported(format!("floats of a kind of their own in {size} bytes")),
            },
            DatatypeMessage::Enum { base, .. } => Values::of(base),
            DatatypeMessage::BitField { .. } => unsupported("bit fields".to_owned()),
            DatatypeMessage::Opaque { .. } => unsupported("opaque bytes".to_owned()),
            DatatypeMessage::FixedString { .. } | DatatypeMessage::VarLenString { .. } => {
                unsupported("strings".to_owned())
            }
            DatatypeMessage::Compound { .. } => unsupported("compound values".to_owned()),
            DatatypeMessage::VarLenSequence { .. } => unsupported("lists of any length".to_owned()),
            DatatypeMessage::Array { .. } => unsupported("arrays as values".to_owned()),
            DatatypeMessage::Reference { .. } => unsupported("references".to_owned()),
        }
    }

    pub fn dtype(self) -> Dtype {
        match self {
            Values::Voxels(dtype) => dtype,
            Values::Half => Dtype::Float32,
        }
    }

    /// Bytes of a value in the file.
    pub fn stored_bytes(self) -> usize {
        match self {
            Values::Voxels(dtype) => dtype.size_bytes(),
            Values::Half => 2,
        }
    }

    /// The voxels, little-endian, of values as they are stored, little-endian as well.
    pub fn decoded(self, bytes: Vec<u8>) -> Vec<u8> {
        match self {
            Values::Voxels(_) => bytes,
            Values::Half => {
                let values = bytes.as_chunks::<2>().0.iter().map(|value| f16::from_le_bytes(*value).to_f32());
                values.flat_map(f32::to_le_bytes).collect()
            }
        }
    }
}
