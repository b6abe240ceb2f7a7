//! What is refused, and what damage does.

use std::fs;
use std::path::Path;

use super::tests::{copied, folder, read_all, refusal, rewritten};
use crate::source::conformance::open_file;
use crate::source::error::PlanMistake;
use crate::source::{Plan, ReadPlan, Selection, SourceError, Sources, Step, Target};
use crate::volume::{Dtype, Region, Size, Span};

#[test]
fn what_is_not_read_is_refused_by_name() {
    let copy = copied("brotli");
    let chunk = copy.path().join("4_4_40/10-26_20-36_4-10.br");
    fs::rename(&chunk, chunk.with_extension("xz")).unwrap();
    assert_eq!(
        refusal(copy.path()),
        "is a precomputed volume with a chunk that is not read: `4_4_40/10-26_20-36_4-10.xz` is packed as `.xz`"
    );
    let cases = [
        (r#""raw""#, r#""compresso""#, "is a precomputed volume with `compresso` chunks"),
        (r#""uint16""#, r#""uint24""#, "is a precomputed volume with voxels of `uint24`"),
        (r#""uint16""#, r#""bool""#, "is a precomputed volume with voxels of `bool`"),
        (r#""type""#, r#""@type""#, "is a precomputed volume with `@type` `image` in its `info`"),
        (r#"neuroglancer_uint64_sharded_v1"#, "later_v2", "is a precomputed volume with `later_v2` shards"),
        ("murmurhash3_x86_128", "crc", "is a precomputed volume with shards by `crc`"),
        (r#""gzip""#, r#""lzma""#, "is a precomputed volume with shards packed as `lzma`"),
        (r#""size""#, r#""length""#, "is damaged"),
    ];
    for (from, to, expected) in cases {
        let copy = copied("sharded_murmur");
        let info = fs::read_to_string(copy.path().join("info")).unwrap();
        assert!(info.contains(from));
        fs::write(copy.path().join("info"), info.replace(from, to)).unwrap();
        assert_eq!(refusal(copy.path()), expected);
    }
}

/// A chunk that unpacks to a hundred times its size is not unpacked to its end.
#[test]
fn chunks_that_unpack_to_too_much_are_damaged() {
    use std::io::Write;
    let zeros = vec![0; 30 << 20];
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&zeros).unwrap();
    let chunk = "4_4_40/10-26_20-36_4-10";
    for (name, file, bytes) in [
        ("raw_uint16", format!("{chunk}.gz"), gzip.finish().unwrap()),
        ("zstd", format!("{chunk}.zstd"), zstd::encode_all(&zeros[..], 1).unwrap()),
    ] {
        let copy = copied(name);
        fs::write(copy.path().join(file), bytes).unwrap();
        let error = read_all(copy.path(), &Selection::default()).unwrap_err();
        let cause = std::error::Error::source(&error).and_then(std::error::Error::source).unwrap().to_string();
        assert_eq!(cause, format!("`{chunk}`: it unpacks to more than 3072 bytes"));
    }
}

#[test]
fn lengths_that_no_memory_holds_take_none() {
    let copy = copied("raw_uint16");
    rewritten(copy.path(), "[16,16,6]", "[1048576,1048576,1048576]");
    rewritten(copy.path(), "[37,29,11]", "[1048576,1048576,1048576]");
    let reader = open_file(copy.path()).unwrap();
    let voxel = Region::new(Span::one(10), Span::one(20), Span::one(4));
    assert!(matches!(reader.read(&Selection::default(), &voxel), Err(SourceError::LimitsExceeded { .. })));
    assert!(matches!(reader.check_parts(&Selection::default(), &voxel), Err(SourceError::LimitsExceeded { .. })));
}

#[test]
fn a_chunk_above_the_limit_is_refused() {
    let sources = Sources::new(folder(""), 1 << 20).with_limit(3071);
    let size = Size::new(37, 29, 11);
    let target = Target { size, dtype: Dtype::Uint16, required: Region::of_size(size) };
    let error = sources.read(&Plan::Read(ReadPlan::new("raw_uint16").with(Step::Whole)), &target).unwrap_err();
    assert_eq!(error.to_string(), "`raw_uint16` needs 3072 bytes in memory, the limit is 3071");
}

/// Cuts and flips bits of `info` and of one chunk or shard.
#[test]
fn damage_is_told_and_never_panics() {
    let chunk = "4_4_40/10-26_20-36_4-10";
    let packed = format!("{chunk}.gz");
    let cases = [
        ("raw_uint16", packed.as_str()),
        ("png16", chunk),
        ("jpeg", chunk),
        ("labels_uint64", &packed),
        ("brotli", "4_4_40/10-26_20-36_4-10.br"),
        ("zstd", "4_4_40/10-26_20-36_4-10.zstd"),
        ("sharded_murmur", "4_4_40/0.shard"),
        ("sharded_identity", "4_4_40/0.shard"),
        ("raw_uint8", "info"),
        ("labels_uint32", "info"),
        ("sharded_murmur", "info"),
    ];
    for (name, file) in cases {
        let copy = copied(name);
        let sound = fs::read(copy.path().join(file)).unwrap();
        let mut random = fastrand::Rng::with_seed(5);
        let cuts = (0..12).map(|n| sound[..sound.len() * n / 12].to_vec());
        let flips = (0..150).map(|_| {
            let mut flipped = sound.clone();
            flipped[random.usize(..sound.len())] ^= 1 << random.u8(..8);
            flipped
        });
        for (nth, bytes) in cuts.chain(flips).enumerate() {
            fs::write(copy.path().join(file), bytes).unwrap();
            survives(copy.path(), &format!("{name} {file} {nth}"), nth < 12 && file != "4_4_40/0.shard");
        }
    }
}

/// An error that names the volume, or voxels of the size and type that the reader names. What was cut must be an error.
fn survives(volume: &Path, what: &str, is_cut: bool) {
    let read = || {
        let reader = open_file(volume)?;
        let info = reader.info(&Selection::default())?;
        if info.decoded_bytes() < 64 << 20 {
            let block = reader.read(&Selection::default(), &info.region())?;
            assert_eq!((block.size(), block.dtype()), (info.size, info.dtype));
        }
        Ok::<_, SourceError>(())
    };
    match read() {
        Ok(()) => assert!(!is_cut, "{what}"),
        // A damaged `info` may promise several channels.
        Err(SourceError::Plan { mistake: PlanMistake::Select { axis: 'c' }, .. }) => {}
        Err(error) => {
            assert!(!matches!(error, SourceError::OutOfBounds { .. } | SourceError::Plan { .. }), "{what}: {error:?}");
        }
    }
}

#[test]
fn a_damaged_chunk_is_named() {
    let copy = copied("raw_uint16");
    fs::write(copy.path().join("4_4_40/10-26_20-36_4-10.gz"), [0x1f, 0x8b, 8, 0, 0]).unwrap();
    let error = read_all(copy.path(), &Selection::default()).unwrap_err();
    let cause = std::error::Error::source(&error).and_then(std::error::Error::source).unwrap();
    assert!(cause.to_string().starts_with("`4_4_40/10-26_20-36_4-10`: "), "{cause}");
}
