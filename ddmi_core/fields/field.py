"""Field: a continuous signal that answers `field(coords)`, and what else can be done with any of them."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, NamedTuple, TypeVar, cast

import numpy as np
from jaxtyping import Float, UInt8
from torch import Tensor

from ddmi_core.export.options import ExportOptions
from ddmi_core.networks.basis_decoder import BasisFields
from ddmi_core.recipe import Recipe
from ddmi_core.rendering.cameras import Camera
from ddmi_core.rendering.picture_layout import over
from ddmi_core.support.progress import Progress

Evidence = Literal["pictures", "clip", "points", "occupancy"]
"""What figures of merit look at: pictures (n, 3, h, w) or the frames of one clip, on white in [0, 1]; surface points
(n, 3); whether places are inside, (n, 1) of 0 and 1."""

Options = TypeVar("Options", bound=ExportOptions)


class Vantage(NamedTuple):
    """From where a signal of a data set was observed, so that another one is observed from there as well."""

    coords: Float[Tensor, "n d"] | None = None
    """Places that were asked about."""
    cameras: Sequence[Camera] = ()
    size: tuple[int, int] = (0, 0)
    """Width and height of what was seen, in pixels."""
    frames: int = 0
    """Of a clip."""


class Field(ABC, Generic[Options]):
    """A continuous signal.

    Pure and deterministic: the same coordinates always give the same values, in any order and any number, bit for bit
    on the same device. Queries run in chunks under a memory budget, so their size is limited by the result alone.
    """

    export_options: ClassVar[type[ExportOptions]]
    """What can be chosen about an export, and the formats that there are."""
    evidence: ClassVar[tuple[Evidence, ...]]
    """What `observe` gives, that which features are taken of first."""

    basis: BasisFields
    """The basis fields, batch size one; of a signal of several parts the first one's."""

    @property
    def nbytes(self) -> int:
        """Memory that the field takes, without the weights that it shares with others."""
        return sum(plane.nbytes for planes in self.basis for plane in planes)

    @abstractmethod
    def __call__(
        self, coords: Float[Tensor, "*shape d"], progress: Progress | None = None, *, footprint: float | None = None
    ) -> Float[Tensor, "*shape c"]:
        """Return the signal's values at coordinates in [-1, 1].

        Args:
            coords: where.
            progress: called after each chunk.
            footprint: log2 of the samples' spacing as a share of the canvas, for domains that have footprints; the
                finest if not given.

        Raises:
            Cancelled: from inside `progress`, between two chunks.
        """

    def flaws(self) -> int | None:
        """Count what hints at something torn, told from the signal alone; None where that can't be told."""
        return None

    @abstractmethod
    def view(self, *, resolution: int, progress: Progress | None = None) -> dict[str, Any]:
        """Evaluate what a viewer draws, as plain numpy arrays and numbers."""

    @abstractmethod
    def thumbnail(self, view: dict[str, Any], *, size: int) -> UInt8[np.ndarray, "s s 4"]:
        """Draw a small picture of a `view`: straight alpha, transparent around the signal."""

    def preview(
        self, *, size: int = 256, resolution: int | None = None, progress: Progress | None = None
    ) -> UInt8[np.ndarray, "s s 3"]:
        """Evaluate (by default as finely as makes sense) and draw a small picture on a plain ground."""
        return over(self.thumbnail(self.view(resolution=resolution or 64, progress=progress), size=size))

    @abstractmethod
    def observe(self, kind: Evidence, vantage: Vantage) -> Float[Tensor, "n ..."]:
        """Return what a figure of merit looks at, one of `evidence`.

        Args:
            kind: what.
            vantage: from where; see `Domain.vantage`.

        Raises:
            DDMIError: there is nothing to look at, such as no surface.
        """

    def export(
        self,
        path: Path,
        options: Options | None = None,
        *,
        recipe: Recipe | None = None,
        progress: Progress | None = None,
    ) -> dict[str, Any]:
        """Write the signal to a file, format by suffix, and return facts about what was written.

        Args:
            path: the file.
            options: of the kind that `export_options` says; its defaults if not given.
            recipe: how the signal was made, for formats that can carry it.
            progress: may raise `Cancelled`; then nothing half-written stays.

        Raises:
            ExportError: the file could not be written; nothing half-written stays.
        """
        return self._write(path, options or cast("Options", self.export_options()), recipe, progress)

    @abstractmethod
    def _write(
        self, path: Path, options: Options, recipe: Recipe | None, progress: Progress | None
    ) -> dict[str, Any]: ...
