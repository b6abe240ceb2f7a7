//! The blocks that are done, one JSON line each, so that a verification that was stopped goes on.
//!
//! The first line says what is verified; a journal of something else is begun anew. A line that was cut by a crash is not
//! counted. When all is done, the journal is deleted: the certificate has its content.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::{Compared, Share, Subject, VerifyError};
use crate::engine::ledger::Edition;

/// What a journal is of.
pub struct Task<'a> {
    pub subject: &'a Subject,
    pub edition: &'a Edition,
    pub share: Share,
}

/// The journal of one verification; no other process writes to it meanwhile.
pub struct Journal {
    path: PathBuf,
    seed: u64,
    state: Mutex<State>,
}

struct State {
    file: File,
    done: BTreeMap<u64, Compared>,
}

#[derive(Serialize, Deserialize)]
struct Header {
    boss: String,
    job: u64,
    config_sha256: String,
    scripts_sha256: String,
    sample: String,
    seed: u64,
}

impl Journal {
    /// Opens the journal at `path` where it was left, if it is of the same task, else begins it.
    ///
    /// # Errors
    /// [`VerifyError::Running`] when another process holds it, [`VerifyError::Journal`] when it cannot be written.
    pub fn open(path: &Path, task: &Task, seed: Option<u64>) -> Result<Self, VerifyError> {
        let failed = |source| VerifyError::Journal { path: path.to_owned(), source };
        let file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path).map_err(failed)?;
        match file.try_lock() {
            Err(std::fs::TryLockError::WouldBlock) => return Err(VerifyError::Running),
            // Some network file systems have no locks.
            Err(std::fs::TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
            Err(std::fs::TryLockError::Error(error)) => return Err(failed(error)),
            Ok(()) => {}
        }
        let mut state = State { file, done: BTreeMap::new() };
        let found = state.read().map_err(failed)?.filter(|header| header.is_of(task, seed));
        let seed = match found {
            Some(header) => header.seed,
            None => state.begin(task, seed).map_err(failed)?,
        };
        Ok(Journal { path: path.to_owned(), seed, state: Mutex::new(state) })
    }

    /// What the sample is drawn by.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Blocks that are done.
    pub fn done(&self) -> u64 {
        self.state().done.len() as u64
    }

    pub fn has(&self, number: u64) -> bool {
        self.state().done.contains_key(&number)
    }

    /// Writes down a block that is done.
    ///
    /// # Errors
    /// [`VerifyError::Journal`] when the disk is full, and the like.
    pub fn add(&self, compared: Compared) -> Result<(), VerifyError> {
        let mut line = serde_json::to_string(&compared).expect("it has text keys only");
        line.push('\n');
        let mut state = self.state();
        state.file.write_all(line.as_bytes()).map_err(|error| self.failed(error))?;
        state.done.insert(compared.number, compared);
        Ok(())
    }

    /// Everything that was compared, in the order of the job; the journal is deleted.
    pub fn finish(self) -> Result<Vec<Compared>, VerifyError> {
        std::fs::remove_file(&self.path).map_err(|error| self.failed(error))?;
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(state.done.into_values().collect())
    }

    fn failed(&self, source: io::Error) -> VerifyError {
        VerifyError::Journal { path: self.path.clone(), source }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Reads what is there and leaves the file's position behind the last whole line.
    fn read(&mut self) -> io::Result<Option<Header>> {
        let mut lines = BufReader::new(&self.file);
        let (mut line, mut end) = (Vec::new(), 0);
        let mut next = |line: &mut Vec<u8>| {
            line.clear();
            lines.read_until(b'\n', line).map(|_| line.ends_with(b"\n"))
        };
        let header = match next(&mut line)? {
            true => serde_json::from_slice(&line).ok(),
            false => None,
        };
        end += line.len() as u64;
        while header.is_some() && next(&mut line)? {
            let Ok(compared) = serde_json::from_slice::<Compared>(&line) else { break };
            end += line.len() as u64;
            self.done.insert(compared.number, compared);
        }
        self.file.set_len(end)?;
        self.file.seek(io::SeekFrom::Start(end))?;
        Ok(header)
    }

    fn begin(&mut self, task: &Task, seed: Option<u64>) -> io::Result<u64> {
        let seed = seed.unwrap_or_else(|| fastrand::u64(0..1 << 32));
        let header = Header {
            boss: task.subject.boss.clone(),
            job: task.subject.job,
            config_sha256: task.edition.config.clone(),
            scripts_sha256: task.edition.scripts.clone(),
            sample: task.share.to_string(),
            seed,
        };
        self.done.clear();
        self.file.set_len(0)?;
        self.file.seek(io::SeekFrom::Start(0))?;
        let line = serde_json::to_string(&header).expect("it has text keys only");
        self.file.write_all(format!("{line}\n").as_bytes())?;
        Ok(seed)
    }
}

impl Header {
    fn is_of(&self, task: &Task, seed: Option<u64>) -> bool {
        (&self.boss, self.job) == (&task.subject.boss, task.subject.job)
            && self.config_sha256 == task.edition.config
            && self.scripts_sha256 == task.edition.scripts
            && self.sample == task.share.to_string()
            && seed.is_none_or(|seed| seed == self.seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::volume::{Region, Size};

    fn compared(number: u64) -> Compared {
        Compared {
            number,
            t: 0,
            region: Region::of_size(Size::new(4, 3, 2)),
            crc32c: "00000007".to_owned(),
            compared: 24,
            filled: 0,
            differing: 0,
            differences: Vec::new(),
            not_compared: Vec::new(),
        }
    }

    #[test]
    fn a_journal_goes_on_behind_its_last_whole_line_and_begins_anew_for_another_task() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let subject = Subject { boss: "b".to_owned(), job: 7 };
        let edition = |scripts: &str| Edition { config: "c".to_owned(), scripts: scripts.to_owned() };
        let (first, other) = (edition("s"), edition("other"));
        let open = |edition, seed| Journal::open(&path, &Task { subject: &subject, edition, share: Share::All }, seed);
        let journal = open(&first, None).unwrap();
        let seed = journal.seed();
        assert!(matches!(open(&first, None), Err(VerifyError::Running)));
        journal.add(compared(5)).unwrap();
        journal.add(compared(2)).unwrap();
        drop(journal);
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"number\": 9, \"t\"").unwrap();
        let journal = open(&first, None).unwrap();
        assert_eq!((journal.seed(), journal.done()), (seed, 2));
        assert!(journal.has(5) && journal.has(2) && !journal.has(9));
        journal.add(compared(9)).unwrap();
        drop(journal);
        assert_eq!(open(&first, None).unwrap().done(), 3);
        assert_eq!(open(&other, None).unwrap().done(), 0);
        open(&first, Some(1)).unwrap().add(compared(0)).unwrap();
        assert_eq!(open(&first, Some(2)).unwrap().done(), 0);
        assert_eq!(open(&first, Some(2)).unwrap().finish().unwrap(), []);
        assert!(!path.exists());
    }
}
