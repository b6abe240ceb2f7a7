"""Makes the colour images in tests/data/images with programs that share no code with this one: Pillow (libpng, libjpeg,
libtiff) and tifffile (imagecodecs).

    pip install pillow numpy tifffile imagecodecs
    python tests/foreign/make_colours.py

Every value is made from its coordinates and its channel by `colour`, so that a swapped axis, channel or byte shows. The grey
of the first three channels lies in `colour_TYPE.gray.raw` as raw little-endian values: for 8 bits what Pillow's `convert("L")`
gives, for other types the same weights in Python's own integers and floats. JPEG loses: the RGB that libjpeg decodes is
written beside it, `NAME.rgb.raw`.
"""

import itertools
import struct
import zlib

import imagecodecs
import numpy
import tifffile
from PIL import Image

from make_images import FOLDER, HEIGHT, WIDTH, chunk

TYPES = ("uint8", "uint16", "int8", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64")


def colour(dtype, channels=3, sections=1):
    """7x + 131y + 1009z + xy + c (10007 + 3x + 5y), wrapped to the type; shape [z, y, x, c]."""
    z, y, x, c = numpy.meshgrid(range(sections), range(HEIGHT), range(WIDTH), range(channels), indexing="ij")
    return (7 * x + 131 * y + 1009 * z + x * y + c * (10007 + 3 * x + 5 * y)).astype("int64").astype(dtype)


def gray(rgb):
    """The grey of an array whose last axis starts with red, green and blue."""
    if rgb.dtype == "uint8":
        return numpy.asarray(Image.fromarray(rgb[..., :3]).convert("L"))
    if rgb.dtype.kind == "f":
        weights = numpy.array([19595, 38470, 7471]) / 65536
        red, green, blue = numpy.moveaxis(rgb.astype("float64"), -1, 0)[:3]
        return (red * weights[0] + green * weights[1] + blue * weights[2]).astype(rgb.dtype)
    red, green, blue = numpy.moveaxis(rgb.astype(object), -1, 0)[:3]
    return ((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16).astype(rgb.dtype)


def write_gray(dtype):
    values = gray(colour(dtype)[0])
    data = values.astype(values.dtype.newbyteorder("<")).tobytes()
    (FOLDER / f"colour_{dtype}.gray.raw").write_bytes(data)


def pillow_agrees():
    """Pillow makes the same grey of every image of 8 bits that it reads."""
    expected, channel_0 = gray(colour("uint8")[0]), colour("uint8")[0, ..., 0]
    for name in ("rgb8.png", "rgba8.png", "interlaced.png", "rgba.tif", "chunky_strips_none.tif", "planar_strips_lzw.tif"):
        assert (numpy.asarray(Image.open(FOLDER / f"colour_{name}").convert("L")) == expected).all(), name
    for name in ("la8.png", "la.tif"):
        assert (numpy.asarray(Image.open(FOLDER / f"colour_{name}").convert("L")) == channel_0).all(), name


def png():
    for mode, channels in {"la": 2, "rgb": 3, "rgba": 4}.items():
        for bits in (8, 16):
            image = colour(f"uint{bits}", channels)[0]
            name = f"colour_{mode}{bits}"
            if bits == 8:
                Image.fromarray(image).save(FOLDER / f"{name}.png")
            else:
                (FOLDER / f"{name}.png").write_bytes(imagecodecs.png_encode(image, level=9))
    write_interlaced(FOLDER / "colour_interlaced.png", colour("uint8")[0])


def write_interlaced(path, samples):
    """Pillow writes no Adam7; the seven passes are those of the PNG specification, 8.2."""
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    rows = [row.tobytes() for x, y, dx, dy in passes for row in samples[y::dy, x::dx] if row.size]
    header = struct.pack(">IIBBBBB", samples.shape[1], samples.shape[0], 8, 2, 0, 0, 1)
    body = zlib.compress(b"".join(b"\0" + row for row in rows))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )
    assert (numpy.asarray(Image.open(path)) == samples).all()


def jpeg():
    y, x = numpy.mgrid[0:HEIGHT, 0:WIDTH]
    planes = [128 + 90 * numpy.sin(x / (11 + 3 * c)) * numpy.cos(y / (17 - 4 * c)) + 5 * c for c in range(3)]
    smooth = numpy.stack(planes, axis=-1).astype("uint8")
    image = Image.fromarray(smooth)
    kinds = {
        "full": {"subsampling": 0},
        "progressive": {"subsampling": 0, "progressive": True},
        "subsampled": {"subsampling": 2},
        "stored_rgb": {"subsampling": 0, "keep_rgb": True},
    }
    for kind, options in kinds.items():
        path = FOLDER / f"colour_{kind}.jpg"
        image.save(path, quality=92, **options)
        (FOLDER / f"colour_{kind}.rgb.raw").write_bytes(numpy.asarray(Image.open(path)).tobytes())
    image.convert("CMYK").save(FOLDER / "cmyk.jpg", quality=50)
    for name, options in {"ycbcr": {}, "rgb": {"compressionargs": {"outcolorspace": "rgb"}}}.items():
        path = FOLDER / f"colour_jpeg_{name}.tif"
        tifffile.imwrite(path, smooth, photometric="rgb", compression="jpeg", tile=(16, 32), metadata=None, **options)
        assert tifffile.TiffFile(path).pages[0].photometric.name.lower() == name
        (FOLDER / f"colour_jpeg_{name}.rgb.raw").write_bytes(tifffile.imread(path).tobytes())


def tiff():
    def write(name, data, **options):
        options = {"photometric": "rgb", "metadata": None, "compression": "zlib", **options}
        tifffile.imwrite(FOLDER / f"{name}.tif", data, **options)

    layouts = {"strips": ("uint8", "<", {"rowsperstrip": 7}), "tiles": ("uint16", ">", {"tile": (16, 32)})}
    codecs = {"none": (None, 1), "lzw": ("lzw", 2), "deflate": ("zlib", 2)}
    for planar, layout, codec in itertools.product(("chunky", "planar"), layouts, codecs):
        dtype, order, options = layouts[layout]
        image = colour(dtype)[0]
        if planar == "planar":
            options = {**options, "planarconfig": "separate"}
            image = numpy.moveaxis(image, -1, 0)
        else:
            options = {**options, "planarconfig": "contig"}
        compression, predictor = codecs[codec]
        name = f"colour_{planar}_{layout}_{codec}"
        write(name, image, byteorder=order, compression=compression, predictor=predictor > 1, **options)

    for dtype in TYPES[2:]:
        order = "<" if dtype.startswith("u") else ">"
        write(f"colour_{dtype}", colour(dtype)[0], byteorder=order, planarconfig="contig")
    for codec in ("lzw", "zlib"):
        write(f"colour_floating_{codec}", colour("float32")[0], compression=codec, predictor=3, tile=(16, 32))

    black = {"photometric": "minisblack"}
    write("colour_5_chunky", colour("uint16", 5)[0], planarconfig="contig", tile=(16, 32), **black)
    five = numpy.moveaxis(colour("uint16", 5)[0], -1, 0)
    write("colour_5_planar", five, planarconfig="separate", tile=(16, 32), **black)
    write("colour_4_planar_strips", five[:4].astype("uint8"), planarconfig="separate", rowsperstrip=10, **black)
    write("colour_2_chunky", colour("uint8", 2)[0], planarconfig="contig", **black)
    write("colour_pages", colour("uint8", 3, 4), rowsperstrip=16)
    write("colour_inks", colour("uint8", 4)[0], photometric="separated")
    with tifffile.TiffWriter(FOLDER / "colour_pages_differ.tif") as file:
        file.write(colour("uint8")[0], photometric="rgb", metadata=None)
        file.write(colour("uint8")[0, ..., 0], photometric="minisblack", metadata=None)
    # By libtiff.
    Image.fromarray(colour("uint8", 4)[0]).save(FOLDER / "colour_rgba.tif", compression="packbits")
    Image.fromarray(colour("uint8", 2)[0]).save(FOLDER / "colour_la.tif", compression="tiff_lzw")
    Image.fromarray(colour("uint8", 4)[0]).convert("RGBX").save(FOLDER / "colour_rgbx.tif")


if __name__ == "__main__":
    png()
    jpeg()
    tiff()
    for dtype in TYPES:
        write_gray(dtype)
    pillow_agrees()
    made = list(FOLDER.glob("c*"))
    print(sum(path.stat().st_size for path in made), "bytes in", len(made), "files")
