//! The tutorial's five folders: made as the page shows them, planned by its scripts, and read voxel by voxel.

use std::fs::{self, File};
use std::sync::Arc;

use boss_ingest::codec::{self, ImageFormat};
use boss_ingest::config;
use boss_ingest::engine;
use boss_ingest::lua::{Answer, Scripts};
use boss_ingest::source::Sources;
use boss_ingest::volume::{Block, Dtype, Index, Region, Size, Span, Task};
use serde_json::Value;
use tiff::encoder::{TiffEncoder, colortype};

use crate::support::{Bench, TestVolume};

const PAGE: &str = include_str!("../../docs/tutorial.md");

/// A chapter of the page: its script, its job file, its data file if it has one.
struct Chapter {
    script: String,
    job: Value,
    data: Option<String>,
}

/// The blocks of a chapter that are fenced as `language`.
fn fenced(chapter: &str, language: &str) -> Vec<String> {
    let fence = format!("\n```{language}\n");
    let blocks = chapter.split(&fence).skip(1);
    blocks.map(|block| block.split("\n```").next().unwrap().to_owned()).collect()
}

impl Chapter {
    /// The chapter with this number. Chapter 1 has the whole job file, the others what is different.
    fn read(number: usize) -> Chapter {
        let chapters: Vec<&str> = PAGE.split("\n## ").skip(1).collect();
        assert_eq!(chapters.len(), 5, "the page promises five folders");
        assert!(chapters[number - 1].starts_with(&format!("{number}. ")));
        let mut job: Value = serde_json::from_str(&fenced(chapters[0], "json")[0]).unwrap();
        let json = fenced(chapters[number - 1], "json");
        let (parts, data): (Vec<_>, Vec<_>) = json.into_iter().partition(|block| block.starts_with('"'));
        if let Some(part) = parts.first() {
            let part: Value = serde_json::from_str(&format!("{{{part}}}")).unwrap();
            job["client"].as_object_mut().unwrap().remove("tile_processor");
            for (name, value) in part.as_object().unwrap() {
                match name.as_str() {
                    "ingest_job" => job["ingest_job"] = value.clone(),
                    slot => job["client"][slot] = value.clone(),
                }
            }
        }
        let [script] = fenced(chapters[number - 1], "lua").try_into().expect("a chapter has one script");
        Chapter { script, job, data: data.into_iter().next() }
    }

    /// Writes the job and its script, and runs the script's own cases, as the page tells its reader to.
    fn set_up(&self, bench: &Bench) {
        bench.write("job.json", &self.job.to_string());
        bench.write("paths.lua", &format!("{}\n", self.script));
        let ended = bench.run(&["test", "job.json"]);
        assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    }
}

/// Every task's voxels against `voxel(x, y, z, t)`, which is 0 outside of the data. Gives the tasks that have no plan.
fn compare_all(bench: &Bench, dtype: Dtype, voxel: impl Fn(i64, i64, i64, i64) -> u64) -> Vec<Index> {
    let job = config::load(&bench.file("job.json")).unwrap_or_else(|error| panic!("{error:?}")).job;
    let sources = Arc::new(Sources::new(job.dir.clone(), 64 << 20));
    let mut host = Scripts::load(&job).unwrap().host(sources.clone()).unwrap();
    let mut missing = Vec::new();
    for task in job.grid.tasks() {
        let (Task::Tile { tile: index, .. } | Task::Chunk { chunk: index, .. }) = task;
        let plan = match host.plan(index).unwrap() {
            Answer::Plan(plan) => plan,
            Answer::Missing { .. } => {
                missing.push(index);
                continue;
            }
        };
        let block = sources.read(&plan, &engine::target(&job.grid, dtype, index)).unwrap_or_else(|e| panic!("{e}"));
        let region = job.grid.region(index);
        let mut found = block.as_bytes().chunks(dtype.size_bytes());
        for (z, y) in (region.z.start..region.z.stop).flat_map(|z| (region.y.start..region.y.stop).map(move |y| (z, y)))
        {
            for x in region.x.start..region.x.stop {
                let expected = &voxel(x, y, z, index.t).to_le_bytes()[..dtype.size_bytes()];
                assert_eq!(found.next(), Some(expected), "x {x}, y {y}, z {z}, t {}", index.t);
            }
        }
    }
    missing
}

#[test]
fn chapter_1_one_image_for_each_section() {
    let bench = Bench::new();
    let volume = TestVolume::new(Dtype::Uint8, 1000, 700, 4);
    for z in 0..4 {
        volume.write_section(&bench.file(&format!("sections/slice_{:04}.png", z + 1)), z, 0);
    }
    Chapter::read(1).set_up(&bench);
    assert_eq!(compare_all(&bench, Dtype::Uint8, |x, y, z, t| volume.voxel(x, y, z, t)), []);
}

#[test]
fn chapter_2_tiles_by_row_and_column() {
    let bench = Bench::new();
    let volume = TestVolume::new(Dtype::Uint8, 1024, 1024, 3);
    for (row, column, z) in (0..2).flat_map(|row| (0..2).flat_map(move |column| (0..3).map(move |z| (row, column, z))))
    {
        let name = format!(
            "tiles/r{}-c{}/2019-08-12T{:02}{:02}_s{:03}.tif",
            row + 1,
            column + 1,
            9 + z,
            15 + 2 * column + 5 * row,
            z + 1
        );
        if (row, column, z) == (1, 1, 2) {
            continue;
        }
        let tile = volume.section(z, 0).cut(&Region::new(Span::step(column, 512), Span::step(row, 512), Span::one(0)));
        bench.write(&name, "");
        fs::write(bench.file(&name), codec::encode(&tile, ImageFormat::Tiff).unwrap()).unwrap();
    }
    bench.write("tiles/r1-c1/focus.log", "12 µm\n");
    Chapter::read(2).set_up(&bench);
    let missing = compare_all(&bench, Dtype::Uint8, |x, y, z, t| volume.voxel(x, y, z, t));
    assert_eq!(missing, [Index::new(1, 1, 2, 0)]);
}

#[test]
fn chapter_3_pages_are_time() {
    let bench = Bench::new();
    let volume = TestVolume { t: 5, ..TestVolume::new(Dtype::Uint16, 300, 200, 3) };
    fs::create_dir(bench.file("recording")).unwrap();
    for z in 0..3 {
        let file = File::create(bench.file(&format!("recording/plane_{z:02}.tif"))).unwrap();
        let mut encoder = TiffEncoder::new(file).unwrap();
        for t in 0..5 {
            let bytes = volume.bytes(0..300, 0..200, z..z + 1, t);
            let values: Vec<u16> = bytes.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
            encoder.write_image::<colortype::Gray16>(300, 200, &values).unwrap();
        }
    }
    Chapter::read(3).set_up(&bench);
    assert_eq!(compare_all(&bench, Dtype::Uint16, |x, y, z, t| volume.voxel(x, y, z, t)), []);
}

#[test]
fn chapter_4_two_cameras_side_by_side() {
    let bench = Bench::new();
    let both = TestVolume::new(Dtype::Uint16, 1400, 500, 2);
    let twelve_bits = |x, y, z| both.voxel(x, y, z, 0) & 4095;
    for z in 0..2 {
        // The right camera sees the right half in a mirror.
        for (folder, is_mirrored) in [("left", false), ("right", true)] {
            let column = |x| if is_mirrored { 1399 - x } else { x };
            let rows = (0..500).flat_map(|y| (0..700).map(move |x| (x, y)));
            let bytes = rows.flat_map(|(x, y)| (twelve_bits(column(x), y, z) as u16).to_le_bytes()).collect();
            let section = Block::from_bytes(Dtype::Uint16, Size::new(700, 500, 1), bytes).unwrap();
            let name = format!("{folder}/{z:04}.tif");
            bench.write(&name, "");
            fs::write(bench.file(&name), codec::encode(&section, ImageFormat::Tiff).unwrap()).unwrap();
        }
    }
    Chapter::read(4).set_up(&bench);
    let eight_bits = |x, y, z, _| (twelve_bits(x, y, z) as f64 * (255.0 / 4095.0)).round() as u64;
    assert_eq!(compare_all(&bench, Dtype::Uint8, eight_bits), []);
}

#[test]
fn chapter_5_sections_that_were_lost() {
    let bench = Bench::new();
    let chapter = Chapter::read(5);
    let lost = [3, 11];
    let volume = TestVolume::new(Dtype::Uint16, 600, 500, 20);
    for z in (0..20).filter(|z| !lost.contains(z)) {
        volume.write_section(&bench.file(&format!("sections/s{z:04}.tif")), z, 0);
    }
    bench.write("lost.json", chapter.data.as_ref().unwrap());
    chapter.set_up(&bench);
    let voxel = |x, y, z, t| if lost.contains(&z) { 0 } else { volume.voxel(x, y, z, t) };
    assert_eq!(compare_all(&bench, Dtype::Uint16, voxel), []);

    // A file that lacks and is not on the list is still an error.
    fs::remove_file(bench.file("sections/s0007.tif")).unwrap();
    let job = config::load(&bench.file("job.json")).unwrap().job;
    let sources = Arc::new(Sources::new(job.dir.clone(), 64 << 20));
    let mut host = Scripts::load(&job).unwrap().host(sources.clone()).unwrap();
    let Answer::Plan(plan) = host.plan(Index::new(0, 0, 0, 0)).unwrap() else { panic!("a plan") };
    let error = sources.read(&plan, &engine::target(&job.grid, Dtype::Uint16, Index::new(0, 0, 0, 0))).unwrap_err();
    assert!(error.to_string().contains("sections/s0007.tif"), "{error}");
}
