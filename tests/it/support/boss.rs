//! A local Boss in a process of its own, and questions to it as any HTTP client asks them.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use boss_ingest::codec;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};

use super::program::command;
use super::sign::signed;

/// `boss-ingest serve`; killed when dropped.
pub struct ServedBoss {
    child: Child,
    pub origin: String,
    pub dir: PathBuf,
}

/// How long a test waits for something to become true.
const PATIENCE: Duration = Duration::from_secs(120);

impl ServedBoss {
    /// Serves `folder/boss` on a free port, with these flags.
    pub fn start(folder: &Path, flags: &[&str]) -> Self {
        Self::start_at(folder, "127.0.0.1:0", flags)
    }

    /// `kill -9`, and a new process at the same address after a while.
    pub fn restart(&mut self, after: Duration, flags: &[&str]) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        std::thread::sleep(after);
        *self = Self::start_at(self.dir.parent().unwrap(), self.host(), flags);
    }

    fn start_at(folder: &Path, address: &str, flags: &[&str]) -> Self {
        let mut args = vec!["serve", "boss", "--listen", address];
        args.extend(flags);
        let mut child =
            command(folder, &args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut origin = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut origin).unwrap();
        let origin = origin.trim().to_owned();
        assert!(origin.starts_with("http://127.0.0.1:"), "{origin}");
        ServedBoss { child, origin, dir: folder.join("boss") }
    }

    /// `127.0.0.1:4711`, as it stands in a job file.
    pub fn host(&self) -> &str {
        self.origin.strip_prefix("http://").unwrap()
    }

    pub fn token(&self) -> String {
        std::fs::read_to_string(self.dir.join("token")).unwrap().trim().to_owned()
    }

    fn get(&self, path: &str) -> RequestBuilder {
        Client::new().get(format!("{}{path}", self.origin)).header("Authorization", format!("Token {}", self.token()))
    }

    async fn get_json(&self, path: &str) -> Value {
        let answer = self.get(path).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.unwrap()
    }

    /// The voxels of a cutout, little-endian. `ranges` is such as `0:512/0:512/0:16`, with a time range if wanted.
    pub async fn cutout(&self, ranges: &str) -> Vec<u8> {
        self.cutout_of("chan", ranges).await
    }

    /// The voxels of a cutout of another channel.
    pub async fn cutout_of(&self, channel: &str, ranges: &str) -> Vec<u8> {
        let path = format!("/v1/cutout/col/exp/{channel}/0/{ranges}/");
        let answer = self.get(&path).header("Accept", "application/blosc").send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        codec::decompress(&answer.bytes().await.unwrap(), 1 << 30).unwrap()
    }

    pub async fn status(&self, id: &str) -> Value {
        self.get_json(&format!("/latest/ingest/{id}/status")).await
    }

    /// The job's status from a Boss with faults, which may meet this question as well.
    pub async fn status_at_last(&self, id: &str) -> Value {
        let start = Instant::now();
        loop {
            let answer = self.get(&format!("/latest/ingest/{id}/status")).send().await;
            if let Ok(answer) = answer.and_then(reqwest::Response::error_for_status) {
                return answer.json().await.unwrap();
            }
            assert!(start.elapsed() < PATIENCE, "the status is not told");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub async fn join(&self, id: &str) -> Value {
        self.get_json(&format!("/latest/ingest/{id}")).await
    }

    /// Messages of the job's upload queue: free ones, and those that some worker holds.
    pub async fn queue_counts(&self, id: &str) -> (u64, u64) {
        let joined = self.join(id).await;
        let key = |name: &str| joined["credentials"][name].as_str().unwrap();
        let body = json!({"QueueUrl": joined["ingest_job"]["upload_queue"], "AttributeNames": ["All"]});
        let request = Client::new().post(&self.origin).header("X-Amz-Target", "AmazonSQS.GetQueueAttributes");
        let request = request.header("Content-Type", "application/x-amz-json-1.0").body(body.to_string());
        let request = signed(request, "sqs", key("access_key"), key("secret_key"));
        let reply: Value = Client::new().execute(request).await.unwrap().json().await.unwrap();
        let count = |name: &str| reply["Attributes"][name].as_str().unwrap().parse().unwrap();
        (count("ApproximateNumberOfMessages"), count("ApproximateNumberOfMessagesNotVisible"))
    }

    /// Waits until a look at the job's status satisfies `wanted`.
    pub async fn wait_for_status(&self, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let start = Instant::now();
        loop {
            let status = self.status(id).await;
            if wanted(&status) {
                return status;
            }
            assert!(start.elapsed() < PATIENCE, "the job stays at {status}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for ServedBoss {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
