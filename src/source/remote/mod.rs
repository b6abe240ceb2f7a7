//! Objects behind URLs: http(s), S3, Google Cloud Storage, Azure; and what a Boss tells of its channels.
//!
//! What is shared by a job is here: one store for each server or bucket, with its connections; what was learned of objects; and
//! the parts of them that were read last. Requests, retries, signatures and credentials are `object_store`'s. Readers are
//! synchronous: they wait in [`runtime`] for requests that run on threads of their own. `docs/sources/remote.md` tells the rules.

mod address;
mod aws;
mod boss;
mod copy;
mod error;
mod folder;
mod http;
mod object;
mod runtime;
mod settings;
mod store;
mod stream;

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

pub(super) use address::{Address, shown};
pub use boss::BossSettings;
pub(super) use boss::{ChannelUrl, RemoteChannel, is_name};
use copy::Copies;
pub(super) use copy::LocalCopy;
pub(super) use error::Trouble;
pub(super) use folder::RemoteFolder;
use object::{Known, PageKey};
pub(super) use object::{RemoteObject, Stat};
pub use settings::RemoteSettings;
use store::Store;
pub(super) use stream::RemoteStream;

use super::cache::Cache;

/// Requests that are worth having in flight at once: each waits for a network far longer than it computes.
pub(super) const WIDTH: usize = 32;

/// The most that is kept of the parts of objects, in bytes.
const MOST_PAGE_BYTES: u64 = 32 << 20;

/// Objects of which it is remembered what they are.
const MOST_KNOWN: usize = 1 << 16;

/// The stores of a job, and what is remembered of their objects.
pub(super) struct Remotes {
    settings: RemoteSettings,
    started: Instant,
    stores: Cache<Address, Store>,
    known: Cache<(Address, u64), Known>,
    pages: Cache<PageKey, Bytes>,
    copies: Copies,
}

impl Remotes {
    /// Parts of objects take at most a fixed amount of memory, and `most_bytes`.
    pub fn new(settings: RemoteSettings, most_bytes: u64) -> Arc<Self> {
        Arc::new(Remotes {
            settings,
            started: Instant::now(),
            stores: Cache::new(u64::MAX, 1024),
            known: Cache::new(u64::MAX, MOST_KNOWN),
            pages: Cache::new(MOST_PAGE_BYTES.min(most_bytes), usize::MAX),
            copies: Copies::default(),
        })
    }

    /// The object of an address. Asks for nothing but, once for each S3 bucket, its region.
    pub fn object(self: &Arc<Self>, address: Address) -> Result<RemoteObject, Trouble> {
        let root = address.root();
        let store = self.stores.get(&root, || Ok::<_, Trouble>((Arc::new(Store::open(&root, &self.settings)?), 1)))?;
        Ok(RemoteObject { remotes: Arc::clone(self), store, address })
    }

    /// The span of time that it is now: what is learned of an object in one is not believed in the next.
    fn span(&self) -> u64 {
        let length = self.settings.remember_for.as_millis().max(1);
        u64::try_from(self.started.elapsed().as_millis() / length).unwrap_or(u64::MAX)
    }
}
