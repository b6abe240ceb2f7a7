//! Jobs in spite of everything: whatever goes wrong, every voxel is right, and no task is acknowledged before it is stored.
//!
//! Each fault meets a tile job and a volumetric job, through the real binary. The environment tells how large they are, and how
//! long things last that a small job would not see the end of; with `--nocapture --test-threads 1` the tests print a table.
//!
//! | `BOSS_INGEST_FAULT_…` | means | else |
//! |---|---|---|
//! | `TILES`, `CUBOIDS` | objects of a job | 60, 12 |
//! | `FIRST_SEED`, `SEEDS` | seeds of chance for each fault | 1, 1 |
//! | `KILL_S` | the client is killed after so many seconds, again and again | four times in the job |
//! | `OUTAGE_S` | the link is down once for so many seconds | four times for 2 |
//! | `KEY_S` | how long keys are good, in seconds | 3 |

use std::ops::Range;
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use boss_ingest::volume::Dtype;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::sleep;

use crate::support::{Bench, Effects, Ended, Journal, Link, ServedBoss, TestVolume, compare};

/// No job takes longer, whatever happens to it.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// What goes wrong around the server, besides what the server does itself.
#[derive(Clone, Copy, PartialEq)]
enum Trouble {
    Nothing,
    ClientKilled,
    ServerKilled,
    LinkDown,
}

/// A fault that jobs have to endure.
struct Fault {
    name: &'static str,
    /// The file of faults, without its seed.
    file: Value,
    /// The lease of a task, in seconds.
    visibility: &'static str,
    trouble: Trouble,
}

#[derive(Clone, Copy)]
enum Kind {
    Tiles,
    Cuboids,
}

fn told(name: &str) -> Option<i64> {
    let text = std::env::var(format!("BOSS_INGEST_FAULT_{name}")).ok()?;
    Some(text.parse().expect("a number"))
}

fn seconds(name: &str) -> Option<Duration> {
    told(name).map(|seconds| Duration::from_secs(seconds.try_into().expect("a positive number")))
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Tiles => "tiles",
            Kind::Cuboids => "cuboids",
        }
    }

    /// The sections from 0 on, wider than the extent begins.
    fn volume(self) -> TestVolume {
        let [x, y, z] = self.extent().map(|range| range.end);
        match self {
            Kind::Tiles => TestVolume::new(Dtype::Uint8, x, y, z),
            Kind::Cuboids => TestVolume::new(Dtype::Uint16, x, y + 12, z),
        }
    }

    /// An extent that begins away from the origin and ends in the middle of things, one tile or cuboid high: ranges of x, y, z.
    ///
    /// Large jobs are wide and low: they have many tasks, and not more voxels than it takes to see that each is where it belongs.
    fn extent(self) -> [Range<i64>; 3] {
        let is_large = self.objects() > 100;
        let columns = if is_large { 10 } else { 2 };
        let y = if is_large { 0..28 } else { 512..1000 };
        let layers = self.objects() as i64 / columns;
        match self {
            Kind::Tiles => [512..512 * columns + 276, y, 16..16 + layers],
            Kind::Cuboids => [512..512 * columns + 188, y, 32..32 + 16 * layers - 5],
        }
    }

    /// Tiles, or cuboids, of the whole job.
    fn objects(self) -> usize {
        let objects = match self {
            Kind::Tiles => told("TILES").unwrap_or(60),
            Kind::Cuboids => told("CUBOIDS").unwrap_or(12),
        };
        usize::try_from(objects).expect("a positive number")
    }

    /// The folder of the sections, which are made once.
    fn sections(self) -> &'static Path {
        static TILES: OnceLock<TempDir> = OnceLock::new();
        static CUBOIDS: OnceLock<TempDir> = OnceLock::new();
        let folder = match self {
            Kind::Tiles => &TILES,
            Kind::Cuboids => &CUBOIDS,
        };
        let make = || {
            let folder = tempfile::tempdir().unwrap();
            for z in self.extent()[2].clone() {
                self.volume().write_section(&folder.path().join(format!("s{z:04}.png")), z, 0);
            }
            folder
        };
        folder.get_or_init(make).path()
    }

    fn write_job(self, bench: &Bench, host: &str) {
        let [x, y, z] = self.extent().map(|range| [range.start, range.end]);
        let extent = json!({"x": x, "y": y, "z": z, "t": [0, 1]});
        let params = json!({"root_dir": self.sections(), "base_filename": "s<p:4>", "extension": "png"});
        let path = json!({"class": "z_stack", "params": params});
        match self {
            Kind::Tiles => {
                bench.write_tile_job(host, extent, [512, 512], path, json!({"class": "image", "params": {}}));
            }
            Kind::Cuboids => {
                bench.write_chunk_job(host, extent, [512, 512, 32], path, json!({"class": "sections", "params": {}}));
            }
        }
    }

    async fn every_voxel_is_right(self, boss: &ServedBoss) {
        let [x, y, z] = self.extent();
        for first in z.clone().step_by(16) {
            let layer = first..(first + 16).min(z.end);
            let ranges = format!("{}:{}/{}:{}/{}:{}", x.start, x.end, y.start, y.end, layer.start, layer.end);
            let expected = self.volume().bytes(x.clone(), y.clone(), layer, 0);
            compare(&boss.cutout(&ranges).await, &expected, &ranges);
        }
    }
}

impl Fault {
    /// By both kinds of jobs, with each seed. Gives how often tasks were handed out again.
    async fn is_endured(&self) -> usize {
        let mut again = 0;
        let first = told("FIRST_SEED").unwrap_or(1);
        for seed in first..first + told("SEEDS").unwrap_or(1) {
            for kind in [Kind::Tiles, Kind::Cuboids] {
                again += self.is_endured_by(kind, seed).await.again;
            }
        }
        again
    }

    async fn is_endured_by(&self, kind: Kind, seed: i64) -> Effects {
        let begun = Instant::now();
        let bench = Bench::new();
        let mut file = self.file.clone();
        file["seed"] = seed.into();
        bench.write("faults.json", &file.to_string());
        let flags = ["--visibility", self.visibility, "--faults", "faults.json", "--journal", "journal"];
        let mut boss = ServedBoss::start(bench.path(), &flags);
        let link = Link::to(boss.host()).await;
        let host = if self.trouble == Trouble::LinkDown { link.host() } else { boss.host() };
        kind.write_job(&bench, host);
        let id = bench.run_answering(&["create", "job.json", "--local", "boss"], "y\nn\n").expect_code(0).job_id();
        let token = boss.token();
        let join = ["join", "job.json", "-j", &id, "--yes", "-a", &token];
        let journal = Journal::of(&bench.file("journal"));

        let ended = match self.trouble {
            Trouble::Nothing => bench.start(&join).finish_within(PATIENCE),
            Trouble::ClientKilled => with_kills(&bench, &join, &journal, kind).await,
            Trouble::ServerKilled => with_restarts(&bench, &join, &journal, kind, &mut boss, &flags).await,
            Trouble::LinkDown => with_outages(&bench, &join, &journal, kind, &link).await,
        };

        ended.expect_code(0);
        assert_eq!(boss.status_at_last(&id).await["status"], 2, "the job is complete");
        kind.every_voxel_is_right(&boss).await;
        let effects = journal.nothing_was_acknowledged_before_it_was_stored(matches!(kind, Kind::Tiles));
        assert!(begun.elapsed() < PATIENCE, "it took {:?}", begun.elapsed());
        println!(
            "{:28} {:8} seed {seed:3}  {:6.1} s  received {:5}  stored {:5}  deleted {:5}",
            self.name,
            kind.name(),
            begun.elapsed().as_secs_f64(),
            effects.received,
            effects.stored,
            effects.deleted,
        );
        effects
    }
}

/// How often somebody is killed in a job, or the link goes down, unless the environment tells.
const TIMES: usize = 4;

/// Waits until the `part`th of `parts` of a job's objects has been stored; counted from 1.
async fn until_stored(journal: &Journal, kind: Kind, part: usize, parts: usize) {
    let begun = Instant::now();
    while journal.stored() < kind.objects() * part / parts {
        assert!(begun.elapsed() < Duration::from_secs(300), "nothing is stored any more");
        sleep(Duration::from_millis(10)).await;
    }
}

/// The client is killed in the middle, and again, and again; then it may finish.
async fn with_kills(bench: &Bench, join: &[&str], journal: &Journal, kind: Kind) -> Ended {
    if let Some(period) = seconds("KILL_S") {
        return with_kills_every(period, bench, join).await;
    }
    for time in 1..=TIMES {
        let running = bench.start(join);
        until_stored(journal, kind, time, TIMES + 1).await;
        running.kill();
    }
    bench.start(join).finish_within(PATIENCE)
}

/// The client is killed until it ends sooner than that.
async fn with_kills_every(period: Duration, bench: &Bench, join: &[&str]) -> Ended {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        let (mut running, begun) = (bench.start(join), Instant::now());
        while begun.elapsed() < period && !running.has_ended() {
            sleep(Duration::from_millis(20)).await;
        }
        if running.has_ended() {
            return running.finish();
        }
        running.kill();
    }
    panic!("a client that is killed every {period:?} never ends");
}

/// The server is killed and comes back at the same address.
async fn with_restarts(
    bench: &Bench,
    join: &[&str],
    journal: &Journal,
    kind: Kind,
    boss: &mut ServedBoss,
    flags: &[&str],
) -> Ended {
    let running = bench.start(join);
    for time in 1..=TIMES {
        until_stored(journal, kind, time, TIMES + 1).await;
        boss.restart(Duration::from_millis(300), flags);
    }
    running.finish_within(PATIENCE)
}

/// The way to the server is closed for a while, and again.
async fn with_outages(bench: &Bench, join: &[&str], journal: &Journal, kind: Kind, link: &Link) -> Ended {
    let running = bench.start(join);
    let (times, length) = seconds("OUTAGE_S").map_or((TIMES, Duration::from_secs(2)), |length| (1, length));
    for time in 1..=times {
        until_stored(journal, kind, time, times + 1).await;
        link.set_up(false);
        sleep(length).await;
        link.set_up(true);
    }
    tokio::task::spawn_blocking(|| running.finish_within(PATIENCE)).await.unwrap()
}

fn rules(rules: Value) -> Value {
    json!({"rules": rules})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenth_of_the_puts_fails() {
    let file = rules(json!([
        {"on": "s3.put", "probability": 0.04, "fail": "internal_error"},
        {"on": "s3.put", "probability": 0.03, "fail": "unavailable"},
        {"on": "s3.put", "probability": 0.03, "fail": "throttled"},
        {"on": "sqs.*", "probability": 0.1, "fail": "throttled"},
        {"on": "rest.join", "probability": 0.1, "fail": "unavailable"},
        {"on": "rest.status", "probability": 0.1, "fail": "internal_error"},
        {"on": "rest.complete", "times": 1, "fail": "throttled"},
    ]));
    Fault { name: "500, 503 and SlowDown", file, visibility: "3", trouble: Trouble::Nothing }.is_endured().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenth_of_the_answers_is_lost() {
    let file = rules(json!([
        {"on": "s3.put", "probability": 0.1, "cut": "after"},
        {"on": "s3.put", "probability": 0.05, "cut": "before"},
        {"on": "sqs.*", "probability": 0.1, "cut": "after"},
    ]));
    Fault { name: "answers lost", file, visibility: "3", trouble: Trouble::Nothing }.is_endured().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fifth_of_the_tasks_is_handed_out_twice() {
    let file = rules(json!([
        {"on": "sqs.receive", "nth": [1, 2], "duplicate": true},
        {"on": "sqs.receive", "probability": 0.2, "duplicate": true},
        {"on": "s3.put", "delay_ms": 100},
    ]));
    let fault = Fault { name: "handed out twice", file, visibility: "3", trouble: Trouble::Nothing };
    assert!(fault.is_endured().await > 0, "nothing was handed out twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_expire_all_the_time_and_are_not_good_at_once() {
    let slow = json!([{"on": "s3.put", "delay_ms": 300}]);
    let lifetime = told("KEY_S").unwrap_or(3);
    let file = json!({"keys": {"lifetime_s": lifetime, "settle_s": 1}, "rules": slow});
    Fault { name: "keys of a few seconds", file, visibility: "3", trouble: Trouble::Nothing }.is_endured().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_come_after_the_lease() {
    let file = rules(json!([{"on": "s3.put", "probability": 0.1, "answer_after_ms": 3000}]));
    Fault { name: "answers after the lease", file, visibility: "2", trouble: Trouble::Nothing }.is_endured().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_servers_clock_is_an_hour_ahead() {
    let file = json!({"clock_ahead_s": 3600});
    Fault { name: "a clock that is off", file, visibility: "3", trouble: Trouble::Nothing }.is_endured().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_disk_is_full_for_a_while() {
    let file = json!({"disk_full": {"after_bytes": 1_000_000, "for_s": 3}});
    Fault { name: "a full disk", file, visibility: "3", trouble: Trouble::Nothing }.is_endured().await;
}

/// Requests are slowed down where somebody is killed, so that it happens in the middle of something.
fn slow() -> Value {
    rules(json!([{"on": "s3.put", "delay_ms": 50}]))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_is_killed_every_so_often() {
    let fault = Fault { name: "client killed", file: slow(), visibility: "2", trouble: Trouble::ClientKilled };
    assert!(fault.is_endured().await > 0, "a killed client held no tasks");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_is_killed_every_so_often() {
    Fault { name: "server killed", file: slow(), visibility: "3", trouble: Trouble::ServerKilled }.is_endured().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_is_down_every_so_often() {
    Fault { name: "link down", file: slow(), visibility: "3", trouble: Trouble::LinkDown }.is_endured().await;
}
