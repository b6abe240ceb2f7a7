//! Other voxel types, offsets, tile shapes and time samples.

use boss_ingest::volume::Dtype;
use serde_json::json;

use crate::support::{Bench, ServedBoss, TestVolume, compare};

#[tokio::test(flavor = "multi_thread")]
async fn eight_bit_tiles_that_are_not_square_over_two_time_samples_from_an_offset() {
    let bench = Bench::new();
    let boss = ServedBoss::start(bench.path(), &[]);
    let volume = TestVolume { t: 4, ..TestVolume::new(Dtype::Uint8, 2100, 1100, 35) };
    for (z, t) in (16..35).flat_map(|z| [(z, 2), (z, 3)]) {
        volume.write_section(&bench.file(&format!("t{t}/z{z}.tif")), z, t);
    }
    let extent = json!({"x": [1024, 2100], "y": [512, 1100], "z": [16, 35], "t": [2, 4]});
    bench.write("paths.lua", "return { path = function(at) return ('t%d/z%d.tif'):format(at.t, at.z) end }\n");
    let (path, tile) = (json!({"class": "paths.lua", "params": {}}), json!({"class": "image", "params": {}}));
    bench.write_tile_job(boss.host(), extent, [1024, 512], path, tile);

    let ended = bench.run(&["create", "job.json", "--local", "boss", "--yes"]).expect_code(0);

    assert_eq!(ended.stored(), 2 * 2 * 19 * 2);
    let found = boss.cutout("1000:2100/500:1100/10:35/2:4").await;
    let sample = |t| {
        let mut bytes = volume.bytes(1000..2100, 500..1100, 10..35, t);
        // Nothing was ingested before the extent's start.
        for (at, byte) in bytes.iter_mut().enumerate() {
            let (x, y, z) = (1000 + at % 1100, 500 + at / 1100 % 600, 10 + at / (1100 * 600));
            if x < 1024 || y < 512 || z < 16 {
                *byte = 0;
            }
        }
        bytes
    };
    compare(&found, &[sample(2), sample(3)].concat(), "t 2..4");
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_that_are_one_tile_of_any_size_with_the_python_clients_class_names() {
    let bench = Bench::new();
    let boss = ServedBoss::start(bench.path(), &[]);
    let volume = TestVolume::new(Dtype::Uint8, 796, 300, 18);
    volume.write_sections(&bench.file("frames"), "png");
    let extent = json!({"x": [0, 796], "y": [0, 300], "z": [0, 18], "t": [0, 1]});
    let class = |name: &str| format!("ingestclient.plugins.stack.ZindexStack{name}Processor");
    let params = json!({"root_dir": "frames", "base_filename": "s<p:4>", "extension": "png"});
    let path = json!({"class": class("Path"), "params": params});
    let tile = json!({"class": class("Tile"), "params": {"filesystem": "local", "extension": "png"}});
    bench.write_tile_job(boss.host(), extent, [796, 300], path, tile);

    bench.run(&["create", "job.json", "--local", "boss", "--yes"]).expect_code(0);

    compare(&boss.cutout("0:796/0:300/0:18").await, &volume.bytes(0..796, 0..300, 0..18, 0), "frames");
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_of_32_bits_go_into_a_channel_of_64() {
    let bench = Bench::new();
    let boss = ServedBoss::start(bench.path(), &[]);
    let volume = TestVolume::new(Dtype::Uint32, 600, 530, 19);
    volume.write_sections(&bench.file("labels"), "tif");
    let extent = json!({"x": [0, 600], "y": [0, 530], "z": [0, 19], "t": [0, 1]});
    bench.write(
        "labels.lua",
        "local M = {}\n\
         function M.path(at) return ('labels/s%04d.tif'):format(at.z) end\n\
         function M.chunk(at)\n\
           local z = { at.region.z[1], math.min(at.region.z[2], 19) }\n\
           return boss.stack(z, function(z) return { path = boss.path({ z = z }), region = at.region } end)\n\
         end\n\
         return M\n",
    );
    let slot = json!({"class": "labels.lua", "params": {}});
    bench.write_chunk_job(boss.host(), extent, [512, 512, 16], slot.clone(), slot);

    bench.run(&["create", "job.json", "--local", "boss", "--yes"]).expect_code(0);

    let found = boss.cutout("0:600/0:530/0:19").await;
    let wide: Vec<u8> =
        volume.bytes(0..600, 0..530, 0..19, 0).chunks(4).flat_map(|label| [label, &[0; 4]].concat()).collect();
    compare(&found, &wide, "labels");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_the_tiles_go_through_byte_for_byte() {
    let bench = Bench::new();
    let boss = ServedBoss::start(bench.path(), &[]);
    let volume = TestVolume::new(Dtype::Uint8, 1024, 512, 2);
    for (z, x) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let tile = volume.section(z, 0).cut(&tile_region(x));
        let folder = bench.file(&format!("catmaid/{z}"));
        std::fs::create_dir_all(&folder).unwrap();
        let file = boss_ingest::codec::encode(&tile, boss_ingest::codec::ImageFormat::Png).unwrap();
        std::fs::write(folder.join(format!("0_{x}_0.png")), file).unwrap();
    }
    let extent = json!({"x": [0, 1024], "y": [0, 512], "z": [0, 2], "t": [0, 1]});
    let class = |name: &str| format!("ingestclient.plugins.catmaid.CatmaidFileImageStack{name}Processor");
    let path = json!({"class": class("Path"), "params": {"root_dir": "catmaid", "filetype": "png"}});
    let tile = json!({"class": class("Tile"), "params": {"filetype": "png"}});
    bench.write_tile_job(boss.host(), extent, [512, 512], path, tile);

    let ended = bench.run(&["create", "job.json", "--local", "boss", "--yes"]).expect_code(0);

    assert_eq!(ended.stored(), 4);
    compare(&boss.cutout("0:1024/0:512/0:2").await, &volume.bytes(0..1024, 0..512, 0..2, 0), "catmaid tiles");
}

fn tile_region(x: i64) -> boss_ingest::volume::Region {
    use boss_ingest::volume::{Region, Span};
    Region::new(Span::step(x, 512), Span::new(0, 512), Span::new(0, 1))
}
