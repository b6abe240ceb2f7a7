//! `boss-ingest`: moves microscopy volumes into the Boss.

use std::process::ExitCode;

fn main() -> ExitCode {
    boss_ingest::cli::main()
}
