//! What can be wrong with a job, a host or a token: one clear message each.

use boss_ingest::volume::Dtype;
use serde_json::json;

use crate::support::{Bench, ServedBoss, TestVolume, settings};

/// A small job that is all right, on a host.
fn bench_for(host: &str, bench: Bench) -> Bench {
    TestVolume::new(Dtype::Uint8, 512, 512, 2).write_sections(&bench.file("sections"), "png");
    let params = json!({"root_dir": "sections", "base_filename": "s<p:4>", "extension": "png"});
    let extent = json!({"x": [0, 512], "y": [0, 512], "z": [0, 2], "t": [0, 1]});
    let (path, tile) = (json!({"class": "z_stack", "params": params}), json!({"class": "image", "params": {}}));
    bench.write_tile_job(host, extent, [512, 512], path, tile);
    bench
}

/// The last lines a user reads: the error, without the job's description.
fn error_of(stderr: &str) -> String {
    stderr[stderr.find("error:").expect("an error is told")..].to_owned()
}

fn snapshot(bench: &Bench, name: &str, text: &str) {
    settings(bench).bind(|| insta::assert_snapshot!(name, text));
}

#[test]
fn every_fault_of_a_job_file_is_told_at_once() {
    let bench = bench_for("127.0.0.1:1", Bench::new());
    let text = std::fs::read_to_string(bench.file("job.json")).unwrap();
    let mut job: serde_json::Value = serde_json::from_str(&text).unwrap();
    job["ingest_job"]["extent"]["x"] = json!([100, 50]);
    job["ingest_job"]["tile_size"]["y"] = json!(1000);
    job["ingest_job"]["tile_sise"] = json!({});
    job["database"].as_object_mut().unwrap().remove("channel");
    bench.write("job.json", &job.to_string());
    let ended = bench.run(&["create", "job.json", "--yes", "-a", "t"]).expect_code(2);
    snapshot(&bench, "wrong_job_file", &ended.stderr);

    bench.write("job.json", "{\"schema\": {},}");
    snapshot(&bench, "malformed_job_file", &bench.run(&["create", "job.json"]).expect_code(2).stderr);
    snapshot(&bench, "absent_job_file", &bench.run(&["create", "jobs.json"]).expect_code(2).stderr);
}

#[test]
fn a_script_that_cannot_be_used_is_told_before_anything_is_created() {
    let bench = bench_for("127.0.0.1:1", Bench::new());
    let job = std::fs::read_to_string(bench.file("job.json")).unwrap();
    bench.write("job.json", &job.replace("z_stack", "z_stak"));
    let ended = bench.run(&["create", "job.json", "--yes", "-a", "t"]).expect_code(2);
    snapshot(&bench, "unknown_script", &error_of(&ended.stderr));

    bench.write("job.json", &job.replace("base_filename", "base_filname"));
    let ended = bench.run(&["create", "job.json", "--yes", "-a", "t"]).expect_code(2);
    snapshot(&bench, "unknown_param", &error_of(&ended.stderr));

    bench.write("job.json", &job.replace("\"z_stack\"", "\"paths.lua\""));
    bench.write("paths.lua", "return { path = function(at) return 's' .. end }\n");
    let ended = bench.run(&["create", "job.json", "--yes", "-a", "t"]).expect_code(2);
    snapshot(&bench, "script_syntax", &error_of(&ended.stderr));
}

#[test]
fn a_host_that_does_not_answer_is_told() {
    let bench = bench_for("127.0.0.1:1", Bench::new());
    let ended = bench.run(&["create", "job.json", "--yes", "-a", "t"]).expect_code(1);
    snapshot(&bench, "unreachable", &error_of(&ended.stderr));
}

#[test]
fn no_token_anywhere_is_told_with_all_places() {
    let bench = bench_for("127.0.0.1:1", Bench::new());
    let ended = bench.run(&["create", "job.json", "--yes"]).expect_code(1);
    snapshot(&bench, "no_token", &error_of(&ended.stderr));
}

#[test]
fn a_refused_token_an_unknown_channel_and_an_unknown_job_are_told() {
    let bench = Bench::new();
    let boss = ServedBoss::start(bench.path(), &[]);
    let bench = bench_for(boss.host(), bench);
    let token = boss.token();

    let refused = bench.run(&["create", "job.json", "--yes", "-a", "wrong"]).expect_code(1);
    snapshot(&bench, "refused_token", &error_of(&refused.stderr));
    let unknown = bench.run(&["create", "job.json", "--yes", "-a", &token]).expect_code(1);
    snapshot(&bench, "unknown_channel", &error_of(&unknown.stderr));
    let no_job = bench.run(&["join", "job.json", "-j", "99", "--yes", "-a", &token]).expect_code(1);
    snapshot(&bench, "unknown_job", &error_of(&no_job.stderr));
}

#[test]
fn cancelled_and_finished_jobs_are_told() {
    let bench = Bench::new();
    let boss = ServedBoss::start(bench.path(), &[]);
    let bench = bench_for(boss.host(), bench);
    let local = ["--local", "boss"];
    let with = |args: &[&str]| bench.run(&[args, &local[..]].concat());

    let created = bench.run_answering(&["create", "job.json", "--local", "boss"], "y\nn\n").expect_code(0);
    snapshot(&bench, "created_not_begun", &created.stderr);
    let id = created.job_id();
    let other = std::fs::read_to_string(bench.file("job.json")).unwrap();
    bench.write("job.json", &other.replace("[\n        0,\n        2\n      ]", "[0, 1]"));
    let wrong_file = with(&["join", "job.json", "-j", &id, "--yes"]).expect_code(1);
    snapshot(&bench, "another_job_file", &error_of(&wrong_file.stderr));
    bench.write("job.json", &other);

    snapshot(&bench, "not_completed", &with(&["complete", &id, "--yes"]).expect_code(1).stderr);
    snapshot(&bench, "cancelled", &with(&["cancel", &id, "--yes"]).expect_code(0).stderr);
    let joined = with(&["join", "job.json", "-j", &id, "--yes"]).expect_code(1);
    snapshot(&bench, "join_cancelled", &error_of(&joined.stderr));

    let done = with(&["create", "job.json", "--yes"]).expect_code(0);
    snapshot(&bench, "complete", &done.stderr);
    let id = done.job_id();
    let again = with(&["join", "job.json", "-j", &id, "-f"]).expect_code(1);
    snapshot(&bench, "join_complete", &error_of(&again.stderr));
    snapshot(&bench, "status", &with(&["status", &id]).expect_code(0).stdout);
    let listed = with(&["list"]).expect_code(0).stdout;
    assert!(listed.contains("complete") && listed.contains("col/exp/chan"), "{listed}");
}

#[test]
fn a_manual_completion_is_left_to_the_user() {
    let bench = Bench::new();
    let boss = ServedBoss::start(bench.path(), &[]);
    let bench = bench_for(boss.host(), bench);
    let uploaded = bench.run(&["create", "job.json", "--local", "boss", "-y", "-m"]).expect_code(0);
    let id = uploaded.job_id();
    assert!(uploaded.stderr.contains("not completed, as you asked"), "{}", uploaded.stderr);
    let status = bench.run(&["status", &id, "--local", "boss"]).expect_code(0).stdout;
    assert!(status.contains("uploading"), "{status}");
    bench.run(&["complete", &id, "--local", "boss", "-y"]).expect_code(0);
}

#[test]
fn a_question_without_an_answer_ends_with_a_message() {
    let bench = bench_for("127.0.0.1:1", Bench::new());
    let ended = bench.run(&["create", "job.json", "-a", "t"]).expect_code(1);
    snapshot(&bench, "no_answer", &ended.stderr);
    let declined = bench.run_answering(&["create", "job.json", "-a", "t"], "what\nn\n").expect_code(0);
    assert!(declined.stderr.ends_with("Exiting\n"), "{}", declined.stderr);
}
