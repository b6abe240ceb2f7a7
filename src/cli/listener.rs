//! How a command shows its progress: a bar, lines, JSON lines, or not at all.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use super::args::TellingArgs;
use super::error::{CliError, Exit};
use super::metrics::Metrics;
use crate::report::{Counting, JsonLines, Lines, News, Report, Silent, Snapshot, Terminal};

/// The words of `--progress`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ProgressKind {
    /// A bar on a terminal, else lines.
    #[default]
    Auto,
    /// A bar on standard error; lines where that is no terminal.
    Bar,
    /// Lines on standard error.
    Lines,
    /// One JSON object a line on standard output; see docs/progress.md.
    Json,
    /// Nothing but the summary.
    None,
}

/// Time between two lines of progress where nobody watches.
const EVERY: Duration = Duration::from_secs(30);

/// Who is told the news of a command, and the counts that follow from them.
#[derive(Clone)]
pub struct Listener {
    counting: Arc<Counting>,
    /// Ends with the last clone.
    _metrics: Option<Arc<Metrics>>,
}

impl Listener {
    pub fn new(kind: ProgressKind) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let report: Box<dyn Report> = match kind {
            ProgressKind::Auto | ProgressKind::Bar if is_terminal => Box::new(Terminal::new()),
            ProgressKind::Auto | ProgressKind::Bar | ProgressKind::Lines => {
                Box::new(Lines::new(std::io::stderr(), EVERY))
            }
            ProgressKind::Json => Box::new(JsonLines::new(std::io::stdout())),
            ProgressKind::None => Box::new(Silent),
        };
        Listener { counting: Arc::new(Counting::new(report)), _metrics: None }
    }

    /// The same, with metrics served where that was asked for.
    ///
    /// # Errors
    /// When their address cannot be listened on.
    pub async fn start(args: &TellingArgs) -> Result<Self, CliError> {
        let listener = Listener::new(args.progress);
        let metrics = match args.metrics {
            Some(address) => Some(Arc::new(Metrics::serve(address, listener.counting.clone()).await?)),
            None => None,
        };
        Ok(Listener { _metrics: metrics, ..listener })
    }

    pub fn report(&self) -> Arc<dyn Report> {
        self.counting.clone()
    }

    /// The counts so far.
    pub fn counts(&self) -> Snapshot {
        self.counting.progress()
    }

    /// Stops drawing, so that a summary can be written.
    pub fn finish(&self) {
        self.counting.finish();
    }

    /// Tells how the command ended.
    pub fn end(&self, ended: &Result<Exit, CliError>) {
        let (exit_code, error) = match ended {
            Ok(exit) => (exit.code(), None),
            Err(error) => (error.exit_code(), Some(error.json())),
        };
        self.counting.tell(News::Ended { exit_code, error });
        self.counting.finish();
    }
}
