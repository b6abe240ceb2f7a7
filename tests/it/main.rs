//! Stories: the real binary against the real local Boss, on a free port, in a folder of its own.

mod bad_tiles;
mod bossdb;
mod check;
mod examples;
mod faults;
mod foreign;
mod golden;
mod inspect;
mod kinds;
mod layouts;
mod ledger;
mod messages;
mod other_clouds;
mod preview;
mod progress;
mod python_client;
mod ragged;
mod random;
mod remote;
mod script_errors;
mod script_tests;
mod scripts;
mod secrets;
mod several_hosts;
mod support;
mod troubles;
#[path = "try.rs"]
mod try_task;
mod tutorial;
mod verify;
