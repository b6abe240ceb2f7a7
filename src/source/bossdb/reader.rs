//! A channel that is open: which resolution and time is meant, and the cutouts that hold a region.

use std::sync::Arc;

use super::channel::{Channel, Experiment};
use super::{FORMAT, Flaw};
use crate::codec::{self, CodecError};
use crate::source::array::{Array, Selected};
use crate::source::blocks::Key;
use crate::source::cells::{self, Cell};
use crate::source::decoded::check_read;
use crate::source::error::PlanMistake;
use crate::source::location::Located;
use crate::source::remote::{RemoteChannel, Trouble};
use crate::source::{Axis, Contents, RegionReader, Selection, Shared, SourceError, SourceInfo};
use crate::volume::{Block, CUBOID, Region, Span};

/// Cutouts of one region that are waited for at once. A Boss puts each together from many parts: more would not come sooner.
pub(in crate::source) const WIDTH: usize = 4;

/// About what a channel that is open takes.
const CHANNEL_BYTES: u64 = 2 << 10;

/// The most that a frame is longer than its voxels, in bytes: noise does not become smaller.
const FRAME_BYTES: u64 = 1 << 16;

/// A channel of a Boss.
pub(in crate::source) struct Bossdb {
    located: Located,
    remote: RemoteChannel,
    channel: Channel,
    shared: Arc<Shared>,
    /// This channel's number among the kept blocks.
    reader: u64,
}

/// The selected part of a channel.
struct Part {
    level: u64,
    /// All of the channel at this level.
    extent: Region,
    /// Of an array that begins at 0 wherever the frame does, so that its chunks are cuboids.
    selected: Selected,
    info: SourceInfo,
}

impl Bossdb {
    pub const FORMAT: &'static str = FORMAT;

    /// Asks for what the Boss tells of a channel.
    pub fn open(located: &Located, shared: &Arc<Shared>) -> Result<Self, SourceError> {
        let path = &located.path;
        let remote = located.channel.clone().ok_or_else(|| SourceError::NotFound { path: path.clone() })?;
        let asked = |answer: Result<_, Trouble>| answer.map_err(|trouble| SourceError::io(path, trouble.into()));
        let wrong =
            |what: &'static str| move |flaw: Flaw| damaged(path, format!("what the Boss tells of {what}: {flaw}"));
        let experiment = Experiment::parse(&asked(remote.experiment())?).map_err(wrong("its experiment"))?;
        let frame = asked(remote.frame(experiment.frame()))?;
        let channel = Channel::parse(&asked(remote.channel())?, &experiment, &frame).map_err(wrong("it"))?;
        let (located, shared) = (located.clone(), Arc::clone(shared));
        Ok(Bossdb { reader: shared.blocks.reader(), located, remote, channel, shared })
    }

    fn part(&self, selection: &Selection) -> Result<Part, SourceError> {
        let Channel { base, levels, times, .. } = self.channel;
        let level = selection.level.unwrap_or(base);
        if !(base..levels).contains(&level) {
            return Err(self.mistake(PlanMistake::NoSuchLevel { level, levels }));
        }
        if let Some(dataset) = &selection.dataset {
            return Err(self.mistake(PlanMistake::NoSuchArray { dataset: dataset.clone(), arrays: Vec::new() }));
        }
        let extent = self.channel.extent(level);
        let [x, y, z] = [extent.x, extent.y, extent.z].map(|span| span.stop as u64);
        let mut array = Array {
            name: String::new(),
            dtype: self.channel.dtype,
            shape: vec![z, y, x],
            chunk: vec![z.min(CUBOID.z), y.min(CUBOID.y), x.min(CUBOID.x)],
            axes: Some("zyx".to_owned()),
        };
        if times > 1 {
            array.shape.insert(0, times);
            array.chunk.insert(0, 1);
            array.axes = Some("tzyx".to_owned());
        }
        self.check_positions(selection, &extent)?;
        let (needed_bytes, limit_bytes) = (array.chunk_bytes(), self.shared.limit_bytes);
        if needed_bytes > limit_bytes {
            return Err(SourceError::LimitsExceeded { path: self.located.path.clone(), needed_bytes, limit_bytes });
        }
        let rest = Selection { level: None, ..selection.clone() };
        let selected = Selected::new(Arc::new(array), (&self.located, FORMAT), &rest)?;
        let mut info = SourceInfo { note: self.channel.note(level), ..selected.info.clone() };
        let starts = [extent.z, extent.y, extent.x].map(|span| span.start);
        for (axis, start) in selected.image_axes().skip(usize::from(times > 1)).zip(starts) {
            match axis {
                Some(Axis::X) => (info.origin.0, info.size.x) = (start, info.size.x - start as u64),
                Some(Axis::Y) => (info.origin.1, info.size.y) = (start, info.size.y - start as u64),
                Some(Axis::Z) => (info.origin.2, info.size.z) = (start, info.size.z - start as u64),
                None => {}
            }
        }
        Ok(Part { level, extent, selected, info })
    }

    /// The array begins at 0, but the frame may not.
    fn check_positions(&self, selection: &Selection, extent: &Region) -> Result<(), SourceError> {
        let page = selection.page.map(|page| ('z', page));
        for (axis, at) in selection.select.iter().map(|(axis, at)| (*axis, *at)).chain(page) {
            let Some(span) = Axis::from_letter(axis).map(|axis| match axis {
                Axis::X => extent.x,
                Axis::Y => extent.y,
                Axis::Z => extent.z,
            }) else {
                continue;
            };
            if at < span.start as u64 {
                return Err(self.mistake(PlanMistake::NoSuchPosition { axis, at, length: span.stop as u64 }));
            }
        }
        Ok(())
    }

    /// The voxels of a chunk; 0 where it reaches beyond the extent.
    fn block(&self, part: &Part, cell: &Cell) -> Result<Arc<Block>, SourceError> {
        let key = Key { reader: self.reader, part: part.level, cell: cells::key_cell(cell) };
        self.shared.blocks.get(&key, || {
            let chunk = &part.selected.array.chunk;
            let [.., z, y, x] = cell[..] else { unreachable!("a channel has three axes or four") };
            let [.., dz, dy, dx] = chunk[..] else { unreachable!("a channel has three axes or four") };
            let span = |at: u64, length: u64| Span::step(at as i64, length);
            let whole = Region::new(span(x, dx), span(y, dy), span(z, dz));
            let wanted = whole.intersect(&part.extent);
            let time = (cell.len() > 3).then(|| cell[0]);
            let voxels = self.cutout(part.level, &wanted, time)?;
            if wanted == whole {
                return Ok(voxels);
            }
            let mut block = Block::zeros(voxels.dtype(), whole.size());
            let along = |wanted: Span, whole: Span| wanted.start - whole.start;
            block.paste(&voxels, (along(wanted.x, whole.x), along(wanted.y, whole.y), along(wanted.z, whole.z)));
            Ok(block)
        })
    }

    fn cutout(&self, level: u64, region: &Region, time: Option<u64>) -> Result<Block, SourceError> {
        let (dtype, size) = (self.channel.dtype, region.size());
        let bytes = size.voxels() * dtype.size_bytes() as u64;
        let wrong = |flaw: Flaw| damaged(&self.located.path, format!("the cutout at {region}: {flaw}"));
        let frame = match self.remote.cutout(level, region, time, bytes + FRAME_BYTES) {
            Err(trouble @ Trouble::TooLarge(_)) => return Err(wrong(trouble.into())),
            answer => answer.map_err(|trouble| SourceError::io(&self.located.path, trouble.into()))?,
        };
        let voxels = codec::decompress(&frame, bytes).map_err(|error| wrong(error.into()))?;
        Block::from_bytes(dtype, size, voxels).map_err(|error| wrong(error.into()))
    }

    fn mistake(&self, mistake: PlanMistake) -> SourceError {
        SourceError::mistake(&self.located.path, mistake)
    }
}

fn damaged(path: &str, what: String) -> SourceError {
    SourceError::Damaged { path: path.to_owned(), source: CodecError::Damaged { format: FORMAT, source: what.into() } }
}

impl RegionReader for Bossdb {
    fn info(&self, selection: &Selection) -> Result<Arc<SourceInfo>, SourceError> {
        Ok(Arc::new(self.part(selection)?.info))
    }

    fn read_into(
        &self,
        selection: &Selection,
        region: &Region,
        target: &mut Block,
        at: (i64, i64, i64),
    ) -> Result<(), SourceError> {
        let part = self.part(selection)?;
        check_read(&part.info, region, target, at)?;
        cells::read(&part.selected, region, (target, at), (WIDTH, self.shared.blocks.turn(), &[]), |cell| {
            self.block(&part, cell).map(Some)
        })
    }

    fn contents(&self, _selection: &Selection) -> Result<Contents, SourceError> {
        Ok(Contents { levels: self.channel.levels, compression: Some("blosc".to_owned()), ..Contents::default() })
    }

    fn held_bytes(&self) -> u64 {
        CHANNEL_BYTES
    }
}
