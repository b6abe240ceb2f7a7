//! `boss-ingest`: moves microscopy volumes into the Boss.

use std::process::ExitCode;

/// Blocks of megabytes come and go with every task. This allocator keeps their pages for the next one, where the system's
/// gives them back and has them cleared anew: a third of the time that a volumetric job spends in the kernel.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    boss_ingest::cli::main()
}
