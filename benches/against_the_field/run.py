"""Reads whole volumes with our readers and with the field's own programs, in turn, and prints a table of medians.

    pip install -r tests/foreign/requirements.txt
    cargo bench --bench read --no-run
    python benches/against_the_field/run.py FOLDER [FORMAT ...]

FOLDER gets the volumes, some 0.6 GB, where it does not have them yet.
"""

import json
import pathlib
import statistics
import subprocess
import sys

import data

HERE = pathlib.Path(__file__).parent
PAIRS = 5
FIELD = {"zarr": "tensorstore_zarr", "precomputed": "cloudvolume", "tiff": "tifffile", "hdf5": "h5py"}
ENDINGS = {"zarr": ".zarr", "precomputed": "", "tiff": ".tif", "hdf5": ".h5"}
LABELS = {
    "zarr": "Zarr v2, zstd, chunks of 64³",
    "precomputed": "precomputed, raw and gzip, chunks of 64³",
    "tiff": "TIFF, LZW, tiles of 256²",
    "hdf5": "HDF5, gzip, chunks of 64³",
}


def answer(command):
    ended = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, text=True, check=True, cwd=HERE.parent.parent)
    return json.loads(ended.stdout.splitlines()[-1])


def ours(kind, path):
    return answer(["cargo", "bench", "--quiet", "--bench", "read", "--", kind, path, 2])


def theirs(kind, path):
    return answer([sys.executable, HERE / "read.py", FIELD[kind], path])


def compare(kind, path):
    pairs = [(ours(kind, path), theirs(kind, path)) for _ in range(PAIRS)]
    for one, other in pairs:
        assert (one["bytes"], one["sum"]) == (other["bytes"], other["sum"]), f"{path}: other voxels"
    speeds = [[run["bytes"] / run["seconds"] / 1e6 for run in runs] for runs in zip(*pairs)]
    ratio = statistics.median(one / other for one, other in zip(*speeds))
    return [statistics.median(each) for each in speeds], ratio


def main(folder, *kinds):
    folder = pathlib.Path(folder).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    print("| volume | type | boss-ingest, MB/s | the field, MB/s | | ratio |")
    print("|---|---|---|---|---|---|")
    for dtype in ["uint8", "uint16"]:
        volume = None
        for kind in kinds or FIELD:
            path = folder / f"{dtype}_{kind}{ENDINGS[kind]}"
            if not path.exists():
                volume = data.texture(dtype) if volume is None else volume
                data.WRITERS[kind](path, volume)
            (own, other), ratio = compare(kind, path)
            program = FIELD[kind].split("_")[0]
            print(f"| {LABELS[kind]} | {dtype} | {own:.0f} | {other:.0f} | {program} | {ratio:.2f} |", flush=True)


main(*sys.argv[1:])
