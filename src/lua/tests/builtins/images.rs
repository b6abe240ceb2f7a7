//! Images and TIFF files in folders.

use super::*;
use crate::source::{Encode, MissingRule};

const STACK: &str = "ingestclient.plugins.stack.ZindexStackPathProcessor";
const STACK_TILE: &str = "ingestclient.plugins.stack.ZindexStackTileProcessor";

#[test]
fn what_the_stack_tile_processor_was_told_is_understood() {
    let path = json!({"root_dir": "d", "extension": "png", "base_filename": "<p:3>", "ingest_job": {}});
    let cases = [
        (json!({"filesystem": "local", "extension": "tif"}), "d/007.png", Some(Encode::Tiff), MissingRule::Error),
        (json!({"extension": "PNG", "fail_gracefully": true}), "d/007.png", None, MissingRule::Fill),
        (json!({"extension": "jpg", "unknown": 1}), "d/007.png", None, MissingRule::Error),
        (json!({"filesystem": "s3", "bucket": "b", "extension": "png"}), "s3://b/d/007.png", None, MissingRule::Error),
    ];
    for (params, path_expected, encode, missing) in cases {
        let workshop = Workshop::tiles(STACK, STACK_TILE).path_params(path.clone()).data_params(params.clone());
        let plan = workshop.read(2, 1, 7);
        assert_eq!(
            (plan.source.path.as_str(), plan.encode, plan.source.missing),
            (path_expected, encode, missing),
            "{params}"
        );
        // Cut out of the section; the Python client sent the whole section for every tile.
        assert_eq!(plan.steps, [region((200, 300), (80, 160), (7, 8))]);
        assert_eq!(plan.source.page, Some(0));
    }
}

#[test]
fn the_stack_refuses_other_times_and_sections() {
    let workshop = Workshop::tiles("z_stack", "image").path_params(json!({"root_dir": "d", "base_filename": "<>"}));
    let mut host = workshop.host().unwrap();
    for (index, message) in [
        (Index::new(0, 0, 3, 1), "a stack of sections has no time sample 1, only 0"),
        (Index::new(0, 0, 20, 0), "section z 20 is outside of the job's extent"),
        (Index::new(0, 0, -1, 0), "section z -1 is outside of the job's extent"),
    ] {
        assert_eq!(host.plan(index).unwrap_err().fault().unwrap().message, message);
    }
    let workshop = workshop.path_params(json!({"root_dir": "d", "base_filename": "<p:3o:5>"}));
    assert!(workshop.host().err().unwrap().to_string().contains("`<p:3o:5>` is no token"));
}

#[test]
fn a_catmaid_tile_is_the_whole_file() {
    let params = json!({"root_dir": "d", "filetype": "png", "layout": "directory"});
    let workshop = Workshop::tiles("catmaid_file_stack", "catmaid_file_stack").path_params(params);
    let workshop = workshop.data_params(json!({"filetype": "png", "missing": "fill"}));
    let plan = workshop.read(2, 1, 7);
    assert_eq!((plan.source.path.as_str(), plan.steps), ("d/0/7/1/2.png", vec![Step::Whole]));
    assert_eq!((plan.encode, plan.source.missing), (None, MissingRule::Fill));
}

#[test]
fn a_chunk_out_of_sections_asks_for_those_inside_the_extent() {
    let workshop =
        Workshop::chunks("z_stack", "sections").path_params(json!({"root_dir": "d", "base_filename": "s<>"}));
    let Answer::Plan(Plan::Stack { z, sections }) = workshop.plan(1, 0, 1).unwrap() else { panic!("no stack") };
    assert_eq!(z, Span::new(16, 20));
    let paths: Vec<_> = sections.iter().map(|plan| plan.source.path.as_str()).collect();
    assert_eq!(paths, ["d/s16.tif", "d/s17.tif", "d/s18.tif", "d/s19.tif"]);
    assert!(sections.iter().all(|plan| matches!(plan.steps[..], [Step::Crop(cut)] if cut.x == Span::new(100, 200))));
}

#[test]
fn stacks_of_images() {
    let path = |name: &str| (STACK, json!({"root_dir": "d", "extension": "png", "base_filename": name}));
    let wide = || ("z_stack", json!({"root_dir": "d", "base_filename": "s<p:4>", "extension": "tif"}));
    check([
        (
            tile(path("s<o:1p:4>"), (STACK_TILE, json!({"extension": "png"})), [2, 1, 7, 0]),
            r#"boss.open("d/s0008.png", { page = 0, fill = 0 }):crop({ x = {200, 300}, y = {80, 160}, z = {7, 8} })"#,
        ),
        (
            tile(path("<z>_<y>_<x>"), (STACK_TILE, json!({"extension": "tif"})), [2, 1, 7, 0]),
            r#"boss.open("d/7_1_2.png", { page = 0, fill = 0, encode = "tiff" }):crop("whole")"#,
        ),
        (
            tile(path("<>"), (STACK_TILE, json!({"extension": "jpg"})), [0, 0, 7, 0]),
            r#"boss.open("d/7.png", { page = 0, fill = 0 }):crop({ x = {0, 100}, y = {0, 80}, z = {7, 8} })"#,
        ),
        (
            tile(wide(), (STACK_TILE, json!({"extension": "jpg"})), [0, 0, 7, 0]),
            "`d/s0007.tif` has more than the 8 bits of a JPEG; set `extension` to `png` or `tif`",
        ),
        (
            tile(
                ("z_stack", json!({"root_dir": "none", "base_filename": "<>"})),
                (STACK_TILE, json!({"extension": "jpg", "fail_gracefully": true})),
                [0, 0, 7, 0],
            ),
            r#"boss.open("none/7.tif", { page = 0, missing = "fill", fill = 0 }):crop({ x = {0, 100}, y = {0, 80}, z = {7, 8} })"#,
        ),
        (
            tile(wide(), ("image", json!({"page": 2, "fill": 3, "encode": "png"})), [0, 0, 7, 0]),
            r#"boss.open("d/s0007.tif", { page = 2, fill = 3, encode = "png" }):crop({ x = {0, 100}, y = {0, 80}, z = {7, 8} })"#,
        ),
        (
            tile(wide(), ("image", json!({"range": [120, 4000]})), [0, 0, 7, 0]),
            r#"boss.open("d/s0007.tif", { page = 0 }):crop({ x = {0, 100}, y = {0, 80}, z = {7, 8} }):range(120, 4000)"#,
        ),
        (
            tile(wide(), ("image", json!({"filesystem": "s3"})), [0, 0, 7, 0]),
            "`filesystem` is s3, so `bucket` is needed",
        ),
    ]);
}

#[test]
fn tiles_of_catmaid() {
    let path = |class: &'static str| (class, json!({"root_dir": "d", "filetype": "png"}));
    let png = || json!({"filetype": "png"});
    check([
        (
            tile(
                path("CatmaidFileImageStackPathProcessor"),
                ("CatmaidFileImageStackTileProcessor", png()),
                [2, 1, 7, 0],
            ),
            r#"boss.open("d/7/1_2_0.png", { page = 0 }):crop("whole")"#,
        ),
        (
            tile(
                path("CatmaidFileImageStackZoomLevelPathProcessor"),
                ("CatmaidFileImageStackZoomLevelTileProcessor", png()),
                [2, 1, 7, 0],
            ),
            r#"boss.open("d/0/7/1_2.png", { page = 0 }):crop("whole")"#,
        ),
        (
            tile(
                path("CatmaidDirectoryImageStackPathProcessor"),
                ("CatmaidDirectoryImageStackTileProcessor", json!({"filetype": "tif"})),
                [2, 1, 7, 0],
            ),
            r#"boss.open("d/0/7/1/2.png", { page = 0, encode = "tiff" }):crop("whole")"#,
        ),
        (
            tile(path("CatmaidFileImageStackPathProcessor"), ("catmaid_file_stack", png()), [3, 0, 7, 0]),
            "tile x 3, y 0 is outside of the job's extent",
        ),
    ]);
}

#[test]
fn single_time_tiffs() {
    let path = || {
        ("ingestclient.plugins.multipage_tiff.SingleTimeTiffPathProcessor", json!({"z_0": "a.tif", "z_12": "b.tif"}))
    };
    let old = "ingestclient.plugins.multipage_tiff.SingleTimeTiffTileProcessor";
    check([
        (
            tile(path(), (old, json!({"datatype": "uint16"})), [1, 0, 12, 2]),
            r#"boss.open("b.tif", { page = 2, fill = 0 }):crop({ x = {100, 200}, y = {0, 80}, z = {12, 13} })"#,
        ),
        (
            tile(path(), ("tiff_single_time", json!({})), [2, 1, 0, 0]),
            r#"boss.open("a.tif", { page = 0 }):crop({ x = {200, 300}, y = {80, 160}, z = {0, 1} })"#,
        ),
        (
            tile(path(), (old, json!({"datatype": "uint32"})), [0, 0, 0, 0]),
            "`datatype` is `uint32`; it must be `uint8` or `uint16`",
        ),
        (tile(path(), (old, json!({})), [0, 0, 3, 0]), "there is no parameter `z_3`, the file of section 3"),
        (tile(path(), (old, json!({})), [0, 0, 0, 3]), "time sample t 3 is outside of the job's extent"),
        (tile(path(), (old, json!({})), [0, 0, 20, 0]), "section z 20 is outside of the job's extent"),
        (tile(path(), (old, json!({})), [0, 2, 0, 0]), "tile x 0, y 2 is outside of the job's extent"),
    ]);
}

#[test]
fn hyperstacks() {
    let path = |times: Value| {
        let params =
            json!({"root_dir": "d", "extension": "tif", "base_filename": "h_<o:200p:4>", "time_chunk_size": times});
        ("TiffMultiFileHyperStackPathProcessor", params)
    };
    let counts = |extra: Value| {
        let mut params = json!({"time_chunk_size": 2, "num_z_slices": 3, "num_channels": 2, "channel_index": 1});
        params.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        ("TiffMultiFileHyperStackTileProcessor", params)
    };
    check([
        (
            tile(path(json!(2)), counts(json!({})), [1, 0, 2, 1]),
            r#"boss.open("d/h_0200.tif", { page = 11, fill = 0 }):crop({ x = {100, 200}, y = {0, 80}, z = {2, 3} })"#,
        ),
        (
            tile(path(json!("2")), counts(json!({"filesystem": "s3_copy", "bucket": "b"})), [0, 0, 0, 2]),
            r#"boss.open("s3://b/d/h_0201.tif", { page = 1, fill = 0 }):crop({ x = {0, 100}, y = {0, 80}, z = {0, 1} })"#,
        ),
        (
            tile(path(json!(2)), counts(json!({"channel_index": 2})), [0, 0, 0, 0]),
            "`channel_index` 2 counts from 0, so it must be below `num_channels`",
        ),
        (
            tile(path(json!(2)), counts(json!({"num_z_slices": "many"})), [0, 0, 0, 0]),
            "`num_z_slices` is many; it must be an integer of at least 1",
        ),
        (tile(path(json!(2)), counts(json!({})), [0, 0, 3, 0]), "there is no section z 3, `num_z_slices` is 3"),
        (
            tile(path(json!(0)), counts(json!({})), [0, 0, 0, 0]),
            "`time_chunk_size` is 0; it must be an integer of at least 1",
        ),
        (
            tile(path(json!(2)), ("tiff_hyperstack", json!({"time_chunk_size": 2})), [0, 0, 0, 1]),
            r#"boss.open("d/h_0200.tif", { page = 1 }):crop({ x = {0, 100}, y = {0, 80}, z = {0, 1} })"#,
        ),
    ]);
}
