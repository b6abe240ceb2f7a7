//! A job is looked at before anything is uploaded: what is wrong with it is told by tile and file.

use boss_ingest::volume::Dtype;
use serde_json::{Value, json};

use crate::support::{Bench, TestVolume, settings};

const VOLUME: (i64, i64, i64) = (700, 500, 12);

fn volume() -> TestVolume {
    TestVolume::new(Dtype::Uint8, VOLUME.0, VOLUME.1, VOLUME.2)
}

fn extent(x: i64, z: i64) -> Value {
    json!({"x": [0, x], "y": [0, 500], "z": [0, z], "t": [0, 1]})
}

fn stack(extension: &str) -> Value {
    json!({"class": "z_stack", "params": {"root_dir": "sections", "base_filename": "s<p:4>", "extension": extension}})
}

fn slot(class: &str) -> Value {
    json!({"class": class, "params": {}})
}

/// A job of two tiles a section over twelve PNG files.
fn tiles(extent: Value) -> Bench {
    let bench = Bench::new();
    volume().write_sections(&bench.file("sections"), "png");
    bench.write_tile_job("localhost", extent, [512, 512], stack("png"), slot("image"));
    bench
}

/// The same job with a script for both slots.
fn scripted(script: &str) -> Bench {
    let bench = tiles(extent(700, 12));
    bench.write("s.lua", script);
    bench.write_tile_job("localhost", extent(700, 12), [512, 512], slot("s.lua"), slot("s.lua"));
    bench
}

fn section(bench: &Bench, z: i64, extension: &str) -> std::path::PathBuf {
    bench.file(&format!("sections/s{z:04}.{extension}"))
}

fn cut(path: &std::path::Path) {
    let whole = std::fs::read(path).unwrap();
    std::fs::write(path, &whole[..whole.len() * 4 / 5]).unwrap();
}

fn snapshot(bench: &Bench, name: &str, text: &str) {
    let mut settings = settings(bench);
    settings.add_filter(r#""seconds": [0-9.e-]+"#, r#""seconds": [seconds]"#);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

fn json_of(bench: &Bench, code: i32, more: &[&str]) -> Value {
    let ended = bench.run(&[&["check", "job.json", "--json"], more].concat()).expect_code(code);
    serde_json::from_str(&ended.stdout).unwrap()
}

/// Kinds, files and numbers of tasks of all rows.
fn rows(found: &Value) -> Vec<(String, String, u64)> {
    let row = |problem: &Value| {
        let text = |key: &str| problem[key].as_str().unwrap_or_default().to_owned();
        (text("kind"), text("file"), problem["tasks"].as_u64().unwrap())
    };
    found["findings"].as_array().unwrap().iter().map(row).collect()
}

fn row(kind: &str, file: &str, tasks: u64) -> (String, String, u64) {
    (kind.to_owned(), file.to_owned(), tasks)
}

#[test]
fn a_job_that_is_all_there_ends_with_one_line() {
    let bench = tiles(extent(700, 12));
    let ended = bench.run(&["check", "job.json"]).expect_code(0);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("24 tiles over 12 files: all there\n", ""));
    let found = json_of(&bench, 0, &[]);
    assert_eq!((&found["ok"], &found["tasks"], &found["files"]), (&json!(true), &json!(24), &json!(12)));
    assert_eq!(bench.run(&["check", "job.json", "--deep"]).expect_code(0).stdout, ended.stdout);
}

#[test]
fn every_bad_file_of_a_tile_job_is_named_with_its_first_tile() {
    let bench = tiles(extent(700, 12));
    std::fs::remove_file(section(&bench, 2, "png")).unwrap();
    cut(&section(&bench, 4, "png"));
    bench.write("sections/s0005.png", "not an image");
    TestVolume { x: 600, ..volume() }.write_section(&section(&bench, 6, "png"), 6, 0);
    TestVolume { x: 800, ..volume() }.write_section(&section(&bench, 7, "png"), 7, 0);
    TestVolume { dtype: Dtype::Uint16, ..volume() }.write_section(&section(&bench, 8, "png"), 8, 0);
    snapshot(&bench, "bad_files", &bench.run(&["check", "job.json"]).expect_code(3).stdout);
    let found = bench.run(&["check", "job.json", "--json"]).expect_code(3).stdout;
    snapshot(&bench, "bad_files_json", &found);
}

#[test]
fn every_bad_section_of_a_volumetric_job_is_named() {
    let bench = Bench::new();
    volume().write_sections(&bench.file("sections"), "tif");
    bench.write_chunk_job("localhost", extent(700, 12), [512, 512, 16], stack("tif"), slot("sections"));
    assert_eq!(json_of(&bench, 0, &[])["summary"], "2 chunks over 12 files: all there");
    std::fs::remove_file(section(&bench, 2, "tif")).unwrap();
    cut(&section(&bench, 4, "tif"));
    TestVolume { x: 600, ..volume() }.write_section(&section(&bench, 6, "tif"), 6, 0);
    TestVolume { dtype: Dtype::Uint16, ..volume() }.write_section(&section(&bench, 8, "tif"), 8, 0);
    let found = json_of(&bench, 3, &[]);
    let expected = [
        row("missing", "sections/s0002.tif", 2),
        row("damaged", "sections/s0004.tif", 2),
        row("wrong_size", "sections/s0006.tif", 1),
        row("wrong_type", "sections/s0008.tif", 2),
    ];
    assert_eq!(rows(&found), expected);
    assert_eq!(found["coverage"]["sentences"], json!(["section z 2 is missing"]));
    assert_eq!(found["findings"][2]["tile"], json!({"x": 1, "y": 0, "z": 0, "t": 0}));
}

#[test]
fn cut_files_of_every_format_are_found_without_decoding() {
    let image = |name: &str| std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/images").join(name);
    for (name, extension) in [("smooth.jpg", "jpg"), ("strips_deflate_8_le.tif", "tif"), ("grey8.png", "png")] {
        let bench = Bench::new();
        std::fs::create_dir(bench.file("sections")).unwrap();
        for z in 0..3 {
            std::fs::copy(image(name), section(&bench, z, extension)).unwrap();
        }
        let small = json!({"x": [0, 61], "y": [0, 37], "z": [0, 3], "t": [0, 1]});
        bench.write_tile_job("localhost", small, [512, 512], stack(extension), slot("image"));
        assert_eq!(rows(&json_of(&bench, 0, &[])), []);
        cut(&section(&bench, 1, extension));
        assert_eq!(rows(&json_of(&bench, 3, &[])), [row("damaged", &format!("sections/s0001.{extension}"), 1)]);
    }
}

#[test]
fn changed_bytes_are_found_when_every_file_is_decoded() {
    let bench = tiles(extent(700, 12));
    let mut bytes = std::fs::read(section(&bench, 3, "png")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(section(&bench, 3, "png"), bytes).unwrap();
    assert_eq!(rows(&json_of(&bench, 0, &[])), []);
    let deep = json_of(&bench, 3, &["--deep", "--memory", "16MiB"]);
    assert_eq!(rows(&deep), [row("damaged", "sections/s0003.png", 2)]);
}

#[test]
fn an_extent_that_is_too_long_or_too_short_is_told_in_one_sentence() {
    let sentences = |extent| json_of(&tiles(extent), 3, &[])["coverage"]["sentences"].clone();
    let long = "the files cover z 0..12, the job says 0..13: set `ingest_job.extent.z` to [0, 12]";
    assert_eq!(sentences(extent(700, 13)), json!([long]));
    let wide = "the files cover x 0..700, the job says 0..1300: set `ingest_job.extent.x` to [0, 700]";
    assert_eq!(sentences(extent(1300, 12)), json!([wide]));

    let bench = tiles(extent(600, 12));
    let script = "return { path = function(at) return ('sections/s%04d.png'):format(at.z) end }";
    bench.write("s.lua", script);
    bench.write_tile_job("localhost", extent(600, 10), [512, 512], slot("s.lua"), slot("image"));
    snapshot(&bench, "extent_too_short", &bench.run(&["check", "job.json"]).expect_code(0).stdout);
}

#[test]
fn one_file_with_too_few_pages_is_told_in_one_sentence() {
    let pages = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/images/pages_8.tif");
    let small = json!({"x": [0, 61], "y": [0, 37], "z": [0, 6], "t": [0, 1]});
    let expected = "the files cover z 0..5, the job says 0..6: set `ingest_job.extent.z` to [0, 5]";
    let script = "return {
  path = function() return 'pages.tif' end,
  tile = function(at) return { region = at.region, page = at.z } end,
  chunk = function(at) return { region = at.region } end,
}
";
    for kind in ["tile", "chunk"] {
        let bench = Bench::new();
        std::fs::copy(&pages, bench.file("pages.tif")).unwrap();
        bench.write("s.lua", script);
        match kind {
            "tile" => bench.write_tile_job("localhost", small.clone(), [512, 512], slot("s.lua"), slot("s.lua")),
            _ => bench.write_chunk_job("localhost", small.clone(), [512, 512, 16], slot("s.lua"), slot("s.lua")),
        }
        let found = json_of(&bench, 3, &[]);
        assert_eq!((&found["coverage"]["sentences"], &found["files"]), (&json!([expected]), &json!(1)), "{kind}");
        assert_eq!(rows(&found).len(), 1, "{found:#}");
    }
}

#[test]
fn sections_that_are_missing_in_between_are_ranges() {
    let bench = tiles(extent(700, 12));
    for z in [3, 6, 7, 8] {
        std::fs::remove_file(section(&bench, z, "png")).unwrap();
    }
    snapshot(&bench, "holes", &bench.run(&["check", "job.json"]).expect_code(3).stdout);
    let fill = json!({"class": "image", "params": {"missing": "fill"}});
    bench.write_tile_job("localhost", extent(700, 12), [512, 512], stack("png"), fill);
    let filled = bench.run(&["check", "job.json"]).expect_code(0).stdout;
    assert!(filled.contains("note: files are missing for 8 tiles, and the plans fill them\n"), "{filled}");
}

#[test]
fn what_scripts_do_wrong_on_some_tiles_is_a_row_each() {
    let bench = scripted(
        "local M = {}
function M.path(at)
  return ('sections/s%04d.png'):format(at.z)
end
function M.tile(at)
  if at.z == 2 and at.x == 1 then
    local shift = nil
    return { region = at.region, offset = shift + 1 }
  elseif at.z == 5 then
    return nil, 'the knife skipped this section'
  elseif at.z == 7 then
    return { path = 'ftp://example.org/s7.png' }
  elseif at.z == 9 then
    return { regoin = at.region }
  end
  return { region = at.region }
end
return M
",
    );
    snapshot(&bench, "script_rows", &bench.run(&["check", "job.json"]).expect_code(3).stdout);
}

#[test]
fn voxels_that_are_read_twice_are_told() {
    let twice = scripted(
        "local M = {}
function M.path(at)
  return ('sections/s%04d.png'):format(at.z == 11 and 10 or at.z)
end
function M.tile(at)
  if at.z == 3 then
    return { region = { x = { 0, 512 }, y = { 0, 512 } }, fill = 0 }
  end
  return { region = at.region }
end
return M
",
    );
    snapshot(&twice, "duplicates", &twice.run(&["check", "job.json"]).expect_code(3).stdout);
}

#[test]
fn the_channels_type_is_held_against_the_files() {
    let bench = tiles(extent(700, 12));
    TestVolume { dtype: Dtype::Uint16, ..volume() }.write_section(&section(&bench, 8, "png"), 8, 0);
    assert_eq!(rows(&json_of(&bench, 3, &["--dtype", "uint8"])), [row("wrong_type", "sections/s0008.png", 2)]);
    assert_eq!(rows(&json_of(&bench, 0, &["--dtype", "uint16"])), []);
    let cast = "return { path = function(at) return ('sections/s%04d.png'):format(at.z) end,
        tile = function(at) return { region = at.region, cast = 'saturate' } end }";
    bench.write("s.lua", cast);
    bench.write_tile_job("localhost", extent(700, 12), [512, 512], slot("s.lua"), slot("s.lua"));
    assert_eq!(rows(&json_of(&bench, 0, &["--dtype", "uint8"])), []);
}

#[test]
fn a_job_that_lies_askew_is_told_and_looked_at_all_the_same() {
    let bench = tiles(extent(700, 12));
    let askew = json!({"x": [0, 700], "y": [0, 500], "z": [3, 12], "t": [0, 1]});
    bench.write_tile_job("localhost", askew, [512, 512], stack("png"), slot("image"));
    std::fs::remove_file(section(&bench, 5, "png")).unwrap();
    snapshot(&bench, "askew", &bench.run(&["check", "job.json"]).expect_code(3).stdout);
}

#[test]
fn a_job_or_script_that_cannot_be_used_ends_with_2() {
    let bench = tiles(json!({"x": [9, 3], "y": [0, 500], "z": [0, 12], "t": [0, 1]}));
    let ended = bench.run(&["check", "job.json", "--json"]).expect_code(2);
    let found: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(rows(&found), [row("job", "", 0)]);
    assert!(ended.stderr.starts_with("error: the job file "), "{}", ended.stderr);

    let broken = scripted("return { path = function(at) return 's' .. end }\n");
    let ended = broken.run(&["check", "job.json", "--json"]).expect_code(2);
    let found: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(rows(&found), [row("script", "", 0)]);
    assert_eq!(broken.run(&["check", "job.json"]).expect_code(2).stdout, "");
}

#[test]
fn a_sample_is_spread_over_the_job() {
    let bench = tiles(extent(700, 13));
    let ended = bench.run(&["check", "job.json", "--sample", "6"]).expect_code(3);
    assert!(ended.stdout.ends_with("1 problem in 6 of 26 tiles over 6 files\n"), "{}", ended.stdout);
    assert_eq!(ended.stdout, bench.run(&["check", "job.json", "--sample", "6"]).stdout);
}

#[test]
fn help_teaches_check() {
    insta::assert_snapshot!("help_check", Bench::new().run(&["check", "--help"]).expect_code(0).stdout);
}
