"""Random NIfTI files by nibabel: python tests/foreign/random_nifti.py OUT_DIR COUNT SEED"""

import nibabel
import numpy
from flat_cases import Cases

TYPES = "uint8 int8 uint16 int16 uint32 int32 uint64 int64 float32 float64".split()
KINDS = [nibabel.Nifti1Image, nibabel.Nifti1Image, nibabel.Nifti2Image, nibabel.Nifti1Pair]


def write(cases, n):
    chance = cases.random
    order = chance.choice("<>")
    dtype = numpy.dtype(chance.choice(TYPES)).newbyteorder(order)
    axes = chance.choice([2, 3, 3, 4, 5])
    data = cases.array(cases.shape(axes, dtype), dtype)
    kind = chance.choice(KINDS)
    header = kind.header_class(endianness=order)
    header.set_data_dtype(dtype)
    image = kind(data.T, numpy.eye(4), header)
    image.header.set_slope_inter(1, 0)
    ending = "hdr" if kind is nibabel.Nifti1Pair else chance.choice(["nii", "nii", "nii.gz"])
    nibabel.save(image, cases.folder / f"{n}.{ending}")
    select, voxels = {}, data
    for letter in "ct"[5 - axes :] if axes > 3 else "":
        select[letter] = chance.randrange(voxels.shape[0])
        voxels = voxels[select[letter]]
    cases.add(f"{n}.{ending}", voxels, select=select)


Cases().run(write)
