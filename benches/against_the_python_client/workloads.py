"""The data and the jobs that both clients upload. Voxels are smooth texture with noise, as electron microscopy has them."""

import dataclasses
import json
import os
import pathlib
from collections.abc import Callable

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


def longer_precomputed(folder, base, times):
    """A volume so many times as long in z, whose chunk files are hard links to those of another."""
    if (folder / "info").exists():
        return
    info = json.loads((base / "info").read_text())
    key, depth = info["scales"][0]["key"], info["scales"][0]["size"][2]
    (folder / key).mkdir(parents=True, exist_ok=True)
    for chunk in (base / key).iterdir():
        x, y, z = chunk.name.split("_")
        start, stop = map(int, z.split("-"))
        for again in range(0, times * depth, depth):
            link(chunk, folder / key / f"{x}_{y}_{start + again}-{stop + again}")
    info["scales"][0]["size"][2] *= times
    (folder / "info").write_text(json.dumps(info))


def link(file, to):
    if not to.exists():
        os.link(file, to)


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


def volumetric(folder, dtype, size, chunk, times=1):
    volume = folder / f"volume_{dtype}_{'_'.join(map(str, size))}"
    precomputed(volume, dtype, size)
    if times > 1:
        base, volume, size = volume, volume.with_name(f"{volume.name}_times_{times}"), [*size[:2], size[2] * times]
        longer_precomputed(volume, base, times)
    params = {"cloudpath": f"file://{volume}", "progress": False}
    path = {"class": CLASSES + "cloudvolume.CloudVolumePathProcessor", "params": {}}
    return job("volumetric", size, chunk, path, {"class": CLASSES + "cloudvolume.CloudVolumeChunkProcessor", "params": params})


def tiles(folder, size, tile, times=1):
    """Sections that are cut into tiles, or are the tiles. The Python client's own class sends whole sections."""
    stack = folder / f"sections_{'_'.join(map(str, size))}"
    sections(stack, size)
    if times > 1:
        base, stack, size = stack, stack.with_name(f"{stack.name}_times_{times}"), [*size[:2], size[2] * times]
        stack.mkdir(exist_ok=True)
        for z in range(size[2]):
            link(base / f"s{z % (size[2] // times):04}.png", stack / f"s{z:04}.png")
    params = {"root_dir": str(stack), "base_filename": "s<p:4>", "extension": "png"}
    path = {"class": CLASSES + "stack.ZindexStackPathProcessor", "params": params}
    data = {"filesystem": "local", "extension": "png"}
    own = CLASSES + "stack.ZindexStackTileProcessor"
    return job("tile", size, [*tile, 1], path, {"class": own if size[:2] == tile else "cropped.CroppedTileProcessor", "params": data})


@dataclasses.dataclass
class Workload:
    dtype: str
    # Writes the data into a folder and gives the job.
    make: Callable
    # Of the Python client.
    processes: int = 2
    # Of a round trip to the Boss.
    delay_ms: int = 0
    has_ceiling: bool = False
    # Of no use but to see how much memory ours takes.
    ours_only: bool = False


CHUNK = [1024, 1024, 64]
VOLUME = [2048, 2048, 256]
WORKLOADS = {
    "volume_uint8": Workload("uint8", lambda at: volumetric(at, "uint8", VOLUME, CHUNK), has_ceiling=True),
    "volume_uint16": Workload("uint16", lambda at: volumetric(at, "uint16", [2048, 2048, 128], CHUNK), has_ceiling=True),
    "labels": Workload("uint64", lambda at: volumetric(at, "uint64", [1024, 1024, 128], [512, 512, 32]), has_ceiling=True),
    "tiles_as_they_are": Workload("uint8", lambda at: tiles(at, [1024, 1024, 512], [1024, 1024])),
    # The Python client decodes a section anew for each of its 64 tiles: four sections take it long enough.
    "tiles_of_8192": Workload("uint8", lambda at: tiles(at, [8192, 8192, 4], [1024, 1024])),
    "volume_far": Workload("uint8", lambda at: volumetric(at, "uint8", VOLUME, CHUNK), 8, 50, has_ceiling=True),
    "tiles_far": Workload("uint8", lambda at: tiles(at, [512, 512, 4000], [512, 512]), 8, 50),
    "volume_uint8_long": Workload("uint8", lambda at: volumetric(at, "uint8", VOLUME, CHUNK, 10), ours_only=True),
    "tiles_long": Workload("uint8", lambda at: tiles(at, [1024, 1024, 512], [1024, 1024], 10), ours_only=True),
    "volume_far_long": Workload("uint8", lambda at: volumetric(at, "uint8", VOLUME, CHUNK, 10), 8, 50, ours_only=True),
}


def write(folder, name, host, who):
    """Writes the job file of a workload for one of the clients."""
    folder = pathlib.Path(folder).absolute()
    workload = WORKLOADS[name]
    made = workload.make(folder)
    made["client"]["backend"]["host"] = host
    if who != "theirs" and made["ingest_job"]["ingest_type"] == "tile":
        made["client"]["tile_processor"] = {"class": "image", "params": {}}
    file = folder / f"{name}_{who}.json"
    file.write_text(json.dumps(made, indent=1))
    return file, made, workload
