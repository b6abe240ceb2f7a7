//! What is written down: stored tasks are not uploaded twice, changed scripts are refused, bad tiles are told.

use boss_ingest::volume::Dtype;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::{Bench, Ended, ServedBoss, TestVolume, compare, settings};

const SCRIPT: &str = "\
local M = {}
function M.path(at)
  return ('sections/s%04d.png'):format(at.z)
end
function M.tile(at)
  return { region = at.region }
end
return M
";

/// A job of 2 × 1 × 12 tiles.
fn bench() -> (Bench, TestVolume) {
    let bench = Bench::new();
    let volume = TestVolume::new(Dtype::Uint8, 700, 500, 12);
    volume.write_sections(&bench.file("sections"), "png");
    let extent = json!({"x": [0, 700], "y": [0, 500], "z": [0, 12], "t": [0, 1]});
    let slot = json!({"class": "paths.lua", "params": {}});
    bench.write("paths.lua", SCRIPT);
    bench.write_tile_job("localhost", extent, [512, 512], slot.clone(), slot);
    (bench, volume)
}

const JOIN: [&str; 7] = ["join", "job.json", "-j", "1", "--local", "boss", "--yes"];
const CREATE: [&str; 5] = ["create", "job.json", "--local", "boss", "--yes"];

fn read_json(bench: &Bench, ending: &str) -> Value {
    let files = std::fs::read_dir(bench.file("state/boss-ingest")).unwrap().map(|entry| entry.unwrap().path());
    let file = { files }.find(|path| path.to_str().unwrap().ends_with(ending)).expect("the file is left behind");
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

/// The error at the end, without what was said before.
fn error_of(ended: &Ended) -> &str {
    let at = ended.stderr.find("error: ").expect("there is an error");
    &ended.stderr[at..]
}

/// The upload messages that are in the stopped Boss's store: id, queue and task.
fn messages(bench: &Bench) -> Vec<(i64, i64, String)> {
    let store = Connection::open(bench.file("boss/boss.sqlite")).unwrap();
    let mut list = store.prepare("SELECT id, queue, task FROM messages WHERE task IS NOT NULL").unwrap();
    list.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap().map(Result::unwrap).collect()
}

fn put_back(bench: &Bench, messages: &[(Option<i64>, i64, String)]) {
    let store = Connection::open(bench.file("boss/boss.sqlite")).unwrap();
    for (id, queue, task) in messages {
        let insert = "INSERT INTO messages (id, queue, visible_ms, task) VALUES (?1, ?2, 0, ?3)";
        store.execute(insert, rusqlite::params![id, queue, task]).unwrap();
    }
}

#[test]
fn a_message_that_comes_again_is_deleted_without_an_upload_and_a_new_one_is_uploaded() {
    let (bench, _) = bench();
    bench.run_answering(&["create", "job.json", "--local", "boss"], "y\nn\n").expect_code(0);
    // A Boss that is stopped right after it was asked for a job fills the queue when it runs again.
    while messages(&bench).len() < 24 {
        bench.run(&["status", "1", "--local", "boss"]).expect_code(0);
    }
    let all = messages(&bench);
    let first = bench.run(&[&JOIN[..], &["--manual-complete"]].concat()).expect_code(0);
    assert_eq!((first.stored(), messages(&bench).len()), (24, 0));

    // As after deletes whose answers were lost. Nothing could be uploaded now: the files are gone.
    put_back(&bench, &all.iter().map(|(id, queue, task)| (Some(*id), *queue, task.clone())).collect::<Vec<_>>());
    std::fs::rename(bench.file("sections"), bench.file("elsewhere")).unwrap();
    let again = bench.run(&[&JOIN[..], &["--manual-complete"]].concat()).expect_code(0);
    assert!(again.stderr.contains("stored 24 tiles here (0 B of voxels, sent as 0 B)"), "{}", again.stderr);
    assert_eq!(messages(&bench).len(), 0);

    // As when the Boss misses a tile: it deletes those that it has used, so that this one must be uploaded.
    put_back(&bench, &[(None, all[0].1, all[0].2.clone())]);
    bench.run(&[&JOIN[..], &["--manual-complete"]].concat()).expect_code(3);
    std::fs::rename(bench.file("elsewhere"), bench.file("sections")).unwrap();
    let last = bench.run(&JOIN).expect_code(0);
    assert!(last.stderr.contains("stored 1 tile here (262.1 kB of voxels"), "{}", last.stderr);
    assert!(last.stderr.contains("manifest: 24 of 24 tiles stored by this machine: "), "{}", last.stderr);
    let manifest = read_json(&bench, ".manifest.json");
    assert_eq!((&manifest["stored_by_this_machine"]["tasks"], &manifest["kind"]), (&24.into(), &"tile".into()));
    assert_eq!(manifest["runs"].as_array().unwrap().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_boss_that_is_made_again_is_not_taken_for_the_old_one() {
    let (bench, volume) = bench();
    bench.run(&CREATE).expect_code(0);
    std::fs::remove_dir_all(bench.file("boss")).unwrap();
    // The new job has the old one's number, and other scripts.
    bench.write("paths.lua", &format!("-- another\n{SCRIPT}"));
    let ended = bench.run(&CREATE).expect_code(0);
    assert_eq!((ended.job_id().as_str(), ended.stored()), ("1", 24));
    let boss = ServedBoss::start(bench.path(), &[]);
    compare(&boss.cutout("0:700/0:500/0:12").await, &volume.bytes(0..700, 0..500, 0..12, 0), "made again");
}

#[test]
fn scripts_that_changed_are_refused_until_that_is_accepted() {
    let (bench, volume) = bench();
    std::fs::remove_file(bench.file("sections/s0003.png")).unwrap();
    bench.run(&CREATE).expect_code(3);
    volume.write_section(&bench.file("sections/s0003.png"), 3, 0);
    bench.write("paths.lua", &format!("-- changed\n{SCRIPT}"));

    let refused = bench.run(&JOIN).expect_code(1);
    let mut filters = settings(&bench);
    filters.add_filter(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "[time]");
    filters.bind(|| insta::assert_snapshot!("changed_scripts", error_of(&refused)));
    bench.write("paths.lua", SCRIPT);
    let text = std::fs::read_to_string(bench.file("job.json")).unwrap();
    let param = text.replacen("\"params\": {}", "\"params\": {\"unused\": 1}", 1);
    bench.write("job.json", &param);
    let refused = bench.run(&JOIN);
    assert!(refused.code != Some(0) && refused.stderr.contains("unused"), "{}", refused.stderr);

    bench.write("job.json", &text);
    bench.write("paths.lua", &format!("-- changed\n{SCRIPT}"));
    bench.run(&[&JOIN[..], &["--accept-changes"]].concat()).expect_code(0);
    assert_eq!(read_json(&bench, ".manifest.json")["accepted_changes"], 1);
}

#[test]
fn a_source_that_changes_between_two_tasks_is_told_once_by_name() {
    let (bench, volume) = bench();
    TestVolume { x: 600, ..volume }.write_section(&bench.file("sections/s0007.png"), 7, 0);
    let first = bench.run(&CREATE).expect_code(3);
    assert!(!first.stderr.contains("changed since"), "{}", first.stderr);
    volume.write_section(&bench.file("sections/s0007.png"), 7, 0);
    let mended = bench.run(&JOIN).expect_code(0);
    let warning = "warning: `sections/s0007.png` changed since an earlier task was read from it";
    assert_eq!(mended.stderr.matches(warning).count(), 1, "{}", mended.stderr);
    let report = bench.run(&["report", "1", "--local", "boss"]).expect_code(0);
    assert!(report.stdout.contains("1 source changed during the job\n  sections/s0007.png"), "{}", report.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_recorded_is_not_deleted_from_the_queue() {
    let (bench, volume) = bench();
    std::fs::rename(bench.file("sections/s0003.png"), bench.file("kept.png")).unwrap();
    bench.run(&[&CREATE[..], &["--on-bad-tile", "stop"]].concat()).expect_code(3);
    std::fs::rename(bench.file("kept.png"), bench.file("sections/s0003.png")).unwrap();
    let waiting = messages(&bench).len();
    let files = std::fs::read_dir(bench.file("state/boss-ingest")).unwrap().map(|entry| entry.unwrap().path());
    let ledger = { files }.find(|path| path.extension().is_some_and(|name| name == "ledger")).unwrap();
    let fail = "CREATE TRIGGER full BEFORE INSERT ON stored BEGIN SELECT RAISE(ABORT, 'the disk is full'); END";
    Connection::open(&ledger).unwrap().execute_batch(fail).unwrap();

    let ended = bench.run(&JOIN).expect_code(1);

    assert!(error_of(&ended).contains("cause: the disk is full\n  hint: nothing is lost"), "{}", ended.stderr);
    assert_eq!(messages(&bench).len(), waiting, "all wait for the next run");
    Connection::open(&ledger).unwrap().execute_batch("DROP TRIGGER full").unwrap();
    bench.run(&JOIN).expect_code(0);
    let boss = ServedBoss::start(bench.path(), &[]);
    compare(&boss.cutout("0:700/0:500/0:12").await, &volume.bytes(0..700, 0..500, 0..12, 0), "after all");
}

#[test]
fn stop_ends_the_run_at_the_first_bad_tile() {
    let (bench, _) = bench();
    for z in 1..12 {
        std::fs::remove_file(bench.file(&format!("sections/s{z:04}.png"))).unwrap();
    }
    let ended = bench.run(&[&CREATE[..], &["--on-bad-tile", "stop"]].concat()).expect_code(3);
    assert!(ended.stored() <= 2 && messages(&bench).len() >= 22, "{}", ended.stderr);
    assert!(ended.stderr.contains("then: boss-ingest join job.json -j 1 --local boss"), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_and_damaged_tiles_are_filled_and_told_and_faulty_scripts_are_not() {
    let (bench, volume) = bench();
    std::fs::remove_file(bench.file("sections/s0003.png")).unwrap();
    let whole = std::fs::read(bench.file("sections/s0005.png")).unwrap();
    std::fs::write(bench.file("sections/s0005.png"), &whole[..whole.len() / 2]).unwrap();
    TestVolume { x: 600, ..volume }.write_section(&bench.file("sections/s0007.png"), 7, 0);
    bench.write("paths.lua", &SCRIPT.replace("  return { reg", "  if at.z == 9 then error('no') end\n  return { reg"));

    let ended = bench.run(&[&CREATE[..], &["--on-bad-tile", "fill=77"]].concat()).expect_code(3);

    // The wide tile of section 7 and the two that the script fails on are no holes.
    assert_eq!(ended.stored(), 24 - 3);
    assert!(ended.stderr.contains("4 of them filled"), "{}", ended.stderr);
    let report = bench.run(&["report", "1", "--local", "boss"]).expect_code(3);
    let mut filters = settings(&bench);
    filters.add_filter(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "[time]");
    filters.add_filter(r"process \d+", "process [pid]");
    filters.add_filter(r"objects, .*", "objects, [bytes]");
    filters.bind(|| insta::assert_snapshot!("report_filled", report.stdout));
    let json = bench.run(&["report", "1", "--local", "boss", "--json"]).expect_code(3);
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    let filled: Vec<_> = json["filled"].as_array().unwrap().iter().map(|bad| (&bad["z"], &bad["fill"])).collect();
    let (z3, z5, fill) = (3.into(), 5.into(), 77.0.into());
    assert_eq!(filled, [(&z3, &fill), (&z3, &fill), (&z5, &fill), (&z5, &fill)]);
    assert_eq!(json["quarantined"].as_array().unwrap().len(), 3);

    volume.write_section(&bench.file("sections/s0007.png"), 7, 0);
    bench.write("paths.lua", SCRIPT);
    bench.run(&[&JOIN[..], &["--accept-changes"]].concat()).expect_code(0);
    let boss = ServedBoss::start(bench.path(), &[]);
    for z in 0..12 {
        let expected = match z {
            3 | 5 => vec![77; 700 * 500],
            _ => volume.bytes(0..700, 0..500, z..z + 1, 0),
        };
        compare(&boss.cutout(&format!("0:700/0:500/{z}:{}", z + 1)).await, &expected, &format!("section {z}"));
    }
}

#[test]
fn fills_that_are_no_voxels_are_refused_before_anything_is_stored() {
    let (bench, _) = bench();
    for (fill, code, says) in
        [("fill=256", 1, "256 is no value"), ("fill=0.5", 1, "0.5 is no value"), ("black", 2, "fill=V")]
    {
        let ended = bench.run(&[&CREATE[..], &["--on-bad-tile", fill]].concat()).expect_code(code);
        assert!(ended.stderr.contains(says), "{}", ended.stderr);
    }
}

#[test]
fn a_ledger_that_cannot_be_used_is_named() {
    let (bench, _) = bench();
    bench.run_answering(&["create", "job.json", "--local", "boss"], "y\nn\n").expect_code(0);
    let absent = bench.run(&["report", "1", "--local", "boss"]).expect_code(1);
    settings(&bench).bind(|| insta::assert_snapshot!("absent_ledger", absent.stderr));
    bench.run(&[&JOIN[..], &["--manual-complete"]].concat()).expect_code(0);
    let files = std::fs::read_dir(bench.file("state/boss-ingest")).unwrap().map(|entry| entry.unwrap().path());
    let ledger = { files }.find(|path| path.extension().is_some_and(|name| name == "ledger")).unwrap();
    std::fs::write(&ledger, "no ledger at all ".repeat(1000)).unwrap();
    let damaged = bench.run(&JOIN).expect_code(1);
    settings(&bench).bind(|| insta::assert_snapshot!("damaged_ledger", error_of(&damaged)));
    std::fs::remove_file(&ledger).unwrap();
    bench.run(&JOIN).expect_code(0);
}
