//! Channels of a Boss: what `bossdb://` means, and what is asked of the Boss's REST interface.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderValue;
use reqwest::Url;

use super::address::Scheme;
use super::{Address, RemoteObject, Remotes, Stat, Trouble};
use crate::volume::{Region, Span};

/// The Boss that is meant where a URL names no other, and the user's token.
#[derive(Clone)]
pub struct BossSettings {
    /// Such as `https://api.bossdb.io`.
    pub url: String,
    /// The whole value of `Authorization`; without, only public channels are read.
    pub token: Option<HeaderValue>,
}

impl Default for BossSettings {
    fn default() -> Self {
        BossSettings { url: PUBLIC_BOSS.to_owned(), token: None }
    }
}

/// What answers are to be, and in whose name they are asked for: what a store of a Boss is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Asking {
    pub accept: Accept,
    /// As everybody, with the token `public`.
    pub is_public: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Accept {
    Json,
    Blosc,
}

impl Accept {
    pub fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Accept::Json => "application/json",
            Accept::Blosc => "application/blosc",
        })
    }
}

impl BossSettings {
    /// The value of `Authorization`.
    pub(super) fn authorization(&self, is_public: bool) -> HeaderValue {
        let own = if is_public { None } else { self.token.clone() };
        own.unwrap_or_else(|| HeaderValue::from_static("Token public"))
    }
}

/// The Boss of all, which is meant unless another is named.
const PUBLIC_BOSS: &str = "https://api.bossdb.io";

/// The longest name of a collection, experiment, channel or coordinate frame.
const LONGEST_NAME: usize = 255;

/// The largest description that is read, in bytes.
const MOST_JSON: u64 = 16 << 20;

/// A channel, as a URL names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::source) struct ChannelUrl {
    /// Such as `http://127.0.0.1:8090`; `None` for the Boss of the settings.
    server: Option<String>,
    /// Collection, experiment and channel.
    names: [String; 3],
}

impl ChannelUrl {
    /// Reads `bossdb://collection/experiment/channel`, behind which `?host=…&protocol=http` may stand; `None` for another
    /// scheme.
    ///
    /// # Errors
    /// [`Trouble::BadChannel`] for anything else behind `bossdb://`.
    pub fn parse(url: &str) -> Option<Result<Self, Trouble>> {
        let (scheme, rest) = url.split_once("://")?;
        scheme.eq_ignore_ascii_case("bossdb").then(|| Self::parse_rest(rest).ok_or(Trouble::BadChannel))
    }

    fn parse_rest(rest: &str) -> Option<Self> {
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let names: Vec<String> = path.trim_end_matches('/').split('/').map(str::to_owned).collect();
        let names: [String; 3] = names.try_into().ok()?;
        if !names.iter().all(|name| is_name(name)) {
            return None;
        }
        let (mut host, mut protocol) = (None, None);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=')? {
                ("host", value) => host = Some(value),
                ("protocol", value @ ("http" | "https")) => protocol = Some(value),
                _ => return None,
            }
        }
        let server = match (host, protocol) {
            (Some(host), protocol) => Some(origin(protocol.unwrap_or("https"), host)?),
            (None, None) => None,
            (None, Some(_)) => return None,
        };
        Some(ChannelUrl { server, names })
    }
}

/// Whether the Boss lets something have such a name.
pub(in crate::source) fn is_name(text: &str) -> bool {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    (1..=LONGEST_NAME).contains(&text.len()) && is_plain
}

/// A server out of a host, which may have a port, and nothing else.
fn origin(protocol: &str, host: &str) -> Option<String> {
    let url = Url::parse(&format!("{protocol}://{host}")).ok()?;
    let is_plain = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let is_plain = is_plain && url.username().is_empty() && url.password().is_none();
    is_plain.then(|| url.origin().ascii_serialization())
}

/// A channel that its Boss tells of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::source) struct RemoteChannel {
    server: String,
    names: [String; 3],
    is_public: bool,
    /// The channel's own description.
    pub description: RemoteObject,
}

impl Remotes {
    /// Looks for a channel. Where the Boss does not know the user's token, or is none that the token is for, it is asked as
    /// everybody may.
    pub fn channel(self: &Arc<Self>, url: ChannelUrl) -> Result<(RemoteChannel, Stat), Trouble> {
        let ChannelUrl { server, names } = url;
        let own = self.settings.boss.url.trim_end_matches('/');
        let server = server.unwrap_or_else(|| own.to_owned());
        // A script may come from anybody, and may name any host.
        let is_trusted = server == own || server == PUBLIC_BOSS;
        let look = |is_public: bool| {
            let [c, e, ch] = &names;
            let asking = Asking { accept: Accept::Json, is_public };
            let path = format!("collection/{c}/experiment/{e}/channel/{ch}");
            let description = self.object(Address::of_boss(&server, asking, &path)?)?;
            let stat = description.stat().map_err(of_boss)?.ok_or(Trouble::Absent)?;
            let channel = RemoteChannel { server: server.clone(), names: names.clone(), is_public, description };
            Ok::<_, Trouble>((channel, stat))
        };
        match look(!is_trusted) {
            Err(trouble) if is_trusted && trouble.is_unknown_token() && self.settings.boss.token.is_some() => {
                look(true).map_err(|_| trouble)
            }
            found => found,
        }
    }
}

impl RemoteChannel {
    /// The channel's own description, that of its experiment, and that of a coordinate frame.
    pub fn channel(&self) -> Result<Bytes, Trouble> {
        self.description.fresh(MOST_JSON).map_err(of_boss)
    }

    pub fn experiment(&self) -> Result<Bytes, Trouble> {
        let [c, e, _] = &self.names;
        self.get(Accept::Json, &format!("collection/{c}/experiment/{e}"), MOST_JSON)
    }

    pub fn frame(&self, name: &str) -> Result<Bytes, Trouble> {
        self.get(Accept::Json, &format!("coord/{name}"), MOST_JSON)
    }

    /// The voxels of a box at a resolution, as one Blosc frame of `[z, y, x]`; at the time sample `time`, where there are
    /// several.
    pub fn cutout(&self, level: u64, region: &Region, time: Option<u64>, most_bytes: u64) -> Result<Bytes, Trouble> {
        let [c, e, ch] = &self.names;
        let range = |span: Span| format!("{}:{}", span.start, span.stop);
        let Region { x, y, z } = *region;
        let time = time.map_or(String::new(), |t| format!("/{t}:{}", t + 1));
        let path = format!("cutout/{c}/{e}/{ch}/{level}/{}/{}/{}{time}", range(x), range(y), range(z));
        self.get(Accept::Blosc, &path, most_bytes)
    }

    fn get(&self, accept: Accept, path: &str, most_bytes: u64) -> Result<Bytes, Trouble> {
        let address = Address::of_boss(&self.server, Asking { accept, is_public: self.is_public }, path)?;
        self.description.remotes.object(address)?.fresh(most_bytes).map_err(of_boss)
    }
}

impl Address {
    /// Something below `/v1/` of a Boss.
    fn of_boss(server: &str, asking: Asking, path: &str) -> Result<Self, Trouble> {
        let mut address = Self::of_http(&format!("{server}/v1/{path}"))?;
        address.scheme = Scheme::Boss(asking);
        // The Boss then takes no voxels from a cache that others may have written to since.
        address.query = (asking.accept == Accept::Blosc).then(|| "access-mode=no-cache".to_owned());
        Ok(address)
    }
}

/// A Boss refuses the token, never a bucket's credentials.
fn of_boss(trouble: Trouble) -> Trouble {
    match trouble {
        Trouble::Denied(refusal) => Trouble::BadToken(refusal),
        trouble => trouble,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_a_channel_and_perhaps_its_boss() {
        let server = |url: &str| ChannelUrl::parse(url).unwrap().unwrap().server;
        assert_eq!(server("bossdb://c/e/ch"), None);
        assert_eq!(server("BossDB://c-1/e_2/ch/"), None);
        assert_eq!(server("bossdb://c/e/ch?host=h.example").unwrap(), "https://h.example");
        assert_eq!(server("bossdb://c/e/ch?host=h.example:8090&protocol=http").unwrap(), "http://h.example:8090");
        assert_eq!(ChannelUrl::parse("bossdb://c/e/ch").unwrap().unwrap().names, ["c", "e", "ch"]);
        assert!(ChannelUrl::parse("boss://c/e/ch").is_none() && ChannelUrl::parse("c/e/ch").is_none());
    }

    #[test]
    fn what_names_no_channel_is_refused() {
        let bad = [
            "bossdb://c/e",
            "bossdb://c/e/ch/0",
            "bossdb://c//ch",
            "bossdb://c/../ch",
            "bossdb://c/e/ch%20",
            "bossdb://c/e/ch?host=",
            "bossdb://c/e/ch?host=u:p@h",
            "bossdb://c/e/ch?host=h/path",
            "bossdb://c/e/ch?host=h&protocol=ftp",
            "bossdb://c/e/ch?protocol=http",
            "bossdb://c/e/ch?token=abc",
        ];
        for url in bad {
            assert!(matches!(ChannelUrl::parse(url), Some(Err(Trouble::BadChannel))), "{url}");
        }
    }

    #[test]
    fn the_token_is_not_shown() {
        let mut token = HeaderValue::from_static("Token s3cr3t");
        token.set_sensitive(true);
        let boss = BossSettings { token: Some(token), ..BossSettings::default() };
        assert!(!format!("{:?}", boss.authorization(false)).contains("s3cr3t"));
        assert_eq!(boss.authorization(true), "Token public");
        assert_eq!(BossSettings::default().authorization(false), "Token public");
    }
}
