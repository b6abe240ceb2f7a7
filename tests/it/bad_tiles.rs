//! A bad tile is news, not a black square: the others arrive, it is listed, and once mended it arrives too.

use boss_ingest::volume::Dtype;
use serde_json::{Value, json};

use crate::support::{Bench, ServedBoss, TestVolume, compare, settings};

const SCRIPT: &str = "\
local M = {}
function M.path(at)
  return ('sections/s%04d.png'):format(at.z)
end
function M.tile(at)
  if at.z == 9 then
    local shift = nil
    return { region = at.region, offset = shift + 1 }
  end
  return { region = at.region }
end
return M
";

fn bench() -> (Bench, ServedBoss, TestVolume) {
    let bench = Bench::new();
    let boss = ServedBoss::start(bench.path(), &["--visibility", "3"]);
    let volume = TestVolume::new(Dtype::Uint8, 700, 500, 12);
    volume.write_sections(&bench.file("sections"), "png");
    let extent = json!({"x": [0, 700], "y": [0, 500], "z": [0, 12], "t": [0, 1]});
    let slot = json!({"class": "paths.lua", "params": {}});
    bench.write("paths.lua", SCRIPT);
    bench.write_tile_job(boss.host(), extent, [512, 512], slot.clone(), slot);
    (bench, boss, volume)
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_tiles_are_listed_and_arrive_when_they_are_mended() {
    let (bench, boss, volume) = bench();
    let section = |z: i64| bench.file(&format!("sections/s{z:04}.png"));
    std::fs::remove_file(section(2)).unwrap();
    let whole = std::fs::read(section(5)).unwrap();
    std::fs::write(section(5), &whole[..whole.len() / 2]).unwrap();
    TestVolume { x: 600, ..volume }.write_section(&section(7), 7, 0);

    let ended = bench.run(&["create", "job.json", "--local", "boss", "--yes"]).expect_code(3);

    // Of the section that is too narrow, the left tile lacks nothing.
    assert_eq!(ended.stored(), 24 - 7);
    settings(&bench).bind(|| insta::assert_snapshot!("bad_tiles", sorted_news(&ended.stderr)));
    let list = bad_list(&bench);
    let tiles: Vec<_> = list.iter().map(|bad| (bad["z"].as_i64().unwrap(), bad["x"].as_i64().unwrap())).collect();
    assert_eq!(sorted(tiles), [(2, 0), (2, 1), (5, 0), (5, 1), (7, 1), (9, 0), (9, 1)]);
    assert!(list.iter().all(|bad| bad["tries"] == 3 && bad["kind"] == "tile" && bad["reason"].is_string()));
    assert_eq!(list.iter().find(|bad| bad["z"] == 5).unwrap()["file"], "sections/s0005.png");

    for z in [2, 5, 7] {
        volume.write_section(&section(z), z, 0);
    }
    bench.write("paths.lua", &SCRIPT.replace("at.z == 9", "false"));
    let id = ended.job_id();
    let mended =
        bench.run(&["join", "job.json", "-j", &id, "--local", "boss", "--yes", "--accept-changes"]).expect_code(0);

    assert_eq!(mended.stored(), 7);
    assert_eq!(boss.status(&id).await["status"], 2);
    compare(&boss.cutout("0:700/0:500/0:12").await, &volume.bytes(0..700, 0..500, 0..12, 0), "mended");
}

/// News come in any order; the summary behind them does not.
fn sorted_news(stderr: &str) -> String {
    let (mut news, rest): (Vec<&str>, Vec<&str>) =
        stderr.lines().partition(|line| line.starts_with("tile ") && line.contains(" is bad: "));
    news.sort_unstable();
    [news, rest].concat().join("\n")
}

fn bad_list(bench: &Bench) -> Vec<Value> {
    let folder = bench.file("state/boss-ingest");
    let file = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
        .expect("the list is left in the state directory");
    std::fs::read_to_string(file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn sorted<T: Ord>(mut values: Vec<T>) -> Vec<T> {
    values.sort();
    values
}
