//! Random files of other writers, each voxel compared with what the writer gave it.
//!
//! `tests/foreign/random_FORMAT.py` writes them, and `cases.json`, which says what must be read of each. The seed is fixed;
//! `BOSS_INGEST_SEED` sets another one.

use std::collections::BTreeMap;
use std::path::Path;

use boss_ingest::source::{Colour, Plan, ReadPlan, SourceRef, Sources, Step, Target};
use boss_ingest::volume::{Block, Dtype, Region, Size, Span};
use serde::Deserialize;

use crate::support::{first_difference, python, run, voxels_of};

const COUNT: usize = 200;

/// Little enough that some blocks of a file are decoded again, and others not.
const CACHE_BYTES: u64 = 64 << 10;

/// One file, or one part of it, and what must be read.
#[derive(Debug, Deserialize)]
struct Case {
    path: String,
    format: Option<String>,
    dataset: Option<String>,
    level: Option<u64>,
    page: Option<u64>,
    axes: Option<String>,
    #[serde(default)]
    select: BTreeMap<char, u64>,
    channel: Option<u64>,
    dtype: Dtype,
    /// `[z, y, x]`, or `[y, x]`.
    shape: Vec<u64>,
    /// The position `[x, y, z]` of the first voxel.
    #[serde(default)]
    origin: [i64; 3],
    /// The numpy file of the voxels.
    voxels: String,
    /// How far a value may be off, in formats that lose.
    #[serde(default)]
    tolerance: u64,
}

impl Case {
    fn source(&self) -> SourceRef {
        SourceRef {
            format: self.format.clone(),
            dataset: self.dataset.clone(),
            level: self.level,
            page: self.page,
            axes: self.axes.clone(),
            select: self.select.clone(),
            colour: self.channel.map_or(Colour::None, Colour::Channel),
            ..SourceRef::new(&self.path)
        }
    }

    fn expected(&self, folder: &Path) -> Block {
        let size = match self.shape[..] {
            [z, y, x] => Size::new(x, y, z),
            [y, x] => Size::new(x, y, 1),
            _ => panic!("a shape of {:?}", self.shape),
        };
        Block::from_bytes(self.dtype, size, voxels_of(&folder.join(&self.voxels))).unwrap()
    }

    /// Reads the whole, and random regions: inside, over the edges of blocks, at the far end, and partly outside.
    fn check(&self, sources: &Sources, expected: &Block, random: &mut fastrand::Rng) -> Result<(), String> {
        let info = sources.source_info(&self.source()).map_err(|error| format!("{error:?}"))?;
        let (size, [x, y, z]) = (expected.size(), self.origin);
        if (info.size, info.dtype, info.origin) != (size, self.dtype, (x, y, z)) {
            return Err(format!("it is {info:?}"));
        }
        self.compare(sources, expected, Region::of_size(size), None)?;
        for pick in [inside, over_an_edge, at_the_end, partly_outside] {
            for _ in 0..3 {
                let mut span = |size: u64, block: u64| pick(size as i64, block.clamp(1, size) as i64, random);
                let (x, y) = (span(size.x, info.block.x), span(size.y, info.block.y));
                // A 2D source is one section, wherever it is asked for.
                let z = if info.is_flat() { Span::one(0) } else { span(size.z, info.block.z) };
                self.compare(sources, expected, Region::new(x, y, z), Some(7.0))?;
            }
        }
        Ok(())
    }

    /// `region` counts from the first voxel.
    fn compare(&self, sources: &Sources, whole: &Block, region: Region, fill: Option<f64>) -> Result<(), String> {
        let [x, y, z] = self.origin;
        let source = self.source();
        let plan = ReadPlan { source, fill, ..ReadPlan::new("") }.with(Step::Crop(region.shift(x, y, z)));
        let target = Target { size: region.size(), dtype: self.dtype, required: Region::of_size(region.size()) };
        let found = sources.read(&Plan::Read(plan), &target).map_err(|error| format!("{region}: {error:?}"))?;
        let expected = cut(whole, &region, fill.unwrap_or(0.0));
        let (expected, found) = (expected.as_bytes(), found.as_bytes());
        let difference = first_difference(expected, found, self.dtype, region.size(), self.tolerance);
        difference.map_or(Ok(()), |difference| Err(format!("{region}: {difference}, counted from the region's start")))
    }
}

/// The voxels of a region, which may reach outside.
fn cut(whole: &Block, region: &Region, fill: f64) -> Block {
    let mut cut = Block::filled(whole.dtype(), region.size(), &voxel_bytes(fill, whole.dtype()));
    cut.paste(whole, (-region.x.start, -region.y.start, -region.z.start));
    cut
}

fn voxel_bytes(value: f64, dtype: Dtype) -> Vec<u8> {
    match dtype {
        Dtype::Float32 => (value as f32).to_le_bytes().to_vec(),
        Dtype::Float64 => value.to_le_bytes().to_vec(),
        integer => (value as i64).to_le_bytes()[..integer.size_bytes()].to_vec(),
    }
}

fn inside(size: i64, _: i64, random: &mut fastrand::Rng) -> Span {
    let start = random.i64(0..size);
    Span::new(start, random.i64(start..size) + 1)
}

fn over_an_edge(size: i64, block: i64, random: &mut fastrand::Rng) -> Span {
    let edge = block * random.i64(0..=size / block);
    Span::new((edge - random.i64(1..4)).clamp(0, size - 1), (edge + random.i64(1..4)).min(size))
}

fn at_the_end(size: i64, _: i64, random: &mut fastrand::Rng) -> Span {
    Span::new(random.i64(0..size), size)
}

fn partly_outside(size: i64, block: i64, random: &mut fastrand::Rng) -> Span {
    let Span { start, stop } = inside(size, block, random);
    Span::new(start - random.i64(0..2 * size), stop + random.i64(0..2 * size))
}

/// Reads the random files of a format, which Python writes with these packages.
#[track_caller]
fn judge(format: &str, packages: &str) {
    let Some(python) = python(packages) else { return };
    let seed = std::env::var("BOSS_INGEST_SEED").map_or(4, |seed| seed.parse().expect("a seed is a whole number"));
    let folder = tempfile::tempdir().unwrap();
    let args = [folder.path().to_str().unwrap(), &COUNT.to_string(), &seed.to_string()];
    run(&python, &format!("random_{format}.py"), &args);
    let cases: Vec<Case> = serde_json::from_slice(&std::fs::read(folder.path().join("cases.json")).unwrap()).unwrap();
    assert!(cases.len() >= COUNT, "{} cases", cases.len());
    let sources = Sources::new(folder.path().to_owned(), CACHE_BYTES);
    let mut random = fastrand::Rng::with_seed(seed);
    let failed = cases.iter().enumerate().filter_map(|(nth, case)| {
        let failure = case.check(&sources, &case.expected(folder.path()), &mut random).err()?;
        Some(format!("case {nth}: {failure}\n  {case:?}"))
    });
    let failed: Vec<String> = failed.collect();
    let shown = failed.iter().take(5).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(failed.is_empty(), "{} of {} {format} cases, BOSS_INGEST_SEED={seed}:\n{shown}", failed.len(), cases.len());
}

#[test]
fn png_images_of_pillow_are_read_right() {
    judge("png", "numpy, PIL");
}

#[test]
fn jpeg_images_of_pillow_are_read_right() {
    judge("jpeg", "numpy, PIL");
}

#[test]
fn zarr_arrays_of_zarr_python_are_read_right() {
    judge("zarr", "numpy, numcodecs, zarr");
}

#[test]
fn n5_datasets_of_tensorstore_are_read_right() {
    judge("n5", "numpy, tensorstore");
}

#[test]
fn bmp_images_of_pillow_are_read_right() {
    judge("bmp", "numpy, PIL");
}

#[test]
fn tiff_files_of_tifffile_are_read_right() {
    judge("tiff", "imagecodecs, numpy, tifffile");
}

#[test]
fn hdf5_files_of_h5py_are_read_right() {
    judge("hdf5", "h5py, numpy");
}

#[test]
fn precomputed_volumes_of_cloudvolume_are_read_right() {
    judge("precomputed", "cloudvolume, numpy");
}

#[test]
fn mrc_files_of_mrcfile_are_read_right() {
    judge("mrc", "mrcfile, numpy");
}

#[test]
fn nifti_files_of_nibabel_are_read_right() {
    judge("nifti", "nibabel, numpy");
}

#[test]
fn npy_files_of_numpy_are_read_right() {
    judge("npy", "numpy");
}

#[test]
fn raw_nrrd_and_metaimage_files_of_their_own_libraries_are_read_right() {
    judge("raw", "nrrd, numpy, SimpleITK");
}
