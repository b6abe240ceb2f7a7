"""A plug-in for the Python client, as its users write them: tiles cut out of sections, padded at the far edges.

Its own stack processor sends the whole section for every tile, so more than one tile to a section needs a class like this.
"""

import io

import numpy
from ingestclient.plugins.tile import TileProcessor
from PIL import Image


class CroppedTileProcessor(TileProcessor):
    def setup(self, parameters):
        self.size = parameters["ingest_job"]["tile_size"]

    def process(self, file_path, x_index, y_index, z_index, t_index=0):
        width, height = self.size["x"], self.size["y"]
        section = numpy.asarray(Image.open(file_path))
        found = section[y_index * height :, x_index * width :][:height, :width]
        tile = numpy.zeros((height, width), section.dtype)
        tile[: found.shape[0], : found.shape[1]] = found
        encoded = io.BytesIO()
        Image.fromarray(tile).save(encoded, "PNG")
        return encoded
