"""Makes the volumes in tests/data/precomputed with CloudVolume, which shares no code with this program.

    pip install cloud-volume pyspng-seunglab simplejpeg pillow
    python tests/foreign/make_precomputed.py

Every voxel is made from its coordinates, the volume's offset included, so that a swapped axis, a wrong offset or byte shows.
Chunks do not divide the volumes. JPEG loses: what CloudVolume decodes is written next to the volume, x fastest.
"""

import json
import pathlib
import shutil

import numpy
from cloudvolume import CloudVolume
from cloudvolume.datasource.precomputed.common import compressed_morton_code
from cloudvolume.datasource.precomputed.sharding import ShardingSpecification
from PIL import Image

FOLDER = pathlib.Path(__file__).parent.parent / "data" / "precomputed"
OFFSET, SIZE, CHUNK = (10, 20, 4), (37, 29, 11), (16, 16, 6)
VOXEL_TYPES = ["uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float32"]


def grid(offset, size):
    return numpy.meshgrid(*(numpy.arange(o, o + s) for o, s in zip(offset, size)), indexing="ij")


def voxel(dtype, offset=OFFSET, size=SIZE):
    """7x + 131y + 1009z + xy, wrapped to the type; shape [x, y, z]."""
    x, y, z = grid(offset, size)
    return (7 * x + 131 * y + 1009 * z + x * y).astype("int64").astype(dtype)


def colour(dtype, channels):
    """Each channel adds 10007 + 3x + 5y; shape [x, y, z, c]."""
    x, y, z = grid(OFFSET, SIZE)
    planes = [voxel("int64") + c * (10007 + 3 * x + 5 * y) for c in range(channels)]
    return numpy.stack(planes, axis=-1).astype(dtype)


def labels(dtype):
    """Boxes of 5 x 7 x 3 voxels with a label each; those of 64 bits are far above 32. Shape [x, y, z]."""
    x, y, z = grid(OFFSET, SIZE)
    box = x // 5 + 100 * (y // 7) + 10000 * (z // 3)
    return (box * (2**32 + 1) if dtype == "uint64" else box).astype(dtype)


def write(name, voxels, encoding="raw", compress="gzip", mips=0, **more):
    shutil.rmtree(FOLDER / name, ignore_errors=True)
    if voxels.ndim == 3:
        voxels = voxels[..., numpy.newaxis]
    info = CloudVolume.create_new_info(
        num_channels=voxels.shape[3],
        layer_type="segmentation" if encoding == "compressed_segmentation" else "image",
        data_type=str(voxels.dtype),
        encoding=encoding,
        resolution=(4, 4, 40),
        voxel_offset=OFFSET,
        volume_size=SIZE,
        chunk_size=CHUNK,
        **more,
    )
    volume = CloudVolume(f"file://{FOLDER / name}", info=info, compress=compress, fill_missing=False)
    for mip in range(1, mips + 1):
        volume.add_scale((2**mip, 2**mip, 1), chunk_size=CHUNK)
    volume.commit_info()
    volume[:] = voxels
    for mip in range(1, mips + 1):
        volume.mip = mip
        bounds = volume.bounds
        offset, size = [int(v) for v in bounds.minpt], [int(v) for v in bounds.size3()]
        # The same rule at every scale, and its number.
        volume[:] = voxel(voxels.dtype, offset, size)[..., numpy.newaxis] + mip
    (FOLDER / name / "provenance").unlink(missing_ok=True)
    volume.mip = 0
    return volume


def write_png16(name):
    """CloudVolume writes no PNG of 16 bits: Pillow packs the chunks anew, each x wide and y times z high."""
    volume = write(name, voxel("uint16"), compress=False)
    scale = volume.info["scales"][0]
    for file in (FOLDER / name / scale["key"]).iterdir():
        rows = numpy.frombuffer(file.read_bytes(), "<u2")
        start, stop = map(int, file.name.split("_")[0].split("-"))
        Image.fromarray(rows.reshape(-1, stop - start)).save(file, "png")
    scale["encoding"] = "png"
    (FOLDER / name / "info").write_text(json.dumps(volume.info))


def write_sharded(name, dtype, spec):
    """The chunks of a volume without shards, put together by CloudVolume's own sharding."""
    plain = write(name, voxel(dtype), compress=False)
    scale = plain.info["scales"][0]
    folder = FOLDER / name / scale["key"]
    spec = {"@type": "neuroglancer_uint64_sharded_v1", **spec}
    sharding = ShardingSpecification.from_dict(spec)
    cells = [-(-s // c) for s, c in zip(SIZE, CHUNK)]
    chunks = {}
    for point in numpy.ndindex(*cells):
        spans = [(o + p * c, min(o + (p + 1) * c, o + s)) for o, p, c, s in zip(OFFSET, point, CHUNK, SIZE)]
        file = folder / "_".join(f"{start}-{stop}" for start, stop in spans)
        code = int(compressed_morton_code(list(point), cells))
        chunks[code] = file.read_bytes()
    shutil.rmtree(folder)
    folder.mkdir()
    for file, content in sharding.synthesize_shards(chunks).items():
        (folder / file).write_bytes(content)
    scale["sharding"] = spec
    (FOLDER / name / "info").write_text(json.dumps(plain.info))


def main():
    FOLDER.mkdir(exist_ok=True)
    for dtype in VOXEL_TYPES:
        write(f"raw_{dtype}", voxel(dtype))
    write("plain_mips", voxel("uint16"), compress=False, mips=2)
    write("brotli", voxel("uint8"), compress="br")
    write("zstd", voxel("uint16"), compress="zstd")
    write("raw_channels", colour("uint16", 3))
    write("png8", voxel("uint8"), "png", False)
    write_png16("png16")
    write("png_channels", colour("uint8", 3), "png", False)
    x, y, z = grid(OFFSET, SIZE)
    smooth = (2 * x + y + 3 * z).astype("uint8")
    jpeg = write("jpeg", smooth, "jpeg", False)
    (FOLDER / "jpeg.raw").write_bytes(numpy.asarray(jpeg[:]).tobytes(order="F"))
    planes = numpy.stack([smooth, smooth + 20, smooth + 40], axis=-1).astype("uint8")
    # Not decoded: CloudVolume 12.15 mixes up the channels of what it wrote well.
    write("jpeg_channels", planes, "jpeg", False)
    segmentation = "compressed_segmentation"
    for dtype in ("uint32", "uint64"):
        write(f"labels_{dtype}", labels(dtype), segmentation, compressed_segmentation_block_size=(8, 8, 8))
    write("dense_uint64", voxel("uint64"), segmentation, compressed_segmentation_block_size=(8, 4, 2))
    common = {"preshift_bits": 1, "minishard_bits": 2, "shard_bits": 2}
    gzip = {"minishard_index_encoding": "gzip", "data_encoding": "gzip"}
    raw = {"minishard_index_encoding": "raw", "data_encoding": "raw"}
    write_sharded("sharded_murmur", "uint16", {"hash": "murmurhash3_x86_128", **common, **gzip})
    write_sharded("sharded_identity", "uint8", {"hash": "identity", **common, **raw})


main()
