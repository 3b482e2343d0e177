"""Where shapes to train on come from, by name: a starter set or a user's folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, UInt8
from typing_extensions import override

from ddmi_core.data.items import USUAL_SURFACE, Augment, ItemSource, Order, SurfacePoints
from ddmi_core.data.shapes import LABEL_SIGMA
from ddmi_core.data.shard_places import are_shards
from ddmi_core.support.errors import DataError

if TYPE_CHECKING:
    from ddmi_core.data.furniture.procedural import ProceduralShapes
    from ddmi_core.data.shapes import GridShapes

PROCEDURAL_COUNT = 20_000
HELD_OUT_COUNT, HELD_OUT_SEED = 500, 1_000_003
"""Procedural shapes held out come from a seed that no training run uses."""
NAMED_FURNITURE = "furniture:named"


class ShapeSource(ItemSource):
    """A shape data set seen as training items: as many surface and query points as the run wants.

    Args:
        shapes: the data set.
        queries: places asked for in each example.
        surface: what the encoder is given.
        label_sigma: by how much the labels of augmented examples are blurred, in [-1, 1]^3; 0 leaves them 0 or 1.
            Examples that are not augmented, or as in the paper, are exact.
    """

    def __init__(
        self, shapes: Any, queries: int, surface: SurfacePoints = USUAL_SURFACE, label_sigma: float = LABEL_SIGMA
    ) -> None:
        self.shapes = shapes
        self.order: Order | None = getattr(shapes, "order", None)
        self._queries = queries
        self._surface = surface
        self._label_sigma = label_sigma

    def __len__(self) -> int:
        return len(self.shapes)

    @override
    def sample(self, index: int, rng: np.random.Generator, *, augment: Augment) -> dict[str, np.ndarray]:
        sigma = 0.0 if augment in ("none", "paper") else self._label_sigma
        example = self.shapes.sample(index, rng, self._surface.count, self._queries, augment, label_sigma=sigma)
        example["points"] = self._surface.disturb(example["points"], rng, augment)
        return {name: example[name] for name in ("points", "normals", "coords", "targets") if name in example}

    def solid(self, index: int, resolution: int) -> Bool[np.ndarray, "x y z"] | None:
        """Return the solid grid of a shape; None of a cloud of points, which has no inside."""
        grid = getattr(self.shapes, "grid", None)
        return None if grid is None else grid(index, resolution)

    @override
    def captions(self, index: int) -> Sequence[str]:
        return self.shapes.captions(index)

    @override
    def thumbnail(self, index: int, size: int) -> UInt8[np.ndarray, "s s 4"]:
        """Draw a small picture, premultiplied."""
        return self.shapes.thumbnail(index, size)


def open_shapes(
    source: str,
    split: str,
    *,
    seed: int,
    queries: int,
    surface: SurfacePoints = USUAL_SURFACE,
    label_sigma: float = LABEL_SIGMA,
) -> ShapeSource:
    """Open `furniture`, `furniture:named`, `procedural`, a folder of meshes, or shards of some; see `ShapeSource`.

    `furniture:named` is the part of the starter set whose kinds prompts name: tables, but no plants.

    Raises:
        DataError: there is no such set or folder, or nothing usable in it.
    """
    if source in ("furniture", NAMED_FURNITURE):
        from ddmi_core.data.furniture.catalogue import furniture

        shapes: Any = furniture(split, named=source == NAMED_FURNITURE)
    elif source == "procedural":
        from ddmi_core.data.furniture.procedural import procedural

        shapes = procedural(PROCEDURAL_COUNT, seed) if split == "train" else held_out_procedural()
    elif are_shards(source):
        from ddmi_core.data.shape_folders import mesh_shards

        shapes = mesh_shards(source, split)
    elif Path(source).is_dir():
        from ddmi_core.data.shape_folders import mesh_folder

        shapes = mesh_folder(Path(source), split)
    else:
        raise DataError(f"There are no shapes called {source!r}: give furniture, procedural or a folder of meshes.")
    if len(shapes) == 0:
        raise DataError(f"{source} holds no usable shape for the {split} split.")
    return ShapeSource(shapes, queries, surface, label_sigma)


def held_out_procedural() -> "ProceduralShapes":
    """Return the 500 procedural shapes that figures are taken of."""
    from ddmi_core.data.furniture.procedural import procedural

    return procedural(HELD_OUT_COUNT, HELD_OUT_SEED)


def held_out_catalogue() -> "GridShapes":
    """Return the catalogue's pieces of the named kinds that figures are taken of.

    Raises:
        DataError: the set is missing or damaged.
    """
    from ddmi_core.data.furniture.catalogue import furniture

    return furniture("held_out", named=True)
