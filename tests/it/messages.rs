//! Help, as the user reads it.

use crate::support::Bench;

#[test]
fn help_teaches() {
    let bench = Bench::new();
    insta::assert_snapshot!("help", bench.run(&["--help"]).expect_code(0).stdout);
    for command in [
        "create", "join", "try", "preview", "status", "report", "verify", "list", "complete", "cancel", "scripts",
        "serve", "test",
    ] {
        let help = bench.run(&[command, "--help"]).expect_code(0).stdout;
        insta::assert_snapshot!(format!("help_{command}"), help);
    }
}

#[test]
fn the_version_needs_no_network() {
    let version = Bench::new().run(&["--version"]).expect_code(0).stdout;
    assert_eq!(version, format!("boss-ingest {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn wrong_flags_are_refused() {
    let bench = Bench::new();
    for wrong in [&["create"][..], &["join", "job.json"], &["create", "job.json", "--uploads", "0"], &["sing"]] {
        let ended = bench.run(wrong).expect_code(2);
        assert!(ended.stderr.contains("Usage") || ended.stderr.contains("error:"), "{wrong:?}: {}", ended.stderr);
    }
    let memory = bench.run(&["create", "job.json", "--memory", "lots"]).expect_code(2);
    insta::assert_snapshot!("wrong_memory", memory.stderr);
}
