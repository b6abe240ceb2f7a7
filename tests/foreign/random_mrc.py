"""Random MRC files by mrcfile: python tests/foreign/random_mrc.py OUT_DIR COUNT SEED"""

import gzip
import warnings

import mrcfile
import numpy
from flat_cases import Cases

TYPES = ["int8", "int16", "uint16", "float32", "float16"]


def write(cases, n):
    chance = cases.random
    dtype = numpy.dtype(chance.choice(TYPES)).newbyteorder(chance.choice("<>"))
    axes = chance.choice([2, 3, 3, 3, 4])
    data = cases.array(cases.shape(axes, dtype), dtype)
    name = f"{n}.mrc"
    voxels = data.reshape(-1, *data.shape[-2:])
    with mrcfile.new(cases.folder / name, overwrite=True) as mrc:
        mrc.set_data(data)
        if chance.random() < 0.3:
            mrc.set_extended_header(numpy.zeros(chance.randint(1, 50), "V80"))
        if axes == 3 and chance.random() < 0.3:
            # Columns, rows and sections are other axes than x, y and z; 1, 2, 3 stand for these.
            order = chance.sample([1, 2, 3], 3)
            mrc.header.mapc, mrc.header.mapr, mrc.header.maps = order
            voxels = data.transpose([order[::-1].index(axis) for axis in (3, 2, 1)])
    if chance.random() < 0.2:
        content = (cases.folder / name).read_bytes()
        name += ".gz"
        (cases.folder / name).write_bytes(gzip.compress(content))
    cases.add(name, voxels)


warnings.simplefilter("ignore")
Cases().run(write)
