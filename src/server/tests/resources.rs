//! Collections, frames, experiments and channels, and who may do what.

use super::*;

#[tokio::test]
async fn resources_are_described_as_the_boss_does() {
    let boss = Boss::start().await;
    boss.make_channel(Dtype::Uint16, Size::new(100, 90, 80)).await;
    let cases = [
        (
            "/v1/collection/c/",
            json!({"name": "c", "public": false, "description": "", "creator": "local", "experiments": ["e"]}),
        ),
        (
            "/latest/coord/f",
            json!({
                "name": "f", "description": "", "x_start": 0, "x_stop": 100, "y_start": 0, "y_stop": 90, "z_start": 0,
                "z_stop": 80, "x_voxel_size": 4.0, "y_voxel_size": 4.0, "z_voxel_size": 40.0,
                "voxel_unit": "nanometers",
            }),
        ),
        (
            "/v1/collection/c/experiment/e",
            json!({
                "name": "e", "public": false, "description": "", "collection": "c", "coord_frame": "f",
                "num_hierarchy_levels": 3, "hierarchy_method": "anisotropic", "num_time_samples": 4, "time_step": null,
                "time_step_unit": "seconds", "creator": "local", "channels": ["ch"],
            }),
        ),
        (
            "/v1/collection/c/experiment/e/channel/ch",
            json!({
                "name": "ch", "public": false, "description": "", "experiment": "e", "default_time_sample": 0,
                "type": "image", "base_resolution": 0, "datatype": "uint16", "creator": "local", "sources": [],
                "downsample_status": "NOT_DOWNSAMPLED", "related": [], "storage_type": "spdb", "bucket": null,
                "cv_path": null,
            }),
        ),
        ("/v1/collection//", json!({"collections": ["c"]})),
        ("/v1/coord", json!({"coords": ["f"]})),
        ("/v1/collection/c/experiment/", json!({"experiments": ["e"]})),
        ("/v1/collection/c/experiment/e/channel", json!({"channels": ["ch"]})),
    ];
    for (path, expected) in cases {
        assert_eq!(boss.get(path).await, (200, expected), "{path}");
    }
}

#[tokio::test]
async fn wrong_resources_are_refused() {
    let boss = Boss::start().await;
    boss.make_channel(Dtype::Uint8, Size::new(100, 90, 80)).await;
    let experiment = "/v1/collection/c/experiment";
    let cases = [
        ("/v1/collection/c".to_owned(), json!({}), 400, 1003),
        ("/v1/collection/a%20b".to_owned(), json!({}), 400, 1003),
        ("/v1/coord/g".to_owned(), json!({"x_start": 0}), 400, 1003),
        (format!("{experiment}/x"), json!({}), 400, 1003),
        (format!("{experiment}/x"), json!({"coord_frame": "nothing"}), 404, 4000),
        ("/v1/collection/nothing/experiment/x".to_owned(), json!({"coord_frame": "f"}), 404, 4000),
        (format!("{experiment}/e/channel/x"), json!({"type": "image", "datatype": "float32"}), 400, 1003),
        (format!("{experiment}/e/channel/x"), json!([]), 400, 1003),
    ];
    for (path, body, status, code) in cases {
        let (found, reply) = boss.post(&path, &body).await;
        assert_eq!((found, &reply["code"]), (status, &json!(code)), "{path}: {reply}");
    }
    assert_eq!(boss.get("/v1/coord/g").await.1["message"], "g does not exist.");
}

#[tokio::test]
async fn everybody_reads_and_only_the_token_writes() {
    let boss = Boss::start().await;
    boss.make_channel(Dtype::Uint8, Size::new(512, 512, 16)).await;
    let cutout = "/v1/cutout/c/e/ch/0/0:5/0:5/0:5/";
    let cases = [
        (Method::GET, "/v1/collection/c", None, 200, ""),
        (Method::GET, "/v1/collection/c", Some("Token public"), 200, ""),
        (Method::GET, cutout, None, 200, ""),
        (Method::GET, "/v1/collection/c", Some("Token wrong"), 401, "Invalid token."),
        (Method::GET, "/latest/ingest/", None, 401, "Authentication credentials were not provided."),
        (Method::POST, "/v1/collection/d", None, 401, "Authentication credentials were not provided."),
        (Method::POST, "/v1/collection/d", Some("Token public"), 403, ""),
        (Method::POST, "/latest/ingest/", Some("Bearer x"), 401, "Invalid token."),
        (Method::GET, "/ping/", None, 200, ""),
        (Method::GET, "/v0.8/collection/", None, 400, ""),
        (Method::GET, "/v1/nothing", None, 404, ""),
    ];
    for (method, path, token, status, detail) in cases {
        let request = boss.client.request(method.clone(), format!("{}{path}", boss.server.origin()));
        let request = token.into_iter().fold(request, |request, token| request.header("Authorization", token));
        let (found, reply) = answer(request.send().await.unwrap()).await;
        assert_eq!(found, status, "{method} {path} {token:?}");
        assert_eq!(reply["detail"].as_str().unwrap_or_default(), detail, "{method} {path} {token:?}");
    }
}

#[tokio::test]
async fn pages_of_any_origin_may_read() {
    let boss = Boss::start().await;
    let url = format!("{}/v1/collection/", boss.server.origin());
    let read = boss.client.get(&url).header("Origin", "http://viewer").send().await.unwrap();
    assert_eq!(read.headers()["access-control-allow-origin"], "*");
    let asked = boss.client.request(Method::OPTIONS, &url).header("Origin", "http://viewer").send().await.unwrap();
    assert!(asked.headers()["access-control-allow-headers"].to_str().unwrap().contains("authorization"));
}
