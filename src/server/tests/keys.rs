//! The keys that a join gives: when they are good, and what is said when they are not.

use super::*;
use crate::server::KeyTimes;

/// The status and the code of a receive, and of a put, with keys just got.
async fn refused(change: impl FnOnce(ServerOptions) -> ServerOptions) -> [(u16, String); 2] {
    let boss = Boss::start_in(tempfile::tempdir().unwrap(), change).await;
    boss.make_channel(Dtype::Uint8, Size::new(512, 512, 1)).await;
    let id = boss.create(&config("tile", &extent(512, 512, 1))).await;
    let job = boss.join(id).await;
    let body = json!({"QueueUrl": job.queue("upload_queue")});
    let (status, reply) = boss.sqs(&job.keys, "ReceiveMessage", body).await;
    let put = boss.send_put(&job, boss.put("tiles.boss-local", "k", vec![1])).await;
    let put_status = put.status().as_u16();
    let text = put.text().await.unwrap();
    let code = text.split_once("<Code>").map_or("", |(_, rest)| rest.split('<').next().unwrap());
    let kind = reply["__type"].as_str().unwrap_or_default().rsplit('#').next().unwrap();
    [(status, kind.to_owned()), (put_status, code.to_owned())]
}

#[tokio::test]
async fn keys_that_are_not_good_are_refused_in_the_words_of_each_service() {
    let times = |lifetime_s, settle_s| KeyTimes {
        lifetime: Duration::from_secs(lifetime_s),
        settle: Duration::from_secs(settle_s),
    };
    let cases = [
        (times(3600, 0), 0, [(200, ""), (200, "")]),
        (times(0, 0), 0, [(403, "ExpiredTokenException"), (400, "ExpiredToken")]),
        (times(3600, 600), 0, [(403, "UnrecognizedClientException"), (403, "InvalidAccessKeyId")]),
        (times(7200, 0), 3_000_000, [(403, "InvalidSignatureException"), (403, "RequestTimeTooSkewed")]),
        (times(7200, 0), -3_000_000, [(403, "InvalidSignatureException"), (403, "RequestTimeTooSkewed")]),
    ];
    for (key_times, clock_ahead_ms, expected) in cases {
        let found = refused(|options| ServerOptions { key_times, clock_ahead_ms, ..options }).await;
        assert_eq!(found.each_ref().map(|(status, code)| (*status, code.as_str())), expected);
    }
}

#[tokio::test]
async fn each_join_gets_keys_and_those_before_stay_good_until_the_job_is_over() {
    let boss = Boss::quick().await;
    boss.make_channel(Dtype::Uint8, Size::new(512, 512, 1)).await;
    let id = boss.create(&config("tile", &extent(512, 512, 1))).await;
    let (first, second) = (boss.join(id).await, boss.join(id).await);
    assert_ne!(first.keys.access_key, second.keys.access_key);
    for job in [&first, &second] {
        boss.put_tile(job, "k", vec![1]).await;
    }
    assert_eq!(boss.delete(&format!("/latest/ingest/{id}")).await.0, 204);
    let put = boss.send_put(&second, boss.put("tiles.boss-local", "k", vec![1])).await;
    assert!(put.text().await.unwrap().contains("InvalidAccessKeyId"));
}
