//! Channels of a Boss as sources: what was ingested is read back, and ingested anew.

use std::path::Path;

use boss_ingest::source::{BossSettings, Plan, ReadPlan, RemoteSettings, SourceError, Sources, Step, Target};
use boss_ingest::volume::{Block, Dtype, Region, Size, Span};
use serde_json::json;

use crate::support::{Bench, ServedBoss, TestVolume, compare};

const CHANNEL: &str = "bossdb://col/exp/chan";

/// Sources that ask this Boss, with this token.
fn sources(boss: &ServedBoss, token: Option<&str>) -> Sources {
    let token = token.map(|token| format!("Token {token}").parse().unwrap());
    let boss = BossSettings { url: boss.origin.clone(), token };
    let settings = RemoteSettings { boss, retries: 2, ..RemoteSettings::default() };
    Sources::new(Path::new("/").to_owned(), 64 << 20).with_remote(settings)
}

fn span((start, stop): (i64, i64)) -> Span {
    Span::new(start, stop)
}

fn read(sources: &Sources, plan: ReadPlan, dtype: Dtype, region: &Region) -> Result<Block, SourceError> {
    let size = region.size();
    let target = Target { size, dtype, required: Region::of_size(size) };
    sources.read(&Plan::Read(plan.with(Step::Crop(*region))), &target)
}

/// Ingests a volume of 16-bit voxels that ends inside of cuboids.
fn ingest(bench: &Bench, boss: &ServedBoss) -> TestVolume {
    let volume = TestVolume::new(Dtype::Uint16, 700, 530, 19);
    volume.write_sections(&bench.file("frames"), "tif");
    let extent = json!({"x": [0, 700], "y": [0, 530], "z": [0, 19], "t": [0, 1]});
    bench.write("paths.lua", "return { path = function(at) return ('frames/s%04d.tif'):format(at.z) end }\n");
    let (path, tile) = (json!({"class": "paths.lua", "params": {}}), json!({"class": "image", "params": {}}));
    bench.write_tile_job(boss.host(), extent, [1024, 1024], path, tile);
    bench.run(&["create", "job.json", "--local", "boss", "--yes"]).expect_code(0);
    volume
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_ingested_is_read_back() {
    let bench = Bench::new();
    let boss = ServedBoss::start(bench.path(), &[]);
    let volume = ingest(&bench, &boss);
    let sources = sources(&boss, Some(&boss.token()));

    let info = sources.info(CHANNEL).unwrap();
    assert_eq!((info.size, info.dtype, info.axes.as_str()), (Size::new(700, 530, 19), Dtype::Uint16, "zyx"));
    assert_eq!((info.block, info.format), (Size::new(512, 512, 16), "bossdb"));
    let boxes = [
        ((0, 700), (0, 530), (0, 19)),
        ((500, 530), (505, 520), (10, 19)),
        ((699, 700), (529, 530), (18, 19)),
        ((0, 512), (0, 512), (0, 16)),
    ];
    for (x, y, z) in boxes {
        let region = Region::new(span(x), span(y), span(z));
        let block = read(&sources, ReadPlan::new(CHANNEL), Dtype::Uint16, &region).unwrap();
        compare(block.as_bytes(), &volume.bytes(x.0..x.1, y.0..y.1, z.0..z.1, 0), &region.to_string());
    }

    let missing = sources.info("bossdb://col/exp/other").unwrap_err();
    assert!(matches!(missing, SourceError::NotFound { .. }), "{missing}");
    let mut coarse = ReadPlan::new(CHANNEL);
    coarse.source.level = Some(9);
    let voxel = Region::of_size(Size::new(1, 1, 1));
    assert!(matches!(read(&sources, coarse, Dtype::Uint16, &voxel), Err(SourceError::Plan { .. })));
    let mut other = ReadPlan::new(CHANNEL);
    other.source.format = Some("tiff".to_owned());
    assert!(matches!(read(&sources, other, Dtype::Uint16, &voxel), Err(SourceError::NotSupported { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_the_boss_does_not_know_reads_as_everybody() {
    let bench = Bench::new();
    let boss = ServedBoss::start(bench.path(), &[]);
    ingest(&bench, &boss);
    let voxel = Region::of_size(Size::new(1, 1, 1));
    for token in [None, Some("s3cr3t")] {
        let sources = sources(&boss, token);
        let block = read(&sources, ReadPlan::new(CHANNEL), Dtype::Uint16, &voxel);
        assert!(block.is_ok(), "{block:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_time_sample_of_several_is_taken() {
    let bench = Bench::new();
    let boss = ServedBoss::start(bench.path(), &[]);
    let volume = TestVolume { t: 2, ..TestVolume::new(Dtype::Uint8, 90, 70, 3) };
    for (z, t) in (0..3).flat_map(|z| [(z, 0), (z, 1)]) {
        volume.write_section(&bench.file(&format!("t{t}/z{z}.png")), z, t);
    }
    let extent = json!({"x": [0, 90], "y": [0, 70], "z": [0, 3], "t": [0, 2]});
    bench.write("paths.lua", "return { path = function(at) return ('t%d/z%d.png'):format(at.t, at.z) end }\n");
    let (path, tile) = (json!({"class": "paths.lua", "params": {}}), json!({"class": "image", "params": {}}));
    bench.write_tile_job(boss.host(), extent, [512, 512], path, tile);
    bench.run(&["create", "job.json", "--local", "boss", "--yes"]).expect_code(0);

    let sources = sources(&boss, Some(&boss.token()));
    let info = sources.info(CHANNEL).unwrap();
    assert_eq!((info.axes.as_str(), info.length('t')), ("tzyx", 2));
    let region = Region::of_size(Size::new(90, 70, 3));
    for t in 0..2 {
        let mut plan = ReadPlan::new(CHANNEL);
        plan.source.select.insert('t', t);
        let block = read(&sources, plan, Dtype::Uint8, &region).unwrap();
        compare(block.as_bytes(), &volume.bytes(0..90, 0..70, 0..3, t as i64), &format!("t {t}"));
    }
    let error = read(&sources, ReadPlan::new(CHANNEL), Dtype::Uint8, &region).unwrap_err();
    assert!(matches!(error, SourceError::Plan { .. }), "{error}");
}

/// A job whose source is a channel of the Boss that it is ingested into, moved and cut.
#[tokio::test(flavor = "multi_thread")]
async fn a_channel_is_ingested_from_another() {
    let bench = Bench::new();
    let boss = ServedBoss::start(bench.path(), &[]);
    let volume = ingest(&bench, &boss);
    let extent = json!({"x": [0, 400], "y": [0, 500], "z": [0, 12], "t": [0, 1]});
    let path = json!({"class": "boss_cutout", "params": {}});
    let chunk =
        json!({"class": "boss_cutout", "params": {"uri": CHANNEL, "x_offset": 300, "y_offset": 20, "z_offset": 5}});
    bench.write_chunk_job(boss.host(), extent, [512, 512, 16], path, chunk);
    let job = std::fs::read_to_string(bench.file("job.json")).unwrap();
    bench.write("job.json", &job.replace("\"chan\"", "\"copy\""));

    bench.run(&["create", "job.json", "--local", "boss", "--yes", "-a", &boss.token()]).expect_code(0);

    let copy = format!("bossdb://col/exp/copy?host={}&protocol=http", boss.host());
    let region = Region::new(span((0, 400)), span((0, 500)), span((0, 12)));
    let sources = sources(&boss, Some(&boss.token()));
    let block = read(&sources, ReadPlan::new(&copy), Dtype::Uint16, &region).unwrap();
    compare(block.as_bytes(), &volume.bytes(300..700, 20..520, 5..17, 0), "the copy");

    let told = bench.run(&["inspect", &copy]).expect_code(0);
    assert!(told.stdout.contains("bossdb"), "{}", told.stdout);
}
