"""Makes the frames in tests/data/blosc with python-blosc: every codec and shuffle, the type size given in bytes, and in bits
as the Boss gives it.

    pip install blosc numpy
    python tests/foreign/make_blosc.py

Voxel n is 7n + (n // 61) * 131, wrapped to the type. A file is called codec_shuffle_dtype_typesize.blosc.
"""

import itertools
import pathlib

import blosc
import numpy

FOLDER = pathlib.Path(__file__).parent.parent / "data" / "blosc"
VOXELS = 999

if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    counted = numpy.arange(VOXELS, dtype="uint64")
    counted = 7 * counted + counted // 61 * 131
    codecs = ("blosclz", "lz4", "lz4hc", "zlib", "zstd")
    shuffles = {"none": blosc.NOSHUFFLE, "bytes": blosc.SHUFFLE, "bits": blosc.BITSHUFFLE}
    for codec, shuffle, dtype in itertools.product(codecs, shuffles, ("uint8", "uint16", "uint64")):
        voxels = counted.astype(dtype)
        for typesize in (voxels.itemsize, voxels.itemsize * 8):
            frame = blosc.compress(voxels.tobytes(), typesize, clevel=9, shuffle=shuffles[shuffle], cname=codec)
            (FOLDER / f"{codec}_{shuffle}_{dtype}_{typesize}.blosc").write_bytes(frame)
    # Noise cannot be compressed; its frame is a copy.
    noise = numpy.random.default_rng(1).integers(0, 256, 1000, dtype="uint8").tobytes()
    (FOLDER / "stored.blosc").write_bytes(blosc.compress(noise, 8))
    (FOLDER / "stored.raw").write_bytes(noise)
    print(sum(path.stat().st_size for path in FOLDER.iterdir()), "bytes in", len(list(FOLDER.iterdir())), "files")
