//! SQS's rules, as a job's credentials meet them.

use std::time::{Duration, Instant};

use md5::{Digest, Md5};
use serde_json::Value;

use super::*;

async fn small_job(boss: &Boss) -> Job {
    boss.make_channel(Dtype::Uint8, Size::new(512, 512, 20)).await;
    let id = boss.create(&config("tile", &extent(512, 512, 20))).await;
    boss.join(id).await
}

#[tokio::test]
async fn messages_come_in_the_order_and_form_of_the_boss() {
    let all: Value = serde_json::from_str(include_str!("../../../tests/data/vectors/keys.json")).unwrap();
    for vector in all["upload_messages"].as_array().unwrap() {
        let args = &vector["args"];
        let axis = |axis: &str| json!([args[format!("{axis}_start")], args[format!("{axis}_stop")]]);
        let is_tile = args["ingest_type"] == 0;
        let mut job = config(
            if is_tile { "tile" } else { "volumetric" },
            &json!({
                "x": axis("x"), "y": axis("y"), "z": axis("z"), "t": axis("t"),
            }),
        );
        for part in ["tile_size", "chunk_size"] {
            for axis in ["x", "y"] {
                job["ingest_job"][part][axis] = args[format!("{axis}_tile_size")].clone();
            }
        }
        job["ingest_job"]["chunk_size"]["z"] = args["z_chunk_size"].clone();
        let boss = Boss::start().await;
        boss.make_channel(Dtype::Uint8, Size::new(9000, 9000, 900)).await;
        let (status, reply) = boss.post("/latest/ingest/", &job).await;
        if vector["name"].as_str().unwrap().contains("unaligned") {
            assert_eq!((status, &reply["code"]), (400, &json!(1004)), "{}", vector["name"]);
            continue;
        }
        let job = boss.join(reply["id"].as_u64().unwrap()).await;
        let mut keys = Vec::new();
        loop {
            let messages = boss.receive(&job, 10).await;
            if messages.is_empty() {
                break;
            }
            for message in messages {
                let key = body(&message)[if is_tile { "tile_key" } else { "chunk_key" }].clone();
                keys.push(as_project_4_5_6(key.as_str().unwrap()));
            }
        }
        assert_eq!(json!(keys.len()), vector["message_count"], "{}", vector["name"]);
        let digest: String = Md5::digest(keys.join("\n")).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(json!(digest), vector["ordered_keys_md5"], "{}", vector["name"]);
    }
}

/// The key that the vectors' channel would have: their ids are 4, 5, 6, a new server's are 1, 1, 1.
fn as_project_4_5_6(key: &str) -> String {
    let mut fields: Vec<&str> = key.split('&').skip(1).collect();
    let ids = fields.len() - 8;
    fields.splice(ids..ids + 3, ["4", "5", "6"]);
    let text = fields.join("&");
    let digest: String = Md5::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{digest}&{text}")
}

#[tokio::test]
async fn a_message_reads_as_the_boss_writes_it() {
    let boss = Boss::start().await;
    let job = small_job(&boss).await;
    let message = &boss.receive(&job, 1).await[0];
    let text = message["Body"].as_str().unwrap();
    let origin = boss.server.origin();
    let queue = |kind: &str| format!("{origin}/000000000000/boss-local-{kind}-1");
    let expected = format!(
        "{{\"job_id\": 1, \"upload_queue_arn\": \"{}\", \"ingest_queue_arn\": \"{}\", \"chunk_key\": \
         \"KEY&16&1&1&1&0&0&0&0&0\", \"tile_key\": \"KEY&1&1&1&0&0&0&0&0\"}}",
        queue("upload"),
        queue("ingest"),
    );
    let without_hash = |text: &str, key: &str| {
        let keys = body(message);
        text.replace(keys[key].as_str().unwrap().split('&').next().unwrap(), "KEY")
    };
    assert_eq!(without_hash(&without_hash(text, "chunk_key"), "tile_key"), expected);
    let digest: String = Md5::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(message["MD5OfBody"], json!(digest));
}

#[tokio::test]
async fn a_hidden_message_comes_back_with_a_new_receipt_and_the_same_id() {
    let visibility = Duration::from_millis(300);
    let boss = Boss::start_in(tempfile::tempdir().unwrap(), |o| ServerOptions { visibility, ..o }).await;
    let job = small_job(&boss).await;
    let first = boss.receive(&job, 10).await;
    assert_eq!((first.len(), boss.receive(&job, 10).await.len()), (10, 10));
    assert_eq!(boss.receive(&job, 10).await.len(), 0);
    let asked = Instant::now();
    let wait = json!({"QueueUrl": job.queue("upload_queue"), "MaxNumberOfMessages": 10, "WaitTimeSeconds": 5});
    let (_, reply) = boss.sqs(&job.keys, "ReceiveMessage", wait).await;
    assert!(asked.elapsed() < Duration::from_secs(3), "the wait ends when a message comes back");
    let again = &reply["Messages"][0];
    assert_eq!(again["MessageId"], first[0]["MessageId"]);
    assert_ne!(again["ReceiptHandle"], first[0]["ReceiptHandle"]);
    boss.acknowledge(&job, &first[0]).await;
    tokio::time::sleep(visibility).await;
    let (_, counts) = attributes(&boss, &job).await;
    assert_eq!(counts["Attributes"]["ApproximateNumberOfMessages"], "20", "an old receipt deletes nothing");
}

async fn attributes(boss: &Boss, job: &Job) -> (u16, Value) {
    let body = json!({"QueueUrl": job.queue("upload_queue"), "AttributeNames": ["All"]});
    boss.sqs(&job.keys, "GetQueueAttributes", body).await
}

#[tokio::test]
async fn a_batch_deletes_what_it_can() {
    let boss = Boss::start().await;
    let job = small_job(&boss).await;
    let messages = boss.receive(&job, 3).await;
    let entries = json!([
        {"Id": "a", "ReceiptHandle": messages[0]["ReceiptHandle"]},
        {"Id": "b", "ReceiptHandle": "nonsense"},
        {"Id": "c", "ReceiptHandle": messages[2]["ReceiptHandle"]},
    ]);
    let body = json!({"QueueUrl": job.queue("upload_queue"), "Entries": entries});
    let (status, reply) = boss.sqs(&job.keys, "DeleteMessageBatch", body).await;
    assert_eq!((status, &reply["Successful"]), (200, &json!([{"Id": "a"}, {"Id": "c"}])));
    assert_eq!((&reply["Failed"][0]["Id"], &reply["Failed"][0]["SenderFault"]), (&json!("b"), &json!(true)));
    let (_, counts) = attributes(&boss, &job).await;
    assert_eq!(counts["Attributes"]["ApproximateNumberOfMessages"], "17");
    assert_eq!(counts["Attributes"]["ApproximateNumberOfMessagesNotVisible"], "1");
}

#[tokio::test]
async fn limits_and_rights_are_those_of_the_boss() {
    let boss = Boss::start().await;
    let job = small_job(&boss).await;
    let (upload, index) = (job.queue("upload_queue"), job.queue("tile_index_queue"));
    let entries = |count: usize, text: &str| -> Vec<Value> {
        (0..count).map(|id| json!({"Id": id.to_string(), "MessageBody": text})).collect()
    };
    let key = &job.keys;
    let other = Keys::new("AKIAOTHER", &key.secret_key);
    let wrong = Keys::new(&key.access_key, "wrong");
    let cases = [
        (key, "ReceiveMessage", json!({"QueueUrl": index}), 403, "AccessDeniedException"),
        (key, "SendMessage", json!({"QueueUrl": upload, "MessageBody": "x"}), 403, "AccessDeniedException"),
        (key, "GetQueueAttributes", json!({"QueueUrl": index}), 403, "AccessDeniedException"),
        (key, "ChangeMessageVisibility", json!({"QueueUrl": upload}), 403, "AccessDeniedException"),
        (key, "GetQueueUrl", json!({"QueueName": "x", "QueueUrl": upload}), 403, "AccessDeniedException"),
        (&other, "ReceiveMessage", json!({"QueueUrl": upload}), 403, "UnrecognizedClientException"),
        (&wrong, "ReceiveMessage", json!({"QueueUrl": upload}), 403, "InvalidSignatureException"),
        (key, "ReceiveMessage", json!({"QueueUrl": "http://x/0/nothing"}), 400, "com.amazonaws.sqs#QueueDoesNotExist"),
        (key, "ReceiveMessage", json!({"QueueUrl": upload, "WaitTimeSeconds": 21}), 400, "InvalidParameterValue"),
        (key, "SendMessageBatch", json!({"QueueUrl": index, "Entries": entries(11, "x")}), 400, "TooManyEntries"),
        (key, "SendMessageBatch", json!({"QueueUrl": index, "Entries": entries(0, "x")}), 400, "EmptyBatch"),
        (
            key,
            "SendMessageBatch",
            json!({"QueueUrl": index, "Entries": entries(10, &"x".repeat(26_215))}),
            400,
            "BatchRequestTooLong",
        ),
        (key, "MakeCoffee", json!({"QueueUrl": upload}), 400, "UnknownOperation"),
    ];
    for (key, action, body, status, kind) in cases {
        let found = boss.sqs(key, action, body).await;
        assert_eq!(found.0, status, "{action}: {}", found.1);
        assert!(found.1["__type"].as_str().unwrap().contains(kind), "{action}: {}", found.1);
    }
}

#[tokio::test]
async fn the_queues_of_a_cancelled_job_are_gone_at_once() {
    let boss = Boss::start().await;
    let job = small_job(&boss).await;
    while !boss.receive(&job, 10).await.is_empty() {}
    let wait = json!({"QueueUrl": job.queue("upload_queue"), "WaitTimeSeconds": 20});
    let path = format!("/latest/ingest/{}", job.id);
    let cancel = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        boss.delete(&path).await
    };
    let (waited, cancelled) = tokio::join!(boss.sqs(&job.keys, "ReceiveMessage", wait), cancel);
    assert_eq!(cancelled.0, 204);
    assert_eq!((waited.0, &waited.1["__type"]), (400, &json!("com.amazonaws.sqs#QueueDoesNotExist")));
}
