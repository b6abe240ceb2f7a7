//! One task tried alone, as a script's author does all day.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use boss_ingest::codec;
use boss_ingest::source::checksum;
use boss_ingest::volume::Dtype;
use serde_json::{Value, json};

use crate::support::{Bench, TestVolume, command, settings};

/// Sections 0..3 of 700 × 500 voxels as `s/0.png` and so on, and a script that names them.
fn stack(bench: &Bench, dtype: Dtype) -> TestVolume {
    let volume = TestVolume::new(dtype, 700, 500, 3);
    for z in 0..3 {
        volume.write_section(&bench.file(&format!("s/{z}.{}", extension(dtype))), z, 0);
    }
    bench.write("paths.lua", &script(&format!("return \"s/\" .. at.z .. \".{}\"", extension(dtype))));
    volume
}

fn extension(dtype: Dtype) -> &'static str {
    if dtype.size_bytes() <= 2 { "png" } else { "tif" }
}

fn script(body: &str) -> String {
    format!("local M = {{}}\nfunction M.path(at)\n  {body}\nend\nreturn M\n")
}

fn extent() -> Value {
    json!({"x": [0, 700], "y": [0, 500], "z": [0, 3], "t": [0, 1]})
}

fn paths() -> Value {
    json!({"class": "paths.lua", "params": {}})
}

fn tile_job(bench: &Bench, tile: [u64; 2]) {
    bench.write_tile_job("localhost", extent(), tile, paths(), json!({"class": "image", "params": {}}));
}

fn chunk_job(bench: &Bench) {
    bench.write_chunk_job("localhost", extent(), [512, 512, 16], paths(), json!({"class": "sections", "params": {}}));
}

fn snapshot(bench: &Bench, name: &str, text: &str) {
    settings(bench).bind(|| insta::assert_snapshot!(format!("try_{name}"), text));
}

#[test]
fn a_tile_at_the_edge_is_explained_step_by_step() {
    let bench = Bench::new();
    stack(&bench, Dtype::Uint16);
    tile_job(&bench, [512, 512]);
    let ended = bench.run(&["try", "job.json", "--at", "x=1,y=0,z=2"]).expect_code(0);
    assert_eq!(ended.stderr, "");
    snapshot(&bench, "tile", &ended.stdout);
}

#[test]
fn a_file_that_is_the_tile_goes_up_as_it_is() {
    let bench = Bench::new();
    stack(&bench, Dtype::Uint8);
    bench.write_tile_job("localhost", extent(), [700, 500], paths(), json!({"class": "image", "params": {}}));
    let ended = bench.run(&["try", "job.json", "--at", "z=1"]).expect_code(0);
    assert!(ended.stdout.contains("  upload    the file itself, byte for byte: png, "), "{}", ended.stdout);
    assert!(ended.stderr.starts_with("warning: `ingest_job.tile_size.x` is 700"), "{}", ended.stderr);
    let wider = bench.run(&["try", "job.json", "--at", "z=1", "--dtype", "uint16"]).expect_code(0);
    assert!(wider.stdout.contains("  upload    encoded anew as png, "), "{}", wider.stdout);
}

#[test]
fn the_first_chunk_is_taken_where_none_is_named() {
    let bench = Bench::new();
    stack(&bench, Dtype::Uint8);
    chunk_job(&bench);
    let ended = bench.run(&["try", "job.json"]).expect_code(0);
    snapshot(&bench, "chunk", &ended.stdout);
}

#[test]
fn json_says_the_same_in_one_object() {
    let bench = Bench::new();
    let volume = stack(&bench, Dtype::Uint16);
    tile_job(&bench, [512, 512]);
    let args = ["try", "job.json", "--at", "x=1,z=2", "--json", "-o", "tile.raw"];
    let ended = bench.run(&args).expect_code(0);
    assert_eq!(ended.stderr, "");
    let found: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(found["at"], json!({"x": 1, "y": 0, "z": 2, "t": 0}));
    assert_eq!(found["region"], json!({"x": [512, 1024], "y": [0, 512], "z": [2, 3]}));
    assert_eq!(found["required"], json!({"x": [0, 188], "y": [0, 500], "z": [0, 1]}));
    assert_eq!((&found["path"], &found["plan"]["path"]), (&json!("s/2.png"), &json!("s/2.png")));
    assert_eq!(found["sources"][0]["size"], json!({"x": 700, "y": 500, "z": 1}));
    assert_eq!((&found["shape"], &found["dtype"]), (&json!([1, 512, 512]), &json!("uint16")));
    let padded: Vec<Value> = serde_json::from_value(found["padded"].clone()).unwrap();
    assert!(padded.contains(&json!({"x": [0, 512], "y": [500, 512], "z": [0, 1]})), "{padded:?}");
    let expected = volume.bytes(512..1024, 0..512, 2..3, 0);
    let values = expected.as_chunks::<2>().0.iter().map(|bytes| u64::from(u16::from_le_bytes(*bytes)));
    let statistics = &found["statistics"];
    assert_eq!(statistics["max"], json!(values.clone().max()));
    assert_eq!(statistics["zeros"], json!(values.clone().filter(|value| *value == 0).count()));
    let mean = values.clone().sum::<u64>() as f64 / (512.0 * 512.0);
    assert!((statistics["mean"].as_f64().unwrap() - mean).abs() < 1e-9);
    let block = codec_block(Dtype::Uint16, [512, 512, 1], expected.clone());
    assert_eq!(found["checksum"], json!(checksum(&block)));
    assert_eq!(std::fs::read(bench.file("tile.raw")).unwrap(), expected);
    assert_eq!(found["output"], json!("tile.raw"));
    assert!(found["seconds"]["read"].as_f64().unwrap() > 0.0);
}

fn codec_block(dtype: Dtype, [x, y, z]: [u64; 3], bytes: Vec<u8>) -> boss_ingest::volume::Block {
    boss_ingest::volume::Block::from_bytes(dtype, boss_ingest::volume::Size::new(x, y, z), bytes).unwrap()
}

/// The shape and type in the header of a `.npy` file, and its voxels.
fn read_npy(bytes: &[u8]) -> (String, &[u8]) {
    assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
    let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    assert_eq!((10 + length) % 64, 0);
    let (header, voxels) = bytes[10..].split_at(length);
    (std::str::from_utf8(header).unwrap().trim_end().to_owned(), voxels)
}

#[test]
fn files_hold_the_whole_task_as_the_boss_would_store_it() {
    let bench = Bench::new();
    let volume = stack(&bench, Dtype::Uint16);
    tile_job(&bench, [96, 64]);
    std::fs::write(bench.file("tile.npy"), "an old file").unwrap();
    for name in ["tile.npy", "tile.tif", "tile.raw"] {
        let args = ["try", "job.json", "--at", "x=7,y=7,z=1", "--dtype", "uint64", "-o", name];
        let ended = bench.run(&args).expect_code(0);
        assert!(ended.stdout.contains(&format!("  written   `{name}`\n")), "{}", ended.stdout);
    }
    let narrow = volume.bytes(672..768, 448..512, 1..2, 0);
    let expected: Vec<u8> = narrow.chunks(2).flat_map(|voxel| [voxel, &[0; 6]].concat()).collect();
    let npy = std::fs::read(bench.file("tile.npy")).unwrap();
    let header = "{'descr': '<u8', 'fortran_order': False, 'shape': (64, 96), }";
    assert_eq!(read_npy(&npy), (header.to_owned(), &expected[..]));
    assert_eq!(std::fs::read(bench.file("tile.raw")).unwrap(), expected);
    let tif = codec::decode(&std::fs::read(bench.file("tile.tif")).unwrap(), 1 << 20).unwrap();
    assert_eq!((tif.dtype(), tif.as_bytes()), (Dtype::Uint64, &expected[..]));
    let left: Vec<_> = std::fs::read_dir(bench.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("part")), "{left:?}");
}

#[test]
fn ids_that_no_tile_can_carry_are_read_and_written_but_would_not_go_up() {
    let bench = Bench::new();
    let volume = stack(&bench, Dtype::Uint32);
    tile_job(&bench, [512, 512]);
    let ended = bench.run(&["try", "job.json", "--dtype", "uint64", "-o", "ids.npy"]).expect_code(3);
    assert!(ended.stdout.contains("  written   `ids.npy`\n"), "{}", ended.stdout);
    assert!(ended.stderr.contains("error: tile x 0, y 0, z 0 cannot be encoded for the Boss\n"), "{}", ended.stderr);
    let voxels = std::fs::read(bench.file("ids.npy")).unwrap();
    let low: Vec<u8> = read_npy(&voxels).1.chunks(8).flat_map(|voxel| voxel[..4].to_vec()).collect();
    assert!(low == volume.bytes(0..512, 0..512, 0..1, 0));
}

#[test]
fn a_chunk_is_written_with_all_its_sections_but_not_as_png() {
    let bench = Bench::new();
    let volume = stack(&bench, Dtype::Uint8);
    chunk_job(&bench);
    bench.run(&["try", "job.json", "--at", "x=1", "-o", "chunk.npy"]).expect_code(0);
    let npy = std::fs::read(bench.file("chunk.npy")).unwrap();
    let (header, voxels) = read_npy(&npy);
    assert_eq!(header, "{'descr': '|u1', 'fortran_order': False, 'shape': (16, 512, 512), }");
    assert!(voxels == volume.bytes(512..1024, 0..512, 0..16, 0));
    let refused = bench.run(&["try", "job.json", "-o", "chunk.png"]).expect_code(2);
    snapshot(&bench, "chunk_as_png", &refused.stderr);
    let unknown = bench.run(&["try", "job.json", "-o", "chunk.jpg"]).expect_code(2);
    assert!(unknown.stderr.contains("must end in .png, .npy, .tif or .raw"), "{}", unknown.stderr);
}

#[test]
fn a_tile_becomes_a_png_of_the_same_voxels() {
    let bench = Bench::new();
    let volume = stack(&bench, Dtype::Uint16);
    tile_job(&bench, [512, 512]);
    bench.run(&["try", "job.json", "-o", "tile.png"]).expect_code(0);
    let png = codec::decode(&std::fs::read(bench.file("tile.png")).unwrap(), 1 << 20).unwrap();
    assert!(png.as_bytes() == volume.bytes(0..512, 0..512, 0..1, 0));
    let wide = bench.run(&["try", "job.json", "--dtype", "uint64", "-o", "tile.png"]).expect_code(2);
    assert!(wide.stderr.contains("cannot hold uint64 voxels") && wide.stderr.contains(".npy"), "{}", wide.stderr);
}

#[test]
fn outside_of_the_extent_all_may_be_padding() {
    let bench = Bench::new();
    stack(&bench, Dtype::Uint8);
    tile_job(&bench, [512, 512]);
    let ended = bench.run(&["try", "job.json", "--at", "x=5,y=0,z=1"]).expect_code(0);
    snapshot(&bench, "outside", &format!("{}{}", ended.stderr, ended.stdout));
    let later = bench.run(&["try", "job.json", "--at", "z=1,t=4"]).expect_code(0);
    assert!(later.stderr.contains("tile x 0, y 0, z 1, t 4 lies outside the job's extent"), "{}", later.stderr);
}

/// The exit code and the messages of a script with this body, as text; and the same code with `--json`.
fn failing(bench: &Bench, body: &str, code: i32) -> (String, Value) {
    bench.write("paths.lua", &script(body));
    let text = bench.run(&["try", "job.json", "--at", "x=0,y=0,z=1"]).expect_code(code);
    let json = bench.run(&["try", "job.json", "--at", "x=0,y=0,z=1", "--json"]).expect_code(code);
    assert_eq!(json.stderr, "", "JSON says it all");
    (text.stdout + &text.stderr, serde_json::from_str(&json.stdout).unwrap())
}

#[test]
fn what_goes_wrong_is_said_plainly_with_a_code_for_programs() {
    let bench = Bench::new();
    stack(&bench, Dtype::Uint16);
    tile_job(&bench, [512, 512]);

    let (text, json) = failing(&bench, "return nil, \"section lost\"", 3);
    snapshot(&bench, "missing", &text);
    assert_eq!(json["missing"], json!("section lost"));

    let (text, json) = failing(&bench, "local names = at.names\n  return names[at.z]", 2);
    snapshot(&bench, "script_error", &text);
    assert_eq!((&json["exit_code"], &json["script"]["line"]), (&json!(2), &json!(4)));

    let (text, json) = failing(&bench, "return \"s/none.png\"", 3);
    snapshot(&bench, "no_file", &text);
    assert_eq!(json["error"], json!("`s/none.png` does not exist"));
    assert!(json["hint"].is_string() && json["plan"]["path"] == "s/none.png");

    let (text, _) = failing(&bench, "return nil +", 2);
    assert!(text.contains("\nerror: script `paths.lua`, line 4: unexpected symbol"), "{text}");

    bench.write("paths.lua", &script("return \"s/1.png\""));
    let misfit = bench.run(&["try", "job.json", "--dtype", "uint8"]).expect_code(3);
    assert!(misfit.stderr.contains("which does not fit in uint8\n  hint: set `cast = "), "{}", misfit.stderr);
    for wrong in [&["--at", "x=one"][..], &["--dtype", "uint12"], &["--at", "q=1"]] {
        bench.run(&[&["try", "job.json"], wrong].concat()).expect_code(2);
    }
    let absent: Value =
        serde_json::from_str(&bench.run(&["try", "none.json", "--json"]).expect_code(2).stdout).unwrap();
    assert_eq!(absent["exit_code"], json!(2));
}

#[test]
fn a_stack_names_the_sections_that_differ() {
    let bench = Bench::new();
    stack(&bench, Dtype::Uint8);
    TestVolume::new(Dtype::Uint16, 700, 500, 3).write_section(&bench.file("s/2.png"), 2, 0);
    chunk_job(&bench);
    let ended = bench.run(&["try", "job.json"]).expect_code(3);
    snapshot(&bench, "sections_differ", &format!("{}{}", ended.stdout, ended.stderr));
    bench.run(&["try", "job.json", "--dtype", "uint16"]).expect_code(0);
}

#[test]
fn watching_tries_again_when_a_script_or_its_module_is_saved() {
    let bench = Bench::new();
    stack(&bench, Dtype::Uint8);
    tile_job(&bench, [512, 512]);
    bench.write("names.lua", "return { folder = \"s\" }");
    bench.write("paths.lua", &script("return require(\"names\").folder .. \"/0.png\""));
    let mut watched = command(bench.path(), &["try", "job.json", "--watch"]);
    let mut child = watched.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut wait_for = |wanted: &str| {
        let found = lines.find(|line| line.as_ref().unwrap().contains(wanted));
        assert!(found.is_some(), "`{wanted}` comes before the program ends");
    };

    wait_for("  path      s/0.png");
    wait_for("  took");
    bench.write("paths.lua", &script("return require(\"names\").folder .. \"/2.png\""));
    wait_for("──── paths.lua changed");
    wait_for("  path      s/2.png");
    wait_for("  took");
    bench.write("names.lua", "return { folder = \"gone\" }");
    wait_for("──── names.lua changed");
    wait_for("  source    `gone/2.png` does not exist");
    wait_for("  took");
    bench.write("paths.lua", "nonsense");
    wait_for("──── paths.lua changed");
    bench.write("paths.lua", &script("return \"s/1.png\""));
    wait_for("  path      s/1.png");
    let interrupted = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
