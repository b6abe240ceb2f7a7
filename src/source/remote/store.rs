//! The store behind an address: its kind, and with which credentials.
//!
//! Credentials are looked for where the clouds' own programs look; where there are none, requests are not signed, as public
//! data wants it. A machine's own role is asked for only on a machine of that cloud: elsewhere nobody answers, and waiting for
//! it would cost seconds.

use std::fs;
use std::path::Path as FilePath;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, HeaderMap, HeaderValue};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::http::HttpBuilder;
use object_store::{Certificate, ClientOptions, ObjectStore};
use reqwest::Url;

use super::address::Scheme;
use super::http::Connector;
use super::{Address, RemoteSettings, Trouble, aws};

/// One server or bucket.
pub(super) struct Store {
    pub objects: Box<dyn ObjectStore>,
    /// Whether it gives parts of objects, as far as is known.
    has_parts: AtomicBool,
}

impl Store {
    pub fn open(root: &Address, settings: &RemoteSettings) -> Result<Self, Trouble> {
        let options = with_authorities(settings.client_options(), settings)?;
        let objects: Box<dyn ObjectStore> = match root.scheme {
            Scheme::Http | Scheme::Boss(_) => http(root, options, settings)?,
            Scheme::S3 => Box::new(aws::open(&root.authority, options, settings)?),
            Scheme::Google => google(root, options, settings)?,
            Scheme::Azure => azure(root, options, settings)?,
        };
        Ok(Store { objects, has_parts: AtomicBool::new(true) })
    }

    pub fn has_parts(&self) -> bool {
        self.has_parts.load(Ordering::Relaxed)
    }

    pub fn has_no_parts(&self) {
        self.has_parts.store(false, Ordering::Relaxed);
    }
}

/// Besides the system's own certificate authorities those of `AWS_CA_BUNDLE`; `SSL_CERT_FILE` is seen to by `rustls`.
fn with_authorities(options: ClientOptions, settings: &RemoteSettings) -> Result<ClientOptions, Trouble> {
    let Some(file) = settings.variable("AWS_CA_BUNDLE") else { return Ok(options) };
    let pem = fs::read(file).map_err(|error| Trouble::Other(format!("AWS_CA_BUNDLE cannot be read: {error}")))?;
    Ok(Certificate::from_pem_bundle(&pem)?.into_iter().fold(options, ClientOptions::with_root_certificate))
}

fn http(root: &Address, options: ClientOptions, settings: &RemoteSettings) -> Result<Box<dyn ObjectStore>, Trouble> {
    let mut url = Url::parse(&root.authority).map_err(|_| Trouble::BadUrl)?;
    let mut headers = HeaderMap::new();
    if let Some(word) = basic(&url) {
        headers.insert(AUTHORIZATION, word);
    }
    if url.host_str().is_some_and(|host| host.ends_with("googleapis.com")) {
        headers.insert(ACCEPT_ENCODING, AS_STORED);
    }
    if let Scheme::Boss(asking) = root.scheme {
        headers.insert(AUTHORIZATION, settings.boss.authorization(asking.is_public));
        headers.insert(ACCEPT, asking.accept.header());
    }
    url.set_username("").and_then(|()| url.set_password(None)).map_err(|()| Trouble::BadUrl)?;
    url.set_query(root.query.as_deref());
    let store = HttpBuilder::new()
        .with_url(url)
        .with_client_options(options.with_default_headers(headers))
        .with_retry(settings.retry_config())
        .with_http_connector(Connector);
    Ok(Box::new(store.build()?))
}

/// Google unpacks what is stored packed, and then tells no length, for whoever does not say that he can do it himself
/// (<https://cloud.google.com/storage/docs/transcoding>).
const AS_STORED: HeaderValue = HeaderValue::from_static("gzip");

/// A URL's name and password, as a header (RFC 7617).
fn basic(url: &Url) -> Option<HeaderValue> {
    let password = url.password().unwrap_or_default();
    if url.username().is_empty() && password.is_empty() {
        return None;
    }
    let decoded = |text: &str| crate::source::location::percent_decoded(text);
    let pair = BASE64_STANDARD.encode(format!("{}:{}", decoded(url.username()), decoded(password)));
    let mut value = HeaderValue::from_str(&format!("Basic {pair}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn google(root: &Address, options: ClientOptions, settings: &RemoteSettings) -> Result<Box<dyn ObjectStore>, Trouble> {
    const CREDENTIALS: [&str; 5] = [
        "GOOGLE_APPLICATION_CREDENTIALS",
        "GOOGLE_SERVICE_ACCOUNT",
        "GOOGLE_SERVICE_ACCOUNT_PATH",
        "GOOGLE_SERVICE_ACCOUNT_KEY",
        "GOOGLE_BEARER_TOKEN",
    ];
    let defaults =
        |home: &str| FilePath::new(home).join(".config/gcloud/application_default_credentials.json").exists();
    let has_credentials = CREDENTIALS.iter().any(|name| settings.variable(name).is_some())
        || settings.variable("HOME").is_some_and(defaults)
        || machine_says("product_name", "Google");
    let mut builder = GoogleCloudStorageBuilder::new();
    for (key, value) in keys::<GoogleConfigKey>(settings, "GOOGLE_") {
        builder = builder.with_config(key, value);
    }
    if !has_credentials {
        builder = builder.with_skip_signature(true);
    }
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT_ENCODING, AS_STORED);
    let store = builder
        .with_bucket_name(&root.authority)
        .with_client_options(options.with_default_headers(headers))
        .with_retry(settings.retry_config())
        .with_http_connector(Connector);
    Ok(Box::new(store.build()?))
}

fn azure(root: &Address, options: ClientOptions, settings: &RemoteSettings) -> Result<Box<dyn ObjectStore>, Trouble> {
    const CREDENTIALS: [&str; 11] = [
        "AZURE_STORAGE_ACCOUNT_KEY",
        "AZURE_STORAGE_ACCESS_KEY",
        "AZURE_STORAGE_MASTER_KEY",
        "AZURE_STORAGE_SAS_KEY",
        "AZURE_STORAGE_SAS_TOKEN",
        "AZURE_STORAGE_TOKEN",
        "AZURE_STORAGE_CLIENT_SECRET",
        "AZURE_CLIENT_SECRET",
        "AZURE_FEDERATED_TOKEN_FILE",
        "AZURE_USE_AZURE_CLI",
        "AZURE_IDENTITY_ENDPOINT",
    ];
    let mut builder = MicrosoftAzureBuilder::new();
    for (key, value) in keys::<AzureConfigKey>(settings, "AZURE_") {
        builder = builder.with_config(key, value);
    }
    let is_in_azure = machine_says("chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77");
    if !CREDENTIALS.iter().any(|name| settings.variable(name).is_some()) && !is_in_azure {
        builder = builder.with_skip_signature(true);
    }
    let store = builder
        .with_url(format!("{}/", root.authority))
        .with_client_options(options)
        .with_retry(settings.retry_config())
        .with_http_connector(Connector);
    Ok(Box::new(store.build()?))
}

/// The variables that a store's builder knows, by their common beginning.
pub(super) fn keys<K: std::str::FromStr>(
    settings: &RemoteSettings,
    beginning: &str,
) -> impl Iterator<Item = (K, String)> {
    let known = settings.variables.iter().filter(move |(name, _)| name.starts_with(beginning));
    known.filter_map(|(name, value)| Some((name.to_ascii_lowercase().parse().ok()?, value.clone())))
}

/// Whether the firmware says that this machine is one of a cloud's.
pub(super) fn machine_says(what: &str, word: &str) -> bool {
    let file = FilePath::new("/sys/class/dmi/id").join(what);
    fs::read_to_string(file).is_ok_and(|text| text.contains(word))
}
