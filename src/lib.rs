//! The library behind `boss-ingest`, which moves microscopy volumes into the Boss.
//!
//! The layers and what each may import are listed in `docs/architecture.md` and held by `tests/layers.rs`.

pub mod boss;
pub mod check;
pub mod cli;
pub mod codec;
pub mod config;
pub mod engine;
pub mod lua;
pub mod preview;
pub mod protocol;
pub mod report;
pub mod server;
pub mod source;
pub mod verify;
pub mod volume;
