"""Writes random BMP images with Pillow, and what must be read of them.

    pip install pillow numpy
    python tests/foreign/random_bmp.py OUT_DIR COUNT SEED

Greys of 1, 4 and 8 bits, plain, from the top down and run-length coded, and single channels of colours. What Pillow does not
write is packed here, and Pillow must read it as the same voxels.
"""

import json
import pathlib
import struct
import sys

import numpy
from PIL import Image

COLOURS = {"RGB": 3, "RGBA": 4}


def samples(random, height, width, most, channels=1):
    shape = (height, width, channels) if channels > 1 else (height, width)
    noise = random.integers(0, most + 1, shape)
    # Runs, which run-length coding is for.
    return noise if random.integers(2) else numpy.repeat(noise, 7, axis=1)[:, :width]


def run_lengths(row):
    """Runs of equal values, and runs of different ones where there are three or more: the section "RLE8" of the reference."""
    coded, at, row = b"", 0, [int(value) for value in row]
    while at < len(row):
        run = 1
        while at + run < len(row) and run < 255 and row[at + run] == row[at]:
            run += 1
        apart = at + 1
        while apart < len(row) and apart - at < 255 and row[apart] != row[apart - 1]:
            apart += 1
        if run == 1 and apart - at >= 3:
            coded += bytes([0, apart - at, *row[at:apart]]) + bytes((apart - at) % 2)
            at = apart
        else:
            coded += bytes([run, row[at]])
            at += run
    return coded + b"\0\0"


def packed(row, bits):
    digits = (row[:, None] >> numpy.arange(bits - 1, -1, -1)) & 1
    bytes_ = numpy.packbits(digits.astype("uint8").ravel()).tobytes()
    return bytes_ + bytes(-len(bytes_) % 4)


def write(path, plane, bits, kind):
    """`plane` has numbers of the palette, which are greys from 0 to 255."""
    height, width = plane.shape
    greys = [number * 255 // (2**bits - 1) for number in range(2**bits)]
    palette = b"".join(bytes([grey, grey, grey, 0]) for grey in greys)
    rows = plane if kind == "top down" else plane[::-1]
    body = b"".join(run_lengths(row) if kind == "run lengths" else packed(row, bits) for row in rows)
    body += b"\0\1" if kind == "run lengths" else b""
    coding = 1 if kind == "run lengths" else 0
    stored = -height if kind == "top down" else height
    info = struct.pack("<IiiHHIIiiII", 40, width, stored, 1, bits, coding, len(body), 2835, 2835, len(greys), 0)
    begin = 14 + len(info) + len(palette)
    path.write_bytes(b"BM" + struct.pack("<IHHI", begin + len(body), 0, 0, begin) + info + palette + body)
    return numpy.array(greys, "uint8")[plane]


def case(random, folder, number):
    path = folder / f"{number}.bmp"
    height, width = (int(length) for length in random.integers(1, 150, 2))
    channel = None
    kind = str(random.choice(["Pillow", "colour", "bottom up", "top down", "run lengths"]))
    if kind == "colour":
        mode = str(random.choice(list(COLOURS)))
        plane = samples(random, height, width, 255, COLOURS[mode]).astype("uint8")
        Image.fromarray(plane).save(path)
        channel = int(random.integers(COLOURS[mode]))
        expected = plane[:, :, channel]
    elif kind == "Pillow":
        bits = int(random.choice([1, 8]))
        plane = samples(random, height, width, 2**bits - 1)
        expected = (plane * (255 // (2**bits - 1))).astype("uint8")
        Image.fromarray(plane > 0 if bits == 1 else expected).save(path)
    else:
        bits = 8 if kind == "run lengths" else int(random.choice([1, 4, 8]))
        expected = write(path, samples(random, height, width, 2**bits - 1), bits, kind)
        found = numpy.asarray(Image.open(path).convert("L"))
        assert (found == expected).all(), f"Pillow reads {path} otherwise"
    numpy.save(folder / f"{number}.npy", expected)
    return {
        "path": path.name,
        "channel": channel,
        "dtype": "uint8",
        "shape": [1, height, width],
        "voxels": f"{number}.npy",
        "about": kind,
    }


def main(folder, count, seed):
    folder, random = pathlib.Path(folder), numpy.random.default_rng(int(seed))
    folder.mkdir(parents=True, exist_ok=True)
    cases = [case(random, folder, number) for number in range(int(count))]
    (folder / "cases.json").write_text(json.dumps(cases, indent=1))


main(*sys.argv[1:])
