//! Talks to the Boss and to the AWS services behind it on behalf of one job.
//!
//! `rest` asks the Boss itself, `s3` stores objects, `sqs` takes and gives messages; `session` holds one joined job's
//! keys and wraps the two so that callers see final results only. `retry` is the one place that decides on trying again,
//! `pace` on how many requests there are at once, `circuit` on whether a service is there at all.
//! What the bytes mean is [`crate::protocol`]'s business; which tile comes next is the engine's.

mod circuit;
mod clock;
mod endpoints;
mod error;
mod http;
mod pace;
mod quota;
mod rest;
mod retry;
mod s3;
mod session;
mod sign;
mod sqs;
#[cfg(test)]
pub(crate) mod testing;
mod token;

pub use endpoints::Endpoints;
pub use error::{BossError, Class, Service};
pub use http::{Http, Timeouts};
pub use pace::PaceNow;
pub use rest::{
    Cancelled, Channel, ChannelKind, Collection, Completion, CoordinateFrame, Experiment, JoinWait, Joined, Rest,
};
pub use retry::{RetryCounts, RetryPolicy, Tries, retry};
pub use s3::{Object, S3, Stored};
pub use session::{Load, Session, SessionSettings};
pub use sign::SigningKeys;
pub use sqs::{MAX_BATCH, MAX_MESSAGE_BYTES, Message, Sqs, groups};
pub use token::{Looked, Token, TokenPlaces};
