//! The servers that the recorded cases speak to: CATMAID's tiles, a bucket, and a Boss.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use boss_ingest::codec::{self, BloscSettings};
use boss_ingest::source::{BossSettings, RemoteSettings};
use boss_ingest::volume::Dtype;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::case;
use crate::support::voxels_of;
use crate::support::web::{Fault, Web};

static ELSEWHERE: OnceLock<(Web, TempDir)> = OnceLock::new();

/// Cases of a Boss that fails; each has a Boss of its own, by the first part of its URL.
const FAILING: [&str; 2] = ["intern-tile-retry", "intern-tile-fail5"];

/// All of the channel of the cases: one cutout is asked for, in which every case finds its voxels.
const CUTOUT: &str = "cutout/c/e/ch/0/0:70/0:60/0:10";

/// The server's own folder has the names that the cases ask for: `/0/` with the tiles, and the bucket, as S3 has it where
/// buckets are part of the path; `/v1/` with what a Boss tells of a channel, and the same for those that fail.
fn web() -> &'static Web {
    let start = || {
        let folder = tempfile::tempdir().unwrap();
        let inputs = case::folder().join("inputs");
        symlink(inputs.join("catmaid/url"), folder.path().join("0")).unwrap();
        symlink(inputs.join("s3/mybucket"), folder.path().join("mybucket")).unwrap();
        write_channel(&folder.path().join("v1"));
        for case in FAILING {
            fs::create_dir(folder.path().join(case)).unwrap();
            symlink(folder.path().join("v1"), folder.path().join(case).join("v1")).unwrap();
        }
        let web = Web::serve(folder.path(), Duration::ZERO);
        web.fail("/0/3/0/0.png", Fault::Status(403), usize::MAX);
        web.fail("/0/3/1/2.png", Fault::Status(503), 3);
        web.fail(&format!("/intern-tile-retry/v1/{CUTOUT}"), Fault::Status(503), 3);
        web.fail(&format!("/intern-tile-fail5/v1/{CUTOUT}"), Fault::Status(503), usize::MAX);
        (web, folder)
    };
    &ELSEWHERE.get_or_init(start).0
}

/// What stands in the cases as `http://HOST`.
pub fn origin() -> String {
    web().origin.clone()
}

/// Writes the channel `c/e/ch` of `intern_volume.npy`.
fn write_channel(v1: &Path) {
    let write = |path: &str, bytes: &[u8]| {
        let path = v1.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    let tell = |path: &str, value: Value| write(&format!("{path}/index.json"), value.to_string().as_bytes());
    tell("collection/c/experiment/e/channel/ch", json!({"name": "ch", "datatype": "uint16", "base_resolution": 0}));
    let frame = json!({"x_start": 0, "x_stop": 70, "y_start": 0, "y_stop": 60, "z_start": 0, "z_stop": 10});
    tell("coord/f", frame);
    let experiment = json!({"coord_frame": "f", "num_hierarchy_levels": 1, "hierarchy_method": "anisotropic", "num_time_samples": 1});
    tell("collection/c/experiment/e", experiment);
    let voxels = voxels_of(&case::folder().join("inputs/intern_volume.npy"));
    write(CUTOUT, &codec::compress(&voxels, Dtype::Uint16, &BloscSettings::default()).unwrap());
}

/// Finds the bucket and the Boss of a case on our server.
pub fn settings(case: &str) -> RemoteSettings {
    let failing = FAILING.iter().find(|failing| **failing == case).map(|case| format!("/{case}"));
    let boss = BossSettings { url: format!("{}{}", origin(), failing.unwrap_or_default()), token: None };
    let variables = [
        ("AWS_ENDPOINT_URL_S3", web().origin.as_str()),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ];
    let variables: BTreeMap<_, _> =
        variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    // As often as the Python client tries.
    RemoteSettings { variables, boss, retries: 4, ..RemoteSettings::default() }
}
