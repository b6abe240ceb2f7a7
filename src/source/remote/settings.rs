//! How long servers are waited for, and what the environment says of them.

use std::collections::BTreeMap;
use std::time::Duration;

use object_store::{BackoffConfig, ClientOptions, RetryConfig};

use super::BossSettings;

/// How remote sources are asked for.
#[derive(Clone)]
pub struct RemoteSettings {
    /// The most that a connection may take to be made.
    pub connect_timeout: Duration,
    /// The most that a server may be silent in the middle of an answer.
    pub read_timeout: Duration,
    /// The most that one request may take, its whole answer with it.
    pub request_timeout: Duration,
    /// How often a request is tried again, and for how long after it was first made.
    pub retries: usize,
    pub retry_for: Duration,
    /// How long it is believed what an object is. A task looks its source up several times, and many tasks share one: each
    /// look-up would cost a round trip. An object that was mended is seen as soon as this has passed.
    pub remember_for: Duration,
    /// The environment, in which the clouds' programs look for credentials, regions and endpoints.
    pub variables: BTreeMap<String, String>,
    /// Whose channels `bossdb://` means.
    pub boss: BossSettings,
}

impl Default for RemoteSettings {
    fn default() -> Self {
        let variables = std::env::vars_os();
        RemoteSettings {
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
            request_timeout: Duration::from_secs(300),
            retries: 7,
            retry_for: Duration::from_secs(120),
            remember_for: Duration::from_secs(60),
            variables: variables
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
                .collect(),
            boss: BossSettings::default(),
        }
    }
}

impl RemoteSettings {
    /// A variable that is set and not empty.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Plain http is for servers on the same machine or network, as a plan or `AWS_ENDPOINT_URL` names them. Proxies are
    /// found by `reqwest` in the environment.
    pub(super) fn client_options(&self) -> ClientOptions {
        let agent = concat!("boss-ingest/", env!("CARGO_PKG_VERSION"));
        ClientOptions::new()
            .with_allow_http(true)
            .with_user_agent(::http::HeaderValue::from_static(agent))
            .with_connect_timeout(self.connect_timeout)
            .with_read_timeout(self.read_timeout)
            .with_timeout(self.request_timeout)
            .with_pool_max_idle_per_host(super::WIDTH)
    }

    pub(super) fn retry_config(&self) -> RetryConfig {
        RetryConfig {
            backoff: BackoffConfig {
                init_backoff: Duration::from_millis(100),
                max_backoff: Duration::from_secs(15),
                base: 3.,
            },
            max_retries: self.retries,
            retry_timeout: self.retry_for,
        }
    }
}
