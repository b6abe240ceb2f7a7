"""Writes random Zarr arrays of versions 2 and 3 with zarr-python, and what must be read of them.

    python tests/foreign/random_zarr.py OUT_DIR COUNT SEED

`OUT_DIR/cases.json` lists them; tests/it/random.rs reads it.
"""

import json
import pathlib
import random
import sys
import warnings

import numcodecs
import numpy
import zarr
from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec, GzipCodec, TransposeCodec, ZstdCodec

warnings.filterwarnings("ignore")
VOXEL_TYPES = ["u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f4", "f8"]
MOST_BYTES = 60_000


def voxels(rng, dtype, shape):
    """Noise, labels in boxes, or a ramp."""
    noise = numpy.random.default_rng(rng.randrange(2**32))
    kind = rng.choice(["noise", "boxes", "ramp"])
    count = int(numpy.prod(shape))
    if kind == "noise":
        flat = numpy.frombuffer(noise.bytes(count * 8), "<i8")
    elif kind == "boxes":
        flat = numpy.arange(count) // rng.randint(1, 50) * rng.randint(1, 2**31)
    else:
        flat = numpy.arange(count)
    return (flat % 1_000_003).reshape(shape).astype(dtype) if dtype[0] == "f" else flat.reshape(shape).astype(dtype)


def shape_of(rng, axes, item):
    most = MOST_BYTES // item
    shape = []
    for axis in axes:
        shape.append(max(1, min(rng.choice([1, 2, 3, 5, 9, 17, 33, 40, 64]) if axis in "zyx" else rng.randint(1, 3), most)))
        most //= shape[-1]
    return shape


def chunk_of(rng, shape, most=200):
    """Chunks of any lengths, at most so many."""
    chunk = [min(rng.choice([1, 2, 4, 7, 16, 40]), 2 * s) for s in shape]
    while numpy.prod([-(-s // c) for s, c in zip(shape, chunk)]) > most:
        chunk = [min(2 * c + 1, 2 * s) for c, s in zip(chunk, shape)]
    return chunk


def version_2(rng, dtype):
    order = rng.choice("<>")
    compressors = [None, numcodecs.GZip(1), numcodecs.Zlib(1), numcodecs.Zstd(1), numcodecs.BZ2(1)]
    compressors += [
        numcodecs.Blosc(c, rng.randint(0, 9), rng.randint(0, 2)) for c in ("lz4", "lz4hc", "blosclz", "zlib", "zstd")
    ]
    filters = [None, None, [numcodecs.Shuffle(int(dtype[1]))]]
    return numpy.dtype(order + dtype), {
        "compressors": rng.choice(compressors),
        "filters": rng.choice(filters),
        "order": rng.choice("CF"),
        "chunk_key_encoding": {"name": "v2", "separator": rng.choice("./")},
    }


def version_3(rng, dtype, rank, chunk):
    shuffle = rng.choice(["noshuffle", "shuffle", "bitshuffle"])
    packing = rng.choice(
        [
            [],
            [GzipCodec(level=1)],
            [ZstdCodec(level=1, checksum=rng.random() < 0.5)],
            [BloscCodec(cname=rng.choice(["lz4", "zstd", "zlib"]), shuffle=shuffle, typesize=int(dtype[1]))],
        ]
    )
    how = {
        "compressors": packing + rng.choice([[], [Crc32cCodec()]]),
        "serializer": BytesCodec(endian=rng.choice(["little", "big"])),
        "chunk_key_encoding": {"name": rng.choice(["default", "v2"]), "separator": rng.choice("./")},
    }
    if rng.random() < 0.4:
        how["filters"] = [TransposeCodec(order=tuple(rng.sample(range(rank), rank)))]
    if rng.random() < 0.5:
        shape = tuple(c * rng.randint(1, 3) for c in chunk)
        how["shards"] = {"shape": shape, "index_location": rng.choice(["start", "end"])}
    return numpy.dtype(dtype), how


def one(rng, folder, name):
    dtype = rng.choice(VOXEL_TYPES)
    axes = rng.choice(["yx", "zyx", "zyx", "zyx", "tzyx", "tczyx"])
    shape = shape_of(rng, axes, int(dtype[1]))
    chunk = chunk_of(rng, shape)
    version = rng.choice([2, 3])
    typed, how = version_2(rng, dtype) if version == 2 else version_3(rng, dtype, len(axes), chunk)
    dataset = rng.choice([None, "raw", "a/b"])
    path = folder / name if dataset is None else folder / name / dataset
    fill = rng.choice([0, 0, 7])
    array = zarr.create_array(
        path,
        shape=shape,
        chunks=chunk,
        dtype=typed,
        zarr_format=version,
        fill_value=fill,
        config={"write_empty_chunks": False},
        **how,
    )
    data = voxels(rng, dtype, shape)
    if rng.random() < 0.3:
        # A part that is never written.
        data[(slice(None),) * (len(axes) - 1) + (slice(shape[-1] // 2, None),)] = fill
    array[...] = data
    if dataset is not None:
        root = folder / name
        if not (root / "zarr.json").exists() and not (root / ".zgroup").exists():
            zarr.create_group(root, zarr_format=version)
    select = {axis: rng.randrange(length) for axis, length in zip(axes, shape) if axis in "tc"}
    read = data[tuple(select[axis] if axis in select else slice(None) for axis in axes)]
    numpy.save(folder / f"{name}.npy", numpy.ascontiguousarray(read.astype(numpy.dtype(dtype).newbyteorder("<"))))
    size = list(read.shape) if read.ndim == 3 else [1, *read.shape]
    names = {"u": "uint", "i": "int", "f": "float"}
    dtype_name = names[dtype[0]] + str(8 * int(dtype[1]))
    return {
        "path": name,
        "format": rng.choice([None, "zarr"]),
        "dataset": dataset if rng.random() < 0.7 else None,
        "level": None,
        "page": None,
        "axes": None,
        "select": select,
        "channel": None,
        "dtype": dtype_name,
        "shape": size,
        "voxels": f"{name}.npy",
    }


def main():
    folder, count, seed = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(seed)
    cases = [one(rng, folder, f"zarr_{n}") for n in range(count)]
    (folder / "cases.json").write_text(json.dumps(cases, indent=1))


main()
