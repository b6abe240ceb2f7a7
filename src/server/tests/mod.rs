//! Stories against a running server, told in raw requests: nothing of the client is used here.

mod cutouts;
mod faults;
mod jobs;
mod keys;
mod objects;
mod queues;
mod resources;
mod restart;
#[path = "../../../tests/it/support/sign.rs"]
mod sign;

use std::time::Duration;

use reqwest::{Client, Method, Request, RequestBuilder, Response};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Server, ServerOptions};
use crate::codec::{self, BloscSettings, ImageFormat};
use crate::volume::{Block, Dtype, Region, Size, Span};

/// A server in a folder of its own, and somebody who talks to it.
struct Boss {
    server: Server,
    client: Client,
    folder: TempDir,
}

/// A joined job.
struct Job {
    id: u64,
    keys: Keys,
    reply: Value,
}

/// What a join gives to sign with.
#[derive(Clone)]
struct Keys {
    access_key: String,
    secret_key: String,
}

impl Keys {
    fn new(access_key: &str, secret_key: &str) -> Keys {
        Keys { access_key: access_key.to_owned(), secret_key: secret_key.to_owned() }
    }

    fn sign(&self, request: RequestBuilder, service: &str) -> Request {
        sign::signed(request, service, &self.access_key, &self.secret_key)
    }
}

impl Boss {
    async fn start() -> Boss {
        Boss::start_in(tempfile::tempdir().unwrap(), |options| options).await
    }

    /// A server whose jobs complete without a wait.
    async fn quick() -> Boss {
        Boss::start_in(tempfile::tempdir().unwrap(), quick).await
    }

    async fn start_in(folder: TempDir, change: impl FnOnce(ServerOptions) -> ServerOptions) -> Boss {
        let server = Server::start(change(ServerOptions::new(folder.path()))).await.unwrap();
        Boss { server, client: Client::new(), folder }
    }

    async fn restart(self) -> Boss {
        self.server.shutdown().await;
        Boss::start_in(self.folder, quick).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.server.origin());
        self.client.request(method, url).header("Authorization", format!("Token {}", self.server.token()))
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        answer(self.request(Method::GET, path).send().await.unwrap()).await
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        answer(self.request(Method::POST, path).body(body.to_string()).send().await.unwrap()).await
    }

    async fn delete(&self, path: &str) -> (u16, Value) {
        answer(self.request(Method::DELETE, path).send().await.unwrap()).await
    }

    /// Makes collection `c`, experiment `e` and channel `ch`, with a frame of this size.
    async fn make_channel(&self, dtype: Dtype, frame: Size) {
        let coord = json!({
            "x_start": 0, "x_stop": frame.x, "y_start": 0, "y_stop": frame.y, "z_start": 0, "z_stop": frame.z,
            "x_voxel_size": 4, "y_voxel_size": 4, "z_voxel_size": 40, "voxel_unit": "nanometers",
        });
        for (path, body) in [
            ("/v1/collection/c", json!({})),
            ("/v1/coord/f", coord),
            (
                "/v1/collection/c/experiment/e",
                json!({"coord_frame": "f", "num_hierarchy_levels": 3, "num_time_samples": 4}),
            ),
            ("/v1/collection/c/experiment/e/channel/ch", json!({"type": "image", "datatype": dtype})),
        ] {
            let (status, reply) = self.post(path, &body).await;
            assert_eq!(status, 201, "{path}: {reply}");
        }
    }

    async fn create(&self, config: &Value) -> u64 {
        let (status, reply) = self.post("/latest/ingest/", config).await;
        assert_eq!(status, 201, "{reply}");
        reply["id"].as_u64().unwrap()
    }

    /// Joins as soon as the job is uploading.
    async fn join(&self, id: u64) -> Job {
        loop {
            let (status, reply) = self.get(&format!("/latest/ingest/{id}")).await;
            assert_eq!(status, 200, "{reply}");
            if reply["ingest_job"]["status"] == 1 {
                let key = |name: &str| reply["credentials"][name].as_str().unwrap();
                return Job { id, keys: Keys::new(key("access_key"), key("secret_key")), reply };
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn sqs(&self, keys: &Keys, action: &str, body: Value) -> (u16, Value) {
        let request = self.client.post(self.server.origin()).header("X-Amz-Target", format!("AmazonSQS.{action}"));
        answer(self.send(keys.sign(request.body(body.to_string()), "sqs")).await).await
    }

    async fn send(&self, request: Request) -> Response {
        self.client.execute(request).await.unwrap()
    }

    async fn receive(&self, job: &Job, limit: u64) -> Vec<Value> {
        let body = json!({"QueueUrl": job.queue("upload_queue"), "MaxNumberOfMessages": limit});
        let (status, mut reply) = self.sqs(&job.keys, "ReceiveMessage", body).await;
        assert_eq!(status, 200, "{reply}");
        reply["Messages"].as_array_mut().map(std::mem::take).unwrap_or_default()
    }

    async fn acknowledge(&self, job: &Job, message: &Value) {
        let body = json!({"QueueUrl": job.queue("upload_queue"), "ReceiptHandle": message["ReceiptHandle"]});
        assert_eq!(self.sqs(&job.keys, "DeleteMessage", body).await, (200, json!({})));
    }

    async fn announce(&self, job: &Job, keys: &Value) {
        let body = json!({
            "chunk_key": keys["chunk_key"], "tile_key": keys["tile_key"], "ingest_job": job.id, "parameters": {},
            "x_size": 512, "y_size": 512,
        });
        let body = json!({"QueueUrl": job.queue("tile_index_queue"), "MessageBody": body.to_string()});
        let (status, reply) = self.sqs(&job.keys, "SendMessage", body).await;
        assert_eq!(status, 200, "{reply}");
    }

    fn put(&self, bucket: &str, key: &str, bytes: Vec<u8>) -> RequestBuilder {
        let url = format!("{}/{bucket}/{}", self.server.origin(), key.replace('&', "%26"));
        self.client.put(url).body(bytes)
    }

    /// Sends a put, signed with the job's keys.
    async fn send_put(&self, job: &Job, put: RequestBuilder) -> Response {
        self.send(job.keys.sign(put, "s3")).await
    }

    async fn put_tile(&self, job: &Job, key: &str, bytes: Vec<u8>) {
        let request = self.put("tiles.boss-local", key, bytes);
        let request = request.header("x-amz-meta-message_id", "m").header("x-amz-meta-receipt_handle", "r");
        assert_eq!(self.send_put(job, request).await.status(), 200);
    }

    async fn put_cuboid(&self, job: &Job, key: &str, voxels: &Block) {
        let frame = codec::compress(voxels.as_bytes(), voxels.dtype(), &BloscSettings::default()).unwrap();
        let metadata = json!({"ingest_job": job.id, "chunk_key": "k", "parameters": {}}).to_string();
        let request = self.put("ingest.boss-local", key, frame).header("x-amz-meta-metadata", metadata);
        let response = self.send_put(job, request).await;
        assert_eq!(response.status(), 200, "{}", response.text().await.unwrap());
    }

    /// Works on a tile job until nothing is left to receive; `tile` gives the file of a tile by its x, y, z index.
    async fn upload_tiles(&self, job: &Job, tile: impl Fn(u64, u64, u64) -> Vec<u8>) -> usize {
        let mut uploaded = 0;
        loop {
            let messages = self.receive(job, 10).await;
            for message in &messages {
                let keys = body(message);
                let key = keys["tile_key"].as_str().unwrap();
                let fields: Vec<u64> = key.split('&').skip(1).map(|field| field.parse().unwrap()).collect();
                self.put_tile(job, key, tile(fields[4], fields[5], fields[6])).await;
                self.announce(job, &keys).await;
                self.acknowledge(job, message).await;
                uploaded += 1;
            }
            if messages.is_empty() {
                return uploaded;
            }
        }
    }

    async fn ask_to_complete(&self, id: u64) -> (u16, Value) {
        self.post(&format!("/latest/ingest/{id}/complete"), &json!({})).await
    }

    async fn status(&self, id: u64) -> u64 {
        let (status, reply) = self.get(&format!("/latest/ingest/{id}/status")).await;
        assert_eq!(status, 200, "{reply}");
        reply["status"].as_u64().unwrap()
    }

    /// Completes as clients do. Gives the states that were seen.
    async fn complete(&self, id: u64) -> Vec<u64> {
        let mut seen = Vec::new();
        loop {
            let (status, reply) = self.ask_to_complete(id).await;
            match (status, reply["job_status"].as_u64()) {
                (202, Some(state)) => seen.push(state),
                (400, _) if !reply["wait_secs"].is_null() => {}
                _ => panic!("{status} {reply}"),
            }
            if seen.last() == Some(&5) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        while *seen.last().unwrap() == 5 {
            seen.push(self.status(id).await);
            seen.dedup();
        }
        seen
    }

    /// The voxels of a region as the cutout service gives them; `times` is a time range with its slash.
    async fn cutout(&self, dtype: Dtype, region: &Region, times: &str) -> Block {
        let Region { x, y, z } = region;
        let range = |span: &Span| format!("{}:{}", span.start, span.stop);
        let path = format!("/v1/cutout/c/e/ch/0/{}/{}/{}{times}/", range(x), range(y), range(z));
        let response = self.request(Method::GET, &path).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.headers()["content-type"], "application/blosc");
        let bytes = codec::decompress(&response.bytes().await.unwrap(), 1 << 30).unwrap();
        Block::from_bytes(dtype, region.size(), bytes).unwrap()
    }
}

impl Job {
    fn queue(&self, name: &str) -> &str {
        self.reply["ingest_job"][name].as_str().unwrap()
    }
}

fn quick(options: ServerOptions) -> ServerOptions {
    ServerOptions { completion_wait: Duration::ZERO, ..options }
}

fn body(message: &Value) -> Value {
    serde_json::from_str(message["Body"].as_str().unwrap()).unwrap()
}

async fn answer(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// A job over `extent` with tiles of 512 × 512, or chunks of 512 × 512 × 16.
fn config(kind: &str, extent: &Value) -> Value {
    let processor = json!({"class": "any", "params": {}});
    json!({
        "schema": {"name": "boss-v0.2-schema", "validator": "BossValidatorV02"},
        "client": {
            "backend": {"name": "boss", "class": "BossBackend", "host": "127.0.0.1", "protocol": "http"},
            "path_processor": processor, "tile_processor": processor, "chunk_processor": processor,
        },
        "database": {"collection": "c", "experiment": "e", "channel": "ch"},
        "ingest_job": {
            "ingest_type": kind, "resolution": 0, "extent": extent,
            "tile_size": {"x": 512, "y": 512, "z": 1, "t": 1},
            "chunk_size": {"x": 512, "y": 512, "z": 16},
        },
    })
}

fn extent(x: u64, y: u64, z: u64) -> Value {
    json!({"x": [0, x], "y": [0, y], "z": [0, z], "t": [0, 1]})
}

/// The voxels of a region of a volume of this size, and zeros outside. A voxel's value tells its place.
fn volume(dtype: Dtype, size: Size, region: &Region) -> Block {
    let mut bytes = Vec::new();
    for z in region.z.start..region.z.stop {
        for y in region.y.start..region.y.stop {
            for x in region.x.start..region.x.stop {
                let is_inside = (x as u64) < size.x && (y as u64) < size.y && (z as u64) < size.z;
                let value = if is_inside { 1 + x as u64 + 1031 * y as u64 + 37 * 65_537 * z as u64 } else { 0 };
                bytes.extend_from_slice(&value.to_le_bytes()[..dtype.size_bytes()]);
            }
        }
    }
    Block::from_bytes(dtype, region.size(), bytes).unwrap()
}

/// The file of a tile of 512 × 512 of such a volume.
fn tile(dtype: Dtype, size: Size, x: u64, y: u64, z: u64) -> Vec<u8> {
    let region = Region::new(Span::step(x as i64, 512), Span::step(y as i64, 512), Span::one(z as i64));
    codec::encode(&volume(dtype, size, &region), ImageFormat::Png).unwrap()
}
