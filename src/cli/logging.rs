//! The log file, one for each run, below the user's state directory.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::SystemTime;

use directories::ProjectDirs;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;

use super::args::{LogLevel, LoggingArgs};
use super::error::CliError;

/// Starts logging and gives the log file's path.
///
/// # Errors
/// When the file cannot be made.
pub fn start(args: &LoggingArgs) -> Result<PathBuf, CliError> {
    let path = args.log_file.clone().unwrap_or_else(default_path);
    let file = open(&path, args.log_file.is_none()).map_err(|source| CliError::Log { path: path.clone(), source })?;
    let (ours, others) = match args.log_level {
        LogLevel::Critical | LogLevel::Error => (LevelFilter::ERROR, LevelFilter::ERROR),
        LogLevel::Warning => (LevelFilter::WARN, LevelFilter::WARN),
        LogLevel::Info => (LevelFilter::INFO, LevelFilter::WARN),
        LogLevel::Debug => (LevelFilter::DEBUG, LevelFilter::INFO),
    };
    let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(Mutex::new(file));
    let filter = Targets::new().with_default(others).with_target(env!("CARGO_CRATE_NAME"), ours);
    let subscriber = tracing_subscriber::registry().with(lines).with(filter);
    // Fails only when a log was started before, which then goes on.
    let _ = tracing::subscriber::set_global_default(subscriber);
    Ok(path)
}

/// The folder in which runs leave their logs and lists.
pub fn state_dir() -> PathBuf {
    match ProjectDirs::from("", "", "boss-ingest") {
        Some(dirs) => dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir()).to_owned(),
        None => std::env::temp_dir().join("boss-ingest"),
    }
}

/// `ingest_log20261122-173000_pid4711.log`, in UTC.
fn default_path() -> PathBuf {
    let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    let stamp: String = now.replace('T', "-").chars().filter(|c| c.is_ascii_digit() || *c == '-').collect();
    let (day, time) = stamp.split_at(stamp.len() - 7);
    state_dir().join(format!("ingest_log{}{time}_pid{}.log", day.replace('-', ""), std::process::id()))
}

fn open(path: &Path, make_folder: bool) -> std::io::Result<std::fs::File> {
    if let Some(folder) = path.parent().filter(|_| make_folder) {
        std::fs::create_dir_all(folder)?;
    }
    OpenOptions::new().create(true).append(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logs_name_has_day_time_and_process() {
        let path = default_path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let stamp = name.strip_prefix("ingest_log").unwrap().split('_').next().unwrap();
        assert_eq!(stamp.len(), "20261122-173000".len(), "{name}");
        assert!(stamp.chars().enumerate().all(|(at, c)| if at == 8 { c == '-' } else { c.is_ascii_digit() }), "{name}");
    }
}
