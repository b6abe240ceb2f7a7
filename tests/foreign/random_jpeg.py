"""Writes random JPEG images with Pillow (libjpeg-turbo), and what Pillow reads of them.

    pip install pillow numpy
    python tests/foreign/random_jpeg.py OUT_DIR COUNT SEED

Grey and colours, of any quality and subsampling, baseline and progressive, with restart markers and without. JPEG's decoders
may round differently, and smooth colours that are stored at half the resolution in their own ways: `tolerance` says how far.
"""

import json
import pathlib
import sys

import numpy
from PIL import Image

SUBSAMPLINGS = {"4:4:4": 4, "4:2:2": 24, "4:2:0": 24}


def samples(random, height, width, channels):
    """Waves and some noise, which JPEG is made for; of many frequencies, so that every coefficient is used."""
    y, x = numpy.mgrid[0:height, 0:width]
    planes = []
    for _ in range(channels):
        across, down, strength = random.uniform(0.02, 0.5), random.uniform(0.02, 0.5), random.uniform(10, 100)
        wave = 128 + strength * numpy.sin(x * across) * numpy.cos(y * down)
        planes.append(wave + random.normal(0, random.uniform(0, 8), wave.shape))
    return numpy.clip(numpy.stack(planes, -1), 0, 255).astype("uint8")


def case(random, folder, number):
    path = folder / f"{number}.jpg"
    height, width = (int(length) for length in random.integers(1, 150, 2))
    options = {
        "quality": int(random.integers(20, 101)),
        "progressive": bool(random.integers(2)),
        "optimize": bool(random.integers(2)),
        "restart_marker_blocks": int(random.choice([0, 0, 1, 5])),
    }
    is_grey, channel, tolerance = bool(random.integers(2)), None, 2
    if is_grey:
        Image.fromarray(samples(random, height, width, 1)[:, :, 0]).save(path, **options)
        expected = numpy.asarray(Image.open(path))
    else:
        subsampling = str(random.choice(list(SUBSAMPLINGS)))
        channel, tolerance = int(random.integers(3)), SUBSAMPLINGS[subsampling]
        options |= {"subsampling": subsampling}
        Image.fromarray(samples(random, height, width, 3)).save(path, **options)
        expected = numpy.asarray(Image.open(path))[:, :, channel]
    numpy.save(folder / f"{number}.npy", expected)
    return {
        "path": path.name,
        "channel": channel,
        "dtype": "uint8",
        "shape": [1, height, width],
        "voxels": f"{number}.npy",
        "tolerance": tolerance,
        "about": "grey" if is_grey else f"colour {options['subsampling']}",
    }


def main(folder, count, seed):
    folder, random = pathlib.Path(folder), numpy.random.default_rng(int(seed))
    folder.mkdir(parents=True, exist_ok=True)
    cases = [case(random, folder, number) for number in range(int(count))]
    (folder / "cases.json").write_text(json.dumps(cases, indent=1))


main(*sys.argv[1:])
