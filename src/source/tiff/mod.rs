//! TIFF files as 2D sources (one page), 3D sources (several) and arrays of more axes (ImageJ's and OME's).
//!
//! **Reads** what [`crate::codec::tiff`] decodes: grey, and one channel or the grey of colours. **Axes**: pages are z, or what
//! ImageJ or OME-XML says that they are; `page` reads any of them alone, `level` a coarser version. **Regions**: only the
//! strips or tiles that a region touches are decoded, of planar pages those of the selected channel, of uncompressed ones its
//! rows; those that are needed in part are kept decoded. The pages' directories are read once, when the file is opened.
//! `docs/sources/tiff.md` tells what is not covered.

mod files;
mod ome;
mod region;
mod series;

use std::sync::Arc;

use self::files::Files;
use self::region::Wanted;
use self::series::{Level, Series};
use super::array::{Array, Selected};
use super::colour::chosen;
use super::decoded::{check_read, check_selection, flat_info};
use super::error::{PlanMistake, Unsupported};
use super::location::Located;
use super::{Colour, Contents, RegionReader, Selection, Shared, SourceError, SourceInfo};
use crate::codec::tiff::Page;
use crate::codec::{Feature, ImageFormat};
use crate::volume::{Block, Region};

/// A TIFF file.
pub(super) struct TiffReader {
    files: Files,
    series: Vec<Series>,
    shared: Arc<Shared>,
    /// Its number among the blocks.
    number: u64,
}

/// The part of a file that a selection means.
struct Part<'a> {
    info: SourceInfo,
    page: &'a Page,
    planes: Planes<'a>,
}

/// The pages of a part.
enum Planes<'a> {
    /// This page, and this level below it.
    One(u64, u64),
    Several(&'a Series, &'a Level, Box<Selected>),
}

impl TiffReader {
    /// Opens the file and reads the directories of all pages.
    pub fn open(located: &Located, shared: &Arc<Shared>) -> Result<Self, SourceError> {
        let (files, description) = Files::open(located, shared)?;
        let series = series::of(&files, &description)?;
        Ok(TiffReader { files, series, shared: Arc::clone(shared), number: shared.blocks.file(located) })
    }

    fn part(&self, selection: &Selection) -> Result<Part<'_>, SourceError> {
        match selection.page {
            Some(page) => self.page(page, selection),
            None => self.whole(selection),
        }
    }

    /// One page, or a level below it, as a 2D source.
    fn page(&self, index: u64, selection: &Selection) -> Result<Part<'_>, SourceError> {
        let pages = self.files.pages();
        let kind =
            self.files.kind(index).ok_or_else(|| self.mistake(PlanMistake::NoSuchPage { page: index, pages }))?;
        let page = kind.as_ref().map_err(|feature| self.unsupported(page_feature(index, pages, feature)))?;
        let flat = self.flat_info(page);
        check_selection(&flat, selection)?;
        let info = self.coloured(flat, page, selection.colour)?;
        Ok(Part { info, page, planes: Planes::One(index, 0) })
    }

    /// All pages of a source, with what is selected of them.
    fn whole(&self, selection: &Selection) -> Result<Part<'_>, SourceError> {
        let series = self.find(selection.dataset.as_deref())?;
        series.is_alike.clone().map_err(|what| self.unsupported(what))?;
        let levels = series.levels.len() as u64;
        let number = selection.level.unwrap_or(0);
        let level = usize::try_from(number).ok().and_then(|number| series.levels.get(number));
        let level = level.ok_or_else(|| self.mistake(PlanMistake::NoSuchLevel { level: number, levels }))?;
        let page = level.page.as_ref().map_err(|feature| self.unsupported(page_feature(0, 1, feature)))?;
        let plain = plain_selection(selection, series, page);
        let selected = Selected::new(Arc::new(array(series, page)), (&self.files.located, FORMAT), &plain)?;
        let flat = self.flat_info(page);
        let SourceInfo { axes, size, others, .. } = selected.info.clone();
        let is_plain = flat.is_plain && number == 0;
        let (stack_axis, note) = (series.stack_axis, series.note.clone());
        let is_paged = axes == "zyx" && number == 0 && series.is_in_order() && series.count() == flat.pages;
        let info = SourceInfo { axes, size, others, is_plain, is_paged, stack_axis, note, ..flat };
        let colour = if page.header.channels.count() > 1 { selection.colour } else { Colour::None };
        let colour = if selection.colour == Colour::Gray { Colour::Gray } else { colour };
        let info = self.coloured(info, page, colour)?;
        Ok(Part { info, page, planes: Planes::Several(series, level, Box::new(selected)) })
    }

    fn find(&self, dataset: Option<&str>) -> Result<&Series, SourceError> {
        let first = self.series.first().expect("a file has a source");
        let Some(dataset) = dataset else { return Ok(first) };
        if first.names.is_empty() {
            return Err(self.mistake(PlanMistake::NoDataset { dataset: dataset.to_owned(), format: FORMAT }));
        }
        let found = self.series.iter().find(|series| series.names.iter().any(|name| name == dataset));
        found.ok_or_else(|| {
            let arrays = self.series.iter().filter_map(|series| series.names.first().cloned()).collect();
            self.mistake(PlanMistake::NoSuchArray { dataset: dataset.to_owned(), arrays })
        })
    }

    fn flat_info(&self, page: &Page) -> SourceInfo {
        let flat = flat_info(&self.files.located, ImageFormat::Tiff, &page.header);
        let pages = self.files.pages();
        SourceInfo { block: page.read_at_once(), pages, is_plain: flat.is_plain && pages == 1, ..flat }
    }

    fn coloured(&self, info: SourceInfo, page: &Page, colour: Colour) -> Result<SourceInfo, SourceError> {
        let decoded_channels = u64::from(page.decoded_channels(colour.pick()));
        chosen(SourceInfo { decoded_channels, ..info }, page.header.channels, colour)
    }

    fn unsupported(&self, what: Unsupported) -> SourceError {
        SourceError::NotSupported { path: self.files.located.path.clone(), what }
    }

    fn mistake(&self, mistake: PlanMistake) -> SourceError {
        SourceError::mistake(&self.files.located.path, mistake)
    }
}

impl RegionReader for TiffReader {
    fn info(&self, selection: &Selection) -> Result<Arc<SourceInfo>, SourceError> {
        self.part(selection).map(|part| Arc::new(part.info))
    }

    fn contents(&self, selection: &Selection) -> Result<Contents, SourceError> {
        let Part { page, planes, .. } = self.part(selection)?;
        let arrays = self.series.iter().filter_map(|series| series.names.first().cloned()).collect();
        let levels = match planes {
            Planes::One(..) => 1,
            Planes::Several(series, ..) => series.levels.len() as u64,
        };
        Ok(Contents { arrays, levels, compression: Some(page.compression().to_owned()) })
    }

    fn read_into(
        &self,
        selection: &Selection,
        region: &Region,
        target: &mut Block,
        (x, y, z): (i64, i64, i64),
    ) -> Result<(), SourceError> {
        let Part { info, page, planes } = self.part(selection)?;
        info.check_colour(selection.page)?;
        check_read(&info, region, target, (x, y, z))?;
        if region.is_empty() {
            return Ok(());
        }
        let (pages, flat) = match planes {
            Planes::One(page, level) => (vec![(page, level)], *region),
            Planes::Several(series, level, selected) => {
                let ranges = selected.ranges(region);
                let (outer, [y, x]) = ranges.split_last_chunk().expect("x and y are always there");
                let planes = region::positions(outer, &series.axes);
                let pages = planes.into_iter().map(|plane| series.page(plane, level)).collect();
                (pages, Region::new(region::span(x), region::span(y), region.z))
            }
        };
        let pick = selection.colour.pick().filter(|_| page.header.channels.count() > 1);
        let wanted = Wanted { files: &self.files, blocks: &self.shared.blocks, number: self.number, page, pick };
        if pages.len() as u64 == region.z.len() && (flat.x, flat.y) == (region.x, region.y) {
            return wanted.read(&pages, &flat, target, (x, y, z));
        }
        // An image that is turned out of the pages' plane has its voxels in the same order.
        let size = crate::volume::Size::new(flat.x.len(), flat.y.len(), pages.len() as u64);
        let mut stored = Block::zeros(info.dtype, size);
        wanted.read(&pages, &flat, &mut stored, (0, 0, 0))?;
        let turned = Block::from_bytes(info.dtype, region.size(), stored.into_bytes());
        target.paste(&turned.expect("as many voxels"), (x, y, z));
        Ok(())
    }

    fn held_bytes(&self) -> u64 {
        self.files.held_bytes()
    }
}

const FORMAT: &str = "tiff";

/// The pages of a source as an array.
fn array(series: &Series, page: &Page) -> Array {
    let letters = series.axes.iter().map(|(letter, _)| *letter).chain(['y', 'x']).collect();
    let pages = series.axes.iter().map(|(_, length)| *length);
    let shape: Vec<u64> = pages.chain([page.header.size.y, page.header.size.x]).collect();
    let mut chunk = vec![1; series.axes.len()];
    chunk.extend([page.block.y, page.block.x]);
    Array { name: String::new(), dtype: page.header.dtype, shape, chunk, axes: Some(letters) }
}

/// What is selected of the pages: not of their channels, nor by the name that the file has for z.
fn plain_selection(selection: &Selection, series: &Series, page: &Page) -> Selection {
    let mut plain = Selection { select: selection.select.clone(), ..Selection::default() };
    let is_grey = page.header.channels.count() == 1;
    match selection.colour {
        Colour::Channel(channel) if is_grey && series.stack_axis == Some('c') => _ = plain.select.insert('z', channel),
        colour if is_grey => plain.colour = colour,
        _ => {}
    }
    plain
}

/// Of a file with one page nobody counts pages.
fn page_feature(page: u64, pages: u64, feature: &Feature) -> Unsupported {
    let feature = feature.clone();
    if pages == 1 {
        Unsupported::Image { format: ImageFormat::Tiff.name(), feature }
    } else {
        Unsupported::Page { page, feature }
    }
}

#[cfg(test)]
mod tests;
