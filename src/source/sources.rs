//! All sources of a job, shared by its workers.

use std::path::PathBuf;
use std::sync::Arc;

use super::cache::Cache;
use super::error::PlanMistake;
use super::location::Located;
use super::{Plan, ReadPlan, RegionReader, Selection, SourceError, SourceInfo, format, location};
use crate::codec::ImageFormat;

/// Sources whose headers are remembered.
const MAX_INFOS: usize = 4096;

/// Readers that are kept open. Each may hold two file descriptors, and a process often has no more than 1024.
const MAX_READERS: usize = 128;

/// The sources of a job, opened when they are first wanted and kept as long as there is room.
///
/// A decoded image counts with its voxels, a TIFF file with its index; together they never take more than `cache_bytes`. Two
/// workers that want the same section decode it once. Files are told apart by path, time of change and length, so a mended
/// file is read anew.
pub struct Sources {
    base_dir: PathBuf,
    limit_bytes: u64,
    infos: Cache<(Located, Option<ImageFormat>, Selection), SourceInfo>,
    readers: Cache<(Located, Option<ImageFormat>), dyn RegionReader>,
}

impl Sources {
    /// Relative paths start at `base_dir`, the job file's folder.
    pub fn new(base_dir: PathBuf, cache_bytes: u64) -> Self {
        Sources {
            base_dir,
            limit_bytes: u64::MAX,
            infos: Cache::new(u64::MAX, MAX_INFOS),
            readers: Cache::new(cache_bytes, MAX_READERS),
        }
    }

    /// Refuses to decode any single image, strip or tile that needs more than `limit_bytes`.
    pub fn with_limit(self, limit_bytes: u64) -> Self {
        Sources { limit_bytes, ..self }
    }

    /// What the file at `path` is, from its headers.
    ///
    /// # Errors
    /// [`SourceError::NotFound`], `NotSupported`, `Damaged` and `Unreachable`.
    pub fn info(&self, path: &str) -> Result<Arc<SourceInfo>, SourceError> {
        self.info_of(&self.locate(path)?, None, &Selection::default())
    }

    /// Whether there is a file at `path`.
    ///
    /// # Errors
    /// [`SourceError::NotSupported`] for URLs that are not read yet, [`SourceError::Unreachable`] for folders, and where the
    /// system does not tell.
    pub fn exists(&self, path: &str) -> Result<bool, SourceError> {
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
        location::list(&self.base_dir, dir)
    }

    /// The most bytes of memory that reading this plan takes at any moment besides the result, from the headers alone. 0 for a source that does not exist or is no source: reading it says why.
    pub fn decode_cost(&self, plan: &Plan) -> u64 {
        let cost = |read: &ReadPlan| self.planned_info(read).map_or(0, |info| read_cost(&info, read));
        match plan {
            Plan::Read(read) => cost(read),
            Plan::Stack { sections, .. } => sections.iter().map(cost).max().unwrap_or(0),
        }
    }

    /// What a plan reads from, from the headers.
    pub(super) fn planned_info(&self, plan: &ReadPlan) -> Result<Arc<SourceInfo>, SourceError> {
        let (located, forced) = (self.locate(&plan.path)?, format::forced(plan)?);
        let page = Selection { page: plan.page, ..Selection::default() };
        let selection = selection(plan, |any| self.info_of(&located, forced, any)).unwrap_or(page);
        self.info_of(&located, forced, &selection)
    }

    /// Opens what a plan reads from.
    pub(super) fn open(&self, plan: &ReadPlan) -> Result<(Arc<dyn RegionReader>, Selection), SourceError> {
        let key = (self.locate(&plan.path)?, format::forced(plan)?);
        let reader = self.readers.get(&key, || {
            let reader = format::open(&key.0, key.1, self.limit_bytes)?;
            let bytes = reader.held_bytes();
            Ok((reader, bytes))
        })?;
        let selection = selection(plan, |any| reader.info(any))?;
        Ok((reader, selection))
    }

    pub(super) fn locate(&self, path: &str) -> Result<Located, SourceError> {
        Located::find(&self.base_dir, path)
    }

    pub(super) fn limit_bytes(&self) -> u64 {
        self.limit_bytes
    }

    fn info_of(
        &self,
        located: &Located,
        forced: Option<ImageFormat>,
        selection: &Selection,
    ) -> Result<Arc<SourceInfo>, SourceError> {
        let key = (located.clone(), forced, selection.clone());
        self.infos.get(&key, || Ok((format::info(located, forced, selection, self.limit_bytes)?, 1)))
    }
}

/// The part of the source that a plan's `page`, `axes` and `select` mean.
///
/// Files with pages do not say what their pages are: with axes such as `tyx`, a position on `t` selects the page.
fn selection(
    plan: &ReadPlan,
    info: impl FnOnce(&Selection) -> Result<Arc<SourceInfo>, SourceError>,
) -> Result<Selection, SourceError> {
    let plain = Selection { page: plan.page, ..Selection::default() };
    let mistake = |mistake| Err(SourceError::mistake(&plan.path, mistake));
    let mut selected = plan.select.iter().map(|(axis, at)| (*axis, *at));
    match (plan.axes.as_deref(), selected.next(), selected.next()) {
        (None, None, _) => Ok(plain),
        (None | Some("yx" | "zyx"), Some((axis, _)), _) | (_, _, Some((axis, _))) => {
            mistake(PlanMistake::Select { axis })
        }
        (Some(axes @ ("tyx" | "cyx")), chosen, None) if plan.page.is_none() => match chosen {
            Some((axis, at)) if axes.starts_with(axis) => Ok(Selection { page: Some(at), ..plain }),
            Some((axis, _)) => mistake(PlanMistake::Select { axis }),
            None => mistake(PlanMistake::Select { axis: if axes == "tyx" { 't' } else { 'c' } }),
        },
        (Some(axes), _, None) => {
            let has = info(&plain)?.axes.clone();
            if axes == has { Ok(plain) } else { mistake(PlanMistake::Axes { axes: axes.to_owned(), has }) }
        }
    }
}

/// What one read takes: what its decoder needs, and the region once more in the source's own voxel type, for the cast. A file
/// that goes through as it is lies in memory beside its voxels.
fn read_cost(info: &SourceInfo, plan: &ReadPlan) -> u64 {
    let (voxels, item) = (plan.voxels(info), info.dtype.size_bytes() as u64);
    let decoder = match ImageFormat::from_name(info.format) {
        // The packed samples of an image below 8 bits are at most as long as the image.
        Some(ImageFormat::Png) => info.decoded_bytes().saturating_mul(if info.is_plain { 1 } else { 2 }),
        // Progressive images keep a 16-bit coefficient for each voxel until the last scan.
        Some(ImageFormat::Jpeg) => info.decoded_bytes().saturating_mul(3).saturating_add(info.file_bytes),
        // A strip or tile, and the same once more packed or in a decoder's hands.
        Some(ImageFormat::Tiff) | None => info.block.voxels().saturating_mul(2 * item),
    };
    let read = decoder.saturating_add(voxels.saturating_mul(item));
    let as_is = info.decoded_bytes().saturating_add(info.file_bytes);
    if info.is_plain && voxels == info.size.voxels() { read.max(as_is) } else { read }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::conformance::foreign;
    use super::super::{PlanRegion, Target};
    use super::*;
    use crate::volume::{Dtype, Region, Size};

    fn whole(path: &str) -> Plan {
        Plan::Read(ReadPlan::new(path, PlanRegion::Whole))
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
                assert!(sources.readers.weight() <= cache_bytes);
            }
            sources.read(&whole("big.tif"), &target(Dtype::Uint16)).unwrap();
            assert!(sources.readers.weight() <= cache_bytes);
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
        let corner = |path: &str| Plan::Read(ReadPlan::new(path, PlanRegion::Box(corner)));
        assert_eq!(sources.decode_cost(&corner("grey16.png")), 61 * 37 * 2 + 16 * 2);
        assert_eq!(sources.decode_cost(&corner("tiles_deflate_16_le.tif")), 2 * 32 * 16 * 2 + 16 * 2);
        assert!(sources.decode_cost(&whole("grey8.png")) >= 61 * 37 + sources.info("grey8.png").unwrap().file_bytes);
        assert_eq!(sources.decode_cost(&whole("none.png")), 0);
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
