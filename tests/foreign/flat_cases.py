"""Random arrays, and the list of cases that tests/it/random.rs reads, for the scripts random_mrc.py and so on."""

import json
import pathlib
import random
import sys

import numpy

MOST_BYTES = 64 << 10


class Cases:
    """Writes `cases.json` into the folder of the command line: OUT_DIR COUNT SEED."""

    def __init__(self):
        folder, count, seed = sys.argv[1:]
        self.folder, self.count = pathlib.Path(folder), int(count)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.random = random.Random(int(seed))
        self.numbers = numpy.random.default_rng(int(seed))
        self.list = []

    def shape(self, axes, dtype):
        """Random lengths, of which the last two are often long, of an array of less than MOST_BYTES."""
        while True:
            most = [4] * (axes - 2) + [90, 90] if self.random.random() < 0.3 else [17] * axes
            shape = tuple(self.random.randint(1, most[axis]) for axis in range(axes))
            if numpy.prod(shape) * numpy.dtype(dtype).itemsize < MOST_BYTES:
                return shape

    def array(self, shape, dtype):
        """Random bits; of floats random numbers."""
        dtype = numpy.dtype(dtype)
        if dtype.kind == "f":
            return self.numbers.normal(0, 1000, shape).astype(dtype)
        if dtype.kind == "b":
            return self.numbers.random(shape) < 0.5
        count = int(numpy.prod(shape)) * dtype.itemsize
        return numpy.frombuffer(self.numbers.bytes(count), dtype).reshape(shape)

    def add(self, path, voxels, **fields):
        """`voxels` is what must be read: z, y, x, or y, x, or x."""
        if voxels.dtype.kind == "f" and voxels.itemsize == 2:
            voxels = voxels.astype("<f4")
        if voxels.dtype == bool:
            voxels = voxels.astype("uint8")
        voxels = numpy.ascontiguousarray(voxels.astype(voxels.dtype.newbyteorder("<")))
        name = f"{len(self.list)}.expected.npy"
        numpy.save(self.folder / name, voxels)
        shape = (1,) * (3 - voxels.ndim) + voxels.shape
        case = {"path": path, "dtype": voxels.dtype.name, "shape": list(shape), "voxels": name}
        self.list.append({**case, **fields})

    def run(self, write):
        for n in range(self.count):
            write(self, n)
        (self.folder / "cases.json").write_text(json.dumps(self.list, indent=1) + "\n")
