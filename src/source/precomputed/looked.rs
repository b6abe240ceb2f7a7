//! Which chunks are known to be there, so that `boss-ingest check` asks for each once.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use super::grid::Cell;

/// The most chunks that are remembered; when there are more, all are forgotten. Enough for those of a section of 32k × 32k.
const MOST_REMEMBERED: usize = 1 << 18;

/// The most lengths that a store is asked for.
const MOST_ASKED: usize = 10_000;

#[derive(Default)]
pub(super) struct Looked(Mutex<State>);

#[derive(Default)]
struct State {
    there: HashSet<(usize, Cell)>,
    asked: usize,
}

impl Looked {
    /// Those of a level's chunks that should be looked for: unknown ones, of a store only so many.
    pub fn wanted(&self, level: usize, cells: impl Iterator<Item = Cell>, is_disk: bool) -> Vec<Cell> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let most = if is_disk { usize::MAX } else { MOST_ASKED - state.asked };
        let wanted: Vec<Cell> = cells.filter(|cell| !state.there.contains(&(level, *cell))).take(most).collect();
        state.asked = state.asked.saturating_add(wanted.len()).min(MOST_ASKED);
        wanted
    }

    /// Notes that these chunks are there.
    pub fn found(&self, level: usize, cells: Vec<Cell>) {
        let there = &mut self.0.lock().unwrap_or_else(PoisonError::into_inner).there;
        if there.len() + cells.len() > MOST_REMEMBERED {
            there.clear();
        }
        there.extend(cells.into_iter().map(|cell| (level, cell)));
    }
}
