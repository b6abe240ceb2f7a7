"""Writes random PNG images with Pillow (libpng), and what must be read of them.

    pip install pillow numpy
    python tests/foreign/random_png.py OUT_DIR COUNT SEED

Grey of 1, 2, 4, 8 and 16 bits, interlaced or not, and single channels of colours. Pillow writes neither Adam7 nor 2 and 4
bits: those images are packed here, each row with a filter of its own, and Pillow must read them as the same samples.
"""

import json
import pathlib
import struct
import sys
import zlib

import numpy
from PIL import Image

# x and y of the first sample of each pass, and the steps to the next ones: PNG specification, 8.2.
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
COLOURS = {"LA": 2, "RGB": 3, "RGBA": 4}


def samples(random, height, width, most, channels=1):
    """Noise, a ramp, or large flat parts: compressed and filtered quite differently."""
    shape = (height, width, channels) if channels > 1 else (height, width)
    kind = random.integers(3)
    if kind == 0:
        return random.integers(0, most + 1, shape)
    y, x = numpy.mgrid[0:height, 0:width]
    plane = (x * random.integers(1, 9) + y * random.integers(1, 9)) % (most + 1)
    if kind == 2:
        plane = plane // max(1, most // 3) * max(1, most // 3)
    return numpy.stack([(plane + channel) % (most + 1) for channel in range(channels)], -1).reshape(shape)


def packed(row, bits):
    """The bytes of a row: samples below 8 bits from the highest bit on, those of 16 big-endian."""
    if bits >= 8:
        return row.astype(f">u{bits // 8}").tobytes()
    digits = (row[:, None] >> numpy.arange(bits - 1, -1, -1)) & 1
    return numpy.packbits(digits.astype("uint8").ravel()).tobytes()


def filtered(row, above, kind, step):
    """A row behind one of the filters 0 (none), 1 (left), 2 (above) and 3 (their mean)."""
    bytes_, above = numpy.frombuffer(row, "uint8").astype(int), numpy.frombuffer(above, "uint8").astype(int)
    left = numpy.concatenate([numpy.zeros(min(step, len(bytes_)), int), bytes_[:-step]])
    guess = [0 * left, left, above, (left + above) // 2][kind]
    return bytes([kind]) + ((bytes_ - guess) % 256).astype("uint8").tobytes()


def image_rows(random, plane, bits):
    rows = [packed(row, bits) for row in plane]
    above = [bytes(len(rows[0])), *rows[:-1]] if rows else []
    return b"".join(filtered(row, over, random.integers(4), max(1, bits // 8)) for row, over in zip(rows, above))


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def write_packed(random, path, plane, bits, interlaced):
    passes = [plane[y::dy, x::dx] for x, y, dx, dy in ADAM7] if interlaced else [plane]
    body = zlib.compress(b"".join(image_rows(random, part, bits) for part in passes if part.size), random.integers(10))
    # Any number of data chunks, empty ones too, hold one stream.
    cuts = sorted(random.integers(0, len(body) + 1, random.integers(4)))
    parts = [body[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(body)])]
    header = struct.pack(">IIBBBBB", plane.shape[1], plane.shape[0], bits, 0, 0, 0, interlaced)
    data = b"".join(chunk(b"IDAT", part) for part in parts)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b""))


def case(random, folder, number):
    path = folder / f"{number}.png"
    height, width = (int(length) for length in random.integers(1, 150, 2))
    channel, options = None, {"compress_level": int(random.integers(10)), "optimize": bool(random.integers(2))}
    kind = random.choice(["grey", "packed", "interlaced", "colour"])
    if kind == "colour":
        mode = random.choice(list(COLOURS))
        plane = samples(random, height, width, 255, COLOURS[mode]).astype("uint8")
        Image.fromarray(plane, mode).save(path, **options)
        channel = int(random.integers(COLOURS[mode]))
        expected = plane[:, :, channel]
    else:
        bits = int(random.choice([1, 8, 16] if kind == "grey" else [1, 2, 4, 8, 16]))
        plane = samples(random, height, width, 2**bits - 1)
        # Below 8 bits, black is 0 and white 255.
        expected = (plane * (255 // (2**bits - 1)) if bits < 8 else plane).astype("uint16" if bits == 16 else "uint8")
        if kind == "grey":
            Image.fromarray(plane > 0 if bits == 1 else expected).save(path, **options)
        else:
            write_packed(random, path, plane, bits, int(kind == "interlaced"))
            found = numpy.asarray(Image.open(path))
            assert (found == (plane > 0 if bits == 1 else expected)).all(), f"Pillow reads {path} otherwise"
    numpy.save(folder / f"{number}.npy", expected)
    return {
        "path": path.name,
        "channel": channel,
        "dtype": str(expected.dtype),
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
