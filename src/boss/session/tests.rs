//! A session against a small cloud that knows which keys are good, loses answers and counts what it is asked.

use std::collections::HashSet;
use std::sync::Mutex;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::{Value, json};

use super::*;
use crate::boss::Token;
use crate::boss::testing::{self, QUICK, Serving};

/// What the cloud knows and was asked.
#[derive(Default)]
struct Cloud {
    /// Keys made so far: `AKIA0`, `AKIA1` …; the session begins with the first.
    joins: usize,
    /// Keys that are accepted.
    good: HashSet<String>,
    /// Whether keys made from now on are accepted.
    new_keys_work: bool,
    /// The state that joining reports.
    status: u8,
    /// Requests that are still to be answered with 503.
    busy: usize,
    /// How often each message is still refused for the moment.
    shy: usize,
    stored: Vec<(String, Vec<u8>)>,
    deleted: Vec<String>,
    sent: Vec<String>,
}

type Shared = Arc<Mutex<Cloud>>;

struct Given {
    session: Arc<Session>,
    cloud: Shared,
    _server: Serving,
}

/// A session with the first keys, of a tile job; `settle` and `renew_after` in milliseconds.
async fn given(cloud: Cloud, settle: u64, renew_after: u64) -> Given {
    let cloud: Shared = Arc::new(Mutex::new(cloud));
    let server = testing::serve(Router::new().fallback(answer).with_state(cloud.clone())).await;
    let rest = Rest::new(&server.origin, Token::new("t0ken", "test").unwrap()).unwrap().with_policy(QUICK);
    let settings = SessionSettings {
        settle: Duration::from_millis(settle),
        renew_after: Duration::from_millis(renew_after),
        doubt: Duration::from_millis(30),
        retry: QUICK,
        ..SessionSettings::default()
    };
    let reply = rest.join(7).await.unwrap();
    let endpoints = Endpoints::local(&server.origin).unwrap();
    let session = Arc::new(Session::new(rest, reply, endpoints, settings).unwrap());
    Given { session, cloud, _server: server }
}

const HOUR: u64 = 3_600_000;

fn working() -> Cloud {
    Cloud { status: 1, new_keys_work: true, ..Cloud::default() }
}

impl Given {
    async fn put(&self) -> Result<Stored, BossError> {
        self.session.put_object("k&1", Bytes::from_static(b"tile"), &[("metadata", "{}")], None).await
    }

    fn revoke(&self) {
        self.cloud.lock().unwrap().good.clear();
    }

    fn joins(&self) -> usize {
        self.cloud.lock().unwrap().joins
    }
}

async fn answer(
    State(cloud): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, String) {
    let mut cloud = cloud.lock().unwrap();
    if method == Method::GET {
        return cloud.join();
    }
    if cloud.busy > 0 {
        cloud.busy -= 1;
        return (StatusCode::SERVICE_UNAVAILABLE, "<Error><Code>SlowDown</Code></Error>".to_owned());
    }
    let signature = headers["authorization"].to_str().unwrap();
    let key = signature.split(['=', '/']).nth(1).unwrap();
    let good = cloud.good.contains(key);
    match headers.get("x-amz-target") {
        None if good => cloud.put(uri.path(), body),
        None => (StatusCode::FORBIDDEN, "<Error><Code>InvalidAccessKeyId</Code></Error>".to_owned()),
        Some(target) if good => cloud.queue(target.to_str().unwrap(), &serde_json::from_str(&body).unwrap()),
        Some(_) => (StatusCode::FORBIDDEN, r#"{"__type": "x#UnrecognizedClientException"}"#.to_owned()),
    }
}

impl Cloud {
    fn join(&mut self) -> (StatusCode, String) {
        let key = format!("AKIA{}", self.joins);
        self.joins += 1;
        if self.new_keys_work {
            self.good.insert(key.clone());
        }
        let job = json!({"id": 7, "collection": "c", "experiment": "e", "channel": "ch", "status": self.status,
            "ingest_queue": "http://q/in", "upload_queue": "http://q/up", "tile_count": 4, "ingest_type": 0,
            "tile_index_queue": "http://q/index"});
        let reply = json!({"ingest_job": job, "tile_bucket_name": "tiles.b.io", "ingest_bucket_name": "ingest.b.io",
            "credentials": {"access_key": key, "secret_key": "s3cr3t", "security_token": null},
            "KVIO_SETTINGS": {}, "STATEIO_CONFIG": {}, "OBJECTIO_CONFIG": {}, "resource": {"lookup_key": "4&5&6",
            "channel": {"type": "image", "datatype": "uint8", "base_resolution": 0}}});
        (StatusCode::OK, reply.to_string())
    }

    fn put(&mut self, path: &str, body: String) -> (StatusCode, String) {
        self.stored.push((path.to_owned(), body.into_bytes()));
        (StatusCode::OK, String::new())
    }

    fn queue(&mut self, target: &str, request: &Value) -> (StatusCode, String) {
        let reply = match target {
            "AmazonSQS.ReceiveMessage" => json!({"Messages": [{"MessageId": "m", "ReceiptHandle": "r", "Body": "b"}]}),
            _ => self.batch(request),
        };
        (StatusCode::OK, reply.to_string())
    }

    /// Entries whose text begins with `bad` fail for good, others for the moment while the queue is shy.
    fn batch(&mut self, request: &Value) -> Value {
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for entry in request["Entries"].as_array().unwrap() {
            let to_delete = entry["ReceiptHandle"].as_str();
            let text = to_delete.or(entry["MessageBody"].as_str()).unwrap();
            if text.starts_with("bad") || self.shy > 0 {
                self.shy = self.shy.saturating_sub(1);
                failed.push(json!({"Id": entry["Id"], "SenderFault": text.starts_with("bad"), "Code": "X"}));
                continue;
            }
            if to_delete.is_some() { &mut self.deleted } else { &mut self.sent }.push(text.to_owned());
            successful.push(json!({"Id": entry["Id"]}));
        }
        json!({"Successful": successful, "Failed": failed})
    }
}

#[tokio::test]
async fn an_object_is_stored_in_the_bucket_of_the_jobs_kind() {
    let given = given(working(), 0, HOUR).await;
    assert_eq!(given.put().await.unwrap().crc32c, crc32c::crc32c(b"tile"));
    let cloud = given.cloud.lock().unwrap();
    assert_eq!(cloud.stored, [("/tiles.b.io/k%261".to_owned(), b"tile".to_vec())]);
    assert_eq!(cloud.joins, 1);
}

#[tokio::test]
async fn a_busy_service_is_tried_again_and_counted() {
    let given = given(Cloud { busy: 3, ..working() }, 0, HOUR).await;
    given.put().await.unwrap();
    assert_eq!((given.session.counts().retries(), given.session.counts().congestions()), (3, 3));
}

#[tokio::test]
async fn a_deadline_ends_the_trying_with_the_last_error() {
    let given = given(Cloud { busy: usize::MAX, ..working() }, 0, HOUR).await;
    let deadline = Some(Instant::now() + Duration::from_millis(100));
    let error = given.session.put_object("k", Bytes::new(), &[], deadline).await.unwrap_err();
    assert!(matches!(error, BossError::Throttled { .. }), "{error:?}");
}

#[tokio::test]
async fn many_tasks_with_revoked_keys_renew_them_once() {
    let given = given(working(), 0, HOUR).await;
    given.revoke();
    let tasks: Vec<_> = (0..20)
        .map(|n| {
            let session = given.session.clone();
            tokio::spawn(async move {
                match n % 2 {
                    0 => session.put_object(&format!("k{n}"), Bytes::new(), &[], None).await.map(|_| ()),
                    _ => session.receive(1, Duration::ZERO).await.map(|_| ()),
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(given.joins(), 2);
    assert_eq!(given.cloud.lock().unwrap().stored.len(), 10);
}

#[tokio::test]
async fn new_keys_are_given_time_to_spread() {
    let given = given(Cloud { new_keys_work: false, ..working() }, HOUR, HOUR).await;
    let (session, cloud) = (given.session.clone(), given.cloud.clone());
    let put = tokio::spawn(async move { session.put_object("k", Bytes::new(), &[], None).await });
    while given.session.counts().retries() < 3 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    cloud.lock().unwrap().good.insert("AKIA0".to_owned());
    put.await.unwrap().unwrap();
    assert_eq!(given.joins(), 1);
}

#[tokio::test]
async fn keys_that_never_work_are_given_up_after_one_renewal() {
    let given = given(Cloud { new_keys_work: false, ..working() }, 30, HOUR).await;
    let error = given.put().await.unwrap_err();
    assert!(matches!(error, BossError::KeysRefused { service: Service::S3, .. }), "{error:?}");
    assert!(error.stops_the_job());
    assert_eq!(given.joins(), 2);
}

#[tokio::test]
async fn old_keys_are_renewed_before_they_end() {
    let given = given(working(), 0, 50).await;
    tokio::time::sleep(Duration::from_millis(60)).await;
    given.put().await.unwrap();
    assert_eq!(given.joins(), 2);
}

#[tokio::test]
async fn keys_that_others_replace_by_age_serve_until_those_work() {
    let given = given(working(), HOUR, 50).await;
    given.put().await.unwrap();
    given.cloud.lock().unwrap().new_keys_work = false;
    tokio::time::sleep(Duration::from_millis(60)).await;
    given.put().await.unwrap();
    assert_eq!((given.joins(), given.session.counts().retries()), (2, 0), "the old ones, at once");
}

#[tokio::test]
async fn keys_that_worked_and_are_refused_are_renewed_though_they_are_new() {
    let given = given(working(), HOUR, HOUR).await;
    given.put().await.unwrap();
    given.revoke();
    given.put().await.unwrap();
    assert_eq!(given.joins(), 2);
}

#[tokio::test]
async fn keys_that_ended_twice_are_then_renewed_in_time() {
    let given = given(working(), HOUR, HOUR).await;
    for _ in 0..2 {
        let until = Instant::now() + Duration::from_millis(80);
        while Instant::now() < until {
            given.put().await.unwrap();
        }
        given.revoke();
        given.put().await.unwrap();
    }
    assert_eq!(given.joins(), 3);
    while given.joins() < 5 {
        given.put().await.unwrap();
    }
}

#[tokio::test]
async fn refused_keys_of_a_finished_job_tell_that_it_is_finished() {
    for (status, end) in [(2, "ingest job 7 is already complete"), (3, "ingest job 7 was cancelled")] {
        let given = given(working(), 0, HOUR).await;
        given.revoke();
        given.cloud.lock().unwrap().status = status;
        let error = given.session.receive(10, Duration::ZERO).await.unwrap_err();
        assert_eq!(error.to_string(), end);
        assert!(error.stops_the_job());
    }
}

#[tokio::test]
async fn batches_of_any_length_are_split_and_their_failures_repeated() {
    let given = given(Cloud { shy: 4, ..working() }, 0, HOUR).await;
    let texts: Vec<String> = (0..23).map(|n| if n == 12 { "bad".to_owned() } else { format!("text {n}") }).collect();
    let deleted = given.session.delete(&texts, None).await.unwrap();
    let sent = given.session.send_index(&texts, None).await.unwrap();
    for results in [deleted, sent] {
        let failed: Vec<_> = (0..results.len()).filter(|index| results[*index].is_err()).collect();
        assert_eq!((results.len(), failed), (23, vec![12]));
    }
    let cloud = given.cloud.lock().unwrap();
    let all: HashSet<_> = texts.iter().filter(|text| *text != "bad").collect();
    assert_eq!(cloud.deleted.iter().collect::<HashSet<_>>(), all);
    assert_eq!(cloud.sent.iter().collect::<HashSet<_>>(), all);
}

#[tokio::test]
async fn tasks_on_other_threads_can_share_a_session() {
    let given = given(working(), 0, HOUR).await;
    let session = given.session.clone();
    let task = tokio::spawn(async move {
        let texts = ["text".to_owned()];
        let deleted = session.delete(&texts, None).await.unwrap();
        session.send_index(&texts, None).await.unwrap().len() + deleted.len()
    });
    assert_eq!(task.await.unwrap(), 2);
}

#[tokio::test]
async fn a_session_shows_no_secrets() {
    let given = given(working(), 0, HOUR).await;
    let shown = format!("{:?} {:?}", given.session, given.session.receive(1, Duration::ZERO).await);
    assert!(shown.contains("AKIA0") && !shown.contains("s3cr3t") && !shown.contains("t0ken"), "{shown}");
}

#[tokio::test]
async fn a_reply_that_lacks_what_the_job_needs_is_refused() {
    let given = given(working(), 0, HOUR).await;
    let complete = given.session.rest().join(7).await.unwrap();
    for what in ["keys", "upload queue", "tile bucket", "tile index queue"] {
        let mut reply = complete.clone();
        match what {
            "keys" => reply.credentials = None,
            "upload queue" => reply.ingest_job.upload_queue = None,
            "tile bucket" => reply.tile_bucket_name = None,
            _ => reply.ingest_job.tile_index_queue = None,
        }
        let endpoints = Endpoints::local("http://h").unwrap();
        let session = Session::new(given.session.rest().clone(), reply, endpoints, SessionSettings::default());
        assert!(session.unwrap_err().to_string().ends_with(&format!("it has no {what}")));
    }
}
