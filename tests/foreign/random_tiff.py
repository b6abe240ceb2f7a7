"""Writes random TIFF files with tifffile (imagecodecs), and what their voxels are.

    pip install numpy tifffile imagecodecs
    python tests/foreign/random_tiff.py OUT_DIR COUNT SEED

OUT_DIR/cases.json lists the files, what a plan selects of each, and the array of the voxels that must be read.
"""

import json
import pathlib
import random
import sys

import numpy
import tifffile

TYPES = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64", "float16"]
CODECS = [None, None, "lzw", "lzw", "zlib", "packbits", "zstd", 32946]
LARGEST = 60_000


def values(rng, dtype, shape):
    """Noise, steps or few values, so that codes of every length come up."""
    numbers = numpy.random.default_rng(rng.randrange(1 << 32))
    kind = rng.choice(["noise", "smooth", "few"])
    if kind == "noise":
        data = numbers.integers(0, 256, (*shape, numpy.dtype(dtype).itemsize), "uint8").view(dtype)[..., 0]
        return numpy.where(numpy.isfinite(data), data, 1) if data.dtype.kind == "f" else data
    if kind == "smooth":
        return numpy.cumsum(numbers.integers(-3, 5, shape), axis=-1).astype("int16").astype(dtype)
    return numbers.integers(0, 3, shape).astype(dtype)


def storage(rng, dtype):
    """How a file keeps its voxels."""
    options = {"compression": rng.choice(CODECS), "byteorder": rng.choice("<>")}
    if rng.random() < 0.5:
        options["tile"] = (16 * rng.randint(1, 3), 16 * rng.randint(1, 3))
    else:
        options["rowsperstrip"] = rng.randint(1, 40)
    if options["compression"] not in (None, "packbits") and rng.random() < 0.6:
        options["predictor"] = 3 if dtype.startswith("float") else 2
    return options


def make(rng, path):
    """Writes one file; gives what a plan says, and the voxels."""
    kind = rng.choice(["flat", "pages", "planar", "chunky", "imagej", "ome", "page"])
    dtype = rng.choice(["uint8", "uint16", "float32"] if kind == "imagej" else TYPES)
    options = storage(rng, dtype)
    height, width = rng.randint(1, 60), rng.randint(1, 60)
    count = rng.choice([2, 3, 4, 5])
    if kind == "flat":
        data = values(rng, dtype, (height, width))
        tifffile.imwrite(path, data, photometric="minisblack", metadata=None, bigtiff=rng.random() < 0.3, **options)
        return {}, data
    if kind in ("pages", "page"):
        data = values(rng, dtype, (count, height, width))
        tifffile.imwrite(path, data, photometric="minisblack", metadata=None, bigtiff=rng.random() < 0.3, **options)
        page = rng.randrange(count)
        return ({"page": page}, data[page]) if kind == "page" else ({}, data)
    if kind in ("planar", "chunky"):
        channel = rng.randrange(count)
        shape = (count, height, width) if kind == "planar" else (height, width, count)
        data = values(rng, dtype, shape)
        config = "separate" if kind == "planar" else "contig"
        rest = {"photometric": "minisblack", "metadata": None, "planarconfig": config}
        tifffile.imwrite(path, data, **rest, **options)
        return {"channel": channel}, data[channel] if kind == "planar" else data[..., channel]
    letters = "TZC" if kind == "imagej" else "".join(rng.sample("TZC", 3))
    letters = "".join(letter for letter in letters if rng.random() < 0.8)
    lengths = [rng.randint(2, 3) for _ in letters]
    if kind == "ome" and dtype in ("float16", "int64", "uint64"):
        dtype = "uint16"
        options.pop("predictor", None)
    # A last axis of length 1 is one of samples to tifffile.
    data = values(rng, dtype, (*lengths, height, max(width, 2)))
    options.pop("byteorder") if kind == "imagej" else None
    tifffile.imwrite(
        path,
        data,
        photometric="minisblack",
        metadata={"axes": f"{letters}YX"},
        **{kind: True},
        **options,
    )
    select, voxels = {}, data
    for axis, (letter, length) in reversed(list(enumerate(zip(letters, lengths)))):
        # Sections with one axis are z by themselves; of others all but one are selected.
        if letter != "Z" or rng.random() < 0.2:
            if len(letters) > 1 or rng.random() < 0.5:
                select[letter.lower()] = rng.randrange(length)
                voxels = voxels.take(select[letter.lower()], axis)
    return {"select": select}, voxels


def main(folder, count, seed):
    rng = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    cases = []
    while len(cases) < count:
        name = f"case_{len(cases):03}"
        plan, voxels = make(rng, folder / f"{name}.tif")
        if voxels.nbytes > LARGEST:
            continue
        voxels = voxels.astype("float32") if voxels.dtype == "float16" else voxels
        numpy.save(folder / f"{name}.npy", numpy.ascontiguousarray(voxels.astype(voxels.dtype.newbyteorder("<"))))
        case = {"path": f"{name}.tif", "format": None, "dataset": None, "level": None, "page": None, "axes": None}
        case |= {"select": {}, "channel": None, "dtype": voxels.dtype.name, "shape": list(voxels.shape)} | plan
        case["voxels"] = f"{name}.npy"
        cases.append(case)
    (folder / "cases.json").write_text(json.dumps(cases, indent=1))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
