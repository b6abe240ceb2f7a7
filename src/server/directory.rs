//! The folder that a local Boss serves: locked by the process that serves it, with the address and the token beside.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::error::ServerError;

/// A process that has just taken the lock tells its address within this time.
const ADDRESS_WAIT: Duration = Duration::from_secs(5);

/// A folder that this process serves.
pub struct Directory {
    path: PathBuf,
    lock: File,
}

impl Directory {
    /// Makes the folder if need be, and takes its lock.
    ///
    /// # Errors
    /// [`ServerError::AlreadyServed`] with the other process's address; [`ServerError::Directory`].
    pub fn open(path: &Path) -> Result<Directory, ServerError> {
        let unusable = |source| ServerError::Directory { dir: path.to_owned(), source };
        fs::create_dir_all(path).map_err(unusable)?;
        let path = path.canonicalize().map_err(unusable)?;
        let options = OpenOptions::new().create(true).truncate(false).write(true).clone();
        let lock = options.open(path.join("lock")).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(already_served(&path)),
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
        }
        let directory = Directory { path, lock };
        directory.forget_origin().map_err(unusable)?;
        Ok(directory)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn database(&self) -> PathBuf {
        self.path.join("boss.sqlite")
    }

    /// Tells other processes where the folder is served.
    pub fn tell_origin(&self, origin: &str) -> Result<(), ServerError> {
        let unusable = |source| ServerError::Directory { dir: self.path.clone(), source };
        let unfinished = self.path.join("origin.new");
        fs::write(&unfinished, origin).map_err(unusable)?;
        fs::rename(&unfinished, self.path.join("origin")).map_err(unusable)
    }

    fn forget_origin(&self) -> io::Result<()> {
        match fs::remove_file(self.path.join("origin")) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The token of the user `local`, made at the first start. Only the owner may read its file.
    pub fn token(&self) -> Result<String, ServerError> {
        self.read_or_make_token().map_err(|source| ServerError::Directory { dir: self.path.clone(), source })
    }

    fn read_or_make_token(&self) -> io::Result<String> {
        let path = self.path.join("token");
        match fs::read_to_string(&path) {
            Ok(token) if !token.trim().is_empty() => return Ok(token.trim().to_owned()),
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let token = random_hex();
        let unfinished = self.path.join("token.new");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&unfinished)?.write_all(token.as_bytes())?;
        fs::rename(&unfinished, &path)?;
        Ok(token)
    }

    /// The lock, to be kept until nothing is written any more.
    pub fn into_lock(self) -> File {
        self.lock
    }
}

/// 40 random hexadecimal digits, from the system's own generator.
pub fn random_hex() -> String {
    let two = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
    two[..40].to_owned()
}

fn already_served(path: &Path) -> ServerError {
    let asked = Instant::now();
    loop {
        match fs::read_to_string(path.join("origin")) {
            Ok(origin) => return ServerError::AlreadyServed { dir: path.to_owned(), origin },
            Err(_) if asked.elapsed() < ADDRESS_WAIT => std::thread::sleep(Duration::from_millis(20)),
            Err(source) => return ServerError::Directory { dir: path.to_owned(), source },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_served_folder_tells_where() {
        let folder = tempfile::tempdir().unwrap();
        let directory = Directory::open(folder.path()).unwrap();
        directory.tell_origin("http://127.0.0.1:4711").unwrap();
        let Err(ServerError::AlreadyServed { origin, .. }) = Directory::open(folder.path()) else { panic!("locked") };
        assert_eq!(origin, "http://127.0.0.1:4711");
        let token = directory.token().unwrap();
        assert_eq!(token.len(), 40);
        drop(directory.into_lock());
        assert_eq!(Directory::open(folder.path()).unwrap().token().unwrap(), token);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_reads_the_token() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        Directory::open(folder.path()).unwrap().token().unwrap();
        let mode = fs::metadata(folder.path().join("token")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_folder_that_is_a_file_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(matches!(Directory::open(file.path()), Err(ServerError::Directory { .. })));
    }
}
