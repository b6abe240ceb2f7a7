//! What is said after a run: what was stored, where, how to look at it, what is left to do.

use std::fmt;
use std::path::{Path, PathBuf};

use super::connect::Boss;
use crate::config::Job;
use crate::engine::{Ending, Outcome};
use crate::report::{Snapshot, count, human_bytes, human_duration};

/// The end of a run, displayed as text of several lines.
pub struct Summary<'a> {
    pub boss: &'a Boss,
    pub job: &'a Job,
    pub id: u64,
    /// The command that goes on with the job.
    pub again: &'a str,
    pub log_file: &'a Path,
    pub outcome: &'a Outcome,
    pub stored: Snapshot,
    /// Where the bad tiles are listed as JSON lines.
    pub bad_list: Option<PathBuf>,
    /// What this machine stored in all, and where that is written.
    pub manifest: String,
}

/// Bad tiles that are shown; the list has them all.
const BAD_SHOWN: usize = 20;

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bad_tasks(f)?;
        self.counts(f)?;
        match self.outcome.ending {
            Ending::Complete => {
                writeln!(f, "ingest job {} is complete: {}", self.id, self.place())?;
                self.how_to_look(f)?;
            }
            Ending::Uploaded => {
                writeln!(f, "ingest job {} is uploaded but not completed, as you asked", self.id)?;
                writeln!(f, "  to complete it: boss-ingest complete {}{}", self.id, self.boss_flag())?;
            }
            Ending::BadTasks => {
                writeln!(
                    f,
                    "ingest job {} is not complete; mend the files or the script, then: {}",
                    self.id, self.again
                )?;
            }
            Ending::Stopped => {
                writeln!(f, "ingest job {} was stopped; nothing is lost. To go on: {}", self.id, self.again)?;
            }
        }
        writeln!(f, "manifest: {}", self.manifest)?;
        writeln!(f, "log: {}", self.log_file.display())
    }
}

impl Summary<'_> {
    fn bad_tasks(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bad = &self.outcome.bad;
        for task in bad.iter().take(BAD_SHOWN) {
            writeln!(f, "error: {task}")?;
        }
        if bad.len() > BAD_SHOWN {
            writeln!(f, "… and {} more", count((bad.len() - BAD_SHOWN) as u64, "bad task"))?;
        }
        match &self.bad_list {
            Some(path) => writeln!(f, "the bad {}s as JSON lines: {}", self.job.grid.task_noun(), path.display()),
            None => Ok(()),
        }
    }

    fn counts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (stored, seconds) = (&self.stored, self.outcome.elapsed.as_secs_f64().max(0.001));
        write!(f, "stored {} here", count(stored.stored, self.job.grid.task_noun()))?;
        write!(f, " ({} of voxels, sent as {})", human_bytes(stored.voxel_bytes), human_bytes(stored.sent_bytes))?;
        let rate = human_bytes((stored.voxel_bytes as f64 / seconds) as u64);
        writeln!(f, " in {}, {rate}/s", human_duration(self.outcome.elapsed))
    }

    fn place(&self) -> String {
        match &self.boss.local {
            Some(local) => format!("`{}` on the local Boss in `{}`", self.job.database, local.dir().display()),
            None => format!("`{}` on {}", self.job.database, self.boss.rest.base_url()),
        }
    }

    /// The first cuboid or so of the data, as a cutout that anybody can fetch and read.
    fn how_to_look(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let extent = self.job.grid.extent();
        let first = |start: i64, stop: i64, most: i64| format!("{start}:{}", stop.min(start + most));
        let (x, y) = (first(extent.x.start, extent.x.stop, 512), first(extent.y.start, extent.y.stop, 512));
        let z = first(extent.z.start, extent.z.stop, 16);
        let origin = match &self.boss.local {
            Some(local) if local.is_embedded() => {
                writeln!(f, "to look at it, serve it:  boss-ingest serve {}", local.dir().display())?;
                "http://127.0.0.1:8090"
            }
            _ => self.boss.rest.base_url(),
        };
        let url = format!("{origin}/v1/cutout/{}/{}/{x}/{y}/{z}/", self.job.database, self.job.resolution);
        let header = if self.boss.local.is_some() { "" } else { "-H \"Authorization: Token $INTERN_TOKEN\" " };
        writeln!(f, "then fetch voxels (z, y, x) as Blosc:  curl {header}-o cutout.blosc {url}")
    }

    fn boss_flag(&self) -> String {
        match &self.boss.local {
            Some(local) => format!(" --local {}", local.dir().display()),
            None => format!(" --host {}", self.boss.rest.base_url()),
        }
    }
}
