//! What a selection leaves of a volume.

use super::FORMAT;
use super::info::{Info, Scale};
use crate::codec::Feature;
use crate::source::decoded::check_selection;
use crate::source::error::{PlanMistake, Unsupported};
use crate::source::{Axis, Colour, Selection, SourceError, SourceInfo};
use crate::volume::{Region, Size, Span};

/// What a selection leaves of a volume.
pub(super) struct Part<'a> {
    pub level: usize,
    pub scale: &'a Scale,
    /// `None` where there are several and none is selected.
    pub channel: Option<u64>,
    /// The position of each axis x, y, z that is no axis any more.
    fixed: [Option<i64>; 3],
}

impl<'a> Part<'a> {
    /// # Errors
    /// [`SourceError::Plan`] for levels, channels and axes that the volume `path` does not have, `OutOfBounds` for positions,
    /// `NotSupported` for the grey of what has none.
    pub fn new(path: &str, volume: &'a Info, selection: &Selection) -> Result<Self, SourceError> {
        let mistake = |mistake| SourceError::mistake(path, mistake);
        let (wanted, levels) = (selection.level.unwrap_or(0), volume.scales.len() as u64);
        let level = usize::try_from(wanted).unwrap_or(usize::MAX);
        let no_level = || mistake(PlanMistake::NoSuchLevel { level: wanted, levels });
        let scale = volume.scales.get(level).ok_or_else(no_level)?;
        let mut fixed = [None; 3];
        for (axis, at) in &selection.select {
            match Axis::from_letter(*axis) {
                Some(image) => fixed[image as usize] = Some(position(path, scale, image, *at)?),
                None if *axis == 'c' => {}
                None => return Err(mistake(PlanMistake::Select { axis: *axis })),
            }
        }
        Ok(Part { level, scale, channel: channel(path, volume.channels, selection)?, fixed })
    }

    /// What there is to read.
    pub fn info(&self, path: &str, volume: &Info, selection: &Selection) -> Result<SourceInfo, SourceError> {
        let Scale { size, origin, chunk, .. } = *self.scale;
        let is_fixed = |axis: Axis| self.fixed[axis as usize].is_some();
        let left = |axis, length| if is_fixed(axis) { 1 } else { length };
        let lengths = |size: Size| Size::new(left(Axis::X, size.x), left(Axis::Y, size.y), left(Axis::Z, size.z));
        let start = |axis, at| if is_fixed(axis) { 0 } else { at };
        let info = SourceInfo {
            axes: self.axes(),
            channels: volume.channels,
            origin: (start(Axis::X, origin.0), start(Axis::Y, origin.1), start(Axis::Z, origin.2)),
            block: lengths(chunk),
            decoded_channels: volume.channels,
            ..SourceInfo::new(path, FORMAT, lengths(size), volume.dtype)
        };
        let rest = Selection { level: None, select: Default::default(), ..selection.clone() };
        check_selection(&info, &rest)?;
        Ok(info)
    }

    /// The axes that are left, slowest first.
    fn axes(&self) -> String {
        let channel = self.channel.is_none().then_some('c');
        let image = Axis::ALL.into_iter().rev().filter(|axis| self.fixed[*axis as usize].is_none());
        channel.into_iter().chain(image.map(Axis::letter)).collect()
    }

    /// The box in the whole volume of one in the axes that are left.
    pub fn whole(&self, region: &Region) -> Region {
        let span = |axis: Axis, span| self.fixed[axis as usize].map_or(span, Span::one);
        Region::new(span(Axis::X, region.x), span(Axis::Y, region.y), span(Axis::Z, region.z))
    }
}

fn position(path: &str, scale: &Scale, axis: Axis, at: u64) -> Result<i64, SourceError> {
    let at = i64::try_from(at).unwrap_or(i64::MAX);
    let mut region = scale.region();
    let span = match axis {
        Axis::X => &mut region.x,
        Axis::Y => &mut region.y,
        Axis::Z => &mut region.z,
    };
    if span.contains(at) {
        return Ok(at);
    }
    *span = Span::one(at);
    Err(SourceError::OutOfBounds { path: path.to_owned(), region, has: scale.size })
}

fn channel(path: &str, channels: u64, selection: &Selection) -> Result<Option<u64>, SourceError> {
    let chosen = match (selection.colour, selection.select.get(&'c')) {
        (Colour::Channel(channel), _) | (Colour::None, Some(&channel)) => channel,
        (Colour::None | Colour::Gray, _) if channels == 1 => 0,
        (Colour::None, None) => return Ok(None),
        (Colour::Gray, _) => {
            let feature = Feature::NoGray(u16::try_from(channels).unwrap_or(u16::MAX));
            let what = Unsupported::Image { format: FORMAT, feature };
            return Err(SourceError::NotSupported { path: path.to_owned(), what });
        }
    };
    if chosen >= channels {
        return Err(SourceError::mistake(path, PlanMistake::NoSuchChannel { channel: chosen, channels }));
    }
    Ok(Some(chosen))
}
