//! How fast `serve` takes objects: PUTs of 1.5 MB over eight connections, for tile jobs and volumetric jobs.
//!
//!     cargo bench --bench serve
//!
//! The client's work is in the wall time and not in the server's CPU time.

#[path = "../tests/it/support/sign.rs"]
mod sign;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use boss_ingest::codec::{self, BloscSettings};
use boss_ingest::volume::Dtype;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};

const CONNECTIONS: usize = 8;
const OBJECTS: usize = 1600;
const TILE_BYTES: usize = 1_500_000;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    runtime.block_on(async {
        server.make_channel().await;
        let tile: Vec<u8> = (0..TILE_BYTES).map(|_| fastrand::u8(..)).collect();
        let voxels: Vec<u8> =
            (0..16 * 512 * 512).map(|at| if at < TILE_BYTES { fastrand::u8(..) } else { 0 }).collect();
        let cuboid = codec::compress(&voxels, Dtype::Uint8, &BloscSettings::default()).unwrap();
        for (kind, body) in [("tile", tile), ("volumetric", cuboid)] {
            let job = server.job(kind).await;
            server.measure(kind, &job, body).await;
        }
    });
}

struct Server {
    child: Child,
    origin: String,
    token: String,
    client: Client,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(folder: &std::path::Path) -> Server {
        let mut command = Command::new(env!("CARGO_BIN_EXE_boss-ingest"));
        command.args(["serve", "boss", "--listen", "127.0.0.1:0"]).current_dir(folder).env("XDG_STATE_HOME", folder);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut origin = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut origin).unwrap();
        let token = std::fs::read_to_string(folder.join("boss/token")).unwrap();
        Server { child, origin: origin.trim().to_owned(), token, client: Client::new() }
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let request = self.client.post(format!("{}{path}", self.origin)).body(body.to_string());
        let answer = request.header("Authorization", format!("Token {}", self.token)).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.unwrap()
    }

    async fn make_channel(&self) {
        let frame = json!({"x_start": 0, "x_stop": 1 << 20, "y_start": 0, "y_stop": 1 << 20, "z_start": 0, "z_stop": 1 << 20,
            "x_voxel_size": 4, "y_voxel_size": 4, "z_voxel_size": 40, "voxel_unit": "nanometers"});
        self.post("/v1/collection/c", json!({})).await;
        self.post("/v1/coord/f", frame).await;
        self.post("/v1/collection/c/experiment/e", json!({"coord_frame": "f"})).await;
        let channel = json!({"type": "image", "datatype": "uint8"});
        self.post("/v1/collection/c/experiment/e/channel/ch", channel).await;
    }

    /// A joined job of this kind.
    async fn job(&self, kind: &str) -> Value {
        let processor = json!({"class": "any", "params": {}});
        let backend = json!({"name": "boss", "class": "BossBackend", "host": "127.0.0.1", "protocol": "http"});
        let config = json!({
            "schema": {"name": "boss-v0.2-schema", "validator": "BossValidatorV02"},
            "client": {"backend": backend, "path_processor": processor, "tile_processor": processor, "chunk_processor": processor},
            "database": {"collection": "c", "experiment": "e", "channel": "ch"},
            "ingest_job": {"ingest_type": kind, "resolution": 0,
                "extent": {"x": [0, 512 * OBJECTS], "y": [0, 512], "z": [0, 16], "t": [0, 1]},
                "tile_size": {"x": 512, "y": 512, "z": 1, "t": 1}, "chunk_size": {"x": 512, "y": 512, "z": 16}},
        });
        let id = self.post("/latest/ingest/", config).await["id"].as_u64().unwrap();
        loop {
            let request = self.client.get(format!("{}/latest/ingest/{id}", self.origin));
            let request = request.header("Authorization", format!("Token {}", self.token));
            let job: Value = request.send().await.unwrap().json().await.unwrap();
            if job["ingest_job"]["status"] == 1 {
                return job;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    async fn measure(&self, kind: &str, job: &Value, body: Vec<u8>) {
        let key = |name: &str| job["credentials"][name].as_str().unwrap().to_owned();
        let (access_key, secret_key) = (key("access_key"), key("secret_key"));
        let body = bytes::Bytes::from(body);
        let crc32c = STANDARD.encode(crc32c::crc32c(&body).to_be_bytes());
        let (begun, cpu) = (Instant::now(), self.cpu_ms());
        let connections = (0..CONNECTIONS).map(|first| {
            let (body, crc32c, access_key, secret_key) = (body.clone(), &crc32c, &access_key, &secret_key);
            async move {
                let client = Client::new();
                for number in (first..OBJECTS).step_by(CONNECTIONS) {
                    let put = self.put(kind, job, number).header("x-amz-checksum-crc32c", crc32c);
                    let mut request = sign::signed(put, "s3", access_key, secret_key);
                    *request.body_mut() = Some(body.clone().into());
                    let answer = client.execute(request).await.unwrap();
                    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
                }
            }
        });
        futures_util::future::join_all(connections).await;
        let (seconds, cpu) = (begun.elapsed().as_secs_f64(), self.cpu_ms() - cpu);
        let megabytes = (OBJECTS * body.len()) as f64 / 1e6;
        println!(
            "{kind:10}  {OBJECTS} objects of {} bytes: {:.0} MB/s, {:.0} objects/s, {:.2} ms of the server's CPU for a MB",
            body.len(),
            megabytes / seconds,
            OBJECTS as f64 / seconds,
            cpu / megabytes,
        );
    }

    fn put(&self, kind: &str, job: &Value, number: usize) -> RequestBuilder {
        let id = job["ingest_job"]["id"].as_u64().unwrap();
        let metadata = json!({"ingest_job": id, "chunk_key": "k", "parameters": {}}).to_string();
        let (bucket, key) = match kind {
            "tile" => ("tiles.boss-local", format!("tile%26{number}")),
            _ => ("ingest.boss-local", self.cuboid_key(number)),
        };
        let put = self.client.put(format!("{}/{bucket}/{key}", self.origin)).header("x-amz-meta-metadata", metadata);
        put.header("x-amz-meta-message_id", "m").header("x-amz-meta-receipt_handle", "r")
    }

    /// The key of the cuboid at so many cuboids along x.
    fn cuboid_key(&self, number: usize) -> String {
        let at = boss_ingest::volume::CuboidIndex::new(number as u64, 0, 0);
        let ids = boss_ingest::protocol::ProjectIds::new(1, 1, 1);
        boss_ingest::protocol::object_key(ids, 0, 0, at).replace('&', "%26")
    }

    /// User and system time of the server so far.
    fn cpu_ms(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
        ticks * 10.0
    }
}
