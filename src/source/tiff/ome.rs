//! What OME-XML in the description of a file's first page says about its pages.
//!
//! Specification: OME model 2016-06, <https://docs.openmicroscopy.org/ome-model/latest/ome-tiff/specification.html>.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// One image of a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct OmeImage {
    pub id: String,
    pub name: String,
    /// The letters of `DimensionOrder`, fastest first.
    order: String,
    sizes: [u64; 3],
    data: Vec<TiffData>,
}

/// Where some of an image's planes are.
#[derive(Debug, Default, PartialEq, Eq)]
struct TiffData {
    page: Option<u64>,
    count: Option<u64>,
    /// z, c, t of the first.
    first: [u64; 3],
    /// The file they are in, by its identifier and name, where it is named.
    uuid: String,
    file: Option<String>,
}

/// The pages of an image.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Planes {
    /// Slowest first, without those of length 1.
    pub axes: Vec<(char, u64)>,
    /// The page of each plane, in the order of the axes.
    pub pages: Vec<u32>,
}

/// The images of a description, or `None` when it is no OME-XML. The error tells why it says nothing about this file's pages.
pub(super) fn images(text: &str, file_name: &str) -> Option<Result<Vec<OmeImage>, String>> {
    let start = text.trim_start_matches('\u{feff}').trim_start();
    let is_ome = start.starts_with('<') && (start.contains("<OME") || start.contains(":OME"));
    is_ome.then(|| parse(start, file_name))
}

fn parse(text: &str, file_name: &str) -> Result<Vec<OmeImage>, String> {
    let mut reader = Reader::from_str(text);
    let (mut own, mut images, mut is_uuid) = (String::new(), Vec::<OmeImage>::new(), false);
    loop {
        let event = reader.read_event().map_err(|error| format!("its OME-XML cannot be read: {error}"))?;
        match &event {
            Event::Eof => break,
            Event::Text(text) if is_uuid => {
                if let Some(data) = images.last_mut().and_then(|image| image.data.last_mut()) {
                    data.uuid = text.decode().unwrap_or_default().trim().to_owned();
                }
            }
            Event::Start(element) | Event::Empty(element) => {
                is_uuid = element.local_name().as_ref() == b"UUID" && matches!(event, Event::Start(_));
                match element.local_name().as_ref() {
                    b"OME" => own = attribute(element, "UUID").unwrap_or_default(),
                    b"BinaryOnly" => return Err("its OME-XML lies in another file".to_owned()),
                    b"Image" => images.push(OmeImage {
                        id: attribute(element, "ID").unwrap_or_default(),
                        name: attribute(element, "Name").unwrap_or_default(),
                        ..OmeImage::default()
                    }),
                    name => {
                        if let Some(image) = images.last_mut() {
                            image.take(name, element);
                        }
                    }
                }
            }
            _ => is_uuid = false,
        }
    }
    for data in images.iter().flat_map(|image| &image.data) {
        let is_here = |file: &str| (!own.is_empty() && data.uuid == own) || file == file_name;
        if let Some(file) = data.file.as_deref().filter(|file| !is_here(file)) {
            return Err(format!("some of its planes lie in `{file}`"));
        }
    }
    Ok(images)
}

impl OmeImage {
    fn take(&mut self, name: &[u8], element: &BytesStart<'_>) {
        let number = |name| attribute(element, name).and_then(|value| value.parse().ok());
        match name {
            b"Pixels" => {
                self.order = attribute(element, "DimensionOrder").unwrap_or_default();
                self.sizes = ["SizeZ", "SizeC", "SizeT"].map(|size| number(size).unwrap_or(1));
            }
            b"TiffData" => self.data.push(TiffData {
                page: number("IFD"),
                count: number("PlaneCount"),
                first: ["FirstZ", "FirstC", "FirstT"].map(|first| number(first).unwrap_or(0)),
                ..TiffData::default()
            }),
            b"UUID" => {
                if let Some(data) = self.data.last_mut() {
                    data.file = attribute(element, "FileName");
                }
            }
            _ => {}
        }
    }

    /// One of the image's pages.
    pub fn first_page(&self) -> u64 {
        self.data.first().and_then(|data| data.page).unwrap_or(0)
    }

    /// The pages of the image, of which each has `samples` channels, in a file with `pages`.
    ///
    /// # Errors
    /// In words, where they do not match.
    pub fn planes(&self, samples: u64, pages: u64) -> Result<Planes, String> {
        let [z, c, t] = self.sizes;
        let letters: Vec<char> =
            self.order.strip_prefix("XY").unwrap_or_default().to_ascii_lowercase().chars().collect();
        let mut sorted = letters.clone();
        sorted.sort_unstable();
        if sorted != ['c', 't', 'z'] || [z, c, t, samples].contains(&0) || c % samples != 0 {
            return Err("its OME-XML names no axes".to_owned());
        }
        let length = |letter: &char| match letter {
            'z' => z,
            'c' => c / samples,
            _ => t,
        };
        let count = letters.iter().fold(1u64, |count, letter| count.saturating_mul(length(letter)));
        if count > pages {
            return Err(format!("its OME-XML names {count} planes, the file has {pages} pages"));
        }
        let lacking = || "its OME-XML does not say on which page each plane is".to_owned();
        let mut planes = vec![None; count as usize];
        let everything = [TiffData::default()];
        for data in if self.data.is_empty() { &everything[..] } else { &self.data } {
            let [first_z, first_c, first_t] = data.first;
            let at = |letter: &char| match letter {
                'z' => first_z,
                'c' => first_c / samples,
                _ => first_t,
            };
            let mut first = 0u64;
            for letter in letters.iter().rev() {
                first = first.saturating_mul(length(letter)).saturating_add(at(letter));
            }
            let first = usize::try_from(first).ok().filter(|first| *first < planes.len()).ok_or_else(lacking)?;
            let most = (planes.len() - first) as u64;
            let count = data.count.unwrap_or(if data.page.is_some() { 1 } else { most }).min(most);
            let page = data.page.unwrap_or(0);
            for (plane, page) in planes[first..].iter_mut().zip(page..).take(count as usize) {
                *plane = u32::try_from(page).ok().filter(|page| u64::from(*page) < pages);
            }
        }
        let pages = planes.into_iter().collect::<Option<Vec<u32>>>().ok_or_else(lacking)?;
        let axes = letters.iter().rev().map(|letter| (*letter, length(letter)));
        Ok(Planes { axes: axes.filter(|(_, length)| *length > 1).collect(), pages })
    }
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = element.try_get_attribute(name).ok()??;
    Some(attribute.normalized_value(XmlVersion::Implicit1_0).ok()?.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planes(pixels: &str, samples: u64, pages: u64) -> Result<Planes, String> {
        let text = format!(
            "<?xml version=\"1.0\"?><OME xmlns=\"x\" UUID=\"u:1\"><Image ID=\"Image:0\">{pixels}</Image></OME>"
        );
        images(&text, "a.ome.tif").unwrap()?[0].planes(samples, pages)
    }

    #[test]
    fn planes_lie_in_the_order_of_the_dimensions() {
        let pixels = r#"<Pixels DimensionOrder="XYCZT" SizeZ="3" SizeC="2" SizeT="1"><TiffData IFD="0" PlaneCount="6"/></Pixels>"#;
        let expected = Planes { axes: vec![('z', 3), ('c', 2)], pages: (0..6).collect() };
        assert_eq!(planes(pixels, 1, 6), Ok(expected));
        let pixels = r#"<Pixels DimensionOrder="XYZTC" SizeZ="1" SizeC="3" SizeT="2"><TiffData/></Pixels>"#;
        assert_eq!(planes(pixels, 3, 2), Ok(Planes { axes: vec![('t', 2)], pages: vec![0, 1] }));
    }

    #[test]
    fn each_plane_may_name_its_page() {
        let pixels = r#"<Pixels DimensionOrder="XYZCT" SizeZ="2" SizeC="2" SizeT="1">
            <TiffData FirstC="1" IFD="0"/><TiffData FirstZ="1" IFD="1"><UUID FileName="b.tif">u:1</UUID></TiffData>
            <TiffData IFD="2"><UUID FileName="a.ome.tif">u:7</UUID></TiffData><TiffData FirstZ="1" FirstC="1" IFD="3"/></Pixels>"#;
        let expected = Planes { axes: vec![('c', 2), ('z', 2)], pages: vec![2, 1, 0, 3] };
        assert_eq!(planes(pixels, 1, 4), Ok(expected));
    }

    #[test]
    fn what_does_not_match_is_told() {
        let cases = [
            (r#"<Pixels DimensionOrder="XYZCT" SizeZ="9"/>"#, "its OME-XML names 9 planes, the file has 4 pages"),
            (r#"<Pixels DimensionOrder="XYZZT" SizeZ="2"/>"#, "its OME-XML names no axes"),
            (
                r#"<Pixels DimensionOrder="XYZCT" SizeZ="2"><TiffData IFD="0"/></Pixels>"#,
                "its OME-XML does not say on which page each plane is",
            ),
            (
                r#"<Pixels DimensionOrder="XYZCT" SizeZ="2"><TiffData><UUID FileName="b.tif">u:2</UUID></TiffData></Pixels>"#,
                "some of its planes lie in `b.tif`",
            ),
            ("<BinaryOnly MetadataFile=\"b\"/>", "its OME-XML lies in another file"),
        ];
        for (pixels, expected) in cases {
            assert_eq!(planes(pixels, 1, 4), Err(expected.to_owned()));
        }
        assert!(images("<OME><Image></OME>", "").unwrap().is_err());
        assert!(images("{}", "").is_none());
    }
}
