"""Furniture made by rule: endless variety with exact captions, exact labels and no files.

Shape ``i`` depends on (seed, i) alone. Kinds: chair (stools too), bench, table (desks too), sofa, bed, lamp, storage
(bookcases, wardrobes, cabinets). Fronts face +z, y is up, the longest side spans [-0.9, 0.9].
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ddmi_core.data.furniture.geometry import PROPORTIONS, proportions
from ddmi_core.data.furniture.procedural.beds import bed
from ddmi_core.data.furniture.procedural.captions import captions
from ddmi_core.data.furniture.procedural.lamps import lamp
from ddmi_core.data.furniture.procedural.parts import NARROWEST, THINNEST, Draft
from ddmi_core.data.furniture.procedural.seating import bench, chair, sofa
from ddmi_core.data.furniture.procedural.solids import Union
from ddmi_core.data.furniture.procedural.storage import storage
from ddmi_core.data.furniture.procedural.tables import table
from ddmi_core.data.items import Augment
from ddmi_core.data.shapes import LABEL_TRIES, draw_points, mapped_normals, place_queries, random_map

KINDS = {
    "chair": (chair, 0.24),
    "bench": (bench, 0.04),
    "table": (table, 0.26),
    "sofa": (sofa, 0.10),
    "bed": (bed, 0.09),
    "lamp": (lamp, 0.11),
    "storage": (storage, 0.16),
}
CAPTIONS_PER_SHAPE = 8
_CACHED_SHAPES = 32_768  # about 6 kB each
_DRAWN_POINTS = 8192
_STRETCH = 0.05  # more would take from the thickness that thin parts were given


def drawn(seed: int, i: int) -> tuple[Union, Draft]:
    """Draw shape ``i`` of a seed; the draft has its facts, and the generator as the drawing left it."""
    names, longest = tuple(KINDS), 0.0
    # How thick the thinnest part has to be follows from the longest side, which is known once all is drawn.
    for _ in range(2):
        draft = Draft(np.random.default_rng((seed, i)), longest)
        KINDS[draft.pick(names, [KINDS[n][1] for n in names])][0](draft)
        longest = draft.build.longest()
    shape = draft.build.union(thinnest=THINNEST, narrowest_hole=NARROWEST)
    width, height, depth = shape.sides
    draft.facts.update({word: word in proportions(width, height, depth) for word in PROPORTIONS})
    return shape, draft


class ProceduralShapes:
    """A data set of ``count`` procedural shapes; see `procedural`."""

    def __init__(self, count: int, seed: int) -> None:
        self.count = count
        self.seed = seed
        self._shape = lru_cache(maxsize=_CACHED_SHAPES)(self._make)

    def __len__(self) -> int:
        return self.count

    def __repr__(self) -> str:
        return f"ProceduralShapes({self.count}, seed={self.seed})"

    def _make(self, i: int) -> tuple[Union, dict[str, object], list[str]]:
        if not 0 <= i < self.count:
            raise IndexError(f"shape {i} of {self.count}")
        shape, draft = drawn(self.seed, i)
        return shape, draft.facts, captions(draft.facts, draft.rng, CAPTIONS_PER_SHAPE)

    def shape(self, i: int) -> Union:
        """The solid itself: ``inside(points)`` and ``surface(count, rng)``."""
        return self._shape(i)[0]

    def captions(self, i: int) -> list[str]:
        """True captions of shape ``i``, from the bare kind to three facts; common ones may repeat."""
        return self._shape(i)[2]

    def kind(self, i: int) -> str:
        """One of `KINDS`."""
        return str(self.attributes(i)["kind"])

    def attributes(self, i: int) -> dict[str, object]:
        """The facts behind the captions, e.g. ``{"kind": "table", "top": "round", "legs": 1, ...}``."""
        return dict(self._shape(i)[1])

    def sample(
        self,
        i: int,
        rng: np.random.Generator,
        n_surface: int,
        n_query: int,
        augment: Augment = "none",
        *,
        label_sigma: float = 0.0,
    ) -> dict[str, NDArray[np.float32] | str]:
        """One training example of shape ``i``.

        Returns ``points`` (n_surface, 3) on the surface with their outward unit ``normals``, ``coords`` (n_query, 3),
        ``targets`` (n_query, 1) in [0, 1], all float32, and a ``caption``. Targets are 0 and 1, or with a
        ``label_sigma`` the share of `LABEL_TRIES` places, spread by that about each query, that is inside.
        ``captioned`` augmentation mirrors left and right and stretches the axes by up to 5 %, with the longest side
        kept at 1.8; ``full`` also turns half of the shapes about y.
        """
        shape, _, texts = self._shape(i)
        drawn, normals = shape.surface(n_surface + n_query, rng)
        matrix = random_map(drawn, rng, augment, stretch=_STRETCH, reach=shape.sides / 2).astype(np.float32)
        inverse = np.linalg.inv(matrix)
        drawn = drawn @ matrix.T
        coords = place_queries(drawn[n_surface:], rng)
        own = coords @ inverse.T
        if label_sigma:
            targets = shape.coverage(own, label_sigma * inverse, rng, LABEL_TRIES)
        else:
            targets = shape.inside(own).astype(np.float32)
        caption = texts[int(rng.integers(len(texts)))]
        return {
            "points": drawn[:n_surface].astype(np.float32, copy=False),
            "normals": mapped_normals(normals[:n_surface], inverse),
            "coords": coords,
            "targets": targets[:, None],
            "caption": caption,
        }

    def thumbnail(self, i: int, size: int) -> NDArray[np.uint8]:
        """Draw a small picture, premultiplied: (size, size, 4)."""
        return draw_points(self.shape(i).surface(_DRAWN_POINTS, np.random.default_rng(i))[0], size)

    def grid(self, i: int, resolution: int = 128) -> NDArray[np.bool_]:
        """Inside or not at the cell centres of a grid: (resolution,) * 3, indexed [ix, iy, iz]."""
        return self.shape(i).grid(resolution)


def procedural(count: int, seed: int) -> ProceduralShapes:
    """``count`` pieces of furniture made by rule. Nothing is computed before it is asked for."""
    return ProceduralShapes(count, seed)
