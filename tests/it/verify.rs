//! What the Boss holds is compared with the source: every change is found, and told apart from what was never uploaded.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use boss_ingest::engine::{canonical_json, sha256_of};
use boss_ingest::volume::Dtype;
use fastrand::Rng;
use serde_json::{Value, json};

use crate::support::{Bench, Ended, ServedBoss, TestVolume, command, cuboid_at, python, run, settings, stored_cuboids};

const CREATE: [&str; 5] = ["create", "job.json", "--local", "boss", "--yes"];
const VERIFY: [&str; 8] = ["verify", "job.json", "-j", "1", "--local", "boss", "-o", "certificate.json"];
const CHECK: [&str; 3] = ["verify", "--check", "certificate.json"];

/// A job of this kind that is complete, and the box of its extent as x, y, z and t.
struct Story {
    bench: Bench,
    volume: TestVolume,
    extent: [(i64, i64); 4],
}

impl Story {
    /// Tiles of 512² from `extent`, out of one file for each section and time sample.
    fn tiles(dtype: Dtype, extent: [(i64, i64); 4]) -> Self {
        let story = Story::sections(dtype, extent);
        story.bench.write("job.lua", "return { path = function(at) return ('t%d/z%d.tif'):format(at.t, at.z) end }\n");
        let (path, tile) = (json!({"class": "job.lua", "params": {}}), json!({"class": "image", "params": {}}));
        story.bench.write_tile_job("localhost", story.extent_json(), [512, 512], path, tile);
        story
    }

    /// Chunks of 512 × 512 × 32 out of sections.
    fn chunks(dtype: Dtype, extent: [(i64, i64); 4]) -> Self {
        let story = Story::sections(dtype, extent);
        let script = "local M = {}
            function M.path(at) return ('t0/z%d.tif'):format(at.z) end
            function M.chunk(at)
              local z = { at.region.z[1], math.min(at.region.z[2], STOP) }
              return boss.stack(z, function(z) return { path = boss.path({ z = z }), region = at.region } end)
            end
            return M";
        story.bench.write("job.lua", &script.replace("STOP", &extent[2].1.to_string()));
        let slot = json!({"class": "job.lua", "params": {}});
        story.bench.write_chunk_job("localhost", story.extent_json(), [512, 512, 32], slot.clone(), slot);
        story
    }

    fn sections(dtype: Dtype, extent: [(i64, i64); 4]) -> Self {
        let [x, y, z, t] = extent;
        let volume = TestVolume { t: t.1, ..TestVolume::new(dtype, x.1, y.1, z.1) };
        let bench = Bench::new();
        for t in t.0..t.1 {
            (z.0..z.1).for_each(|z| volume.write_section(&bench.file(&format!("t{t}/z{z}.tif")), z, t));
        }
        Story { bench, volume, extent }
    }

    fn extent_json(&self) -> Value {
        let [x, y, z, t] = self.extent.map(|(start, stop)| json!([start, stop]));
        json!({"x": x, "y": y, "z": z, "t": t})
    }

    fn ingested(self) -> Self {
        self.bench.run(&CREATE).expect_code(0);
        self
    }

    fn boss(&self) -> PathBuf {
        self.bench.file("boss")
    }

    fn voxels(&self) -> u64 {
        self.extent.iter().map(|(start, stop)| (stop - start) as u64).product()
    }

    fn certificate(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.bench.file("certificate.json")).unwrap()).unwrap()
    }

    /// The job is right; then one voxel after the other is changed, found by name and value, and put right again.
    fn finds_every_change(self, seeds: std::ops::Range<u64>) {
        let _served = ServedBoss::start(self.bench.path(), &[]);
        self.bench.run(&VERIFY).expect_code(0);
        let counts = self.certificate()["voxels"].clone();
        assert_eq!(counts, json!({"compared": self.voxels(), "differing": 0, "filled": 0, "not_compared": 0}));
        for seed in seeds {
            let mut drawn = Rng::with_seed(seed);
            let at = self.extent.map(|(start, stop)| drawn.i64(start..stop));
            let cuboid = cuboid_at(&self.boss(), at);
            let is = cuboid.flip(self.volume.dtype, at);
            let ended = self.bench.run(&VERIFY).expect_code(3);
            let ([x, y, z, t], was) = (at, self.volume.voxel(at[0], at[1], at[2], at[3]));
            let told = format!("error: voxel x {x}, y {y}, z {z}, t {t} is {is} in the Boss and {was} in the source\n");
            assert!(ended.stderr.contains(&told), "{told}{}", ended.stderr);
            assert!(ended.stderr.contains(": 1 differ\n"), "{}", ended.stderr);
            let certificate = self.certificate();
            assert_eq!(certificate["equal"], false);
            let difference = json!({"x": x, "y": y, "z": z, "t": t, "boss": is, "source": was});
            assert_eq!(certificate["differences"], json!([difference]));
            cuboid.flip(self.volume.dtype, at);
        }
    }
}

#[test]
fn a_changed_voxel_of_8_bit_tiles_over_two_time_samples_from_an_offset_is_found() {
    let extent = [(512, 1300), (512, 1050), (16, 35), (1, 3)];
    Story::tiles(Dtype::Uint8, extent).ingested().finds_every_change(0..5);
}

#[test]
fn a_changed_voxel_of_16_bit_tiles_is_found() {
    Story::tiles(Dtype::Uint16, [(0, 700), (0, 530), (0, 19), (0, 1)]).ingested().finds_every_change(5..10);
}

#[test]
fn a_changed_voxel_of_16_bit_chunks_from_an_offset_is_found() {
    let extent = [(512, 1100), (0, 530), (32, 70), (0, 1)];
    Story::chunks(Dtype::Uint16, extent).ingested().finds_every_change(10..15);
}

#[test]
fn a_changed_voxel_of_64_bit_chunks_is_found() {
    let story = Story::chunks(Dtype::Uint32, [(0, 600), (0, 520), (0, 19), (0, 1)]).ingested();
    // Labels of 32 bits lie in a channel of 64.
    let volume = TestVolume { dtype: Dtype::Uint64, ..story.volume };
    let _served = ServedBoss::start(story.bench.path(), &[]);
    story.bench.run(&VERIFY).expect_code(0);
    assert_eq!(story.certificate()["dtype"], "uint64");
    for seed in 15..20 {
        let mut drawn = Rng::with_seed(seed);
        let at = story.extent.map(|(start, stop)| drawn.i64(start..stop));
        let cuboid = cuboid_at(&story.boss(), at);
        cuboid.flip(volume.dtype, at);
        let ended = story.bench.run(&VERIFY).expect_code(3);
        let told = format!("error: voxel x {}, y {}, z {}, t {} is ", at[0], at[1], at[2], at[3]);
        assert!(ended.stderr.contains(&told) && ended.stderr.contains(": 1 differ\n"), "{}", ended.stderr);
        cuboid.flip(volume.dtype, at);
    }
}

#[test]
fn missing_and_swapped_cuboids_are_found() {
    let story = Story::tiles(Dtype::Uint8, [(0, 700), (0, 530), (0, 19), (0, 1)]).ingested();
    let cuboids = stored_cuboids(&story.boss());
    assert_eq!(cuboids.len(), 8);
    let kept = story.bench.file("kept");
    std::fs::rename(&cuboids[3].path, &kept).unwrap();
    let ended = story.bench.run(&VERIFY).expect_code(3);
    // The corner from 512 on: what is missing reads as 0, which the volume has nowhere.
    assert!(ended.stderr.contains(": 54 144 differ\n"), "188 × 18 × 16: {}", ended.stderr);
    std::fs::rename(&kept, &cuboids[3].path).unwrap();
    story.bench.run(&VERIFY).expect_code(0);

    std::fs::rename(&cuboids[0].path, &kept).unwrap();
    std::fs::rename(&cuboids[4].path, &cuboids[0].path).unwrap();
    std::fs::rename(&kept, &cuboids[4].path).unwrap();
    let ended = story.bench.run(&VERIFY).expect_code(3);
    assert!(ended.stderr.contains("error: voxel x 0, y 0, z 0, t 0 is "), "{}", ended.stderr);
    let certificate = story.certificate();
    let sections: Vec<_> = certificate["differences"].as_array().unwrap().iter().map(|one| &one["z"]).collect();
    assert!(sections.contains(&&0.into()) && sections.contains(&&16.into()), "{sections:?}");
}

#[test]
fn a_certificate_is_checked_without_the_source_and_refused_when_it_was_edited() {
    let story = Story::tiles(Dtype::Uint16, [(0, 700), (0, 530), (0, 19), (0, 1)]).ingested();
    let verified = story.bench.run(&VERIFY).expect_code(0);
    let mut filters = settings(&story.bench);
    filters.add_filter(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "[time]");
    filters.bind(|| insta::assert_snapshot!("verified", verified.stderr));
    let certificate = story.certificate();
    assert_eq!((&certificate["equal"], &certificate["channel"]), (&true.into(), &"col/exp/chan".into()));
    assert_eq!(certificate["blocks"].as_array().unwrap().len(), 8);

    if let Some(python) = python("json, hashlib") {
        let judged = run(&python, "check_certificate.py", &[story.bench.file("certificate.json").to_str().unwrap()]);
        assert_eq!(judged, "8 blocks, equal: True\n");
    }

    std::fs::remove_dir_all(story.bench.file("t0")).unwrap();
    std::fs::remove_file(story.bench.file("job.json")).unwrap();
    let checked = story.bench.run(&CHECK).expect_code(0);
    filters.bind(|| insta::assert_snapshot!("checked", checked.stderr));
    cuboid_at(&story.boss(), [600, 520, 17, 0]).flip(Dtype::Uint16, [600, 520, 17, 0]);
    let changed = story.bench.run(&CHECK).expect_code(3);
    let told =
        "error: the Boss now holds other voxels at x 512..700, y 512..530, z 16..19, t 0\n7 of 8 blocks as they were\n";
    assert!(changed.stderr.contains(told), "{}", changed.stderr);

    let text = std::fs::read_to_string(story.bench.file("certificate.json")).unwrap();
    for (from, to) in
        [("\"equal\": true", "\"equal\": false"), ("\"job\": 1", "\"job\": 2"), ("\"compared\":7", "\"compared\":8")]
    {
        assert!(text.contains(from), "{text}");
        story.bench.write("certificate.json", &text.replacen(from, to, 1));
        let refused = story.bench.run(&CHECK).expect_code(1);
        filters.bind(|| insta::assert_snapshot!("edited_certificate", refused.stderr));
    }
    // The same content in other words is the same certificate.
    let compact = serde_json::from_str::<Value>(&text).unwrap().to_string();
    story.bench.write("certificate.json", &compact);
    story.bench.run(&CHECK).expect_code(3);
    story.bench.write("certificate.json", "{\"equal\": true}");
    let other = story.bench.run(&CHECK).expect_code(1);
    assert!(other.stderr.contains("is no certificate of `verify`"), "{}", other.stderr);
}

#[test]
fn a_certificate_gets_no_token_for_a_host_that_it_names_itself() {
    let story = Story::tiles(Dtype::Uint8, [(0, 512), (0, 512), (0, 2), (0, 1)]).ingested();
    story.bench.run(&VERIFY).expect_code(0);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let forge = |boss: &str| {
        let mut forged = story.certificate();
        forged["boss"] = boss.into();
        forged.as_object_mut().unwrap().remove("sha256");
        forged["sha256"] = sha256_of(&canonical_json(&forged)).into();
        story.bench.write("forged.json", &forged.to_string());
    };
    forge(&format!("http://{}", listener.local_addr().unwrap()));

    let heard = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let length = stream.read(&mut request).unwrap();
        stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
        String::from_utf8_lossy(&request[..length]).to_lowercase()
    });
    let mut program = command(story.bench.path(), &["verify", "--check", "forged.json"]);
    let ended = program.env("INTERN_TOKEN", "s3cr3t").output().unwrap();
    let request = heard.join().unwrap();
    assert!(request.contains("authorization: token public") && !request.contains("s3cr3t"), "{request}");
    assert_eq!(ended.status.code(), Some(1), "{}", String::from_utf8_lossy(&ended.stderr));

    // Nor is a Boss made in a folder that it names.
    forge("elsewhere");
    let ended = story.bench.run(&["verify", "--check", "forged.json"]).expect_code(1);
    assert!(ended.stderr.contains("there is no local Boss in `elsewhere`"), "{}", ended.stderr);
    assert!(!story.bench.file("elsewhere").exists());
}

#[test]
fn tiles_in_quarantine_and_filled_ones_are_no_differences() {
    let story = Story::tiles(Dtype::Uint8, [(0, 700), (0, 500), (0, 12), (0, 1)]);
    let whole = std::fs::read(story.bench.file("t0/z5.tif")).unwrap();
    std::fs::write(story.bench.file("t0/z5.tif"), &whole[..whole.len() / 2]).unwrap();
    TestVolume { x: 600, ..story.volume }.write_section(&story.bench.file("t0/z7.tif"), 7, 0);
    story.bench.run(&[&CREATE[..], &["--on-bad-tile", "fill=9"]].concat()).expect_code(3);
    // Its chunks are not put together before the job is complete: the tile that waits is given, so that they are.
    story.volume.write_section(&story.bench.file("t0/z7.tif"), 7, 0);
    story.bench.run(&["join", "job.json", "-j", "1", "--local", "boss", "--yes"]).expect_code(0);

    let filled = story.bench.run(&VERIFY).expect_code(0);
    assert!(filled.stderr.contains("350 000 voxels are of tiles that were filled\n"), "{}", filled.stderr);
    assert_eq!(story.certificate()["voxels"]["filled"], 350_000);

    // A source that is gone since is told as that.
    std::fs::remove_file(story.bench.file("t0/z3.tif")).unwrap();
    let gone = story.bench.run(&VERIFY).expect_code(3);
    assert!(
        gone.stderr.contains("error: x 1, y 0, z 3 is not compared: `t0/z3.tif` does not exist"),
        "{}",
        gone.stderr
    );
    assert!(gone.stderr.contains(": all equal\n") && gone.stderr.contains("350 000 voxels could not be compared\n"));
    // A fill that is no longer there is a difference.
    cuboid_at(&story.boss(), [3, 4, 5, 0]).flip(Dtype::Uint8, [3, 4, 5, 0]);
    std::fs::write(story.bench.file("t0/z5.tif"), whole).unwrap();
    let ended = story.bench.run(&VERIFY).expect_code(3);
    assert!(
        ended.stderr.contains(" differ\n") && ended.stderr.contains("error: voxel x 0, y 0, z 5, t 0 is 9 in the Boss"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_sample_is_drawn_by_its_seed_and_spread_over_the_job() {
    let story = Story::tiles(Dtype::Uint8, [(0, 1300), (0, 700), (0, 40), (0, 1)]).ingested();
    let _served = ServedBoss::start(story.bench.path(), &[]);
    let sampled = |seed: &str| {
        story.bench.run(&[&VERIFY[..], &["--sample", "25%", "--seed", seed]].concat()).expect_code(0);
        story.certificate()
    };
    let (one, again, other) = (sampled("5"), sampled("5"), sampled("6"));
    assert_eq!((&one["sample"]["blocks"], &one["sample"]["of"]), (&5.into(), &18.into()));
    assert_eq!(one["blocks"], again["blocks"]);
    assert_ne!(one["blocks"], other["blocks"]);
    let wrong = story.bench.run(&[&VERIFY[..], &["--sample", "some"]].concat()).expect_code(2);
    assert!(wrong.stderr.contains("give `all` or a share such as `1%`"), "{}", wrong.stderr);
}

#[test]
fn ctrl_c_ends_a_verification_and_the_next_one_goes_on() {
    let story = Story::tiles(Dtype::Uint8, [(0, 1300), (0, 700), (0, 40), (0, 1)]).ingested();
    let served = ServedBoss::start(story.bench.path(), &[]);
    let last = stored_cuboids(&story.boss()).pop().unwrap();
    let kept = story.bench.file("kept");
    std::fs::rename(&last.path, &kept).unwrap();
    assert!(Command::new("mkfifo").arg(&last.path).status().unwrap().success());
    let running = story.bench.start(&[&VERIFY[..], &["--cpu-threads", "1"]].concat());
    wait_for_lines(&story.bench.file("state/boss-ingest"), 1 + 17);
    let (pid, ended) = (running.pid().to_string(), AtomicBool::new(false));
    let stopped = std::thread::scope(|scope| {
        // The first lets what has begun end, which it never does; signals that come too close together are one.
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                Command::new("kill").args(["-INT", &pid]).output().unwrap();
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        let stopped = running.finish();
        ended.store(true, Ordering::Relaxed);
        stopped.expect_code(130)
    });
    assert!(stopped.stderr.ends_with("stopped; run `verify` again to go on where it was\n"), "{}", stopped.stderr);
    drop(served);
    std::fs::rename(&kept, &last.path).unwrap();
    let ended = story.bench.run(&VERIFY).expect_code(0);
    assert!(ended.stderr.contains("in 18 of 18 blocks: all equal"), "{}", ended.stderr);
}

#[test]
fn a_job_that_is_not_complete_is_told_and_no_job_is_an_error() {
    let story = Story::tiles(Dtype::Uint8, [(0, 700), (0, 500), (0, 5), (0, 1)]);
    story.bench.run(&[&CREATE[..], &["--manual-complete"]].concat()).expect_code(0);
    std::fs::remove_file(story.bench.file("t0/z3.tif")).unwrap();
    let ended = story.bench.run(&VERIFY).expect_code(3);
    assert!(ended.stderr.starts_with("warning: ingest job 1 is uploading; what the Boss has not"), "{}", ended.stderr);
    let other = story.bench.run(&["verify", "job.json", "-j", "7", "--local", "boss"]).expect_code(1);
    assert!(other.stderr.starts_with("error: "), "{}", other.stderr);
}

#[test]
fn a_verification_that_was_killed_goes_on_where_it_was() {
    let story = Story::tiles(Dtype::Uint8, [(0, 1300), (0, 700), (0, 40), (0, 1)]).ingested();
    let served = ServedBoss::start(story.bench.path(), &[]);
    // A pipe that nobody writes to: whoever reads this cuboid waits.
    let last = stored_cuboids(&story.boss()).pop().unwrap();
    let kept = story.bench.file("kept");
    std::fs::rename(&last.path, &kept).unwrap();
    assert!(Command::new("mkfifo").arg(&last.path).status().unwrap().success());
    let running = story.bench.start(&[&VERIFY[..], &["--cpu-threads", "1"]].concat());
    let journal = wait_for_lines(&story.bench.file("state/boss-ingest"), 1 + 17);
    running.kill();
    drop(served);
    std::fs::rename(&kept, &last.path).unwrap();

    // What is done is not read again: a change there is not seen until all is compared anew.
    cuboid_at(&story.boss(), [0, 0, 0, 0]).flip(Dtype::Uint8, [0, 0, 0, 0]);
    let resumed: Ended = story.bench.run(&VERIFY).expect_code(0);
    assert!(resumed.stderr.contains("in 18 of 18 blocks: all equal"), "{}", resumed.stderr);
    assert_eq!(story.certificate()["voxels"]["compared"], story.voxels());
    assert!(!journal.exists());
    story.bench.run(&VERIFY).expect_code(3);
}

/// Waits until a journal in the folder has so many lines.
fn wait_for_lines(folder: &Path, lines: usize) -> PathBuf {
    let began = Instant::now();
    loop {
        let files = std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
        let journal = { files }.find(|path| path.to_str().unwrap().ends_with(".verify"));
        if let Some(path) = journal
            && std::fs::read_to_string(&path).unwrap().lines().count() >= lines
        {
            return path;
        }
        assert!(began.elapsed() < Duration::from_secs(120), "the journal does not get {lines} lines");
        std::thread::sleep(Duration::from_millis(10));
    }
}
