"""Fills fuzz/corpus with the files of tests/data, each reader's own; folders are packed as `unpacked` in src/lib.rs reads them.

    python fuzz/seeds.py
"""

import pathlib
import struct

ROOT = pathlib.Path(__file__).parent
DATA = ROOT.parent / "tests" / "data"
LARGEST = 32 << 10
FILES = {
    "png": "**/*.png",
    "jpeg": "**/*.jpg",
    "tiff": "**/*.tif",
    "bmp": "**/*.bmp",
    "hdf5": "**/*.h5",
    "mrc": "**/*.mrc",
    "nifti": "**/*.nii*",
    "npy": "**/*.npy",
    "nrrd": "**/*.nrrd",
    "metaimage": "**/*.mha",
}
FOLDERS = {"zarr": ["zarr/*", "bombs/*.zarr"], "n5": ["n5/*", "bombs/*.n5"], "precomputed": ["precomputed/*"], "bossdb": ["bossdb/*"]}


def write(target, path, content):
    name = "_".join(path.relative_to(DATA).parts)
    if 0 < len(content) <= LARGEST:
        (ROOT / "corpus" / target / name).write_bytes(content)


def packed(folder, paths):
    parts = []
    for path in paths:
        name, content = path.relative_to(folder).as_posix().encode(), path.read_bytes()
        if len(content) < 1 << 16:
            parts.append(struct.pack("B", len(name)) + name + struct.pack("<H", len(content)) + content)
    return b"".join(parts)


for target in [*FILES, *FOLDERS, "raw"]:
    (ROOT / "corpus" / target).mkdir(parents=True, exist_ok=True)
for target, pattern in FILES.items():
    for path in DATA.glob(pattern):
        if path.is_file():
            write(target, path, path.read_bytes())
for target, patterns in FOLDERS.items():
    for path in (path for pattern in patterns for path in DATA.glob(pattern)):
        if path.is_dir():
            # Headers are smaller than voxels, and come before them.
            inside = sorted((file for file in path.rglob("*") if file.is_file()), key=lambda file: file.stat().st_size)
            write(target, path, packed(path, inside))
for path in DATA.glob("*/*.raw"):
    beside = [path.with_name(name) for name in (f"{path.name}.json", f"{path.stem}.json")]
    if found := [file for file in beside if file.exists()]:
        write("raw", path, packed(path.parent, [path, *found]))
