//! 2050 × 1030 × 37 voxels of 16 bits: no size is a multiple of anything. Every voxel right, memory within its budget.

use boss_ingest::volume::Dtype;
use serde_json::json;

use crate::support::{Bench, ServedBoss, TestVolume, compare};

/// What the process may use besides `--memory`: code, stacks, connections.
const OVERHEAD_BYTES: u64 = 64 << 20;
const MEMORY_BYTES: u64 = 256 << 20;

fn bench() -> (Bench, TestVolume) {
    let bench = Bench::new();
    let volume = TestVolume::new(Dtype::Uint16, 2050, 1030, 37);
    volume.write_sections(&bench.file("sections"), "png");
    (bench, volume)
}

fn path_processor() -> serde_json::Value {
    let params = json!({"root_dir": "sections", "base_filename": "s<p:4>", "extension": "png"});
    json!({"class": "z_stack", "params": params})
}

fn extent() -> serde_json::Value {
    json!({"x": [0, 2050], "y": [0, 1030], "z": [0, 37], "t": [0, 1]})
}

/// Ingests with 256 MiB, and compares all voxels, those of the padding behind the extent included.
async fn ingest(bench: &Bench, volume: &TestVolume, boss: &ServedBoss, tasks: u64) {
    // The resources are made by a job on the folder that is served.
    let create = ["create", "job.json", "--local", "boss", "--yes", "--memory", "256MiB"];
    let running = bench.start(&create);
    let (ended, peak_bytes) = running.finish_measured();
    let ended = ended.expect_code(0);
    assert_eq!(ended.stored(), tasks);
    assert_eq!(boss.status(&ended.job_id()).await["status"], 2);
    assert!(peak_bytes < MEMORY_BYTES + OVERHEAD_BYTES, "peak memory was {} MiB", peak_bytes >> 20);
    println!("peak memory {} MiB\n{}", peak_bytes >> 20, ended.stderr);
    for z in [0..16, 16..32, 32..37] {
        let found = boss.cutout(&format!("0:2050/0:1030/{}:{}", z.start, z.end)).await;
        compare(&found, &volume.bytes(0..2050, 0..1030, z.clone(), 0), &format!("z {z:?}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ragged_tile_job_stores_every_voxel() {
    let (bench, volume) = bench();
    let boss = ServedBoss::start(bench.path(), &[]);
    let tile_processor = json!({"class": "image", "params": {}});
    bench.write_tile_job(boss.host(), extent(), [512, 512], path_processor(), tile_processor);
    ingest(&bench, &volume, &boss, 5 * 3 * 37).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ragged_volumetric_job_stores_every_voxel() {
    let (bench, volume) = bench();
    let boss = ServedBoss::start(bench.path(), &[]);
    let chunk_processor = json!({"class": "sections", "params": {}});
    bench.write_chunk_job(boss.host(), extent(), [1024, 512, 32], path_processor(), chunk_processor);
    ingest(&bench, &volume, &boss, 3 * 3 * 2).await;
}
