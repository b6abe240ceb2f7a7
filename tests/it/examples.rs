//! The examples, run as the README says.

use std::path::{Path, PathBuf};

use crate::support::Bench;

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name).join("job.json")
}

#[test]
fn the_readmes_first_command_ingests_the_example_and_says_how_to_look_at_it() {
    let readme = include_str!("../../README.md");
    assert!(readme.contains("cargo run --release -- create examples/em_stack/job.json --local boss-data --yes\n"));
    let bench = Bench::new();
    let job = example("em_stack");
    let ended = bench.run(&["create", job.to_str().unwrap(), "--local", "boss-data", "--yes"]).expect_code(0);
    assert_eq!(ended.stored(), 2);
    assert!(ended.stderr.contains("boss-ingest serve boss-data\n"), "{}", ended.stderr);
    let cutout = "http://127.0.0.1:8090/v1/cutout/example/em/sections/0/0:512/0:512/0:2/";
    assert!(ended.stderr.contains(cutout), "{}", ended.stderr);
    assert!(readme.contains(cutout), "the README fetches the same cutout");
}

#[test]
fn the_volumetric_example_goes_into_the_same_local_boss() {
    let bench = Bench::new();
    for name in ["em_stack", "em_volume"] {
        let job = example(name);
        bench.run(&["create", job.to_str().unwrap(), "--local", "boss-data", "--yes"]).expect_code(0);
    }
    let listed = bench.run(&["list", "--local", "boss-data"]).expect_code(0).stdout;
    assert_eq!(listed.matches("complete").count(), 2, "{listed}");
}
