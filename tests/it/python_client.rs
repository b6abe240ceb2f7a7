//! The Python client, unmodified from PyPI, on the same Boss with the same data: both must store the same voxels.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use boss_ingest::volume::Dtype;
use reqwest::Client;
use serde_json::{Value, json};

use crate::support::{Bench, ServedBoss, TestVolume, compare};

/// The folder of the Python environment that has the client. `None`, said aloud, where there is none; in CI that is a failure.
fn python_client() -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("BOSS_INGEST_PYTHON_CLIENT").map(PathBuf::from) else {
        assert!(std::env::var_os("CI").is_none(), "BOSS_INGEST_PYTHON_CLIENT is not set; see {REQUIREMENTS}");
        println!("left out: BOSS_INGEST_PYTHON_CLIENT names no Python environment; see {REQUIREMENTS}");
        return None;
    };
    assert!(folder.join("bin/boss-ingest").exists(), "`{}` lacks the client; see {REQUIREMENTS}", folder.display());
    Some(folder)
}

const REQUIREMENTS: &str = "tests/foreign/python_client/requirements.txt";

/// One job, ingested by our client into channel `chan` and by the Python client into channel `theirs`.
struct Match {
    _bench: Bench,
    boss: ServedBoss,
    volume: TestVolume,
}

impl Match {
    /// `job.json` is already written.
    async fn play(
        python: &Path,
        bench: Bench,
        boss: ServedBoss,
        volume: TestVolume,
        adapt: impl FnOnce(&mut Value),
    ) -> Match {
        bench.run(&["create", "job.json", "--local", "boss", "--yes"]).expect_code(0);
        make_channel(&boss, volume.dtype).await;
        let mut job: Value = serde_json::from_slice(&std::fs::read(bench.file("job.json")).unwrap()).unwrap();
        job["database"]["channel"] = "theirs".into();
        adapt(&mut job);
        bench.write("theirs.json", &job.to_string());
        let run = start(python, &bench, &boss);
        let output = tokio::task::spawn_blocking(|| run.wait_with_output().unwrap()).await.unwrap();
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{text}");
        assert_eq!(boss.status("2").await["status"], 2, "{text}");
        Match { _bench: bench, boss, volume }
    }

    /// Both channels hold this box of the volume.
    async fn both_are_right(&self, ranges: &str, expected: &[u8]) {
        for channel in ["chan", "theirs"] {
            compare(&self.boss.cutout_of(channel, ranges).await, expected, channel);
        }
    }

    async fn both_hold_the_whole_volume(&self) {
        let TestVolume { x, y, z, .. } = self.volume;
        self.both_are_right(&format!("0:{x}/0:{y}/0:{z}"), &self.volume.bytes(0..x, 0..y, 0..z, 0)).await;
    }
}

async fn make_channel(boss: &ServedBoss, dtype: Dtype) {
    let url = format!("{}/v1/collection/col/experiment/exp/channel/theirs", boss.origin);
    let request = Client::new().post(url).header("Authorization", format!("Token {}", boss.token()));
    let answer = request.body(json!({"type": "image", "datatype": dtype}).to_string()).send().await.unwrap();
    assert_eq!(answer.status(), 201);
}

/// Starts the client with the one thing that leads it to a local Boss: boto3's endpoint.
fn start(python: &Path, bench: &Bench, boss: &ServedBoss) -> Child {
    let plugins = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign/python_client");
    let mut command = Command::new(python.join("bin/boss-ingest"));
    command.args(["theirs.json", "-f"]).env_clear().current_dir(bench.path());
    command.env("HOME", bench.path()).env("PATH", "/usr/bin:/bin").env("INTERN_TOKEN", boss.token());
    command.env("AWS_ENDPOINT_URL", &boss.origin).env("PYTHONPATH", plugins).env("PYTHONDONTWRITEBYTECODE", "1");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn quick_boss(bench: &Bench) -> ServedBoss {
    ServedBoss::start(bench.path(), &["--completion-wait", "0"])
}

/// Together, because the Python client mostly sleeps: at the end of a job four times for ten seconds.
#[tokio::test(flavor = "multi_thread")]
async fn the_python_client_and_ours_store_the_same_voxels() {
    let Some(python) = python_client() else { return };
    tokio::join!(a_stack_of_frames(&python), tiles_with_a_plug_in_of_the_users(&python), a_precomputed_volume(&python));
}

async fn a_stack_of_frames(python: &Path) {
    let bench = Bench::new();
    let boss = quick_boss(&bench);
    let volume = TestVolume::new(Dtype::Uint8, 796, 300, 18);
    volume.write_sections(&bench.file("frames"), "png");
    let extent = json!({"x": [0, 796], "y": [0, 300], "z": [0, 18], "t": [0, 1]});
    let class = |name: &str| format!("ingestclient.plugins.stack.ZindexStack{name}Processor");
    let params = json!({"root_dir": bench.file("frames"), "base_filename": "s<p:4>", "extension": "png"});
    let path = json!({"class": class("Path"), "params": params});
    let tile = json!({"class": class("Tile"), "params": {"filesystem": "local", "extension": "png"}});
    bench.write_tile_job(boss.host(), extent, [796, 300], path, tile);

    let played = Match::play(python, bench, boss, volume, |_| {}).await;

    played.both_hold_the_whole_volume().await;
}

async fn tiles_with_a_plug_in_of_the_users(python: &Path) {
    let bench = Bench::new();
    let boss = quick_boss(&bench);
    let volume = TestVolume::new(Dtype::Uint16, 1100, 700, 21);
    volume.write_sections(&bench.file("sections"), "png");
    let extent = json!({"x": [512, 1100], "y": [0, 700], "z": [0, 21], "t": [0, 1]});
    let params = json!({"root_dir": bench.file("sections"), "base_filename": "s<p:4>", "extension": "png"});
    let path = json!({"class": "ingestclient.plugins.stack.ZindexStackPathProcessor", "params": params});
    bench.write_tile_job(boss.host(), extent, [512, 512], path, json!({"class": "image", "params": {}}));

    let adapt = |job: &mut Value| job["client"]["tile_processor"]["class"] = "cropped.CroppedTileProcessor".into();
    let played = Match::play(python, bench, boss, volume, adapt).await;

    played.both_are_right("512:1100/0:700/0:21", &volume.bytes(512..1100, 0..700, 0..21, 0)).await;
}

async fn a_precomputed_volume(python: &Path) {
    let bench = Bench::new();
    let boss = quick_boss(&bench);
    let volume = TestVolume::new(Dtype::Uint64, 700, 600, 20);
    write_precomputed(&volume, &bench);
    let extent = json!({"x": [0, 700], "y": [0, 600], "z": [0, 20], "t": [0, 1]});
    let class = |name: &str| format!("ingestclient.plugins.cloudvolume.CloudVolume{name}Processor");
    let params = json!({"cloudpath": format!("file://{}", bench.file("volume").display()), "progress": false});
    let (path, chunk) = (class("Path"), class("Chunk"));
    let (path, chunk) = (json!({"class": path, "params": {}}), json!({"class": chunk, "params": params}));
    bench.write_chunk_job(boss.host(), extent, [1024, 1024, 16], path, chunk);

    let played = Match::play(python, bench, boss, volume, |_| {}).await;

    played.both_hold_the_whole_volume().await;
}

/// A volume of one raw chunk, whose bytes are those of the volume: x fastest.
fn write_precomputed(volume: &TestVolume, bench: &Bench) {
    let TestVolume { x, y, z, .. } = *volume;
    let scale = json!({
        "key": "4_4_40", "size": [x, y, z], "resolution": [4, 4, 40], "voxel_offset": [0, 0, 0],
        "chunk_sizes": [[x, y, z]], "encoding": "raw",
    });
    let info = json!({"type": "image", "data_type": volume.dtype, "num_channels": 1, "scales": [scale]});
    bench.write("volume/info", &info.to_string());
    bench.write("volume/4_4_40/x", "");
    let chunk = bench.file(&format!("volume/4_4_40/0-{x}_0-{y}_0-{z}"));
    std::fs::write(chunk, volume.bytes(0..x, 0..y, 0..z, 0)).unwrap();
}
