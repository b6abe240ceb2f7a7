//! The heart: takes tasks from a job's queue, reads, packs, compresses, uploads, and only then deletes their messages.
//!
//! One file per stage; [`pipeline`] wires them. A task's type changes at each step ([`task`]), and the one function that
//! deletes a message takes the last type, so that "deleted" proves "stored". Whatever is dropped on the way comes back
//! from the queue when its lease ends.

mod acknowledge;
mod batch;
mod budget;
mod buffers;
mod clock;
mod columns;
mod completion;
mod compress;
mod cpu;
mod digest;
mod error;
mod fill;
mod index;
mod lease;
pub mod ledger;
mod lookahead;
mod monitor;
mod pack;
mod pipeline;
mod plan;
mod read;
mod receive;
mod record;
mod run;
mod shutdown;
mod task;
mod triage;
mod upload;

pub use completion::{Completed, Completer};
pub use compress::tile_format;
pub use cpu::default_cpu_threads;
pub use digest::{canonical_json, sha256_of};
pub use error::EngineError;
pub use fill::OnBadTile;
pub use read::target;
pub use run::{CACHE_SHARE, Ending, Options, Outcome, Work, run};
pub use shutdown::Shutdown;
