//! `inspect`: what somebody finds out who has a file and nothing else.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Bench, settings};

/// A copy of a test file or folder in the bench, by its path below `tests/data`.
fn given(bench: &Bench, name: &str) -> String {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    let last = name.rsplit('/').next().unwrap();
    copy(&from, &bench.file(last));
    last.to_owned()
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let name = entry.unwrap().file_name();
            copy(&from.join(&name), &to.join(&name));
        }
    } else {
        std::fs::copy(from, to).unwrap();
    }
}

fn snapshot(bench: &Bench, name: &str, text: &str) {
    settings(bench).bind(|| insta::assert_snapshot!(format!("inspect_{name}"), text));
}

#[test]
fn formats_are_told_in_the_same_words() {
    let bench = Bench::new();
    for name in ["images/pages_16_be.tif", "images/colour_rgb8.png", "precomputed/plain_mips"] {
        let file = given(&bench, name);
        let ended = bench.run(&["inspect", &file]).expect_code(0);
        assert_eq!(ended.stderr, "");
        snapshot(&bench, &file.replace('.', "_"), &ended.stdout);
    }
}

#[test]
fn one_of_several_arrays_is_chosen_by_name() {
    let bench = Bench::new();
    let file = given(&bench, "hdf5/axes.h5");
    let listed = bench.run(&["inspect", &file]).expect_code(0).stdout;
    snapshot(&bench, "arrays", &listed);
    let first = listed.lines().nth(2).unwrap().trim();
    let chosen = bench.run(&["inspect", &file, "--dataset", first]).expect_code(0).stdout;
    assert!(chosen.contains("  format      hdf5\n"), "{chosen}");
    assert!(bench.run(&["inspect", &file, "--dataset", "none"]).expect_code(3).stderr.contains("none"));
}

#[test]
fn programs_read_one_json_object() {
    let bench = Bench::new();
    let file = given(&bench, "images/pages_8.tif");
    let found: Value = serde_json::from_str(&bench.run(&["inspect", &file, "--json"]).expect_code(0).stdout).unwrap();
    assert_eq!(found["shape"], json!([5, 37, 61]));
    assert_eq!((&found["dtype"], &found["axes"], &found["pages"]), (&json!("uint8"), &json!("zyx"), &json!(5)));
    assert_eq!(found["sample"]["region"]["z"], json!([2, 3]));
    let lost: Value = serde_json::from_str(&bench.run(&["inspect", "no.tif", "--json"]).expect_code(3).stdout).unwrap();
    assert_eq!(lost["error"], json!("`no.tif` does not exist"));
}

#[test]
fn what_cannot_be_read_is_an_error_with_a_hint() {
    let bench = Bench::new();
    bench.write("notes.txt", "no image at all");
    let palette = given(&bench, "images/palette.png");
    let mut told = String::new();
    for path in ["no.tif", "notes.txt", ".", &palette, "ftp://host/a.tif"] {
        told += &bench.run(&["inspect", path]).expect_code(3).stderr;
    }
    snapshot(&bench, "errors", &told);
}
