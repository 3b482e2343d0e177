"""Volume rendering: samples along rays, the light they add up to, and empty space that need not be looked at.

Along a ray r(t) = o + t d through a medium of density sigma (per unit of length) that glows in the colour c (Max 1995,
"Optical models for direct volume rendering"; Mildenhall et al. 2020, "NeRF", eq. 1):

    C = integral of T(t) sigma(t) c(t, d) dt,   T(t) = exp(-integral of sigma up to t)

With samples at t_i that stand for steps delta_i this becomes (NeRF, eq. 3)

    C = sum of w_i c_i,   w_i = T_i (1 - exp(-sigma_i delta_i)),   T_i = exp(-sum over j < i of sigma_j delta_j)
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from ddmi_core.coordinates import grid
from ddmi_core.rendering.view_settings import WHOLE_SPACE, Crop
from ddmi_core.support.progress import Progress, report, sub_progress

Medium = Callable[[Float[Tensor, "n 3"], Float[Tensor, "n 3"]], tuple[Float[Tensor, " n"], Float[Tensor, "n 3"]]]
"""Maps places and unit directions of view to densities, per unit of length, and colours in [0, 1]."""

GRID_CELLS = 64
"""Cells an axis of an occupancy grid."""
EMPTY_DENSITY = 0.1
"""Density below which a cell counts as empty. What trained fields leave in empty space is mostly fainter by far:
pictures with and without it were seen to differ by less than 0.4 of 255 steps in the mean."""
OPAQUE = 0.002
"""Transmittance below which nothing behind can be seen: half a step of 8-bit colour."""

_ADVANCE = 8  # samples of every live ray that are looked at in one go, at least;
_LOOKED_AT = 2**17  # more where the rays are few, up to so many in all
_RAYS = 2**16  # rays marched together
_AT_ONCE = 2**14  # places that a medium is asked for in one go, where nobody says how many


class Light(NamedTuple):
    """What rays bring to the eye: premultiplied colour, opacity in [0, 1], and the mean depth of what is seen.

    `depth` is the expected distance along the ray, sum of w_i t_i / sum of w_i; infinite where nothing is seen.
    """

    colour: Float[Tensor, "*shape 3"]
    opacity: Float[Tensor, "*shape"]
    depth: Float[Tensor, "*shape"]


def box_span(
    origins: Float[Tensor, "*shape 3"],
    directions: Float[Tensor, "*shape 3"],
    box: Crop = WHOLE_SPACE,
    *,
    near: float = 0.0,
    far: float = float("inf"),
) -> tuple[Float[Tensor, "*shape"], Float[Tensor, "*shape"]]:
    """Return where rays enter and leave a box, within [near, far]; both are the same where they miss it.

    The slab method (Kay and Kajiya 1986): a ray is inside while it is between all three pairs of planes.
    """
    low, high = origins.new_tensor(box[:3]), origins.new_tensor(box[3:])
    # A direction along a plane never meets it: a tiny slope puts that meeting far away, with the right sign.
    slopes = torch.where(directions.abs() < 1e-9, torch.full_like(directions, 1e-9), directions)
    first, second = (low - origins) / slopes, (high - origins) / slopes
    enter = torch.minimum(first, second).amax(-1).clamp(min=near, max=1e6)
    leave = torch.maximum(first, second).amin(-1).clamp(max=min(far, 1e6))
    return enter, torch.maximum(enter, leave)


def stratified_samples(
    near: Float[Tensor, " n"], far: Float[Tensor, " n"], count: int, offsets: Float[Tensor, "n s"] | None = None
) -> tuple[Float[Tensor, "n s"], Float[Tensor, "n s"]]:
    """Cut [near, far] into equal strata with one sample each (NeRF, eq. 2); return depths and steps.

    Args:
        near: where each ray begins.
        far: where it ends.
        count: strata.
        offsets: places in the strata, [0, 1); the middles if not given, which makes pictures that can be repeated.
    """
    width = ((far - near) / count)[:, None]
    numbers = torch.arange(count, device=near.device, dtype=near.dtype)
    depths = near[:, None] + (numbers + (0.5 if offsets is None else offsets)) * width
    return depths, width.expand_as(depths)


def importance_samples(
    edges: Float[Tensor, "n b_1"], weights: Float[Tensor, "n b"], offsets: Float[Tensor, "n s"]
) -> tuple[Float[Tensor, "n s"], Float[Tensor, "n s"]]:
    """Place samples where bins weigh most, by inverting the cumulative weights (NeRF, 5.2); return depths and steps.

    The cumulative weights, not the depths, are cut into equal strata with one sample each. A step is the stretch of
    the ray that its stratum covers, so the steps of a ray add up to its length.

    Args:
        edges: of the bins, rising.
        weights: of the bins; not all zero.
        offsets: places in the strata, [0, 1).
    """
    count = offsets.shape[-1]
    cumulative = F.pad(torch.cumsum(weights, dim=-1), (1, 0))
    cumulative = cumulative / cumulative[:, -1:]
    borders = torch.linspace(0, 1, count + 1, device=edges.device).expand(len(edges), -1)
    inside = (torch.arange(count, device=edges.device) + offsets) / count
    wanted = torch.cat([borders, inside], dim=-1).contiguous()
    upper = torch.searchsorted(cumulative.contiguous(), wanted, right=True).clamp(1, cumulative.shape[-1] - 1)
    c0, c1 = cumulative.gather(-1, upper - 1), cumulative.gather(-1, upper)
    e0, e1 = edges.gather(-1, upper - 1), edges.gather(-1, upper)
    share = ((wanted - c0) / (c1 - c0).clamp(min=1e-9)).clamp(0, 1)
    depths = e0 + share * (e1 - e0)
    return depths[:, count + 1 :], depths[:, : count + 1].diff(dim=-1)


def composite(
    densities: Float[Tensor, "*shape s"],
    colours: Float[Tensor, "*shape s 3"],
    depths: Float[Tensor, "*shape s"],
    steps: Float[Tensor, "*shape s"],
) -> Light:
    """Add up the light of the samples of each ray, front to back (NeRF, eq. 3); differentiable.

    Args:
        densities: per unit of length, not negative.
        colours: of the samples.
        depths: of the samples, rising.
        steps: the lengths they stand for.
    """
    thickness = densities * steps
    behind = torch.cumsum(thickness, dim=-1)
    weights = torch.exp(-(behind - thickness)) * -torch.expm1(-thickness)
    opacity = weights.sum(-1)
    colour = (weights[..., None] * colours).sum(-2)
    depth = torch.where(opacity > 0, (weights * depths).sum(-1) / opacity.clamp(min=1e-9), torch.inf)
    return Light(colour, opacity, depth)


class OccupancyGrid:
    """Which cells of space may hold something, so that rays look nowhere else (Müller et al. 2022, "Instant NGP").

    A cell counts as occupied if the density at one of its corners or at its centre is above `EMPTY_DENSITY`, or if it
    touches such a cell, since a thin thing may pass between the places that were asked.
    """

    def __init__(self, occupied: Bool[Tensor, "x y z"]) -> None:
        self.occupied = occupied
        self._flat = occupied.reshape(-1)

    @classmethod
    @torch.no_grad()
    def bake(
        cls,
        density: Callable[[Float[Tensor, "n 3"]], Float[Tensor, " n"]],
        cells: int = GRID_CELLS,
        *,
        device: torch.device | str = "cpu",
        at_once: int = _AT_ONCE,
        progress: Progress | None = None,
    ) -> "OccupancyGrid":
        """Ask a field for its density all over [-1, 1]^3.

        Args:
            density: maps places to densities.
            cells: cells along each axis.
            device: where the grid is kept.
            at_once: places that are asked for in one go.
            progress: called each time that the field is asked; may raise `Cancelled`.
        """
        axis = torch.linspace(-1, 1, cells + 1, device=device)
        corners = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), dim=-1)
        at_corners = _asked(density, corners, at_once, sub_progress(progress, 0.0, 0.5))
        centres = grid(cells, cells, cells, device=device)
        at_centres = _asked(density, centres, at_once, sub_progress(progress, 0.5, 1.0))
        largest = torch.maximum(F.max_pool3d(at_corners[None], 2, stride=1)[0], at_centres)
        filled = (largest > EMPTY_DENSITY).float()
        return cls(F.max_pool3d(filled[None], 3, stride=1, padding=1)[0] > 0)

    @property
    def share(self) -> float:
        """The share of space that may hold something."""
        return float(self._flat.float().mean())

    def __call__(self, points: Float[Tensor, "*shape 3"]) -> Bool[Tensor, "*shape"]:
        """Return whether places may hold something; space outside [-1, 1]^3 is empty."""
        cells = self.occupied.shape[0]
        where = ((points + 1) * (cells / 2)).floor().long()
        inside = ((where >= 0) & (where < cells)).all(-1)
        x, y, z = where.clamp_(0, cells - 1).unbind(-1)
        return self._flat[(x * cells + y) * cells + z] & inside


@torch.no_grad()
def render_rays(
    medium: Medium,
    origins: Float[Tensor, "n 3"],
    directions: Float[Tensor, "n 3"],
    *,
    samples: int,
    occupancy: OccupancyGrid | None = None,
    box: Crop = WHOLE_SPACE,
    near: float = 0.0,
    far: float = float("inf"),
    at_once: int = _AT_ONCE,
    progress: Progress | None = None,
) -> Light:
    """Render rays with `samples` strata each, between where they enter and leave a box.

    With an occupancy grid, rays are marched together, a few samples at a time: only samples in occupied cells are
    evaluated, and a ray ends once its transmittance is below `OPAQUE`. Without one, every sample is evaluated: the
    reference. Both use the same samples, so their pictures differ by what the grid takes for empty.

    Args:
        medium: what there is.
        origins: of the rays.
        directions: of the rays, unit vectors.
        samples: strata of a ray.
        occupancy: where there is anything.
        box: what lies outside is not shown.
        near: nor what is nearer than this along a ray,
        far: nor what is farther.
        at_once: places that the medium is asked for in one go.
        progress: called each time that the medium is asked; may raise `Cancelled`.
    """
    parts = []
    for start in range(0, len(origins), _RAYS):
        chunk = slice(start, start + _RAYS)
        enter, leave = box_span(origins[chunk], directions[chunk], box, near=near, far=far)
        depths, steps = stratified_samples(enter, leave, samples)
        share = sub_progress(progress, start / len(origins), min(start + _RAYS, len(origins)) / len(origins))
        bundle = (medium, origins[chunk], directions[chunk], depths, steps, at_once, share)
        parts.append(_march_all(*bundle) if occupancy is None else _march(*bundle, occupancy))
    if not parts:
        return Light(origins.new_zeros(0, 3), origins.new_zeros(0), origins.new_zeros(0))
    return Light(*(torch.cat(values) for values in zip(*parts, strict=True)))


def _march_all(
    medium: Medium,
    origins: Tensor,
    directions: Tensor,
    depths: Tensor,
    steps: Tensor,
    at_once: int,
    progress: Progress | None,
) -> Light:
    """Evaluate every sample, some rays at a time."""
    parts = []
    count = max(1, at_once // depths.shape[1])
    for start in range(0, len(origins), count):
        chunk = slice(start, start + count)
        places = origins[chunk, None] + depths[chunk, :, None] * directions[chunk, None]
        ways = directions[chunk, None].expand_as(places)
        share = sub_progress(progress, start / len(origins), min(start + count, len(origins)) / len(origins))
        densities, colours = _seen(medium, places.reshape(-1, 3), ways.reshape(-1, 3), at_once, share)
        shape = depths[chunk].shape
        parts.append(composite(densities.reshape(shape), colours.reshape(*shape, 3), depths[chunk], steps[chunk]))
    return Light(*(torch.cat(values) for values in zip(*parts, strict=True)))


def _march(
    medium: Medium,
    origins: Tensor,
    directions: Tensor,
    depths: Tensor,
    steps: Tensor,
    at_once: int,
    progress: Progress | None,
    occupancy: OccupancyGrid,
) -> Light:
    """Advance all rays together through what the grid calls occupied."""
    count, samples = depths.shape
    colour = origins.new_zeros(count, 3)
    clear = origins.new_ones(count)  # transmittance
    reached = origins.new_zeros(count)
    alive = torch.nonzero(steps[:, 0] > 0)[:, 0]
    stop = 0
    while stop < samples and len(alive):
        start, stop = stop, min(stop + max(_ADVANCE, _LOOKED_AT // len(alive)), samples)
        report(progress, start / samples, "rendering")
        ahead = depths[alive, start:stop]
        places = origins[alive, None] + ahead[..., None] * directions[alive, None]
        ray, sample = torch.nonzero(occupancy(places), as_tuple=True)
        if not len(ray):
            continue
        share = sub_progress(progress, start / samples, stop / samples)
        found, glow = _seen(medium, places[ray, sample], directions[alive[ray]], at_once, share)
        densities = torch.zeros_like(ahead)
        densities[ray, sample] = found
        colours = places.new_zeros(places.shape)
        colours[ray, sample] = glow
        light = composite(densities, colours, ahead, steps[alive, start:stop])
        reach = torch.where(light.opacity > 0, light.depth, 0.0) * light.opacity
        colour[alive] += clear[alive, None] * light.colour
        reached[alive] += clear[alive] * reach
        clear[alive] *= 1 - light.opacity
        alive = alive[clear[alive] > OPAQUE]
    opacity = 1 - clear
    depth = torch.where(opacity > 0, reached / opacity.clamp(min=1e-9), torch.inf)
    return Light(colour, opacity, depth)


def _seen(
    medium: Medium,
    places: Float[Tensor, "n 3"],
    directions: Float[Tensor, "n 3"],
    at_once: int,
    progress: Progress | None,
) -> tuple[Float[Tensor, " n"], Float[Tensor, "n 3"]]:
    """Ask a medium for some places at a time, so that a view which nobody wants any longer ends soon."""
    parts = []
    for start in range(0, len(places), at_once):
        report(progress, start / len(places), "rendering")
        chunk = slice(start, start + at_once)
        parts.append(medium(places[chunk], directions[chunk]))
    densities, colours = zip(*parts, strict=True)
    return torch.cat(densities), torch.cat(colours)


def _asked(
    density: Callable[[Float[Tensor, "n 3"]], Float[Tensor, " n"]],
    places: Float[Tensor, "x y z 3"],
    at_once: int,
    progress: Progress | None,
) -> Float[Tensor, "x y z"]:
    """Evaluate a grid of places, some at a time."""
    flat = places.reshape(-1, 3)
    parts = []
    for start in range(0, len(flat), at_once):
        report(progress, start / len(flat), "finding empty space")
        parts.append(density(flat[start : start + at_once]))
    return torch.cat(parts).reshape(places.shape[:-1])
