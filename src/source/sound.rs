//! Whether a file can be read to its end, without a task that needs it.

use std::io::BufReader;

use super::format::Format;
use super::{Plan, ReadPlan, SourceError, SourceInfo, SourceRead, SourceRef, Sources, Step, Target, format};
use crate::codec::{ImageFormat, check_whole};
use crate::volume::{Region, Span};

/// About the most voxels that are decoded at once, in bytes, where a format allows it.
const BAND_BYTES: u64 = 16 << 20;

impl Sources {
    /// Finds files that end before their image does, as stopped copies do. Decodes nothing: changed bytes pass. The chunks of
    /// volumes are looked for where tasks need them, by [`Sources::check_parts`].
    ///
    /// # Errors
    /// [`SourceError::Damaged`] for a file that ends too early, and as [`Sources::source_info`].
    pub fn sound(&self, source: &SourceRef) -> Result<(), SourceError> {
        if self.source_info(source)?.is_endless() {
            return Ok(());
        }
        let located = self.locate(&source.path)?;
        let Format::Image(format) = format::of(&located, format::forced(source)?)? else {
            // Whoever opens a volume looks at its length, where it has one, and that was done for `source_info`.
            return Ok(());
        };
        let checked = check_whole(BufReader::new(located.open()?), format);
        checked.map_err(|error| SourceError::codec(&located.path, error))
    }

    /// Looks whether the chunks that a task reads of a volume are there, decoding none.
    ///
    /// # Errors
    /// [`SourceError::NoChunk`] and `Damaged` for the first that is missing or cut, and as [`Sources::read`].
    pub fn check_parts(&self, read: &SourceRead) -> Result<(), SourceError> {
        // An image has no parts.
        if read.info.is_endless() || ImageFormat::from_name(read.info.format).is_some() {
            return Ok(());
        }
        self.open(read.source)?.check_parts(&read.selection, &read.region)
    }

    /// Decodes every voxel of a source, some at a time, and keeps none.
    ///
    /// # Errors
    /// As [`Sources::read`].
    pub fn decode_all(&self, source: &SourceRef) -> Result<(), SourceError> {
        let info = self.source_info(source)?;
        if info.is_endless() {
            return Ok(());
        }
        let _held = self.hold(source)?;
        for region in bands(&info) {
            let plan = Plan::Read(ReadPlan { source: source.clone(), ..ReadPlan::new("") }.with(Step::Crop(region)));
            let required = Region::of_size(region.size());
            self.read(&plan, &Target { size: region.size(), dtype: info.dtype, required })?;
        }
        Ok(())
    }

    /// About the most bytes of memory that [`Sources::decode_all`] takes; 0 for a source that it refuses.
    pub fn decode_all_cost(&self, source: &SourceRef) -> u64 {
        let Some(info) = self.source_info(source).ok().filter(|info| !info.is_endless()) else { return 0 };
        let largest = bands(&info).map(|band| band.size().voxels()).max().unwrap_or(0);
        self.read_cost(&info, largest, true)
    }
}

/// What is decoded at once: whole rows of blocks, one block deep.
fn bands(info: &SourceInfo) -> impl Iterator<Item = Region> + use<> {
    let (whole, block, size) = (info.region(), info.block, info.size);
    let depth = block.z.clamp(1, size.z.max(1));
    let row_bytes = size.x.saturating_mul(depth).saturating_mul(info.dtype.size_bytes() as u64).max(1);
    let rows = (BAND_BYTES / row_bytes / block.y.max(1)).max(1).saturating_mul(block.y.max(1));
    let step = |nth: u64, size: u64, all: Span| {
        Span::step(i64::try_from(nth).unwrap_or(i64::MAX), size).shift(all.start).intersect(all)
    };
    (0..size.z.div_ceil(depth)).flat_map(move |layer| {
        let z = step(layer, depth, whole.z);
        (0..size.y.div_ceil(rows)).map(move |nth| Region { y: step(nth, rows, whole.y), z, ..whole })
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::conformance::foreign;
    use super::*;

    /// A folder with a file of a changed copy of `name`.
    fn changed(name: &str, change: impl Fn(&mut Vec<u8>)) -> (tempfile::TempDir, Sources) {
        let folder = tempfile::tempdir().unwrap();
        let mut bytes = fs::read(foreign(name)).unwrap();
        change(&mut bytes);
        fs::write(folder.path().join(name), bytes).unwrap();
        let sources = Sources::new(folder.path().to_owned(), 0);
        (folder, sources)
    }

    #[test]
    fn a_cut_file_with_a_sound_header_is_found_without_decoding() {
        for name in ["grey16.png", "smooth.jpg", "strips_none_16_le.tif"] {
            let source = SourceRef::new(name);
            let (_folder, sources) = changed(name, |_| ());
            sources.sound(&source).unwrap();
            sources.decode_all(&source).unwrap();
            let (_folder, sources) = changed(name, |bytes| bytes.truncate(bytes.len() * 9 / 10));
            assert!(matches!(sources.sound(&source), Err(SourceError::Damaged { .. })), "{name}");
        }
    }

    #[test]
    fn changed_bytes_are_found_by_decoding() {
        let source = SourceRef::new("grey16.png");
        let (_folder, sources) = changed("grey16.png", |bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        });
        sources.sound(&source).unwrap();
        assert!(matches!(sources.decode_all(&source), Err(SourceError::Damaged { .. })));
    }

    #[test]
    fn bands_cover_each_row_once_in_whole_blocks() {
        let info = Sources::new(foreign(""), 0).info("big.tif").unwrap();
        let info = SourceInfo { size: crate::volume::Size::new(40_000, 1_000, 1), ..(*info).clone() };
        let bands: Vec<Region> = bands(&info).collect();
        assert!(bands.len() > 2);
        assert_eq!(bands.iter().map(|band| band.y.len()).sum::<u64>(), 1_000);
        assert!(bands.iter().all(|band| (band.y.start as u64).is_multiple_of(info.block.y)));
        assert!(bands.windows(2).all(|pair| pair[0].y.stop == pair[1].y.start));
    }

    #[test]
    fn bands_are_as_deep_as_blocks() {
        let info = Sources::new(foreign(""), 0).info("big.tif").unwrap();
        let (size, block) = (crate::volume::Size::new(23, 19, 11), crate::volume::Size::new(16, 8, 4));
        let info = SourceInfo { size, block, ..(*info).clone() };
        let depths: Vec<Span> = bands(&info).map(|band| band.z).collect();
        assert_eq!(depths, [Span::new(0, 4), Span::new(4, 8), Span::new(8, 11)]);
    }
}
