"""Random raw voxels with a sidecar, NRRD by pynrrd, MetaImage by SimpleITK:
python tests/foreign/random_raw.py OUT_DIR COUNT SEED"""

import json

import nrrd
import numpy
import SimpleITK
from flat_cases import Cases

TYPES = "uint8 int8 uint16 int16 uint32 int32 uint64 int64 float32 float64".split()


def write(cases, n):
    chance = cases.random
    dtype = numpy.dtype(chance.choice(TYPES))
    chance.choice([raw, write_nrrd, metaimage])(cases, n, dtype)


def raw(cases, n, dtype):
    """Any axes in any order; those that are no image axes are selected."""
    chance = cases.random
    dtype = dtype.newbyteorder(chance.choice("<>"))
    letters = ["y", "x"] + chance.sample(["z", "t", "c"], chance.randint(0, 3))
    chance.shuffle(letters)
    axes = "".join(letters)
    data = cases.array(cases.shape(len(axes), dtype), dtype)
    offset = chance.choice([0, 0, 1, 100])
    (cases.folder / f"{n}.raw").write_bytes(b"\0" * offset + data.tobytes())
    sidecar = {"dtype": dtype.name, "shape": data.shape, "axes": axes}
    if dtype.byteorder == ">":
        sidecar["byte_order"] = "big"
    if offset:
        sidecar["offset"] = offset
    (cases.folder / f"{n}.{chance.choice(['json', 'raw.json'])}").write_text(json.dumps(sidecar))
    select = {letter: chance.randrange(data.shape[axes.index(letter)]) for letter in axes if letter in "tc"}
    voxels = data[tuple(select.get(letter, slice(None)) for letter in axes)]
    left = [letter for letter in axes if letter not in select]
    voxels = voxels.transpose([left.index(letter) for letter in "zyx" if letter in left])
    # The plan names the axes: what is left after a selection is else called by its order.
    cases.add(f"{n}.raw", voxels, select=select, axes=axes, format=chance.choice([None, "raw"]))


def write_nrrd(cases, n, dtype):
    chance = cases.random
    is_big = dtype.itemsize > 1 and chance.random() < 0.4
    data = cases.array(cases.shape(chance.choice([2, 3, 4]), dtype), dtype.newbyteorder(">" if is_big else "<"))
    header = {"encoding": chance.choice(["raw", "raw", "gzip"]), "endian": "big" if is_big else "little"}
    ending = chance.choice(["nrrd", "nhdr"])
    nrrd.write(str(cases.folder / f"{n}.{ending}"), data, header=header, index_order="C")
    select = {"t": chance.randrange(data.shape[0])} if data.ndim == 4 else {}
    cases.add(f"{n}.{ending}", data[select["t"]] if select else data, select=select)


def metaimage(cases, n, dtype):
    chance = cases.random
    channels = chance.choice([1, 1, 3])
    data = cases.array((*cases.shape(chance.choice([2, 3]), dtype), channels), dtype)
    ending = chance.choice(["mhd", "mha"])
    image = SimpleITK.GetImageFromArray(data if channels > 1 else data[..., 0], isVector=channels > 1)
    SimpleITK.WriteImage(image, cases.folder / f"{n}.{ending}")
    select = {"c": chance.randrange(channels)} if channels > 1 else {}
    cases.add(f"{n}.{ending}", data[..., select.get("c", 0)], select=select)


Cases().run(write)
