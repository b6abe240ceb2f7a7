//! The threads that look at a job's tasks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::Settings;
use super::files::Files;
use super::look::Looker;
use super::seen::{Run, Seen};
use super::tour::Tour;
use crate::lua::{ScriptError, Scripts};
use crate::source::Sources;
use crate::volume::{Dtype, Grid};

/// Tasks whose script was stopped for its time or memory before the rest is given up: each costs a second.
const MOST_STOPPED: u64 = 20;

/// What the threads work with.
pub(super) struct Workers<'a> {
    pub grid: Grid,
    pub dtype: Dtype,
    pub scripts: &'a Scripts,
    pub sources: &'a Arc<Sources>,
    pub settings: &'a Settings,
    pub tour: &'a Tour,
    pub progress: &'a (dyn Fn(u64) + Sync),
}

impl Workers<'_> {
    /// Looks at every task of the tour.
    ///
    /// # Errors
    /// When a thread's scripts cannot be set up.
    pub fn run(&self) -> Result<Seen, ScriptError> {
        let (seen, stopped) = (Mutex::new(Seen::default()), AtomicU64::new(0));
        let files = Files::new(self.sources, self.settings.deep, self.settings.memory_bytes);
        std::thread::scope(|scope| {
            let work = || self.work(&seen, &files, &stopped);
            let threads: Vec<_> = (0..self.settings.threads.max(1)).map(|_| scope.spawn(work)).collect();
            threads
                .into_iter()
                .try_for_each(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        })?;
        Ok(seen.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn work(&self, seen: &Mutex<Seen>, files: &Files, stopped: &AtomicU64) -> Result<(), ScriptError> {
        let host = self.scripts.host(self.sources.clone());
        let host = host.inspect_err(|_| self.tour.end())?;
        let mut looker = Looker::new(host, self.sources, self.grid, self.dtype);
        let seen = || seen.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(tasks) = self.tour.next_run() {
            let mut run = Run::default();
            for index in tasks {
                if looker.look(index, &mut run).is_err() && stopped.fetch_add(1, Ordering::Relaxed) + 1 >= MOST_STOPPED
                {
                    self.tour.end();
                    break;
                }
            }
            let looked_at = run.tasks;
            let fresh = seen().absorb(run);
            for image in fresh {
                if let Some(problem) = files.problem(&image) {
                    seen().unsound(image.key, problem);
                }
            }
            (self.progress)(looked_at);
        }
        Ok(())
    }
}
