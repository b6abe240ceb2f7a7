//! `-o FILE`: the voxels of a task in a file that other programs read.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::codec::{self, CodecError, ImageFormat, npy};
use crate::volume::{Block, Dtype, Size};

/// A file to write, of a kind that its name tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    pub path: PathBuf,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Png,
    Npy,
    Tif,
    Raw,
}

/// Why voxels could not be written to a file.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    #[error("`{path}` cannot hold a chunk; a PNG image has one section, the chunk {depth}")]
    Sections { path: PathBuf, depth: u64 },
    #[error("`{path}` cannot hold {dtype} voxels; PNG has uint8 and uint16")]
    Dtype { path: PathBuf, dtype: Dtype },
    #[error("`{path}` cannot be written")]
    Io { path: PathBuf, source: io::Error },
    #[error("`{path}` cannot be written")]
    Codec { path: PathBuf, source: CodecError },
}

impl SaveError {
    /// Whether another name would have helped.
    pub fn is_mistake(&self) -> bool {
        matches!(self, SaveError::Sections { .. } | SaveError::Dtype { .. })
    }

    pub fn hint(&self) -> Option<String> {
        match self {
            SaveError::Sections { .. } | SaveError::Dtype { .. } => {
                Some("write a `.npy` or a `.tif` instead".to_owned())
            }
            SaveError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Some("the folder must be there already".to_owned())
            }
            SaveError::Io { .. } | SaveError::Codec { .. } => None,
        }
    }
}

impl FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let path = PathBuf::from(text);
        let extension = path.extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase);
        let kind = match extension.as_deref() {
            Some("png") => Kind::Png,
            Some("npy") => Kind::Npy,
            Some("tif" | "tiff") => Kind::Tif,
            Some("raw") => Kind::Raw,
            _ => return Err("the name must end in .png, .npy, .tif or .raw".to_owned()),
        };
        Ok(Output { path, kind })
    }
}

impl Output {
    /// Whether the file can hold tasks of this size.
    ///
    /// # Errors
    /// [`SaveError::Sections`].
    pub fn check_size(&self, task: Size) -> Result<(), SaveError> {
        if self.kind == Kind::Png && task.z > 1 {
            return Err(SaveError::Sections { path: self.path.clone(), depth: task.z });
        }
        Ok(())
    }

    /// Writes all voxels. `is_tile` leaves the axis z out of an array's shape. A file of this name is replaced, once the new
    /// one is whole.
    ///
    /// # Errors
    /// Every [`SaveError`].
    pub fn write(&self, block: &Block, is_tile: bool) -> Result<(), SaveError> {
        self.check_size(block.size())?;
        if self.kind == Kind::Png && !matches!(block.dtype(), Dtype::Uint8 | Dtype::Uint16) {
            return Err(SaveError::Dtype { path: self.path.clone(), dtype: block.dtype() });
        }
        let part = part_file(&self.path);
        let written = self.fill(&part, block, is_tile);
        let renamed = written.and_then(|()| fs::rename(&part, &self.path).map_err(|source| self.io(source)));
        if renamed.is_err() {
            let _ = fs::remove_file(&part);
        }
        renamed
    }

    fn fill(&self, part: &Path, block: &Block, is_tile: bool) -> Result<(), SaveError> {
        let codec = |source| SaveError::Codec { path: self.path.clone(), source };
        let mut out = BufWriter::new(File::create(part).map_err(|source| self.io(source))?);
        let size = block.size();
        let shape = [size.z, size.y, size.x];
        match self.kind {
            Kind::Tif => codec::write_stack(block, &mut out).map_err(codec)?,
            Kind::Png => {
                let image = codec::encode(block, ImageFormat::Png).map_err(codec)?;
                out.write_all(&image).map_err(|source| self.io(source))?;
            }
            Kind::Npy => {
                let header = npy::header(block.dtype(), if is_tile { &shape[1..] } else { &shape });
                out.write_all(&header).map_err(|source| self.io(source))?;
                out.write_all(block.as_bytes()).map_err(|source| self.io(source))?;
            }
            Kind::Raw => out.write_all(block.as_bytes()).map_err(|source| self.io(source))?,
        }
        out.flush().map_err(|source| self.io(source))
    }

    fn io(&self, source: io::Error) -> SaveError {
        SaveError::Io { path: self.path.clone(), source }
    }
}

/// Beside the file, so that it can be renamed.
fn part_file(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.part", std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_tells_the_kind() {
        assert_eq!("a/b.TIFF".parse::<Output>().unwrap().kind, Kind::Tif);
        for wrong in ["voxels", "voxels.jpg", ".npy", "a.npy.gz"] {
            assert!(wrong.parse::<Output>().unwrap_err().ends_with(".png, .npy, .tif or .raw"), "{wrong}");
        }
    }

    #[test]
    fn nothing_is_left_of_a_file_that_cannot_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let output = Output { path: folder.path().join("ids.png"), kind: Kind::Png };
        let ids = Block::zeros(Dtype::Uint64, Size::new(3, 2, 1));
        assert!(output.write(&ids, true).unwrap_err().is_mistake());
        let taken = Output { path: folder.path().join("taken.npy"), kind: Kind::Npy };
        fs::create_dir(&taken.path).unwrap();
        assert!(matches!(taken.write(&ids, true), Err(SaveError::Io { .. })));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "the folder of this name alone");
    }
}
