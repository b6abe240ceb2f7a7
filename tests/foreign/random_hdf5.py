"""Writes random HDF5 files with h5py, and what must be read of them.

    pip install h5py numpy
    python tests/foreign/random_hdf5.py OUT_DIR COUNT SEED

`OUT_DIR/cases.json` lists the cases: which file, what the plan selects, and the `.npy` file of the voxels (z, y, x).
"""

import json
import pathlib
import random
import sys

import h5py
import numpy

TYPES = "u1 i1 u2 i2 u4 i4 u8 i8 f4 f8 f2".split()
AXES = ["", "x", "yx", "zyx", "tzyx", "tczyx"]
MOST_BYTES = 60_000


def values(random, dtype, shape):
    """Noise, runs of one value, or a ramp, so that filters meet all of them."""
    generator = numpy.random.default_rng(random.getrandbits(32))
    count = int(numpy.prod(shape))
    kind = random.choice(["noise", "runs", "ramp", "zeros"])
    if kind == "noise" and numpy.dtype(dtype).kind != "f":
        flat = generator.bytes(count * numpy.dtype(dtype).itemsize)
        return numpy.frombuffer(flat, dtype).reshape(shape)
    if kind == "zeros":
        flat = numpy.zeros(count)
    elif kind == "runs":
        flat = numpy.repeat(generator.integers(0, 100, count // 7 + 1), 7)[:count]
    elif kind == "ramp":
        flat = numpy.arange(count) % 127
    else:
        flat = generator.normal(size=count) * 100
    return flat.astype(dtype).reshape(shape)


def sizes(random, rank, item):
    while True:
        shape = [random.choice([1, 2, random.randint(1, 9), random.randint(1, 40)]) for _ in range(rank)]
        if numpy.prod(shape) * item <= MOST_BYTES:
            return shape


def filters(random, dtype):
    options = {"shuffle": random.random() < 0.5, "fletcher32": random.random() < 0.3}
    compression = random.choice(["gzip", "gzip", "lzf", None])
    if compression == "gzip":
        options["compression_opts"] = random.randint(0, 9)
    elif compression is None and dtype.kind in "iu" and random.random() < 0.3:
        # Fletcher-32 needs all bits, so h5py refuses both.
        return {"scaleoffset": 0}
    return {"compression": compression, **options}


def write(random, file, dtype, shape):
    """Writes the array `data` in some storage, all or part of it, and gives the values that it then holds."""
    data = values(random, dtype, shape)
    fill = values(random, dtype, [1])[0] if random.random() < 0.5 else None
    storage = random.choice(["contiguous", "compact", "chunked", "chunked", "chunked", "resizable"])
    expected = numpy.full(shape, 0 if fill is None else fill, dtype)
    if storage == "compact":
        kind = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        kind.set_layout(h5py.h5d.COMPACT)
        space = h5py.h5s.create_simple(tuple(shape))
        made = h5py.h5d.create(file.id, b"data", h5py.h5t.py_create(dtype), space, kind)
        made.write(h5py.h5s.ALL, h5py.h5s.ALL, numpy.ascontiguousarray(data))
        return data
    options = {"fillvalue": fill}
    if storage != "contiguous":
        longest = [random.choice([length, 2 * length, length + 3]) for length in shape]
        options["chunks"] = tuple(random.randint(1, most if storage == "resizable" else length) for most, length in zip(longest, shape))
        options.update(filters(random, dtype))
        if storage == "resizable":
            options["maxshape"] = tuple(random.choice([None, most]) for most in longest)
    made = file.create_dataset("data", shape, dtype, **options)
    part = tuple(slice(None) for _ in shape)
    if random.random() < 0.4:
        part = tuple(slice(*sorted(random.sample(range(length + 1), 2))) for length in shape)
    made[part] = data[part]
    expected[part] = data[part]
    return expected


def case(random, out, number):
    dtype = numpy.dtype(random.choice("<>") + random.choice(TYPES))
    rank = random.choice([1, 2, 3, 3, 3, 4, 5])
    shape = sizes(random, rank, dtype.itemsize)
    libver = random.choice(["earliest", "latest", ("earliest", "v110"), ("v108", "v108")])
    path = f"{number}.h5"
    userblock = random.choice([0, 0, 0, 512, 1024])
    with h5py.File(out / path, "w", libver=libver, userblock_size=userblock) as file:
        held = write(random, file, dtype, shape)
    with h5py.File(out / path) as file:
        assert numpy.array_equal(file["data"][()], held), "h5py reads what was written"
    axes = AXES[rank]
    select = {axis: random.randrange(length) for axis, length in zip(axes, shape) if axis in "tc"}
    voxels = held[tuple(select.get(axis, slice(None)) for axis in axes)]
    voxels = voxels.reshape((1,) * (3 - voxels.ndim) + voxels.shape)
    native = "float32" if dtype.itemsize == 2 and dtype.kind == "f" else dtype.name
    numpy.save(out / f"{number}.npy", numpy.ascontiguousarray(voxels.astype(numpy.dtype(native).newbyteorder("<"))))
    return {
        "path": path,
        "format": random.choice([None, "hdf5"]),
        "dataset": random.choice([None, "data", "/data"]),
        "level": None,
        "page": None,
        "axes": None,
        "select": select,
        "channel": None,
        "dtype": native,
        "shape": list(voxels.shape),
        "voxels": f"{number}.npy",
    }


def main():
    out, count, seed = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    out.mkdir(parents=True, exist_ok=True)
    choices = random.Random(seed)
    cases = [case(choices, out, number) for number in range(count)]
    (out / "cases.json").write_text(json.dumps(cases, indent=1))


main()
