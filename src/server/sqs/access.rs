//! What a job's credentials allow: the policy that ndingest writes for them (`boss-protocol`, "credentials may do").

use axum::http::request::Parts;

use super::error::SqsError;
use super::{Action, Target};
use crate::server::sigv4::{self, Service};
use crate::server::site::Site;
use crate::server::store::queue::QueueRole;

/// Finds the queue, if its job runs, and the request is signed with a key that may do this with it.
///
/// The queue is looked for first: a client learns from a missing queue that its job is over, also when its key is
/// no longer known.
pub fn judge(site: &Site, parts: &Parts, body: &[u8], queue_name: &str, action: &Action) -> Result<Target, SqsError> {
    let (job, role) = site.active.by_queue_name(queue_name).ok_or(SqsError::NoSuchQueue)?;
    let sender = site.signer(parts, Service::Sqs, &sigv4::hash(body))?;
    if sender.id != job.id || !allows(role, action) {
        return Err(SqsError::AccessDenied);
    }
    let queue = job.queue(role).ok_or(SqsError::NoSuchQueue)?;
    Ok(Target { job, role, queue, origin: site.origin_for(&parts.headers) })
}

fn allows(role: QueueRole, action: &Action) -> bool {
    match action {
        Action::Receive { .. } | Action::Delete { .. } | Action::DeleteBatch(_) | Action::Attributes { .. } => {
            role == QueueRole::Upload
        }
        Action::Send { .. } | Action::SendBatch(_) => role == QueueRole::Index,
        Action::Forbidden => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_take_tasks_and_tell_of_tiles_and_nothing_else() {
        let receive = Action::Receive { limit: 1, wait_s: 0, visibility_s: None };
        let send = Action::Send { body: String::new() };
        for role in QueueRole::ALL {
            assert_eq!(allows(role, &receive), role == QueueRole::Upload, "receive from {role:?}");
            assert_eq!(allows(role, &send), role == QueueRole::Index, "send to {role:?}");
            assert!(!allows(role, &Action::Forbidden));
        }
    }
}
