//! Progress on a terminal: one bar with rate, time left, bytes, retries and bad tiles, and lines above it for news.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::line::{bar, line, percent};
use super::{News, Progress, Report, Snapshot, Wait, human_duration};

/// Draws to standard error.
pub struct Terminal {
    start: Instant,
    drawn: ProgressBar,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    progress: Progress,
    /// The server asks for patience.
    wait: Option<(Wait, Duration)>,
    last: Option<Instant>,
}

/// Time between two drawings; news are told more often.
const REDRAW: Duration = Duration::from_millis(200);
/// Characters of a line where the terminal does not tell.
const WIDTH: usize = 100;

impl Terminal {
    pub fn new() -> Self {
        let drawn = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
        drawn.set_style(ProgressStyle::with_template("{wide_msg}").expect("the template is well-formed"));
        Terminal { start: Instant::now(), drawn, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Terminal {
    fn default() -> Self {
        Terminal::new()
    }
}

impl Report for Terminal {
    fn tell(&self, news: News) {
        let mut state = self.state();
        state.progress.take(&news, self.start.elapsed());
        match news {
            News::Waiting { left, wait } => state.wait = Some((wait, left)),
            News::Taken { .. } | News::Phase(_) => state.wait = None,
            _ => {}
        }
        let noun = state.progress.noun();
        let above = match news {
            News::Phase(text) => Some(text),
            News::Quarantined(bad) => Some(bad.in_one_line()),
            News::Watched(watched) => Some(watched.sentence(noun)),
            _ => None,
        };
        let now = Instant::now();
        if above.is_none() && state.last.is_some_and(|last| now < last + REDRAW) {
            return;
        }
        state.last = Some(now);
        let width = terminal_size::terminal_size_of(std::io::stderr()).map_or(WIDTH, |(width, _)| usize::from(width.0));
        let text = text(&state.progress.snapshot(), state.wait, width);
        drop(state);
        self.drawn.set_message(text);
        if let Some(above) = above {
            self.drawn.println(above);
        }
        self.drawn.tick();
    }

    fn finish(&self) {
        self.drawn.finish_and_clear();
    }
}

/// The whole line: bar, share, and as much of the rest as has room.
fn text(snapshot: &Snapshot, wait: Option<(Wait, Duration)>, width: usize) -> String {
    let cells = (width / 5).min(30);
    let front = format!("{} {}  ", bar(snapshot.done, snapshot.tasks, cells), percent(snapshot.done, snapshot.tasks));
    let room = width.saturating_sub(front.chars().count() + 1);
    let rest = match wait {
        Some((wait, left)) => format!("{wait}: {}", human_duration(left)),
        None => line(snapshot, room),
    };
    front + &rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_fits_the_terminal() {
        let mut progress = Progress::default();
        progress.take(&News::Started { job: 7, tasks: 1_000_000, noun: "chunk" }, Duration::ZERO);
        let snapshot = progress.snapshot();
        for width in [40, 60, 80, 200] {
            assert!(text(&snapshot, None, width).chars().count() < width, "{width}");
        }
        let waiting = text(&snapshot, Some((Wait::Settle, Duration::from_secs(170))), 80);
        assert_eq!(waiting, "░░░░░░░░░░░░░░░░   0 %  the server lets its queues settle: 2 min 50 s");
    }
}
