//! The Python client's cuboids, made of arrays in all its axis orders, against how chunks are cut and compressed here.

use boss_ingest::codec::{self, BloscSettings};
use boss_ingest::source::{Plan, ReadPlan, SourceError, Sources, Step, Target};
use boss_ingest::volume::{Block, CUBOID, Dtype, Region, Size};
use serde_json::Value;

use super::array::sha256;
use super::case::index_file;

/// Arrays that are no chunk: two time samples, and too few axes.
const NO_CHUNKS: [&str; 3] = ["cub-xyzt-t2@0,0,0", "cub-xyzt-3d@0,0,0", "cub-zyx-2d@0,0,0"];

#[test]
fn cuboids_are_those_of_the_python_client() {
    let index = index_file();
    let (mut compared, mut mended) = (0, 0);
    let mut last = None;
    for case in index["cuboids"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        if NO_CHUNKS.contains(&id) {
            continue;
        }
        let array = Pattern::of(case);
        let chunk = match last.take() {
            Some((input, chunk)) if input == case["input"] => chunk,
            _ => array.chunk(),
        };
        let at = |axis: &str| case[axis].as_i64().unwrap();
        let place = Region::of_size(CUBOID).shift(at("x"), at("y"), at("z"));
        let cuboid = sent(&chunk, &place);
        last = Some((case["input"].clone(), chunk));
        match case["sha256"].as_str() {
            Some(digest) => {
                assert_eq!(sha256(&cuboid), digest, "{id}");
                compared += 1;
            }
            // Where the Python client failed: by the coordinates of each voxel.
            None => {
                assert!(cuboid == array.block(&place).into_bytes(), "{id}");
                mended += 1;
            }
        }
    }
    assert_eq!((compared, mended, NO_CHUNKS.len()), (21, 3, 3));
}

/// The Python client sends two cuboids in one object for the first, and loses the others with a line in its log.
#[test]
fn what_is_no_chunk_is_refused() {
    let images = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/images");
    let sources = Sources::new(images, 1 << 20);
    let size = Size::new(8, 8, 4);
    let refusal = |path: &str, axes: Option<&str>| {
        let mut plan = ReadPlan::new(path).with(Step::Crop(Region::of_size(size)));
        plan.source.axes = axes.map(str::to_owned);
        let target = Target { size, dtype: Dtype::Uint8, required: Region::of_size(size) };
        match sources.read(&Plan::Read(plan), &target) {
            Err(error @ SourceError::Plan { .. }) => error.to_string(),
            other => panic!("{other:?}"),
        }
    };
    let several_times = refusal("pages_8.tif", Some("tyx"));
    assert!(several_times.ends_with("needs exactly one position in `select` for the axis `t`"), "{several_times}");
    let too_few = refusal("pages_8.tif", Some("tzyx"));
    assert!(too_few.ends_with("has the axes `tzyx`, but the source has `zyx`"), "{too_few}");
    assert!(refusal("grey8.png", None).ends_with("gives one section to a task of 4"));
}

/// The bytes of one object, as the Boss unpacks them.
fn sent(chunk: &Block, place: &Region) -> Vec<u8> {
    let cuboid = chunk.cut(place);
    let frame = codec::compress(cuboid.as_bytes(), cuboid.dtype(), &BloscSettings::default()).unwrap();
    codec::decompress(&frame, 1 << 30).unwrap()
}

/// The generator of the recorded arrays.
struct Pattern {
    size: Size,
    dtype: Dtype,
    seed: u64,
    /// What x, y and z count for in a value.
    factors: [u64; 3],
}

impl Pattern {
    /// A chunk's axes in the array's order; the time axis has length 1.
    fn of(case: &Value) -> Pattern {
        let input = &case["input"];
        let order: Vec<char> = case["array_order"].as_str().unwrap().to_lowercase().chars().collect();
        let shape: Vec<u64> = serde_json::from_value(input["shape"].clone()).unwrap();
        let seed = input["seed"].as_u64().unwrap();
        // Axes are counted from the last.
        let place = |axis: char| order.iter().rev().position(|other| *other == axis).unwrap();
        let length = |axis: char| shape[shape.len() - 1 - place(axis)];
        let factor = |axis: char| [1, 7, 101, 1009][place(axis)] * (1 + seed % 5);
        Pattern {
            size: Size::new(length('x'), length('y'), length('z')),
            dtype: input["dtype"].as_str().unwrap().parse().unwrap(),
            seed,
            factors: ['x', 'y', 'z'].map(factor),
        }
    }

    /// The array in a chunk that is large enough for its cuboids, as readers give it: zeros around.
    fn chunk(&self) -> Block {
        let whole = |length: u64, cuboid: u64| length.div_ceil(cuboid) * cuboid;
        let Size { x, y, z } = self.size;
        // One cuboid is recorded that lies beside its array.
        let size = Size::new(whole(x, CUBOID.x).max(1024), whole(y, CUBOID.y), whole(z, CUBOID.z));
        let mut chunk = Block::zeros(self.dtype, size);
        chunk.paste(&self.block(&Region::of_size(self.size)), (0, 0, 0));
        chunk
    }

    /// A box of the array, zeros outside of it.
    fn block(&self, region: &Region) -> Block {
        let mut bytes = Vec::new();
        let inside = Region::of_size(self.size);
        for z in region.z.start..region.z.stop {
            for y in region.y.start..region.y.stop {
                for x in region.x.start..region.x.stop {
                    let is_there = inside.x.contains(x) && inside.y.contains(y) && inside.z.contains(z);
                    let value = if is_there { self.value([x, y, z].map(|at| at as u64)) } else { [0; 8] };
                    bytes.extend_from_slice(&value[..self.dtype.size_bytes()]);
                }
            }
        }
        Block::from_bytes(self.dtype, region.size(), bytes).unwrap()
    }

    fn value(&self, at: [u64; 3]) -> [u8; 8] {
        let value = at.iter().zip(self.factors).map(|(at, factor)| at * factor).sum::<u64>() + 17 * self.seed;
        let bits = match self.dtype {
            Dtype::Float32 => u64::from(((value % 9973) as f32 / 4.0).to_bits()),
            Dtype::Float64 => ((value % 9973) as f64 / 4.0).to_bits(),
            dtype if dtype.size_bytes() == 4 => (65599 * value) % (1 << 31),
            dtype if dtype.size_bytes() == 8 => value.wrapping_mul(0x1_0000_03d1),
            _ => value,
        };
        bits.to_le_bytes()
    }
}
