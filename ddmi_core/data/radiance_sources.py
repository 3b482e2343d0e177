"""Where radiance fields to train on come from, by name: the starter set or a user's folder."""

from pathlib import Path

from ddmi_core.data.items import USUAL_INPUT, EncoderInput
from ddmi_core.data.radiance import RadianceSet, RadianceSource
from ddmi_core.data.radiance_folders import object_shards, radiance_folder
from ddmi_core.data.shape_sources import HELD_OUT_COUNT, HELD_OUT_SEED
from ddmi_core.data.shard_places import are_shards
from ddmi_core.support.errors import DataError

STARTER_SET, PAINTED_SET = "furniture-nerf", "painted-furniture"
_PAINTED_COUNT = 20_000


def open_radiance(
    source: str, split: str, *, seed: int, queries: int, given: EncoderInput = USUAL_INPUT
) -> RadianceSource:
    """Open `furniture-nerf`, `painted-furniture`, a folder of coloured objects or posed pictures, or shards of objects.

    Raises:
        DataError: there is no such set or folder, or nothing usable in it.
    """
    if source == STARTER_SET:
        from ddmi_core.data.furniture.renders import FurnitureViews

        objects: RadianceSet = FurnitureViews(split)
    elif source == PAINTED_SET:
        from ddmi_core.data.furniture.painted import PaintedFurniture

        train = split == "train"
        objects = PaintedFurniture(_PAINTED_COUNT, seed) if train else PaintedFurniture(HELD_OUT_COUNT, HELD_OUT_SEED)
    elif are_shards(source):
        objects = object_shards(source, split)
    elif Path(source).is_dir():
        objects = radiance_folder(Path(source), split)
    else:
        raise DataError(
            f"There are no radiance fields called {source!r}: give {STARTER_SET}, {PAINTED_SET}, or a folder of "
            "coloured meshes or of posed pictures."
        )
    if len(objects) == 0:
        raise DataError(f"{source} holds no usable object for the {split} split.")
    return RadianceSource(objects, queries, given)
