//! PutObject, as a job's credentials meet it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;

async fn tile_job() -> (Boss, Job) {
    let boss = Boss::start().await;
    boss.make_channel(Dtype::Uint8, Size::new(512, 512, 1)).await;
    let id = boss.create(&config("tile", &extent(512, 512, 1))).await;
    let job = boss.join(id).await;
    (boss, job)
}

#[tokio::test]
async fn an_object_is_stored_when_its_digests_match() {
    let (boss, job) = tile_job().await;
    let bytes = b"123456789".to_vec();
    let crc32c = STANDARD.encode(crc32c::crc32c(&bytes).to_be_bytes());
    let put = |key: &str, crc32c: &str| {
        let put = boss.put("tiles.boss-local", key, bytes.clone());
        boss.send_put(&job, put.header("x-amz-checksum-crc32c", crc32c))
    };
    let good = put("a&1", &crc32c).await;
    assert_eq!(good.status(), 200);
    assert_eq!(good.headers()["x-amz-checksum-crc32c"], &*crc32c);
    assert_eq!(good.headers()["etag"].len(), 34);
    let plain = boss.send_put(&job, boss.put("tiles.boss-local", "a&3", bytes.clone())).await;
    assert_eq!(plain.headers()["etag"], "\"25f9e794323b453885f5181f1b624d0b\"");
    let bad = put("a&2", "AAAAAA==").await;
    assert_eq!(bad.status(), 400);
    assert!(bad.text().await.unwrap().contains("<Code>BadDigest</Code>"));
    let files = walk(&boss.folder.path().join("tiles"));
    assert_eq!((files, walk(&boss.folder.path().join("tmp"))), (2, 0));
}

fn walk(folder: &std::path::Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| if entry.path().is_dir() { walk(&entry.path()) } else { 1 }).sum()
}

#[tokio::test]
async fn metadata_have_a_limit_of_2048_bytes() {
    let (boss, job) = tile_job().await;
    for (value_bytes, status) in [(2048 - 8, 200), (2048 - 7, 400)] {
        let put = boss.put("tiles.boss-local", "k", vec![1]);
        let response = boss.send_put(&job, put.header("x-amz-meta-metadata", "x".repeat(value_bytes))).await;
        assert_eq!(response.status().as_u16(), status);
        assert_eq!(response.text().await.unwrap().contains("<Code>MetadataTooLarge</Code>"), status == 400);
    }
}

#[tokio::test]
async fn keys_open_only_the_bucket_of_their_job() {
    let (boss, job) = tile_job().await;
    let put = |bucket: &str| boss.put(bucket, "k", vec![1]);
    let signed = |request| job.keys.sign(request, "s3");
    let unknown = Keys::new("AKIAOTHER", &job.keys.secret_key);
    let wrong = Keys::new(&job.keys.access_key, "wrong");
    let url = format!("{}/tiles.boss-local/k", boss.server.origin());
    let signs_chunks = boss.client.put(&url).header("authorization", "AWS4-HMAC-SHA256");
    let signs_chunks = signs_chunks.header("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
    let cases = [
        (signed(put("ingest.boss-local")), 403, "AccessDenied"),
        (signed(put("other")), 404, "NoSuchBucket"),
        (unknown.sign(put("tiles.boss-local"), "s3"), 403, "InvalidAccessKeyId"),
        (wrong.sign(put("tiles.boss-local"), "s3"), 403, "SignatureDoesNotMatch"),
        (signed(boss.client.get(&url)), 403, "AccessDenied"),
        (signed(boss.client.put(format!("{url}?tagging"))), 403, "AccessDenied"),
        (boss.client.put(&url).build().unwrap(), 403, "AccessDenied"),
        (signs_chunks.build().unwrap(), 501, "NotImplemented"),
    ];
    for (request, status, code) in cases {
        let response = boss.send(request).await;
        assert_eq!(response.status().as_u16(), status, "{code}");
        assert!(response.text().await.unwrap().contains(&format!("<Code>{code}</Code>")), "{code}");
    }
}

#[tokio::test]
async fn what_is_no_cuboid_of_the_job_is_refused() {
    let boss = Boss::start().await;
    boss.make_channel(Dtype::Uint16, Size::new(512, 512, 16)).await;
    let id = boss.create(&config("volumetric", &extent(512, 512, 16))).await;
    let job = boss.join(id).await;
    let key = body(&boss.receive(&job, 1).await[0])["cuboids"][0]["key"].as_str().unwrap().to_owned();
    let frame = |dtype| {
        codec::compress(Block::zeros(dtype, crate::volume::CUBOID).as_bytes(), dtype, &BloscSettings::default())
    };
    let metadata = json!({"ingest_job": id, "chunk_key": "k"}).to_string();
    let cases = [
        (&*key, &*metadata, frame(Dtype::Uint16), 200),
        (&*key, &*metadata, frame(Dtype::Uint8), 400),
        (&*key, "{}", frame(Dtype::Uint16), 400),
        ("0efa673f93fd96d26913d13c24ebec98&4&5&6&0&0&42", &*metadata, frame(Dtype::Uint16), 400),
        ("nonsense", &*metadata, frame(Dtype::Uint16), 400),
    ];
    for (key, metadata, frame, status) in cases {
        let put = boss.put("ingest.boss-local", key, frame.unwrap()).header("x-amz-meta-metadata", metadata);
        assert_eq!(boss.send_put(&job, put).await.status().as_u16(), status, "{key} {metadata}");
    }
}
