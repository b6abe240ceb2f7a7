"""Reads jobs back from a served local Boss and compares every voxel with Pillow's reading of the sections.

Usage: read_examples.py ORIGIN JOB.json SECTIONS_FOLDER [JOB.json SECTIONS_FOLDER …]

The PNG files of a folder, in the order of their names, are the sections of the job's extent. Before the extent's start nothing
was ingested, so zeros are expected there.
"""

import json
import pathlib
import sys

import blosc
import numpy as np
import requests
from PIL import Image


def cutout(origin, database, dtype, ranges):
    """The voxels of a cutout as (z, y, x)."""
    (x0, x1), (y0, y1), (z0, z1) = ranges
    channel = "/".join(database[name] for name in ("collection", "experiment", "channel"))
    url = f"{origin}/v1/cutout/{channel}/0/{x0}:{x1}/{y0}:{y1}/{z0}:{z1}/"
    answer = requests.get(url, headers={"Accept": "application/blosc"}, timeout=60)
    answer.raise_for_status()
    voxels = np.frombuffer(blosc.decompress(answer.content), dtype=dtype)
    return voxels.reshape(z1 - z0, y1 - y0, x1 - x0)


def expected_voxels(extent, folder):
    """The volume from 0 to the extent's stop as (z, y, x), zeros before its start."""
    sections = [np.asarray(Image.open(file)) for file in sorted(folder.glob("*.png"))]
    (x0, x1), (y0, y1), (z0, z1) = (extent[axis] for axis in "xyz")
    assert len(sections) == z1 - z0, f"{folder} has {len(sections)} sections, the job {z1 - z0}"
    expected = np.zeros((z1, y1, x1), dtype=sections[0].dtype)
    for z, section in enumerate(sections, z0):
        expected[z, y0:y1, x0:x1] = section[y0:y1, x0:x1]
    assert expected.any()
    return expected


def compare(origin, job_file, folder):
    job = json.loads(job_file.read_text())
    expected = expected_voxels(job["ingest_job"]["extent"], folder)
    depth, height, width = expected.shape
    whole = cutout(origin, job["database"], expected.dtype, [(0, width), (0, height), (0, depth)])
    np.testing.assert_array_equal(whole, expected, err_msg=str(job_file))
    x, y, z = width // 5, height // 7, depth - 1
    inner = cutout(origin, job["database"], expected.dtype, [(x, width - 1), (y, height), (z, depth)])
    np.testing.assert_array_equal(inner, expected[z:, y:, x:-1], err_msg=f"{job_file}, inside")
    zeros = int((expected == 0).sum())
    print(f"{job_file.parent.name}: {whole.size} voxels of {expected.dtype} equal, {zeros} of them 0")


if __name__ == "__main__":
    origin, jobs = sys.argv[1].rstrip("/"), [pathlib.Path(name) for name in sys.argv[2:]]
    for job_file, folder in zip(jobs[::2], jobs[1::2], strict=True):
        compare(origin, job_file, folder)
