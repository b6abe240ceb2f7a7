//! What must hold of any source, sound or damaged. The fuzz targets use this file as well.

use std::io::ErrorKind;
use std::path::Path;

use boss_ingest::source::{
    BossSettings, Colour, Plan, PlanMistake, ReadPlan, RemoteSettings, SourceError, SourceInfo, SourceRef, Sources,
    Step, Target,
};
use boss_ingest::volume::{Region, Span};

use crate::boss;

/// No block that needs more is decoded.
pub const LIMIT_BYTES: u64 = 1 << 20;

/// Voxels on each axis that are read of a source that is too large to be read whole.
const CORNER: i64 = 24;

/// Reads all of a source, or its far corner where it is large.
///
/// # Errors
/// In words, where the source does not give what its header promises.
pub fn voxels(source: &SourceRef) -> Result<Result<(), SourceError>, String> {
    let sources = sources();
    let info = match sources.source_info(source) {
        Ok(info) => info,
        Err(error) => return Ok(Err(error)),
    };
    if info.region().is_empty() {
        return Ok(Ok(()));
    }
    let region = part(&info);
    let plan = Plan::Read(ReadPlan { source: source.clone(), ..ReadPlan::new("") }.with(Step::Crop(region)));
    let target = Target { size: region.size(), dtype: info.dtype, required: Region::of_size(region.size()) };
    match sources.read(&plan, &target) {
        Ok(block) if (block.size(), block.dtype()) == (region.size(), info.dtype) => Ok(Ok(())),
        Ok(block) => Err(format!("gives {} of {} for {region} of {info:?}", block.size(), block.dtype())),
        // A header that tells of more axes than it did wants to know where on them.
        Err(SourceError::Plan { mistake: PlanMistake::Select { axis }, .. }) if info.axes.contains(axis) => Ok(Ok(())),
        // The plan asks only for what the header promises.
        Err(error @ (SourceError::Plan { .. } | SourceError::WrongSize { .. })) => {
            Err(format!("does not keep its promise {info:?}: {error:?}"))
        }
        Err(error) => Ok(Err(error)),
    }
}

/// What is read of a source.
pub fn part(info: &SourceInfo) -> Region {
    if info.decoded_bytes() <= LIMIT_BYTES { info.region() } else { corner(info) }
}

pub fn sources() -> Sources {
    let sources = Sources::new(Path::new("").to_owned(), LIMIT_BYTES).with_limit(LIMIT_BYTES);
    match boss::origin() {
        Some(origin) => {
            let boss = BossSettings { url: origin.to_owned(), token: None };
            sources.with_remote(RemoteSettings { boss, retries: 0, ..RemoteSettings::default() })
        }
        None => sources,
    }
}

fn corner(info: &SourceInfo) -> Region {
    let last = |span: Span| Span::new((span.stop - CORNER).max(span.start), span.stop);
    let Region { x, y, z } = info.region();
    Region::new(last(x), last(y), last(z))
}

/// Whether an error is one that damage may lead to.
pub fn is_right(error: &SourceError) -> bool {
    match error {
        SourceError::Damaged { .. }
        | SourceError::NotSupported { .. }
        | SourceError::LimitsExceeded { .. }
        | SourceError::NotFound { .. }
        | SourceError::NoChunk { .. } => true,
        // Names, channels and axes that the sound file had, and that the damaged one does not promise any more.
        SourceError::Plan { .. } => true,
        // A folder that nothing makes a volume any more.
        SourceError::Unreachable { source, .. } => source.kind() == ErrorKind::IsADirectory,
        SourceError::WrongSize { .. } | SourceError::OutOfBounds { .. } | SourceError::DoesNotFit { .. } => false,
    }
}

/// The first part of a sound source that can be read: an array, a channel, a position on other axes. A source of which nothing
/// is read is left as it is.
pub fn readable(mut source: SourceRef) -> SourceRef {
    for _ in 0..4 {
        match sources().source_info(&source) {
            Err(SourceError::Plan { mistake: PlanMistake::WhichArray { mut arrays }, .. }) => {
                source.dataset = Some(arrays.swap_remove(0));
            }
            Ok(info) if info.axes.contains('t') => {
                source.axes.get_or_insert_with(|| info.axes.clone());
                source.select.insert('t', 0);
            }
            Ok(info) if info.axes.contains('c') => source.colour = Colour::Channel(0),
            _ => break,
        }
    }
    source
}
