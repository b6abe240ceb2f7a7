"""Random array files by NumPy: python tests/foreign/random_npy.py OUT_DIR COUNT SEED"""

import numpy
from flat_cases import Cases

TYPES = "bool uint8 int8 uint16 int16 uint32 int32 uint64 int64 float16 float32 float64".split()


def write(cases, n):
    chance = cases.random
    dtype = numpy.dtype(chance.choice(TYPES)).newbyteorder(chance.choice("<>"))
    axes = chance.choice([2, 3, 3, 4, 5])
    data = cases.array(cases.shape(axes, dtype), dtype)
    if chance.random() < 0.4:
        data = numpy.asfortranarray(data)
    with open(cases.folder / f"{n}.npy", "wb") as file:
        numpy.lib.format.write_array(file, data, version=chance.choice([None, (1, 0), (2, 0), (3, 0)]))
    select, voxels = {}, data
    for letter in "tc"[: max(axes - 3, 0)]:
        select[letter] = chance.randrange(voxels.shape[0])
        voxels = voxels[select[letter]]
    cases.add(f"{n}.npy", voxels, select=select)


Cases().run(write)
