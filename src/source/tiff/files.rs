//! An open TIFF file: its streams, the index of its pages, and where their strips and tiles lie.

use std::sync::{Arc, Mutex, PoisonError};

use crate::codec::tiff::{Chunks, ImageJ, Page, Pages, TiffFile};
use crate::codec::{CodecError, Feature};
use crate::source::cache::Cache;
use crate::source::location::{Located, Stream};
use crate::source::{Shared, SourceError};

/// Open files that wait for the next read. More threads than these may read at once; their files are then closed.
const IDLE_FILES: usize = 2;

/// About what an open file takes.
const FILE_BYTES: u64 = 16 << 10;

/// The most that is remembered of where strips and tiles lie.
const CHUNKS_BYTES: u64 = 2 << 20;

type OpenFile = TiffFile<Stream>;

/// A TIFF file and the index of its pages.
pub(super) struct Files {
    pub located: Located,
    pub limit_bytes: u64,
    pub index: Pages,
    /// Sections that lie behind the only page's own without pages, with it; `None` for other files.
    hidden: Option<u64>,
    idle: Mutex<Vec<OpenFile>>,
    planes: Cache<(u64, u64), Plane>,
}

/// One page, or one of its coarser levels, and where its strips or tiles lie.
pub(super) struct Plane {
    pub page: Page,
    pub chunks: Chunks,
    /// What tells it from others of the file.
    pub number: u64,
}

impl Files {
    /// Opens the file and reads the directories of all pages; with what the first page's description says.
    pub fn open(located: &Located, shared: &Shared) -> Result<(Self, String), SourceError> {
        let codec = |error| SourceError::codec(&located.path, error);
        let mut file = TiffFile::open(located.open()?).map_err(codec)?;
        let index = file.pages().map_err(codec)?;
        let text = file.description(file.first()).map_err(codec)?;
        let files = Files {
            located: located.clone(),
            limit_bytes: shared.limit_bytes,
            index,
            hidden: None,
            idle: Mutex::new(vec![file]),
            planes: Cache::new(CHUNKS_BYTES, usize::MAX),
        };
        let hidden = match ImageJ::parse(&text) {
            Some(ImageJ { images: images @ 2.., .. }) if files.pages() == 1 => {
                files.sections_behind()?.map(|held| (images, held))
            }
            _ => None,
        };
        match hidden {
            // A text that was copied from another file is no reason to refuse the one section there is.
            Some((_, 1)) => Ok((files, text)),
            Some((images, held)) if held < images => {
                let what = format!("it ends after {held} of its {images} sections");
                Err(SourceError::codec(&located.path, CodecError::Damaged { format: "tiff", source: what.into() }))
            }
            hidden => Ok((Files { hidden: hidden.map(|(images, _)| images), ..files }, text)),
        }
    }

    /// Pages of the file, and sections that have none of their own.
    pub fn pages(&self) -> u64 {
        self.hidden.unwrap_or(self.index.places().len() as u64)
    }

    /// What a page says, if there is one.
    pub fn kind(&self, page: u64) -> Option<&Result<Page, Feature>> {
        if page >= self.pages() {
            return None;
        }
        let page = if self.hidden.is_some() { 0 } else { page };
        self.index.places().get(page as usize).map(|place| self.index.kind(*place))
    }

    /// Where a page's strips or tiles lie; of `level` n from 1 on those of the n-th page below it.
    ///
    /// # Errors
    /// [`SourceError::Damaged`] where there is no such page, or another than `expected`.
    pub fn plane(&self, page: u64, level: u64, expected: &Page) -> Result<Arc<Plane>, SourceError> {
        let plane = self.planes.get(&(page, level), || {
            let plane = self.with(|file| self.load(file, page, level))?;
            let bytes = size_of::<Plane>() + size_of_val(&plane.chunks[..]);
            Ok::<_, SourceError>((Arc::new(plane), bytes as u64))
        })?;
        let like = |page: &Page| (page.header.size, page.header.dtype, page.header.channels);
        if like(&plane.page) != like(expected) {
            return Err(self.damaged("a page or level is not like the others"));
        }
        Ok(plane)
    }

    fn load(&self, file: &mut OpenFile, page: u64, level: u64) -> Result<Plane, CodecError> {
        let lacking = || CodecError::Damaged { format: "tiff", source: "a page or level is not there".into() };
        let (listed, behind) = if self.hidden.is_some() { (0, page) } else { (page, 0) };
        let mut at = self.index.places().get(listed as usize).ok_or_else(lacking)?.directory;
        if let Some(nth) = level.checked_sub(1) {
            at = file.children(at)?.get(nth as usize).copied().ok_or_else(lacking)?;
        }
        let (page, mut chunks) = file.page(at)?;
        if self.hidden.is_some() {
            let shift = page.section_bytes().saturating_mul(behind);
            let strip = page.stored_row().saturating_mul(page.block.y);
            // Lengths of strips are those of the first section, and of more than 4 GB not even that.
            chunks.iter_mut().for_each(|(at, count)| (*at, *count) = (at.saturating_add(shift), strip));
        }
        Ok(Plane { number: at.saturating_add(behind), page, chunks })
    }

    /// The coarser levels below a page.
    pub fn levels(&self, page: u64) -> Result<Vec<Result<Page, Feature>>, SourceError> {
        let Some(place) = self.index.places().get(page as usize) else { return Ok(Vec::new()) };
        self.with(|file| {
            let mut levels = Vec::new();
            for at in file.children(place.directory)? {
                match file.page(at) {
                    Ok((page, _)) => levels.push(Ok(page)),
                    Err(CodecError::NotSupported { feature, .. }) => levels.push(Err(feature)),
                    Err(error) => return Err(error),
                }
            }
            Ok(levels)
        })
    }

    /// How many sections lie behind one another from the only page's own on; `None` where it does not lie that way.
    fn sections_behind(&self) -> Result<Option<u64>, SourceError> {
        if !matches!(self.kind(0), Some(Ok(_))) {
            return Ok(None);
        }
        self.with(|file| {
            let (page, chunks) = file.page(file.first())?;
            Ok(Some(page.sections_behind(&chunks, file.length())).filter(|held| *held > 0))
        })
    }

    /// Runs `read` with an open file of its own.
    pub fn with<T>(&self, read: impl FnOnce(&mut OpenFile) -> Result<T, CodecError>) -> Result<T, SourceError> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let codec = |error| SourceError::codec(&self.located.path, error);
        let waiting = idle().pop();
        let mut file = match waiting {
            Some(file) => file,
            None => TiffFile::open(self.located.open()?).map_err(codec)?,
        };
        let outcome = read(&mut file).map_err(codec)?;
        let mut idle = idle();
        if idle.len() < IDLE_FILES.max(self.located.width()) {
            idle.push(file);
        }
        Ok(outcome)
    }

    /// Lets the next reads go through this stream.
    #[cfg(test)]
    pub fn read_with(&self, stream: Stream) {
        *self.idle.lock().unwrap() = vec![TiffFile::open(stream).unwrap()];
    }

    pub fn damaged(&self, what: &str) -> SourceError {
        SourceError::codec(&self.located.path, CodecError::Damaged { format: "tiff", source: what.into() })
    }

    pub fn held_bytes(&self) -> u64 {
        let chunks = match self.kind(0) {
            Some(Ok(page)) => page.chunks(),
            _ => 0,
        };
        let plane = chunks.saturating_mul(size_of::<(u64, u64)>() as u64).saturating_add(size_of::<Plane>() as u64);
        let planes = plane.saturating_mul(self.pages()).min(CHUNKS_BYTES);
        self.index.held_bytes() as u64 + planes + IDLE_FILES as u64 * FILE_BYTES
    }
}
