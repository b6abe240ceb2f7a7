//! TIFF files as 2D sources (one page) and 3D sources (several pages, page `n` being z `n`).
//!
//! **Reads** what [`crate::codec::tiff`] decodes: grey, and one channel or the grey of colours. **Regions**: only the strips or tiles that a region touches are decoded,
//! of planar pages those of the selected channel; nothing decoded is kept. The pages' directories are read once, when the
//! file is opened. Pages that differ in size, voxel type or number of channels are no volume; each of them can be read alone with `page`.

use std::io::BufReader;
use std::sync::{Arc, Mutex, PoisonError};

use super::colour::chosen;
use super::decoded::{check_room, check_selection, flat_info};
use super::error::{PlanMistake, Unsupported};
use super::location::{Located, Stream};
use super::{Colour, RegionReader, Selection, Shared, SourceError, SourceInfo};
use crate::codec::tiff::{Page, TiffFile};
use crate::codec::{Feature, Header, ImageFormat};
use crate::volume::{Block, Region, Size};

/// Open files that wait for the next read. More threads than these may read at once; their files are then closed.
const IDLE_FILES: usize = 2;

/// About what an open file takes: its buffer and the directory of the page it stands at.
const FILE_BYTES: u64 = 64 << 10;

type OpenFile = TiffFile<BufReader<Stream>>;

/// A TIFF file and the index of its pages.
pub(super) struct TiffReader {
    located: Located,
    limit_bytes: u64,
    pages: Vec<Result<Page, Feature>>,
    /// The whole file as one source with nothing selected but some channel where it has several, or why it is none.
    whole: Result<Arc<SourceInfo>, Unsupported>,
    idle: Mutex<Vec<OpenFile>>,
}

impl TiffReader {
    /// Opens the file and reads the directories of all pages.
    pub fn open(located: &Located, shared: &Shared) -> Result<Self, SourceError> {
        let limit_bytes = shared.limit_bytes;
        let mut file = open_file(located, limit_bytes)?;
        let pages = file.pages().map_err(|error| SourceError::codec(&located.path, error))?;
        let whole = whole_info(located, &pages).map(Arc::new);
        let idle = Mutex::new(vec![file]);
        Ok(TiffReader { located: located.clone(), limit_bytes, pages, whole, idle })
    }

    fn page(&self, index: u64) -> Result<&Page, SourceError> {
        let page = usize::try_from(index).ok().and_then(|index| self.pages.get(index));
        match page {
            Some(Ok(page)) => Ok(page),
            Some(Err(feature)) => Err(self.unsupported(self.page_feature(index, feature))),
            None => {
                let mistake = PlanMistake::NoSuchPage { page: index, pages: self.pages.len() as u64 };
                Err(SourceError::mistake(&self.located.path, mistake))
            }
        }
    }

    fn page_feature(&self, page: u64, feature: &Feature) -> Unsupported {
        page_feature(page, self.pages.len(), feature)
    }

    fn unsupported(&self, what: Unsupported) -> SourceError {
        SourceError::NotSupported { path: self.located.path.clone(), what }
    }

    /// Runs `read` with a file of its own.
    fn with_file<T>(&self, read: impl FnOnce(&mut OpenFile) -> Result<T, SourceError>) -> Result<T, SourceError> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = idle().pop();
        let mut file = match waiting {
            Some(file) => file,
            None => open_file(&self.located, self.limit_bytes)?,
        };
        let outcome = read(&mut file)?;
        let mut idle = idle();
        if idle.len() < IDLE_FILES {
            idle.push(file);
        }
        Ok(outcome)
    }
}

impl RegionReader for TiffReader {
    fn info(&self, selection: &Selection) -> Result<Arc<SourceInfo>, SourceError> {
        let Some(index) = selection.page else {
            let whole = self.whole.clone().map_err(|what| self.unsupported(what))?;
            check_selection(&whole, selection)?;
            if whole.channels == 1 && selection.colour == Colour::None {
                return Ok(whole);
            }
            return select_colour((*whole).clone(), self.page(0)?, selection.colour);
        };
        let page = self.page(index)?;
        let info = page_info(&self.located, page, self.pages.len());
        check_selection(&info, selection)?;
        select_colour(info, page, selection.colour)
    }

    fn read_into(
        &self,
        selection: &Selection,
        region: &Region,
        target: &mut Block,
        (x, y, z): (i64, i64, i64),
    ) -> Result<(), SourceError> {
        let info = self.info(selection)?;
        info.check_colour(selection.page)?;
        info.check_bounds(region)?;
        check_room(&info, region, target, (x, y, z));
        if region.is_empty() {
            return Ok(());
        }
        self.with_file(|file| {
            for (layer, section) in (region.z.start..region.z.stop).enumerate() {
                let index = selection.page.unwrap_or(section as u64);
                let page = self.page(index)?;
                let read =
                    file.read_into((index, page), selection.colour.pick(), region, target, (x, y, z + layer as i64));
                read.map_err(|error| SourceError::codec(&self.located.path, error))?;
            }
            Ok(())
        })
    }

    fn held_bytes(&self) -> u64 {
        let index = self.pages.len() * size_of::<Result<Page, Feature>>();
        index as u64 + IDLE_FILES as u64 * FILE_BYTES
    }
}

fn open_file(located: &Located, limit_bytes: u64) -> Result<OpenFile, SourceError> {
    let stream = BufReader::new(located.open()?);
    TiffFile::open(stream, limit_bytes).map_err(|error| SourceError::codec(&located.path, error))
}

/// One page as a 2D source.
fn page_info(located: &Located, page: &Page, pages: usize) -> SourceInfo {
    let flat = flat_info(located, ImageFormat::Tiff, &page.header);
    let is_plain = flat.is_plain && pages == 1;
    SourceInfo { block: page.block, pages: pages as u64, is_plain, ..flat }
}

fn select_colour(info: SourceInfo, page: &Page, colour: Colour) -> Result<Arc<SourceInfo>, SourceError> {
    let decoded_channels = u64::from(page.decoded_channels(colour.pick()));
    chosen(SourceInfo { decoded_channels, ..info }, page.header.channels, colour).map(Arc::new)
}

/// All pages as one source, when they are alike.
fn whole_info(located: &Located, pages: &[Result<Page, Feature>]) -> Result<SourceInfo, Unsupported> {
    let mut all = pages.iter().zip(0u64..).map(|(page, index)| match page {
        Ok(page) => Ok((page, index)),
        Err(feature) => Err(page_feature(index, pages.len(), feature)),
    });
    let (first, _) = all.next().expect("a TIFF file has a page")?;
    for page in all {
        let (page, index) = page?;
        let (header, first) = (page.header, first.header);
        let like = |header: Header| (header.size, header.dtype, u64::from(header.channels.count()));
        if like(header) != like(first) {
            let (size, dtype, channels) = like(header);
            return Err(Unsupported::PagesDiffer { page: index, size, dtype, channels, first: like(first) });
        }
    }
    let flat = page_info(located, first, pages.len());
    if pages.len() == 1 {
        return Ok(flat);
    }
    Ok(SourceInfo { axes: "zyx".to_owned(), size: Size { z: pages.len() as u64, ..flat.size }, ..flat })
}

/// Of a file with one page nobody counts pages.
fn page_feature(page: u64, pages: usize, feature: &Feature) -> Unsupported {
    let feature = feature.clone();
    if pages == 1 {
        Unsupported::Image { format: ImageFormat::Tiff.name(), feature }
    } else {
        Unsupported::Page { page, feature }
    }
}

#[cfg(test)]
mod tests {
    use super::super::conformance::{damage_is_survived, foreign, foreign_voxel, open_file, voxels_are_right};
    use super::*;
    use crate::volume::Dtype;

    fn open(name: &str) -> Result<Arc<dyn RegionReader>, SourceError> {
        open_file(&foreign(&format!("{name}.tif")))
    }

    fn is_right(name: &str, dtype: Dtype, expected: impl Fn(i64, i64, i64) -> i64) {
        let reader = open(name).unwrap();
        assert_eq!(reader.info(&Selection::default()).unwrap().dtype, dtype, "{name}");
        voxels_are_right(&*reader, &Selection::default(), expected);
    }

    #[test]
    fn strips_and_tiles_of_every_compression_and_byte_order_are_right() {
        for layout in ["strips", "tiles"] {
            for codec in ["none", "lzw", "deflate", "packbits"] {
                for (bits, dtype) in [(8, Dtype::Uint8), (16, Dtype::Uint16)] {
                    for order in ["le", "be"] {
                        is_right(&format!("{layout}_{codec}_{bits}_{order}"), dtype, foreign_voxel);
                    }
                }
            }
        }
        for codec in ["raw", "lzw", "deflate", "packbits"] {
            is_right(&format!("libtiff_{codec}_8"), Dtype::Uint8, foreign_voxel);
            is_right(&format!("libtiff_{codec}_16"), Dtype::Uint16, foreign_voxel);
        }
    }

    #[test]
    fn predictors_are_undone() {
        for (bits, dtype) in [(8, Dtype::Uint8), (16, Dtype::Uint16), (32, Dtype::Uint32)] {
            for (codec, order) in [("lzw", "le"), ("lzw", "be"), ("zlib", "le"), ("zlib", "be")] {
                is_right(&format!("predictor_{codec}_{bits}_{order}"), dtype, foreign_voxel);
            }
        }
        is_right("predictor_tiles_16_be", Dtype::Uint16, foreign_voxel);
        is_right("predictor_float32", Dtype::Float32, foreign_voxel);
    }

    #[test]
    fn every_voxel_type_is_right() {
        for dtype in Dtype::ALL.into_iter().filter(|dtype| !matches!(dtype, Dtype::Uint8 | Dtype::Uint16)) {
            is_right(&format!("{dtype}_be"), dtype, foreign_voxel);
        }
        is_right("big", Dtype::Uint16, foreign_voxel);
        is_right("zstd", Dtype::Uint16, foreign_voxel);
    }

    #[test]
    fn black_and_white_come_out_the_way_viewers_show_them() {
        is_right("one_bit", Dtype::Uint8, |x, y, z| if foreign_voxel(x, y, z) & 255 > 127 { 255 } else { 0 });
        is_right("white_is_zero_8", Dtype::Uint8, |x, y, z| !foreign_voxel(x, y, z));
        is_right("white_is_zero_16_be", Dtype::Uint16, |x, y, z| !foreign_voxel(x, y, z));
    }

    #[test]
    fn pages_are_sections() {
        is_right("pages_8", Dtype::Uint8, foreign_voxel);
        is_right("pages_16_be", Dtype::Uint16, foreign_voxel);
        let reader = open("pages_8").unwrap();
        let info = reader.info(&Selection::default()).unwrap();
        assert_eq!((info.axes.as_str(), info.size, info.pages), ("zyx", Size::new(61, 37, 5), 5));
        assert_eq!(info.to_string(), "tiff, 61 × 37 × 5 voxels of uint8, in blocks of 61 × 8");
    }

    #[test]
    fn one_page_is_a_2d_source() {
        let reader = open("pages_16_be").unwrap();
        for page in [3, 0, 4] {
            let selection = Selection { page: Some(page), ..Selection::default() };
            assert!(reader.info(&selection).unwrap().is_flat());
            voxels_are_right(&*reader, &selection, |x, y, _| foreign_voxel(x, y, page as i64));
        }
        let error = reader.info(&Selection { page: Some(5), ..Selection::default() }).unwrap_err();
        assert!(error.to_string().ends_with("wants page 5, counted from 0, of 5"), "{error}");
    }

    #[test]
    fn pages_that_differ_are_no_volume_but_can_be_read_alone() {
        let reader = open("pages_differ").unwrap();
        let error = reader.info(&Selection::default()).unwrap_err();
        let expected = "has pages that differ: page 1 is 30 × 18 of uint8, page 0 is 61 × 37 of uint8";
        assert!(error.to_string().ends_with(expected), "{error}");
        let selection = Selection { page: Some(1), ..Selection::default() };
        voxels_are_right(&*reader, &selection, foreign_voxel);
    }

    #[test]
    fn what_is_not_read_is_refused_by_name() {
        let cases = [
            ("rgb", "is a tiff image with 3 channels"),
            ("two_samples", "is a tiff image with 2 channels"),
            ("palette", "is a tiff image with a palette"),
            ("float16", "is a tiff image with 16-bit float samples"),
            ("white_is_zero_signed", "is a tiff image with white as 0 in samples that are not unsigned integers"),
            ("imagej_hidden", "is a tiff image with 3 sections behind a single page"),
        ];
        for (name, expected) in cases {
            let one = Region::of_size(Size::new(1, 1, 1));
            let read = open(name).and_then(|reader| reader.read(&Selection::default(), &one));
            let error = read.unwrap_err();
            assert!(error.to_string().ends_with(expected), "{error}");
        }
    }

    #[test]
    fn damaged_files_never_panic() {
        for name in ["pages_8", "tiles_lzw_16_be", "strips_packbits_8_le", "zstd", "predictor_float32", "one_bit"] {
            damage_is_survived(&foreign(&format!("{name}.tif")));
        }
    }

    #[test]
    fn threads_read_one_file_side_by_side() {
        let reader = open("pages_16_be").unwrap();
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| voxels_are_right(&*reader, &Selection::default(), foreign_voxel));
            }
        });
    }
}
