"""Makes the files in tests/data/bombs: small ones that would become large in the memory of a reader that trusts them.

    pip install numpy h5py zarr numcodecs tifffile imagecodecs
    python tests/foreign/make_bombs.py

`declared_*` say in a header that they are enormous, and hold next to nothing. `inflated_*` are small by their headers, but one
block of them unpacks to 16 MiB of zeros.
"""

import gzip
import json
import pathlib
import shutil
import struct
import zlib

import h5py
import numcodecs
import numpy

FOLDER = pathlib.Path(__file__).parent.parent / "data" / "bombs"
ZEROS = bytes(16 << 20)
HUGE = 2_000_000


def png():
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    def image(width, height, body):
        header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
        data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(body, 9)) + chunk(b"IEND", b"")
        return b"\x89PNG\r\n\x1a\n" + data

    (FOLDER / "declared.png").write_bytes(image(HUGE, HUGE, bytes(1000)))
    (FOLDER / "inflated.png").write_bytes(image(31, 31, ZEROS))


def jpeg():
    """The frame header of a sound image, with 65535 rows and columns."""
    bytes_ = bytearray((FOLDER.parent / "images" / "smooth.jpg").read_bytes())
    at = bytes_.index(b"\xff\xc0")
    bytes_[at + 5 : at + 9] = b"\xff\xff\xff\xff"
    (FOLDER / "declared.jpg").write_bytes(bytes_)


def tiff(name, width, height, compression, body, rows):
    """One strip of `rows` rows, little-endian: TIFF 6.0, section 2."""
    tags = [(256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, compression), (262, 3, 1), (273, 4, 8), (277, 3, 1)]
    tags += [(278, 4, rows), (279, 4, len(body))]
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    body += bytes(len(body) % 2)
    (FOLDER / f"{name}.tif").write_bytes(b"II*\0" + struct.pack("<I", 8 + len(body)) + body + directory + bytes(4))


def tiffs():
    packed = {"deflate": (8, zlib.compress(ZEROS, 9)), "zstd": (50000, numcodecs.Zstd(19).encode(ZEROS))}
    for codec, (number, body) in packed.items():
        tiff(f"declared_{codec}", HUGE, HUGE, number, body[:1000], HUGE)
        tiff(f"inflated_{codec}", 31, 31, number, body, 31)
    tiff("declared_raw", HUGE, HUGE, 1, bytes(1000), HUGE)


def hdf5():
    for name, shape, chunks in [("declared", (HUGE, HUGE), (60000, 60000)), ("inflated", (31, 31), (31, 31))]:
        with h5py.File(FOLDER / f"{name}.h5", "w", libver="latest") as file:
            array = file.create_dataset("data", shape, "uint8", chunks=chunks, compression="gzip")
            array.id.write_direct_chunk((0, 0), zlib.compress(ZEROS, 9))


def zarr_array(name, shape, compressor, chunk):
    folder = FOLDER / f"{name}.zarr"
    folder.mkdir()
    header = {"zarr_format": 2, "shape": shape, "chunks": shape, "dtype": "|u1", "order": "C", "fill_value": 0}
    (folder / ".zarray").write_text(json.dumps(header | {"compressor": compressor, "filters": None}))
    (folder / "0.0.0").write_bytes(chunk)


def zarr():
    codecs = {
        "blosc": numcodecs.Blosc("zstd", 9, blocksize=0),
        "zstd": numcodecs.Zstd(19),
        "gzip": numcodecs.GZip(9),
        "zlib": numcodecs.Zlib(9),
        "bz2": numcodecs.BZ2(9),
    }
    for name, codec in codecs.items():
        packed = bytes(codec.encode(ZEROS))
        zarr_array(f"inflated_{name}", [31, 31, 31], codec.get_config(), packed)
        zarr_array(f"declared_{name}", [HUGE, HUGE, HUGE], codec.get_config(), packed)


def n5():
    """A block says in its header how large it is: https://github.com/saalfeldlab/n5."""
    shapes = {"declared": [HUGE, HUGE], "inflated": [31, 31], "block": [31, 31]}
    for name, shape in shapes.items():
        folder = FOLDER / f"{name}.n5"
        (folder / "0").mkdir(parents=True)
        header = {"dimensions": shape, "blockSize": shape, "dataType": "uint8", "compression": {"type": "gzip", "level": 9}}
        (folder / "attributes.json").write_text(json.dumps({"n5": "4.0.0"} | header))
        block = [HUGE, HUGE] if name == "block" else shape
        (folder / "0" / "0").write_bytes(struct.pack(">HHII", 0, 2, *block) + gzip.compress(ZEROS, 9))


def precomputed():
    for name, size in [("declared", HUGE), ("inflated", 31)]:
        folder = FOLDER / f"{name}.precomputed"
        (folder / "0").mkdir(parents=True)
        scale = {"key": "0", "size": [size] * 3, "chunk_sizes": [[size] * 3], "resolution": [1, 1, 1], "encoding": "raw"}
        info = {"type": "image", "data_type": "uint8", "num_channels": 1, "scales": [scale | {"voxel_offset": [0, 0, 0]}]}
        (folder / "info").write_text(json.dumps(info))
        (folder / "0" / f"0-{size}_0-{size}_0-{size}.gz").write_bytes(gzip.compress(ZEROS, 9))


def nifti(size):
    """NIfTI-1, 348 bytes and an empty extension: https://nifti.nimh.nih.gov/nifti-1."""
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, size, size, size, 1, 1, 1, 1)
    struct.pack_into("<hh", header, 70, 2, 8)
    struct.pack_into("<f", header, 108, 352)
    struct.pack_into("<f", header, 112, 1)
    header[344:348] = b"n+1\0"
    return bytes(header)


def flat():
    (FOLDER / "declared.nii").write_bytes(nifti(32000) + bytes(1000))
    (FOLDER / "declared.nii.gz").write_bytes(gzip.compress(nifti(32000) + bytes(1000), 9))
    (FOLDER / "inflated.nii.gz").write_bytes(gzip.compress(nifti(31) + ZEROS, 9))
    mrc = bytearray(1024)
    struct.pack_into("<4i", mrc, 0, HUGE, HUGE, HUGE, 0)
    struct.pack_into("<3i", mrc, 28, HUGE, HUGE, HUGE)
    struct.pack_into("<3i", mrc, 64, 1, 2, 3)
    mrc[208:216] = b"MAP \x44\x44\0\0"
    (FOLDER / "declared.mrc").write_bytes(bytes(mrc) + bytes(1000))
    head = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({HUGE}, {HUGE}, {HUGE}), }}".ljust(117) + "\n"
    (FOLDER / "declared.npy").write_bytes(b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head.encode() + bytes(1000))
    palette = b"".join(bytes([grey, grey, grey, 0]) for grey in range(256))
    head = struct.pack("<IiiHHIIiiII", 40, HUGE, HUGE, 1, 8, 0, 0, 2835, 2835, 256, 0)
    start = 14 + len(head) + len(palette)
    bmp = b"BM" + struct.pack("<IHHI", start + 1000, 0, 0, start) + head + palette + bytes(1000)
    (FOLDER / "declared.bmp").write_bytes(bmp)


shutil.rmtree(FOLDER, ignore_errors=True)
FOLDER.mkdir()
png()
jpeg()
tiffs()
hdf5()
zarr()
n5()
precomputed()
flat()
