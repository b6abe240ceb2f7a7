//! Objects as files below the folder. A file appears under its name whole or not at all.
//!
//! ```text
//! tmp/                                                       objects that are still being written
//! tiles/JOB/ab/…                                             the tile bucket, until the tile's chunk is stored
//! cuboids/COLLECTION/EXPERIMENT/CHANNEL/RESOLUTION/T/ab/…    the final store
//! ```

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use md5::{Digest, Md5};

use super::StoreError;
use crate::protocol::{ProjectIds, object_key};
use crate::volume::CuboidIndex;

/// The files of one folder.
#[derive(Clone, Debug)]
pub struct Objects {
    dir: PathBuf,
}

/// Where a cuboid is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CuboidAddress {
    pub ids: ProjectIds,
    pub resolution: u64,
    pub t: i64,
    pub cuboid: CuboidIndex,
}

impl CuboidAddress {
    /// Reads a key of the ingest bucket. `None` when the text is no such key, or its hash is another's.
    pub fn from_key(key: &str) -> Option<Self> {
        let fields: Vec<u64> = key.split('&').skip(1).map(str::parse).collect::<Result<_, _>>().ok()?;
        let [collection, experiment, channel, resolution, t, morton] = fields.try_into().ok()?;
        let ids = ProjectIds::new(collection, experiment, channel);
        let cuboid = CuboidIndex::from_morton(morton);
        let address = CuboidAddress { ids, resolution, t: i64::try_from(t).ok()?, cuboid };
        (address.key() == key).then_some(address)
    }

    /// The key of the ingest bucket.
    pub fn key(&self) -> String {
        object_key(self.ids, self.resolution, self.t, self.cuboid)
    }
}

impl Objects {
    /// The folder's objects; what was half written by an earlier process is removed.
    pub fn open(dir: &Path) -> io::Result<Self> {
        let objects = Objects { dir: dir.to_owned() };
        match fs::remove_dir_all(objects.temporary_dir()) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => fs::create_dir_all(objects.temporary_dir())?,
        }
        Ok(objects)
    }

    fn temporary_dir(&self) -> PathBuf {
        self.dir.join("tmp")
    }

    /// Begins an object that nobody sees until [`Unfinished::keep`].
    pub fn begin(&self) -> Result<Unfinished, StoreError> {
        let path = self.temporary_dir().join(uuid::Uuid::new_v4().simple().to_string());
        let file = File::create_new(&path).map_err(|source| StoreError::File { path: path.clone(), source })?;
        Ok(Unfinished { file, path, kept: false })
    }

    /// The file of a tile object. Any text is a key, so the name is made from its hash.
    pub fn tile(&self, job: u64, key: &str) -> PathBuf {
        let name: String = Md5::digest(key).iter().map(|byte| format!("{byte:02x}")).collect();
        self.job_tiles(job).join(&name[..2]).join(name)
    }

    /// Removes all tile objects of a job.
    pub fn remove_tiles(&self, job: u64) -> Result<(), StoreError> {
        let path = self.job_tiles(job);
        match fs::remove_dir_all(&path) {
            Err(source) if source.kind() != ErrorKind::NotFound => Err(StoreError::File { path, source }),
            _ => Ok(()),
        }
    }

    /// Removes the tile objects of all jobs that are over.
    pub fn remove_tiles_unless(&self, runs: impl Fn(u64) -> bool) -> Result<(), StoreError> {
        let Ok(folders) = fs::read_dir(self.dir.join("tiles")) else { return Ok(()) };
        let jobs = folders.flatten().filter_map(|folder| folder.file_name().to_str()?.parse().ok());
        jobs.filter(|job| !runs(*job)).try_for_each(|job| self.remove_tiles(job))
    }

    fn job_tiles(&self, job: u64) -> PathBuf {
        self.dir.join("tiles").join(job.to_string())
    }

    /// The file of a cuboid: its key in the store (`…&0`), with `_` for `&`.
    pub fn cuboid(&self, at: &CuboidAddress) -> PathBuf {
        let CuboidAddress { ids: ProjectIds { collection, experiment, channel }, resolution, t, .. } = at;
        let name = format!("{}_0", at.key().replace('&', "_"));
        let folder = format!("cuboids/{collection}/{experiment}/{channel}/{resolution}/{t}/{}", &name[..2]);
        self.dir.join(folder).join(name)
    }

    /// The bytes of a cuboid; `None` when nothing was stored there.
    pub fn read_cuboid(&self, at: &CuboidAddress) -> Result<Option<Vec<u8>>, StoreError> {
        read_if_there(self.cuboid(at))
    }

    pub fn write_cuboid(&self, at: &CuboidAddress, bytes: &[u8]) -> Result<(), StoreError> {
        let mut object = self.begin()?;
        object.write(bytes)?;
        object.keep(&self.cuboid(at))
    }
}

/// The bytes of a file; `None` when there is no such file.
pub fn read_if_there(path: PathBuf) -> Result<Option<Vec<u8>>, StoreError> {
    match fs::read(&path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StoreError::File { path, source }),
    }
}

/// An object that is being written. Dropped before it is kept, it is gone.
#[derive(Debug)]
pub struct Unfinished {
    file: File,
    path: PathBuf,
    kept: bool,
}

impl Unfinished {
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.file.write_all(bytes).map_err(|source| StoreError::File { path: self.path.clone(), source })
    }

    /// Gives the object its name, in place of an older one.
    pub fn keep(mut self, path: &Path) -> Result<(), StoreError> {
        let renamed = fs::rename(&self.path, path).or_else(|error| match (error.kind(), path.parent()) {
            (ErrorKind::NotFound, Some(folder)) => {
                fs::create_dir_all(folder)?;
                fs::rename(&self.path, path)
            }
            _ => Err(error),
        });
        renamed.map_err(|source| StoreError::File { path: path.to_owned(), source })?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.kept {
            // What cannot be removed now is removed when the folder is opened again.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_the_ingest_bucket_name_cuboids() {
        let key = "0efa673f93fd96d26913d13c24ebec98&4&5&6&0&0&42";
        let address = CuboidAddress::from_key(key).unwrap();
        assert_eq!((address.cuboid, address.key().as_str()), (CuboidIndex::new(2, 1, 2), key));
        let wrong = ["", "a&4&5&6&0&0&42", "0efa673f93fd96d26913d13c24ebec98&4&5&6&0&0&42&0", "../../x"];
        assert!(wrong.iter().all(|key| CuboidAddress::from_key(key).is_none()));
    }

    #[test]
    fn an_object_that_is_not_kept_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let objects = Objects::open(folder.path()).unwrap();
        let at = CuboidAddress::from_key("9baa55e9b605eef89a01e75f5f8f9d84&4&5&6&0&0&0").unwrap();
        objects.begin().unwrap().write(b"half").unwrap();
        assert_eq!(fs::read_dir(folder.path().join("tmp")).unwrap().count(), 0);
        assert_eq!(objects.read_cuboid(&at).unwrap(), None);
        objects.write_cuboid(&at, b"whole").unwrap();
        objects.write_cuboid(&at, b"again").unwrap();
        assert_eq!(objects.read_cuboid(&at).unwrap().as_deref(), Some(&b"again"[..]));
    }
}
