"""Makes the arrays in tests/data/zarr with zarr-python and tensorstore, which share no code with this program.

    pip install zarr==3.1.6 numcodecs==0.16.6 tensorstore==0.1.86
    python tests/foreign/make_zarr.py

Every voxel is made from its coordinates. Chunks do not divide the arrays.
"""

import json
import pathlib
import shutil

import numcodecs
import numpy
import tensorstore
import zarr
from zarr.codecs import BloscCodec, BytesCodec, GzipCodec, ShardingCodec, TransposeCodec, ZstdCodec, Crc32cCodec

FOLDER = pathlib.Path(__file__).parent.parent / "data" / "zarr"
SHAPE, CHUNK = (5, 9, 13), (3, 5, 8)
VOXEL_TYPES = ["uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float32", "float64"]


def voxels(dtype, shape=SHAPE):
    """7x + 131y + 1009z + xy, 4001c and 30011t, wrapped to the type."""
    at = numpy.meshgrid(*(numpy.arange(s) for s in shape), indexing="ij")
    t, c, z, y, x = [0] * (5 - len(at)) + list(at)
    value = 7 * x + 131 * y + 1009 * z + x * y + 4001 * c + 30011 * t
    if dtype == "bool":
        return value % 3 == 0
    return value.astype("int64").astype(dtype)


def v2(name, data, chunk=CHUNK, **how):
    array = zarr.create_array(FOLDER / name, shape=data.shape, chunks=chunk, dtype=data.dtype, zarr_format=2, **how)
    array[...] = data
    return array


def v3(name, data, chunk=CHUNK, **how):
    array = zarr.create_array(FOLDER / name, shape=data.shape, chunks=chunk, dtype=data.dtype, zarr_format=3, **how)
    array[...] = data
    return array


def packings():
    blosc = numcodecs.Blosc
    small = voxels("uint16")
    for shuffle, word in enumerate(["none", "bytes", "bits"]):
        v2(f"v2_blosc_{word}", small, compressors=blosc("lz4", 5, shuffle))
    for codec in ["blosclz", "zlib", "zstd", "lz4hc"]:
        v2(f"v2_blosc_{codec}", small, compressors=blosc(codec, 3, 1))
    for codec in ["GZip", "Zlib", "Zstd", "BZ2"]:
        v2(f"v2_{codec.lower()}", small, compressors=getattr(numcodecs, codec)())
    v2("v2_plain", small, compressors=None)
    v2("v2_order_f", small, compressors=numcodecs.Zstd(), order="F")
    v2("v2_order_f_be", voxels(">u4"), compressors=None, order="F")
    v2("v2_slash", small, compressors=None, chunk_key_encoding={"name": "v2", "separator": "/"})
    v2("v2_shuffle", small, filters=[numcodecs.Shuffle(2)], compressors=numcodecs.Zstd())
    v2("v2_scaled", voxels("float64"), filters=[numcodecs.FixedScaleOffset(0, 1, "<f8", "<i4")], compressors=None)
    v3("v3_plain", small, compressors=None)
    v3("v3_gzip", small, compressors=[GzipCodec()])
    v3("v3_zstd_crc32c", small, compressors=[ZstdCodec(checksum=True), Crc32cCodec()])
    v3("v3_blosc", small, compressors=[BloscCodec(cname="zstd", shuffle="bitshuffle", typesize=2)])
    v3("v3_be", small, serializer=BytesCodec(endian="big"), compressors=[ZstdCodec()])
    v3("v3_transposed", small, filters=[TransposeCodec(order=(1, 2, 0))], compressors=[ZstdCodec()])
    v3("v3_dot", small, chunk_key_encoding={"name": "default", "separator": "."})
    v3("v3_v2_keys", small, chunk_key_encoding={"name": "v2", "separator": "."})


def shards():
    data = voxels("uint16")
    v3("shards", data, (2, 4, 4), shards=(4, 8, 8), compressors=[ZstdCodec()])
    v3("shards_plain", data, (2, 4, 4), shards=(4, 8, 12), compressors=None)
    v3("shards_first", data, (2, 4, 4), shards={"shape": (4, 8, 8), "index_location": "start"}, compressors=[GzipCodec()])
    v3("shards_be", data, (2, 4, 4), shards=(4, 8, 8), serializer=BytesCodec(endian="big"))
    v3("shards_transposed", data, (2, 4, 4), shards=(4, 8, 8), filters=[TransposeCodec(order=(2, 1, 0))])
    sparse = numpy.full(SHAPE, 7, "uint16")
    sparse[0:4, 0:8, 0:8] = voxels("uint16")[0:4, 0:8, 0:8]
    sparse[0:2, 0:4, 0:4] = 7
    v3("shards_sparse", sparse, (2, 4, 4), shards=(4, 8, 8), fill_value=7)
    nested = ShardingCodec(chunk_shape=(4, 4, 4), codecs=[ShardingCodec(chunk_shape=(2, 2, 4), codecs=[BytesCodec()])])
    v3("refused_nested_shards", voxels("uint8"), (8, 8, 8), serializer=nested, compressors=None)
    whole = ShardingCodec(chunk_shape=(2, 4, 4), codecs=[BytesCodec()])
    v3("refused_packed_shards", voxels("uint8"), (4, 8, 8), serializer=whole, compressors=[GzipCodec()])


def by_tensorstore():
    for name, driver, metadata in [
        (
            "tensorstore_v2",
            "zarr",
            {
                "chunks": list(CHUNK),
                "dtype": ">i2",
                "order": "F",
                "compressor": {"id": "bz2", "level": 1},
                "dimension_separator": "/",
            },
        ),
        (
            "tensorstore_v3",
            "zarr3",
            {
                "data_type": "int16",
                "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [4, 8, 8]}},
                "codecs": [
                    {
                        "name": "sharding_indexed",
                        "configuration": {
                            "chunk_shape": [2, 4, 4],
                            "codecs": [
                                {"name": "transpose", "configuration": {"order": [2, 0, 1]}},
                                {"name": "bytes", "configuration": {"endian": "big"}},
                                {"name": "gzip", "configuration": {"level": 3}},
                            ],
                            "index_location": "start",
                        },
                    }
                ],
            },
        ),
    ]:
        spec = {
            "driver": driver,
            "kvstore": {"driver": "file", "path": str(FOLDER / name)},
            "metadata": {"shape": list(SHAPE), **metadata},
        }
        tensorstore.open(spec, create=True).result()[...] = voxels("int16")


def hierarchies():
    for version in (2, 3):
        root = zarr.create_group(FOLDER / f"group_v{version}", zarr_format=version)
        for path in ("volumes/raw", "volumes/labels/ids", "scalar"):
            shape, chunk = (SHAPE, CHUNK) if path != "scalar" else ((), ())
            array = root.create_array(path, shape=shape, chunks=chunk, dtype="uint16", compressors=None)
            array[...] = voxels("uint16") if shape else 513
        zarr.consolidate_metadata(FOLDER / f"group_v{version}")
        single = zarr.create_group(FOLDER / f"single_v{version}", zarr_format=version)
        array = single.create_array("a/b", shape=SHAPE, chunks=CHUNK, dtype="uint16")
        array[...] = voxels("uint16")


def images():
    axes = [{"name": n, "type": k} for n, k in zip("tczyx", ["time", "channel", "space", "space", "space"])]
    for version, key in (("0.4", 2), ("0.5", 3)):
        root = zarr.create_group(FOLDER / f"ome_{version}", zarr_format=key)
        shapes = [(2, 3, 5, 9, 13), (2, 3, 5, 5, 7)]
        for level, shape in enumerate(shapes):
            names = {"dimension_names": list("tczyx")} if key == 3 else {}
            encoding = {"name": "v2", "separator": "/"} if key == 2 else None
            array = root.create_array(
                str(level),
                shape=shape,
                chunks=(1, 1, 2, 4, 8),
                dtype="uint16",
                chunk_key_encoding=encoding,
                compressors=None,
                **names,
            )
            array[...] = voxels("uint16", shape) + level
        scale = lambda n: [{"type": "scale", "scale": [1, 1, 1, 2**n, 2**n]}]
        datasets = [{"path": str(n), "coordinateTransformations": scale(n)} for n in range(2)]
        multiscales = [{"axes": axes, "datasets": datasets, "name": "image"}]
        if key == 2:
            root.attrs["multiscales"] = [{"version": "0.4", **multiscales[0]}]
        else:
            root.attrs["ome"] = {"version": "0.5", "multiscales": multiscales}
    # As bioformats2raw writes it: the image is in a group of the group.
    outer = zarr.create_group(FOLDER / "ome_inside", zarr_format=2)
    inner = outer.create_group("0")
    array = inner.create_array("0", shape=(3, 5, 9), chunks=(1, 4, 8), dtype="uint8", compressors=None)
    array[...] = voxels("uint8", (3, 5, 9))
    inner.attrs["multiscales"] = [{"version": "0.4", "axes": [axes[1], axes[3], axes[4]], "datasets": [{"path": "0"}]}]
    # Axes in an order of their own.
    named = v3("named_xyz", voxels("uint16").T, (8, 5, 3), dimension_names=("X", "Y", "Z"))
    xarray = v2("xarray_v2", voxels("uint16", (3, 9, 13)), (2, 4, 8), compressors=None)
    xarray.attrs["_ARRAY_DIMENSIONS"] = ["c", "y", "x"]
    assert named.shape == SHAPE[::-1]


def ranks():
    for shape, chunk in [
        ((13,), (8,)),
        ((9, 13), (4, 8)),
        ((2, 5, 9, 13), (1, 2, 4, 8)),
        ((1, 5, 9, 13), (1, 2, 4, 8)),
        ((1, 1, 2, 5, 9, 13), (1, 1, 1, 2, 4, 8)),
        ((2, 1, 2, 2, 3, 3), (1, 1, 1, 2, 2, 2)),
    ]:
        v2(
            "rank_" + "_".join(map(str, shape)),
            voxels("uint16", shape[-5:]).reshape(shape) if shape[0] == 1 or len(shape) < 6 else numpy.zeros(shape, "uint16"),
            chunk,
            compressors=None,
        )
    v2("scalar_f", numpy.array(513, "uint16"), (), order="F")


def refused():
    root = zarr.create_group(FOLDER / "refused_v2", zarr_format=2)
    for name, dtype, how in [
        ("half", "float16", {}),
        ("complex", "complex64", {}),
        ("delta", "uint16", {"filters": [numcodecs.Delta("<u2")]}),
        ("lz4", "uint16", {"compressors": numcodecs.LZ4()}),
        ("lzma", "uint16", {"compressors": numcodecs.LZMA()}),
        ("strings", "S5", {}),
        ("dates", "datetime64[s]", {}),
    ]:
        root.create_array(name, shape=(4, 4), chunks=(2, 2), dtype=dtype, **how)
    root = zarr.create_group(FOLDER / "refused_v3", zarr_format=3)
    root.create_array("half", shape=(4, 4), chunks=(2, 2), dtype="float16")
    root.create_array("strings", shape=(4, 4), chunks=(2, 2), dtype="str")
    for name, change in [
        ("grid", {"chunk_grid": {"name": "rectangular", "configuration": {"chunk_shape": [[2, 2], [2, 2]]}}}),
        ("transformer", {"storage_transformers": [{"name": "secret"}]}),
        ("extension", {"secret": {"must_understand": True}}),
        ("codec", {"codecs": [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "secret"}]}),
    ]:
        root.create_array(name, shape=(4, 4), chunks=(2, 2), dtype="uint8")
        file = FOLDER / "refused_v3" / name / "zarr.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    zarr.create_group(FOLDER / "empty", zarr_format=2)


def main():
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    for dtype in VOXEL_TYPES + ["bool"]:
        v2(f"v2_{dtype}", voxels(dtype), compressors=numcodecs.Zstd())
        v3(f"v3_{dtype}", voxels(dtype), compressors=[ZstdCodec()])
        if dtype not in ("uint8", "int8", "bool"):
            big = numpy.dtype(dtype).newbyteorder(">")
            v2(f"v2_{dtype}_be", voxels(dtype).astype(big), compressors=None)
    packings()
    shards()
    by_tensorstore()
    hierarchies()
    images()
    ranks()
    for version, make in ((2, v2), (3, v3)):
        sparse = numpy.full(SHAPE, 7, "uint16")
        sparse[3:] = voxels("uint16")[3:]
        make(f"sparse_v{version}", sparse, fill_value=7, config={"write_empty_chunks": False})
        make(
            f"nan_v{version}",
            numpy.full(SHAPE, numpy.nan, "float32"),
            fill_value=numpy.nan,
            config={"write_empty_chunks": False},
        )
    refused()
    for file in FOLDER.rglob("*"):
        if file.is_file() and file.stat().st_size == 0:
            file.unlink()


main()
