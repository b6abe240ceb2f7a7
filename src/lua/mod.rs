//! The scripts that say which file holds which tile: a sandboxed Lua, one state per worker.
//!
//! Lua plans, Rust executes: no voxel enters Lua. A job names a script in each of two slots. [`Scripts`] finds and reads
//! them once; each worker then makes a [`Host`] of its own, and asks it for the [`Plan`](crate::source::Plan) of one
//! task at a time. What scripts may call is in `api` and `prelude.lua`, and typed in `scripts/types/boss.lua`; what they
//! may not do is in `sandbox`. Carrying plans out is left to [`crate::source`].

mod api;
mod builtin;
mod convert;
mod error;
mod fault;
mod host;
mod library;
mod lookup;
mod params;
mod resolve;
mod sandbox;
mod scripts;

pub use builtin::{BUILTINS, Builtin};
pub use error::{Fault, ScriptError};
pub use host::{Answer, Host};
pub use lookup::{Lookup, LookupError, SourceInfo};
pub use sandbox::Limits;
pub use scripts::Scripts;

#[cfg(test)]
mod tests;
