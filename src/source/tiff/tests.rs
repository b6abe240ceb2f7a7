use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::super::conformance::{
    damage_is_survived, damage_is_survived_with, foreign, foreign_voxel, open_file, remotes, voxels_are_right,
};
use super::*;
use crate::codec::tiff::TiffFile;
use crate::volume::{Dtype, Size, Span};

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
        ("white_is_zero_signed", "is a tiff image with white as 0 in samples that are not unsigned integers"),
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

/// The files of `tests/foreign/make_tiff.py`.
fn more(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tiff").join(format!("{name}.tif"))
}

fn open_more(name: &str) -> Arc<dyn RegionReader> {
    open_file(&more(name)).unwrap()
}

fn at(select: &[(char, u64)]) -> Selection {
    Selection { select: select.iter().copied().collect(), ..Selection::default() }
}

fn level(level: u64) -> Selection {
    Selection { level: Some(level), ..Selection::default() }
}

/// Looks at each section of a file whose sections are numbered in their order on `axes`.
fn sections_are_right(name: &str, axes: &[(char, u64)]) {
    let reader = open_more(name);
    let info = reader.info(&Selection::default()).unwrap();
    let letters: String = axes.iter().map(|(letter, _)| *letter).chain(['y', 'x']).collect();
    assert_eq!((info.axes.as_str(), info.note.as_ref()), (letters.as_str(), None), "{name}");
    let count: u64 = axes.iter().map(|(_, length)| length).product();
    for section in 0..count {
        let mut rest = section;
        let mut select = Vec::new();
        for (letter, length) in axes.iter().rev() {
            select.push((*letter, rest % length));
            rest /= length;
        }
        voxels_are_right(&*reader, &at(&select), |x, y, _| foreign_voxel(x, y, section as i64));
        let page = Selection { page: Some(section), ..Selection::default() };
        voxels_are_right(&*reader, &page, |x, y, _| foreign_voxel(x, y, section as i64));
    }
    let error = reader.info(&Selection { page: Some(count), ..Selection::default() }).unwrap_err();
    assert!(matches!(error, SourceError::Plan { mistake: PlanMistake::NoSuchPage { .. }, .. }), "{error}");
}

#[test]
fn the_sections_of_imagej_have_axes() {
    sections_are_right("imagej_tzc", &[('t', 2), ('z', 3), ('c', 4)]);
    sections_are_right("imagej_zc", &[('z', 3), ('c', 2)]);
    sections_are_right("imagej_hidden_tc", &[('t', 2), ('c', 3)]);
}

#[test]
fn what_is_left_of_the_axes_is_an_image() {
    let reader = open_more("imagej_tzc");
    voxels_are_right(&*reader, &at(&[('t', 1), ('c', 2)]), |x, y, z| foreign_voxel(x, y, 12 + 4 * z + 2));
    voxels_are_right(&*reader, &at(&[('t', 1), ('z', 2)]), |x, y, c| foreign_voxel(x, y, 12 + 8 + c));
    // x and y are axes like others: here y is the time, and x the depth.
    voxels_are_right(&*reader, &at(&[('c', 3), ('x', 4)]), |y, z, t| foreign_voxel(4, y, 12 * t + 4 * z + 3));
    let one = Region::of_size(Size::new(1, 1, 1));
    let error = reader.read(&at(&[('t', 1)]), &one).unwrap_err();
    assert!(error.to_string().contains("needs exactly one position in `select` for the axis"), "{error}");
}

#[test]
fn a_stack_is_z_whatever_the_file_calls_it() {
    for (name, letter, dtype) in [("t", Some('t'), "uint16"), ("c", Some('c'), "uint16"), ("z", None, "float32")] {
        let reader = open_more(&format!("imagej_{name}"));
        let info = reader.info(&Selection::default()).unwrap();
        assert_eq!((info.axes.as_str(), info.stack_axis, info.dtype.name()), ("zyx", letter, dtype));
        voxels_are_right(&*reader, &Selection::default(), foreign_voxel);
    }
    let channel = Selection { colour: Colour::Channel(2), ..Selection::default() };
    voxels_are_right(&*open_more("imagej_c"), &channel, |x, y, _| foreign_voxel(x, y, 2));
}

#[test]
fn sections_behind_the_only_page_are_read() {
    voxels_are_right(&*open_more("imagej_hidden"), &Selection::default(), foreign_voxel);
    is_right("imagej_hidden", Dtype::Uint8, foreign_voxel);
    let cut = tempfile::NamedTempFile::new().unwrap();
    let bytes = fs::read(more("imagej_hidden")).unwrap();
    fs::write(cut.path(), &bytes[..bytes.len() - 19 * 31 * 2]).unwrap();
    let error = open_file(cut.path()).err().unwrap();
    assert!(matches!(error, SourceError::Damaged { .. }), "{error}");
}

#[test]
fn colours_may_have_axes_too() {
    let reader = open_more("imagej_rgb");
    let info = reader.info(&Selection::default()).unwrap();
    assert_eq!((info.axes.as_str(), info.channels), ("tzyxc", 3));
    let selection = Selection { colour: Colour::Channel(1), ..at(&[('t', 1)]) };
    voxels_are_right(&*reader, &selection, |x, y, z| foreign_voxel(x, y, 3 + z));
    let selection = Selection { colour: Colour::Gray, ..Selection::default() };
    voxels_are_right(&*open_more("ome_rgb.ome"), &selection, foreign_voxel);
}

#[test]
fn the_planes_of_ome_have_axes() {
    sections_are_right("ome_tzc.ome", &[('t', 2), ('z', 3), ('c', 2)]);
    sections_are_right("ome_ctz.ome", &[('c', 2), ('t', 2), ('z', 3)]);
    voxels_are_right(&*open_more("ome_z.ome"), &Selection::default(), foreign_voxel);
    let shuffled = open_more("ome_shuffled.ome");
    voxels_are_right(&*shuffled, &at(&[('c', 1)]), |x, y, z| foreign_voxel(x, y, 5 - z));
}

#[test]
fn a_file_may_hold_several_images() {
    let reader = open_more("ome_two.ome");
    let info = reader.info(&Selection::default()).unwrap();
    assert_eq!(info.note.as_deref(), Some("it is the first of 2 images; `dataset` names another"));
    voxels_are_right(&*reader, &at(&[('t', 1)]), |x, y, c| foreign_voxel(x, y, 2 + c));
    for name in ["second", "Image:1"] {
        let second = Selection { dataset: Some(name.to_owned()), ..Selection::default() };
        voxels_are_right(&*reader, &second, foreign_voxel);
    }
    let error = reader.info(&Selection { dataset: Some("third".to_owned()), ..Selection::default() }).unwrap_err();
    assert_eq!(error.hint().unwrap(), "the file holds `Image:0`, `Image:1`");
}

#[test]
fn what_does_not_match_is_plain_pages_and_says_so() {
    let cases = [
        ("imagej_other", "its ImageJ description names 6 sections, the file has 3"),
        ("ome_elsewhere.ome", "some of its planes lie in `other.ome.tif`"),
    ];
    for (name, note) in cases {
        let reader = open_more(name);
        let info = reader.info(&Selection::default()).unwrap();
        assert_eq!((info.axes.as_str(), info.note.as_deref()), ("zyx", Some(note)));
        assert!(info.to_string().ends_with(note), "{info}");
        voxels_are_right(&*reader, &Selection::default(), foreign_voxel);
    }
}

#[test]
fn coarser_versions_are_levels() {
    let sizes = [(61, 37), (30, 18), (15, 9)];
    for (name, depth) in [("pyramid.ome", 3), ("overviews", 1)] {
        let reader = open_more(name);
        for ((width, height), n) in sizes.into_iter().zip(0..) {
            assert_eq!(reader.info(&level(n)).unwrap().size, Size::new(width, height, depth), "{name}");
            voxels_are_right(&*reader, &level(n), foreign_voxel);
        }
        let error = reader.info(&level(3)).unwrap_err();
        assert!(error.to_string().ends_with("wants level 3, counted from 0, of 3"), "{error}");
    }
}

#[test]
fn rare_samples_and_storage_are_right() {
    let is_right = |name: &str, dtype, expected: fn(i64, i64, i64) -> i64| {
        let reader = open_more(name);
        assert_eq!(reader.info(&Selection::default()).unwrap().dtype, dtype, "{name}");
        voxels_are_right(&*reader, &Selection::default(), expected);
    };
    let half = |x, y, z| half::f16::from_f32(foreign_voxel(x, y, z) as f32).to_f32() as i64;
    is_right("half", Dtype::Float32, half);
    is_right("half_predictor", Dtype::Float32, half);
    is_right("old_deflate", Dtype::Uint8, foreign_voxel);
    is_right("zstd_predictor", Dtype::Int32, foreign_voxel);
    is_right("bits_12", Dtype::Uint16, |x, y, z| foreign_voxel(x, y, z) & 4095);
    is_right("bits_12_white", Dtype::Uint16, |x, y, z| 4095 - (foreign_voxel(x, y, z) & 4095));
    is_right("fill_order", Dtype::Uint8, |x, y, z| 255 * (foreign_voxel(x, y, z) & 1));
    let sparse = |x, y, z| if y >= 32 || (y < 16 && (16..32).contains(&x)) { 0 } else { foreign_voxel(x, y, z) };
    is_right("sparse", Dtype::Uint16, sparse);
}

#[test]
fn what_cannot_be_unpacked_is_refused_by_name() {
    for (name, expected) in [
        ("refused_lzma", "LZMA"),
        ("refused_webp", "WebP"),
        ("refused_jpeg2000", "JPEG 2000"),
        ("refused_lerc", "LERC"),
        ("refused_jpegxl", "JPEG XL"),
        ("old_jpeg", "old JPEG"),
    ] {
        let error = open_more(name).info(&Selection::default()).unwrap_err();
        assert!(error.to_string().ends_with(&format!("is a tiff image with {expected} compression")), "{error}");
    }
}

#[test]
fn damage_of_every_kind_of_file_is_survived() {
    for name in ["sparse", "half_predictor", "bits_12", "imagej_hidden", "zstd_predictor", "old_deflate", "ome_z.ome"] {
        damage_is_survived(&more(name));
    }
    damage_is_survived_with(&more("pyramid.ome"), &level(1));
    damage_is_survived_with(&more("overviews"), &level(2));
    for name in ["ome_tzc.ome", "imagej_tzc"] {
        damage_is_survived_with(&more(name), &at(&[('t', 1), ('c', 1)]));
    }
    damage_is_survived_with(&more("ome_shuffled.ome"), &at(&[('c', 1)]));
    damage_is_survived_with(&more("imagej_hidden_tc"), &at(&[('c', 1)]));
}

/// Writes a file by hand: a header, one directory with these tags of long numbers, and a text; the numbers of the last tags, of
/// which there are many, lie behind it. Gives where the file goes on.
fn write_header(file: &mut File, tags: &[(u16, u32)], text: &str, lists: &[(u16, Vec<u32>)]) -> u64 {
    let entries = tags.len() + lists.len() + 1;
    let text_at = 8 + 2 + 12 * entries as u32 + 4;
    let mut bytes = b"MM\0*\0\0\0\x08".to_vec();
    bytes.extend((entries as u16).to_be_bytes());
    let mut entry = |tag: u16, kind: u16, count: u32, value: u32| {
        bytes.extend(tag.to_be_bytes().iter().chain(&kind.to_be_bytes()));
        bytes.extend(count.to_be_bytes().iter().chain(&value.to_be_bytes()));
    };
    tags.iter().for_each(|(tag, value)| entry(*tag, 4, 1, *value));
    entry(270, 2, text.len() as u32, text_at);
    let mut at = text_at + text.len() as u32;
    for (tag, numbers) in lists {
        entry(*tag, 4, numbers.len() as u32, at);
        at += 4 * numbers.len() as u32;
    }
    bytes.extend([0; 4]);
    bytes.extend(text.as_bytes());
    lists.iter().flat_map(|(_, numbers)| numbers).for_each(|number| bytes.extend(number.to_be_bytes()));
    file.write_all(&bytes).unwrap();
    bytes.len() as u64
}

#[test]
fn imagej_files_above_4_gb_are_read() {
    const SIDE: u64 = 20_000;
    let (section_bytes, sections) = (SIDE * SIDE * 2, 6);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.tif");
    let mut file = File::create(&path).unwrap();
    let side = SIDE as u32;
    let tags = [(256, side), (257, side), (258, 16), (259, 1), (262, 1), (273, 4096), (278, side), (279, 800_000_000)];
    write_header(&mut file, &tags, "ImageJ=1.54f\nimages=6\nslices=3\nframes=2\nhyperstack=true\n\0", &[]);
    // The file has holes: only these rows are written.
    for section in 0..sections {
        for y in [0, 9_999, SIDE - 1] {
            let row: Vec<u8> =
                (0..SIDE).flat_map(|x| (foreign_voxel(x as i64, y as i64, section) as u16).to_be_bytes()).collect();
            file.seek(SeekFrom::Start(4096 + section as u64 * section_bytes + y * SIDE * 2)).unwrap();
            file.write_all(&row).unwrap();
        }
    }
    let reader = open_file(&path).unwrap();
    let info = reader.info(&Selection::default()).unwrap();
    assert_eq!((info.axes.as_str(), info.pages, info.file_bytes), ("tzyx", 6, 4096 + 6 * section_bytes));
    for section in [0, 2, 5] {
        for y in [0, 9_999, SIDE as i64 - 1] {
            let region = Region::new(Span::new(19_000, 20_000), Span::one(y), Span::one(0));
            let page = Selection { page: Some(section), ..Selection::default() };
            let read = reader.read(&page, &region).unwrap();
            let expected = (19_000..20_000).flat_map(|x| (foreign_voxel(x, y, section as i64) as u16).to_le_bytes());
            assert!(read.as_bytes().iter().copied().eq(expected), "section {section}, y {y}");
        }
    }
    let region = Region::new(Span::new(5, 8), Span::new(9_998, 10_001), Span::new(0, 3));
    let read = reader.read(&at(&[('t', 1)]), &region).unwrap();
    let voxel = |x: i64, y: i64, z: i64| if y == 9_999 { foreign_voxel(x, y, 3 + z) as u16 } else { 0 };
    let all = (0..3).flat_map(|z| (9_998..10_001).flat_map(move |y| (5..8).map(move |x| (x, y, z))));
    assert!(read.as_bytes().iter().copied().eq(all.flat_map(|(x, y, z)| voxel(x, y, z).to_le_bytes())));
    file.set_len(4096 + 5 * section_bytes).unwrap();
    let error = open_file(&path).err().unwrap();
    assert!(matches!(error, SourceError::Damaged { .. }), "{error}");
}

/// A stream that counts what is read of it.
struct Counting(File, Arc<AtomicU64>);

impl Read for Counting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(buffer)?;
        self.1.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl Seek for Counting {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn a_window_of_a_large_image_reads_its_blocks_and_the_headers() {
    const SIDE: u32 = 20_000;
    const TILE: u32 = 256;
    let tiles = SIDE.div_ceil(TILE) * SIDE.div_ceil(TILE);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiled.tif");
    let mut file = File::create(&path).unwrap();
    let first = 1 << 16;
    let offsets = (0..tiles).map(|tile| first + tile * TILE * TILE).collect();
    let lists = [(324, offsets), (325, vec![TILE * TILE; tiles as usize])];
    let tags = [(256, SIDE), (257, SIDE), (258, 8), (259, 1), (262, 1), (322, TILE), (323, TILE)];
    write_header(&mut file, &tags, "\0", &lists);
    file.set_len(u64::from(first + tiles * TILE * TILE)).unwrap();
    let count = Arc::new(AtomicU64::new(0));
    let counting = || Counting(File::open(&path).unwrap(), Arc::clone(&count));
    TiffFile::open(counting()).unwrap().pages().unwrap();
    let headers = count.load(Ordering::Relaxed);
    let located = Located::find(Path::new(""), path.to_str().unwrap(), &remotes()).unwrap();
    let reader = TiffReader::open(&located, &Arc::new(Shared::new(1 << 30, 1 << 30))).unwrap();
    reader.files.read_with(Box::new(counting()));
    let window = Region::new(Span::new(1000, 1512), Span::new(3000, 3512), Span::one(0));
    assert!(reader.read(&Selection::default(), &window).unwrap().is_zero());
    let all = count.load(Ordering::Relaxed);
    println!("{headers} bytes to open, {} for a window of 512 × 512 in 20000 × 20000", all - headers);
    // The tiles' positions and lengths, and nine tiles at most.
    assert!(headers <= 16 << 10 && all - headers <= u64::from(8 * tiles + 9 * TILE * TILE) + (32 << 10), "{all}");
}

#[test]
fn pages_that_are_alike_take_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pages.tif");
    let mut file = io::BufWriter::new(File::create(&path).unwrap());
    file.write_all(b"II*\0\x08\0\0\0").unwrap();
    let tags = [(256u16, 4u32), (257, 4), (258, 8), (259, 1), (262, 1), (273, 0), (278, 4), (279, 16)];
    let directory_bytes = 2 + 12 * tags.len() as u32 + 4;
    const PAGES: u32 = 100_000;
    for page in 0..PAGES {
        let at = 8 + page * (directory_bytes + 16);
        file.write_all(&(tags.len() as u16).to_le_bytes()).unwrap();
        for (tag, value) in tags {
            let value = if tag == 273 { at + directory_bytes } else { value };
            file.write_all(&[&tag.to_le_bytes()[..], &4u16.to_le_bytes(), &1u32.to_le_bytes()].concat()).unwrap();
            file.write_all(&value.to_le_bytes()).unwrap();
        }
        let next = if page + 1 == PAGES { 0 } else { at + directory_bytes + 16 };
        file.write_all(&next.to_le_bytes()).unwrap();
        file.write_all(&[page as u8; 16]).unwrap();
    }
    file.flush().unwrap();
    let start = std::time::Instant::now();
    let reader = open_file(&path).unwrap();
    println!("{:?} to open {PAGES} pages, which take {} bytes", start.elapsed(), reader.held_bytes());
    assert!(reader.held_bytes() < (4 << 20) + 16 * u64::from(PAGES));
    let region = Region::new(Span::one(3), Span::one(1), Span::new(99_900, 100_000));
    let read = reader.read(&Selection::default(), &region).unwrap();
    assert!(read.as_bytes().iter().copied().eq((99_900..100_000u32).map(|page| page as u8)));
}
