"""Writes random N5 datasets with tensorstore, and what must be read of them.

    python tests/foreign/random_n5.py OUT_DIR COUNT SEED

`OUT_DIR/cases.json` lists them; tests/it/random.rs reads it.
"""

import json
import pathlib
import random
import sys

import numpy
import tensorstore

VOXEL_TYPES = ["uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float32", "float64"]
MOST_BYTES = 60_000


def voxels(rng, dtype, shape):
    noise = numpy.random.default_rng(rng.randrange(2**32))
    count = int(numpy.prod(shape))
    flat = numpy.arange(count) // rng.randint(1, 50)
    if rng.random() < 0.5:
        flat = numpy.frombuffer(noise.bytes(count * 8), "<i8")
    return (flat % 1_000_003 if dtype.startswith("float") else flat).reshape(shape).astype(dtype)


def block_of(rng, shape, most=200):
    """Blocks of any lengths, at most so many."""
    block = [min(rng.choice([1, 2, 4, 7, 16, 40]), 2 * s) for s in shape]
    while numpy.prod([-(-s // b) for s, b in zip(shape, block)]) > most:
        block = [min(2 * b + 1, 2 * s) for b, s in zip(block, shape)]
    return block


def packing(rng):
    return rng.choice(
        [
            {"type": "raw"},
            {"type": "gzip", "useZlib": rng.random() < 0.5},
            {"type": "bzip2"},
            {"type": "zstd"},
            {
                "type": "blosc",
                "cname": rng.choice(["lz4", "zstd", "blosclz", "zlib"]),
                "clevel": rng.randint(0, 9),
                "shuffle": rng.randint(0, 2),
            },
        ]
    )


def one(rng, folder, name):
    dtype = rng.choice(VOXEL_TYPES)
    # The fastest axis is the first, as N5 names them.
    axes = rng.choice(["xy", "xyz", "xyz", "xyz", "xyzt", "xyzct"])
    most, shape = MOST_BYTES // numpy.dtype(dtype).itemsize, []
    for axis in axes:
        shape.append(max(1, min(rng.choice([1, 2, 3, 5, 9, 17, 33, 40, 64]) if axis in "xyz" else rng.randint(1, 3), most)))
        most //= shape[-1]
    block = block_of(rng, shape)
    dataset = rng.choice([None, "raw", "a/b/s0"])
    path = folder / name if dataset is None else folder / name / dataset
    metadata = {"dimensions": shape, "blockSize": block, "dataType": dtype, "compression": packing(rng)}
    spec = {"driver": "n5", "kvstore": {"driver": "file", "path": str(path)}, "metadata": metadata}
    array = tensorstore.open(spec, create=True).result()
    data = voxels(rng, dtype, shape)
    if rng.random() < 0.3:
        # A part that is never written.
        data[: shape[0] // 2] = 0
        array[shape[0] // 2 :] = data[shape[0] // 2 :]
    else:
        array[...] = data
    if dataset is not None:
        (folder / name / "attributes.json").write_text(json.dumps({"n5": "2.5.1"}))
    select = {axis: rng.randrange(length) for axis, length in zip(axes, shape) if axis in "tc"}
    read = data[tuple(select[axis] if axis in select else slice(None) for axis in axes)].T
    numpy.save(folder / f"{name}.npy", numpy.ascontiguousarray(read.astype(read.dtype.newbyteorder("<"))))
    if dataset == "a/b/s0":
        dataset = rng.choice([None, "a/b", "a/b/s0"])
    elif rng.random() < 0.3:
        dataset = None
    return {
        "path": name,
        "format": rng.choice([None, "n5"]),
        "dataset": dataset,
        "level": None,
        "page": None,
        "axes": None,
        "select": select,
        "channel": None,
        "dtype": dtype,
        "shape": list(read.shape) if read.ndim == 3 else [1, *read.shape],
        "voxels": f"{name}.npy",
    }


def main():
    folder, count, seed = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(seed)
    cases = [one(rng, folder, f"n5_{n}") for n in range(count)]
    (folder / "cases.json").write_text(json.dumps(cases, indent=1))


main()
