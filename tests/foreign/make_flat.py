"""Makes the files in tests/data/flat with mrcfile, nibabel, NumPy, pynrrd, SimpleITK and Pillow.

    pip install mrcfile nibabel numpy pynrrd SimpleITK Pillow
    python tests/foreign/make_flat.py

Every value is made from its coordinates by `voxel`, so that a swapped axis or byte shows.
"""

import gzip
import json
import pathlib
import struct
import warnings

import mrcfile
import nibabel
import nrrd
import numpy
import SimpleITK
from PIL import Image

FOLDER = pathlib.Path(__file__).parent.parent / "data" / "flat"
DEPTH, HEIGHT, WIDTH = 11, 19, 23
SMALL = (5, 7, 9)
TYPES = "uint8 int8 uint16 int16 uint32 int32 uint64 int64 float32 float64".split()
ORDERS = {"le": "<", "be": ">"}


def voxel(dtype, shape=SMALL):
    """7x + 131y + 1009z + xy + 4001c + 30011t, wrapped to the type; the last axes of t, c, z, y, x."""
    t, c, z, y, x = numpy.indices((1,) * (5 - len(shape)) + tuple(shape))
    return (7 * x + 131 * y + 1009 * z + x * y + 4001 * c + 30011 * t).astype("int64").astype(dtype).reshape(shape)


def halves(order="<"):
    """Values that 16-bit floats hold exactly: the same, modulo 2048."""
    return (voxel("int64") % 2048).astype(order + "f2")


def packed(name):
    """The same file once more, packed."""
    (FOLDER / f"{name}.gz").write_bytes(gzip.compress((FOLDER / name).read_bytes(), mtime=0))


def patched(name, source, *patches):
    """A copy of a file with other bytes at some places."""
    content = bytearray((FOLDER / source).read_bytes())
    for at, new in patches:
        content[at : at + len(new)] = new
    (FOLDER / name).write_bytes(content)


def mrc(name, data, extended=None, **header):
    with mrcfile.new(FOLDER / name, overwrite=True) as mrc:
        mrc.set_data(data)
        if extended is not None:
            mrc.set_extended_header(extended)
        for field, value in header.items():
            mrc.header[field] = value
        # mrcfile stamps files with the time.
        mrc.header.label = b""
        mrc.header.nlabl = 0


def mrcs():
    for order, sign in ORDERS.items():
        for dtype in ("int8", "int16", "uint16", "float32"):
            mrc(f"{dtype}_{order}.mrc", voxel(numpy.dtype(dtype).newbyteorder(sign)))
        mrc(f"half_{order}.mrc", halves(sign))
    data = voxel("int16", (DEPTH, HEIGHT, WIDTH))
    mrc("extended.mrc", data, extended=numpy.zeros(100, "V80"), exttyp=b"SERI")
    packed("extended.mrc")
    mrc("section.mrc", voxel("uint16", (HEIGHT, WIDTH)))
    mrc("stack.mrc", voxel("uint16"), nxstart=5, nystart=-6, nzstart=7)
    with mrcfile.new(FOLDER / "volumes.mrc", overwrite=True) as volumes:
        volumes.set_data(voxel("uint16", (6, 7, 9)).reshape(2, 3, 7, 9))
        volumes.header.label, volumes.header.nlabl = b"", 0
    # Columns are z, rows are x, sections are y.
    mrc("turned.mrc", voxel("uint16").transpose(1, 2, 0).copy(), mapc=3, mapr=1, maps=2)
    mrc("no_axes.mrc", voxel("uint16"), mapc=0, mapr=0, maps=0)
    # IMOD's unsigned bytes, and its signed ones: the stamp and the flags are fields of `extra1`.
    stamp = struct.pack("<i", 1146047817)
    patched("imod_unsigned.mrc", "int8_le.mrc", (152, stamp), (156, struct.pack("<i", 0)))
    patched("imod_signed.mrc", "int8_le.mrc", (152, stamp), (156, struct.pack("<i", 1)))
    patched("wrong_stamp.mrc", "int16_be.mrc", (212, b"DA\0\0"))
    patched("no_stamp.mrc", "int16_be.mrc", (212, b"\0\0\0\0"))
    patched("old.mrc", "int16_be.mrc", (208, b"\0\0\0\0\0\0\0\0"))
    mrc("complex.mrc", voxel("int64").astype("complex64"))
    for mode in (3, 16, 101, 7):
        patched(f"mode{mode}.mrc", "int16_le.mrc", (12, struct.pack("<i", mode)))


def nifti(name, data, kind=nibabel.Nifti1Image, order="<"):
    """`data` is [c, t, z, y, x] or the last axes of these; NIfTI wants x first."""
    header = kind.header_class(endianness=order)
    header.set_data_dtype(data.dtype)
    image = kind(data.T, numpy.eye(4), header)
    image.header.set_slope_inter(1, 0)
    nibabel.save(image, FOLDER / name)


def niftis():
    for dtype in TYPES:
        for order, sign in ORDERS.items():
            nifti(f"{dtype}_{order}.nii", voxel(numpy.dtype(dtype).newbyteorder(sign)), order=sign)
    data = voxel("uint16", (DEPTH, HEIGHT, WIDTH))
    nifti("two.nii", data, nibabel.Nifti2Image)
    nifti("two_be.nii", voxel(">i4"), nibabel.Nifti2Image, ">")
    nifti("packed.nii", data)
    packed("packed.nii")
    nifti("pair.hdr", voxel("int16"), nibabel.Nifti1Pair)
    nifti("yx.nii", voxel("uint8", (HEIGHT, WIDTH)))
    nifti("tzyx.nii", voxel("uint16", (3, 1, 5, 7, 9))[:, 0])
    nifti("ctzyx.nii", voxel("uint16", (3, 2, 5, 7, 9)).swapaxes(0, 1))
    nifti("seven.nii", voxel("uint8").reshape(1, 1, 1, 1, 5, 7, 9))
    nifti("six.nii", voxel("uint8").reshape(5, 1, 1, 1, 7, 9))
    nifti("complex.nii", voxel("int64").astype("complex64"))
    nifti("colours.nii", numpy.zeros((2, 2, 2), [("R", "u1"), ("G", "u1"), ("B", "u1")]))
    patched("scaled.nii", "int16_le.nii", (112, struct.pack("<ff", 2.0, 10.0)))
    patched("no_offset.nii", "int16_le.nii", (108, struct.pack("<f", 0.0)))


def npy(name, data, version=None):
    with open(FOLDER / f"{name}.npy", "wb") as file:
        numpy.lib.format.write_array(file, data, version=version)


def npys():
    for dtype in TYPES:
        for order, sign in ORDERS.items():
            npy(f"{dtype}_{order}", voxel(numpy.dtype(dtype).newbyteorder(sign)))
    npy("half_le", halves("<"))
    npy("half_be", halves(">"))
    npy("bool", voxel("int64") % 3 == 0)
    data = voxel("uint16", (DEPTH, HEIGHT, WIDTH))
    for version in (1, 2, 3):
        npy(f"version{version}", data, (version, 0))
    npy("fortran", numpy.asfortranarray(data))
    npy("fortran_be", numpy.asfortranarray(data.astype(">u4")))
    npy("scalar", numpy.array(7, "uint16"))
    npy("x", voxel("uint16", (WIDTH,)))
    npy("yx", voxel("uint16", (HEIGHT, WIDTH)))
    npy("tzyx", voxel("uint16", (3, 1, 5, 7, 9))[:, 0])
    npy("tczyx", voxel("uint16", (3, 2, 5, 7, 9)))
    npy("tczyx_fortran", numpy.asfortranarray(voxel("uint16", (3, 2, 5, 7, 9))))
    npy("six", numpy.zeros((2,) * 6, "uint8"))
    npy("empty", numpy.zeros((0, 4, 5), "uint8"))
    npy("complex", numpy.zeros((2, 2), "complex64"))
    npy("records", numpy.zeros((2, 2), [("a", "u1"), ("b", "f4")]))
    npy("objects", numpy.array([[None]]))
    npy("strings", numpy.array([["a", "b"]]))
    npy("dates", numpy.array([["2026-01-01"]], "datetime64[D]"))
    npy("long_floats", numpy.zeros((2, 2), "longdouble"))


def nrrds():
    def write(name, data, **header):
        nrrd.write(str(FOLDER / name), data, header={"encoding": "raw", **header}, index_order="C")
        # pynrrd writes the time as a comment.
        path = FOLDER / name
        head, body = path.read_bytes().split(b"\n\n", 1)
        lines = [line for line in head.split(b"\n") if not line.startswith(b"#")]
        path.write_bytes(b"\n".join(lines) + b"\n\n" + body)

    for dtype in TYPES:
        write(f"{dtype}.nrrd", voxel(dtype))
    write("big.nrrd", voxel(">u2"), endian="big")
    write("gzip.nrrd", voxel("uint16", (DEPTH, HEIGHT, WIDTH)), encoding="gzip")
    write("detached.nhdr", voxel("uint16"))
    write("detached_gzip.nhdr", voxel("uint16"), encoding="gzip")
    colours = voxel("uint16", (3, 5, 7, 9)).transpose(1, 2, 3, 0).copy()
    write("colours.nrrd", colours, kinds=["RGB-color", "domain", "domain", "domain"])
    write("text.nrrd", voxel("uint8"), encoding="ascii")
    write("bzip2.nrrd", voxel("uint8"), encoding="bzip2")


def metaimages():
    for name, dtype in [("meta.mhd", "uint16"), ("meta.mha", "int32"), ("meta_float.mha", "float64")]:
        SimpleITK.WriteImage(SimpleITK.GetImageFromArray(voxel(dtype)), FOLDER / name)
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(voxel("uint8")), FOLDER / "meta_packed.mha", True)
    # SimpleITK writes little-endian alone.
    (FOLDER / "meta_big.raw").write_bytes(voxel(">i2").tobytes())
    header = (FOLDER / "meta.mhd").read_text().replace("meta.raw", "meta_big.raw").replace("USHORT", "SHORT")
    (FOLDER / "meta_big.mhd").write_text(header.replace("ByteOrderMSB = False", "ByteOrderMSB = True"))
    channels = voxel("uint8", (3, 5, 7, 9)).transpose(1, 2, 3, 0).copy()
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(channels, isVector=True), FOLDER / "meta_channels.mha")


def raws():
    def write(name, data, sidecar, before=b"", suffix=".raw.json"):
        (FOLDER / f"{name}.raw").write_bytes(before + data.tobytes())
        (FOLDER / (name + suffix)).write_text(json.dumps(sidecar) + "\n")

    shape = {"dtype": "uint16", "shape": SMALL}
    write("raw_plain", voxel("<u2"), shape)
    write("raw_big", voxel(">u2"), {**shape, "byte_order": "big", "offset": 7}, before=b"\1" * 7, suffix=".json")
    write("raw_xyz", voxel("<u2").T, {"dtype": "uint16", "shape": SMALL[::-1], "axes": "xyz"})
    times = voxel("<f4", (3, 1, 5, 7, 9))[:, 0].transpose(1, 2, 3, 0)
    write("raw_zyxt", times, {"dtype": "float32", "shape": times.shape, "axes": "zyxt", "byte_order": "little"})
    channels = voxel("<u2", (3, 1, 7, 9))[:, 0].T
    write("raw_xyc", channels, {"dtype": "uint16", "shape": channels.shape, "axes": "xyc"})
    (FOLDER / "raw_alone.raw").write_bytes(voxel("uint8").tobytes())


def bmps():
    size = (61, 37)
    x, y = numpy.meshgrid(numpy.arange(size[0]), numpy.arange(size[1]))
    base = 7 * x + 131 * y + x * y
    grey = base.astype("uint8")
    Image.fromarray(grey).save(FOLDER / "grey8.bmp")
    Image.fromarray(grey > 127).save(FOLDER / "one_bit.bmp")
    colours = numpy.stack([(base + c * (10007 + 3 * x + 5 * y)).astype("uint8") for c in range(4)], -1)
    Image.fromarray(colours[..., :3]).save(FOLDER / "rgb.bmp")
    Image.fromarray(colours).save(FOLDER / "rgba.bmp")
    Image.fromarray(colours[..., :3]).quantize(16).save(FOLDER / "palette.bmp")
    # Pillow reads these two, and writes neither.
    content = bytearray((FOLDER / "grey8.bmp").read_bytes())
    begin, row = struct.unpack_from("<i", content, 10)[0], 64
    rows = [content[begin + n * row : begin + (n + 1) * row] for n in range(size[1])]
    struct.pack_into("<i", content, 22, -size[1])
    (FOLDER / "grey8_top_down.bmp").write_bytes(content[:begin] + b"".join(reversed(rows)))
    palette = b"".join(bytes([grey] * 3) for grey in range(256))
    begin = 14 + 12 + len(palette)
    core = struct.pack("<IHHHH", 12, *size, 1, 8)
    head = struct.pack("<2sIHHI", b"BM", begin + row * size[1], 0, 0, begin)
    (FOLDER / "grey8_os2.bmp").write_bytes(head + core + palette + b"".join(rows))
    for name in ("grey8_top_down", "grey8_os2"):
        assert (numpy.asarray(Image.open(FOLDER / f"{name}.bmp").convert("L")) == grey).all(), name


warnings.simplefilter("ignore")
FOLDER.mkdir(exist_ok=True)
mrcs()
niftis()
npys()
nrrds()
metaimages()
raws()
bmps()
