//! Stories: the real binary against the real local Boss, on a free port, in a folder of its own.

mod bad_tiles;
mod examples;
mod foreign;
mod kinds;
mod messages;
mod ragged;
mod secrets;
mod several_hosts;
mod support;
mod troubles;
