//! `boss-ingest serve`: a local Boss for this machine or a lab.

use super::args::ServeArgs;
use super::error::{CliError, Exit};
use super::signals;
use crate::server::{Faults, Server, ServerError, ServerOptions};

/// Runs the command until Ctrl-C.
///
/// # Errors
/// When the folder or the address cannot be used.
pub async fn run(args: ServeArgs) -> Result<Exit, CliError> {
    let ServeArgs { dir, listen, completion_wait, visibility, faults, journal } = args;
    let mut options = ServerOptions { listen, completion_wait, visibility, journal, ..ServerOptions::new(&dir) };
    if let Some(path) = faults {
        options = options.with_faults(Faults::load(&path).map_err(ServerError::from)?);
        eprintln!("warning: what `{}` asks for goes wrong here on purpose", path.display());
    }
    let server = Server::start(options).await?;
    // The address goes to standard output, where a script can read it.
    println!("{}", server.origin());
    eprintln!("serving the local Boss in `{}` at {}; stop with Ctrl-C", dir.display(), server.origin());
    eprintln!("its API token is in `{}`", dir.join("token").display());
    signals::interrupted().await.map_err(CliError::Runtime)?;
    server.shutdown().await;
    Ok(Exit::Done)
}
