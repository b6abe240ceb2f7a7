"""Makes the files in tests/data/hdf5 with h5py, which is the HDF5 library itself.

    pip install h5py hdf5plugin numpy
    python tests/foreign/make_hdf5.py

Every value is made from its coordinates by `voxel`, so that a swapped axis or byte shows.
"""

import json
import pathlib

import h5py
import hdf5plugin
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
        h5["complex"] = numpy.zeros((2, 2), "complex64")
        h5["null"] = h5py.Empty("f4")
        h5.create_dataset("blosc2", data=numpy.arange(64).reshape(8, 8), chunks=(4, 4), **hdf5plugin.Blosc2())
        zstd = hdf5plugin.Bitshuffle(cname="zstd")
        h5.create_dataset("bitshuffle_zstd", data=numpy.arange(64).reshape(8, 8), chunks=(4, 4), **zstd)
        h5.create_dataset("zfp", data=numpy.zeros((8, 8), "float32"), chunks=(4, 4), **hdf5plugin.Zfp())
        layout = h5py.VirtualLayout((2, HEIGHT, WIDTH), "uint16")
        layout[0] = h5py.VirtualSource("axes.h5", "yx", (HEIGHT, WIDTH))
        h5.create_virtual_dataset("virtual", layout)
        h5.create_dataset("outside", (4, 4), "uint8", external=[("refused.raw", 0, 16)])
        h5.create_dataset("vlen", (2,), h5py.vlen_dtype("int32"))
    with file("empty") as h5:
        h5.create_group("only/groups")


def filters():
    """Filters that are not part of every HDF5 library, each alone in a file, so that damage meets all of them."""
    data = voxel("uint16")
    plugins = {
        "zstd": hdf5plugin.Zstd(clevel=3),
        "lz4": hdf5plugin.LZ4(),
        "bzip2": hdf5plugin.BZip2(),
        "bitshuffle": hdf5plugin.Bitshuffle(cname="none"),
        "bitshuffle_lz4": hdf5plugin.Bitshuffle(),
    }
    for codec in ("blosclz", "lz4", "lz4hc", "snappy", "zlib", "zstd"):
        plugins[f"blosc_{codec}"] = hdf5plugin.Blosc(cname=codec, shuffle=hdf5plugin.Blosc.SHUFFLE)
    plugins["blosc_bits"] = hdf5plugin.Blosc(cname="zstd", shuffle=hdf5plugin.Blosc.BITSHUFFLE)
    for name, plugin in plugins.items():
        one(f"filter_{name}", data, chunks=CHUNK, **plugin)
    one("filter_scaleoffset", data, chunks=CHUNK, scaleoffset=0)
    one("filter_szip", data, chunks=CHUNK, compression="szip")
    with file("filter_nbit") as h5:
        kind = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        kind.set_chunk(CHUNK)
        kind.set_filter(h5py.h5z.FILTER_NBIT)
        space = h5py.h5s.create_simple(data.shape)
        h5py.h5d.create(h5.id, b"data", h5py.h5t.STD_U16LE, space, kind).write(h5py.h5s.ALL, h5py.h5s.ALL, data)


def half():
    """Whole numbers below 2048, which a 16-bit float holds as they are."""
    one("float16", (voxel("int64") % 2048).astype("<f2"), chunks=CHUNK, compression="gzip", shuffle=True)
    one("float16_be", (voxel("int64") % 2048).astype(">f2"))


def matlab():
    """As MATLAB 7.3 writes `volume(y, x, z)`: columns are stored, so that the axes in the file are the other way round."""
    with file("matlab", userblock_size=512) as h5:
        for name, data in [
            ("section", voxel("uint16", (HEIGHT, WIDTH)).T),
            ("volume", voxel("uint16").transpose(0, 2, 1)),
            ("time", voxel("uint16", (2, 1, DEPTH, HEIGHT, WIDTH))[:, 0].transpose(0, 1, 3, 2)),
        ]:
            h5.create_dataset(name, data=data, compression="gzip", chunks=True)
            h5[name].attrs.create("MATLAB_class", numpy.bytes_("uint16"))
        h5["#refs#/a"] = numpy.zeros((2, 1))
    path = FOLDER / "matlab.h5"
    text = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM"
    path.write_bytes(text + path.read_bytes()[len(text) :])


def bigdataviewer():
    """Two levels, two times, two setups; 16-bit values with a sign, as BigDataViewer writes those without."""
    with file("bigdataviewer") as h5:
        for setup in range(2):
            h5[f"s{setup:02}/resolutions"] = numpy.array([[1, 1, 1], [2, 2, 1]], "float64")
            h5[f"s{setup:02}/subdivisions"] = numpy.array([[16, 8, 4], [16, 8, 4]], "int32")
        whole = voxel("uint16", (2, 2, DEPTH, HEIGHT, WIDTH)).view("int16")
        for time, setup, level in numpy.ndindex(2, 2, 2):
            cells = whole[time, setup][:, :: level + 1, :: level + 1]
            name = f"t{time:05}/s{setup:02}/{level}/cells"
            h5.create_dataset(name, data=cells, chunks=CHUNK, maxshape=(None,) * 3, compression="gzip")
    with file("bigdataviewer_ragged") as h5:
        h5["t00000/s00/0/cells"] = numpy.zeros((2, 3, 4), "int16")
        h5["t00000/s01/0/cells"] = numpy.zeros((2, 3, 5), "int16")
        h5["t00001/s00/0/cells"] = numpy.zeros((2, 3, 4), "int16")


def imaris():
    """Arrays are padded to whole chunks; attributes of one letter after the other tell the true size."""
    with file("imaris") as h5:
        whole = voxel("uint16", (2, 2, DEPTH, HEIGHT, WIDTH))
        for level, time, channel in numpy.ndindex(2, 2, 2):
            data = whole[time, channel][:, :: level + 1, :: level + 1]
            group = h5.create_group(f"DataSet/ResolutionLevel {level}/TimePoint {time}/Channel {channel}")
            padding = [(0, -length % chunk) for length, chunk in zip(data.shape, CHUNK)]
            padded = numpy.pad(data, padding, constant_values=9999)
            group.create_dataset("Data", data=padded, chunks=CHUNK, compression="gzip")
            group["Histogram"] = numpy.zeros(256, "uint64")
            for axis, length in zip("ZYX", data.shape):
                group.attrs.create(f"ImageSize{axis}", numpy.array(list(str(length)), "S1"))
        h5["Thumbnail/Data"] = numpy.zeros((4, 16), "uint8")
        h5.create_group("DataSetInfo/Image")


def letters():
    """Attributes that say what the axes are."""
    with file("ilastik") as h5:
        whole = voxel("uint8", (1, 2, DEPTH, HEIGHT, WIDTH))
        data = h5.create_dataset("exported_data", data=numpy.moveaxis(whole, 1, 4), chunks=(1, 4, 8, 16, 2), compression="gzip")
        data.attrs["axistags"] = json.dumps({"axes": [{"key": key, "typeFlags": 2, "resolution": 0} for key in "tzyxc"]})
        columns = h5.create_dataset("columns", data=voxel("uint8", (1, 2, DEPTH, HEIGHT, WIDTH))[0].transpose(3, 2, 1, 0), chunks=(16, 8, 4, 1))
        columns.attrs["axistags"] = json.dumps({"axes": [{"key": key} for key in "xyzc"]})
        named = h5.create_dataset("named", data=voxel("uint16").transpose(1, 2, 0), chunks=True)
        named.attrs["axes"] = "yxz"
        odd = h5.create_dataset("odd", data=voxel("uint16"))
        odd.attrs["axes"] = "abc"
        wrong = h5.create_dataset("wrong", data=voxel("uint16"))
        wrong.attrs["axistags"] = "no JSON"


def nothing():
    with file("nothing") as h5:
        h5.create_dataset("empty", (0, 5), "uint8")
        h5.create_dataset("extensible", (0, 4, 5), "uint8", maxshape=(None, 4, 5), chunks=(1, 4, 5))


FOLDER.mkdir(exist_ok=True)
types()
storage()
axes()
refused()
filters()
half()
matlab()
bigdataviewer()
imaris()
letters()
nothing()
