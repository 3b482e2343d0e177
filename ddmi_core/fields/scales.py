"""A picture scale by scale: basis fields that count by a weight each, and the film in which finer ones come in.

With weights w_1 .. w_n, coarse to fine, the read-out R gives R(w_1 e_1, .., w_n e_n) where it gives R(e_1, .., e_n) for
the picture itself; e_i is what basis field i says at the place. Look-up is linear, so weighing a basis field's cells
does the same. A scale of weight 0 says nothing, as if its basis field were 0 everywhere. In a fit, whose read-out adds,
that is a sum over the scales that count; a model's read-out is not linear, and was taught with all of them.
"""

from typing import Protocol, runtime_checkable

import numpy as np

from ddmi_core.coordinates import WHOLE, Region, Window
from ddmi_core.export.images import Pixels, Renders
from ddmi_core.networks.basis_decoder import BasisFields
from ddmi_core.support.progress import Progress

_STAY, _COME = 2.0, 3.0
"""How long a film stays with what there is, and how long the next scale takes to come in, in parts of its time."""


@runtime_checkable
class InScales(Protocol):
    """A picture of whose basis fields some may count for less."""

    basis: BasisFields

    def weighted(self, weights: tuple[float, ...]) -> Renders:
        """Return the picture with each scale's basis field multiplied by its weight, coarse to fine."""


def weighted(basis: BasisFields, weights: tuple[float, ...]) -> BasisFields:
    """Return basis fields each multiplied by its weight; those of weight 1 are the given ones.

    Raises:
        ValueError: there are not as many weights as scales.
    """
    return tuple(
        planes if weight == 1 else tuple(plane * weight for plane in planes)
        for planes, weight in zip(basis, weights, strict=True)
    )


def weights_at(t: float, scales: int) -> tuple[float, ...]:
    """Return the weights of so many scales at a moment in [-1, 1] of the film in which one after the other comes in.

    The coarsest counts from the beginning. With three scales the film stays with it for a sixth of its time, takes a
    quarter to bring in the middle one by w = 3 u^2 - 2 u^3, u from 0 to 1, and goes on likewise with the fine one; in
    its last sixth all of them count, and it is the picture itself.
    """
    now = (t + 1) / 2 * (scales * _STAY + (scales - 1) * _COME)
    begun = ((now - index * (_STAY + _COME) + _COME) / _COME for index in range(1, scales))
    return (1.0, *(_eased(min(max(share, 0.0), 1.0)) for share in begun))


class ScaleFilm:
    """The film in which the scales of a picture come in, for `export_video`; see `weights_at`."""

    def __init__(self, field: InScales) -> None:
        self._field = field
        self._drawn: dict[tuple[object, ...], Pixels] = {}

    def at(self, t: float) -> "ScaleFrame":
        """Return the picture at a moment in [-1, 1]."""
        return ScaleFrame(self._field, weights_at(t, len(self._field.basis)), self._drawn)


class ScaleFrame:
    """What a `ScaleFilm` shows at a moment. What the film stays with is drawn once and kept in `drawn`."""

    def __init__(self, field: InScales, weights: tuple[float, ...], drawn: dict[tuple[object, ...], Pixels]) -> None:
        self.weights = weights
        self._field, self._drawn = field, drawn

    def render(
        self,
        width: int,
        height: int,
        *,
        region: Region = WHOLE,
        window: Window | None = None,
        dtype: type[np.uint8] | type[np.uint16] = np.uint8,
        progress: Progress | None = None,
    ) -> Pixels:
        """Draw it; see `ImageField.render`."""
        asked = (self.weights, width, height, region, window, dtype)
        if asked in self._drawn:
            return self._drawn[asked]
        picture = self._field.weighted(self.weights)
        pixels = picture.render(width, height, region=region, window=window, dtype=dtype, progress=progress)
        if all(weight in (0, 1) for weight in self.weights):
            self._drawn[asked] = pixels
        return pixels


def _eased(share: float) -> float:
    return share * share * (3 - 2 * share)
