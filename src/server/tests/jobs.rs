//! Jobs from their creation to their end.

use super::*;

const SIZE: Size = Size::new(1100, 700, 20);

#[tokio::test]
async fn a_ragged_tile_job_is_read_back_voxel_for_voxel() {
    let boss = Boss::quick().await;
    let dtype = Dtype::Uint16;
    boss.make_channel(dtype, Size::new(1600, 1200, 64)).await;
    let id = boss.create(&config("tile", &extent(SIZE.x, SIZE.y, SIZE.z))).await;
    let job = boss.join(id).await;
    assert_eq!(job.reply["ingest_job"]["tile_count"], 3 * 2 * 20);
    assert_eq!(boss.upload_tiles(&job, |x, y, z| tile(dtype, SIZE, x, y, z)).await, 120);
    assert_eq!(boss.complete(id).await, [6, 5, 2]);
    let whole = Region::new(Span::new(0, 1600), Span::new(0, 1200), Span::new(0, 40));
    assert!(boss.cutout(dtype, &whole, "").await == volume(dtype, SIZE, &whole));
    let inside = Region::new(Span::new(500, 1103), Span::new(3, 701), Span::new(13, 17));
    assert!(boss.cutout(dtype, &inside, "").await == volume(dtype, SIZE, &inside));
    assert_eq!(boss.ask_to_complete(id).await.0, 204);
    assert!(!boss.folder.path().join("tiles").join(id.to_string()).exists());
}

#[tokio::test]
async fn a_volumetric_job_is_read_back_voxel_for_voxel() {
    let boss = Boss::quick().await;
    let (dtype, size) = (Dtype::Uint64, Size::new(700, 513, 17));
    boss.make_channel(dtype, size).await;
    let id = boss.create(&config("volumetric", &extent(size.x, size.y, size.z))).await;
    let job = boss.join(id).await;
    assert!(job.reply["ingest_job"]["tile_index_queue"].is_null());
    for message in boss.receive(&job, 10).await {
        let asked = body(&message);
        let key = asked["chunk_key"].as_str().unwrap();
        let at: Vec<i64> = key.split('&').skip(6).map(|field| field.parse().unwrap()).collect();
        let region = Region::new(Span::step(at[0], 512), Span::step(at[1], 512), Span::step(at[2], 16));
        boss.put_cuboid(&job, asked["cuboids"][0]["key"].as_str().unwrap(), &volume(dtype, size, &region)).await;
        boss.acknowledge(&job, &message).await;
    }
    assert_eq!(boss.complete(id).await, [6, 5, 2]);
    let whole = Region::of_size(size);
    assert!(boss.cutout(dtype, &whole, "").await == volume(dtype, size, &whole));
}

#[tokio::test]
async fn tiles_that_never_came_are_asked_for_again() {
    let boss = Boss::quick().await;
    let size = Size::new(512, 512, 18);
    boss.make_channel(Dtype::Uint8, size).await;
    let id = boss.create(&config("tile", &extent(512, 512, 18))).await;
    let job = boss.join(id).await;
    let mut lost = Vec::new();
    for _ in 0..2 {
        for message in boss.receive(&job, 10).await {
            let keys = body(&message);
            let key = keys["tile_key"].as_str().unwrap().to_owned();
            let z: u64 = key.split('&').nth(7).unwrap().parse().unwrap();
            match z {
                // Never announced.
                3 => lost.push(key),
                // Announced, but not there.
                7 => {
                    boss.announce(&job, &keys).await;
                    lost.push(key);
                }
                _ => {
                    boss.put_tile(&job, &key, tile(Dtype::Uint8, size, 0, 0, z)).await;
                    boss.announce(&job, &keys).await;
                }
            }
            boss.acknowledge(&job, &message).await;
        }
    }
    assert_eq!(boss.complete(id).await, [6, 5, 1], "section 3 is missing");
    boss.upload_tiles(&job, |_, _, z| tile(Dtype::Uint8, size, 0, 0, z)).await;
    assert_eq!(boss.complete(id).await, [6, 5, 1], "section 7 was announced too early");
    assert_eq!(boss.upload_tiles(&job, |_, _, z| tile(Dtype::Uint8, size, 0, 0, z)).await, 1);
    assert_eq!(boss.complete(id).await, [6, 5, 2]);
    assert_eq!(lost.len(), 2);
    let whole = Region::of_size(size);
    assert!(boss.cutout(Dtype::Uint8, &whole, "").await == volume(Dtype::Uint8, size, &whole));
}

#[tokio::test]
async fn tiles_that_cannot_be_used_are_stored_black() {
    let boss = Boss::quick().await;
    let size = Size::new(512, 512, 5);
    boss.make_channel(Dtype::Uint8, size).await;
    let id = boss.create(&config("tile", &extent(512, 512, 5))).await;
    let job = boss.join(id).await;
    let small = volume(Dtype::Uint8, size, &Region::new(Span::new(0, 300), Span::new(0, 512), Span::one(0)));
    boss.upload_tiles(&job, |x, y, z| match z {
        1 => Vec::new(),
        2 => codec::encode(&small, ImageFormat::Png).unwrap(),
        3 => tile(Dtype::Uint8, size, x, y, z)[..2000].to_vec(),
        // 16 bits into a channel of 8: the high byte is lost.
        4 => tile(Dtype::Uint16, size, x, y, z),
        _ => tile(Dtype::Uint8, size, x, y, z),
    })
    .await;
    assert_eq!(boss.complete(id).await, [6, 5, 2]);
    for z in 0..5 {
        let section = Region::new(Span::new(0, 512), Span::new(0, 512), Span::one(z));
        let found = boss.cutout(Dtype::Uint8, &section, "").await;
        if [1, 2, 3].contains(&z) {
            assert!(found.is_zero(), "section {z}");
        } else {
            assert!(found == volume(Dtype::Uint8, size, &section), "section {z}");
        }
    }
}

#[tokio::test]
async fn time_samples_are_kept_apart() {
    let boss = Boss::quick().await;
    let size = Size::new(512, 512, 1);
    boss.make_channel(Dtype::Uint8, size).await;
    let mut extent = extent(512, 512, 1);
    extent["t"] = json!([1, 3]);
    let id = boss.create(&config("tile", &extent)).await;
    let job = boss.join(id).await;
    boss.upload_tiles(&job, |_, _, _| tile(Dtype::Uint8, size, 0, 0, 0)).await;
    assert_eq!(boss.complete(id).await, [6, 5, 2]);
    let whole = Region::of_size(size);
    assert!(boss.cutout(Dtype::Uint8, &whole, "").await.is_zero());
    assert!(boss.cutout(Dtype::Uint8, &whole, "/2:3").await == volume(Dtype::Uint8, size, &whole));
}

#[tokio::test]
async fn a_message_that_somebody_holds_keeps_a_job_from_completing() {
    let boss = Boss::quick().await;
    boss.make_channel(Dtype::Uint8, Size::new(512, 512, 1)).await;
    let id = boss.create(&config("tile", &extent(512, 512, 1))).await;
    let job = boss.join(id).await;
    assert_eq!(boss.ask_to_complete(id).await.1["message"], "Upload queue is not empty");
    let held = boss.receive(&job, 1).await;
    assert_eq!(boss.ask_to_complete(id).await, (202, json!({"job_status": 6, "wait_secs": 0})));
    let (status, reply) = boss.ask_to_complete(id).await;
    assert_eq!((status, &reply["job_status"]), (400, &json!(6)));
    assert!(reply["wait_secs"].as_f64().unwrap() > 0.0);
    boss.put_tile(
        &job,
        body(&held[0])["tile_key"].as_str().unwrap(),
        tile(Dtype::Uint8, Size::new(512, 512, 1), 0, 0, 0),
    )
    .await;
    boss.announce(&job, &body(&held[0])).await;
    boss.acknowledge(&job, &held[0]).await;
    assert_eq!(boss.complete(id).await, [5, 2]);
}

#[tokio::test]
async fn replies_have_all_the_fields_of_the_boss() {
    let boss = Boss::start().await;
    boss.make_channel(Dtype::Uint8, Size::new(512, 512, 20)).await;
    let (_, created) = boss.post("/latest/ingest", &config("tile", &extent(512, 512, 20))).await;
    let queue = |kind: &str| format!("{}/000000000000/boss-local-{kind}", boss.server.origin());
    let expected = json!({
        "id": 1, "collection": "c", "experiment": "e", "channel": "ch", "status": 0, "ingest_queue": queue("ingest-1"),
        "upload_queue": queue("upload-1"), "tile_count": 20, "ingest_type": 0,
    });
    assert_eq!(created, expected);
    let job = boss.join(1).await;
    let fields: Vec<_> = job.reply.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "ingest_job",
        "credentials",
        "tile_bucket_name",
        "ingest_bucket_name",
        "KVIO_SETTINGS",
        "STATEIO_CONFIG",
        "OBJECTIO_CONFIG",
        "resource",
        "ingest_lambda",
    ];
    assert_eq!(fields, expected);
    assert_eq!(job.queue("tile_index_queue"), queue("1-index"));
    let resource = json!({
        "boss_key": "c&e&ch", "lookup_key": "1&1&1",
        "channel": {"type": "image", "datatype": "uint8", "base_resolution": 0},
        "experiment": {"num_hierarchy_levels": 3, "hierarchy_method": "anisotropic"},
        "coord_frame": {"x_voxel_size": 4.0, "y_voxel_size": 4.0, "z_voxel_size": 40.0},
    });
    assert_eq!(job.reply["resource"].to_string(), resource.to_string());
    let status = json!({"id": 1, "status": 1, "total_message_count": 20, "current_message_count": 20});
    assert_eq!(boss.get("/v1//ingest/1/status/").await, (200, status));
    let (_, list) = boss.get("/latest/ingest").await;
    assert_eq!((&list["ingest_jobs"][0]["id"], &list["ingest_jobs"][0]["completed_on"]), (&json!(1), &Value::Null));
}

#[tokio::test]
async fn wrong_requests_get_the_errors_of_the_boss() {
    let boss = Boss::start().await;
    boss.make_channel(Dtype::Uint8, Size::new(512, 512, 20)).await;
    let good = config("tile", &extent(512, 512, 20));
    let mut unknown = good.clone();
    unknown["database"]["channel"] = json!("nothing");
    let mut ragged = good.clone();
    ragged["ingest_job"]["tile_size"]["x"] = json!(500);
    for (config, status, code, text) in [
        (&unknown, 404, 4000, "Channel nothing not found"),
        (&ragged, 400, 1004, "\"tile_size\": \"x\" must be a multiple of 512."),
        (&json!({}), 400, 1004, "Could not validate the schema file."),
    ] {
        let (found, reply) = boss.post("/latest/ingest/", config).await;
        assert_eq!((found, &reply["code"]), (status, &json!(code)));
        assert!(reply["message"].as_str().unwrap().contains(text), "{reply}");
    }
    let missing = json!({"status": 404, "code": 4004, "message": "The ingest job with id 99 does not exist"});
    assert_eq!(boss.get("/latest/ingest/99").await, (404, missing.clone()));
    assert_eq!(boss.ask_to_complete(99).await, (404, missing));
    let id = boss.create(&good).await;
    let path = format!("/latest/ingest/{id}");
    assert_eq!(boss.delete(&path).await.0, 204);
    assert_eq!(boss.delete(&path).await.0, 204, "cancelling twice is no error");
    assert_eq!(boss.get(&path).await.1["code"], 2004);
    assert_eq!(boss.get(&format!("{path}/status")).await.1["code"], 2004);
    assert_eq!(boss.ask_to_complete(id).await.1["message"], "Ingest job has already been cancelled.");
}

#[tokio::test]
async fn a_large_job_is_filled_without_holding_up_requests() {
    let boss = Boss::start().await;
    boss.make_channel(Dtype::Uint8, Size::new(512, 512, 20)).await;
    let id = boss.create(&config("tile", &extent(512 * 100, 512 * 10, 48))).await;
    let mut longest = Duration::ZERO;
    loop {
        let asked = std::time::Instant::now();
        let (_, reply) = boss.get(&format!("/latest/ingest/{id}")).await;
        longest = longest.max(asked.elapsed());
        if reply["ingest_job"]["status"] == 1 {
            break;
        }
        assert!(reply["credentials"].is_null());
    }
    assert!(longest < Duration::from_secs(2), "a request took {longest:?}");
    let (_, status) = boss.get(&format!("/latest/ingest/{id}/status")).await;
    assert_eq!(status["current_message_count"], 48_000);
}
