//! `test`: scripts against the cases that they bring along.

use serde_json::{Value, json};

use crate::support::{Bench, TestVolume};
use boss_ingest::volume::Dtype;
use md5::{Digest, Md5};

/// A job of two sections, 700 × 500, in tiles of 512 × 512.
fn job(script: &str) -> (Bench, TestVolume) {
    let bench = Bench::new();
    let volume = TestVolume::new(Dtype::Uint16, 700, 500, 2);
    volume.write_sections(&bench.file("sections"), "tif");
    bench.write("paths.lua", script);
    let extent = json!({"x": [0, 700], "y": [0, 500], "z": [0, 2], "t": [0, 1]});
    let slot = |class: &str| json!({"class": class, "params": {}});
    bench.write_tile_job("127.0.0.1:1", extent, [512, 512], slot("paths.lua"), slot("image"));
    (bench, volume)
}

fn with_tests(cases: &str) -> String {
    let path = "function M.path(at)\n  if at.z == 1 then return nil, 'lost' end\n\
                return ('sections/s%04d.tif'):format(at.z) end\n";
    format!("local M = {{}}\n{path}M.tests = {{\n{cases}}}\nreturn M\n")
}

/// MD5 of a tile's voxels, those outside the volume being 0.
fn checksum(volume: &TestVolume, x: std::ops::Range<i64>, y: std::ops::Range<i64>, z: i64) -> String {
    format!("{:x}", Md5::digest(volume.bytes(x, y, z..z + 1, 0)))
}

#[test]
fn a_script_that_answers_as_expected_passes() {
    let volume = TestVolume::new(Dtype::Uint16, 700, 500, 2);
    let edge = checksum(&volume, 512..1024, 0..512, 0);
    let cases = format!(
        "{{ at = {{ x = 1 }}, path = 'sections/s0000.tif', checksum = '{edge}' }},\n\
         {{ at = {{ x = 1 }}, plan = {{ region = {{ x = {{ 512, 1024 }} }} }} }},\n\
         {{ name = 'the lost one', at = {{ z = 1 }}, missing = true }},\n"
    );
    let (bench, _) = job(&with_tests(&cases));

    let ended = bench.run(&["test", "job.json"]).expect_code(0);

    insta::assert_snapshot!("test_passed", ended.stdout);
    assert_eq!(ended.stderr, "");
}

#[test]
fn what_differs_is_shown_field_by_field() {
    let cases = "{ at = { x = 1 }, path = 'sections/s0001.tif', plan = { cast = 'wrap', page = 0 } },\n\
                 { at = {}, checksum = 'd41d8cd98f00b204e9800998ecf8427e' },\n\
                 { at = {}, pth = 'a.tif' },\n\
                 { at = { z = 1 }, path = 'sections/s0001.tif' },\n\
                 { at = { z = 7 }, checksum = 'd41d8cd98f00b204e9800998ecf8427e' },\n\
                 { at = {}, path = 'sections/s0000.tif' },\n";
    let (bench, volume) = job(&with_tests(cases));

    let ended = bench.run(&["test", "job.json"]).expect_code(1);

    assert!(ended.stdout.contains(&checksum(&volume, 0..512, 0..512, 0)), "{}", ended.stdout);
    insta::assert_snapshot!("test_failed", ended.stdout);
    let told: Value = serde_json::from_str(&bench.run(&["test", "job.json", "--json"]).expect_code(1).stdout).unwrap();
    assert_eq!((&told["passed"], &told["failed"]), (&json!(1), &json!(5)));
    let expected = json!({
        "script": "paths.lua", "number": 1, "name": null, "at": {"x": 1, "y": 0, "z": 0, "t": 0}, "passed": false,
        "differences": [
            {"field": "path", "expected": "\"sections/s0001.tif\"", "got": "\"sections/s0000.tif\""},
            {"field": "plan.cast", "expected": "\"wrap\"", "got": "\"exact\""},
        ],
        "problem": null,
    });
    assert_eq!(told["cases"][0], expected);
}

#[test]
fn the_examples_pass_their_own_tests() {
    for (example, expected) in [("em_stack", "2 passed, 0 failed\n"), ("em_volume", "1 passed, 0 failed\n")] {
        let job = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(example).join("job.json");
        let ended = Bench::new().run(&["test", job.to_str().unwrap()]).expect_code(0);
        assert!(ended.stdout.ends_with(expected), "{}", ended.stdout);
    }
}

#[test]
fn the_voxel_type_of_the_channel_can_be_given() {
    let (bench, volume) = job("return { path = function() return 'sections/s0001.tif' end }");
    let wide: Vec<u8> = volume.bytes(0..512, 0..512, 1..2, 0).chunks(2).flat_map(|v| [v, &[0; 6]].concat()).collect();
    let wide = format!("{:x}", Md5::digest(wide));
    bench.write("paths_test.lua", &format!("return {{ {{ at = {{ z = 1 }}, checksum = '{wide}' }} }}"));
    bench.run(&["test", "job.json", "--dtype", "uint64"]).expect_code(0);
    bench.run(&["test", "job.json"]).expect_code(1);
    bench.run(&["test", "job.json", "--dtype", "uint12"]).expect_code(2);
}

#[test]
fn a_job_without_cases_is_told_how_to_write_them() {
    let (bench, _) = job("return { path = function() return 'a' end }");
    insta::assert_snapshot!("test_without_cases", bench.run(&["test", "job.json"]).expect_code(2).stderr);
    bench.write("paths_test.lua", "return { { at = ");
    let wrong = bench.run(&["test", "job.json"]).expect_code(2);
    assert!(wrong.stderr.starts_with("error: script `paths_test.lua`, line 1: "), "{}", wrong.stderr);
}
