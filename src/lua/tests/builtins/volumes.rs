//! Volumes, tile servers, other channels, and what is made without data.

use super::*;

fn none(class: &str) -> Slot<'_> {
    (class, json!({}))
}

#[test]
fn catmaid_servers() {
    let path = || none("CatmaidURLPathProcessor");
    let given = |extra: Value| {
        let mut params = json!({"url": "https://h/0/", "filetype": "png"});
        params.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        params
    };
    let offsets = given(json!({"x_offset": 5, "y_offset": 6, "z_offset": 1, "x_tile": 100, "y_tile": 80}));
    check([
        (
            tile(path(), ("ingestclient.plugins.catmaid.CatmainURLTileProcessor", offsets.clone()), [2, 1, 3, 0]),
            r#"boss.open("https://h/0/4/1/2.png", { page = 0, missing = "fill" }):crop("whole")"#,
        ),
        (
            tile(path(), ("CatmaidURLTileProcessor", offsets.clone()), [2, 1, 3, 0]),
            r#"boss.open("https://h/0/4/1/2.png", { page = 0, missing = "fill" }):crop("whole")"#,
        ),
        (
            tile(none("catmaid_url"), ("catmaid_url", offsets), [2, 1, 3, 0]),
            r#"boss.open("https://h/0/4/7/7.png", { page = 0 }):crop("whole")"#,
        ),
        (
            tile(none("catmaid_url"), ("catmaid_url", given(json!({}))), [0, 0, 0, 0]),
            r#"boss.open("https://h/0/0/0/0.png", { page = 0 }):crop("whole")"#,
        ),
        (
            tile(path(), ("CatmainURLTileProcessor", given(json!({"z_offset": -5}))), [2, 1, 3, 0]),
            r#"boss.open("zeros://uint8"):crop({ x = {200, 300}, y = {80, 160}, z = {3, 4} })"#,
        ),
        (
            tile(none("catmaid_url"), ("catmaid_url", json!({"url": "https://h/"})), [0, 0, 0, 0]),
            "`filetype` is needed to find the images",
        ),
    ]);
}

#[test]
fn precomputed_volumes() {
    let path = || none("CloudVolumePathProcessor");
    let old = "ingestclient.plugins.cloudvolume.CloudVolumeChunkProcessor";
    let all = json!({"cloudpath": "gs://b/em", "mip": 1, "fill_missing": true, "bounded": false, "parallel": 4});
    check([
        (
            chunk(path(), (old, all), [1, 0, 1, 0]),
            r#"boss.open("gs://b/em", { format = "precomputed", level = 1, missing = "fill", fill = 0 }):crop({ x = {100, 200}, y = {0, 80}, z = {16, 32} })"#,
        ),
        (
            chunk(none("precomputed"), ("precomputed", json!({"cloudpath": "precomputed://d/em"})), [0, 0, 0, 0]),
            r#"boss.open("d/em", { format = "precomputed", level = 0, fill = 0 }):crop({ x = {0, 100}, y = {0, 80}, z = {0, 16} })"#,
        ),
        (
            chunk(path(), (old, json!({"cloudpath": "d", "not_a_param": 1})), [0, 0, 0, 0]),
            "`not_a_param` is no argument of CloudVolume, and no parameter of `precomputed`",
        ),
        (chunk(path(), (old, json!({})), [0, 0, 0, 0]), "`cloudpath` is needed to find the volume"),
    ]);
}

#[test]
fn zarr_arrays() {
    let old = (
        "ingestclient.plugins.zarr.ZarrChunkProcessor",
        json!({"cloud_path": "s3://b/a.zarr", "volume_name": "v/raw"}),
    );
    let new = ("zarr", json!({"cloud_path": "a.zarr", "volume_name": "raw"}));
    check([
        (
            chunk(none("ZarrPathProcessor"), old, [2, 1, 0, 0]),
            r#"boss.open("s3://b/a.zarr", { format = "zarr", dataset = "v/raw", fill = 0 }):crop({ x = {200, 300}, y = {80, 160}, z = {0, 16} })"#,
        ),
        (
            chunk(none("zarr"), new, [0, 0, 1, 0]),
            r#"boss.open("a.zarr", { format = "zarr", dataset = "raw" }):crop({ x = {0, 100}, y = {0, 80}, z = {16, 32} })"#,
        ),
        (
            chunk(none("zarr"), ("zarr", json!({"cloud_path": "a.zarr"})), [0, 0, 0, 0]),
            "`volume_name` is needed to find the array",
        ),
    ]);
}

#[test]
fn channels_of_a_boss() {
    let path = || none("ingestclient.plugins.intern.InternPathProcessor");
    let names = |extra: Value| {
        let mut params = json!({"collection": "c", "experiment": "e", "channel": "ch", "resolution": 0, "x_offset": 3,
            "y_offset": -2, "z_offset": -1, "x_tile": 100, "y_tile": 80});
        params.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        ("InternTileProcessor", params)
    };
    let uri = || ("InternChunkProcessor", json!({"uri": "bossdb://c/e/ch"}));
    let host = json!({"uri": "bossdb://c/e/ch", "token": "abc", "host": "h.example", "protocol": "http"});
    check([
        (
            tile(path(), names(json!({})), [1, 0, 2, 0]),
            r#"boss.open("bossdb://c/e/ch", { level = 0, fill = 0 }):crop({ x = {103, 203}, y = {-2, 78}, z = {1, 2} })"#,
        ),
        (
            tile(path(), names(json!({})), [0, 1, 0, 0]),
            r#"boss.open("zeros://uint8"):crop({ x = {0, 100}, y = {80, 160}, z = {0, 1} })"#,
        ),
        (
            tile(path(), names(json!({"x_tile": 64})), [0, 0, 2, 0]),
            "`x_tile` and `y_tile` are 64 and 80, unlike the job's tiles; leave them out",
        ),
        (
            chunk(path(), uri(), [0, 0, 0, 0]),
            r#"boss.open("bossdb://c/e/ch", { level = 0, fill = 0 }):crop({ x = {0, 100}, y = {0, 80}, z = {0, 16} }):crop({ x = {0, 100}, y = {0, 80}, z = {0, 16} })"#,
        ),
        (
            chunk(path(), uri(), [2, 1, 1, 0]),
            r#"boss.open("bossdb://c/e/ch", { level = 0, fill = 0 }):crop({ x = {200, 250}, y = {80, 160}, z = {16, 20} }):crop({ x = {0, 100}, y = {0, 80}, z = {0, 16} })"#,
        ),
        (
            chunk(none("boss_cutout"), ("boss_cutout", host), [0, 0, 0, 0]),
            r#"boss.open("bossdb://c/e/ch?host=h.example&protocol=http", { level = 0 }):crop({ x = {0, 100}, y = {0, 80}, z = {0, 16} }):crop({ x = {0, 100}, y = {0, 80}, z = {0, 16} })"#,
        ),
        (
            chunk(path(), none("boss_cutout"), [0, 0, 0, 0]),
            "`uri`, or `collection`, `experiment` and `channel`, are needed to find the data",
        ),
    ]);
}

#[test]
fn chunks_of_a_boss_have_what_lies_in_the_extent() {
    let mut workshop = Workshop::chunks("boss_cutout", "boss_cutout").data_params(json!({"uri": "bossdb://c/e/ch"}));
    let extent = Extent { x: Span::new(8, 65), y: Span::new(4, 57), z: Span::new(2, 9), t: Span::new(0, 1) };
    workshop.job.grid = Grid::Chunks(ChunkGrid { extent, chunk_size: Size::new(100, 80, 16) });
    check([(
        said(workshop, [0, 0, 0, 0]),
        r#"boss.open("bossdb://c/e/ch", { level = 0 }):crop({ x = {8, 65}, y = {4, 57}, z = {2, 9} }):crop({ x = {-8, 92}, y = {-4, 76}, z = {-2, 14} })"#,
    )]);
}

#[test]
fn any_volume() {
    let path = || ("volume", json!({"path": "em.tif"}));
    let series = json!({"dataset": "raw", "format": "hdf5", "axes": "tczyx", "select": {"c": 1}, "level": 1});
    let shifted = json!({"path": "b.tif", "x_offset": 5, "y_offset": -6, "z_offset": 10, "fill": 7, "missing": "fill",
        "cast": "wrap"});
    check([
        (
            tile(path(), none("volume"), [2, 1, 7, 0]),
            r#"boss.open("em.tif"):crop({ x = {200, 300}, y = {80, 160}, z = {7, 8} })"#,
        ),
        (
            tile(path(), ("volume", series), [0, 0, 7, 2]),
            r#"boss.open("em.tif", { format = "hdf5", dataset = "raw", level = 1, axes = "tczyx", select = { c = 1, t = 2 } }):crop({ x = {0, 100}, y = {0, 80}, z = {7, 8} })"#,
        ),
        (
            chunk(path(), none("volume"), [0, 1, 1, 0]),
            r#"boss.open("em.tif"):crop({ x = {0, 100}, y = {80, 160}, z = {16, 32} })"#,
        ),
        (
            chunk(none("TestPassThroughPathProcessor"), ("volume", shifted), [0, 0, 0, 0]),
            r#"boss.open("b.tif", { missing = "fill", fill = 7, cast = "wrap" }):crop({ x = {5, 105}, y = {-6, 74}, z = {10, 26} })"#,
        ),
        (
            tile(path(), ("volume", json!({"range": [-0.5, 2]})), [2, 1, 7, 0]),
            r#"boss.open("em.tif"):crop({ x = {200, 300}, y = {80, 160}, z = {7, 8} }):range(-0.5, 2)"#,
        ),
        (
            chunk(none("volume"), none("volume"), [0, 0, 0, 0]),
            "`path` returned an empty string, and the plan has no `path` either",
        ),
    ]);
}

#[test]
fn patterns_and_noise() {
    let files = || ("z_stack", json!({"root_dir": "d", "base_filename": "<>"}));
    check([
        (
            tile(none("ingestclient.core.path.TestPathProcessor"), none("TestTileProcessor"), [2, 1, 7, 0]),
            r#"boss.open("pattern://uint8"):crop({ x = {200, 300}, y = {80, 160}, z = {7, 8} })"#,
        ),
        (
            tile(files(), none("ingestclient.core.tile.TestTileProcessor"), [2, 1, 7, 0]),
            r#"boss.open("d/7.tif"):crop("whole")"#,
        ),
        (
            chunk(("test_pattern", json!({"dtype": "uint64"})), none("test_pattern"), [0, 0, 1, 0]),
            r#"boss.open("pattern://uint64"):crop({ x = {0, 100}, y = {0, 80}, z = {16, 32} })"#,
        ),
        (
            tile(none("TestPassThroughPathProcessor"), none("TestRandomTileProcessor"), [0, 0, 7, 0]),
            r#"boss.open("noise://uint8", { encode = "tiff" }):crop({ x = {0, 100}, y = {0, 80}, z = {7, 8} })"#,
        ),
        (
            chunk(none("noise"), ("noise", json!({"dtype": "uint16"})), [1, 0, 0, 0]),
            r#"boss.open("noise://uint16"):crop({ x = {100, 200}, y = {0, 80}, z = {0, 16} })"#,
        ),
    ]);
}
