//! Sources behind URLs, from servers that are far away, and from such as fail.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use boss_ingest::source::{MissingRule, Plan, ReadPlan, RemoteSettings, SourceError, Sources, Step, Target};
use boss_ingest::volume::{Block, Dtype, Region, Size, Span};

use crate::support::python;
use crate::support::web::{Fault, Web};

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

/// Waits for no more than a moment.
fn impatient() -> RemoteSettings {
    RemoteSettings {
        connect_timeout: Duration::from_millis(500),
        read_timeout: Duration::from_millis(300),
        request_timeout: Duration::from_secs(5),
        retries: 2,
        retry_for: Duration::from_secs(5),
        variables: BTreeMap::new(),
        ..RemoteSettings::default()
    }
}

fn sources() -> Sources {
    Sources::new(data(), 64 << 20).with_remote(impatient())
}

fn whole(path: &str) -> Plan {
    let mut plan = ReadPlan::new(path).with(Step::Whole);
    plan.fill = None;
    Plan::Read(plan)
}

/// All of a source.
fn read(sources: &Sources, path: &str) -> Result<Block, SourceError> {
    let info = sources.info(path)?;
    sources.read(&whole(path), &Target { size: info.size, dtype: info.dtype, required: Region::of_size(info.size) })
}

/// One section of `images/grey8.png`.
fn section() -> Target {
    let size = Size::new(61, 37, 1);
    Target { size, dtype: Dtype::Uint8, required: Region::of_size(size) }
}

fn chain(error: &SourceError) -> String {
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    [error.to_string()].into_iter().chain(causes.map(ToString::to_string)).collect::<Vec<_>>().join(": ")
}

#[test]
fn every_kind_of_source_has_the_same_voxels_over_http() {
    let web = Web::serve(&data(), Duration::from_millis(50));
    let (near, far) = (sources(), sources());
    let cases = [
        ("images/grey16.png", 4),
        ("images/smooth.jpg", 4),
        ("images/tiles_lzw_16_be.tif", 4),
        ("images/pages_16_be.tif", 4),
        ("precomputed/plain_mips", 60),
        ("precomputed/sharded_murmur", 300),
        ("zarr/v2_zstd", 60),
        ("zarr/v3_blosc", 60),
        ("zarr/shards", 80),
        ("n5/zstd", 60),
    ];
    for (path, most) in cases {
        let expected = read(&near, path).unwrap();
        web.take_asked();
        let start = Instant::now();
        let found = read(&far, &format!("{}/{path}", web.origin)).unwrap_or_else(|error| panic!("{}", chain(&error)));
        assert!(found == expected, "{path}");
        let asked = web.take_asked();
        let (took, requests) = (start.elapsed().as_millis(), asked.requests.len());
        println!("{path}: {requests} requests of 50 ms in {took} ms, up to {} at once", asked.peak);
        assert!(asked.requests.len() <= most, "{path}: {} requests: {:#?}", asked.requests.len(), asked.requests);
        if most > 10 {
            assert!(asked.peak > 1, "{path}: {asked:?}");
        }
        // What is known of an object is not asked again.
        read(&far, &format!("{}/{path}", web.origin)).unwrap();
        assert_eq!(web.take_asked().requests, Vec::<String>::new(), "{path}");
    }
}

#[test]
fn sections_of_a_stack_are_fetched_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    for z in 0..16 {
        std::fs::copy(data().join("images/grey8.png"), folder.path().join(format!("s{z}.png"))).unwrap();
    }
    let web = Web::serve(folder.path(), Duration::from_millis(50));
    let sections = (0..16).map(|z| ReadPlan::new(format!("{}/s{z}.png", web.origin)).with(Step::Whole)).collect();
    let plan = Plan::Stack { z: Span::new(0, 16), sections };
    let size = Size::new(61, 37, 16);
    let target = Target { size, dtype: Dtype::Uint8, required: Region::of_size(size) };
    let block = sources().read(&plan, &target).unwrap();
    let one = sources().read(&whole("images/grey8.png"), &section()).unwrap();
    assert!((0..16).all(|z| block.cut(&Region::of_size(one.size()).shift(0, 0, z)) == one));
    let asked = web.take_asked();
    assert!(asked.requests.len() <= 32 && asked.peak >= 8, "{asked:?}");
}

#[test]
fn what_servers_do_wrong_for_a_moment_is_survived() {
    let web = Web::serve(&data(), Duration::ZERO);
    let expected = read(&sources(), "images/grey16.png").unwrap();
    let elsewhere = format!("{}/images/grey16.png", web.origin);
    let cases = [
        ("500 once", Fault::Status(500), 1),
        ("503 twice", Fault::Status(503), 2),
        ("429 once", Fault::Status(429), 1),
        ("cut", Fault::Cut, 2),
        ("silent", Fault::Silent, 1),
        ("no HEAD", Fault::NoHead, 9),
        ("no parts", Fault::NoParts, 9),
        ("no length", Fault::NoLength, 9),
    ];
    for (what, fault, times) in cases {
        web.fail("grey16.png", fault, times);
        let found = read(&sources(), &elsewhere).unwrap_or_else(|error| panic!("{what}: {}", chain(&error)));
        assert!(found == expected, "{what}");
    }
    web.fail("moved.png", Fault::Redirect(elsewhere), 9);
    let found = read(&sources(), &format!("{}/moved.png", web.origin)).unwrap();
    assert!(found == expected, "redirect");
}

#[test]
fn what_is_wrong_for_good_is_told() {
    let web = Web::serve(&data(), Duration::ZERO);
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let url = |name: &str| format!("{}/{name}", web.origin);
    let cases = [
        (url("none.png"), None, "does not exist"),
        (url("a.png"), Some(Fault::Status(403)), "the server refuses access: 403 Forbidden"),
        (url("b.png"), Some(Fault::Status(401)), "the server refuses access: 401 Unauthorized"),
        (url("c.png"), Some(Fault::Code(403, "SignatureDoesNotMatch")), "403 Forbidden (SignatureDoesNotMatch)"),
        (url("d.png"), Some(Fault::Status(500)), "the server answers 500 Internal Server Error"),
        (url("e.png"), Some(Fault::Silent), "the server does not answer in time"),
        (format!("{closed}/a.png"), None, "no connection"),
        ("http://no.such.host.invalid/a.png".to_owned(), None, "no connection"),
        (url("a//b.png"), None, "the URL is not one that this program can ask for"),
    ];
    for (path, fault, expected) in cases {
        if let Some(fault) = fault {
            web.fail(path.rsplit('/').next().unwrap(), fault, usize::MAX);
        }
        let error = sources().read(&whole(&path), &section()).unwrap_err();
        assert!(chain(&error).contains(expected), "{path}: {}", chain(&error));
        assert!(error.hint().is_some());
    }
}

#[test]
fn secrets_in_urls_are_never_told() {
    let web = Web::serve(&data(), Duration::ZERO);
    let host = web.origin.trim_start_matches("http://");
    web.fail("a.png", Fault::Status(500), usize::MAX);
    web.fail("b.png", Fault::Status(403), usize::MAX);
    for name in ["a.png", "b.png", "none.png", "images/smooth.raw"] {
        let path = format!("http://me:topsecret@{host}/{name}?X-Amz-Signature=topsecret");
        let error = sources().read(&whole(&path), &section()).unwrap_err();
        let told = format!("{} {error:?} {:?} {:?}", chain(&error), error.path(), error.hint());
        assert!(!told.contains("topsecret") && told.contains(name), "{told}");
    }
    let path = format!("http://me:topsecret@{host}/images/grey8.png?X-Amz-Signature=topsecret");
    assert!(!format!("{:?}", sources().info(&path).unwrap()).contains("topsecret"));
}

#[test]
fn a_refusal_is_a_missing_section_only_where_sections_may_be_missing() {
    let web = Web::serve(&data(), Duration::ZERO);
    web.fail("a.png", Fault::Status(403), usize::MAX);
    web.fail("b.png", Fault::Code(403, "AccessDenied"), usize::MAX);
    web.fail("c.png", Fault::Code(403, "ExpiredToken"), usize::MAX);
    web.fail("d.png", Fault::Status(500), usize::MAX);
    for (name, may_lack) in [("none.png", true), ("a.png", true), ("b.png", true), ("c.png", false), ("d.png", false)] {
        let mut plan = ReadPlan::new(format!("{}/{name}", web.origin)).with(Step::Whole);
        assert!(sources().read(&Plan::Read(plan.clone()), &section()).is_err(), "{name}");
        plan.source.missing = MissingRule::Fill;
        let filled = sources().read(&Plan::Read(plan), &section());
        assert_eq!(filled.is_ok_and(|block| block.is_zero()), may_lack, "{name}");
    }
}

#[test]
fn an_object_that_changes_while_it_is_read_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("s.tif");
    std::fs::copy(data().join("images/tiles_lzw_16_be.tif"), &file).unwrap();
    let web = Web::serve(folder.path(), Duration::ZERO);
    let sources = sources();
    let path = format!("{}/s.tif", web.origin);
    assert!(sources.exists(&path).unwrap());
    std::fs::copy(data().join("images/tiles_deflate_16_le.tif"), &file).unwrap();
    let error = read(&sources, &path).unwrap_err();
    assert!(chain(&error).contains("the object changes while it is read"), "{}", chain(&error));
}

#[test]
fn chunks_that_come_packed_are_unpacked() {
    let folder = tempfile::tempdir().unwrap();
    let volume = data().join("precomputed/raw_uint8");
    std::fs::create_dir(folder.path().join("4_4_40")).unwrap();
    std::fs::copy(volume.join("info"), folder.path().join("info")).unwrap();
    let web = Web::serve(folder.path(), Duration::ZERO);
    for entry in std::fs::read_dir(volume.join("4_4_40")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let plain = name.strip_suffix(".gz").unwrap();
        std::fs::copy(volume.join("4_4_40").join(&name), folder.path().join("4_4_40").join(plain)).unwrap();
        web.fail(plain, Fault::Packed("gzip"), usize::MAX);
    }
    let found = read(&sources(), &web.origin).unwrap_or_else(|error| panic!("{}", chain(&error)));
    assert!(found == read(&sources(), "precomputed/raw_uint8").unwrap());
}

/// The variables of somebody who signs, for a store at `endpoint`.
fn signing(endpoint: &str) -> RemoteSettings {
    let variables =
        [("AWS_ENDPOINT_URL_S3", endpoint), ("AWS_ACCESS_KEY_ID", "key"), ("AWS_SECRET_ACCESS_KEY", "secret")];
    let variables = variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    RemoteSettings { variables: variables.collect(), read_timeout: Duration::from_secs(10), ..impatient() }
}

#[test]
fn buckets_are_read_and_listed() {
    // A folder is a bucket's name.
    let web = Web::serve(&data(), Duration::ZERO);
    let (near, far) = (sources(), Sources::new(data(), 64 << 20).with_remote(signing(&web.origin)));
    bucket_is_read(&near, &far, ["s3://images", "s3://precomputed", "s3://hdf5", "s3://zarr"]);
    let mut names = far.list("s3://precomputed/raw_uint8").unwrap();
    names.sort();
    let mut expected = near.list("precomputed/raw_uint8").unwrap();
    expected.sort();
    assert_eq!(names, expected);
    assert!(matches!(far.list("s3://precomputed/none"), Err(SourceError::NotFound { .. })));
    assert!(far.exists("s3://images/grey8.png").unwrap() && !far.exists("s3://images/none.png").unwrap());
    let error = far.list(&format!("{}/images", web.origin)).unwrap_err();
    assert!(chain(&error).contains("does not tell what lies in a folder"), "{}", chain(&error));
}

fn bucket_is_read(near: &Sources, far: &Sources, [images, volumes, hdf5, zarr]: [&str; 4]) {
    let cases = [
        ("images/grey16.png", format!("{images}/grey16.png")),
        ("images/tiles_lzw_16_be.tif", format!("{images}/tiles_lzw_16_be.tif")),
        ("precomputed/plain_mips", format!("{volumes}/plain_mips")),
        ("precomputed/sharded_murmur", format!("precomputed://{volumes}/sharded_murmur/")),
        ("hdf5/uint16.h5", format!("{hdf5}/uint16.h5")),
        ("zarr/v2_zstd", format!("{zarr}/v2_zstd")),
        ("zarr/shards", format!("{zarr}/shards")),
    ];
    for (path, url) in cases {
        let found = read(far, &url).unwrap_or_else(|error| panic!("{}", chain(&error)));
        assert!(found == read(near, path).unwrap(), "{url}");
    }
}

/// A judge that is not ours: moto's S3, until it is dropped.
struct Moto {
    endpoint: String,
    server: Child,
}

impl Moto {
    fn serve(python: &str, folder: &Path) -> Moto {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign/serve_s3.py");
        let mut command = Command::new(python);
        command.arg(script).arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = command.spawn().unwrap();
        let mut endpoint = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut endpoint).unwrap();
        Moto { endpoint: endpoint.trim().to_owned(), server }
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        self.server.kill().and_then(|()| self.server.wait()).ok();
    }
}

#[test]
fn motos_s3_is_read() {
    let Some(python) = python("boto3, moto") else { return };
    let moto = Moto::serve(&python, &data());
    let (near, far) = (sources(), Sources::new(data(), 64 << 20).with_remote(signing(&moto.endpoint)));
    let bucket = |folder: &str| format!("s3://microscopy/{folder}");
    let [images, volumes, hdf5, zarr] = ["images", "precomputed", "hdf5", "zarr"].map(bucket);
    bucket_is_read(&near, &far, [&images, &volumes, &hdf5, &zarr]);
    assert_eq!(far.list("s3://microscopy/precomputed/raw_uint8").unwrap().len(), 2);
    assert!(matches!(far.info("s3://microscopy/none.png"), Err(SourceError::NotFound { .. })));
    assert!(matches!(far.info("s3://nowhere/none.png"), Err(SourceError::NotFound { .. })));
}
