//! Channels of a Boss as sources: what was ingested is read back, and ingested anew.

use std::path::Path;
use std::time::Duration;

use boss_ingest::codec::{self, BloscSettings};
use boss_ingest::source::{BossSettings, Plan, ReadPlan, RemoteSettings, SourceError, Sources, Step, Target};
use boss_ingest::volume::{Block, Dtype, Region, Size, Span};
use serde_json::json;

use crate::support::offline::chain;
use crate::support::web::{Fault, Web};
use crate::support::{Bench, ServedBoss, TestVolume, compare};

const CHANNEL: &str = "bossdb://col/exp/chan";

/// Sources that ask this Boss, with this token.
fn sources(boss: &ServedBoss, token: Option<&str>) -> Sources {
    sources_at(&boss.origin, token)
}

fn sources_at(url: &str, token: Option<&str>) -> Sources {
    let token = token.map(|token| format!("Token {token}").parse().unwrap());
    let boss = BossSettings { url: url.to_owned(), token };
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

/// Writes what a Boss tells of the channel `col/exp/chan` of 20 × 10 × 4 voxels, isotropic, and these cutouts.
fn write_boss(folder: &Path, cutouts: &[(&str, Vec<u8>)]) {
    let write = |path: &str, bytes: &[u8]| {
        let path = folder.join("v1").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    let frame = json!({"x_start": 0, "x_stop": 20, "y_start": 0, "y_stop": 10, "z_start": 0, "z_stop": 4});
    let experiment = json!({
        "coord_frame": "f", "num_hierarchy_levels": 3, "hierarchy_method": "isotropic", "num_time_samples": 1,
    });
    let channel = json!({"datatype": "uint8", "base_resolution": 0, "downsample_status": "DOWNSAMPLED"});
    for (path, told) in [
        ("coord/f", frame),
        ("collection/col/experiment/exp", experiment),
        ("collection/col/experiment/exp/channel/chan", channel),
    ] {
        write(&format!("{path}/index.json"), told.to_string().as_bytes());
    }
    for (path, bytes) in cutouts {
        write(&format!("cutout/col/exp/chan/{path}"), bytes);
    }
}

fn frame(voxels: &[u8]) -> Vec<u8> {
    codec::compress(voxels, Dtype::Uint8, &BloscSettings::default()).unwrap()
}

#[test]
fn resolutions_are_asked_for_by_their_number() {
    let folder = tempfile::tempdir().unwrap();
    let voxels: Vec<u8> = (0..3 * 5).collect();
    write_boss(folder.path(), &[("2/0:5/0:3/0:1", frame(&voxels))]);
    let web = Web::serve(folder.path(), Duration::ZERO);
    let sources = sources_at(&web.origin, Some("s3cr3t"));
    let mut plan = ReadPlan::new(CHANNEL);
    plan.source.level = Some(2);
    let block = read(&sources, plan, Dtype::Uint8, &Region::of_size(Size::new(5, 3, 1))).unwrap();
    assert_eq!(block.as_bytes(), voxels);
}

#[test]
fn a_host_that_a_script_names_does_not_get_the_token() {
    let folder = tempfile::tempdir().unwrap();
    write_boss(folder.path(), &[("0/0:20/0:10/0:4", frame(&[7; 20 * 10 * 4]))]);
    let (own, other) = (Web::serve(folder.path(), Duration::ZERO), Web::serve(folder.path(), Duration::ZERO));
    let sources = sources_at(&own.origin, Some("s3cr3t"));
    let foreign = format!("{CHANNEL}?host={}&protocol=http", other.origin.trim_start_matches("http://"));
    for (url, web, expected) in [(CHANNEL, &own, "Token s3cr3t"), (&foreign, &other, "Token public")] {
        read(&sources, ReadPlan::new(url), Dtype::Uint8, &Region::of_size(Size::new(20, 10, 4))).unwrap();
        let said = web.take_asked().authorizations;
        assert!(!said.is_empty() && said.iter().all(|said| said == expected), "{url}: {said:?}");
    }
}

#[test]
fn what_goes_wrong_is_told_without_the_token() {
    let folder = tempfile::tempdir().unwrap();
    let cutout = "0/0:20/0:10/0:4";
    let fails = |bytes: Vec<u8>, fault: Option<(&str, u16)>| {
        write_boss(folder.path(), &[(cutout, bytes)]);
        let web = Web::serve(folder.path(), Duration::ZERO);
        if let Some((ending, status)) = fault {
            web.fail(ending, Fault::Status(status), usize::MAX);
        }
        let error = read(
            &sources_at(&web.origin, Some("s3cr3t")),
            ReadPlan::new(CHANNEL),
            Dtype::Uint8,
            &Region::of_size(Size::new(20, 10, 4)),
        );
        let error = error.unwrap_err();
        let told = format!("{}; {:?}; {error:?}", chain(&error), error.hint());
        assert!(!told.contains("s3cr3t"), "{told}");
        (error, told)
    };
    let sound = frame(&[7; 20 * 10 * 4]);
    for bytes in [frame(&[7; 20 * 10 * 4 - 1]), frame(&[7; 4 << 20]), sound[..sound.len() - 1].to_vec(), Vec::new()] {
        let (error, told) = fails(bytes, None);
        assert!(matches!(error, SourceError::Damaged { .. }), "{told}");
    }
    let (error, told) = fails(vec![1; 1 << 20], None);
    assert!(matches!(error, SourceError::Damaged { .. }), "{told}");
    for (ending, status) in [("/chan", 403), ("/chan", 401), ("/exp", 403), (cutout, 403)] {
        let (error, told) = fails(sound.clone(), Some((ending, status)));
        assert!(matches!(error, SourceError::Unreachable { .. }), "{told}");
        assert!(told.contains("the Boss refuses the token") && told.contains("INTERN_TOKEN"), "{told}");
    }
    let (error, told) = fails(sound.clone(), Some((cutout, 500)));
    assert!(matches!(error, SourceError::Unreachable { .. }) && told.contains("500"), "{told}");
    let (error, told) = fails(sound, Some(("/chan", 404)));
    assert!(matches!(error, SourceError::NotFound { .. }), "{told}");
}
