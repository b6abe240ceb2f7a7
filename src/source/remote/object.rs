//! One object: what it is, and its bytes.

use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::StatusCode;
use object_store::{Attribute, GetOptions, GetRange, ListResult, ObjectMeta, ObjectStoreExt};

use super::http::Refusal;
use super::store::Store;
use super::{Address, Remotes, Trouble, runtime};

/// The parts in which objects are kept, in bytes. A round trip of 50 ms is the time of some 500 kB at 10 MB a second; most
/// headers and many a section are shorter.
pub(super) const PAGE_BYTES: u64 = 256 << 10;

/// The largest object that is taken whole for a part of it, from servers that give no parts.
const MOST_WHOLE: u64 = 256 << 20;

/// How often an answer that was cut is asked for anew, besides `object_store`'s own tries, which need an `ETag`.
const TRIES: u32 = 4;

/// An object, or a folder of such. Cheap to copy.
#[derive(Clone)]
pub(in crate::source) struct RemoteObject {
    pub(super) remotes: Arc<Remotes>,
    pub(super) store: Arc<Store>,
    pub address: Address,
}

/// What is told of an object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::source) struct Stat {
    pub bytes: u64,
    pub modified: Option<SystemTime>,
    /// Changes with its content; not every server has one.
    pub etag: Option<Arc<str>>,
}

/// What was learned of an object.
pub(super) enum Known {
    There(Stat),
    Absent,
    Denied(Refusal),
}

/// Which part of which content of which object.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct PageKey {
    address: Address,
    stat: Stat,
    /// `None` for the whole.
    page: Option<u64>,
}

/// The bytes of an answer, and how they are packed.
pub(super) struct Answer {
    pub bytes: Bytes,
    pub encoding: Option<String>,
    stat: Stat,
}

impl PartialEq for RemoteObject {
    fn eq(&self, other: &Self) -> bool {
        self.address == other.address
    }
}

impl Eq for RemoteObject {}

impl Hash for RemoteObject {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.address.hash(state);
    }
}

impl std::fmt::Debug for RemoteObject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.address.fmt(f)
    }
}

impl RemoteObject {
    /// An object in this folder.
    pub fn child(&self, path: &str) -> Self {
        RemoteObject { address: self.address.child(path), ..self.clone() }
    }

    /// An object by its path from the folder that this one is in.
    pub fn sibling(&self, path: &str) -> Self {
        RemoteObject { address: self.address.sibling(path), ..self.clone() }
    }

    /// The object's name in its folder.
    pub fn name(&self) -> &str {
        self.address.path.filename().unwrap_or_default()
    }

    /// What the object is; `None` where there is none. Is believed for a while.
    pub fn stat(&self) -> Result<Option<Stat>, Trouble> {
        let key = (self.address.clone(), self.remotes.span());
        let known = self.remotes.known.get(&key, || {
            let known = match self.look() {
                Ok(stat) => Known::There(stat),
                Err(Trouble::Absent) => Known::Absent,
                Err(Trouble::Denied(refusal)) => Known::Denied(refusal),
                Err(trouble) => return Err(trouble),
            };
            Ok((Arc::new(known), 1))
        })?;
        match &*known {
            Known::There(stat) => Ok(Some(stat.clone())),
            Known::Absent => Ok(None),
            Known::Denied(refusal) => Err(Trouble::Denied(refusal.clone())),
        }
    }

    /// Asks for the head. Where that is refused, or tells no length, one byte is asked for: some servers sign or allow only
    /// `GET`, and only its answer has a text that says why.
    fn look(&self) -> Result<Stat, Trouble> {
        let (store, path) = (Arc::clone(&self.store), self.address.path.clone());
        let head = runtime::wait(async move { Ok(stat_of(&store.objects.head(&path).await?)) });
        match head {
            Err(Trouble::Denied(_) | Trouble::Refused(_) | Trouble::Other(_)) | Ok(Stat { bytes: 0, .. }) => {}
            head => return head,
        }
        match self.request(Some(0..1), u64::MAX) {
            Ok(answer) => Ok(answer.stat),
            Err(Trouble::TooShort(_)) => Ok(Stat { bytes: 0, modified: None, etag: None }),
            Err(Trouble::NoParts) => self.request(None, MOST_WHOLE).map(|answer| answer.stat),
            Err(trouble) => Err(trouble),
        }
    }

    /// Whether the server gives parts of objects, as far as is known.
    pub(super) fn has_parts(&self) -> bool {
        self.store.has_parts()
    }

    /// The object, or a part of it, of which nothing is known yet.
    pub(super) fn get(&self, range: Option<Range<u64>>, most_bytes: u64) -> Result<Answer, Trouble> {
        let Some(range) = range else { return self.request(None, most_bytes) };
        if self.has_parts() {
            match self.request(Some(range.clone()), most_bytes) {
                Err(Trouble::NoParts) => self.store.has_no_parts(),
                answer => return answer,
            }
        }
        let whole = self.request(None, MOST_WHOLE)?;
        if range.end > whole.bytes.len() as u64 {
            return Err(Trouble::TooShort(range.end));
        }
        Ok(Answer { bytes: whole.bytes.slice(range.start as usize..range.end as usize), ..whole })
    }

    /// The whole object, of which nothing is known yet and nothing kept.
    pub(super) fn fresh(&self, most_bytes: u64) -> Result<Bytes, Trouble> {
        self.request(None, most_bytes).map(|answer| answer.bytes)
    }

    /// The whole of the object that was found.
    pub fn content(&self, stat: &Stat) -> Result<Bytes, Trouble> {
        if stat.bytes <= PAGE_BYTES {
            return Ok((*self.page(stat, 0)?).clone());
        }
        stat.check(self.request(None, stat.bytes))
    }

    /// A page of the object that was found, which is kept for the next who wants it.
    pub(super) fn page(&self, stat: &Stat, page: u64) -> Result<Arc<Bytes>, Trouble> {
        let key = PageKey { address: self.address.clone(), stat: stat.clone(), page: Some(page) };
        self.remotes.pages.get(&key, || {
            let start = page.saturating_mul(PAGE_BYTES);
            let bytes = self.part(stat, start..stat.bytes.min(start.saturating_add(PAGE_BYTES)))?;
            let weight = bytes.len() as u64;
            Ok((Arc::new(bytes), weight))
        })
    }

    /// A part of the object that was found, which must not be larger than memory allows.
    pub(super) fn part(&self, stat: &Stat, range: Range<u64>) -> Result<Bytes, Trouble> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let asked = if range == (0..stat.bytes) { None } else { Some(range.clone()) };
        if asked.is_none() || self.has_parts() {
            match self.request(asked, range.end - range.start) {
                Err(Trouble::NoParts) => self.store.has_no_parts(),
                answer => return stat.check(answer),
            }
        }
        let whole = self.kept_whole(stat)?;
        if range.end > whole.len() as u64 {
            return Err(Trouble::TooShort(range.end));
        }
        Ok(whole.slice(range.start as usize..range.end as usize))
    }

    /// The whole object for a part of it, kept as long as there is room, or somebody holds it.
    pub(super) fn kept_whole(&self, stat: &Stat) -> Result<Arc<Bytes>, Trouble> {
        if stat.bytes > MOST_WHOLE {
            return Err(Trouble::NoParts);
        }
        let key = PageKey { address: self.address.clone(), stat: stat.clone(), page: None };
        self.remotes.pages.get(&key, || {
            let bytes = stat.check(self.request(None, stat.bytes))?;
            let weight = bytes.len() as u64;
            Ok((Arc::new(bytes), weight))
        })
    }

    /// Asks for the object, or a part of it, until the whole answer has come.
    fn request(&self, range: Option<Range<u64>>, most_bytes: u64) -> Result<Answer, Trouble> {
        let (store, path) = (Arc::clone(&self.store), self.address.path.clone());
        runtime::wait(async move {
            let mut tries = 1;
            loop {
                match request(&store, &path, range.clone(), most_bytes).await {
                    Err(Trouble::Cut(_)) if tries < TRIES => {
                        let most = Duration::from_millis(100 << tries);
                        tokio::time::sleep(most.mul_f64(fastrand::f64())).await;
                        tries += 1;
                    }
                    answer => return answer,
                }
            }
        })
    }

    /// The names of what lies directly in this folder.
    pub fn list(&self) -> Result<Vec<String>, Trouble> {
        let listed = self.listed()?;
        let objects = listed.objects.iter().map(|object| &object.location);
        let names: Vec<String> =
            objects.chain(&listed.common_prefixes).filter_map(|path| path.filename().map(str::to_owned)).collect();
        if names.is_empty() { Err(Trouble::Absent) } else { Ok(names) }
    }

    /// The names of the folders directly in this folder, in order; none where there is no such folder.
    pub fn folders(&self) -> Result<Vec<String>, Trouble> {
        let folders = self.listed()?.common_prefixes;
        let mut names: Vec<String> = folders.iter().filter_map(|path| path.filename().map(str::to_owned)).collect();
        names.sort();
        Ok(names)
    }

    fn listed(&self) -> Result<ListResult, Trouble> {
        let (store, path) = (Arc::clone(&self.store), self.address.path.clone());
        match runtime::wait(async move { Ok(store.objects.list_with_delimiter(Some(&path)).await?) }) {
            // A server that is no WebDAV server does not know the question, or how to answer it.
            Err(Trouble::Refused(_) | Trouble::Other(_)) if self.address.is_http() => Err(Trouble::NoList),
            listed => listed,
        }
    }
}

async fn request(
    store: &Store,
    path: &object_store::path::Path,
    range: Option<Range<u64>>,
    most_bytes: u64,
) -> Result<Answer, Trouble> {
    let options = GetOptions { range: range.clone().map(GetRange::Bounded), ..GetOptions::default() };
    let got = store.objects.get_opts(path, options).await.map_err(Trouble::from);
    let got = got.map_err(|trouble| match (trouble, &range) {
        (Trouble::Refused(Refusal { status: StatusCode::RANGE_NOT_SATISFIABLE, .. }), Some(range)) => {
            Trouble::TooShort(range.end)
        }
        (trouble, _) => trouble,
    })?;
    let length = got.range.end - got.range.start;
    if let Some(range) = range
        && range.end > got.range.end
    {
        return Err(Trouble::TooShort(range.end));
    }
    if length > most_bytes {
        return Err(Trouble::TooLarge(most_bytes));
    }
    let encoding = got.attributes.get(&Attribute::ContentEncoding).map(|value| value.to_string());
    let stat = stat_of(&got.meta);
    let bytes = got.bytes().await?;
    if bytes.len() as u64 != length {
        return Err(Trouble::Cut(format!("{} of {length} bytes came", bytes.len())));
    }
    Ok(Answer { bytes, encoding, stat })
}

impl Stat {
    /// The bytes of an answer, if it is of the object that was found.
    fn check(&self, answer: Result<Answer, Trouble>) -> Result<Bytes, Trouble> {
        let Answer { bytes, stat, .. } = answer.map_err(|trouble| match trouble {
            Trouble::TooShort(_) | Trouble::TooLarge(_) => Trouble::Changed,
            trouble => trouble,
        })?;
        let is_other_tag = matches!((&self.etag, &stat.etag), (Some(ours), Some(theirs)) if ours != theirs);
        if is_other_tag || stat.bytes != self.bytes { Err(Trouble::Changed) } else { Ok(bytes) }
    }
}

fn stat_of(meta: &ObjectMeta) -> Stat {
    // Servers that do not tell it have it at the epoch.
    let modified = SystemTime::from(meta.last_modified);
    Stat {
        bytes: meta.size,
        modified: Some(modified).filter(|time| *time != SystemTime::UNIX_EPOCH),
        etag: meta.e_tag.as_deref().map(Arc::from),
    }
}
