//! Judges that are not ours: Python programs read what `serve` gives and compare it with the sources.

use std::path::Path;

use boss_ingest::volume::Dtype;
use serde_json::json;

use crate::support::{Bench, ServedBoss, TestVolume, python, run};

/// What the scripts of these stories import.
const PACKAGES: &str = "blosc, boto3, numpy, PIL, requests";

/// Compares what a Boss gives back of jobs with Pillow's reading of their sections.
fn judge(python: &str, boss: &ServedBoss, jobs: &[(&Path, &Path)]) {
    let mut args = vec![boss.origin.as_str()];
    args.extend(jobs.iter().flat_map(|(job, sections)| [job.to_str().unwrap(), sections.to_str().unwrap()]));
    let text = run(python, "read_examples.py", &args);
    assert_eq!(text.matches(" equal, ").count(), jobs.len(), "{text}");
}

#[test]
fn boto3_and_python_blosc_finish_jobs_on_the_local_boss() {
    let Some(python) = python(PACKAGES) else { return };
    let bench = Bench::new();
    let boss = ServedBoss::start(bench.path(), &[]);
    let text = run(&python, "check_server_boto3.py", &[&boss.origin, &boss.token()]);
    assert!(text.contains("every voxel is right"), "{text}");
}

#[test]
fn both_examples_are_read_back_by_python_as_pillow_reads_the_sections() {
    let Some(python) = python(PACKAGES) else { return };
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let (stack, volume) = (examples.join("em_stack/job.json"), examples.join("em_volume/job.json"));
    let bench = Bench::new();
    for job in [&stack, &volume] {
        bench.run(&["create", job.to_str().unwrap(), "--local", "boss", "--yes"]).expect_code(0);
    }
    let boss = ServedBoss::start(bench.path(), &[]);
    let sections = examples.join("em_stack/sections");
    judge(&python, &boss, &[(&stack, &sections), (&volume, &sections)]);
}

#[test]
fn python_finds_zeros_where_there_is_no_data() {
    let Some(python) = python(PACKAGES) else { return };
    let bench = Bench::new();
    let boss = ServedBoss::start(bench.path(), &[]);
    let volume = TestVolume::new(Dtype::Uint16, 1111, 1030, 21);
    for z in 16..21 {
        volume.write_section(&bench.file(&format!("sections/s{z:04}.png")), z, 0);
    }
    let extent = json!({"x": [512, 1111], "y": [1024, 1030], "z": [16, 21], "t": [0, 1]});
    let params = json!({"root_dir": "sections", "base_filename": "s<p:4>", "extension": "png"});
    let (path, chunk) = (json!({"class": "z_stack", "params": params}), json!({"class": "sections", "params": {}}));
    bench.write_chunk_job(boss.host(), extent, [512, 512, 16], path, chunk);
    bench.run(&["create", "job.json", "--local", "boss", "--yes"]).expect_code(0);
    judge(&python, &boss, &[(&bench.file("job.json"), &bench.file("sections"))]);
}

#[test]
fn numpy_and_pillow_read_what_try_writes() {
    let Some(python) = python(PACKAGES) else { return };
    let bench = Bench::new();
    let volume = TestVolume::new(Dtype::Uint16, 1111, 1030, 3);
    volume.write_sections(&bench.file("sections"), "png");
    let extent = json!({"x": [0, 1111], "y": [0, 1030], "z": [0, 3], "t": [0, 1]});
    let params = json!({"root_dir": "sections", "base_filename": "s<p:4>", "extension": "png"});
    let path = json!({"class": "z_stack", "params": params});
    let (image, sections) = (json!({"class": "image", "params": {}}), json!({"class": "sections", "params": {}}));
    for (job, size) in [("tile", [512, 512]), ("chunk", [1024, 512])] {
        match job {
            "tile" => bench.write_tile_job("localhost", extent.clone(), size, path.clone(), image.clone()),
            _ => {
                let chunk = [size[0], size[1], 16];
                bench.write_chunk_job("localhost", extent.clone(), chunk, path.clone(), sections.clone());
            }
        }
        let kinds: &[&str] = if job == "tile" { &["npy", "tif", "raw", "png"] } else { &["npy", "tif", "raw"] };
        for kind in kinds {
            let output = format!("{job}.{kind}");
            bench.run(&["try", "job.json", "--at", "x=1,y=2,z=0", "-o", &output]).expect_code(0);
        }
    }
    let text = run(&python, "read_voxels.py", &[bench.path().to_str().unwrap()]);
    assert_eq!(text.matches(" equal").count(), 7, "{text}");
}
