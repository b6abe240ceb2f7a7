//! The scripts that say which file holds which tile: a sandboxed Lua, one state per worker.
//!
//! Lua plans, Rust executes: no voxel enters Lua. A job names a script in each of two slots. [`Scripts`] finds and reads
//! them once; each worker then makes a [`Host`] of its own, and asks it for the [`Plan`](crate::source::Plan) of one
//! task at a time. What scripts may call is in `api` and `prelude.lua`, and typed in `scripts/types/boss.lua`; what they
//! may not do is in `sandbox`. Carrying plans out is left to [`crate::source`].

mod api;
mod builtin;
mod cases;
mod catalog;
mod convert;
mod editor;
mod error;
mod expect;
mod fault;
mod header;
mod host;
mod library;
mod lookup;
mod params;
mod reference;
mod resolve;
mod sandbox;
mod scripts;
mod state;
mod stubs;
mod values;

pub use builtin::{BUILTINS, Builtin};
pub use cases::{Case, Expected, Wanted};
pub use catalog::{Found, StandsFor, UnknownBuiltin};
pub use editor::{LuarcError, TYPES, TYPES_FILE, luarc};
pub use error::{Fault, ScriptError};
pub use expect::{Difference, differences};
pub use header::Header;
pub use host::{Answer, Host, PathAnswer};
pub use library::ScriptFiles;
pub use lookup::{Lookup, LookupError};
pub use reference::reference;
pub use sandbox::Limits;
pub use scripts::Scripts;

#[cfg(test)]
mod tests;
