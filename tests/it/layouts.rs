//! Built-in scripts on images of other programs: ragged edges, extents that begin elsewhere, all kinds of voxels.
//!
//! `tests/foreign/make_images.py` makes the images, 61 × 37 voxels, from each voxel's coordinates.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use boss_ingest::volume::{Block, ChunkGrid, Dtype, Extent, Grid, Index, Size, Span, TileGrid, TileSize};
use serde_json::{Value, json};

use crate::support::offline;
use crate::support::web::Web;

fn images() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/images")
}

/// The voxel of the images at `(x, y)` of page z, `None` outside.
fn voxel(x: i64, y: i64, z: i64) -> Option<i64> {
    let is_there = (0..61).contains(&x) && (0..37).contains(&y) && (0..5).contains(&z);
    is_there.then_some(7 * x + 131 * y + 1009 * z + x * y)
}

fn tiles(x: (i64, i64), y: (i64, i64), t: (i64, i64), size: (u64, u64)) -> Grid {
    let span = |(start, stop)| Span::new(start, stop);
    let extent = Extent { x: span(x), y: span(y), z: Span::new(0, 5), t: span(t) };
    Grid::Tiles(TileGrid { extent, tile_size: TileSize { x: size.0, y: size.1 } })
}

fn chunks(x: (i64, i64), y: (i64, i64), z: (i64, i64), chunk_size: Size) -> Grid {
    let span = |(start, stop)| Span::new(start, stop);
    Grid::Chunks(ChunkGrid { extent: Extent { x: span(x), y: span(y), z: span(z), t: Span::new(0, 1) }, chunk_size })
}

/// A job in the folder of the images.
struct Layout {
    path: (&'static str, Value),
    data: (&'static str, Value),
    grid: Grid,
    dtype: Dtype,
}

impl Layout {
    fn read(&self, index: [i64; 4]) -> Result<Block, String> {
        self.read_in(&images(), index)
    }

    fn read_in(&self, dir: &Path, [x, y, z, t]: [i64; 4]) -> Result<Block, String> {
        let job = offline::job(dir, (self.path.0, &self.path.1), (self.data.0, &self.data.1), self.grid);
        offline::voxels(&job, self.dtype, Index::new(x, y, z, t))
    }

    /// Reads a task, and compares each voxel, counted from the task's first, in the low bits of the channel's type.
    fn must_give(&self, index: [i64; 4], expected: impl Fn(i64, i64, i64) -> Option<i64>) {
        let block = self.read(index).unwrap_or_else(|error| panic!("{}: {error}", self.data.0));
        compare(&block, &format!("{} at {index:?}", self.data.0), expected);
    }
}

fn compare(block: &Block, name: &str, expected: impl Fn(i64, i64, i64) -> Option<i64>) {
    let (size, item) = (block.size(), block.dtype().size_bytes());
    for (nth, found) in block.as_bytes().chunks_exact(item).enumerate() {
        let nth = nth as u64;
        let at = [nth % size.x, nth / size.x % size.y, nth / (size.x * size.y)].map(|at| at as i64);
        let value = expected(at[0], at[1], at[2]).unwrap_or(0);
        assert_eq!(found, &value.to_le_bytes()[..item], "{name}, voxel {at:?}");
    }
}

fn stack(name: &str, extension: &str) -> (&'static str, Value) {
    let params = json!({"root_dir": "", "base_filename": name, "extension": extension});
    ("ingestclient.plugins.stack.ZindexStackPathProcessor", params)
}

const STACK_TILE: &str = "ingestclient.plugins.stack.ZindexStackTileProcessor";

#[test]
fn tiles_of_a_section_are_cut_at_their_place_and_padded() {
    // Tiles that are not square, an extent that does not begin at 0: indices count from 0 all the same.
    let grid = tiles((20, 61), (16, 37), (0, 1), (20, 16));
    for (name, extension, dtype) in [
        ("grey16", "png", Dtype::Uint16),
        ("strips_lzw_16_be", "tif", Dtype::Uint16),
        ("tiles_deflate_16_le", "tif", Dtype::Uint64),
        ("int32_be", "tif", Dtype::Uint32),
    ] {
        let data = (STACK_TILE, json!({"filesystem": "local", "extension": extension}));
        let layout = Layout { path: stack(name, extension), data, grid, dtype };
        for index in [[1, 1, 0, 0], [2, 1, 4, 0], [3, 2, 0, 0]] {
            layout.must_give(index, |x, y, _| voxel(20 * index[0] + x, 16 * index[1] + y, 0));
        }
    }
}

#[test]
fn a_section_smaller_than_the_extent_is_padded_for_the_python_clients_class_and_told_otherwise() {
    let data = || (STACK_TILE, json!({"filesystem": "local", "extension": "png"}));
    let layout = |extent, dtype| {
        let grid = tiles((0, extent), (0, 37), (0, 1), (100, 64));
        Layout { path: stack("grey8", "png"), data: data(), grid, dtype }
    };
    layout(61, Dtype::Uint8).must_give([0, 0, 0, 0], |x, y, _| voxel(x, y, 0));
    layout(61, Dtype::Uint16).must_give([0, 0, 0, 0], |x, y, _| voxel(x, y, 0).map(|value| value & 255));
    layout(99, Dtype::Uint8).must_give([0, 0, 0, 0], |x, y, _| voxel(x, y, 0));
    let image = ("image", json!({}));
    let error = Layout { data: image, ..layout(62, Dtype::Uint8) }.read([0, 0, 0, 0]).unwrap_err();
    assert!(error.contains("has none at x 61..62, y 0..37"), "{error}");
    let wide = Layout { path: stack("grey16", "png"), ..layout(61, Dtype::Uint8) }.read([0, 0, 0, 0]).unwrap_err();
    assert!(wide.contains("which does not fit in uint8"), "{wide}");
}

#[test]
fn files_of_single_tiles_are_whole_tiles() {
    let folder = tempfile::tempdir().unwrap();
    for (name, image) in [("t_3_1_2.png", "grey8.png"), ("t_3_0_0.png", "interlaced8.png")] {
        fs::copy(images().join(image), folder.path().join(name)).unwrap();
    }
    // Each tile of the job has a file of its own, so nothing is cut out of it.
    let grid = tiles((0, 183), (0, 74), (0, 1), (61, 37));
    let data = (STACK_TILE, json!({"filesystem": "local", "extension": "png"}));
    let layout = Layout { path: stack("t_<z>_<y>_<x>", "png"), data, grid, dtype: Dtype::Uint8 };
    for index in [[2, 1, 3, 0], [0, 0, 3, 0]] {
        compare(&layout.read_in(folder.path(), index).unwrap(), "own files", |x, y, _| voxel(x, y, 0));
    }
    assert!(layout.read_in(folder.path(), [1, 1, 3, 0]).unwrap_err().ends_with("`t_3_1_1.png` does not exist"));
}

#[test]
fn tiles_of_catmaid_may_lack_and_may_not_be_too_large() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("2")).unwrap();
    fs::copy(images().join("grey16.png"), folder.path().join("2/1_0_0.png")).unwrap();
    let path = ("CatmaidFileImageStackPathProcessor", json!({"root_dir": "", "filetype": "png"}));
    let layout = |missing: &str, size| {
        let data = ("catmaid_file_stack", json!({"filetype": "png", "missing": missing}));
        Layout { path: path.clone(), data, grid: tiles((0, 61), (0, 77), (0, 1), size), dtype: Dtype::Uint16 }
    };
    // The last row ends with the image, in the middle of its tile.
    let block = layout("fill", (64, 40)).read_in(folder.path(), [0, 1, 2, 0]).unwrap();
    compare(&block, "last row", |x, y, _| voxel(x, y, 0));
    assert!(layout("fill", (64, 40)).read_in(folder.path(), [0, 0, 2, 0]).unwrap().is_zero());
    assert!(layout("error", (64, 40)).read_in(folder.path(), [0, 0, 2, 0]).is_err());
    let small = layout("error", (61, 36)).read_in(folder.path(), [0, 1, 2, 0]).unwrap_err();
    assert!(small.contains("does not fit in the 61 × 36 × 1 of its task"), "{small}");
}

/// The three ways in which CATMAID's servers name tiles, behind a URL; a tile that a server does not have is not there.
#[test]
fn tiles_of_catmaid_servers_are_read_over_http() {
    let folder = tempfile::tempdir().unwrap();
    for (name, file) in [("file", "2/1_0_0.png"), ("zoom_level", "0/2/1_0.png"), ("directory", "0/2/1/0.png")] {
        let file = folder.path().join(name).join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::copy(images().join("grey16.png"), file).unwrap();
    }
    let web = Web::serve(folder.path(), Duration::ZERO);
    for name in ["file", "zoom_level", "directory"] {
        let root = format!("{}/{name}", web.origin);
        let path = ("catmaid_file_stack", json!({"root_dir": root, "filetype": "png", "layout": name}));
        let data = ("catmaid_file_stack", json!({"filetype": "png", "missing": "fill"}));
        let layout = Layout { path, data, grid: tiles((0, 61), (0, 77), (0, 3), (64, 40)), dtype: Dtype::Uint16 };
        let block = layout.read_in(folder.path(), [0, 1, 2, 0]).unwrap();
        compare(&block, name, |x, y, _| voxel(x, y, 0));
        assert!(layout.read_in(folder.path(), [0, 0, 2, 0]).unwrap().is_zero(), "{name}");
        let strict = Layout { data: ("catmaid_file_stack", json!({"filetype": "png"})), ..layout };
        let missing = strict.read_in(folder.path(), [0, 0, 2, 0]).unwrap_err();
        assert!(missing.contains(&web.origin) && missing.contains("does not exist"), "{missing}");
    }
}

#[test]
fn pages_are_time_samples() {
    let data = ("SingleTimeTiffTileProcessor", json!({"datatype": "uint16"}));
    for (name, mask, dtype) in [
        ("pages_16_be.tif", 0xffff, Dtype::Uint16),
        ("pages_8.tif", 0xff, Dtype::Uint16),
        ("pages_8.tif", 0xff, Dtype::Uint8),
    ] {
        let path = ("SingleTimeTiffPathProcessor", json!({"z_3": name}));
        // The extent is wider than the pages: zeros there, as wherever the client cut tiles short.
        let grid = tiles((0, 75), (0, 40), (2, 5), (25, 40));
        let layout = Layout { path, data: data.clone(), grid, dtype };
        for index in [[0, 0, 3, 2], [2, 0, 3, 4]] {
            layout.must_give(index, |x, y, _| voxel(25 * index[0] + x, y, index[3]).map(|value| value & mask));
        }
        assert!(layout.read([0, 0, 3, 1]).unwrap_err().contains("time sample t 1 is outside of the job's extent"));
        assert!(layout.read([0, 0, 2, 2]).unwrap_err().contains("there is no parameter `z_2`"));
    }
}

#[test]
fn pages_of_hyperstacks_are_channel_section_time() {
    // Five pages: two time samples of two channels, and one left over.
    let path = (
        "TiffMultiFileHyperStackPathProcessor",
        json!({"root_dir": "", "base_filename": "pages_16_be", "extension": "tif", "time_chunk_size": "2"}),
    );
    let data = (
        "TiffMultiFileHyperStackTileProcessor",
        json!({"time_chunk_size": 2, "num_z_slices": 1, "num_channels": 2, "channel_index": 1, "filesystem": "local"}),
    );
    let layout = Layout { path, data, grid: tiles((0, 61), (0, 37), (0, 9), (31, 20)), dtype: Dtype::Uint16 };
    for (t, page) in [(0, 1), (1, 3), (6, 1), (7, 3)] {
        layout.must_give([1, 1, 0, t], |x, y, _| voxel(31 + x, 20 + y, page));
    }
    let sections = ("tiff_hyperstack", json!({"time_chunk_size": 1, "num_z_slices": 5}));
    Layout { data: sections.clone(), path: ("tiff_hyperstack", layout.path.1.clone()), ..layout }
        .must_give([0, 0, 4, 0], |x, y, _| voxel(x, y, 4));
}

#[test]
fn volumes_give_tiles_and_chunks() {
    let none = || ("volume", json!({}));
    let path = |name: &str| ("volume", json!({"path": name}));
    let size = Size::new(40, 24, 4);
    let chunked = Layout {
        path: path("pages_16_be.tif"),
        data: none(),
        grid: chunks((0, 61), (0, 37), (0, 5), size),
        dtype: Dtype::Uint32,
    };
    chunked.must_give([1, 1, 1, 0], |x, y, z| voxel(40 + x, 24 + y, 4 + z));
    chunked.must_give([0, 0, 0, 0], voxel);
    let shifted = ("volume", json!({"x_offset": -3, "y_offset": 2, "z_offset": 1, "fill": 9}));
    let shifted = Layout { data: shifted, grid: chunks((0, 40), (0, 24), (0, 8), size), ..chunked };
    shifted.must_give([0, 0, 1, 0], |x, y, z| Some(voxel(x - 3, y + 2, z + 5).unwrap_or(9)));
    let times = ("volume", json!({"axes": "tyx"}));
    let timed = Layout {
        path: path("pages_8.tif"),
        data: times,
        grid: tiles((0, 61), (0, 37), (0, 5), (61, 37)),
        dtype: Dtype::Uint8,
    };
    timed.must_give([0, 0, 2, 3], |x, y, _| voxel(x, y, 3));
}

#[test]
fn patterns_need_no_files() {
    let pattern = ("test_pattern", json!({"dtype": "uint64"}));
    let layout = Layout {
        path: pattern.clone(),
        data: ("test_pattern", json!({})),
        grid: tiles((0, 4000), (0, 4000), (0, 1), (30, 20)),
        dtype: Dtype::Uint64,
    };
    layout.must_give([7, 90, 4, 0], |x, y, _| Some((210 + x) + 7 * (1800 + y) + 101 * 4));
    let chunked = Layout { grid: chunks((0, 64), (0, 64), (0, 64), Size::new(16, 8, 4)), ..layout };
    chunked.must_give([1, 2, 3, 0], |x, y, z| Some((16 + x) + 7 * (16 + y) + 101 * (12 + z)));
    let noise = ("TestRandomTileProcessor", json!({}));
    let noise = Layout {
        path: ("TestPathProcessor", json!({})),
        data: noise,
        grid: tiles((0, 90), (0, 40), (0, 1), (30, 20)),
        dtype: Dtype::Uint8,
    };
    let tile = noise.read([2, 1, 0, 0]).unwrap();
    assert!(tile.as_bytes().iter().all(|value| (1..=253).contains(value)));
    assert!(tile != noise.read([1, 1, 0, 0]).unwrap() && tile == noise.read([2, 1, 0, 0]).unwrap());
}
