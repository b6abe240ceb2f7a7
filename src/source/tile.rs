//! Tiles for tile jobs: a file that already is the tile goes through byte for byte.

use super::{Colour, Encode, Plan, ReadPlan, SourceError, SourceInfo, Sources, Step, Target};
use crate::codec::{self, ImageFormat};
use crate::volume::{Block, Region};

/// Bytes that a file may be longer than its voxels. Above that it carries much else, and is better encoded anew.
const MAX_EXTRA_BYTES: u64 = 64 << 10;

/// What a tile job uploads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TileBytes {
    /// The bytes of a sound image file that is the tile.
    AsIs { bytes: Vec<u8>, format: ImageFormat },
    /// Voxels that have still to be encoded.
    Voxels(Block),
}

impl Sources {
    /// Reads a tile. Where the plan's file is the tile already, as the Boss's decoder sees it too, its own bytes come back,
    /// after it was shown that they are sound: by the checksums of a PNG file, by decoding another.
    ///
    /// # Errors
    /// As [`Sources::read`].
    pub fn read_tile(&self, plan: &Plan, target: &Target) -> Result<TileBytes, SourceError> {
        if let Plan::Read(read) = plan
            && let Some(tile) = self.as_is(read, target)?
        {
            return Ok(tile);
        }
        Ok(TileBytes::Voxels(self.read(plan, target)?))
    }

    /// The file's own bytes, when they are the tile. Whatever is wrong with the header is left to [`Sources::read`].
    fn as_is(&self, plan: &ReadPlan, target: &Target) -> Result<Option<TileBytes>, SourceError> {
        let Ok(info) = self.source_info(&plan.source) else { return Ok(None) };
        let Some(format) = ImageFormat::from_name(info.format) else { return Ok(None) };
        if !(is_tile(&info, target) && is_untouched(plan, target) && is_encoded(format, plan.encode)) {
            return Ok(None);
        }
        let bytes = self.locate(&plan.source.path)?.bytes(self.limit_bytes())?;
        let proved = codec::prove(&bytes, self.limit_bytes());
        let is_same =
            proved.map_err(|error| SourceError::codec(&plan.source.path, error))? == (target.size, target.dtype);
        Ok(is_same.then_some(TileBytes::AsIs { bytes, format }))
    }
}

fn is_tile(info: &SourceInfo, target: &Target) -> bool {
    info.is_plain
        && info.is_flat()
        && info.size == target.size
        && info.dtype == target.dtype
        && info.file_bytes <= info.decoded_bytes().saturating_add(MAX_EXTRA_BYTES)
}

/// Whether the plan takes all voxels as they are.
fn is_untouched(plan: &ReadPlan, target: &Target) -> bool {
    let whole = Region::of_size(target.size);
    let is_whole = match plan.steps.as_slice() {
        [] | [Step::Whole] => true,
        [Step::Crop(region)] => (region.x, region.y) == (whole.x, whole.y) && region.z.len() == 1,
        _ => false,
    };
    // Anything unusual may be a mistake, which reading finds.
    is_whole && plan.source.axes.is_none() && plan.source.select.is_empty() && plan.source.colour == Colour::None
}

fn is_encoded(format: ImageFormat, wanted: Option<Encode>) -> bool {
    match wanted {
        None => true,
        Some(Encode::Png) => format == ImageFormat::Png,
        Some(Encode::Tiff) => format == ImageFormat::Tiff,
    }
}

#[cfg(test)]
mod tests {
    use super::super::conformance::foreign;
    use super::*;
    use crate::volume::{Dtype, Size};

    const SIZE: Size = Size::new(61, 37, 1);

    fn tile(plan: ReadPlan, dtype: Dtype, size: Size) -> Result<TileBytes, SourceError> {
        let target = Target { size, dtype, required: Region::of_size(SIZE).intersect(&Region::of_size(size)) };
        Sources::new(foreign(""), 1 << 20).read_tile(&Plan::Read(plan), &target)
    }

    #[test]
    fn a_file_that_is_the_tile_goes_through_byte_for_byte() {
        let cases = [
            ("grey8.png", Dtype::Uint8, ImageFormat::Png),
            ("interlaced16.png", Dtype::Uint16, ImageFormat::Png),
            ("strips_lzw_16_be.tif", Dtype::Uint16, ImageFormat::Tiff),
        ];
        for (name, dtype, format) in cases {
            for step in [Step::Whole, Step::Crop(Region::of_size(SIZE).shift(0, 0, 9))] {
                let bytes = std::fs::read(foreign(name)).unwrap();
                let tile = tile(ReadPlan::new(name).with(step), dtype, SIZE).unwrap();
                assert!(tile == TileBytes::AsIs { bytes, format }, "{name}");
            }
        }
    }

    #[test]
    fn everything_else_comes_as_voxels() {
        let whole = |name: &str| ReadPlan::new(name).with(Step::Whole);
        let tiff = ReadPlan { encode: Some(Encode::Tiff), ..whole("grey8.png") };
        let scaled = ReadPlan { cast: Some(super::super::Cast::Saturate), ..whole("grey8.png") }
            .with(Step::Scale { factor: 0.5, offset: 0.0 });
        let mut page = whole("pages_8.tif");
        page.source.page = Some(0);
        let cases = [
            (tiff, Dtype::Uint8, SIZE),
            (scaled, Dtype::Uint8, SIZE),
            (whole("grey8.png"), Dtype::Uint16, SIZE),
            (whole("grey8.png"), Dtype::Uint8, Size::new(64, 64, 1)),
            (whole("grey1.png"), Dtype::Uint8, SIZE),
            (whole("white_is_zero_8.tif"), Dtype::Uint8, SIZE),
            (whole("zstd.tif"), Dtype::Uint16, SIZE),
            (whole("big.tif"), Dtype::Uint16, SIZE),
            (page, Dtype::Uint8, SIZE),
        ];
        for (plan, dtype, size) in cases {
            let name = plan.source.path.clone();
            match tile(plan, dtype, size).unwrap() {
                TileBytes::Voxels(block) => assert_eq!((block.dtype(), block.size()), (dtype, size), "{name}"),
                TileBytes::AsIs { .. } => panic!("{name} is not the tile"),
            }
        }
    }

    #[test]
    fn a_cut_file_that_would_be_the_tile_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["grey8.png", "strips_none_8_le.tif", "smooth.jpg"] {
            let bytes = std::fs::read(foreign(name)).unwrap();
            let file = folder.path().join(name);
            std::fs::write(&file, &bytes[..bytes.len() * 3 / 4]).unwrap();
            let size = if name == "smooth.jpg" { Size::new(97, 61, 1) } else { SIZE };
            let cut = tile(ReadPlan::new(file.to_str().unwrap()).with(Step::Whole), Dtype::Uint8, size);
            assert!(matches!(cut, Err(SourceError::Damaged { .. })), "{name}: {cut:?}");
        }
    }
}
