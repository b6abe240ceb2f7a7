//! The servers that the recorded cases speak to: CATMAID's tiles, and a bucket.

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::sync::OnceLock;
use std::time::Duration;

use boss_ingest::source::RemoteSettings;
use tempfile::TempDir;

use super::case;
use crate::support::web::{Fault, Web};

static ELSEWHERE: OnceLock<(Web, TempDir)> = OnceLock::new();

/// The server's own folder has the names that the cases ask for: `/0/` with the tiles, and the bucket, as S3 has it where
/// buckets are part of the path.
fn web() -> &'static Web {
    let start = || {
        let folder = tempfile::tempdir().unwrap();
        let inputs = case::folder().join("inputs");
        symlink(inputs.join("catmaid/url"), folder.path().join("0")).unwrap();
        symlink(inputs.join("s3/mybucket"), folder.path().join("mybucket")).unwrap();
        let web = Web::serve(folder.path(), Duration::ZERO);
        web.fail("/0/3/0/0.png", Fault::Status(403), usize::MAX);
        web.fail("/0/3/1/2.png", Fault::Status(503), 3);
        (web, folder)
    };
    &ELSEWHERE.get_or_init(start).0
}

/// What stands in the cases as `http://HOST`.
pub fn origin() -> String {
    web().origin.clone()
}

/// Finds the bucket on our server.
pub fn settings() -> RemoteSettings {
    let variables = [
        ("AWS_ENDPOINT_URL_S3", web().origin.as_str()),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ];
    let variables: BTreeMap<_, _> =
        variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    RemoteSettings { variables, ..RemoteSettings::default() }
}
