"""DecodedField: basis fields and the read-out that interprets them."""

import logging
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor
from typing_extensions import override

from ddmi_core.coordinates import cell_centres
from ddmi_core.fields.field import Field, Options
from ddmi_core.networks.basis_decoder import BasisFields
from ddmi_core.networks.readout import BasisReadOut, Folded
from ddmi_core.planes import Axes, LatticePlanes
from ddmi_core.support.devices import free_memory
from ddmi_core.support.progress import Progress, report

_log = logging.getLogger(__name__)

CPU_MEMORY_BUDGET = 8 * 2**20
"""Bytes that the intermediate values of one chunk of a query may take on a CPU, where chunks that fit into its caches
take a half to a quarter of the time."""
GPU_MEMORY_BUDGETS = 64 * 2**20, 2**30
"""The same on a GPU, at least and at most."""
GPU_SHARE = 1 / 8
"""Of a GPU's free memory, that a chunk may take in between."""
LATTICE_MEMORY_BUDGET = 256 * 2**20
"""Bytes that the basis fields at the places of a lattice may take."""


def memory_budget(device: torch.device) -> int:
    """Return the bytes that the intermediate values of one chunk of a query may take.

    On a GPU a power of two, so that chunks are mostly of one size although its free memory changes.
    """
    if device.type == "cpu":
        return CPU_MEMORY_BUDGET
    least, most = GPU_MEMORY_BUDGETS
    share = int(GPU_SHARE * free_memory(device))
    return min(max(2 ** (share.bit_length() - 1), least), most)


class DecodedField(Field[Options]):
    """A signal that is evaluated from basis fields.

    All chunks of a query have one size, the last one filled up, because matrix products of other sizes may round
    otherwise.
    """

    def __init__(self, readout: BasisReadOut, basis: BasisFields) -> None:
        """Wrap basis fields (batch size one), such as those of a decoded latent."""
        self.readout = readout
        self.basis = basis
        self._chunk = max(1024, memory_budget(self.device) // readout.bytes_per_point // 1024 * 1024)
        self._folded: tuple[float | None, Folded] | None = None

    @property
    def device(self) -> torch.device:
        """Where the field is evaluated; coordinates may be anywhere and values come back to where they were."""
        return self.basis[0][0].device

    @property
    def at_once(self) -> int:
        """How many coordinates are evaluated in one go: queries of so many waste nothing."""
        return self._chunk

    @override
    @torch.no_grad()
    def __call__(
        self,
        coords: Float[Tensor, "*shape d"],
        progress: Progress | None = None,
        *,
        footprint: float | None = None,
        directions: Float[Tensor, "*shape 3"] | None = None,
    ) -> Float[Tensor, "*shape c"]:
        """Return the signal's values; see `Field`.

        `directions` are unit vectors along which the points are seen, for domains that have directed channels; those
        are left out if not given.
        """
        flat = coords.reshape(-1, coords.shape[-1])
        readout = self._folded_for(footprint)
        parts = []
        start = 0
        while start < len(flat):
            stop = min(start + self._chunk, len(flat))
            filled = self._filled(flat, start)
            ways = None if directions is None else self._filled(directions.reshape(-1, 3), start)[0]
            try:
                embeddings = tuple(scale[0] for scale in self.readout.embeddings(self.basis, filled))
                values = readout(embeddings, ways)[: stop - start]
            except torch.OutOfMemoryError:
                if self._chunk <= 1024:
                    raise
                self._chunk //= 2
                _log.warning("Out of memory: going on with %d points at a time", self._chunk)
                continue
            parts.append(values.to(coords.device))
            start = stop
            report(progress, start / len(flat), f"{start:,} of {len(flat):,} points")
        if not parts:
            left_out = self.readout.directed_channels if directions is None else 0
            channels = self.readout.value_channels - left_out
            return flat.new_zeros(*coords.shape[:-1], channels)
        return torch.cat(parts).reshape(*coords.shape[:-1], -1)

    def on_lattice(
        self, axes: Axes, *, footprint: float | None = None, known: "OnLattice | None" = None
    ) -> "OnLattice":
        """Return the same function for the places of a lattice, given by their positions along the axes.

        Args:
            axes: the places along each axis, in [-1, 1].
            footprint: see `Field`.
            known: the same for another lattice; axes that are alike are not asked again.
        """
        return OnLattice(self, axes, footprint, known)

    def at_centres(self, side: int) -> Float[Tensor, "s s s c"]:
        """Return the values of a field in space at the centres of side^3 cells."""
        places = torch.cartesian_prod(*[torch.arange(side)] * 3)
        return self.on_lattice([cell_centres(side)] * 3)(places).reshape(*(side,) * 3, -1)

    def _folded_for(self, footprint: float | None) -> Folded:
        """The read-out of a footprint; the last one is kept, since most queries have the one before's."""
        kept = self._folded
        if kept is None or kept[0] != footprint:
            self._folded = kept = (footprint, self.readout.folded(footprint, self.basis[0][0].dtype))
        return kept[1]

    def _filled(self, flat: Float[Tensor, "n d"], start: int) -> Float[Tensor, "1 chunk d"]:
        """One chunk of a query, on the field's device, filled up to the chunk's size."""
        chunk = flat[start : start + self._chunk].to(self.device, torch.float32)
        return F.pad(chunk, (0, 0, 0, self._chunk - len(chunk))).unsqueeze(0)


class OnLattice:
    """What `DecodedField.on_lattice` returns: the field's values, bit for bit, at positions that count from 0.

    Basis fields are interpolated once where they are needed, and not for every place that lies before or behind another
    one. Of a lattice for which that takes too much memory, and of a read-out without planes, every place is asked for
    by itself.
    """

    def __init__(
        self, field: DecodedField[Any], axes: Axes, footprint: float | None, known: "OnLattice | None"
    ) -> None:
        self._field, self._axes, self._footprint = field, axes, footprint
        self._planes: tuple[LatticePlanes, ...] = ()
        if not field.readout.looks_up:
            return
        layout, row = field.readout.layout, sum(4 * planes[0].shape[1] for planes in field.basis)
        if row * sum(len(axes[one]) * len(axes[other]) for one, other in layout.axes) > LATTICE_MEMORY_BUDGET:
            return
        own, before = [axis.to(field.device) for axis in axes], () if known is None else known._planes
        self._planes = tuple(
            LatticePlanes(planes, own, layout, known=one)
            for planes, one in zip(field.basis, before or [None] * len(field.basis), strict=True)
        )

    @property
    def nbytes(self) -> int:
        """Memory that is kept."""
        return sum(planes.nbytes for planes in self._planes)

    @torch.no_grad()
    def __call__(self, places: Int[Tensor, "n d"], progress: Progress | None = None) -> Float[Tensor, "n c"]:
        """Return the values; see `Field`."""
        field = self._field
        if not self._planes or not len(places):
            coords = torch.stack([axis[of] for axis, of in zip(self._axes, places.unbind(-1), strict=True)], dim=-1)
            return field(coords, progress, footprint=self._footprint)
        readout, parts, done = field._folded_for(self._footprint), [], 0
        for chunk in places.split(field.at_once):
            filled = F.pad(chunk.to(field.device), (0, 0, 0, field.at_once - len(chunk)))
            embeddings = tuple(field.readout.joined(planes.look_up(filled)) for planes in self._planes)
            parts.append(readout(embeddings, None)[: len(chunk)].to(places.device))
            done += len(chunk)
            report(progress, done / len(places), f"{done:,} of {len(places):,} points")
        return torch.cat(parts)
