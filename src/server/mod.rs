//! A Boss on one port of this machine: REST, SQS and S3, with its data below one folder.
//!
//! Real enough that programs which know only the Boss finish their jobs on it, and for most labs all that a small data
//! set needs. Requests come in through [`router`] and go to [`rest`], [`sqs`] or [`s3`]; what they change is in [`store`].
//! In the background a new job's queue is filled ([`population`]), full chunks of tiles become cuboids ([`assembler`]) and
//! jobs are ended ([`completion`]). Everything in the background goes on after a restart, also after a kill.

mod active;
mod assembler;
mod assembly;
mod background;
mod cast;
mod channel;
mod completion;
mod directory;
mod error;
mod faults;
mod http;
mod jobspec;
mod journal;
mod keys;
mod operation;
mod population;
mod reading;
mod rest;
mod router;
mod s3;
mod sigv4;
mod site;
mod sqs;
mod start;
mod store;
mod task_text;
#[cfg(test)]
mod tests;

pub use error::{ServerError, StoreError};
pub use faults::{Faults, FaultsError};
pub use keys::KeyTimes;
pub use start::{Server, ServerOptions};
