//! One picture shows whether the data is what one thinks: orientation, order, contrast, and what is wrong with it.

use std::path::Path;

use boss_ingest::codec::{self, ImageFormat};
use boss_ingest::volume::{Block, Dtype, Size};
use serde_json::{Value, json};

use crate::support::{Bench, settings};

const WIDTH: i64 = 600;
const HEIGHT: i64 = 400;
const SECTIONS: i64 = 36;

/// A smooth pattern that is like no mirror image of itself and changes slowly with z.
fn voxel(x: i64, y: i64, z: i64) -> u8 {
    let [x, y, z] = [x, y, z].map(|at| at as f64);
    let waves = 45.0 * (x / 60.0 + z / 4.0).sin() + 35.0 * (y / 45.0 - z / 5.0).cos() + 20.0 * (x * y / 12_000.0).sin();
    (125.0 + waves + x / 50.0) as u8
}

fn write_section(bench: &Bench, z: i64, shown: impl Fn(i64, i64) -> u8) {
    let voxels = (0..WIDTH * HEIGHT).map(|n| shown(n % WIDTH, n / WIDTH)).collect();
    let block = Block::from_bytes(Dtype::Uint8, Size::new(WIDTH as u64, HEIGHT as u64, 1), voxels).unwrap();
    let path = bench.file(&format!("sections/s{z:04}.png"));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, codec::encode(&block, ImageFormat::Png).unwrap()).unwrap();
}

/// A job of sound sections, in tiles of 512 × 512.
fn bench() -> Bench {
    let bench = Bench::new();
    (0..SECTIONS).for_each(|z| write_section(&bench, z, |x, y| voxel(x, y, z)));
    bench.write(
        "paths.lua",
        "local M = {}\nfunction M.path(at) return ('sections/s%04d.png'):format(at.z) end\nreturn M\n",
    );
    let extent = json!({"x": [0, WIDTH], "y": [0, HEIGHT], "z": [0, SECTIONS], "t": [0, 1]});
    let (path, image) = (json!({"class": "paths.lua", "params": {}}), json!({"class": "image", "params": {}}));
    bench.write_tile_job("127.0.0.1:1", extent, [512, 512], path, image);
    bench
}

/// A picture as it was written.
struct Picture {
    width: usize,
    pixels: Vec<u8>,
}

impl Picture {
    fn read(path: &Path) -> Self {
        let file = std::io::BufReader::new(std::fs::File::open(path).unwrap());
        let mut reader = png::Decoder::new(file).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!(info.color_type, png::ColorType::Rgb);
        Picture { width: info.width as usize, pixels }
    }

    /// Red, green and blue at a share of the box's width and height.
    fn at(&self, area: &Value, across: f64, down: f64) -> [u8; 3] {
        let side = |name: &str| area[name].as_f64().unwrap();
        let x = (side("x") + across * side("width")) as usize;
        let y = (side("y") + down * side("height")) as usize;
        self.pixels[(y * self.width + x) * 3..][..3].try_into().unwrap()
    }

    fn grey(&self, area: &Value, across: f64, down: f64) -> i64 {
        let [red, green, blue] = self.at(area, across, down);
        assert!(red == green && green == blue, "grey at {across}, {down} of {area}");
        red.into()
    }
}

/// Places inside a panel, away from its edges and from the scale bar.
const PLACES: [(f64, f64); 6] = [(0.05, 0.05), (0.9, 0.1), (0.1, 0.9), (0.51, 0.4), (0.3, 0.65), (0.7, 0.26)];

#[track_caller]
fn expect_near(found: i64, expected: u8, what: &str) {
    assert!((found - i64::from(expected)).abs() <= 12, "{what}: {found}, expected {expected}");
}

#[test]
fn cuts_and_sections_lie_where_their_axes_say() {
    let bench = bench();
    let args = ["preview", "job.json", "--json", "--contrast", "0,255", "--at", "x=200,y=300,z=13", "-o", "p.png"];
    let told: Value = serde_json::from_str(&bench.run(&args).expect_code(0).stdout).unwrap();
    let (picture, found) = (Picture::read(&bench.file("p.png")), &told["findings"]);
    let of = |share: f64, length: i64| (share * length as f64) as i64;

    for (across, down) in PLACES {
        let (x, y) = (of(across, WIDTH), of(down, HEIGHT));
        let what = format!("{across}, {down}");
        expect_near(picture.grey(&found["cuts"]["xy"], across, down), voxel(x, y, 13), &format!("xy {what}"));
        let z = of(down, SECTIONS);
        expect_near(picture.grey(&found["cuts"]["xz"], across, down), voxel(x, 300, z), &format!("xz {what}"));
        let z = of(across, SECTIONS);
        expect_near(picture.grey(&found["cuts"]["yz"], across, down), voxel(200, y, z), &format!("yz {what}"));
    }
    let cells = found["sheet"].as_array().unwrap();
    assert_eq!(cells.iter().map(|cell| cell["z"].as_i64().unwrap()).collect::<Vec<_>>(), (0..36).collect::<Vec<_>>());
    for cell in cells {
        for (across, down) in PLACES {
            let (x, y, z) = (of(across, WIDTH), of(down, HEIGHT), cell["z"].as_i64().unwrap());
            expect_near(picture.grey(cell, across, down), voxel(x, y, z), &format!("section {z}, {across}, {down}"));
        }
    }
    assert_eq!((&told["tasks"]["read"], &told["tasks"]["all"]), (&json!(72), &json!(72)));
}

#[test]
fn what_is_wrong_with_sections_and_tiles_is_flagged_and_nothing_else() {
    let bench = bench();
    std::fs::remove_file(bench.file("sections/s0003.png")).unwrap();
    write_section(&bench, 6, |_, _| 0);
    write_section(&bench, 9, |x, y| voxel(x, y, 10));
    write_section(&bench, 10, |x, y| voxel(x, y, 9));
    write_section(&bench, 14, |x, y| voxel(x - 60, y + 40, 14));
    write_section(&bench, 17, |x, y| if (512..1024).contains(&x) && y < 512 { 0 } else { voxel(x, y, 17) });

    let ended = bench.run(&["preview", "job.json"]).expect_code(3);

    settings(&bench).bind(|| insta::assert_snapshot!("preview", ended.stdout));
    assert_eq!(ended.stderr, "");
    let told = bench.run(&["preview", "job.json", "--json", "-o", "again.png"]).expect_code(3);
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    let flags = told["findings"]["flags"].as_array().unwrap();
    let flags: Vec<(i64, &str)> =
        flags.iter().map(|flag| (flag["z"].as_i64().unwrap(), flag["flag"].as_str().unwrap())).collect();
    let expected = [(3, "missing"), (6, "empty"), (9, "swapped"), (10, "swapped"), (14, "shifted"), (17, "empty")];
    assert_eq!(flags, expected);
    let picture = std::fs::read(bench.file("job-preview.png")).unwrap();
    assert!(picture == std::fs::read(bench.file("again.png")).unwrap(), "the picture is the same each time");
}

#[test]
fn a_huge_job_is_read_within_the_bounds() {
    let bench = bench();
    let script = "local M = {}\nfunction M.path(at) return 'none.png' end\n\
                  function M.tile(at) return { region = at.region, missing = 'fill', fill = at.z % 7 } end\nreturn M\n";
    bench.write("paths.lua", script);
    let slot = json!({"class": "paths.lua", "params": {}});
    let extent = json!({"x": [0, 100_352], "y": [0, 80_384], "z": [0, 10_000], "t": [0, 1]});
    bench.write_tile_job("127.0.0.1:1", extent, [512, 512], slot.clone(), slot);
    let running = bench.start(&["preview", "job.json", "--json", "--dtype", "uint16", "--tasks", "48"]);

    let (ended, most_bytes) = running.finish_measured();

    let told: Value = serde_json::from_str(&ended.expect_code(3).stdout).unwrap();
    assert_eq!((&told["tasks"]["read"], &told["tasks"]["all"]), (&json!(48), &json!(307_720_000_u64)));
    let sections = told["findings"]["sections"].as_array().unwrap();
    let read: i64 = sections.iter().map(|section| section["read"].as_i64().unwrap()).sum();
    assert_eq!((read, sections.len()), (48, 12));
    assert_eq!((&sections[0]["z"], &sections[11]["z"]), (&json!(0), &json!(9999)));
    assert!(most_bytes < 200 << 20, "{most_bytes} bytes");
}

#[test]
fn tiles_and_chunks_of_the_same_data_make_the_same_picture() {
    let bench = Bench::new();
    let shown = ["em_stack", "em_volume"].map(|name| {
        let job = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name).join("job.json");
        let png = format!("{name}.png");
        let args = ["preview", job.to_str().unwrap(), "--voxel-size", "4,4,40", "--json", "-o", &png];
        let told: Value = serde_json::from_str(&bench.run(&args).expect_code(0).stdout).unwrap();
        let picture = Picture::read(&bench.file(&png));
        let cuts = &told["findings"]["cuts"];
        let panels = ["xy", "xz", "yz"].map(|cut| PLACES.map(|(x, y)| picture.grey(&cuts[cut], x, y)));
        (panels, told["findings"].clone())
    });
    assert_eq!(shown[0], shown[1]);
    assert_eq!(shown[0].1["cuts"]["z_stretch"], 1.0);
}

#[test]
fn wrong_arguments_are_refused_before_anything_is_read() {
    let bench = bench();
    let outside = bench.run(&["preview", "job.json", "--at", "z=36"]).expect_code(2);
    insta::assert_snapshot!("preview_outside", outside.stderr);
    for wrong in [["--at", "w=1"], ["--contrast", "9,3"], ["--voxel-size", "4,4"], ["--tasks", "0"]] {
        bench.run(&["preview", "job.json", wrong[0], wrong[1]]).expect_code(2);
    }
    assert!(!bench.file("job-preview.png").exists());
}
