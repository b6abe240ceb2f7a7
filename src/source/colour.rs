//! Images of several channels: what is left of them when one channel, or their grey, is selected.

use super::error::{PlanMistake, Unsupported};
use super::{Colour, SourceError, SourceInfo};
use crate::codec::{Channels, Feature, Pick};

impl Colour {
    /// The same for a codec.
    pub(super) fn pick(self) -> Option<Pick> {
        match self {
            Colour::None => None,
            Colour::Channel(channel) => Some(Pick::Channel(channel)),
            Colour::Gray => Some(Pick::Gray),
        }
    }
}

/// What is left of a source with these channels: without a choice it keeps its axis `c`, and cannot be read.
///
/// # Errors
/// [`SourceError::Plan`] for a channel that it does not have, [`SourceError::NotSupported`] where no grey can be made.
pub(super) fn chosen(info: SourceInfo, channels: Channels, colour: Colour) -> Result<SourceInfo, SourceError> {
    let count = u64::from(channels.count());
    match colour {
        Colour::Channel(channel) if channel >= count => {
            Err(SourceError::mistake(&info.path, PlanMistake::NoSuchChannel { channel, channels: count }))
        }
        Colour::Gray if !channels.has_gray() => {
            let what = Unsupported::Image { format: info.format, feature: Feature::NoGray(channels.count()) };
            Err(SourceError::NotSupported { path: info.path, what })
        }
        Colour::None if count > 1 => Ok(SourceInfo { axes: format!("{}c", info.axes), ..info }),
        _ => Ok(info),
    }
}

#[cfg(test)]
#[path = "colour_tests.rs"]
mod tests;
