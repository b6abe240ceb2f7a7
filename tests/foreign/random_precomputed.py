"""Writes random precomputed volumes with CloudVolume, and what must be read of each.

    pip install cloud-volume pyspng-seunglab simplejpeg compressed-segmentation
    python tests/foreign/random_precomputed.py OUT_DIR COUNT SEED

Each case is a folder `n`; `n.npy` holds the voxels of one level and one channel, z, y, x; `cases.json` lists them all. JPEG
loses, but not of chunks that are of one value.
"""

import json
import pathlib
import random
import shutil
import sys

import numpy
from cloudvolume import CloudVolume
from cloudvolume.datasource.precomputed.common import compressed_morton_code
from cloudvolume.datasource.precomputed.sharding import ShardingSpecification

INTEGERS = ["uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"]
MOST_BYTES, MOST_CHUNKS = 64_000, 300


def choose(rng):
    """What a volume is like: sizes, type, encoding, packing, and shards or none."""
    encoding = rng.choice(["raw", "raw", "raw", "compressed_segmentation", "png", "jpeg"])
    dtype, channels = {
        "raw": (rng.choice([*INTEGERS, "float32"]), rng.choice([1, 1, 1, 2, 3])),
        "compressed_segmentation": (rng.choice(["uint32", "uint64"]), 1),
        "png": ("uint8", rng.choice([1, 1, 3])),
        "jpeg": ("uint8", 1),
    }[encoding]
    item = numpy.dtype(dtype).itemsize * channels
    while True:
        size = [rng.randint(1, 60) for _ in range(3)]
        chunk = [rng.choice([1, 5, 8, 16, 32, 64]) if s > 20 else rng.randint(max(1, s // 3), 64) for s in size]
        chunks = numpy.prod([-(-s // c) for s, c in zip(size, chunk)])
        if numpy.prod(size) * item <= MOST_BYTES and chunks <= MOST_CHUNKS:
            break
    return {
        "encoding": encoding,
        "dtype": dtype,
        "channels": channels,
        "size": size,
        "chunk": chunk,
        "offset": [rng.choice([0, 0, rng.randint(-100, 100)]) for _ in range(3)],
        "compress": rng.choice(["gzip", "br", "zstd", None]) if encoding in ("raw", "compressed_segmentation") else None,
        "mips": rng.choice([0, 0, 1, 2]) if min(size) > 3 else 0,
        "block": [rng.choice([1, 2, 4, 8, 8, 16]) for _ in range(3)],
        "shards": rng.random() < 0.3,
    }


def voxels(rng, kind, size):
    """Noise or boxes of labels, shape [x, y, z, c]."""
    generator = numpy.random.default_rng(rng.getrandbits(32))
    dtype = numpy.dtype(kind["dtype"])
    shape = (*size, kind["channels"])
    if kind["encoding"] == "jpeg":
        cells = [-(-n // c) for n, c in zip(size, kind["chunk"])]
        of_chunks = generator.integers(0, 256, cells, dtype="uint8")
        return numpy.kron(of_chunks, numpy.ones(kind["chunk"], "uint8"))[: size[0], : size[1], : size[2], numpy.newaxis]
    if dtype.kind == "f":
        return generator.normal(0, 1000, shape).astype(dtype)
    limits = numpy.iinfo(dtype)
    if rng.random() < 0.5:
        return generator.integers(limits.min, limits.max, shape, dtype=dtype, endpoint=True)
    few = generator.integers(limits.min, limits.max, rng.randint(1, 40), dtype=dtype, endpoint=True)
    boxes = [generator.integers(0, len(few), [-(-n // 5) for n in size[:3]])] * kind["channels"]
    grown = [numpy.kron(box, numpy.ones((5, 5, 5), int))[: size[0], : size[1], : size[2]] for box in boxes]
    return few[numpy.stack(grown, axis=-1)]


def put_into_shards(rng, folder, volume):
    """Puts the plain chunks of each scale together with CloudVolume's own sharding."""
    for scale in volume.info["scales"]:
        spec = {
            "@type": "neuroglancer_uint64_sharded_v1",
            "hash": rng.choice(["identity", "murmurhash3_x86_128"]),
            "preshift_bits": rng.randint(0, 4),
            "minishard_bits": rng.randint(0, 5),
            "shard_bits": rng.randint(0, 5),
            "minishard_index_encoding": rng.choice(["raw", "gzip"]),
            "data_encoding": rng.choice(["raw", "gzip"]),
        }
        size, chunk, offset = scale["size"], scale["chunk_sizes"][0], scale["voxel_offset"]
        cells, chunks = [-(-s // c) for s, c in zip(size, chunk)], {}
        for point in numpy.ndindex(*cells):
            spans = [(o + p * c, min(o + (p + 1) * c, o + s)) for o, p, c, s in zip(offset, point, chunk, size)]
            file = folder / scale["key"] / "_".join(f"{start}-{stop}" for start, stop in spans)
            chunks[int(compressed_morton_code(list(point), cells))] = file.read_bytes()
        shutil.rmtree(folder / scale["key"])
        (folder / scale["key"]).mkdir()
        for file, content in ShardingSpecification.from_dict(spec).synthesize_shards(chunks).items():
            (folder / scale["key"] / file).write_bytes(content)
        scale["sharding"] = spec
    (folder / "info").write_text(json.dumps(volume.info))


def case(rng, out, number):
    kind = choose(rng)
    folder = out / str(number)
    compress = None if kind["shards"] else kind["compress"]
    info = CloudVolume.create_new_info(
        num_channels=kind["channels"],
        layer_type=rng.choice(["image", "segmentation"]) if kind["channels"] == 1 else "image",
        data_type=kind["dtype"],
        encoding=kind["encoding"],
        resolution=(4, 4, 40),
        voxel_offset=kind["offset"],
        volume_size=kind["size"],
        chunk_size=kind["chunk"],
        compressed_segmentation_block_size=kind["block"],
    )
    volume = CloudVolume(f"file://{folder}", info=info, compress=compress or False, fill_missing=False)
    for mip in range(1, kind["mips"] + 1):
        volume.add_scale((2**mip, 2**mip, 1), chunk_size=kind["chunk"])
    volume.commit_info()
    level = rng.randint(0, kind["mips"])
    for mip in range(kind["mips"] + 1):
        volume.mip = mip
        volume[:] = written = voxels(rng, kind, [int(n) for n in volume.bounds.size3()])
        if mip == level:
            whole = written
            origin = [int(n) for n in volume.bounds.minpt]
    channel = rng.randrange(kind["channels"])
    expected = numpy.ascontiguousarray(whole[..., channel].transpose(2, 1, 0))
    numpy.save(out / f"{number}.npy", expected)
    volume.mip = 0
    if kind["shards"]:
        put_into_shards(rng, folder, volume)
    return {
        "path": str(number),
        "format": rng.choice([None, "precomputed"]),
        "dataset": None,
        "level": level if level or rng.random() < 0.5 else None,
        "page": None,
        "axes": None,
        "select": {},
        "channel": channel if kind["channels"] > 1 else rng.choice([None, 0]),
        "dtype": kind["dtype"],
        "shape": list(expected.shape),
        "origin": origin,
        "voxels": f"{number}.npy",
    }


def main(out, count, seed):
    out = pathlib.Path(out).absolute()
    out.mkdir(parents=True, exist_ok=True)
    rng = random.Random(int(seed))
    cases = [case(rng, out, number) for number in range(int(count))]
    (out / "cases.json").write_text(json.dumps(cases, indent=1))


main(*sys.argv[1:])
