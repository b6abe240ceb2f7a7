//! What every reader must do: voxels where they belong, for any region, and never a panic on damaged files.
//!
//! A reader's tests call [`voxels_are_right`] with what the voxels must be, made from their coordinates, and
//! [`damage_is_survived`] with the bytes of a sound file.

use std::fs;
use std::path::{Path, PathBuf};

use super::cast::voxel_bytes;
use super::error::PlanMistake;
use super::format::open;
use super::location::Located;
use super::remote::{RemoteSettings, Remotes};
use super::{Colour, RegionReader, Selection, Shared, SourceError};
use crate::volume::{Block, Region, Size, Span};

/// The folder of images made by other programs; `tests/foreign/make_images.py` makes them.
pub(super) fn foreign(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/images").join(name)
}

/// The voxel at `(x, y, z)` of the foreign images, before it is wrapped to their type.
pub(super) fn foreign_voxel(x: i64, y: i64, z: i64) -> i64 {
    7 * x + 131 * y + 1009 * z + x * y
}

/// The value of channel `c` at `(x, y, z)` of the foreign colour images, before it is wrapped to their type;
/// `tests/foreign/make_colours.py` makes them.
pub(super) fn colour_voxel(x: i64, y: i64, z: i64, c: i64) -> i64 {
    foreign_voxel(x, y, z) + c * (10007 + 3 * x + 5 * y)
}

/// The selection of one channel, or of the grey.
pub(super) fn coloured(colour: Colour) -> Selection {
    Selection { colour, ..Selection::default() }
}

/// What finds no URLs in a test of its own.
pub(super) fn remotes() -> std::sync::Arc<Remotes> {
    Remotes::new(RemoteSettings::default(), 0)
}

/// Opens a file of any format.
pub(super) fn open_file(file: &Path) -> Result<std::sync::Arc<dyn RegionReader>, SourceError> {
    let located = Located::find(Path::new(""), file.to_str().expect("test paths are text"), &remotes())?;
    open(&located, None, &std::sync::Arc::new(Shared::new(64 << 20, 64 << 20)))
}

/// Reads whole sources, boxes, edges and single voxels, and compares each voxel with `expected(x, y, z)`, whose low bits are
/// the value.
pub(super) fn voxels_are_right(
    reader: &dyn RegionReader,
    selection: &Selection,
    expected: impl Fn(i64, i64, i64) -> i64,
) {
    blocks_are_right(reader, selection, |region, like| made(region, like, &expected));
}

/// The same with `expected(region, read)`, which gives the voxels of a region.
pub(super) fn blocks_are_right(
    reader: &dyn RegionReader,
    selection: &Selection,
    expected: impl Fn(&Region, &Block) -> Block,
) {
    let info = reader.info(selection).unwrap();
    let name = info.path.rsplit('/').next().unwrap().to_owned();
    let (x, y, z) = info.origin;
    for region in regions(info.size, info.block).into_iter().map(|region| region.shift(x, y, z)) {
        let block = reader.read(selection, &region).unwrap_or_else(|error| panic!("{name} at {region}: {error:?}"));
        assert_eq!((block.size(), block.dtype()), (region.size(), info.dtype), "{name} at {region}");
        assert!(block == expected(&region, &block), "{name} at {region}");
        // The same into the middle of a larger block, whose other voxels stay.
        let mut large = Block::filled(info.dtype, grown(region.size()), &voxel_bytes(77.0, info.dtype).unwrap());
        let mut expected_large = large.clone();
        reader.read_into(selection, &region, &mut large, (2, 1, 1)).unwrap();
        expected_large.paste(&block, (2, 1, 1));
        assert!(large == expected_large, "{name} at {region} into a larger block");
    }
    outside_is_refused(reader, selection, &info.region());
}

/// Cuts a sound file at 20 places and flips 200 bits, and reads all of what is left each time: an error, or voxels of the type
/// and size that the reader names.
pub(super) fn damage_is_survived(file: &Path) {
    damage_is_survived_with(file, &Selection::default());
}

/// The same with a part of the source selected.
pub(super) fn damage_is_survived_with(file: &Path, selection: &Selection) {
    let sound = fs::read(file).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let bad = folder.path().join("bad");
    let mut random = fastrand::Rng::with_seed(3);
    let cuts = (0..20).map(|n| sound[..sound.len() * n / 20].to_vec());
    let flips = (0..200).map(|_| {
        let mut flipped = sound.clone();
        flipped[random.usize(..sound.len())] ^= 1 << random.u8(..8);
        flipped
    });
    for bytes in cuts.chain(flips) {
        fs::write(&bad, bytes).unwrap();
        let read = || {
            let reader = open_file(&bad)?;
            let info = reader.info(selection)?;
            if info.decoded_bytes() < 64 << 20 {
                let block = reader.read(selection, &info.region())?;
                assert_eq!((block.size(), block.dtype()), (info.size, info.dtype));
            }
            Ok::<_, SourceError>(())
        };
        match read() {
            Ok(()) => {}
            // A damaged header may promise fewer channels, levels or positions, or other axes.
            Err(SourceError::Plan {
                mistake:
                    PlanMistake::NoSuchChannel { .. }
                    | PlanMistake::NoSuchLevel { .. }
                    | PlanMistake::NoSuchPosition { .. }
                    | PlanMistake::Select { .. },
                ..
            }) => {}
            // What is selected may have another name.
            Err(SourceError::Plan { .. }) if *selection != Selection::default() => {}
            Err(error) => {
                assert!(!matches!(error, SourceError::OutOfBounds { .. } | SourceError::Plan { .. }), "{error:?}");
            }
        }
    }
}

fn regions(size: Size, block: Size) -> Vec<Region> {
    let [x, y, z] = [(size.x, block.x), (size.y, block.y), (size.z, block.z)].map(|(size, block)| spans(size, block));
    let mut regions = vec![Region::of_size(size)];
    for n in 0..x.len().max(y.len()) {
        regions.push(Region::new(x[n % x.len()], y[n % y.len()], z[n % z.len()]));
        regions.push(Region::new(x[n % x.len()], y[(n + 2) % y.len()], z[(n + 1) % z.len()]));
    }
    regions
}

/// The whole, the first and the last voxel, both sides of a block's edge, the ragged last block, the middle.
fn spans(size: u64, block: u64) -> Vec<Span> {
    let (size, block) = (size as i64, block.min(size) as i64);
    let last = (size - 1) / block * block;
    let around = Span::new((block - 1).max(0), (block + 1).min(size));
    vec![
        Span::new(0, size),
        Span::one(0),
        Span::one(size - 1),
        around,
        Span::new(0, block),
        Span::new(last, size),
        Span::new(size / 3, (2 * size / 3).max(size / 3 + 1)),
    ]
}

fn made(region: &Region, like: &Block, expected: impl Fn(i64, i64, i64) -> i64) -> Block {
    use crate::volume::Dtype::{Float32, Float64};
    let mut bytes = Vec::with_capacity(like.as_bytes().len());
    for z in region.z.start..region.z.stop {
        for y in region.y.start..region.y.stop {
            for value in (region.x.start..region.x.stop).map(|x| expected(x, y, z)) {
                match like.dtype() {
                    Float32 => bytes.extend_from_slice(&(value as f32).to_le_bytes()),
                    Float64 => bytes.extend_from_slice(&(value as f64).to_le_bytes()),
                    integer => bytes.extend_from_slice(&value.to_le_bytes()[..integer.size_bytes()]),
                }
            }
        }
    }
    Block::from_bytes(like.dtype(), region.size(), bytes).unwrap()
}

fn grown(size: Size) -> Size {
    Size::new(size.x + 5, size.y + 3, size.z + 2)
}

fn outside_is_refused(reader: &dyn RegionReader, selection: &Selection, whole: &Region) {
    for (x, y, z) in [(1, 0, 0), (0, 1, 0), (0, 0, 1), (-1, 0, 0), (0, -1, 0), (0, 0, -1)] {
        let outside = reader.read(selection, &whole.shift(x, y, z));
        assert!(matches!(outside, Err(SourceError::OutOfBounds { .. })), "shifted by {x}, {y}, {z}");
    }
}
