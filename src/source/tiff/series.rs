//! Which pages of a TIFF file are one source, and what its axes are called.

use super::files::Files;
use super::{ome, page_feature};
use crate::codec::tiff::{ImageJ, Page};
use crate::codec::{Feature, Header};
use crate::source::SourceError;
use crate::source::error::{PageKind, Unsupported};

/// Pages that are one source.
pub(super) struct Series {
    /// What a plan's `dataset` may call it; empty where the file has only this.
    pub names: Vec<String>,
    /// The axes of the pages, slowest first, without those of length 1.
    pub axes: Vec<(char, u64)>,
    /// What the file calls z, where that is another letter.
    pub stack_axis: Option<char>,
    /// The page of each plane, in the order of the axes; in the file's order where that is the same.
    pages: Option<Vec<u32>>,
    pub levels: Vec<Level>,
    /// Whether all pages are alike.
    pub is_alike: Result<(), Unsupported>,
    /// What the user should know of how the file was understood.
    pub note: Option<String>,
}

/// The planes of one size.
pub(super) struct Level {
    /// What the first of them says.
    pub page: Result<Page, Feature>,
    place: Place,
}

/// Where the planes of a level are.
#[derive(Clone, Copy)]
enum Place {
    /// Below the pages, with this number; 0 for the pages themselves.
    Below(u64),
    /// On a page of its own.
    Page(u64),
}

/// The sources of a file; the first is meant where a plan names none.
pub(super) fn of(files: &Files, description: &str) -> Result<Vec<Series>, SourceError> {
    let stack = stack_pages(files);
    let count = stack.as_ref().map_or(files.pages(), |pages| pages.len() as u64);
    let first = stack.as_ref().and_then(|pages| pages.first()).map_or(0, |page| u64::from(*page));
    let samples = channels_of(files, first);
    let note = match ome::images(description, files.located.file_name()) {
        Some(images) => match images.and_then(|images| of_ome(files, &images)) {
            Ok(found) => return Ok(found),
            Err(note) => Some(note),
        },
        None => None,
    };
    let (axes, note) = match ImageJ::parse(description) {
        Some(sections) if note.is_none() => match imagej_axes(&sections, count, samples) {
            Ok(axes) => (Some(axes), None),
            Err(note) => (None, Some(note)),
        },
        _ => (None, note),
    };
    let plain = || if count > 1 { vec![('z', count)] } else { Vec::new() };
    Ok(vec![Series::new(files, Vec::new(), axes.unwrap_or_else(plain), stack, note)?])
}

/// The images of an OME-TIFF.
fn of_ome(files: &Files, images: &[ome::OmeImage]) -> Result<Vec<Series>, String> {
    let mut found = Vec::new();
    for image in images {
        let samples = channels_of(files, image.first_page());
        let planes = image.planes(samples, files.pages())?;
        let is_in_order = planes.pages.iter().zip(0..).all(|(page, n)| *page == n);
        let pages = if is_in_order { None } else { Some(planes.pages) };
        let names = if images.len() > 1 { vec![image.id.clone(), image.name.clone()] } else { Vec::new() };
        let note = match images.len() {
            1 => None,
            several => Some(format!("it is the first of {several} images; `dataset` names another")),
        };
        let note = note.filter(|_| found.is_empty());
        found.push(Series::new(files, names, planes.axes, pages, note).map_err(|error| error.to_string())?);
    }
    if found.is_empty() { Err("its OME-XML names no image".to_owned()) } else { Ok(found) }
}

fn imagej_axes(sections: &ImageJ, count: u64, samples: u64) -> Result<Vec<(char, u64)>, String> {
    let axes = sections.axes();
    let product = axes.iter().fold(1u64, |product, (_, length)| product.saturating_mul(*length));
    if product == count && !(samples > 1 && axes.len() > 1 && axes.iter().any(|(letter, _)| *letter == 'c')) {
        return Ok(axes);
    }
    if sections.images == count && product == 1 {
        return Ok(vec![('z', count)]);
    }
    Err(format!("its ImageJ description names {} sections, the file has {count}", product.max(sections.images)))
}

/// The pages that are sections: not smaller versions of others, nor masks; `None` where all are.
fn stack_pages(files: &Files) -> Option<Vec<u32>> {
    let is_section = |page: u64| match files.kind(page) {
        Some(Ok(page)) => !page.is_reduced && !page.is_mask,
        _ => true,
    };
    // A file of one kind of page, such as one with sections behind its only page, is all sections.
    let has_one_kind = files.index.places().windows(2).all(|pair| files.index.is_same(pair[0], pair[1]));
    if has_one_kind || (0..files.pages()).all(is_section) {
        return None;
    }
    let sections: Vec<u32> = (0..files.pages()).filter(|page| is_section(*page)).map(|page| page as u32).collect();
    Some(sections).filter(|sections| !sections.is_empty())
}

fn channels_of(files: &Files, page: u64) -> u64 {
    match files.kind(page) {
        Some(Ok(page)) => u64::from(page.header.channels.count()),
        _ => 1,
    }
}

impl Series {
    fn new(
        files: &Files,
        names: Vec<String>,
        mut axes: Vec<(char, u64)>,
        pages: Option<Vec<u32>>,
        note: Option<String>,
    ) -> Result<Self, SourceError> {
        let mut stack_axis = None;
        // Sections with one axis are a stack, whatever it is called: many writers call z time or channel.
        if let [(letter, _)] = &mut axes[..] {
            stack_axis = Some(std::mem::replace(letter, 'z')).filter(|letter| *letter != 'z');
        }
        let mut series = Series { names, axes, stack_axis, pages, levels: Vec::new(), is_alike: Ok(()), note };
        series.is_alike = series.check_alike(files);
        series.levels = series.find_levels(files)?;
        Ok(series)
    }

    /// Planes of the source.
    pub fn count(&self) -> u64 {
        self.axes.iter().map(|(_, length)| length).product()
    }

    /// Whether plane n is page n.
    pub fn is_in_order(&self) -> bool {
        self.pages.is_none()
    }

    /// The page of a plane, and the level below it.
    pub fn page(&self, plane: u64, level: &Level) -> (u64, u64) {
        match level.place {
            Place::Page(page) => (page, 0),
            Place::Below(nth) => (self.page_of(plane), nth),
        }
    }

    fn page_of(&self, plane: u64) -> u64 {
        match &self.pages {
            Some(pages) => pages.get(plane as usize).map_or(u64::MAX, |page| u64::from(*page)),
            None => plane,
        }
    }

    fn check_alike(&self, files: &Files) -> Result<(), Unsupported> {
        let all = files.pages();
        let kind = |plane| {
            let page = self.page_of(plane);
            match files.kind(page) {
                Some(Ok(kind)) => Ok((page, kind)),
                Some(Err(feature)) => Err(page_feature(page, all, feature)),
                None => Err(page_feature(page, all, &Feature::Other("fewer pages".to_owned()))),
            }
        };
        let (first_page, first) = kind(0)?;
        // Sections without pages of their own are all like the only page.
        let planes = if files.index.places().len() == 1 { 1 } else { self.count() };
        for plane in 1..planes {
            let (page, other) = kind(plane)?;
            let like = |page: u64, Header { size, dtype, channels, .. }| PageKind {
                page,
                size,
                dtype,
                channels: u64::from(channels.count()),
            };
            if !std::ptr::eq(first, other) && like(0, other.header) != like(0, first.header) {
                let pages = [like(page, other.header), like(first_page, first.header)];
                return Err(Unsupported::PagesDiffer(Box::new(pages)));
            }
        }
        Ok(())
    }

    /// The pages, then what lies below them, from fine to coarse. A file whose only section has smaller versions on pages of
    /// their own has those.
    fn find_levels(&self, files: &Files) -> Result<Vec<Level>, SourceError> {
        let first = self.page_of(0);
        let Some(page) = files.kind(first) else { return Ok(Vec::new()) };
        let mut levels = vec![Level { page: page.clone(), place: Place::Below(0) }];
        let Ok(page) = page else { return Ok(levels) };
        let below = files.levels(first)?;
        levels.extend(below.into_iter().zip(1..).map(|(page, nth)| Level { page, place: Place::Below(nth) }));
        if levels.len() == 1 && self.count() == 1 && self.names.is_empty() {
            for at in 0..files.pages() {
                if let Some(Ok(other)) = files.kind(at)
                    && other.is_reduced
                    && !other.is_mask
                    && (other.header.dtype, other.header.channels) == (page.header.dtype, page.header.channels)
                {
                    levels.push(Level { page: Ok(other.clone()), place: Place::Page(at) });
                }
            }
        }
        Ok(levels)
    }
}
