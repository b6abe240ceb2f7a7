"""Writes tests/data/bossdb: what a Boss answers when it is asked for a channel and its voxels; python-blosc packs those.

    pip install blosc numpy
    python tests/foreign/make_bossdb.py
"""

import json
import pathlib

import blosc
import numpy

OUT = pathlib.Path(__file__).parent.parent / "data" / "bossdb" / "em"
ANSWERS = {
    "channel": {"name": "ch", "datatype": "uint16", "base_resolution": 0, "downsample_status": "NOT_DOWNSAMPLED", "type": "image"},
    "experiment": {
        "name": "e", "collection": "c", "coord_frame": "f", "num_hierarchy_levels": 1, "hierarchy_method": "anisotropic",
        "num_time_samples": 1,
    },
    "frame": {
        "name": "f", "x_start": 0, "x_stop": 24, "y_start": 0, "y_stop": 20, "z_start": 0, "z_stop": 10,
        "voxel_unit": "nanometers",
    },
}

OUT.mkdir(parents=True, exist_ok=True)
for name, answer in ANSWERS.items():
    (OUT / name).write_text(json.dumps(answer))
z, y, x = numpy.mgrid[0:10, 0:20, 0:24]
voxels = (7 * x + 131 * y + 1009 * z + x * y).astype("<u2")
(OUT / "cutout").write_bytes(blosc.compress(voxels.tobytes(), typesize=16))
