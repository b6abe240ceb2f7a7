//! A Boss that answers with the files of a folder: `channel`, `experiment`, `frame` and `cutout`.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::thread;

/// The one channel that it has.
pub const CHANNEL: &str = "bossdb://c/e/ch";

static ORIGIN: OnceLock<String> = OnceLock::new();

/// Where the Boss of this process is, once it serves.
pub fn origin() -> Option<&'static str> {
    ORIGIN.get().map(String::as_str)
}

/// Serves the files of `folder`, as they are at each request, until the process ends.
pub fn serve(folder: &Path) {
    ORIGIN.get_or_init(|| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let origin = format!("http://{}", listener.local_addr().expect("it is bound"));
        let folder = folder.to_owned();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let folder = folder.clone();
                thread::spawn(move || answer_all(&stream, &folder));
            }
        });
        origin
    });
}

/// Answers one request after the other until the client goes away.
fn answer_all(mut stream: &TcpStream, folder: &Path) {
    let mut lines = BufReader::new(stream).lines();
    while let Some(Ok(first)) = lines.next() {
        while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
        let body = fs::read(file(folder, &first)).unwrap_or_default();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
        if stream.write_all(&[head.as_bytes(), &body].concat()).is_err() {
            return;
        }
    }
}

fn file(folder: &Path, request: &str) -> PathBuf {
    folder.join(match request {
        request if request.contains("/cutout/") => "cutout",
        request if request.contains("/channel/") => "channel",
        request if request.contains("/experiment/") => "experiment",
        _ => "frame",
    })
}
