//! Several processes on one job, and one that is killed in the middle.

use boss_ingest::volume::Dtype;
use serde_json::json;

use crate::support::{Bench, ServedBoss, TestVolume, compare};

const TILES: u64 = 3 * 2 * 40;

/// A tile job of 240 tiles that is created and not yet begun.
fn created(flags: &[&str]) -> (Bench, ServedBoss, TestVolume, String) {
    let bench = Bench::new();
    let boss = ServedBoss::start(bench.path(), flags);
    let volume = TestVolume::new(Dtype::Uint8, 1300, 700, 40);
    volume.write_sections(&bench.file("sections"), "png");
    let params = json!({"root_dir": "sections", "base_filename": "s<p:4>", "extension": "png"});
    let extent = json!({"x": [0, 1300], "y": [0, 700], "z": [0, 40], "t": [0, 1]});
    let (path, tile) = (json!({"class": "z_stack", "params": params}), json!({"class": "image", "params": {}}));
    bench.write_tile_job(boss.host(), extent, [512, 512], path, tile);
    let created = bench.run_answering(&["create", "job.json", "--local", "boss"], "y\nn\n").expect_code(0);
    let id = created.job_id();
    (bench, boss, volume, id)
}

async fn every_voxel_is_right(boss: &ServedBoss, volume: &TestVolume) {
    for z in [0..16, 16..32, 32..40] {
        let found = boss.cutout(&format!("0:1300/0:700/{}:{}", z.start, z.end)).await;
        compare(&found, &volume.bytes(0..1300, 0..700, z.clone(), 0), &format!("z {z:?}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hosts_finish_a_job_together() {
    let (bench, boss, volume, id) = created(&[]);
    let token = boss.token();
    let join = ["join", "job.json", "-j", &id, "--yes", "-a", &token];
    let hosts = [bench.start(&join), bench.start(&join)];

    let ended = hosts.map(|host| host.finish().expect_code(0));

    let stored = ended.each_ref().map(|host| host.stored());
    assert!(stored.iter().all(|tiles| *tiles > 0), "each did part: {stored:?}");
    assert!(stored.iter().sum::<u64>() >= TILES, "{stored:?}");
    assert_eq!(boss.status(&id).await["status"], 2);
    every_voxel_is_right(&boss, &volume).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_killed_loses_nothing() {
    let (bench, boss, volume, id) = created(&["--visibility", "4"]);
    let token = boss.token();
    let join = ["join", "job.json", "-j", &id, "--yes", "-a", &token];
    let host = bench.start(&join);
    boss.wait_for_status(&id, |status| status["current_message_count"].as_u64().unwrap() < TILES * 3 / 4).await;

    host.kill();

    let (free, held) = boss.queue_counts(&id).await;
    assert!(free + held > 0, "the queue is empty only after everything is stored");
    assert_eq!(boss.status(&id).await["status"], 1);
    let ended = bench.run(&join).expect_code(0);
    assert!(ended.stored() >= free + held, "what was not acknowledged is done again");
    assert_eq!(boss.status(&id).await["status"], 2);
    every_voxel_is_right(&boss, &volume).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_drains_and_join_goes_on() {
    let (bench, boss, volume, id) = created(&["--visibility", "4"]);
    let token = boss.token();
    let join = ["join", "job.json", "-j", &id, "--yes", "-a", &token];
    let host = bench.start(&join);
    boss.wait_for_status(&id, |status| status["current_message_count"].as_u64().unwrap() < TILES * 3 / 4).await;

    host.interrupt();
    let stopped = host.finish().expect_code(130);

    assert!(stopped.stderr.contains("nothing is lost"), "{}", stopped.stderr);
    assert_eq!(boss.queue_counts(&id).await.1, 0, "what was begun was finished");
    bench.run(&join).expect_code(0);
    every_voxel_is_right(&boss, &volume).await;
}
