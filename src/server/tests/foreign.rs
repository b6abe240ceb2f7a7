//! The same server, judged by boto3, requests and python-blosc.

use std::process::Command;

use super::*;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/foreign/check_server_boto3.py");

#[tokio::test(flavor = "multi_thread")]
async fn boto3_and_python_blosc_finish_jobs() {
    let has_modules = Command::new("python3").args(["-c", "import boto3, blosc, numpy, PIL, requests"]).output();
    if !has_modules.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: python3 with boto3, blosc, numpy, Pillow and requests is not installed");
        return;
    }
    let boss = Boss::quick().await;
    let (origin, token) = (boss.server.origin(), boss.server.token().to_owned());
    let run = move || Command::new("python3").args([SCRIPT, &origin, &token]).output();
    let output = tokio::task::spawn_blocking(run).await.unwrap().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    assert!(out.contains("every voxel is right"), "{out}");
}
