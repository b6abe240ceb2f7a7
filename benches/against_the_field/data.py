"""Writes the volumes that are read: smooth texture with noise, as electron microscopes give it, seeded."""

import gzip
import pathlib

import h5py
import numpy
import tensorstore
import tifffile

DEPTH, HEIGHT, WIDTH = 256, 512, 512
CHUNK = [64, 64, 64]


def texture(dtype):
    random = numpy.random.default_rng(4)
    volume = numpy.zeros((DEPTH, HEIGHT, WIDTH), "float32")
    for scale, strength in [(64, 24), (16, 18), (6, 10)]:
        coarse = random.normal(0, strength, [length // scale + 2 for length in volume.shape]).astype("float32")
        for axis, length in enumerate(volume.shape):
            at = numpy.arange(length) / scale
            low, part = at.astype(int), (at - at.astype(int)).astype("float32")
            part = part.reshape([-1 if axis == other else 1 for other in range(3)])
            coarse = coarse.take(low, axis) * (1 - part) + coarse.take(low + 1, axis) * part
        volume += coarse
    volume += 128 + random.normal(0, 5, volume.shape).astype("float32")
    if dtype == "uint16":
        # Twelve bits, as cameras have.
        volume *= 16
    return numpy.clip(volume, 0, 255 if dtype == "uint8" else 4095).astype(dtype)


def tensorstore_write(spec, volume):
    store = tensorstore.open(spec, create=True, delete_existing=True).result()
    store.write(volume).result()


def zarr(path, volume):
    compressor = {"id": "zstd", "level": 3}
    metadata = {"shape": volume.shape, "chunks": CHUNK, "dtype": volume.dtype.str, "compressor": compressor}
    tensorstore_write({"driver": "zarr", "kvstore": f"file://{path}", "metadata": metadata}, volume)


def precomputed(path, volume):
    scale = {"key": "0", "size": volume.shape[::-1], "chunk_size": CHUNK, "resolution": [4, 4, 40], "encoding": "raw"}
    spec = {
        "driver": "neuroglancer_precomputed",
        "kvstore": f"file://{path}",
        "multiscale_metadata": {"type": "image", "data_type": str(volume.dtype), "num_channels": 1},
        "scale_metadata": scale,
    }
    tensorstore_write(spec, volume.transpose()[..., None])
    # As CloudVolume writes them: each chunk packed by gzip, with the ending `.gz`.
    for chunk in (pathlib.Path(path) / "0").iterdir():
        chunk.with_name(chunk.name + ".gz").write_bytes(gzip.compress(chunk.read_bytes(), 6))
        chunk.unlink()


def tiff(path, volume):
    tifffile.imwrite(path, volume, tile=(256, 256), compression="lzw", photometric="minisblack", metadata=None)


def hdf5(path, volume):
    with h5py.File(path, "w") as file:
        file.create_dataset("main", data=volume, chunks=tuple(CHUNK), compression="gzip")


WRITERS = {"zarr": zarr, "precomputed": precomputed, "tiff": tiff, "hdf5": hdf5}
