//! `scripts`: built-ins to be listed and copied, and types for an editor.

use serde_json::{Value, json};

use crate::support::{Bench, TestVolume};
use boss_ingest::lua::BUILTINS;
use boss_ingest::volume::Dtype;

#[test]
fn every_built_in_is_listed_with_its_slots_and_what_it_does() {
    let bench = Bench::new();
    let table = bench.run(&["scripts", "list"]).expect_code(0).stdout;
    let listed: Value = serde_json::from_str(&bench.run(&["scripts", "list", "--json"]).expect_code(0).stdout).unwrap();
    for (script, listed) in BUILTINS.iter().zip(listed.as_array().unwrap()) {
        assert_eq!((&listed["name"], &listed["slots"]), (&json!(script.name), &json!(script.slots)));
        let summary = listed["summary"].as_str().unwrap();
        let line = table.lines().find(|line| line.split(' ').next() == Some(script.name)).unwrap();
        assert!(line.ends_with(summary) && summary.ends_with('.'), "{line}");
    }
    assert!(table.starts_with("name ") && table.lines().count() == BUILTINS.len() + 1, "{table}");
}

#[test]
fn a_copied_built_in_does_what_the_built_in_does() {
    let bench = Bench::new();
    let volume = TestVolume::new(Dtype::Uint8, 64, 32, 3);
    volume.write_sections(&bench.file("data"), "png");
    bench.write("paths.lua", &bench.run(&["scripts", "show", "z_stack"]).expect_code(0).stdout);
    bench.write("paths_test.lua", "return { { at = { z = 2 }, path = 'data/s0002.png' } }");
    let params = json!({"root_dir": "data", "base_filename": "s<p:4>", "extension": "png"});
    let slot = |class: &str, params: Value| json!({"class": class, "params": params});
    let extent = json!({"x": [0, 64], "y": [0, 32], "z": [0, 3], "t": [0, 1]});
    bench.write_tile_job("127.0.0.1:1", extent, [64, 32], slot("paths.lua", params), slot("image", json!({})));

    let ended = bench.run(&["test", "job.json"]).expect_code(0);

    assert!(ended.stdout.ends_with("1 passed, 0 failed\n"), "{}", ended.stdout);
}

#[test]
fn class_names_of_the_python_client_show_what_stands_for_them() {
    let bench = Bench::new();
    let class = "ingestclient.plugins.catmaid.CatmaidDirectoryImageStackPathProcessor";
    let shown = bench.run(&["scripts", "show", class]).expect_code(0);
    assert_eq!(shown.stdout, bench.run(&["scripts", "show", "catmaid_file_stack"]).expect_code(0).stdout);
    let said = "the built-in `catmaid_file_stack` stands for `CatmaidDirectoryImageStackPathProcessor`, \
                with `\"layout\": \"directory\"`\n";
    assert_eq!(shown.stderr, said);
    let unknown = bench.run(&["scripts", "show", "zstack"]).expect_code(2);
    let expected = "error: there is no built-in script `zstack`\n  hint: did you mean `z_stack`?\n";
    assert_eq!((unknown.stdout.as_str(), unknown.stderr.as_str()), ("", expected));
    let unknown = bench.run(&["scripts", "show", "microscope"]).expect_code(2);
    assert!(unknown.stderr.contains("`boss-ingest scripts list` shows them all"), "{}", unknown.stderr);
}

#[test]
fn types_are_written_and_an_editors_settings_stay() {
    let bench = Bench::new();
    bench.write(
        "job/.luarc.json",
        "{\"workspace.library\": [\"mine\"], \"diagnostics.disable\": [\"lowercase-global\"]}",
    );
    let read = |name: &str| std::fs::read_to_string(bench.file(name)).unwrap();

    let first = bench.run(&["scripts", "types", "job"]).expect_code(0);

    assert_eq!(first.stderr, "wrote `job/.boss/boss.lua`\nadded to `job/.luarc.json` what was missing\n");
    assert_eq!(read("job/.boss/boss.lua"), include_str!("../../scripts/types/boss.lua"));
    let settings: Value = serde_json::from_str(&read("job/.luarc.json")).unwrap();
    assert_eq!(settings["workspace.library"], json!(["mine", ".boss"]));
    assert_eq!(settings["diagnostics.disable"], json!(["lowercase-global"]));
    let again = bench.run(&["scripts", "types", "job"]).expect_code(0);
    assert!(
        again.stderr.ends_with("left `job/.luarc.json` as it is: it names the types already\n"),
        "{}",
        again.stderr
    );

    bench.write("other/.luarc.json", "{ // with a comment\n}");
    let refused = bench.run(&["scripts", "types", "other"]).expect_code(1);
    insta::assert_snapshot!("luarc_with_comments", refused.stderr);
    assert_eq!(read("other/.luarc.json"), "{ // with a comment\n}");
    bench.run(&["scripts", "types", "new"]).expect_code(0);
    assert!(read("new/.luarc.json").contains("\".boss\""));
}
