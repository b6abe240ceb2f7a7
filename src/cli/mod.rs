//! The command line: one file per command, and what they share.

mod amounts;
mod args;
mod cancel;
mod check;
mod complete;
mod connect;
mod create;
mod error;
mod figures;
mod inspect;
mod join;
mod json_file;
mod list;
mod listener;
mod local;
mod logging;
mod manifest;
mod memory;
mod metrics;
mod prepare;
mod preview;
mod prompt;
mod report;
mod resources;
mod runs;
mod screen;
mod scripts;
mod serve;
mod signals;
mod status;
mod summary;
mod test;
mod r#try;
mod upload;
mod verify;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};
use error::{CliError, Exit};

/// Runs the program on the process's arguments.
pub fn main() -> ExitCode {
    memory::bound();
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return CliError::Runtime(error).show(),
    };
    let ended = runtime.block_on(run(cli));
    // Threads that still decode or compress after a stop have nothing to lose.
    runtime.shutdown_background();
    match ended {
        Ok(exit) => exit.into(),
        Err(error) => error.show(),
    }
}

async fn run(cli: Cli) -> Result<Exit, CliError> {
    let log_file = logging::start(&cli.logging)?;
    match cli.command {
        Command::Create(args) => create::run(args, &log_file).await,
        Command::Inspect(args) => inspect::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Join(args) => join::run(args, &log_file).await,
        Command::Try(args) => r#try::run(args).await,
        Command::Preview(args) => preview::run(&args),
        Command::Status(args) => status::run(args).await,
        Command::Verify(args) => verify::run(args).await,
        Command::Report(args) => report::run(&args),
        Command::List(args) => list::run(args).await,
        Command::Complete(args) => complete::run(args).await,
        Command::Cancel(args) => cancel::run(args).await,
        Command::Scripts(args) => scripts::run(args.command),
        Command::Serve(args) => serve::run(args).await,
        Command::Test(args) => test::run(&args),
    }
}
