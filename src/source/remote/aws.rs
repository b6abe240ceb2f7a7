//! S3 buckets: credentials and regions, as Amazon's own programs find them.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use object_store::ClientOptions;
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey, resolve_bucket_region};

use super::http::Connector;
use super::store::{keys, machine_says};
use super::{RemoteSettings, Trouble, runtime};

/// Opens a bucket. Its region is asked for, once, unless an endpoint is set: public data rarely lies in the user's own region.
pub(super) fn open(bucket: &str, options: ClientOptions, settings: &RemoteSettings) -> Result<AmazonS3, Trouble> {
    let mut builder = AmazonS3Builder::new();
    for (key, value) in keys::<AmazonS3ConfigKey>(settings, "AWS_") {
        builder = builder.with_config(key, value);
    }
    let profile = profile(settings);
    let of_profile = |name: &str| profile.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let is_set = |names: &[&str]| names.iter().any(|name| settings.variable(name).is_some());
    let has_own = is_set(&["AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE"]);
    let pair = (of_profile("aws_access_key_id"), of_profile("aws_secret_access_key"));
    match pair {
        _ if has_own => {}
        (Some(id), Some(key)) => {
            builder = builder.with_access_key_id(id).with_secret_access_key(key);
            if let Some(token) = of_profile("aws_session_token") {
                builder = builder.with_token(token);
            }
        }
        _ => {
            let in_container =
                is_set(&["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"]);
            let on_machine = machine_says("sys_vendor", "Amazon EC2")
                && settings.variable("AWS_EC2_METADATA_DISABLED").is_none_or(|word| !word.eq_ignore_ascii_case("true"));
            builder = builder.with_skip_signature(!in_container && !on_machine);
        }
    }
    let has_endpoint = is_set(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"]);
    if let (false, Some(endpoint)) = (has_endpoint, of_profile("endpoint_url")) {
        builder = builder.with_endpoint(endpoint);
    } else if !has_endpoint && let Some(region) = region_of(bucket, &options) {
        builder = builder.with_region(region);
    } else if !is_set(&["AWS_REGION", "AWS_DEFAULT_REGION"])
        && let Some(region) = of_profile("region")
    {
        builder = builder.with_region(region);
    }
    let store = builder
        .with_bucket_name(bucket)
        .with_client_options(options)
        .with_retry(settings.retry_config())
        .with_http_connector(Connector);
    Ok(store.build()?)
}

/// Where Amazon says that the bucket lies; `None` where it cannot be asked.
fn region_of(bucket: &str, options: &ClientOptions) -> Option<String> {
    let (bucket, options) = (bucket.to_owned(), options.clone());
    runtime::wait(async move { Ok(resolve_bucket_region(&bucket, &options).await?) }).ok()
}

/// What `~/.aws/config` and `~/.aws/credentials` say of the profile in use; the second wins
/// (<https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-files.html>).
fn profile(settings: &RemoteSettings) -> BTreeMap<String, String> {
    let name = settings.variable("AWS_PROFILE").unwrap_or("default");
    let file = |variable: &str, usual: &str| match (settings.variable(variable), settings.variable("HOME")) {
        (Some(file), _) => Some(PathBuf::from(file)),
        (None, home) => home.map(|home| PathBuf::from(home).join(".aws").join(usual)),
    };
    let text = |file: Option<PathBuf>| file.and_then(|file| fs::read_to_string(file).ok()).unwrap_or_default();
    let config = text(file("AWS_CONFIG_FILE", "config"));
    let credentials = text(file("AWS_SHARED_CREDENTIALS_FILE", "credentials"));
    let mut values = section(&config, &[&format!("profile {name}"), name]);
    values.extend(section(&credentials, &[name]));
    values
}

/// The values of the sections of these names.
fn section(text: &str, names: &[&str]) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    let mut is_inside = false;
    for line in text.lines() {
        let trimmed = line.trim();
        if let Some(name) = trimmed.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(name, _)| name.trim())
        {
            is_inside = names.contains(&name);
        } else if is_inside
            && !trimmed.starts_with(['#', ';'])
            // Lines that are indented belong to a nested table, such as `s3 =`.
            && !line.starts_with([' ', '\t'])
            && let Some((name, value)) = trimmed.split_once('=')
        {
            values.insert(name.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_read_from_both_files() {
        let folder = tempfile::tempdir().unwrap();
        let [config, credentials] = ["config", "credentials"].map(|name| folder.path().join(name));
        let text = "[default]\nregion = eu-west-1\n[profile lab]\nregion=us-east-2\n# no = line\ns3 =\n  region = x\n";
        fs::write(&config, text).unwrap();
        let text = "[default]\naws_access_key_id = A\n[lab]\naws_access_key_id = B\naws_secret_access_key = b=/+\n";
        fs::write(&credentials, text).unwrap();
        let variables = |profile: &str| {
            let file = |file: &PathBuf| file.display().to_string();
            let pairs = [
                ("AWS_CONFIG_FILE", file(&config)),
                ("AWS_SHARED_CREDENTIALS_FILE", file(&credentials)),
                ("AWS_PROFILE", profile.to_owned()),
            ];
            pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
        };
        let of = |name: &str| profile(&RemoteSettings { variables: variables(name), ..RemoteSettings::default() });
        assert_eq!(of("")["region"], "eu-west-1");
        let lab = of("lab");
        assert_eq!(
            (&*lab["region"], &*lab["aws_access_key_id"], &*lab["aws_secret_access_key"]),
            ("us-east-2", "B", "b=/+")
        );
    }
}
