//! Why bytes could not be made into voxels, or voxels into bytes.

use std::fmt;
use std::io;

use crate::volume::Dtype;

/// Why bytes could not be made into voxels, or voxels into bytes. `format` is the format's name, such as `png`.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// The bytes break the rules of their format, or end too early.
    #[error("the {format} data is damaged")]
    Damaged { format: &'static str, source: Box<dyn std::error::Error + Send + Sync> },
    /// The bytes may be sound, but hold what this program does not read or write.
    #[error("{format} data with {feature} is not supported")]
    NotSupported { format: &'static str, feature: Feature },
    /// The header asks for more memory than the caller allows.
    #[error("the {format} data needs {needed_bytes} bytes in memory, the limit is {limit_bytes}")]
    LimitsExceeded { format: &'static str, needed_bytes: u64, limit_bytes: u64 },
    /// A voxel's value cannot be written in the format.
    #[error("the value {value} does not fit in a {format} image")]
    ValueTooLarge { format: &'static str, value: u64 },
    /// The stream that holds the bytes could not be read.
    #[error("the data could not be read")]
    Unreadable { source: io::Error },
}

impl CodecError {
    pub(super) fn damaged(format: &'static str, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        CodecError::Damaged { format, source: cause.into() }
    }

    pub(super) fn unsupported(format: &'static str, feature: Feature) -> Self {
        CodecError::NotSupported { format, feature }
    }

    /// A stream that ends too early is damage; any other trouble is the stream's own.
    pub(super) fn io(format: &'static str, error: io::Error) -> Self {
        use io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
        match error.kind() {
            UnexpectedEof | InvalidData | InvalidInput | Other => CodecError::damaged(format, error),
            _ => CodecError::Unreadable { source: error },
        }
    }
}

/// What an image has that this program does not read or write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Feature {
    /// Voxels are numbers of colours, which are no intensities.
    Palette,
    /// More than one value per voxel, such as red, green and blue.
    Channels(u16),
    /// The channel that was picked is not there.
    NoChannel { channel: u64, channels: u16 },
    /// Grey was wanted of channels that are not known to be red, green and blue.
    NoGray(u16),
    /// A compression, by the name its library gives it.
    Compression(String),
    /// A meaning of values other than grey, by the name its library gives it.
    Photometric(String),
    /// A sample type that no [`Dtype`] stands for.
    Samples { bits: u16, kind: &'static str },
    /// White is 0 in samples that are not unsigned integers.
    InvertedSigned,
    /// The voxel type cannot be written in this format.
    Dtype(Dtype),
    /// An image of several sections cannot be written in this format.
    Sections(u64),
    /// The dimensions cannot be written in this format.
    Dimensions,
    /// Writing this format at all.
    Writing,
    /// Something that only the library's own words describe.
    Other(String),
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Feature::Palette => f.write_str("a palette"),
            Feature::Channels(count) => write!(f, "{count} channels"),
            Feature::NoChannel { channel, channels } => write!(f, "no channel {channel}, but 0 to {}", channels - 1),
            Feature::NoGray(count) => write!(f, "{count} channels of unknown colours"),
            Feature::Compression(name) => write!(f, "{name} compression"),
            Feature::Photometric(name) => write!(f, "{name} colours"),
            Feature::Samples { bits, kind } => write!(f, "{bits}-bit {kind} samples"),
            Feature::InvertedSigned => f.write_str("white as 0 in samples that are not unsigned integers"),
            Feature::Dtype(dtype) => write!(f, "{dtype} voxels"),
            Feature::Sections(count) => write!(f, "{count} sections"),
            Feature::Dimensions => f.write_str("these dimensions"),
            Feature::Writing => f.write_str("voxels of ours (we only read it)"),
            Feature::Other(text) => f.write_str(text),
        }
    }
}
