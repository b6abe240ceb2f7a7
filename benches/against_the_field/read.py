"""Reads a whole volume with a program of the field, and prints what `cargo bench --bench read` prints of ours.

    python benches/against_the_field/read.py PROGRAM PATH
"""

import json
import sys
import time

import numpy

WORKERS = 2


def of_tensorstore(driver, path):
    import tensorstore

    limit = {"limit": WORKERS}
    context = {"data_copy_concurrency": limit, "file_io_concurrency": limit}
    spec = {"driver": driver, "kvstore": f"file://{path}", "context": context}
    return tensorstore.open(spec, read=True).result().read().result()


def tensorstore_zarr(path):
    return of_tensorstore("zarr", path)


def cloudvolume(path):
    import cloudvolume

    # With `parallel=2` it begins two processes, which costs more than they save on volumes of this size.
    return cloudvolume.CloudVolume(f"file://{path}", progress=False)[:]


def tifffile(path):
    import tifffile as library

    return library.imread(path, maxworkers=WORKERS)


def h5py(path):
    import h5py as library

    with library.File(path) as file:
        return file["main"][:]


def main(program, path):
    read = globals()[program]
    volume = read(path)
    # Adding up bytes, not voxels: the same for every order of axes.
    total = int(numpy.ascontiguousarray(volume).view("uint8").sum(dtype="uint64"))
    bytes_ = volume.nbytes
    del volume
    began = time.perf_counter()
    read(path)
    print(json.dumps({"seconds": time.perf_counter() - began, "bytes": bytes_, "sum": total}))


main(*sys.argv[1:])
