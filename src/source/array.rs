//! Arrays of any rank: the part that a selection means, and where it lies on the stored axes.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::error::{PlanMistake, Unsupported};
use super::location::Located;
use super::{Axis, Colour, Selection, SourceError, SourceInfo};
use crate::volume::{Dtype, Region, Size, Span};

/// What an array is.
#[derive(Clone, Debug)]
pub(super) struct Array {
    /// Its path in the file or volume, for messages.
    pub name: String,
    pub dtype: Dtype,
    /// Values on each axis, slowest first.
    pub shape: Vec<u64>,
    /// What is decoded at once, as many axes.
    pub chunk: Vec<u64>,
    /// What the axes are called, letters `x y z t c`, as many; `None` where the format does not say.
    pub axes: Option<String>,
}

impl Array {
    /// Bytes of a decoded chunk; saturates.
    pub fn chunk_bytes(&self) -> u64 {
        let item = self.dtype.size_bytes() as u64;
        self.chunk.iter().fold(item, |bytes, length| bytes.saturating_mul(*length))
    }
}

/// The axes of an array with as many, where they have no names; of more only first ones of length 1 are left out.
const AXES: [&str; 6] = ["", "x", "yx", "zyx", "tzyx", "tczyx"];

/// An array of which some axes are fixed.
pub(super) struct Selected {
    pub array: Arc<Array>,
    pub info: SourceInfo,
    /// What each stored axis is.
    axes: Vec<Stored>,
}

#[derive(Clone, Copy)]
enum Stored {
    At(u64),
    Image(Axis),
    /// No image axis, and nobody said where.
    Other,
}

impl Selected {
    /// # Errors
    /// [`SourceError::Plan`] for axes and positions that the array does not have, [`SourceError::NotSupported`] when it has
    /// more axes than there are names for.
    pub fn new(
        array: Arc<Array>,
        (located, format): (&Located, &'static str),
        selection: &Selection,
    ) -> Result<Self, SourceError> {
        let mistake = |mistake| Err(SourceError::mistake(&located.path, mistake));
        let Some((letters, surplus)) = letters(&array) else {
            let what = format!("an array of {} axes", array.shape.len());
            let what = Unsupported::Array { dataset: array.name.clone(), what };
            return Err(SourceError::NotSupported { path: located.path.clone(), what });
        };
        let lengths = &array.shape[surplus..];
        if let Some(level @ 1..) = selection.level {
            return mistake(PlanMistake::NoSuchLevel { level, levels: 1 });
        }
        let mut fixed = match fixed(selection, letters) {
            Ok(fixed) => fixed,
            Err(wrong) => return mistake(wrong),
        };
        let mut stored = vec![Stored::At(0); surplus];
        let mut left = String::new();
        for (letter, length) in letters.chars().zip(lengths) {
            match fixed.remove(&letter) {
                Some(at) if at < *length => stored.push(Stored::At(at)),
                Some(at) => return mistake(PlanMistake::NoSuchPosition { axis: letter, at, length: *length }),
                None => {
                    stored.push(Axis::from_letter(letter).map_or(Stored::Other, Stored::Image));
                    left.push(letter);
                }
            }
        }
        if let Some(axis) = fixed.into_keys().next() {
            return mistake(PlanMistake::Select { axis });
        }
        // A channel of the last axis is one of an image, whose other axes keep their names.
        if !selection.select.is_empty() && left.len() <= 3 {
            left = AXES[left.len()].to_owned();
            let mut names = left.chars();
            for axis in stored.iter_mut().filter(|axis| !matches!(axis, Stored::At(_))) {
                *axis = names.next().and_then(Axis::from_letter).map_or(Stored::Other, Stored::Image);
            }
        }
        let info = SourceInfo { axes: left, ..SourceInfo::new(&located.path, format, Size::new(1, 1, 1), array.dtype) };
        let info =
            SourceInfo { file_bytes: located.stamp.bytes, ..lengths_of(info, &array, &stored, letters, surplus) };
        Ok(Selected { info, axes: stored, array: Arc::clone(&array) })
    }

    /// Which image axis each stored axis is, if it is one.
    pub fn image_axes(&self) -> impl Iterator<Item = Option<Axis>> {
        self.axes.iter().map(|axis| match axis {
            Stored::Image(axis) => Some(*axis),
            Stored::At(_) | Stored::Other => None,
        })
    }

    /// Where a region of what is left lies on the stored axes.
    pub fn ranges(&self, region: &Region) -> Vec<Range<u64>> {
        let of = |span: Span| span.start as u64..span.stop as u64;
        let range = |axis: &Stored| match axis {
            Stored::At(at) => *at..*at + 1,
            Stored::Image(Axis::X) => of(region.x),
            Stored::Image(Axis::Y) => of(region.y),
            Stored::Image(Axis::Z) => of(region.z),
            Stored::Other => 0..1,
        };
        self.axes.iter().map(range).collect()
    }
}

/// What the axes of an array are called, and how many first ones have no name.
fn letters(array: &Array) -> Option<(&str, usize)> {
    let shape = &array.shape;
    if let Some(axes) = &array.axes {
        return (axes.len() == shape.len()).then_some((axes, 0));
    }
    let surplus = shape.len().saturating_sub(AXES.len() - 1);
    let is_single = shape[..surplus].iter().all(|length| *length == 1);
    is_single.then(|| (AXES[shape.len() - surplus], surplus))
}

/// The positions that a selection gives, by axis. A page is a section; a channel is a position on `c`.
fn fixed(selection: &Selection, letters: &str) -> Result<BTreeMap<char, u64>, PlanMistake> {
    let mut fixed = selection.select.clone();
    match selection.page {
        Some(page) if letters == "zyx" => _ = fixed.insert('z', page),
        Some(page @ 1..) => return Err(PlanMistake::NoSuchPage { page, pages: 1 }),
        _ => {}
    }
    match selection.colour {
        Colour::Channel(channel) if letters.contains('c') => _ = fixed.insert('c', channel),
        Colour::Channel(channel @ 1..) => return Err(PlanMistake::NoSuchChannel { channel, channels: 1 }),
        _ => {}
    }
    Ok(fixed)
}

/// Adds what the stored axes say.
fn lengths_of(info: SourceInfo, array: &Array, stored: &[Stored], letters: &str, surplus: usize) -> SourceInfo {
    let (mut size, mut block, mut decoded_channels) = (Size::new(1, 1, 1), Size::new(1, 1, 1), 1u64);
    for ((axis, length), chunk) in stored.iter().zip(&array.shape).zip(&array.chunk) {
        match axis {
            Stored::Image(axis) => {
                *side(&mut size, *axis) = *length;
                *side(&mut block, *axis) = *chunk;
            }
            // What a chunk holds of other positions is decoded with it.
            Stored::At(_) | Stored::Other => decoded_channels = decoded_channels.saturating_mul(*chunk),
        }
    }
    let named = letters.chars().zip(&stored[surplus..]).zip(&array.shape[surplus..]);
    let others = named.filter(|((_, axis), _)| matches!(axis, Stored::Other));
    let others = others.map(|((letter, _), length)| (letter, *length)).collect();
    SourceInfo { size, block, decoded_channels, others, ..info }
}

fn side(size: &mut Size, axis: Axis) -> &mut u64 {
    match axis {
        Axis::X => &mut size.x,
        Axis::Y => &mut size.y,
        Axis::Z => &mut size.z,
    }
}
