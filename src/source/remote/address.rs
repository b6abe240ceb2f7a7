//! URLs: which server or bucket, and which object there.

use std::borrow::Cow;
use std::fmt;

use object_store::path::Path;
use reqwest::Url;

use super::Trouble;
use super::boss::Asking;

/// Where an object is.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(in crate::source) struct Address {
    pub(super) scheme: Scheme,
    /// The server with its scheme, the bucket's name, or Azure's `container@account…`. May hold a password.
    pub(super) authority: String,
    /// What follows `?` in an http(s) URL: part of every request, and often a signature.
    pub(super) query: Option<String>,
    pub(super) path: Path,
    /// The URL ends in `/`.
    is_folder: bool,
}

/// How a store is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Scheme {
    Http,
    S3,
    Google,
    Azure,
    /// Over http(s), to the REST interface of a Boss.
    Boss(Asking),
}

/// How the hosts of Azure's accounts end.
const AZURE_HOST: &str = ".blob.core.windows.net";

/// Endings of the names of folders that are volumes.
const VOLUME_ENDINGS: [&str; 4] = ["zarr", "n5", "precomputed", "ng"];

impl Address {
    /// The address that a URL means; `None` for a scheme that is none of ours.
    ///
    /// # Errors
    /// For a URL that breaks the rules of its scheme.
    pub fn parse(url: &str) -> Option<Result<Self, Trouble>> {
        let (scheme, rest) = url.split_once("://")?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" | "https" => return Some(Self::of_http(url)),
            "s3" | "s3a" => Scheme::S3,
            "gs" | "gcs" => Scheme::Google,
            "az" | "azure" | "adl" | "abfs" | "abfss" => Scheme::Azure,
            _ => return None,
        };
        let (authority, key) = rest.split_once('/').unwrap_or((rest, ""));
        let authority = match scheme {
            Scheme::Azure if authority.contains('@') => format!("abfss://{authority}"),
            Scheme::Azure => format!("az://{authority}"),
            _ => authority.to_owned(),
        };
        // Keys stand in these URLs as they are: nothing in them is an escape.
        let path = Path::parse(key).map_err(|_| Trouble::BadUrl);
        Some(path.map(|path| Address { scheme, authority, query: None, path, is_folder: key.ends_with('/') }))
    }

    pub(super) fn of_http(url: &str) -> Result<Self, Trouble> {
        let url = Url::parse(url).map_err(|_| Trouble::BadUrl)?;
        let is_folder = url.path().ends_with('/');
        let query = url.query().map(str::to_owned);
        let mut server = url.clone();
        server.set_path("");
        server.set_query(None);
        server.set_fragment(None);
        let server = server.as_str().trim_end_matches('/');
        // With a signature of its own such a URL is asked for as it stands.
        let is_azure = query.is_none() && url.host_str().is_some_and(|host| host.ends_with(AZURE_HOST));
        let (scheme, authority, path) = match url.path()[1..].split_once('/') {
            Some((container, path)) if is_azure => (Scheme::Azure, format!("{server}/{container}"), path),
            _ => (Scheme::Http, server.to_owned(), url.path()),
        };
        let path = Path::from_url_path(path).map_err(|_| Trouble::BadUrl)?;
        Ok(Address { scheme, authority, query, path, is_folder })
    }

    /// The same without a path: what a store is made for.
    pub fn root(&self) -> Self {
        Address { path: Path::default(), is_folder: true, ..self.clone() }
    }

    /// An object by its path in this one, which is a folder.
    pub fn child(&self, path: &str) -> Self {
        // What stores do not take as a name, such as `..`, is turned into one that is not there.
        let path = Path::parse(path).unwrap_or_else(|_| Path::from(path));
        Address { path: self.path.parts().chain(path.parts()).collect(), is_folder: false, ..self.clone() }
    }

    /// An object by its path from the folder that this one is in.
    pub fn sibling(&self, path: &str) -> Self {
        let folder = self.path.as_ref().rsplit_once('/').map_or("", |(folder, _)| folder);
        let folder = Address { path: Path::parse(folder).unwrap_or_default(), ..self.clone() };
        folder.child(path)
    }

    pub(super) fn is_http(&self) -> bool {
        self.scheme == Scheme::Http
    }

    /// Whether a file may be meant, and no volume of many files.
    pub fn may_be_file(&self) -> bool {
        !self.is_folder
    }

    /// Whether a volume of many files is meant rather than a file: by its name.
    pub fn looks_like_volume(&self) -> bool {
        let ending = self.path.extension().map(str::to_ascii_lowercase);
        self.is_folder || ending.is_none_or(|ending| VOLUME_ENDINGS.contains(&ending.as_str()))
    }
}

/// Shows neither passwords nor signatures.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}/{}", self.scheme, shown(&self.authority), self.path)
    }
}

/// What messages show of a plan's path: of a URL neither the user's name and password nor what follows `?`, where signatures
/// stand.
pub(in crate::source) fn shown(path: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = path.split_once("://") else { return Cow::Borrowed(path) };
    if scheme.eq_ignore_ascii_case("precomputed") {
        return match shown(rest) {
            Cow::Borrowed(_) => Cow::Borrowed(path),
            Cow::Owned(rest) => Cow::Owned(format!("{scheme}://{rest}")),
        };
    }
    let word = scheme.rsplit(|letter: char| !letter.is_ascii_alphanumeric()).next().unwrap_or_default();
    if !word.to_ascii_lowercase().starts_with("http") {
        return Cow::Borrowed(path);
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (tail, dots) = tail.split_once('?').map_or((tail, ""), |(tail, _)| (tail, "?…"));
    if host.len() == authority.len() && dots.is_empty() {
        return Cow::Borrowed(path);
    }
    Cow::Owned(format!("{scheme}://{host}{tail}{dots}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(url: &str) -> Address {
        Address::parse(url).unwrap().unwrap()
    }

    #[test]
    fn urls_name_a_store_and_an_object() {
        use Scheme::{Azure, Google, Http, S3};
        let cases = [
            ("https://a.org/x/b%20c.png", Http, "https://a.org", "x/b c.png"),
            ("HTTP://a.org:81/", Http, "http://a.org:81", ""),
            ("https://me:word@a.org/b?sig=1", Http, "https://me:word@a.org", "b"),
            ("s3://bucket/a%20b/c#1?.tif", S3, "bucket", "a%20b/c#1?.tif"),
            ("s3a://bucket", S3, "bucket", ""),
            ("gs://bucket/vol/", Google, "bucket", "vol"),
            ("az://container/a", Azure, "az://container", "a"),
            ("abfs://c@account.dfs.core.windows.net/a", Azure, "abfss://c@account.dfs.core.windows.net", "a"),
            ("https://account.blob.core.windows.net/c/a/b", Azure, "https://account.blob.core.windows.net/c", "a/b"),
            ("https://account.blob.core.windows.net/c/a?sig=1", Http, "https://account.blob.core.windows.net", "c/a"),
        ];
        for (url, scheme, authority, path) in cases {
            let Address { scheme: is, authority: at, path: of, .. } = parsed(url);
            assert_eq!((is, at.as_str(), of.as_ref()), (scheme, authority, path), "{url}");
        }
        assert!(Address::parse("ftp://a.org/b").is_none());
        assert!(Address::parse("https://a.org/b//c").unwrap().is_err());
    }

    #[test]
    fn volumes_are_told_from_files_by_name() {
        let cases =
            [("https://a.org/v", true), ("s3://b/v.zarr", true), ("s3://b/v.x/", true), ("s3://b/s1.png", false)];
        for (url, is_volume) in cases {
            assert_eq!(parsed(url).looks_like_volume(), is_volume, "{url}");
        }
        assert_eq!(parsed("s3://b/v/").child("0/1").path.as_ref(), "v/0/1");
        assert_eq!(parsed("s3://b/v/s.hdr").sibling("s.img").path.as_ref(), "v/s.img");
        assert_eq!(parsed("s3://b/s.hdr").sibling("s.img").path.as_ref(), "s.img");
    }

    #[test]
    fn secrets_are_not_shown() {
        let cases = [
            ("https://a.org/b.png", "https://a.org/b.png"),
            ("https://a.org/b.png?X-Amz-Signature=12", "https://a.org/b.png?…"),
            ("precomputed://https://me:word@a.org/b?sig=3", "precomputed://https://a.org/b?…"),
            ("s3://bucket/what?.png", "s3://bucket/what?.png"),
            ("abfs://c@account.dfs.core.windows.net/a", "abfs://c@account.dfs.core.windows.net/a"),
            ("folder/what?.png", "folder/what?.png"),
        ];
        for (path, expected) in cases {
            assert_eq!(shown(path), expected);
        }
        let address = format!("{:?}", parsed("https://me:word@a.org/b?sig=123"));
        assert_eq!(address, "Http https://a.org/b");
    }
}
