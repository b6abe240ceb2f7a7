//! Job files as people write them, and those that were put to the Python client.

use serde_json::{Value, json};

use super::*;
use crate::protocol::JobKind;
use crate::volume::{Grid, Size, TileSize};

/// A job that nothing is wrong with.
fn tile_job() -> Value {
    json!({
        "schema": {"name": "boss-v0.2-schema", "validator": "BossValidatorV02"},
        "client": {
            "backend": {"name": "boss", "class": "BossBackend", "host": "api.bossdb.io", "protocol": "https"},
            "path_processor": {"class": "paths.lua", "params": {"root_dir": "/d"}},
            "tile_processor": {"class": "image", "params": {}}
        },
        "database": {"collection": "c", "experiment": "e", "channel": "ch"},
        "ingest_job": {
            "ingest_type": "tile", "resolution": 0,
            "extent": {"x": [0, 2050], "y": [512, 1030], "z": [16, 37], "t": [0, 2]},
            "tile_size": {"x": 1024, "y": 512, "z": 1, "t": 1}
        }
    })
}

fn volumetric_job() -> Value {
    let mut job = tile_job();
    let client = job["client"].as_object_mut().unwrap();
    let processor = client.remove("tile_processor").unwrap();
    client.insert("chunk_processor".to_owned(), processor);
    job["ingest_job"] = json!({
        "ingest_type": "volumetric", "resolution": 0,
        "extent": {"x": [1024, 2050], "y": [0, 1030], "z": [64, 101], "t": [0, 1]},
        "chunk_size": {"x": 1024, "y": 512, "z": 64}
    });
    job
}

fn check(job: &Value) -> Result<Loaded, ConfigError> {
    parse(Path::new("job.json"), job.to_string())
}

fn findings(job: &Value) -> Vec<Finding> {
    match check(job) {
        Ok(loaded) => loaded.warnings,
        Err(ConfigError::Invalid { findings, .. }) => findings,
        Err(other) => panic!("{other}"),
    }
}

/// `pointer` set to `value`, or removed when that is null.
fn with(mut job: Value, pointer: &str, value: Value) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = job.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    if value.is_null() {
        parent.remove(key)
    } else {
        parent.insert(key.to_owned(), value)
    };
    job
}

#[test]
fn a_tile_job_is_resolved_to_values() {
    let loaded = check(&tile_job()).unwrap();
    assert_eq!(loaded.warnings, []);
    let job = loaded.job;
    assert_eq!(job.text, tile_job().to_string());
    assert!(job.dir.is_absolute() && job.path == job.dir.join("job.json"));
    assert_eq!(job.backend.base_url(), "https://api.bossdb.io");
    assert_eq!((job.path_processor.name, &*job.path_processor.class), ("path_processor", "paths.lua"));
    assert_eq!(job.path_processor.params["root_dir"], "/d");
    assert_eq!((job.data_processor.name, &*job.data_processor.class), ("tile_processor", "image"));
    assert_eq!((job.schema, job.kind, job.resolution), (Schema::V02, JobKind::Tile, 0));
    let Grid::Tiles(grid) = job.grid else { panic!("a tile job has tiles") };
    assert_eq!(grid.tile_size, TileSize { x: 1024, y: 512 });
    assert_eq!(grid.extent.to_string(), "x 0..2050, y 512..1030, z 16..37, t 0..2");
}

#[test]
fn a_volumetric_job_takes_the_chunk_processor() {
    let job = check(&volumetric_job()).unwrap().job;
    assert_eq!(job.data_processor.name, "chunk_processor");
    let Grid::Chunks(grid) = job.grid else { panic!("a volumetric job has chunks") };
    assert_eq!(grid.chunk_size, Size::new(1024, 512, 64));
}

#[test]
fn each_rule_that_the_schema_lacks_has_its_finding() {
    let cases = [
        ("/ingest_job/extent/x", json!([0, 1, 2]), "`ingest_job.extent.x` has 3 entries; it must be `[start, stop]`"),
        ("/ingest_job/extent/x", json!([9, 9]), "`ingest_job.extent.x` is [9, 9], which is empty"),
        ("/ingest_job/extent/z", json!([-16, 9]), "`ingest_job.extent.z[0]` is -16; the Boss has no voxels below 0"),
        ("/ingest_job/extent/t", json!([0, 1.0]), "`ingest_job.extent.t[1]` is `1.0`; it must be an integer"),
        (
            "/ingest_job/extent/x",
            json!([512, 2000]),
            "`ingest_job.extent.x[0]` is 512; the extent must start at a multiple of 1024, the tile size",
        ),
        (
            "/ingest_job/extent/z",
            json!([8, 37]),
            "`ingest_job.extent.z[0]` is 8; the extent must start at a multiple of 16, the depth of a cuboid",
        ),
        (
            "/ingest_job/extent/z",
            json!([0, 33_554_433]),
            "`ingest_job.extent.z[1]` is 33554433; the Boss has keys for 33554432 voxels",
        ),
        ("/ingest_job/tile_size/x", json!(0), "`ingest_job.tile_size.x` is 0; a size must be above 0"),
        (
            "/ingest_job/tile_size/x",
            json!(1000),
            "`ingest_job.tile_size.x` is 1000; it must be a multiple of 512, or the whole extent must lie in one tile",
        ),
        (
            "/ingest_job/tile_size/z",
            json!(2),
            "`ingest_job.tile_size.z` must be 1: a tile is one section of one time sample",
        ),
        ("/ingest_job/resolution", json!(-1), "`ingest_job.resolution` is -1; it must be from 0 to 12"),
        (
            "/client/backend/host",
            json!("https://api.bossdb.io"),
            "`client.backend.host` is `https://api.bossdb.io`, which is not a host name",
        ),
        ("/client/backend/protocol", json!("ftp"), "`client.backend.protocol` is `ftp`; it must be `https` or `http`"),
        ("/database/channel", json!(""), "`database.channel` is empty"),
    ];
    for (pointer, value, message) in cases {
        let mut found = findings(&with(tile_job(), pointer, value));
        found.retain(|finding| finding.severity == Severity::Error);
        assert_eq!(found.iter().map(Finding::to_string).collect::<Vec<_>>(), [message]);
    }
}

#[test]
fn volumetric_jobs_have_rules_of_their_own() {
    let cases = [
        (
            "/ingest_job/extent/t",
            json!([0, 2]),
            "`ingest_job.extent.t` must be `[0, 1]`: a volumetric job has one time sample",
        ),
        (
            "/ingest_job/extent/z",
            json!([16, 99]),
            "`ingest_job.extent.z[0]` is 16; the extent must start at a multiple of 64, the chunk size",
        ),
        ("/ingest_job/chunk_size/z", json!(24), "`ingest_job.chunk_size.z` is 24; it must be a multiple of 16"),
        (
            "/ingest_job/chunk_size/y",
            json!(512 * 512),
            "`ingest_job.chunk_size` has 4096 cuboids; the Boss's queue messages hold about 2900",
        ),
    ];
    for (pointer, value, message) in cases {
        let mut job = with(volumetric_job(), "/ingest_job/extent/x", json!([0, 10]));
        if !pointer.contains("extent") {
            job = with(job, "/ingest_job/extent/z", json!([0, 37]));
        }
        assert_eq!(findings(&with(job, pointer, value))[0].to_string(), message);
    }
}

#[test]
fn a_tile_may_have_any_length_where_it_is_the_only_one() {
    let job = with(tile_job(), "/ingest_job/extent/y", json!([0, 300]));
    let small = with(job.clone(), "/ingest_job/tile_size/y", json!(300));
    assert_eq!(findings(&small), []);
    let job = with(job, "/ingest_job/extent/x", json!([0, 796]));
    let frame = check(&with(job, "/ingest_job/tile_size/x", json!(796))).unwrap();
    assert_eq!(frame.warnings[0].at, "ingest_job.tile_size.x");
}

#[test]
fn what_is_odd_but_works_is_a_warning() {
    let tall = with(tile_job(), "/ingest_job/extent/y", json!([0, 4096]));
    let cases = [
        (tall, "/ingest_job/extent/x", json!([0, 1_000_000_000]), "ingest_job.extent"),
        (volumetric_job(), "/ingest_job/chunk_size/y", json!(512 * 300), "ingest_job.chunk_size"),
        (tile_job(), "/client/path_procesor", json!({}), "client.path_procesor"),
        (tile_job(), "/comment", json!("mine"), "comment"),
    ];
    for (job, pointer, value, at) in cases {
        let loaded = check(&with(job, pointer, value)).unwrap();
        assert_eq!(loaded.warnings.iter().map(|warning| &*warning.at).collect::<Vec<_>>(), [at]);
    }
}

#[test]
fn a_missing_key_names_the_key_that_was_written_in_its_place() {
    let job = with(tile_job(), "/ingest_job/tile_size", Value::Null);
    let found = findings(&with(job, "/ingest_job/tilesize", json!({})));
    let missing = found.iter().find(|finding| finding.at == "ingest_job.tile_size").unwrap();
    assert_eq!(missing.message, "is missing");
    assert_eq!(missing.hint.as_deref(), Some("there is a `tilesize`; rename it to `tile_size`"));
}

#[test]
fn all_findings_come_at_once() {
    let mut job = tile_job();
    for (pointer, value) in [
        ("/schema/name", json!("boss-v0.3-schema")),
        ("/client/backend/host", Value::Null),
        ("/client/tile_processor", Value::Null),
        ("/database/collection", json!(7)),
        ("/ingest_job/extent/x", json!("all")),
        ("/ingest_job/tile_size/y", json!(100)),
    ] {
        job = with(job, pointer, value);
    }
    let at: Vec<_> = findings(&job).into_iter().map(|finding| finding.at).collect();
    let expected =
        ["schema.name", "database.collection", "client.backend.host", "client.tile_processor", "ingest_job.extent.x"];
    assert_eq!(at, expected);
}

#[test]
fn a_file_that_is_no_json_is_told_by_line_with_a_hint() {
    let cases = [
        ("{\n  \"a\": 1,\n}", 3, "comma before the closing"),
        ("{\n  \"a\": [1\n", 3, "ends early"),
        ("{\n  // mine\n}", 2, "no comments"),
        ("{'a': 1}", 1, "double quotes"),
        ("{\"a\": 1\n \"b\": 2}", 2, "a comma is missing"),
        ("\u{feff}{}", 1, "byte order mark"),
    ];
    for (text, at, expected) in cases {
        let error = parse(Path::new("job.json"), text.to_owned()).unwrap_err();
        let ConfigError::Malformed { line, .. } = &error else { panic!("{error}") };
        let hint = error.hint().unwrap_or_default();
        assert!(*line == at && hint.contains(expected), "{text:?}: line {line}, {hint}");
    }
    assert!(matches!(load(Path::new("no/such/job.json")), Err(ConfigError::Unreadable { .. })));
}

/// What the Python client's validator said of each file; `tests/data/golden/NOTICE` tells where they come from.
#[test]
fn files_that_the_python_client_refuses_are_refused() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("../../tests/data/golden/validator.json")).unwrap();
    assert_eq!(cases.len(), 39);
    // Accepted there, and then stored wrongly or never finished.
    let stricter = ["v01-extent-empty", "v01-extent-3", "v01-negative-tile", "v01-volumetric-type", "v02-chunk-zero"];
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let accepted = case["result"]["error"].as_array().is_some_and(Vec::is_empty);
        let expected = accepted && !stricter.contains(&name);
        let found = check(&case["config"]);
        assert_eq!(found.is_ok(), expected, "{name}: {found:?}");
    }
}

#[test]
fn what_lies_askew_passes_where_nothing_is_uploaded() {
    let mut job = with(tile_job(), "/ingest_job/tile_size/x", json!(96));
    job = with(job, "/ingest_job/extent/z", json!([3, 9]));
    let lenient = |job: &Value| parse_with(Path::new("job.json"), job.to_string(), Severity::Warning);
    let warnings = lenient(&job).unwrap().warnings;
    let places: Vec<&str> = warnings.iter().map(|finding| finding.at.as_str()).collect();
    assert_eq!(places, ["ingest_job.tile_size.x", "ingest_job.extent.z[0]"]);
    assert!(check(&job).is_err());
    let askew = with(volumetric_job(), "/ingest_job/chunk_size/z", json!(5));
    assert_eq!(lenient(&askew).unwrap().job.grid.task_size(), Size::new(1024, 512, 5));
    let wrong = with(job, "/ingest_job/tile_size/x", json!(0));
    assert!(lenient(&wrong).is_err(), "other faults stay faults");
}
