"""Makes the images in tests/data/images with programs that share no code with this one: Pillow (libpng, libjpeg, libtiff)
and tifffile (imagecodecs).

    pip install pillow numpy tifffile imagecodecs
    python tests/foreign/make_images.py

Every voxel is made from its coordinates by `voxel`, so that a swapped axis or byte shows. JPEG loses: what libjpeg decodes
is written next to each JPEG as raw bytes.
"""

import itertools
import pathlib
import struct
import zlib

import numpy
import tifffile
from PIL import Image

FOLDER = pathlib.Path(__file__).parent.parent / "data" / "images"
WIDTH, HEIGHT = 61, 37


def voxel(dtype, sections=1, width=WIDTH, height=HEIGHT):
    """7x + 131y + 1009z + xy, wrapped to the type; shape [z, y, x]."""
    z, y, x = numpy.meshgrid(range(sections), range(height), range(width), indexing="ij")
    return (7 * x + 131 * y + 1009 * z + x * y).astype("int64").astype(dtype)


def png():
    grey8, grey16 = voxel("uint8")[0], voxel("uint16")[0]
    Image.fromarray(grey8).save(FOLDER / "grey8.png")
    Image.fromarray(grey16).save(FOLDER / "grey16.png")
    Image.fromarray(grey8 > 127).save(FOLDER / "grey1.png")
    for bits in (2, 4):
        write_packed_png(FOLDER / f"grey{bits}.png", grey8 >> (8 - bits), bits)
    palette = Image.fromarray(grey8).convert("P")
    palette.save(FOLDER / "palette.png")
    Image.merge("RGB", [Image.fromarray(grey8)] * 3).save(FOLDER / "rgb.png")
    Image.merge("RGBA", [Image.fromarray(grey8)] * 4).save(FOLDER / "rgba.png")
    Image.merge("LA", [Image.fromarray(grey8)] * 2).save(FOLDER / "la.png")
    write_interlaced_png(FOLDER / "interlaced8.png", grey8)
    write_interlaced_png(FOLDER / "interlaced16.png", grey16)


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def write_png(path, width, height, bits, interlace, rows):
    header = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, interlace)
    body = zlib.compress(b"".join(b"\0" + row for row in rows))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )


def write_packed_png(path, samples, bits):
    rows = []
    for row in samples:
        text = "".join(format(int(sample), f"0{bits}b") for sample in row)
        text += "0" * (-len(text) % 8)
        rows.append(int(text, 2).to_bytes(len(text) // 8, "big"))
    write_png(path, samples.shape[1], samples.shape[0], bits, 0, rows)
    # Pillow reads it, so the file is a PNG for others as well.
    Image.open(path).load()


def write_interlaced_png(path, samples):
    """Pillow writes no Adam7; the seven passes are those of the PNG specification, 8.2."""
    big = samples.astype(samples.dtype.newbyteorder(">"))
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    rows = [row.tobytes() for x, y, dx, dy in passes for row in big[y::dy, x::dx] if row.size]
    write_png(path, samples.shape[1], samples.shape[0], samples.itemsize * 8, 1, rows)
    assert (numpy.asarray(Image.open(path)) == samples).all()


def jpeg():
    y, x = numpy.mgrid[0:61, 0:97]
    smooth = (128 + 70 * numpy.sin(x / 11) * numpy.cos(y / 7) + x / 4).astype("uint8")
    image = Image.fromarray(smooth)
    image.save(FOLDER / "smooth.jpg", quality=92)
    image.save(FOLDER / "smooth_progressive.jpg", quality=92, progressive=True)
    image.save(FOLDER / "smooth_restarts.jpg", quality=80, restart_marker_blocks=3)
    for name in ("smooth", "smooth_progressive", "smooth_restarts"):
        decoded = numpy.asarray(Image.open(FOLDER / f"{name}.jpg"))
        (FOLDER / f"{name}.raw").write_bytes(decoded.tobytes())
    Image.merge("RGB", [image] * 3).save(FOLDER / "rgb.jpg", quality=50)
    tiles = FOLDER / "jpeg_tiles.tif"
    tifffile.imwrite(tiles, smooth, photometric="minisblack", compression="jpeg", tile=(32, 48), metadata=None)
    (FOLDER / "jpeg_tiles.raw").write_bytes(tifffile.imread(tiles).tobytes())


def tiff_matrix():
    layouts = {"strips": {"rowsperstrip": 7}, "tiles": {"tile": (16, 32)}}
    codecs = {"none": None, "lzw": "lzw", "deflate": "zlib", "packbits": "packbits"}
    orders = {"le": "<", "be": ">"}
    for layout, codec, bits, order in itertools.product(layouts, codecs, (8, 16), orders):
        tifffile.imwrite(
            FOLDER / f"{layout}_{codec}_{bits}_{order}.tif",
            voxel(f"uint{bits}")[0],
            photometric="minisblack",
            compression=codecs[codec],
            byteorder=orders[order],
            predictor=False,
            metadata=None,
            **layouts[layout],
        )


def tiff_more():
    def write(name, data, **options):
        options = {"photometric": "minisblack", "metadata": None, **options}
        tifffile.imwrite(FOLDER / name, data, **options)

    for bits, order, codec in itertools.product((8, 16, 32), "<>", ("lzw", "zlib")):
        name = f"predictor_{codec}_{bits}_{'le' if order == '<' else 'be'}.tif"
        write(name, voxel(f"uint{bits}")[0], byteorder=order, compression=codec, predictor=2, rowsperstrip=10)
    write("predictor_tiles_16_be.tif", voxel("uint16")[0], byteorder=">", compression="zlib", predictor=2, tile=(16, 16))
    write("predictor_float32.tif", voxel("float32")[0], compression="zlib", predictor=3, tile=(16, 16))
    for name in ("int8", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64"):
        write(f"{name}_be.tif", voxel(name)[0], byteorder=">")
    write("float16.tif", voxel("float16")[0])
    write("big.tif", voxel("uint16")[0], bigtiff=True)
    write("zstd.tif", voxel("uint16")[0], compression="zstd")
    write("white_is_zero_8.tif", voxel("uint8")[0], photometric="miniswhite")
    write("white_is_zero_16_be.tif", voxel("uint16")[0], photometric="miniswhite", byteorder=">")
    write("white_is_zero_signed.tif", voxel("int16")[0], photometric="miniswhite")
    write("rgb.tif", numpy.stack([voxel("uint8")[0]] * 3, axis=-1), photometric="rgb")
    write("two_samples.tif", numpy.stack([voxel("uint8")[0]] * 2, axis=-1), planarconfig="contig")
    write("pages_8.tif", voxel("uint8", 5), compression="zlib", rowsperstrip=8)
    write("pages_16_be.tif", voxel("uint16", 5), byteorder=">", tile=(32, 16))
    write("one_bit.tif", voxel("uint8")[0] > 127)
    Image.fromarray(voxel("uint8")[0]).convert("P").save(FOLDER / "palette.tif")
    with tifffile.TiffWriter(FOLDER / "pages_differ.tif") as file:
        for page in (voxel("uint8")[0], voxel("uint8", 1, 30, 18)[0], voxel("uint16")[0]):
            file.write(page, photometric="minisblack", metadata=None)
    # ImageJ's own shape: one page, the other sections right behind it.
    tifffile.imwrite(FOLDER / "imagej_hidden.tif", voxel("uint8", 3), imagej=True)
    hide_pages(FOLDER / "imagej_hidden.tif")


def hide_pages(path):
    """Cuts the chain of pages behind the first, as ImageJ writes files above 4 GB."""
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        end = page.offset + 2 + 12 * len(page.tags)
    data = bytearray(path.read_bytes())
    data[end : end + 4] = bytes(4)
    path.write_bytes(data)


def tiff_libtiff():
    for name, codec in {"raw": None, "lzw": "tiff_lzw", "deflate": "tiff_adobe_deflate", "packbits": "packbits"}.items():
        for bits in (8, 16):
            Image.fromarray(voxel(f"uint{bits}")[0]).save(FOLDER / f"libtiff_{name}_{bits}.tif", compression=codec)


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    png()
    jpeg()
    tiff_matrix()
    tiff_more()
    tiff_libtiff()
    print(sum(path.stat().st_size for path in FOLDER.iterdir()), "bytes in", len(list(FOLDER.iterdir())), "files")
