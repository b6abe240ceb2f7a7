//! The stage that puts a task's objects into the job's bucket.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::clock::Clock;
use super::pipeline::Stage;
use super::task::{Compressed, Object, Ticket, Uploaded};
use super::triage::{Failed, TaskError};
use crate::boss::{BossError, Session};
use crate::protocol::{CuboidMetadata, META_JSON, META_MESSAGE_ID, META_RECEIPT_HANDLE, TileMetadata, UploadMessage};
use crate::volume::Size;

/// Uploads the objects of all tasks; the session finds out how many at once.
pub struct UploadStage {
    session: Arc<Session>,
    task_size: Size,
    clock: Arc<Clock>,
}

/// Names and values of an object's user metadata.
type Metadata = Vec<(&'static str, String)>;

impl UploadStage {
    /// `clock` is this stage's, and is told of each object.
    pub fn new(session: Arc<Session>, task_size: Size, clock: Arc<Clock>) -> Self {
        UploadStage { session, task_size, clock }
    }
}

impl Stage for UploadStage {
    type In = Compressed;
    type Out = Uploaded;
    const NAME: &str = "upload";

    /// Succeeds only when the store has acknowledged every object with a matching checksum.
    async fn process(&self, task: Compressed) -> Result<Uploaded, Failed> {
        let Compressed { ticket, objects, voxel_bytes, permit } = task;
        let (metadata, index_message) = self.describe(&ticket);
        let sent_bytes = objects.iter().map(|object| object.body.len() as u64).sum();
        let stored = self.put_all(objects, Arc::new(metadata), &ticket).await;
        drop(permit);
        match stored {
            Ok(checksums) => Ok(Uploaded { ticket, index_message, checksums, voxel_bytes, sent_bytes }),
            Err(error) => Err(Failed { ticket, error: TaskError::Boss(Arc::new(error)) }),
        }
    }
}

impl UploadStage {
    /// The metadata of a task's objects, and a tile's index message, which has the same text.
    fn describe(&self, ticket: &Ticket) -> (Metadata, Option<String>) {
        let (ingest_job, parameters) = (self.session.job().id, self.session.parameters());
        match &ticket.message {
            UploadMessage::Tile(message) => {
                let Size { x: x_size, y: y_size, .. } = self.task_size;
                let (chunk_key, tile_key) = (message.chunk_key.as_str(), message.tile_key.as_str());
                let text = TileMetadata { chunk_key, tile_key, ingest_job, parameters, x_size, y_size }.to_json();
                let metadata = vec![
                    (META_MESSAGE_ID, ticket.message_id.clone()),
                    (META_RECEIPT_HANDLE, ticket.lease.receipt()),
                    (META_JSON, text.clone()),
                ];
                (metadata, Some(text))
            }
            UploadMessage::Chunk(message) => {
                let chunk_key = message.chunk_key.as_str();
                let text = CuboidMetadata { ingest_job, chunk_key, parameters }.to_json();
                (vec![(META_JSON, text)], None)
            }
        }
    }

    /// Puts all objects and gives their checksums, in their order. The first failure ends the others, which is harmless: the
    /// task comes again as a whole.
    async fn put_all(
        &self,
        objects: Vec<Object>,
        metadata: Arc<Metadata>,
        ticket: &Ticket,
    ) -> Result<Vec<u32>, BossError> {
        let mut checksums = vec![0; objects.len()];
        let mut putting = JoinSet::new();
        for (at, Object { key, body }) in objects.into_iter().enumerate() {
            let (session, metadata) = (self.session.clone(), metadata.clone());
            let deadline = Some(ticket.lease.deadline().into());
            putting.spawn(async move {
                let metadata: Vec<(&str, &str)> =
                    metadata.iter().map(|(name, value)| (*name, value.as_str())).collect();
                (at, session.put_object(&key, body, &metadata, deadline).await)
            });
        }
        while let Some(put) = putting.join_next().await {
            let (at, stored) = put.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
            checksums[at] = stored?.crc32c;
            self.clock.part();
        }
        Ok(checksums)
    }
}
