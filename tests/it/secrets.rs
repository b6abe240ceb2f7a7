//! Neither the API token nor an AWS secret is ever written anywhere.

use boss_ingest::volume::Dtype;
use serde_json::json;

use crate::support::{Bench, ServedBoss, TestVolume};

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_any_log_or_message() {
    let bench = Bench::new();
    let boss =
        ServedBoss::start(bench.path(), &["--visibility", "3", "--log-level", "debug", "--log-file", "serve.log"]);
    let volume = TestVolume::new(Dtype::Uint8, 520, 300, 17);
    volume.write_sections(&bench.file("sections"), "png");
    std::fs::remove_file(bench.file("sections/s0003.png")).unwrap();
    let extent = json!({"x": [0, 520], "y": [0, 300], "z": [0, 17], "t": [0, 1]});
    let params = json!({"root_dir": "sections", "base_filename": "s<p:4>", "extension": "png"});
    let (path, tile) = (json!({"class": "z_stack", "params": params}), json!({"class": "image", "params": {}}));
    bench.write_tile_job(boss.host(), extent, [512, 512], path, tile);
    let token = boss.token();

    let create = ["create", "job.json", "--local", "boss", "--yes", "-v", "debug", "-l", "create.log"];
    let created = bench.run(&create).expect_code(3);
    let id = created.job_id();
    volume.write_section(&bench.file("sections/s0003.png"), 3, 0);
    let join = ["join", "job.json", "-j", &id, "--yes", "-v", "debug", "-l", "join.log", "-a", &token];
    let joined_reply = boss.join(&id).await;
    let refused =
        bench.run(&["list", "--host", &boss.origin, "-a", "wrong-token-0123456789", "-v", "debug", "-l", "list.log"]);
    let running = bench.start(&join);
    let joined = running.finish();
    let secret = joined_reply["credentials"]["secret_key"].as_str().unwrap();

    assert!(secret.len() > 10 && token.len() > 10);
    let logs = ["serve.log", "create.log", "join.log", "list.log"].map(|name| {
        let text = std::fs::read_to_string(bench.file(name)).unwrap();
        (name.to_owned(), text)
    });
    let said =
        [&created, &joined, &refused].map(|ended| ("said".to_owned(), format!("{}{}", ended.stdout, ended.stderr)));
    assert!(logs[1].1.contains("DEBUG"), "the log has requests");
    for (place, text) in logs.iter().chain(&said) {
        for (what, hidden) in [("token", token.as_str()), ("AWS secret", secret), ("refused token", "wrong-token-0123")]
        {
            assert!(!text.contains(hidden), "the {what} is in {place}");
        }
    }
}
