//! The scripts in the binary, against the Python client's answers.

use super::*;
use crate::source::{Encode, MissingRule};

const STACK: &str = "ingestclient.plugins.stack.ZindexStackPathProcessor";
const STACK_TILE: &str = "ingestclient.plugins.stack.ZindexStackTileProcessor";

/// A job as one recorded case describes it.
fn workshop_of(case: &Value) -> Workshop {
    let job = &case["ingest_job"];
    let span = |axis: &str| serde_json::from_value(job["extent"][axis].clone()).unwrap();
    let extent = Extent { x: span("x"), y: span("y"), z: span("z"), t: Span::new(0, 9) };
    let size = |axis: &str| job["tile_size"][axis].as_u64().unwrap();
    let grid = Grid::Tiles(TileGrid { extent, tile_size: TileSize { x: size("x"), y: size("y") } });
    let tile_class = case["tile_class"].as_str().unwrap_or("image");
    let path_class = case["path_class"].as_str().unwrap();
    let mut workshop = Workshop::new(path_class, tile_class, "tile_processor", JobKind::Tile, grid);
    workshop.job.resolution = u8::try_from(job["resolution"].as_u64().unwrap()).unwrap();
    workshop = workshop.path_params(case["path_params"].clone());
    if case["tile_params"].is_object() { workshop.data_params(case["tile_params"].clone()) } else { workshop }
}

/// `tests/data/golden/NOTICE` tells where the cases come from.
#[test]
fn paths_are_those_of_the_python_client() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("../../../tests/data/golden/paths.json")).unwrap();
    assert_eq!(cases.len(), 59);
    // Tokens that the Python client leaves in the name as they stand, and a file system that it does not know either.
    let refused = ["stack-path-0", "stack-path-2", "stack-bad-filesystem"];
    for case in cases {
        let name = case["id"].as_str().unwrap();
        let expected = case["fixed"]["path"].as_str().or(case["path"].as_str()).filter(|_| !refused.contains(&name));
        let index: Index = serde_json::from_value(case["index"].clone()).unwrap();
        let answer = workshop_of(&case).host().and_then(|mut host| host.plan(index));
        let found = match &answer {
            Ok(Answer::Plan(Plan::Read(plan))) => Some(plan.path.trim_start_matches("s3://mybucket/")),
            _ => None,
        };
        assert_eq!(found, expected, "{name}: {answer:?}");
    }
}

#[test]
fn what_the_stack_tile_processor_was_told_is_understood() {
    let path = json!({"root_dir": "d", "extension": "png", "base_filename": "<p:3>", "ingest_job": {}});
    let cases = [
        (json!({"filesystem": "local", "extension": "tif"}), "d/007.png", Some(Encode::Tiff), MissingRule::Error),
        (json!({"extension": "PNG", "fail_gracefully": true}), "d/007.png", Some(Encode::Png), MissingRule::Fill),
        (json!({"extension": "jpg", "unknown": 1}), "d/007.png", None, MissingRule::Error),
        (
            json!({"filesystem": "s3", "bucket": "b", "extension": "png"}),
            "s3://b/d/007.png",
            Some(Encode::Png),
            MissingRule::Error,
        ),
    ];
    for (params, path_expected, encode, missing) in cases {
        let workshop = Workshop::tiles(STACK, STACK_TILE).path_params(path.clone()).data_params(params.clone());
        let plan = workshop.read(2, 1, 7);
        assert_eq!((plan.path.as_str(), plan.encode, plan.missing), (path_expected, encode, missing), "{params}");
        // Cut out of the section; the Python client sent the whole section for every tile.
        assert_eq!(plan.region, region((200, 300), (80, 160), (7, 8)));
        assert_eq!(plan.page, Some(0));
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
    assert_eq!((plan.path.as_str(), plan.region), ("d/0/7/1/2.png", PlanRegion::Whole));
    assert_eq!((plan.encode, plan.missing), (Some(Encode::Png), MissingRule::Fill));
}

#[test]
fn a_chunk_out_of_sections_asks_for_those_inside_the_extent() {
    let workshop =
        Workshop::chunks("z_stack", "sections").path_params(json!({"root_dir": "d", "base_filename": "s<>"}));
    let Answer::Plan(Plan::Stack { z, sections }) = workshop.plan(1, 0, 1).unwrap() else { panic!("no stack") };
    assert_eq!(z, Span::new(16, 20));
    let paths: Vec<_> = sections.iter().map(|plan| plan.path.as_str()).collect();
    assert_eq!(paths, ["d/s16.tif", "d/s17.tif", "d/s18.tif", "d/s19.tif"]);
    assert!(sections.iter().all(|plan| matches!(plan.region, PlanRegion::Box(box_) if box_.x == Span::new(100, 200))));
}

#[test]
fn the_examples_load_and_find_their_sections() {
    for (example, index) in [("em_stack", Index::new(0, 0, 1, 0)), ("em_volume", Index::new(0, 0, 0, 0))] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(example).join("job.json");
        let loaded = crate::config::load(&path).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(loaded.warnings, [], "{example}");
        let mut host = Scripts::load(&loaded.job).unwrap().host(Arc::new(OneTiff)).unwrap();
        let paths: Vec<String> = match host.plan(index).unwrap() {
            Answer::Plan(Plan::Read(plan)) => vec![plan.path],
            Answer::Plan(Plan::Stack { sections, .. }) => sections.into_iter().map(|plan| plan.path).collect(),
            missing => panic!("{missing:?}"),
        };
        assert!(!paths.is_empty());
        for path in paths {
            assert!(loaded.job.dir.join(&path).is_file(), "{example}: {path}");
        }
    }
}
