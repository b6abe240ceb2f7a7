//! DeleteMessage and DeleteMessageBatch.

use super::error::SqsError;
use super::receive::read_receipt;
use super::{Entry, Reply, Target, check_batch};
use crate::server::site::Site;
use crate::server::store::queue::{self, Receipt};

pub async fn one(site: &Site, target: &Target, receipt: &str) -> Result<Reply, SqsError> {
    delete(site, target.queue, vec![read_receipt(receipt)?]).await?;
    Ok(Reply::Deleted)
}

pub async fn batch(site: &Site, target: &Target, entries: Vec<Entry>) -> Result<Reply, SqsError> {
    check_batch(&entries)?;
    let read: Vec<_> = entries.into_iter().map(|entry| (entry.id, read_receipt(&entry.text))).collect();
    let good = read.iter().filter_map(|(_, receipt)| receipt.as_ref().ok().copied()).collect();
    delete(site, target.queue, good).await?;
    Ok(Reply::DeletedBatch(read.into_iter().map(|(id, receipt)| (id, receipt.map(drop))).collect()))
}

async fn delete(site: &Site, queue: i64, receipts: Vec<Receipt>) -> Result<(), SqsError> {
    let delete = move |connection: &rusqlite::Connection| {
        receipts.into_iter().try_for_each(|receipt| queue::delete(connection, queue, receipt))
    };
    Ok(site.store.write(delete).await?)
}
