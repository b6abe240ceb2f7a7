"""Makes the containers in tests/data/n5: with tensorstore, which shares no code with this program, and by hand what it does
not write (blocks cut at the edge, as n5-java does; a number of values of their own).

    pip install tensorstore==0.1.86 numpy
    python tests/foreign/make_n5.py

Every voxel is made from its coordinates. Blocks do not divide the arrays. `dimensions` are x, y, z.
"""

import gzip
import itertools
import json
import pathlib
import shutil
import struct

import numpy
import tensorstore

FOLDER = pathlib.Path(__file__).parent.parent / "data" / "n5"
SHAPE, BLOCK = (13, 9, 5), (8, 5, 3)
VOXEL_TYPES = ["uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float32", "float64"]


def voxels(dtype, shape=SHAPE):
    """7x + 131y + 1009z + xy, 4001c and 30011t, wrapped to the type; indexed x, y, z, c, t."""
    at = numpy.meshgrid(*(numpy.arange(s) for s in shape), indexing="ij")
    x, y, z, c, t = list(at) + [0] * (5 - len(at))
    return (7 * x + 131 * y + 1009 * z + x * y + 4001 * c + 30011 * t).astype("int64").astype(dtype)


def write(name, data, compression, block=BLOCK, first=0):
    metadata = {"dimensions": data.shape, "blockSize": block, "dataType": data.dtype.name, "compression": compression}
    spec = {"driver": "n5", "kvstore": {"driver": "file", "path": str(FOLDER / name)}, "metadata": metadata}
    array = tensorstore.open(spec, create=True).result()
    array[first:] = data[first:]


def attributes(name, **what):
    (FOLDER / name).mkdir(parents=True, exist_ok=True)
    (FOLDER / name / "attributes.json").write_text(json.dumps(what))


def write_cut(name, data, mode, compression="raw", block=BLOCK):
    """Blocks at the edge hold only what is inside the array."""
    attributes(name, dimensions=data.shape, blockSize=block, dataType=data.dtype.name, compression={"type": compression})
    for cell in itertools.product(*(range(-(-s // b)) for s, b in zip(data.shape, block))):
        part = data[tuple(slice(c * b, (c + 1) * b) for c, b in zip(cell, block))]
        header = struct.pack(f">HH{part.ndim}I", mode, part.ndim, *part.shape)
        header += struct.pack(">I", part.size) if mode else b""
        values = part.astype(part.dtype.newbyteorder(">")).tobytes(order="F")
        file = FOLDER / name / "/".join(map(str, cell))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(header + (gzip.compress(values, mtime=0) if compression == "gzip" else values))


def main():
    shutil.rmtree(FOLDER, ignore_errors=True)
    for dtype in VOXEL_TYPES:
        write(dtype, voxels(dtype), {"type": "gzip"})
    small = voxels("uint16")
    for name, compression in [
        ("raw", {"type": "raw"}),
        ("zlib", {"type": "gzip", "useZlib": True}),
        ("bzip2", {"type": "bzip2"}),
        ("blosc", {"type": "blosc", "cname": "lz4", "clevel": 5, "shuffle": 1}),
        ("blosc_bits", {"type": "blosc", "cname": "zstd", "clevel": 5, "shuffle": 2}),
        ("zstd", {"type": "zstd"}),
        ("refused_xz", {"type": "xz"}),
    ]:
        write(name, small, compression)
    write_cut("cut", small, 0)
    write_cut("cut_gzip", small, 0, "gzip")
    write_cut("with_count", voxels("uint32"), 1)
    write("sparse", small, {"type": "raw"}, first=8)
    for ndim, block in [(1, (8,)), (2, (8, 4)), (4, (8, 4, 2, 1)), (5, (8, 4, 2, 1, 2))]:
        write(f"rank_{ndim}", voxels("uint16", (13, 9, 5, 3, 2)[:ndim]), {"type": "gzip"}, block)
    attributes("container", n5="2.5.1")
    for path in ["volumes/raw", "setup0/timepoint0"]:
        for level, shape in enumerate([(13, 9, 5), (7, 5, 5)]):
            write(f"container/{path}/s{level}", voxels("uint16", shape) + level, {"type": "gzip"})
    write("container/volumes/ids", voxels("uint64"), {"type": "gzip"})
    attributes("container/labels", painteraData={"type": "label"})
    write("container/labels/data/s0", voxels("uint64"), {"type": "gzip"})
    write("container/labels/unique-labels/s0", voxels("uint64"), {"type": "gzip"})
    for name, change in [
        ("refused_lz4", {"compression": {"type": "lz4", "blockSize": 65536}}),
        ("refused_strings", {"dataType": "string"}),
        ("refused_multisets", {"isLabelMultiset": True}),
    ]:
        plain = {"dimensions": [4, 4], "blockSize": [2, 2], "dataType": "uint8", "compression": {"type": "raw"}}
        attributes(name, **{**plain, **change})


main()
