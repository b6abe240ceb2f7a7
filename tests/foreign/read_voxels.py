"""Reads the files that `boss-ingest try -o` wrote of one task, and compares them with Pillow's reading of the sections.

Usage: read_voxels.py FOLDER

The folder holds sections/*.png, tile.* of the 512 x 512 tile x 1, y 2, z 0, and chunk.* of the 1024 x 512 x 16 chunk of these
indices.
"""

import pathlib
import sys

import numpy as np
from PIL import Image, ImageSequence


def task(sections, width, height, depth):
    """The voxels of the task with the indices x 1, y 2, z 0 as (z, y, x), zeros where there are no sections."""
    padded = np.zeros((depth, 4 * height, 4 * width), dtype=sections.dtype)
    sections = sections[:depth]
    padded[: sections.shape[0], : sections.shape[1], : sections.shape[2]] = sections
    return padded[:, 2 * height : 3 * height, width : 2 * width]


def read(file, shape):
    """The voxels of a file; a raw file has no shape of its own."""
    if file.suffix == ".npy":
        return np.load(file)
    if file.suffix == ".raw":
        return np.fromfile(file, dtype="<u2").reshape(shape)
    pages = [np.asarray(page) for page in ImageSequence.Iterator(Image.open(file))]
    return pages[0] if len(pages) == 1 else np.stack(pages)


def main(folder):
    files = sorted((folder / "sections").glob("*.png"))
    sections = np.stack([np.asarray(Image.open(file)).astype("<u2") for file in files])
    tile = task(sections, 512, 512, 1)[0]
    chunk = task(sections, 1024, 512, 16)
    assert tile.any() and chunk.any()
    for name, expected in (("tile", tile), ("chunk", chunk)):
        for file in sorted(folder.glob(f"{name}.*")):
            found = read(file, expected.shape)
            assert found.shape == expected.shape, f"{file.name}: {found.shape}"
            np.testing.assert_array_equal(found, expected, err_msg=file.name)
            print(f"{file.name}: {found.shape} of {found.dtype} equal")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
