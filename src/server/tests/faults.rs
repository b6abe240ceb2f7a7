//! Faults on request, and the journal of what happened in spite of them.

use super::*;
use crate::server::Faults;

/// A server with these faults and a journal.
async fn faulty(faults: Value) -> Boss {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("faults.json");
    std::fs::write(&file, faults.to_string()).unwrap();
    let faults = Faults::load(&file).unwrap();
    let journal = Some(folder.path().join("journal"));
    Boss::start_in(folder, |options| ServerOptions { journal, ..options.with_faults(faults) }).await
}

async fn tile_job(boss: &Boss) -> Job {
    boss.make_channel(Dtype::Uint8, Size::new(512, 512, 16)).await;
    let id = boss.create(&config("tile", &extent(512, 512, 16))).await;
    boss.join(id).await
}

fn journal(boss: &Boss, effect: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(boss.folder.path().join("journal")).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["effect"] == effect).collect()
}

/// What becomes of putting an object: the status and the code, or 0 when the connection breaks.
async fn put(boss: &Boss, job: &Job, key: &str) -> (u16, String) {
    let request = job.keys.sign(boss.put("tiles.boss-local", key, vec![1; 100]), "s3");
    let Ok(response) = Client::new().execute(request).await else { return (0, String::new()) };
    let (status, text) = (response.status().as_u16(), response.text().await.unwrap());
    let code = text.split_once("<Code>").map_or("", |(_, rest)| rest.split('<').next().unwrap());
    (status, code.to_owned())
}

#[tokio::test]
async fn each_fault_looks_as_it_does_in_the_wild_and_the_journal_tells_what_was_done() {
    let rule = |nth: u64, what: &str, value: &str| json!({"on": "s3.put", "nth": [nth], what: value});
    let boss = faulty(json!({"rules": [
        rule(1, "fail", "throttled"), rule(2, "fail", "internal_error"), rule(3, "fail", "unavailable"),
        rule(4, "cut", "before"), rule(5, "cut", "after"),
        {"on": "rest.status", "times": 1, "fail": "throttled"},
        {"on": "sqs.attributes", "times": 1, "fail": "throttled"},
    ]}))
    .await;
    let job = tile_job(&boss).await;
    let expected =
        [(503, "SlowDown"), (500, "InternalError"), (503, "ServiceUnavailable"), (0, ""), (0, ""), (200, "")];
    for (number, (status, code)) in expected.into_iter().enumerate() {
        assert_eq!(put(&boss, &job, &format!("key {number}")).await, (status, code.to_owned()), "{number}");
    }
    let stored: Vec<Value> = journal(&boss, "stored").iter().map(|line| line["key"].clone()).collect();
    assert_eq!(stored, ["key 4", "key 5"]);
    let asked = journal(&boss, "asked");
    assert_eq!(asked.iter().filter(|line| line["operation"] == "s3.put").count(), 2, "those that no fault refused");
    assert!(asked.is_sorted_by_key(|line| line["at_ms"].as_u64().unwrap()));
    assert_eq!(boss.get(&format!("/latest/ingest/{}/status", job.id)).await.0, 429);
    assert_eq!(boss.status(job.id).await, 1);
    let body = json!({"QueueUrl": job.queue("upload_queue"), "AttributeNames": ["All"]});
    let (status, reply) = boss.sqs(&job.keys, "GetQueueAttributes", body).await;
    assert_eq!((status, &reply["__type"]), (400, &json!("com.amazonaws.sqs#RequestThrottled")));
}

#[tokio::test]
async fn a_message_is_handed_out_twice_and_its_first_receipt_is_stale_then() {
    let boss = faulty(json!({"rules": [{"on": "sqs.receive", "times": 1, "duplicate": true}]})).await;
    let job = tile_job(&boss).await;
    let first = boss.receive(&job, 10).await;
    let second = boss.receive(&job, 10).await;
    let ids = |messages: &[Value]| messages.iter().map(|message| message["MessageId"].clone()).collect::<Vec<_>>();
    assert_eq!((first.len(), ids(&second)), (10, ids(&first)));
    boss.acknowledge(&job, &second[0]).await;
    let received = journal(&boss, "received");
    assert_eq!(received.len(), 10 + second.len());
    assert_eq!(received[0]["keys"][0], body(&first[0])["tile_key"]);
    assert_eq!(journal(&boss, "deleted")[0]["message"], received[10]["message"]);
}

#[tokio::test]
async fn a_full_disk_refuses_objects_and_messages_until_there_is_room() {
    let boss = faulty(json!({"disk_full": {"after_bytes": 150, "for_s": 1.5}})).await;
    let job = tile_job(&boss).await;
    assert_eq!(put(&boss, &job, "a").await.0, 200);
    assert_eq!(put(&boss, &job, "b").await, (500, "InternalError".to_owned()));
    let big = json!({"description": "x".repeat(4000)});
    let mut refused = 0;
    for number in 0..200 {
        refused += u32::from(boss.post(&format!("/v1/collection/c{number}"), &big).await.0 == 500);
    }
    assert!(refused > 0, "the database grew on a full disk");
    while put(&boss, &job, "b").await.0 != 200 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(boss.post("/v1/collection/after", &big).await.0, 201);
}
