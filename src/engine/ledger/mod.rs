//! What is done, written down: one SQLite file for each job, Boss and machine in the state directory.
//!
//! A task is recorded after its objects were acknowledged and the Boss was told of it, and before its message is deleted.
//! A message that is handed out again, because its lease ended or its delete was lost, is then found here and deleted with
//! no second upload. Only the **same message** counts: when the Boss misses a tile it makes a new message for it, and it
//! deletes tiles that it has used, so that a ledger which answered "stored" there would leave a black tile.
//!
//! One thread writes ([`writer`]), and what was recorded is committed when the caller goes on. Several processes of a
//! machine may work on one job and share the file (WAL); machines have files of their own also where their homes are one
//! folder on a network, as SQLite's log is no file for two of them. A process that is killed loses nothing that was committed;
//! a power cut may lose the last records, which only means that these tasks are uploaded anew.

mod edition;
mod error;
mod quarantine;
mod reader;
mod runs;
mod schema;
mod sources;
mod stored;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::Connection;

pub use edition::{Changed, Edition, time};
pub use error::LedgerError;
pub use quarantine::Entry;
pub use reader::{Counts, Reader, Run};
pub use sources::ChangedSource;
pub use stored::StoredTask;

use self::error::on;
use self::sources::Seen;
use self::writer::Writer;
use crate::source::SourceFile;
use crate::volume::Index;

/// The job that a ledger is of.
#[derive(Clone, Debug)]
pub struct JobOf {
    /// The Boss: its address, or the folder of a local one.
    pub boss: String,
    pub id: u64,
}

/// The ledger of a job, open for one run of this process.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    look_up: Arc<Mutex<Connection>>,
    /// Closed last, as it alone can move the write-ahead log into the file.
    writer: Writer,
    seen: Seen,
    run: i64,
}

impl JobOf {
    /// This machine's ledger in `folder`, such as `api.bossdb.io_job7_node12.ledger`.
    pub fn file(&self, folder: &Path) -> PathBuf {
        let machine = sysinfo::System::host_name().unwrap_or_else(|| "localhost".to_owned());
        folder.join(format!("{}_{}.ledger", self.file_stem(), plain(&machine)))
    }

    /// The ledgers of other machines in `folder`, by their names.
    pub fn other_files(&self, folder: &Path) -> Vec<String> {
        let is_other = |name: &String| name.starts_with(&format!("{}_", self.file_stem())) && name.ends_with(".ledger");
        let names = std::fs::read_dir(folder).into_iter().flatten().flatten();
        names.filter_map(|entry| entry.file_name().into_string().ok()).filter(is_other).collect()
    }

    /// What files that belong to the job are called.
    pub fn file_stem(&self) -> String {
        let host = self.boss.split_once("://").map_or(self.boss.as_str(), |(_, host)| host);
        let mut name = plain(host.trim_matches('/'));
        if !self.boss.contains("://") {
            // Folders of one name, or with other letters than these, are kept apart.
            let tail = name.len().saturating_sub(LONGEST_FOLDER);
            name = format!("{}-{:08x}", &name[tail..], crc32c::crc32c(self.boss.as_bytes()));
        }
        format!("{name}_job{}", self.id)
    }
}

/// The text with `_` for what some file systems do not take.
fn plain(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || ".-".contains(letter) { letter } else { '_' })
        .collect()
}

/// Letters of a folder's path that a ledger's name shows.
const LONGEST_FOLDER: usize = 60;

impl Ledger {
    /// Opens the ledger of a job, or begins it, and notes a new run. `accept_changes` lets a job go on with other
    /// scripts, or another job file, than it has stored tasks with.
    ///
    /// # Errors
    /// [`LedgerError::Changed`] for another edition, `Damaged`, `Newer`, `Folder` and `Failed` when the file cannot be
    /// used.
    pub fn open(folder: &Path, job: &JobOf, edition: &Edition, accept_changes: bool) -> Result<Self, LedgerError> {
        let path = job.file(folder);
        std::fs::create_dir_all(folder)
            .map_err(|source| LedgerError::Folder { path: path.clone(), source: Arc::new(source) })?;
        let mut connection = schema::open(&path)?;
        let edition = edition::take(&mut connection, &path, job, edition, accept_changes)?;
        let run = runs::begin(&connection, edition).map_err(on(&path))?;
        let look_up = schema::open_reader(&path)?;
        let writer = Writer::start(connection, path.clone());
        Ok(Ledger { path, look_up: Arc::new(Mutex::new(look_up)), writer, seen: Seen::default(), run })
    }

    /// Puts a ledger aside that is there for a job which was made just now: it is of a Boss that is gone, whose jobs had
    /// the same numbers.
    ///
    /// # Errors
    /// [`LedgerError::Folder`] when it cannot be renamed.
    pub fn put_aside(folder: &Path, job: &JobOf) -> Result<(), LedgerError> {
        let path = job.file(folder);
        if !path.exists() {
            return Ok(());
        }
        for part in ["", "-wal", "-shm"] {
            let from = path.with_extension(format!("ledger{part}"));
            let to = path.with_extension(format!("until_{}.ledger{part}", now_s()));
            match std::fs::rename(&from, &to) {
                Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                    return Err(LedgerError::Folder { path, source: Arc::new(source) });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Records a task that is stored, the files that it was read from, and, where it was filled, with what and why.
    /// Returns when that is committed, with the sources that changed since an earlier task was read from them.
    ///
    /// # Errors
    /// [`LedgerError::Failed`] when the file cannot be written.
    pub async fn record(&self, task: StoredTask) -> Result<Vec<ChangedSource>, LedgerError> {
        let fresh: Vec<SourceFile> = task.sources.iter().filter(|file| self.seen.is_new(file)).cloned().collect();
        let changed = self
            .writer
            .run(move |connection| {
                stored::insert(connection, &task)?;
                quarantine::settle(connection, &task)?;
                sources::note(connection, &fresh)
            })
            .await?;
        Ok(changed)
    }

    /// Which of these tasks are recorded as stored for the very message.
    ///
    /// # Errors
    /// [`LedgerError::Failed`] and `Damaged` when the file cannot be read.
    pub async fn are_stored(&self, tasks: Vec<(Index, String)>) -> Result<Vec<bool>, LedgerError> {
        let (look_up, path) = (self.look_up.clone(), self.path.clone());
        let look = move || {
            let connection = look_up.lock().unwrap_or_else(PoisonError::into_inner);
            let is_stored = |(index, message): &(Index, String)| stored::is_stored(&connection, *index, message);
            tasks.iter().map(is_stored).collect::<Result<_, _>>().map_err(on(&path))
        };
        tokio::task::spawn_blocking(look).await.map_err(|_| LedgerError::Closed)?
    }

    /// Records a task that is put in quarantine.
    ///
    /// # Errors
    /// [`LedgerError::Failed`] when the file cannot be written.
    pub async fn quarantine(&self, entry: Entry) -> Result<(), LedgerError> {
        self.writer.run(move |connection| quarantine::insert(connection, &entry)).await
    }

    /// Leaves the state of this run, as JSON, for those who look at the job from outside.
    ///
    /// # Errors
    /// [`LedgerError::Failed`] when the file cannot be written.
    pub async fn snapshot(&self, json: String) -> Result<(), LedgerError> {
        let run = self.run;
        self.writer.run(move |connection| runs::snapshot(connection, run, &json)).await
    }

    /// Notes how this run ended.
    ///
    /// # Errors
    /// [`LedgerError::Failed`] when the file cannot be written.
    pub async fn end_run(&self, ending: &'static str) -> Result<(), LedgerError> {
        let run = self.run;
        self.writer.run(move |connection| runs::end(connection, run, ending)).await
    }
}

/// Seconds since 1970, as the ledger keeps all times but those of files.
pub(super) fn now_s() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
