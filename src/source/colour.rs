//! Images of several channels: what is left of them when one channel, or their grey, is selected.

use std::sync::{Arc, Mutex, PoisonError};

use super::decoded::{check_room, copy_section, selected_info};
use super::error::{PlanMistake, Unsupported};
use super::location::Located;
use super::{Colour, RegionReader, Selection, SourceError, SourceInfo};
use crate::codec::{Channels, CodecError, Feature, Header, ImageFormat, Pick};
use crate::volume::{Block, Region};

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

/// Decodes one plane of an image file.
type Decode = fn(&Located, Option<Pick>, u64) -> Result<(Header, Block), SourceError>;

/// An image of several channels that can only be decoded as a whole.
///
/// The plane that was asked for last is kept, no more: a job fills one channel of the Boss, so it asks each image for the same
/// plane again and again. Whoever wants another decodes the image anew. Others wait meanwhile.
pub(super) struct ColourImage {
    located: Located,
    format: ImageFormat,
    limit_bytes: u64,
    header: Header,
    decode: Decode,
    kept: Mutex<Option<(Colour, Arc<Block>)>>,
}

impl ColourImage {
    /// An image with this header; nothing is decoded yet.
    pub fn new(located: &Located, format: ImageFormat, limit_bytes: u64, header: Header, decode: Decode) -> Self {
        ColourImage { located: located.clone(), format, limit_bytes, header, decode, kept: Mutex::new(None) }
    }

    fn plane(&self, colour: Colour) -> Result<Arc<Block>, SourceError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        match kept.take() {
            Some((of, block)) if of == colour => {
                *kept = Some((of, Arc::clone(&block)));
                Ok(block)
            }
            // The plane that is no longer wanted goes before memory is taken for the next.
            _ => {
                let (header, block) = (self.decode)(&self.located, colour.pick(), self.limit_bytes)?;
                if header != self.header {
                    return Err(SourceError::io(&self.located.path, std::io::Error::other("the file changes")));
                }
                let block = Arc::new(block);
                *kept = Some((colour, Arc::clone(&block)));
                Ok(block)
            }
        }
    }
}

impl RegionReader for ColourImage {
    fn info(&self, selection: &Selection) -> Result<Arc<SourceInfo>, SourceError> {
        selected_info(&self.located, self.format, &self.header, selection).map(Arc::new)
    }

    fn read_into(
        &self,
        selection: &Selection,
        region: &Region,
        target: &mut Block,
        at: (i64, i64, i64),
    ) -> Result<(), SourceError> {
        let info = self.info(selection)?;
        info.check_colour(selection.page)?;
        info.check_bounds(region)?;
        check_room(&info, region, target, at);
        copy_section(&*self.plane(selection.colour)?, region, target, at);
        Ok(())
    }

    fn held_bytes(&self) -> u64 {
        self.header.decoded_bytes()
    }
}

/// Whether a decoder wants to know which channel is meant.
pub(super) fn needs_choice(decoded: &Result<(Header, Block), CodecError>) -> bool {
    matches!(decoded, Err(CodecError::NotSupported { feature: Feature::Channels(_), .. }))
}

#[cfg(test)]
#[path = "colour_tests.rs"]
mod tests;
