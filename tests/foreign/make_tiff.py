"""Makes the TIFF files in tests/data/tiff with tifffile (imagecodecs), which shares no code with this program.

    pip install numpy tifffile imagecodecs
    python tests/foreign/make_tiff.py

Every voxel is made from its coordinates as in make_images.py; of files with more axes each section has the z that it has in
the file, counted from 0.
"""

import pathlib
import struct

import numpy
import tifffile

from make_images import hide_pages, voxel

FOLDER = pathlib.Path(__file__).parent.parent / "data" / "tiff"
SIZE = {"width": 31, "height": 19}


def write(name, data, **options):
    tifffile.imwrite(FOLDER / name, data, **{"photometric": "minisblack", "metadata": None, **options})


def sections(dtype, *lengths):
    """Sections on axes of these lengths, numbered in their order."""
    count = int(numpy.prod(lengths))
    return voxel(dtype, count, **SIZE).reshape(*lengths, SIZE["height"], SIZE["width"])


def imagej():
    def stack(name, axes, *lengths, dtype="uint16"):
        data = sections(dtype, *lengths)
        tifffile.imwrite(FOLDER / f"imagej_{name}.tif", data, imagej=True, metadata={"axes": axes})

    stack("tzc", "TZCYX", 2, 3, 4)
    stack("zc", "ZCYX", 3, 2, dtype="uint8")
    stack("t", "TYX", 5)
    stack("c", "CYX", 3)
    stack("z", "ZYX", 4, dtype="float32")
    rgb = numpy.stack([sections("uint8", 2, 3)] * 3, axis=-1)
    tifffile.imwrite(FOLDER / "imagej_rgb.tif", rgb, imagej=True, photometric="rgb", metadata={"axes": "TZYXS"})
    # The sections behind the only page, as ImageJ writes files above 4 GB.
    for name, axes, lengths in [("hidden", "ZYX", (5,)), ("hidden_tc", "TCYX", (2, 3))]:
        stack(name, axes, *lengths)
        hide_pages(FOLDER / f"imagej_{name}.tif")
    # A description that counts more sections than there are.
    write("imagej_other.tif", sections("uint8", 3), description="ImageJ=1.54f\nimages=6\nslices=3\nframes=2\n")


def ome():
    def series(name, axes, *lengths, **options):
        data = sections("uint16", *lengths)
        tifffile.imwrite(FOLDER / f"{name}.ome.tif", data, metadata={"axes": axes}, photometric="minisblack", **options)

    series("ome_tzc", "TZCYX", 2, 3, 2)
    series("ome_ctz", "CTZYX", 2, 2, 3, compression="zlib", tile=(16, 16))
    series("ome_z", "ZYX", 4)
    rgb = numpy.stack([sections("uint8", 3)] * 3, axis=-1)
    tifffile.imwrite(FOLDER / "ome_rgb.ome.tif", rgb, metadata={"axes": "ZYXS"}, photometric="rgb")
    with tifffile.TiffWriter(FOLDER / "ome_two.ome.tif") as file:
        file.write(sections("uint16", 2, 2), metadata={"axes": "TCYX", "Name": "first"}, photometric="minisblack")
        file.write(sections("uint8", 3), metadata={"axes": "ZYX", "Name": "second"}, photometric="minisblack")
    # Planes that name their pages, in another order; and planes in another file.
    planes = [(c, z, 3 * c + (2 - z)) for c in range(2) for z in range(3)]
    data = "".join(f'<TiffData FirstC="{c}" FirstZ="{z}" IFD="{page}" PlaneCount="1"/>' for c, z, page in planes)
    write("ome_shuffled.ome.tif", sections("uint16", 6), description=ome_xml(data))
    elsewhere = '<TiffData IFD="0"/><TiffData FirstZ="1"><UUID FileName="other.ome.tif">urn:uuid:2</UUID></TiffData>'
    write("ome_elsewhere.ome.tif", sections("uint16", 2), description=ome_xml(elsewhere))


def ome_xml(data):
    return (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">'
        '<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="31" SizeY="19" SizeZ="3" SizeC="2" SizeT="1">'
        f"{data}</Pixels></Image></OME>"
    )


def pyramids():
    """Levels whose voxels are made from their own coordinates."""
    with tifffile.TiffWriter(FOLDER / "pyramid.ome.tif") as file:
        options = {"tile": (16, 16), "photometric": "minisblack", "compression": "zlib"}
        full = voxel("uint16", 3, 61, 37)
        file.write(full, subifds=2, metadata={"axes": "ZYX"}, **options)
        file.write(voxel("uint16", 3, 30, 18), subfiletype=1, metadata=None, **options)
        file.write(voxel("uint16", 3, 15, 9), subfiletype=1, metadata=None, **options)
    with tifffile.TiffWriter(FOLDER / "overviews.tif") as file:
        options = {"tile": (16, 16), "photometric": "minisblack", "compression": "lzw", "metadata": None}
        file.write(voxel("uint8")[0], **options)
        file.write(voxel("uint8", 1, 30, 18)[0], subfiletype=1, **options)
        file.write(voxel("uint8", 1, 15, 9)[0], subfiletype=1, **options)


def storage():
    grey = voxel("uint8", 1, **SIZE)[0]
    write("half.tif", voxel("float16", 1, **SIZE)[0], byteorder=">")
    write("half_predictor.tif", voxel("float16", 1, **SIZE)[0], compression="zlib", predictor=3, tile=(16, 16))
    write("old_deflate.tif", grey, compression=32946, tile=(16, 16))
    write("zstd_predictor.tif", voxel("int32", 1, **SIZE)[0], compression="zstd", predictor=2, byteorder=">")
    write("planar_lzw.tif", numpy.stack([grey] * 3), photometric="rgb", planarconfig="separate", compression="lzw")
    for name in ("lzma", "webp", "jpeg2000", "lerc", "jpegxl"):
        data = numpy.stack([grey] * 3, axis=-1) if name == "webp" else grey
        photometric = "rgb" if name == "webp" else "minisblack"
        write(f"refused_{name}.tif", data, compression=name, photometric=photometric)
    # Tiles that are left out: those that are all 0.
    sparse = voxel("uint16", 1, 61, 37)[0]
    sparse[:16, 16:32] = 0
    sparse[32:] = 0
    tiles = [sparse[y : y + 16, x : x + 16] for y in range(0, 37, 16) for x in range(0, 61, 16)]
    tiles = (numpy.pad(tile, [(0, 16 - tile.shape[0]), (0, 16 - tile.shape[1])]) for tile in tiles)
    tiles = (tile if tile.any() else None for tile in tiles)
    options = {"tile": (16, 16), "compression": "lzw", "predictor": False}
    write("sparse.tif", tiles, shape=(37, 61), dtype="uint16", **options)
    assert (tifffile.imread(FOLDER / "sparse.tif") == sparse).all()
    packed("bits_12.tif", 12, 1)
    packed("bits_12_white.tif", 12, 0)
    packed("fill_order.tif", 1, 1, 2)
    packed("old_jpeg.tif", 8, 1, 1, 6)


def packed(name, bits, photometric, fill_order=1, compression=1):
    """A file written by hand: one strip of samples without gaps, as no writer at hand makes them."""
    width, height = SIZE["width"], SIZE["height"]
    rows = []
    for row in voxel("uint16", 1, **SIZE)[0] & ((1 << bits) - 1):
        text = "".join(format(int(sample), f"0{bits}b") for sample in row)
        text += "0" * (-len(text) % 8)
        bytes_ = int(text, 2).to_bytes(len(text) // 8, "big")
        rows.append(bytes(int(f"{byte:08b}"[::-1], 2) for byte in bytes_) if fill_order == 2 else bytes_)
    data = b"".join(rows)
    tags = [(256, width), (257, height), (258, bits), (259, compression), (262, photometric), (266, fill_order)]
    tags += [(273, 8), (277, 1), (278, height), (279, len(data))]
    pad = data + b"\0" * (len(data) % 2)
    directory = struct.pack(">H", len(tags)) + b"".join(struct.pack(">HHII", tag, 4, 1, value) for tag, value in tags)
    (FOLDER / name).write_bytes(struct.pack(">2sHI", b"MM", 42, 8 + len(pad)) + pad + directory + bytes(4))


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    imagej()
    ome()
    pyramids()
    storage()
