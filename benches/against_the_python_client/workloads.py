"""The data and the jobs that both clients upload. Voxels are smooth texture with noise, as electron microscopy has them."""

import json
import pathlib

import numpy
from PIL import Image

CLASSES = "ingestclient.plugins."
SCALE = {"uint8": 30, "uint16": 5000}


class Texture:
    """Voxels for any box, the same each time; smooth blobs of some ten voxels under white noise."""

    def __init__(self, dtype):
        self.dtype, random = numpy.dtype(dtype), numpy.random.default_rng(1)
        blobs = random.normal(size=(64, 512, 512))
        for axis in range(3):
            for _ in range(3):
                blobs = (blobs + numpy.roll(blobs, 1, axis) + numpy.roll(blobs, -1, axis)) / 3
        self.blobs, self.random = (blobs / blobs.std()).astype("float32"), random

    def box(self, z, y, x):
        place = numpy.ix_(*(numpy.arange(*span) % length for span, length in zip((z, y, x), self.blobs.shape)))
        blobs = self.blobs[place]
        if self.dtype == "uint64":
            return ((blobs * 3).astype("int64") + 1000 * (1 + numpy.arange(*x) // 100)).astype("uint64")
        scale = SCALE[self.dtype.name]
        noisy = 4.3 * scale + scale * (blobs + self.random.normal(size=blobs.shape, scale=0.25))
        return numpy.clip(noisy, 0, numpy.iinfo(self.dtype).max).astype(self.dtype)


def precomputed(folder, dtype, size, chunk=(128, 128, 64)):
    """An unsharded volume of raw chunks."""
    if (folder / "info").exists():
        return
    key, texture = "4_4_40", Texture(dtype)
    (folder / key).mkdir(parents=True, exist_ok=True)
    starts = [range(0, length, step) for length, step in zip(size, chunk)]
    for z in starts[2]:
        for y in starts[1]:
            for x in starts[0]:
                stop = [min(at + step, length) for at, step, length in zip((x, y, z), chunk, size)]
                name = f"{x}-{stop[0]}_{y}-{stop[1]}_{z}-{stop[2]}"
                (folder / key / name).write_bytes(texture.box((z, stop[2]), (y, stop[1]), (x, stop[0])).tobytes())
    scale = {
        "key": key, "size": size, "resolution": [4, 4, 40], "voxel_offset": [0, 0, 0], "chunk_sizes": [chunk],
        "encoding": "raw",
    }
    info = {"type": "image", "data_type": dtype, "num_channels": 1, "scales": [scale]}
    (folder / "info").write_text(json.dumps(info))


def sections(folder, size):
    """PNG files `s0000.png` and so on."""
    folder.mkdir(parents=True, exist_ok=True)
    texture = Texture("uint8")
    for z in range(size[2]):
        file = folder / f"s{z:04}.png"
        if not file.exists():
            Image.fromarray(texture.box((z, z + 1), (0, size[1]), (0, size[0]))[0]).save(file, compress_level=1)


def job(kind, size, task_size, path, data, channel="chan"):
    data_slot, size_slot = ("tile_processor", "tile_size") if kind == "tile" else ("chunk_processor", "chunk_size")
    axes = dict(zip("xyz", task_size))
    return {
        "schema": {"name": "boss-v0.2-schema", "validator": "BossValidatorV02"},
        "client": {
            "backend": {"name": "boss", "class": "BossBackend", "host": "", "protocol": "http"},
            "path_processor": path,
            data_slot: data,
        },
        "database": {"collection": "col", "experiment": "exp", "channel": channel},
        "ingest_job": {
            "ingest_type": kind,
            "resolution": 0,
            "extent": {axis: [0, length] for axis, length in zip("xyzt", [*size, 1])},
            size_slot: {**axes, "t": 1} if kind == "tile" else axes,
        },
    }


def volumetric(folder, dtype, size, chunk):
    volume = folder / f"volume_{dtype}_{'_'.join(map(str, size))}"
    precomputed(volume, dtype, size)
    params = {"cloudpath": f"file://{volume}", "progress": False}
    path = {"class": CLASSES + "cloudvolume.CloudVolumePathProcessor", "params": {}}
    return job("volumetric", size, chunk, path, {"class": CLASSES + "cloudvolume.CloudVolumeChunkProcessor", "params": params})


def tiles(folder, size, tile):
    """Sections that are cut into tiles, or are the tiles. The Python client's own class sends whole sections."""
    stack = folder / f"sections_{'_'.join(map(str, size))}"
    sections(stack, size)
    params = {"root_dir": str(stack), "base_filename": "s<p:4>", "extension": "png"}
    path = {"class": CLASSES + "stack.ZindexStackPathProcessor", "params": params}
    data = {"filesystem": "local", "extension": "png"}
    own = CLASSES + "stack.ZindexStackTileProcessor"
    return job("tile", size, [*tile, 1], path, {"class": own if size[:2] == tile else "cropped.CroppedTileProcessor", "params": data})


# name: (dtype, voxels in x, y, z, job, processes of the Python client, milliseconds of round trip)
WORKLOADS = {
    "volume_uint8": ("uint8", lambda at: volumetric(at, "uint8", [2048, 2048, 256], [1024, 1024, 64]), 2, 0),
    "volume_uint16": ("uint16", lambda at: volumetric(at, "uint16", [2048, 2048, 128], [1024, 1024, 64]), 2, 0),
    "labels": ("uint64", lambda at: volumetric(at, "uint64", [1024, 1024, 128], [1024, 1024, 64]), 2, 0),
    "tiles_as_they_are": ("uint8", lambda at: tiles(at, [1024, 1024, 512], [1024, 1024]), 2, 0),
    "tiles_of_8192": ("uint8", lambda at: tiles(at, [8192, 8192, 16], [1024, 1024]), 2, 0),
    "volume_far": ("uint8", lambda at: volumetric(at, "uint8", [2048, 2048, 256], [1024, 1024, 64]), 8, 50),
    "tiles_far": ("uint8", lambda at: tiles(at, [512, 512, 4000], [512, 512]), 8, 50),
}


def write(folder, name, host, who):
    """Writes the job file of a workload for one of the clients."""
    folder = pathlib.Path(folder).absolute()
    dtype, make, processes, delay = WORKLOADS[name]
    made = make(folder)
    made["client"]["backend"]["host"] = host
    if who == "ours" and made["ingest_job"]["ingest_type"] == "tile":
        made["client"]["tile_processor"] = {"class": "image", "params": {}}
    file = folder / f"{name}_{who}.json"
    file.write_text(json.dumps(made, indent=1))
    return file, made, dtype, processes, delay
