"""Makes the files in tests/data/hdf5 with h5py, which is the HDF5 library itself.

    pip install h5py numpy
    python tests/foreign/make_hdf5.py

Every value is made from its coordinates by `voxel`, so that a swapped axis or byte shows.
"""

import pathlib

import h5py
import numpy

FOLDER = pathlib.Path(__file__).parent.parent / "data" / "hdf5"
# Odd sizes, so that the last chunk on each axis is cut off.
DEPTH, HEIGHT, WIDTH = 11, 19, 23
CHUNK = (4, 8, 16)
TYPES = "uint8 int8 uint16 int16 uint32 int32 uint64 int64 float32 float64".split()


def voxel(dtype, shape=(DEPTH, HEIGHT, WIDTH)):
    """7x + 131y + 1009z + xy + 4001c + 30011t, wrapped to the type; the last axes of t, c, z, y, x."""
    t, c, z, y, x = numpy.indices((1,) * (5 - len(shape)) + tuple(shape))
    return (7 * x + 131 * y + 1009 * z + x * y + 4001 * c + 30011 * t).astype("int64").astype(dtype).reshape(shape)


def file(name, **options):
    return h5py.File(FOLDER / f"{name}.h5", "w", **options)


def one(name, data, libver="earliest", userblock=0, **options):
    with file(name, libver=libver, userblock_size=userblock) as h5:
        h5.create_dataset("data", data=data, **options)


def types():
    for dtype in TYPES:
        one(f"{dtype}", voxel(dtype), chunks=CHUNK, compression="gzip", shuffle=True)
        if dtype not in ("uint8", "int8"):
            one(f"{dtype}_be", voxel(numpy.dtype(dtype).newbyteorder(">")), chunks=CHUNK, compression="gzip")
    one("bool", voxel("int64") % 3 == 0)
    labels = h5py.enum_dtype({"membrane": 1, "soma": 2}, basetype="uint16")
    with file("enum") as h5:
        h5.create_dataset("data", data=voxel("uint16"), dtype=labels)


def storage():
    data = voxel("uint16")
    for libver in ("earliest", "latest"):
        one(f"contiguous_{libver}", data, libver)
        one(f"contiguous_be_{libver}", data.astype(">u2"), libver)
        one(f"chunked_{libver}", data, libver, chunks=CHUNK)
        one(f"gzip_shuffle_{libver}", data, libver, chunks=CHUNK, compression="gzip", shuffle=True)
        one(f"fletcher32_{libver}", data, libver, chunks=CHUNK, compression="gzip", shuffle=True, fletcher32=True)
        one(f"one_chunk_{libver}", data, libver, chunks=data.shape, compression="gzip")
        one(f"large_chunk_{libver}", data, libver, chunks=(16, 32, 32), maxshape=(None, 64, 64), compression="gzip")
        one(f"lzf_{libver}", data, libver, chunks=CHUNK, compression="lzf")
        one(f"extensible_{libver}", data, libver, chunks=CHUNK, maxshape=(None, HEIGHT, WIDTH), compression="gzip")
        one(f"extensible_all_{libver}", data, libver, chunks=CHUNK, maxshape=(None, None, None), compression="gzip")
        sparse(f"sparse_{libver}", libver)
    one("user_block", data, userblock=512, chunks=CHUNK, compression="gzip")
    one("user_block_2048", data, "latest", userblock=2048)
    with file("compact") as h5:
        kind = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        kind.set_layout(h5py.h5d.COMPACT)
        small = voxel("uint16", (3, 5, 7))
        space = h5py.h5s.create_simple(small.shape)
        h5py.h5d.create(h5.id, b"data", h5py.h5t.STD_U16LE, space, kind).write(h5py.h5s.ALL, h5py.h5s.ALL, small)


def sparse(name, libver):
    """Only sections 4 to 7 are written, the rest is 7; nothing at all of `never`."""
    with file(name, libver=libver) as h5:
        shape, rest = (DEPTH, HEIGHT, WIDTH), (None, HEIGHT, WIDTH)
        data = h5.create_dataset("data", shape, "uint16", chunks=CHUNK, maxshape=rest, fillvalue=7, compression="gzip")
        data[4:8] = voxel("uint16")[4:8]
        h5.create_dataset("never", shape, "uint16", fillvalue=9)


def axes():
    with file("axes", libver="latest") as h5:
        h5["x"] = voxel("uint16", (WIDTH,))
        h5["yx"] = voxel("uint16", (HEIGHT, WIDTH))
        tzyx = voxel("uint16", (3, 1, DEPTH, HEIGHT, WIDTH))[:, 0]
        h5.create_dataset("time/tzyx", data=tzyx, chunks=(2, 4, 8, 16), compression="gzip")
        h5.create_dataset("time/tczyx", data=voxel("uint16", (3, 2, DEPTH, HEIGHT, WIDTH)), chunks=(1, 1, 4, 8, 16), compression="gzip")
        # As calcium imaging is stored: t, x, y, c.
        h5.create_dataset("time/txyc", data=voxel("uint16", (3, 2, 1, HEIGHT, WIDTH))[:, :, 0].transpose(0, 3, 2, 1), chunks=True, compression="gzip")
        h5["single"] = voxel("uint16", (1, 1, DEPTH, HEIGHT, WIDTH))
        h5["six"] = voxel("uint16")[None, None, None]
        h5["six_times"] = numpy.zeros((2, 1, 1, 1, 2, 2), "uint8")
        h5["scalar"] = numpy.uint64(2**64 - 2)
        h5["offset"] = numpy.array([2**63 + 5, 3], "uint64")
        h5["link"] = h5py.SoftLink("/time/tzyx")
        h5["dangling"] = h5py.SoftLink("/nowhere")


def refused():
    with file("refused") as h5:
        h5["strings"] = ["a", "b"]
        h5["fixed_strings"] = numpy.array([b"ab", b"cd"])
        h5["compound"] = numpy.zeros(3, [("a", "u1"), ("b", "f4")])
        h5["half"] = numpy.zeros((2, 2), "float16")
        h5["complex"] = numpy.zeros((2, 2), "complex64")
        h5["null"] = h5py.Empty("f4")
        h5.create_dataset("scaled", data=numpy.arange(64).reshape(8, 8), chunks=(4, 4), scaleoffset=0)
        layout = h5py.VirtualLayout((2, HEIGHT, WIDTH), "uint16")
        layout[0] = h5py.VirtualSource("axes.h5", "yx", (HEIGHT, WIDTH))
        h5.create_virtual_dataset("virtual", layout)
        h5.create_dataset("outside", (4, 4), "uint8", external=[("refused.raw", 0, 16)])
        h5.create_dataset("vlen", (2,), h5py.vlen_dtype("int32"))
    with file("empty") as h5:
        h5.create_group("only/groups")


FOLDER.mkdir(exist_ok=True)
types()
storage()
axes()
refused()
