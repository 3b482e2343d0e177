"""Where along rays it is worth while to look, while a scene is being learned: a grid of what is known of its density.

A sample counts if its cell may hold something, and if what is known to lie before it lets light through: behind a
surface nothing is learned, since nothing is seen. So a ray that meets an object costs a handful of evaluations.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ddmi_core.rendering.view_settings import Crop
from ddmi_core.rendering.volume_rendering import box_span, stratified_samples

_EMPTY_DENSITY = 0.1
"""Density below which a cell holds nothing that is worth to be learned from."""
_HIDDEN = 3.5
"""Optical thickness before a sample from which it is not looked at: three hundredths of the light pass."""
_FORGETTING = 0.9
"""What stays of a cell's density from one look to the next, if less is found."""
_AT_ONCE = 2**15


class Samples(NamedTuple):
    """Samples of rays, those of a ray one after another: the ray of each, its number on the ray, depth and step."""

    ray: Int[Tensor, " m"]
    number: Int[Tensor, " m"]
    depth: Float[Tensor, " m"]
    step: Float[Tensor, " m"]
    rays: int

    def padded(self, values: Float[Tensor, " m *_c"]) -> Float[Tensor, "n s *_c"]:
        """Give each ray a row of its samples' values, zeros after the last."""
        longest = int(self.number.max()) + 1 if len(self.number) else 1
        rows = values.new_zeros(self.rays * longest, *values.shape[1:])
        rows = rows.index_put((self.ray * longest + self.number,), values)
        return rows.view(self.rays, longest, *values.shape[1:])


class KnownDensity:
    """What is known of a scene's density in each cell of [-1, 1]^3.

    Args:
        possible: cells that may hold something; the others never do.
        density: what is taken to be there at first.
    """

    def __init__(self, possible: Bool[Tensor, "c c c"], density: float) -> None:
        self.possible = possible
        self.cells = len(possible)
        self._density = torch.where(possible, density, 0.0).reshape(-1)
        self._least = self._around()
        self._visited = torch.zeros_like(self._density, dtype=torch.bool)
        self._unseen = torch.zeros(0, dtype=torch.long)

    @property
    def occupied(self) -> Bool[Tensor, "c c c"]:
        """Cells that hold something, as far as is known."""
        return (self._density > _EMPTY_DENSITY).view(self.possible.shape)

    def box(self) -> Crop:
        """Return the smallest box around the cells that hold something; all of space if none does."""
        found = torch.nonzero(self.occupied)
        if not len(found):
            return (-1.0, -1.0, -1.0, 1.0, 1.0, 1.0)
        low, high = 2 * found.amin(0) / self.cells - 1, 2 * (found.amax(0) + 1) / self.cells - 1
        x, y, z, far_x, far_y, far_z = (*low.tolist(), *high.tolist())
        return (x, y, z, far_x, far_y, far_z)

    def samples(
        self,
        origins: Float[Tensor, "n 3"],
        directions: Float[Tensor, "n 3"],
        strata: int,
        offsets: Float[Tensor, "n s"] | None,
        box: Crop,
    ) -> Samples:
        """Return the samples of rays that are worth while."""
        enter, leave = box_span(origins, directions, box)
        depths, steps = stratified_samples(enter, leave, strata, offsets)
        cell = self._cell(origins[:, None] + depths[..., None] * directions[:, None])
        thickness = self._least[cell] * steps
        chosen = (
            (steps > 0)
            & (self._density[cell] > _EMPTY_DENSITY)
            & (torch.cumsum(thickness, dim=-1) - thickness < _HIDDEN)
        )
        self._visited[cell[chosen]] = True
        ray, stratum = torch.nonzero(chosen, as_tuple=True)
        number = (torch.cumsum(chosen, dim=-1) - 1)[ray, stratum]
        return Samples(ray, number, depths[ray, stratum], steps[ray, stratum], len(origins))

    @torch.no_grad()
    def refresh(
        self, density: Callable[[Float[Tensor, "n 3"]], Float[Tensor, " n"]], generator: torch.Generator
    ) -> None:
        """Ask for the density at a random place in each cell that may hold something."""
        flat = torch.nonzero(self.possible.reshape(-1))[:, 0]
        places = self.places(flat, generator)
        found = torch.cat([density(part) for part in places.split(_AT_ONCE)]) if len(places) else places[:, 0]
        self._density[flat] = torch.maximum(found, _FORGETTING * self._density[flat])
        self._least = self._around()

    def prune(self, spread: int = 1) -> None:
        """Give up the cells that hold nothing, but those beside ones that do, and note anew where is looked."""
        kept = F.max_pool3d(self.occupied.float()[None], 2 * spread + 1, stride=1, padding=spread)[0] > 0
        self.possible = self.possible & kept
        self._density *= self.possible.reshape(-1)
        self._least = self._around()
        self._unseen = torch.nonzero(self.possible.reshape(-1) & ~self._visited)[:, 0]
        self._visited.zero_()

    def empty_places(self, count: int, generator: torch.Generator) -> Float[Tensor, "n 3"]:
        """Return random places where nothing can be; fewer where that is rare."""
        places = 2 * torch.rand(count, 3, generator=generator) - 1
        return places[~self.possible.reshape(-1)[self._cell(places)]]

    def unseen_places(self, count: int, generator: torch.Generator) -> Float[Tensor, "n 3"]:
        """Return random places where no ray looked before the last `prune`, as all lies behind what they met."""
        if not len(self._unseen):
            return torch.zeros(0, 3)
        return self.places(self._unseen[torch.randint(len(self._unseen), (count,), generator=generator)], generator)

    def places(self, flat: Int[Tensor, " n"], generator: torch.Generator) -> Float[Tensor, "n 3"]:
        """Return a random place in each of some cells, given by their numbers."""
        cells = self.cells
        corner = torch.stack([flat // cells**2, flat // cells % cells, flat % cells], dim=-1)
        return (corner + torch.rand(len(flat), 3, generator=generator)) * (2 / cells) - 1

    def _around(self) -> Float[Tensor, " n"]:
        """The least density of each cell and those beside it: what surely hides, though a surface may cut the cell."""
        grid = self._density.view(1, self.cells, self.cells, self.cells)
        return -F.max_pool3d(-grid, 3, stride=1, padding=1).reshape(-1)

    def _cell(self, places: Float[Tensor, "*shape 3"]) -> Int[Tensor, "*shape"]:
        x, y, z = ((places + 1) * (self.cells / 2)).long().clamp_(0, self.cells - 1).unbind(-1)
        return (x * self.cells + y) * self.cells + z
