//! All sources of a job, shared by its workers.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::bossdb::{self, Bossdb};
use super::cache::Cache;
use super::error::{Number, PlanMistake};
use super::flat::FlatFormat;
use super::format::Format;
use super::generated::Generated;
use super::hdf5::Hdf5Reader;
use super::location::Located;
use super::remote::{RemoteSettings, Remotes};
use super::{
    Plan, ReadPlan, RegionReader, Scratch, Selection, Shared, SourceError, SourceInfo, SourceRef, Step, Target,
};
use super::{flat, format, location, number};
use crate::codec::ImageFormat;
use crate::volume::Region;

/// Sources whose headers are remembered.
const MAX_INFOS: usize = 4096;

/// Readers that are kept open. Each may hold two file descriptors, and a process often has no more than 1024.
const MAX_READERS: usize = 128;

/// One part in so many of the cache is for what open files hold, such as a TIFF file's index, and one for bytes from URLs.
const SMALL_SHARE: u64 = 8;

/// The largest text that a script reads at once, and all that is remembered of them, in bytes.
const LARGEST_TEXT: u64 = 4 << 20;

/// The most values that a script reads of a source.
const MOST_SCALARS: u64 = 4096;

/// The sources of a job, opened when they are first wanted and kept as long as there is room.
///
/// Decoded images and blocks, together with the indices of open files, never take more than `cache_bytes` in memory; images
/// that have no room there go to a [`Scratch`] directory, if there is one. Two workers that want the same section decode it
/// once. Files are told apart by path, time of change and length, so a mended file is read anew.
pub struct Sources {
    base_dir: PathBuf,
    shared: Arc<Shared>,
    remotes: Arc<Remotes>,
    infos: Cache<(Located, Option<Format>, Selection), SourceInfo>,
    readers: Cache<(Located, Option<Format>), dyn RegionReader>,
    texts: Cache<Located, str>,
    #[cfg(test)]
    pub(crate) headers_read: std::sync::atomic::AtomicU64,
}

/// What is kept of all that was read so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// How often an image was decoded whose format can only be decoded as a whole. As long as there is room, that is once an
    /// image.
    pub images_decoded: u64,
    /// Bytes of decoded images and blocks in memory.
    pub memory_bytes: u64,
    /// Bytes of decoded images in the scratch directory.
    pub scratch_bytes: u64,
}

impl Sources {
    /// Relative paths start at `base_dir`, the job file's folder.
    pub fn new(base_dir: PathBuf, cache_bytes: u64) -> Self {
        Sources {
            base_dir,
            shared: Arc::new(Shared::new(u64::MAX, cache_bytes - 2 * (cache_bytes / SMALL_SHARE))),
            remotes: Remotes::new(RemoteSettings::default(), cache_bytes / SMALL_SHARE),
            infos: Cache::new(u64::MAX, MAX_INFOS),
            readers: Cache::new(cache_bytes / SMALL_SHARE, MAX_READERS),
            texts: Cache::new(LARGEST_TEXT, MAX_INFOS),
            #[cfg(test)]
            headers_read: Default::default(),
        }
    }

    /// Asks servers in another way than is usual.
    pub fn with_remote(self, settings: RemoteSettings) -> Self {
        let remotes = Remotes::new(settings, self.shared.blocks.most_bytes() / (SMALL_SHARE - 2));
        Sources { remotes, ..self }
    }

    /// Refuses to decode any single image, strip or tile that needs more than `limit_bytes`.
    pub fn with_limit(self, limit_bytes: u64) -> Self {
        let shared = Arc::into_inner(self.shared).expect("no source is open yet");
        Sources { shared: Arc::new(Shared { limit_bytes, ..shared }), ..self }
    }

    /// Images that memory has no room for go to this directory.
    pub fn with_scratch(self, scratch: Scratch) -> Self {
        let shared = Arc::into_inner(self.shared).expect("no source is open yet");
        Sources { shared: Arc::new(Shared { scratch: Some(scratch), ..shared }), ..self }
    }

    /// What is kept of all that was read so far.
    pub fn kept(&self) -> Kept {
        Kept {
            images_decoded: self.shared.images_decoded.load(Ordering::Relaxed),
            memory_bytes: self.shared.blocks.bytes(),
            scratch_bytes: self.shared.scratch.as_ref().map_or(0, Scratch::bytes),
        }
    }

    /// What the file at `path` is, from its headers.
    ///
    /// # Errors
    /// [`SourceError::NotFound`], `NotSupported`, `Damaged` and `Unreachable`.
    pub fn info(&self, path: &str) -> Result<Arc<SourceInfo>, SourceError> {
        self.info_of(path, None, &Selection::default())
    }

    /// Whether there is a file at `path`, or it means a source without one.
    ///
    /// # Errors
    /// [`SourceError::NotSupported`] for URLs that are not read, [`SourceError::Unreachable`] for folders, and where the
    /// system or server does not tell.
    pub fn exists(&self, path: &str) -> Result<bool, SourceError> {
        if Generated::find(path)?.is_some() {
            return Ok(true);
        }
        match self.locate(path) {
            Ok(_) => Ok(true),
            Err(SourceError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The names (not paths) of what lies directly in the folder `dir`, in any order.
    ///
    /// # Errors
    /// [`SourceError::NotFound`], `Unreachable` and `NotSupported`.
    pub fn list(&self, dir: &str) -> Result<Vec<String>, SourceError> {
        location::list(&self.base_dir, dir, &self.remotes)
    }

    /// The text of a file of at most [`LARGEST_TEXT`] bytes.
    ///
    /// # Errors
    /// [`SourceError::NotFound`], `Unreachable`, `NotSupported` and `LimitsExceeded`.
    pub fn text(&self, path: &str) -> Result<Arc<str>, SourceError> {
        let located = self.locate(path)?;
        self.texts.get(&located, || {
            let text = String::from_utf8(located.bytes(LARGEST_TEXT)?);
            let text =
                text.map_err(|error| SourceError::io(path, io::Error::new(io::ErrorKind::InvalidData, error)))?;
            let bytes = text.len() as u64;
            Ok((Arc::from(text), bytes))
        })
    }

    /// The values of a source of at most [`MOST_SCALARS`] voxels, x fastest.
    ///
    /// # Errors
    /// Every variant of [`SourceError`]; [`PlanMistake::TooManyScalars`] for a larger source.
    pub fn scalars(&self, source: &SourceRef) -> Result<Vec<Number>, SourceError> {
        let info = self.source_info(source)?;
        if info.size.voxels() > MOST_SCALARS {
            let mistake = PlanMistake::TooManyScalars { size: info.size, most: MOST_SCALARS };
            return Err(SourceError::mistake(&source.path, mistake));
        }
        if info.size.voxels() == 0 {
            // No block is made: beside an axis of length 0 another one may be longer than anything that fits in memory.
            return Ok(Vec::new());
        }
        let plan = Plan::Read(ReadPlan { source: source.clone(), ..ReadPlan::new("") }.with(Step::Whole));
        let target = Target { size: info.size, dtype: info.dtype, required: Region::of_size(info.size) };
        Ok(number::numbers(&self.read(&plan, &target)?))
    }

    /// What the selected part of a plan's source is, from its header.
    pub(super) fn selected_info(
        &self,
        source: &SourceRef,
        selection: &Selection,
    ) -> Result<Arc<SourceInfo>, SourceError> {
        self.info_of(&source.path, format::forced(source)?, selection)
    }

    /// Opens a plan's source.
    pub(super) fn open(&self, source: &SourceRef) -> Result<Arc<dyn RegionReader>, SourceError> {
        if let Some(generated) = Generated::find(&source.path)? {
            return Ok(Arc::new(generated));
        }
        self.reader(self.locate(&source.path)?, format::forced(source)?)
    }

    fn reader(&self, located: Located, forced: Option<Format>) -> Result<Arc<dyn RegionReader>, SourceError> {
        let key = (located, forced);
        self.readers.get(&key, || {
            let reader = format::open(&key.0, key.1, &self.shared)?;
            let bytes = reader.held_bytes();
            Ok((reader, bytes))
        })
    }

    /// What reading so many voxels of a source takes of memory.
    pub(super) fn read_cost(&self, info: &SourceInfo, voxels: u64, is_turned: bool) -> u64 {
        read_cost(info, voxels, is_turned, &self.shared)
    }

    pub(super) fn locate(&self, path: &str) -> Result<Located, SourceError> {
        Located::find(&self.base_dir, path, &self.remotes)
    }

    pub(super) fn limit_bytes(&self) -> u64 {
        self.shared.limit_bytes
    }

    fn info_of(
        &self,
        path: &str,
        forced: Option<Format>,
        selection: &Selection,
    ) -> Result<Arc<SourceInfo>, SourceError> {
        if let Some(generated) = Generated::find(path)? {
            return generated.info(selection);
        }
        let key = (self.locate(path)?, forced, selection.clone());
        self.infos.get(&key, || {
            #[cfg(test)]
            self.headers_read.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            // The index of a file with many pages or arrays is read once for all of them.
            if format::is_index_kept(format::of(&key.0, forced)?, selection) {
                return Ok((self.reader(key.0.clone(), forced)?.info(selection)?, 1));
            }
            Ok((format::info(&key.0, forced, selection, &self.shared)?, 1))
        })
    }
}

/// What reading so many voxels takes: what the decoder needs, and the voxels once more in the source's own type, for the cast;
/// twice when they are turned. What goes to the scratch directory takes no memory. A file that goes through as it is lies in
/// memory beside its voxels.
fn read_cost(info: &SourceInfo, voxels: u64, is_turned: bool, shared: &Shared) -> u64 {
    let item = info.dtype.size_bytes() as u64;
    let is_whole = voxels == info.size.voxels();
    let in_memory = |buffer_bytes: u64| {
        if shared.is_for_scratch(info.decoded_bytes(), buffer_bytes, is_whole) { 0 } else { buffer_bytes }
    };
    let decoder = match ImageFormat::from_name(info.format) {
        // Besides the voxels, a few rows of all channels.
        Some(ImageFormat::Png) => {
            let row = info.size.x.saturating_mul(item).saturating_mul(info.decoded_channels);
            in_memory(info.decoded_bytes()).saturating_add(row.saturating_mul(4))
        }
        // Progressive images keep a 16-bit coefficient for each voxel until the last scan.
        Some(ImageFormat::Jpeg) => {
            let samples = info.decoded_bytes().saturating_mul(info.decoded_channels);
            in_memory(samples).saturating_add(samples.saturating_mul(2)).saturating_add(2 * info.file_bytes)
        }
        Some(ImageFormat::Bmp) => {
            let samples = info.decoded_bytes().saturating_mul(info.decoded_channels);
            in_memory(samples).saturating_add(info.file_bytes)
        }
        // A chunk, the same packed and between two filters, and in the type of `rust-hdf5`.
        None if info.format == Hdf5Reader::FORMAT => {
            info.block.voxels().saturating_mul(4 * item * info.decoded_channels)
        }
        // A row, or all that is unpacked at once, and what one thread reads at once.
        None if FlatFormat::from_name(info.format).is_some() => {
            let all = info.decoded_bytes().saturating_mul(info.decoded_channels);
            let at_once = info.block.voxels().saturating_mul(item).saturating_mul(info.decoded_channels);
            let is_for_scratch = info.block == info.size && shared.is_for_scratch(all, all, false);
            let at_once = if is_for_scratch { 0 } else { at_once };
            at_once.saturating_add(flat::BUFFER_BYTES.min(all))
        }
        // Cutouts on their way, each as a frame and unpacked.
        None if info.format == Bossdb::FORMAT => info.block.voxels().saturating_mul(2 * item * bossdb::WIDTH as u64),
        // A strip or tile, and the same once more packed or in a decoder's hands.
        Some(ImageFormat::Tiff) | None => info.block.voxels().saturating_mul(2 * item * info.decoded_channels),
    };
    let copies = if is_turned { 2 } else { 1 };
    let read = decoder.saturating_add(voxels.saturating_mul(copies * item));
    let as_is = info.decoded_bytes().saturating_add(info.file_bytes);
    if info.is_plain && is_whole { read.max(as_is) } else { read }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::Colour;
    use super::super::conformance::foreign;
    use super::*;
    use crate::volume::{Dtype, Size};

    fn whole(path: &str) -> Plan {
        Plan::Read(ReadPlan::new(path).with(Step::Whole))
    }

    fn target(dtype: Dtype) -> Target {
        let size = Size::new(61, 37, 1);
        Target { size, dtype, required: Region::of_size(size) }
    }

    #[test]
    fn a_mended_file_is_read_anew() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("s0.png");
        let bytes = fs::read(foreign("grey8.png")).unwrap();
        let sources = Sources::new(folder.path().to_owned(), 1 << 20);
        assert!(!sources.exists("s0.png").unwrap());
        fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
        assert!(sources.exists("s0.png").unwrap());
        assert!(matches!(sources.read(&whole("s0.png"), &target(Dtype::Uint8)), Err(SourceError::Damaged { .. })));
        fs::write(&file, &bytes).unwrap();
        let first = sources.read(&whole("s0.png"), &target(Dtype::Uint8)).unwrap();
        fs::copy(foreign("interlaced8.png"), &file).unwrap();
        assert!(sources.read(&whole("s0.png"), &target(Dtype::Uint8)).unwrap() == first);
        fs::copy(foreign("grey16.png"), &file).unwrap();
        assert_eq!(sources.info("s0.png").unwrap().dtype, Dtype::Uint16);
        assert!(sources.read(&whole("s0.png"), &target(Dtype::Uint16)).is_ok());
    }

    #[test]
    fn the_cache_never_holds_more_than_it_may() {
        for cache_bytes in [0, 3000, 5000, 200_000] {
            let sources = Sources::new(foreign(""), cache_bytes);
            for (name, dtype) in [("grey8", Dtype::Uint8), ("grey16", Dtype::Uint16), ("grey4", Dtype::Uint8)] {
                sources.read(&whole(&format!("{name}.png")), &target(dtype)).unwrap();
                assert!(sources.readers.weight() + sources.kept().memory_bytes <= cache_bytes);
            }
            sources.read(&whole("big.tif"), &target(Dtype::Uint16)).unwrap();
            assert!(sources.readers.weight() + sources.kept().memory_bytes <= cache_bytes);
        }
    }

    #[test]
    fn an_image_above_the_limit_is_refused() {
        let sources = Sources::new(foreign(""), 0).with_limit(2000);
        let error = sources.read(&whole("grey8.png"), &target(Dtype::Uint8)).unwrap_err();
        assert_eq!(error.to_string(), "`grey8.png` needs 2257 bytes in memory, the limit is 2000");
    }

    #[test]
    fn the_cost_covers_the_decoded_image_or_one_block() {
        let sources = Sources::new(foreign(""), 0);
        let corner = Region::of_size(Size::new(4, 4, 1));
        let corner_of = |path: &str| ReadPlan::new(path).with(Step::Crop(corner));
        let corner = |path: &str| Plan::Read(corner_of(path));
        let coloured = |path: &str| {
            let mut plan = corner_of(path);
            plan.source.colour = Colour::Channel(2);
            Plan::Read(plan)
        };
        let size = Size::new(4, 4, 1);
        let small = Target { size, dtype: Dtype::Uint16, required: Region::of_size(size) };
        assert_eq!(sources.decode_cost(&corner("grey16.png"), &small), 61 * 37 * 2 + 4 * 61 * 2 + 16 * 2);
        assert_eq!(sources.decode_cost(&corner("tiles_deflate_16_le.tif"), &small), 2 * 32 * 16 * 2 + 16 * 2);
        assert_eq!(sources.decode_cost(&coloured("colour_rgb16.png"), &small), 61 * 37 * 2 + 4 * 61 * 2 * 3 + 16 * 2);
        assert_eq!(sources.decode_cost(&coloured("colour_5_chunky.tif"), &small), 2 * 32 * 16 * 2 * 5 + 16 * 2);
        assert!(
            sources.decode_cost(&whole("grey8.png"), &target(Dtype::Uint8))
                >= 61 * 37 + sources.info("grey8.png").unwrap().file_bytes
        );
        assert_eq!(sources.decode_cost(&whole("none.png"), &small), 0);
    }

    #[test]
    fn what_a_source_is_can_be_told() {
        let sources = Sources::new(foreign(""), 0);
        let cases = [
            ("grey16.png", "png, 61 × 37 voxels of uint16"),
            ("smooth.jpg", "jpeg, 97 × 61 voxels of uint8"),
            ("tiles_lzw_8_le.tif", "tiff, 61 × 37 voxels of uint8, in blocks of 32 × 16"),
        ];
        for (name, expected) in cases {
            assert_eq!(sources.info(name).unwrap().to_string(), expected);
        }
        assert!(matches!(sources.info("none.png"), Err(SourceError::NotFound { .. })));
    }
}
