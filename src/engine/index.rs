//! The stage that tells the Boss of an uploaded tile. Volumetric jobs have no index queue and pass through.

use std::sync::Arc;

use super::batch::{Batcher, LINGER, answered, each};
use super::pipeline::Stage;
use super::task::{Indexed, Uploaded};
use super::triage::Failed;
use crate::boss::{BossError, Session};

/// Sends index messages in batches.
pub struct IndexStage {
    messages: Batcher<String, Result<(), Arc<BossError>>>,
}

impl IndexStage {
    pub fn new(session: Arc<Session>) -> Self {
        let send = move |bodies: Vec<String>| {
            let session = session.clone();
            async move { each(session.send_index(&bodies, None).await, bodies.len()) }
        };
        IndexStage { messages: Batcher::new(LINGER, send) }
    }
}

impl Stage for IndexStage {
    type In = Uploaded;
    type Out = Indexed;
    const NAME: &str = "index";

    async fn process(&self, task: Uploaded) -> Result<Indexed, Failed> {
        let Uploaded { ticket, index_message, checksums, voxel_bytes, sent_bytes } = task;
        if let Some(message) = index_message
            && let Err(error) = answered(self.messages.send(message).await)
        {
            return Err(Failed { ticket, error });
        }
        Ok(Indexed { ticket, checksums, voxel_bytes, sent_bytes })
    }
}
