//! What is told of a job while it runs, and how it ends: JSON lines, metrics, `status --watch`, waits, stalls, cancelling.

use std::net::TcpListener;
use std::time::Duration;

use boss_ingest::boss::{Endpoints, Rest, Session, SessionSettings, Token};
use boss_ingest::volume::Dtype;
use serde_json::{Value, json};

use crate::support::{Bench, ServedBoss, TestVolume, compare, python, run};

const TILES: u64 = 2 * 2 * 8;

/// A tile job of 32 tiles that is created and not yet begun, on a Boss with these flags.
fn created(flags: &[&str]) -> (Bench, ServedBoss, String) {
    let bench = Bench::new();
    let boss = ServedBoss::start(bench.path(), flags);
    TestVolume::new(Dtype::Uint8, 1024, 1024, 8).write_sections(&bench.file("sections"), "png");
    let params = json!({"root_dir": "sections", "base_filename": "s<p:4>", "extension": "png"});
    let extent = json!({"x": [0, 1024], "y": [0, 1024], "z": [0, 8], "t": [0, 1]});
    let (path, tile) = (json!({"class": "z_stack", "params": params}), json!({"class": "image", "params": {}}));
    bench.write_tile_job(boss.host(), extent, [512, 512], path, tile);
    let created = bench.run_answering(&["create", "job.json", "--local", "boss"], "y\nn\n").expect_code(0);
    let id = created.job_id();
    (bench, boss, id)
}

/// A file of faults for [`ServedBoss::start`], which is given flags before its folder exists.
fn faults(rules: Value) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("faults.json");
    std::fs::write(&file, json!({"rules": rules}).to_string()).unwrap();
    (folder, file.display().to_string())
}

fn events(stdout: &str) -> Vec<Value> {
    stdout.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"))).collect()
}

fn named<'a>(events: &'a [Value], name: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["event"] == name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_is_json_lines_for_programs() {
    let (bench, boss, id) = created(&["--completion-wait", "3", "--visibility", "3"]);
    std::fs::remove_file(bench.file("sections/s0003.png")).unwrap();
    let token = boss.token();
    let join = ["join", "job.json", "-j", &id, "--yes", "-a", &token, "--progress", "json"];

    let ended = bench.run(&join).expect_code(3);

    let events = events(&ended.stdout);
    assert_eq!((&events[0]["event"], &events[0]["tasks"]), (&json!("started"), &json!(TILES)));
    assert_eq!(named(&events, "quarantined").len(), 4);
    assert_eq!(named(&events, "quarantined")[0]["z"], 3);
    let last = events.last().unwrap();
    assert_eq!((&last["event"], &last["exit_code"], &last["bad"]), (&json!("ended"), &json!(3), &json!(4)));
    assert_eq!((&last["stored"], &last["voxel_bytes"]), (&json!(TILES - 4), &json!((TILES - 4) * 512 * 512)));
    assert!(ended.stderr.contains("is not complete; mend"), "the summary is for people: {}", ended.stderr);

    TestVolume::new(Dtype::Uint8, 1024, 1024, 8).write_section(&bench.file("sections/s0003.png"), 3, 0);
    let events = self::events(&bench.run(&join).expect_code(0).stdout);
    let waits = named(&events, "waiting");
    assert!(!waits.is_empty() && waits.iter().all(|wait| wait["for"] == "settle"), "{events:?}");
    let progress = named(&events, "progress");
    let stages: Vec<_> =
        progress[progress.len() - 1]["stages"].as_array().unwrap().iter().map(|stage| stage["name"].clone()).collect();
    assert_eq!(stages, ["plan", "read", "pack", "compress", "upload", "index", "record", "acknowledge"]);
    assert_eq!(events.last().unwrap()["exit_code"], 0);

    let refused = self::events(&bench.run(&join).expect_code(1).stdout);
    assert_eq!(refused.last().unwrap()["error"]["error"], format!("ingest job {id} is already complete"));
}

/// An address that was free a moment ago.
fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_reads_the_metrics() {
    let Some(python) = python("prometheus_client") else { return };
    let (bench, boss, id) = created(&["--completion-wait", "600"]);
    let (token, address) = (boss.token(), free_address());
    let host = bench.start(&["join", "job.json", "-j", &id, "--yes", "-a", &token, "--metrics", &address]);
    boss.wait_for_status(&id, |status| status["status"] == 6).await;

    let text = run(&python, "check_metrics.py", &[&format!("http://{address}/metrics")]);

    let samples: Vec<(String, Value, f64)> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let value = |name: &str, stage: Option<&str>| {
        let is_it = |sample: &&(String, Value, f64)| {
            sample.0 == name && sample.1["job"] == id.as_str() && stage.is_none_or(|stage| sample.1["stage"] == stage)
        };
        samples.iter().find(is_it).unwrap_or_else(|| panic!("{name} is not in {text}")).2
    };
    assert_eq!(value("boss_ingest_tasks_stored_total", None), TILES as f64);
    assert_eq!(value("boss_ingest_voxel_bytes_total", None), (TILES * 512 * 512) as f64);
    assert_eq!(value("boss_ingest_job_tasks", None), TILES as f64);
    assert!(value("boss_ingest_stage_work_seconds_total", Some("upload")) > 0.0);
    host.interrupt();
    host.finish().expect_code(130);
}

#[test]
fn a_busy_port_for_metrics_is_told_before_anything_is_created() {
    let (bench, boss, id) = created(&[]);
    let token = boss.token();
    let args = ["join", "job.json", "-j", &id, "--yes", "-a", &token, "--metrics", boss.host()];
    let ended = bench.run(&args).expect_code(2);
    let told = format!("error: metrics cannot be served at {}", boss.host());
    assert!(ended.stderr.contains(&told) && ended.stderr.contains("hint: give another address"), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_watched_until_it_is_complete() {
    let (bench, boss, id) = created(&["--completion-wait", "4"]);
    let token = boss.token();
    let lines = bench.start(&["status", &id, "--host", &boss.origin, "-a", &token, "--watch"]);
    let objects = bench.start(&["status", &id, "--host", &boss.origin, "-a", &token, "--watch", "--json"]);
    let stopped = bench.start(&["status", &id, "--host", &boss.origin, "-a", &token, "--watch"]);
    tokio::time::sleep(Duration::from_millis(500)).await;
    stopped.interrupt();
    stopped.finish().expect_code(130);

    bench.run(&["join", "job.json", "-j", &id, "--yes", "-a", &token]).expect_code(0);

    let text = lines.finish().expect_code(0).stdout;
    let last = format!("job {id} is complete: 32 of 32 tasks taken, 0 waiting");
    assert!(text.lines().any(|line| line.starts_with(&last)), "{text}");
    assert!(text.contains(" on this host: 32 tiles stored"), "{text}");
    let looks = events(&objects.finish().expect_code(0).stdout);
    let last = looks.last().unwrap();
    assert_eq!((&last["status"], &last["tasks"], &last["free"]), (&json!("complete"), &json!(TILES), &json!(0)));
    assert!(last["this_host"][0]["counts"]["stored"].is_u64(), "{last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_cancelled_ends_uploading_watching_and_completing() {
    let (_folder, faults) = faults(json!([{"on": "s3.put", "delay_ms": 500}]));
    let (bench, boss, id) = created(&["--faults", &faults]);
    let token = boss.token();
    let host = bench.start(&["join", "job.json", "-j", &id, "--yes", "-a", &token, "--uploads", "1"]);
    let watching = bench.start(&["status", &id, "--host", &boss.origin, "-a", &token, "--watch"]);
    boss.wait_for_status(&id, |status| status["current_message_count"].as_u64().unwrap() < TILES).await;

    bench.run(&["cancel", &id, "--host", &boss.origin, "-a", &token, "--yes"]).expect_code(0);

    let told = format!("error: ingest job {id} was cancelled");
    for ended in [host.finish(), watching.finish()] {
        let stderr = ended.expect_code(1).stderr;
        assert!(stderr.contains(&told) && stderr.contains("hint: create a new job"), "{stderr}");
    }
    let complete = bench.run(&["complete", &id, "--host", &boss.origin, "-a", &token, "--yes"]).expect_code(1);
    assert!(complete.stderr.contains(&told), "{}", complete.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hosts_complete_a_job_at_once_and_once_more() {
    let (bench, boss, id) = created(&["--completion-wait", "3"]);
    let token = boss.token();
    bench.run(&["join", "job.json", "-j", &id, "--yes", "-a", &token, "-m"]).expect_code(0);
    let complete = ["complete", &id, "--host", &boss.origin, "-a", &token, "--yes"];

    let hosts = [bench.start(&complete), bench.start(&complete)];

    for host in hosts {
        let told = host.finish().expect_code(0).stderr;
        assert!(told.contains("the server lets its queues settle: 3 s\n"), "{told}");
        assert!(told.ends_with(&format!("ingest job {id} is complete\n")), "{told}");
    }
    let again = bench.run(&complete).expect_code(0).stderr;
    assert_eq!(again, format!("ingest job {id} was complete already\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_for_the_server_ends_with_ctrl_c() {
    let (bench, boss, id) = created(&["--completion-wait", "600"]);
    let token = boss.token();
    bench.run(&["join", "job.json", "-j", &id, "--yes", "-a", &token, "-m"]).expect_code(0);
    let complete = bench.start(&["complete", &id, "--host", &boss.origin, "-a", &token, "--yes", "--progress", "json"]);
    boss.wait_for_status(&id, |status| status["status"] == 6).await;

    complete.interrupt();

    let events = events(&complete.finish().expect_code(130).stdout);
    assert_eq!((&events[0]["event"], &events[0]["for"]), (&json!("waiting"), &json!("settle")));
    assert_eq!(events.last().unwrap()["exit_code"], 130);
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_that_stick_are_told_with_their_stage() {
    let (_folder, faults) = faults(json!([{"on": "s3.put", "times": 1, "delay_ms": 4000}]));
    let (bench, boss, id) = created(&["--faults", &faults, "--completion-wait", "3"]);
    let token = boss.token();
    let join = ["join", "job.json", "-j", &id, "--yes", "-a", &token, "--progress", "json", "--stall-after", "1"];

    let events = events(&bench.run(&join).expect_code(0).stdout);

    let stuck = named(&events, "stuck");
    assert_eq!((stuck.len(), &stuck[0]["stage"], &stuck[0]["tasks"]), (1, &json!("upload"), &json!(1)));
    assert_eq!(named(&events, "moving").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn tiles_that_the_server_misses_are_uploaded_again() {
    let (bench, boss, id) = created(&[]);
    let token = boss.token();
    lose_a_message(&boss, id.parse().unwrap()).await;

    let ended = bench.run(&["join", "job.json", "-j", &id, "--yes", "-a", &token]).expect_code(0);

    assert_eq!(ended.stored(), TILES, "one of them at the second go");
    let told = "the server misses some tiles and put them back on the queue; going on uploading\n";
    assert!(ended.stderr.contains(told), "{}", ended.stderr);
    assert_eq!(boss.status(&id).await["status"], 2);
    let volume = TestVolume::new(Dtype::Uint8, 1024, 1024, 8);
    compare(&boss.cutout("0:1024/0:1024/0:8").await, &volume.bytes(0..1024, 0..1024, 0..8, 0), "all tiles");
}

/// Deletes an upload message that nobody worked on, as no client should.
async fn lose_a_message(boss: &ServedBoss, id: u64) {
    let rest = Rest::new(&boss.origin, Token::new(&boss.token(), "test").unwrap()).unwrap();
    let joined = rest.join(id).await.unwrap();
    let endpoints = Endpoints::local(&boss.origin).unwrap();
    let session = Session::new(rest, joined, endpoints, SessionSettings::default()).unwrap();
    let messages = session.receive(1, Duration::from_secs(1)).await.unwrap();
    session.delete(&[messages[0].receipt.clone()], None).await.unwrap().remove(0).unwrap();
}
